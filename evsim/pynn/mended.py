"""What PyNN's connectors share, mended: arguments out of range, the pairs of ``NoMutual``, and old habits of numpy.

Source of what is wrong: PyNN 0.13.0's ``connectors.py``, which asserts without a word, or goes on, where an argument
cannot be; has no ``NoMutual`` but within one population; and fails with a generator that is not parallel safe.
"""

from __future__ import annotations

import inspect
import reprlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from pyNN import common, connectors, errors
from pyNN.parameters import LazyArray
from pyNN.random import AbstractRNG, RandomDistribution


class Domain(NamedTuple):
    """The values that an argument may have.

    Attributes:
        holds: whether a value is one of them.
        said: the domain in words that go on ``it must be``.
    """

    holds: Callable[[Any], bool]
    said: str


def _is_probability(value: Any) -> bool:
    return np.isscalar(value) and 0.0 <= float(value) <= 1.0  # type: ignore[arg-type]


def _is_count(value: Any) -> bool:
    return isinstance(value, int | np.integer) and bool(value >= 0)


def _is_drawn_count(value: Any) -> bool:
    return isinstance(value, RandomDistribution) and value.name in ("binomial", "poisson", "uniform_int")


EITHER = Domain(lambda value: value in (True, False), "True or False")
DOMAINS = {
    "p_connect": Domain(_is_probability, "a probability, from 0 to 1"),
    "rewiring": Domain(_is_probability, "a probability, from 0 to 1"),
    "degree": Domain(lambda value: value > 0, "a distance above 0"),
    "n": Domain(
        lambda value: _is_count(value) or _is_drawn_count(value),
        "a whole number from 0 on, or a RandomDistribution of such",
    ),
    "disp_function": Domain(callable, "a function of the displacement"),
    "reference_projection": Domain(lambda value: isinstance(value, common.Projection), "a projection"),
    "n_connections": Domain(lambda value: value is None or _is_count(value), "a whole number from 0 on, or None"),
    "with_replacement": EITHER,
    "allow_self_connections": Domain(lambda value: value in (True, False, "NoMutual"), "True, False or 'NoMutual'"),
    "rng": Domain(
        lambda value: value is None or isinstance(value, AbstractRNG), "a generator such as NumpyRNG, or None"
    ),
    "callback": Domain(lambda value: value is None or callable(value), "a function of one number, or None"),
}

NEVER_MUTUAL: Mapping[str, Domain] = {**DOMAINS, "allow_self_connections": EITHER}  # of a connector without "NoMutual"


class Mended:
    """Goes before a connector of PyNN's in the bases of a class.

    Attributes:
        domains: argument -> the values that it may have.

    Raises:
        InvalidParameterValueError: an argument is out of its domain.
    """

    domains: Mapping[str, Domain] = DOMAINS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given = inspect.signature(super().__init__).bind(*args, **kwargs).arguments
        self._check(**given)
        try:  # PyNN wants Python's own whole numbers
            super().__init__(**{name: int(v) if isinstance(v, np.integer) else v for name, v in given.items()})
        except AssertionError as error:
            said = ", ".join(f"{name}={reprlib.repr(value)}" for name, value in given.items())
            raise errors.InvalidParameterValueError(
                f"{type(self).__name__}({said}): {str(error) or 'an argument is of the wrong kind'}"
            ) from None

    def _check(self, **given: Any) -> None:
        for name in self.domains.keys() & given.keys():
            domain, value = self.domains[name], given[name]
            try:
                holds = bool(domain.holds(value))
            except (TypeError, ValueError):
                holds = False
            if not holds:
                raise errors.InvalidParameterValueError(
                    f"{type(self).__name__}: {name} is {value!r}; it must be {domain.said}"
                )

    def describe(self, template: str | None = "$name with $parameters", engine="default"):
        """What the connector is; PyNN names a template of its own that it does not have."""
        return super().describe(template, engine)  # type: ignore[misc]

    def _standard_connect(self, projection, connection_map_generator: Callable, distance_map=None) -> None:
        # All cells are on this process, so nothing is asked for a part of them, which some connectors cannot do.
        # For one pre-synaptic cell PyNN calls nonzero() of a single number, which numpy refuses from 2.1 on.
        def columns(*_) -> Iterator:
            for column in connection_map_generator():
                yield column if column is True else np.atleast_1d(column)

        super()._standard_connect(projection, columns, distance_map)  # type: ignore[misc]

    def _get_connection_map_no_mutual_connections(self, projection) -> LazyArray:
        """Of two cells that are at both ends only one is connected to the other, as PyNN has it in one population."""
        if projection.pre is projection.post:
            return LazyArray(lambda i, j: i > j, shape=projection.shape)
        pre, post = (end.all_cells.astype(np.int64) for end in (projection.pre, projection.post))
        at_both = np.isin(pre, post)[:, np.newaxis] & np.isin(post, pre)
        return LazyArray(~at_both | (pre[:, np.newaxis] > post), shape=projection.shape)


def connect_by_source(connector: connectors.MapConnector, projection, source: np.ndarray, target: np.ndarray) -> None:
    """Connect pairs of cells, whose parameters PyNN computes as for any of its connectors.

    Args:
        source, target: (n,) cells of the ends; those of one target keep their order.
    """
    order = np.argsort(target, kind="stable")
    ends = np.searchsorted(target[order], np.arange(1, projection.post.size))
    columns = np.split(source[order], ends)
    connector._standard_connect(projection, lambda: columns)
