"""A network in the numbers of a chip: what quantisation makes, and what the reference and the adapters run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from evsim.chip import Chip
from evsim.deploy.weight_loss import Hold, WeightLoss
from evsim.errors import Problem
from evsim.model import Cells, NeuronModel, SourceModel
from evsim.network import Network
from evsim.synapses import Synapses


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
