"""The parameters of synapses whose pairs are known: the values that PyNN would draw or compute, column by column."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pyNN import errors
from pyNN.parameters import LazyArray, ParameterSpace
from pyNN.random import NumpyRNG, RandomDistribution

from evsim.pynn.columns import Draws
from evsim.synapses import CHUNK

# Distributions of which n + m values at once are the same as n and then m.
CONTINUOUS = {
    "binomial",
    "exponential",
    "gamma",
    "lognormal",
    "normal",
    "normal_clipped_to_boundary",
    "poisson",
    "uniform",
    "uniform_int",
    "vonmises",
}


def computable(values: LazyArray) -> bool:
    """Whether ``evaluate`` can be asked for a parameter: its values depend on nothing that others draw from."""
    base = values.base_value
    return values.is_homogeneous or isinstance(base, np.ndarray) or callable(base) or is_random(values)


def is_random(values: LazyArray) -> bool:
    """Whether a parameter is drawn from a generator of numpy's, and whatever else is then done to it."""
    base = values.base_value
    return isinstance(base, RandomDistribution) and type(base.rng) is NumpyRNG


def evaluate(
    space: ParameterSpace, first: NDArray[np.int64], source: np.ndarray, projection, safe: bool
) -> dict[str, float | np.ndarray | Draws]:
    """The parameters of the synapses.

    Args:
        space: of shape (sources, targets), with generators that are nobody else's.
        first, source: the pairs, by target.
        safe: whether PyNN's checks of the values are made.
    """
    found: dict[str, float | np.ndarray | Draws] = {}
    by_column: list[tuple[LazyArray, np.ndarray]] = []
    for name, values in space.items():
        if values.is_homogeneous:
            found[name] = values.evaluate(simplify=True)
        elif (draws := _draws(values, first)) is not None:
            found[name] = draws if name == "delay" else draws.all()
        else:
            found[name] = column = np.empty(len(source))
            by_column.append((values, column))
    if by_column:
        for target in np.flatnonzero(np.diff(first)):
            part = slice(first[target], first[target + 1])
            sources = source[part].astype(int)
            for values, column in by_column:
                column[part] = values[sources, target]
    if safe and len(source):
        _check(found, first, projection)
    return found


def _draws(values: LazyArray, first: NDArray[np.int64]) -> Draws | None:
    """A parameter that is drawn, if that can be done for all synapses at once."""
    distribution, count = values.base_value, int(first[-1])
    if not isinstance(distribution, RandomDistribution) or values.operations:
        return None
    assert isinstance(distribution.rng, NumpyRNG)
    if distribution.name in CONTINUOUS:
        sizes = (min(CHUNK, count - start) for start in range(0, count, CHUNK))
        return Draws((distribution.next(size) for size in sizes), count)
    if distribution.name == "normal_clipped":  # PyNN draws again what is outside, after each column
        from evsim.mersenne.clipped import normal_clipped

        return Draws(normal_clipped(distribution.rng.rng, first=first, **distribution.parameters), count)
    return None


def _check(found: dict[str, float | np.ndarray | Draws], first: NDArray[np.int64], projection) -> None:
    """PyNN's checks of parameters, which it makes for each target: for many at once, and one by one if that fails."""
    synapse = projection.synapse_type
    for name, check in getattr(synapse, "parameter_checks", {}).items():
        values = found.get(synapse.translations[name]["translated_name"])
        if not isinstance(values, np.ndarray):
            if values is not None:
                check(values, projection)
            continue
        for start in range(0, len(values), CHUNK):
            try:
                check(values[start : start + CHUNK], projection)
            except errors.ConnectionError:
                for target in np.flatnonzero(np.diff(first)):
                    check(values[first[target] : first[target + 1]], projection)
