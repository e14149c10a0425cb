"""A network in the numbers of a chip: what quantisation makes, and what the reference and the adapters run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evsim.chip import Chip
from evsim.model import Cells, NeuronModel, SourceModel
from evsim.network import Network


@dataclass(frozen=True)
class WeightLoss:
    """What quantisation did to the weights of one projection; weights in the projection's own unit.

    Attributes:
        lsb: the least step of a weight; 0 in ``ideal``.
        zeroed: weights other than 0 that became 0.
        saturated: weights beyond the largest that the chip holds.
        max_error, rms_error: of |held - asked|.
    """

    projection: str
    unit: str
    count: int
    lsb: float
    zeroed: int
    saturated: int
    max_error: float
    rms_error: float
    max_weight: float

    @property
    def lost(self) -> int:
        """Weights that are not merely rounded."""
        return self.zeroed + self.saturated


@dataclass(frozen=True)
class ParameterLoss:
    """The largest difference of one parameter of one population between what was asked for and what the chip holds."""

    population: str
    parameter: str
    unit: str
    asked: float
    held: float


@dataclass(frozen=True, eq=False)
class ChipPopulation:
    """A population of neurons on the chip.

    Attributes:
        scale: what the rule set chose for it, e.g. voltage LSB per mV; its ``per_unit(row)`` is what a unit of weight
            adds to an input row. None in ``ideal``.
    """

    label: str
    model: NeuronModel
    cells: Cells
    scale: Any = None


@dataclass(frozen=True, eq=False)
class ChipSource:
    """A population that only emits spikes; it stays in physical units."""

    label: str
    model: SourceModel


@dataclass(frozen=True, eq=False)
class ChipProjection:
    """The synapses of a projection on the chip, in the order of the network's.

    Attributes:
        row: the input row of the target's rule that they add to.
        weight: (n,) of the rule set's number type.
        exponent: the sum over the spikes of one step is shifted by it (left if positive, floor to the right if
            negative); always 0 outside ``loihi2``.
    """

    row: int
    weight: np.ndarray
    exponent: int = 0


@dataclass(frozen=True, eq=False)
class ChipNetwork:
    """The frozen result of ``quantise``; populations and projections in the network's order."""

    network: Network
    chip: Chip
    populations: tuple[ChipPopulation | ChipSource, ...]
    projections: tuple[ChipProjection, ...]
    weight_losses: tuple[WeightLoss, ...] = ()
    parameter_losses: tuple[ParameterLoss, ...] = ()
    notes: tuple[str, ...] = ()

    def neurons(self, index: int) -> ChipPopulation:
        """Population ``index``, which must not be a source; ``check`` refuses networks that take one for neurons."""
        population = self.populations[index]
        assert isinstance(population, ChipPopulation), f"population {population.label!r} only emits spikes"
        return population


def weight_loss(
    label: str,
    unit: str,
    asked: NDArray[np.float64],
    held: NDArray[np.float64],
    lsb: float,
    saturated: int,
) -> WeightLoss:
    """Compare the weights asked for with those that the chip holds, both in the projection's unit."""
    if len(asked) == 0:
        return WeightLoss(label, unit, 0, lsb, 0, 0, 0.0, 0.0, 0.0)
    error = np.abs(held - asked)
    return WeightLoss(
        label,
        unit,
        len(asked),
        lsb,
        int(np.count_nonzero((held == 0) & (asked != 0))),
        saturated,
        float(error.max()),
        float(np.sqrt(np.mean(error**2))),
        float(np.abs(asked).max()),
    )
