"""A network in the numbers of a chip: what quantisation makes, and what the reference and the adapters run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from evsim.chip import Chip
from evsim.errors import Problem
from evsim.model import Cells, NeuronModel, SourceModel
from evsim.network import Network
from evsim.synapses import Synapses


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


class Hold(Protocol):
    """How a chip holds the weights of one projection. Two that are equal hold the same weights alike."""

    def stored(self, weight: NDArray[np.float64]) -> np.ndarray:
        """Weights (n,) in the projection's unit as the (n,) numbers that are stored."""
        ...

    def physical(self, stored: np.ndarray) -> NDArray[np.float64]:
        """What one spike by itself adds over a synapse that stores these numbers (n,), in the projection's unit."""
        ...

    def saturated(self, weight: NDArray[np.float64]) -> int:
        """How many of the weights (n,) are beyond the largest that the chip holds."""
        ...


@dataclass(frozen=True, eq=False)
class ChipProjection:
    """The synapses of a projection on the chip, in the order of the network's.

    Attributes:
        row: the input row of the target's rule that they add to.
        synapses: those of the network's projection; with other weights where the cells of the target need a share of
            them each.
        hold: how their weights are stored.
        exponent: the sum over the spikes of one step is shifted by it (left if positive, floor to the right if
            negative); always 0 outside ``loihi2`` and its kin, and of plastic synapses, whose rule has it.
        plasticity: how the stored weights change, in the rule set's numbers; None where they do not, and in ``ideal``.
    """

    row: int
    synapses: Synapses
    hold: Hold
    exponent: int = 0
    plasticity: Any = None

    @property
    def weight(self) -> np.ndarray:
        """(n,) of the rule set's number type, made anew at each call; one broadcast value where all are equal."""
        constant = self.synapses.constant_weight
        if constant is None:
            return self.hold.stored(self.synapses.weight)
        return np.broadcast_to(self.hold.stored(np.array([constant]))[0], len(self.synapses))


@dataclass(frozen=True, eq=False)
class ChipNetwork:
    """The frozen result of ``quantise``; populations and projections in the network's order.

    Attributes:
        notes: sentences on what is otherwise than in ``ideal``, apart from numbers.
        defects: where the chip's own firmware does otherwise than it should; each is among the notes, too.
    """

    network: Network
    chip: Chip
    populations: tuple[ChipPopulation | ChipSource, ...]
    projections: tuple[ChipProjection, ...]
    weight_losses: tuple[WeightLoss, ...] = ()
    parameter_losses: tuple[ParameterLoss, ...] = ()
    notes: tuple[str, ...] = ()
    defects: tuple[Problem, ...] = ()

    def neurons(self, index: int) -> ChipPopulation:
        """Population ``index``, which must not be a source; ``check`` refuses networks that take one for neurons."""
        population = self.populations[index]
        assert isinstance(population, ChipPopulation), f"population {population.label!r} only emits spikes"
        return population

    def is_graded(self, index: int) -> bool:
        """Whether the spikes of population ``index`` carry a number."""
        population = self.populations[index]
        return isinstance(population, ChipPopulation) and population.model.rules[self.chip.rules.name].is_graded


def weight_loss(
    label: str, unit: str, synapses: Synapses, hold: Hold, lsb: float, share: NDArray[np.float64] | None = None
) -> WeightLoss:
    """Compare the weights asked for with those that the chip holds, both in the projection's unit.

    Args:
        lsb: the least step of a weight.
        share: (n,) the part of the weights asked for that the synapses onto each cell of the target have; None for 1.
    """
    zeroed = saturated = 0
    most_error = squares = most = 0.0
    for asked, count, target in _weights(synapses):
        held, whole = hold.physical(hold.stored(asked)), 1.0 if share is None else share[target]
        error = np.abs(held - asked) / whole
        zeroed += count * int(np.count_nonzero((held == 0) & (asked != 0)))
        saturated += count * hold.saturated(asked)
        most_error = max(most_error, float(error.max()))
        squares += count * float(np.sum(error**2))
        most = max(most, float((np.abs(asked) / whole).max()))
    rms = (squares / len(synapses)) ** 0.5 if len(synapses) else 0.0
    return WeightLoss(label, unit, len(synapses), lsb, zeroed, saturated, most_error, rms, most)


def _weights(synapses: Synapses) -> Iterator[tuple[NDArray[np.float64], int, NDArray[np.int32] | None]]:
    """All weights, part by part: each with the number of times that it occurs, and its target unless it is constant."""
    if synapses.constant_weight is not None:
        yield np.array([synapses.constant_weight]), len(synapses), None
    else:
        for chunk in synapses.chunks():
            yield chunk.weight, 1, chunk.target
