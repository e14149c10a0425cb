"""What connectors between grids share: shapes, weights and populations that are grids, and handing over what they made.

A shape is that of ``Grid2D``: cells along x, and along y. Cell n of a grid lies at (n % shape[0], n // shape[0]), as in
sPyNNaker's firmware; PyNN's own ``positions`` of a ``Grid2D`` go along y first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyNN import common, connectors, errors
from pyNN.random import RandomDistribution
from pyNN.space import Grid2D

from evsim.pynn import placement, simulator
from evsim.pynn.columns import by_target
from evsim.synapses import index_type

Shape = tuple[int, int]
Given = int | Sequence[int] | None


class Found(NamedTuple):
    """The synapses that a connector makes, in any order.

    Attributes:
        source, target: (n,) cells.
        weight: (n,) with the sign that says which receptor a synapse reaches.
    """

    source: NDArray[np.int64]
    target: NDArray[np.int64]
    weight: NDArray[np.float64]


class GridConnector(connectors.Connector):
    """Connects a population that is a grid by weights that have signs.

    Attributes:
        goes_with: the synapse type that it goes with, by its name.
    """

    goes_with: str
    column_names = ("weight",)  # what differs between its synapses

    def __init__(self, positive_receptor_type: str, negative_receptor_type: str, safe: bool, callback: Any) -> None:
        super().__init__(safe=safe, callback=callback)
        self.positive_receptor_type = positive_receptor_type
        self.negative_receptor_type = negative_receptor_type

    def count(self, shape: tuple[int, int]) -> float:
        """About how many synapses it makes between so many cells, before they are made."""
        raise NotImplementedError

    def shape_of(self, projection: Any, which: str) -> Shape:
        """That of ``pre`` or ``post``; raises InvalidDimensionsError where it is no grid."""
        end = getattr(projection, which)
        structure = end.structure if isinstance(end, common.Population) else None
        if not isinstance(structure, Grid2D):
            made = type(structure).__name__ if isinstance(end, common.Population) else type(end).__name__
            raise errors.InvalidDimensionsError(
                f"projection {projection.label!r}: a {type(self).__name__} needs a grid for {which}, and {end.label!r} "
                f"is a {made} of {end.size} cells; create the population with structure=Grid2D(columns / rows)"
            )
        n_x = round(np.sqrt(end.size * structure.aspect_ratio))  # PyNN's own takes a rounding error for a wrong size
        n_y = end.size // max(n_x, 1)
        if n_x * n_y != end.size or not np.isclose(n_x, structure.aspect_ratio * n_y):
            raise errors.InvalidDimensionsError(
                f"projection {projection.label!r}: the {end.size} cells of {end.label!r} fill no grid with an aspect "
                f"ratio of {structure.aspect_ratio:g}; give Grid2D columns / rows"
            )
        return n_x, n_y

    def warn_of_firmware(self, projection: Any, what: str) -> None:
        """Say, where a network is to run as on SpiNNaker, that sPyNNaker would connect something else there."""
        if any("spinnaker" in str(target) for target in simulator.state.targets):
            placement.warn(
                f"projection {projection.label!r}: of a {type(self).__name__} with {what} the firmware of sPyNNaker "
                "7.4.1 makes something else (docs/firmware.md); here it connects what sPyNNaker documents"
            )

    def hand_over(self, projection: Any, found: Found) -> None:
        """Let a projection take all synapses, by target and source; those of weight 0 do not exist."""
        n_sources, n_targets = projection.shape
        order = np.lexsort((found.source, found.target))
        source, target, weight = (column[order[found.weight[order] != 0]] for column in found)
        first = np.concatenate([[0], np.cumsum(np.bincount(target, minlength=n_targets))])
        delay = projection.synapse_type.parameter_space["delay"].base_value
        values = {"weight": weight, "delay": float(delay)}
        projection.take(by_target(first, source.astype(index_type(n_sources)), values, simulator.state.dt))


def pool(owner: str, shape: Given, stride: Given) -> tuple[Shape | None, Shape | None]:
    """Shape and stride of pools, of which the stride is the shape where it is not given; None where nothing is pooled.

    Raises:
        InvalidParameterValueError: a stride without a shape, or either of them not of whole numbers from 1 on.
    """
    if shape is None and stride is not None:
        raise errors.InvalidParameterValueError(
            f"{owner}: pool_stride is {stride!r} without a pool_shape; give a pool_shape, too"
        )
    pools = None if shape is None else pair(owner, "pool_shape", shape, least=1)
    return pools, pools if stride is None else pair(owner, "pool_stride", stride, least=1)


def finite(owner: str, name: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights as they are; raises InvalidParameterValueError where one is no finite number."""
    if (count := np.count_nonzero(~np.isfinite(values))) > 0:
        raise errors.InvalidParameterValueError(
            f"{owner}: {count} of the {values.size} {name} are not finite; all must be finite numbers"
        )
    return values


def numbers(owner: str, name: str, given: Any) -> NDArray[np.float64]:
    """What was given, as an array; raises InvalidDimensionsError where its rows are not alike, or no numbers."""
    try:
        values = np.array(given, np.float64)
    except (TypeError, ValueError) as error:
        raise errors.InvalidDimensionsError(
            f"{owner}: {name} is no number, array or RandomDistribution of numbers ({error})"
        ) from None
    return finite(owner, name, values)


def drawn(owner: str, name: str, distribution: RandomDistribution, shape: Sequence[int]) -> NDArray[np.float64]:
    """A value of a distribution for each element."""
    values = np.atleast_1d(np.asarray(distribution.next(int(np.prod(shape))), np.float64))
    return finite(owner, name, values.reshape(shape))


def pair(owner: str, name: str, given: Given, least: int) -> Shape:
    """Two whole numbers, along x and along y.

    Args:
        owner, name: whose, and what they are.
        given: one number is taken for both; of a sequence of one, the second is 1.
        least: the least that they can be.

    Raises:
        InvalidParameterValueError: they are something else.
    """
    one = isinstance(given, int | np.integer)
    values = (given, given) if one else tuple(given) if isinstance(given, Sequence | np.ndarray) else ()
    values = (*values, 1) if len(values) == 1 else values
    if len(values) == 2 and all(isinstance(n, int | np.integer) and n >= least for n in values):
        return int(values[0]), int(values[1])
    raise errors.InvalidParameterValueError(
        f"{owner}: {name} is {given!r}; it must be a whole number from {least} on, or two of them"
    )
