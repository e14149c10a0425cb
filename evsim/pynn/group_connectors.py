"""Connectors within groups of cells, which sPyNNaker has beside PyNN's: ``sim.extra_models``.

Source of their signatures: sPyNNaker 7.4.1, ``connectors/all_but_me_connector.py`` and
``connectors/one_to_one_offset_connector.py``. What they connect, and in which order weights are taken, is what its
firmware made of them when it was executed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyNN import connectors, errors

from evsim.pynn.list_connectors import FromListConnector


class _WithinGroups(connectors.Connector):
    """Cells of two populations of one size, in groups of successive cells, each connected within its own group."""

    def __init__(self, n_neurons_per_group: int | None, safe: bool, callback: Any) -> None:
        super().__init__(safe=safe, callback=callback)
        if n_neurons_per_group is not None and not _is_whole(n_neurons_per_group, least=1):
            raise errors.InvalidParameterValueError(
                f"{type(self).__name__}: n_neurons_per_group is {n_neurons_per_group!r}; it must be a whole number "
                "from 1 on, or None for one group of all cells"
            )
        self.n_neurons_per_group = n_neurons_per_group

    def _group_size(self, projection) -> int:
        """How many cells a group has; raises ConnectionError where the populations cannot be divided so."""
        where, n_pre, n_post = f"projection {projection.label!r}", projection.pre.size, projection.post.size
        if n_pre != n_post:
            raise errors.ConnectionError(
                f"{where}: {type(self).__name__} joins populations of one size; {projection.pre.label!r} has {n_pre} "
                f"cells, {projection.post.label!r} has {n_post}"
            )
        size = n_pre if self.n_neurons_per_group is None else int(self.n_neurons_per_group)
        if n_pre % size:
            raise errors.ConnectionError(
                f"{where}: {n_pre} cells are not a multiple of the n_neurons_per_group of its {type(self).__name__}, "
                f"{size}"
            )
        return size

    def _connect(self, projection, size: int, source: NDArray, target: NDArray, weights: NDArray | None = None) -> None:
        """Connect the pairs of one group in all groups of a size; ``weights`` (pairs,) are those of each group."""
        groups = projection.pre.size // size
        starts = np.repeat(np.arange(groups) * size, len(source))
        columns = [np.tile(source, groups) + starts, np.tile(target, groups) + starts]
        names = () if weights is None else ("weight",)
        columns += [] if weights is None else [np.tile(weights, groups)]
        FromListConnector(np.column_stack(columns), names, safe=self.safe, callback=self.callback).connect(projection)


class AllButMeConnector(_WithinGroups):
    """Connects each cell to all cells of its group but the one of its own number, as for winner-takes-all groups.

    Args:
        n_neurons_per_group: of which the number of cells is a multiple; None: all are one group.
        weights: (n * (n - 1),) of a group of n, by source and then by target; None: as the synapse type says.
        safe, callback: as for the other connectors.
        verbose: has no effect; sPyNNaker takes it.

    Raises:
        InvalidParameterValueError, InvalidDimensionsError: an argument is out of its range; there are more weights than
            connections in a group, or fewer.
    """

    parameter_names = ("n_neurons_per_group",)

    def __init__(
        self,
        n_neurons_per_group: int | None = None,
        weights: Sequence[float] | NDArray | None = None,
        safe: bool = True,
        verbose: bool = False,
        callback: Any = None,
    ) -> None:
        super().__init__(n_neurons_per_group, safe, callback)
        self.weights = None if weights is None else np.asarray(weights, float)
        if n_neurons_per_group is not None:
            self._check_weights(int(n_neurons_per_group))

    def _check_weights(self, size: int) -> None:
        count = size * (size - 1)
        if self.weights is not None and self.weights.shape != (count,):
            raise errors.InvalidDimensionsError(
                f"AllButMeConnector: weights have the shape {self.weights.shape}; a group of {size} cells has {size} x "
                f"{size - 1} connections, so it must be ({count},)"
            )

    def connect(self, projection) -> None:
        """Connect; raises ConnectionError where the populations cannot be divided into groups."""
        size = self._group_size(projection)
        self._check_weights(size)
        source, target = np.nonzero(~np.eye(size, dtype=bool))
        self._connect(projection, size, source, target, self.weights)


class OneToOneOffsetConnector(_WithinGroups):
    """Connects each cell to that of its group that lies so many places further.

    Args:
        offset: how many; negative ones lie before it. At most the size of a group.
        wrap: whether the first cell of a group follows its last one; otherwise cells without a partner have none.
        n_neurons_per_group: of which the number of cells is a multiple; None: all are one group.
        safe, callback: as for the other connectors.
        verbose: has no effect; sPyNNaker takes it.

    Raises:
        InvalidParameterValueError: an argument is out of its range.
    """

    parameter_names = ("offset", "wrap", "n_neurons_per_group")

    def __init__(
        self,
        offset: int,
        wrap: bool,
        n_neurons_per_group: int | None = None,
        safe: bool = True,
        verbose: bool = False,
        callback: Any = None,
    ) -> None:
        super().__init__(n_neurons_per_group, safe, callback)
        if not _is_whole(offset):
            raise errors.InvalidParameterValueError(
                f"OneToOneOffsetConnector: offset is {offset!r}; it must be a whole number"
            )
        self.offset, self.wrap = int(offset), bool(wrap)

    def connect(self, projection) -> None:
        """Connect; raises ConnectionError for the populations, InvalidParameterValueError for the offset."""
        size = self._group_size(projection)
        if abs(self.offset) > size:
            raise errors.InvalidParameterValueError(
                f"projection {projection.label!r}: the offset of its OneToOneOffsetConnector is {self.offset}; a group "
                f"has {size} cells, so it must be from {-size} to {size}"
            )
        source = np.arange(size)
        target = source + self.offset
        there = (target >= 0) & (target < size) | self.wrap
        self._connect(projection, size, source[there], target[there] % size)


def _is_whole(number: Any, least: int | None = None) -> bool:
    whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
    return whole and (least is None or bool(number >= least))
