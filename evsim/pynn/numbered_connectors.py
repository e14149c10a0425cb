"""PyNN's connectors that make a given number of synapses, mended where they fail or ignore what they are told."""
# ruff: noqa: D101 - classes that PyNN documents keep its words

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyNN import connectors, errors
from pyNN.random import RandomDistribution

from evsim.pynn.mended import NEVER_MUTUAL, Mended, connect_by_source


class _OfEachCell(Mended):
    """A number of synapses for each cell of one end; draws what PyNN draws where that does not fail."""

    # With a fixed number for each cell there is no telling which of two cells is to go without the other.
    domains = NEVER_MUTUAL
    rng: Any  # a NumpyRNG or its like
    allow_self_connections: bool
    with_replacement: bool

    def _choose(self, projection, cell: int, n: int, size: int) -> NDArray[np.int64]:
        """The partners of a cell: n of so many; raises ConnectionError where there is none."""
        left_out = cell if not self.allow_self_connections and projection.pre == projection.post else None
        if n and size == 1 and left_out is not None:
            raise errors.ConnectionError(
                f"projection {projection.label!r}: {type(self).__name__} has no cell to connect to, for there is one "
                "only and allow_self_connections is False"
            )
        if self.with_replacement:
            return self._with_replacement(n, size, left_out)
        among = np.arange(size)[np.arange(size) != left_out]
        full, rest = divmod(n, len(among)) if n else (0, 0)
        return np.concatenate([np.tile(among, full), self.rng.permutation(among)[:rest] if rest else among[:0]])

    def _with_replacement(self, n: int, size: int, left_out: int | None) -> NDArray[np.int64]:
        # PyNN looks for what is to be drawn again in the wrong place
        found = self.rng.next(n, "uniform_int", {"low": 0, "high": size}, mask=None)
        while len(again := np.flatnonzero(found == left_out)):
            found[again] = self.rng.next(len(again), "uniform_int", {"low": 0, "high": size}, mask=None)
        return found.astype(np.int64)  # of none, PyNN makes an array of floats


class FixedNumberPreConnector(_OfEachCell, connectors.FixedNumberPreConnector):
    __doc__ = connectors.FixedNumberPreConnector.__doc__
    mends = connectors.FixedNumberPreConnector

    def connect(self, projection) -> None:
        """Connect; raises ConnectionError where there is no cell to connect to."""

        def columns() -> Iterator[NDArray[np.int64]]:
            for target, n in enumerate(self._get_num_pre(projection.post.size)):
                yield self._choose(projection, target, int(n), projection.pre.size)

        self._standard_connect(projection, columns)


class FixedNumberPostConnector(_OfEachCell, connectors.FixedNumberPostConnector):
    __doc__ = connectors.FixedNumberPostConnector.__doc__
    mends = connectors.FixedNumberPostConnector

    def connect(self, projection) -> None:
        """Connect; raises ConnectionError where there is no cell to connect to."""
        n_pre, n_post = projection.shape
        targets = [self._choose(projection, source, int(self._get_num_post()), n_post) for source in range(n_pre)]
        source = np.repeat(np.arange(n_pre), [len(chosen) for chosen in targets])
        connect_by_source(self, projection, source, np.concatenate(targets))


class FixedTotalNumberConnector(Mended, connectors.FixedTotalNumberConnector):
    """A given number of synapses between pairs that are drawn at random.

    Args:
        n: that number, or a ``RandomDistribution`` of it.
        allow_self_connections: whether a cell may be connected to itself; ``"NoMutual"``: neither that, nor two cells
            to each other.
        with_replacement: whether a pair may be drawn more than once.
        location_selector, rng, safe, callback: as for the other connectors.
    """

    mends = connectors.FixedTotalNumberConnector

    def connect(self, projection) -> None:
        """Connect; raises ConnectionError where there are fewer pairs than are asked for."""
        if self.is_plain:
            connectors.FixedTotalNumberConnector.connect(self, projection)
        else:
            connect_by_source(self, projection, *self._draw(projection))

    @property
    def is_plain(self) -> bool:
        """Whether PyNN itself does what it is told: it ignores both options, and takes a number only."""
        return isinstance(self.n, int) and self.with_replacement and self.allow_self_connections is True

    def _draw(self, projection) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Sources and targets (n,), in the order in which they are drawn; pairs that cannot be are drawn again."""
        pairs = _Pairs(projection, self.allow_self_connections)
        wanted = int(self.n.next()) if isinstance(self.n, RandomDistribution) else self.n
        if wanted > pairs.allowed and not (self.with_replacement and pairs.allowed):
            raise errors.ConnectionError(
                f"projection {projection.label!r}: {wanted} synapses, but there are {pairs.allowed} pairs of cells "
                "that may be connected; ask for fewer, or allow more by with_replacement and allow_self_connections"
            )
        found = np.empty(0, np.int64)
        while len(found) < wanted:
            drawn: Any = self.rng.next(max(wanted, 2), "uniform_int", {"low": 0, "high": pairs.count}, mask=None)
            found = np.concatenate([found, drawn[pairs.may_be(drawn)]])
            if not self.with_replacement:
                found = found[np.sort(np.unique(found, return_index=True)[1])]
        source, target = np.divmod(found[:wanted], projection.post.size)
        return source, target


class _Pairs:
    """The pairs of a projection by number: the source's times the number of targets, and the target's."""

    def __init__(self, projection, selves: bool | str) -> None:
        self._pre, self._post = (end.all_cells.astype(np.int64) for end in (projection.pre, projection.post))
        self._selves = selves
        self.count = len(self._pre) * len(self._post)
        common = len(np.intersect1d(self._pre, self._post))
        forbidden = {True: 0, False: common, "NoMutual": common * (common + 1) // 2}
        self.allowed = self.count - forbidden[selves]

    def may_be(self, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether pairs may be connected."""
        source, target = np.divmod(numbers, len(self._post))
        pre, post = self._pre[source], self._post[target]
        if self._selves == "NoMutual":
            return (pre > post) | ~(np.isin(pre, self._post) & np.isin(post, self._pre))
        return (pre != post) | bool(self._selves)
