"""What quantising has in common for all rule sets: going through a network, and finding what its parameters lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from evsim.chip import Chip
from evsim.deploy.chip_network import (
    ChipNetwork,
    ChipPopulation,
    ChipProjection,
    ChipSource,
    ParameterLoss,
    WeightLoss,
)
from evsim.errors import Problem
from evsim.model import NeuronModel
from evsim.network import Network, Population, Projection
from evsim.registry import cell_model

Held = tuple[ChipProjection, WeightLoss | None]


def convert(
    network: Network,
    chip: Chip,
    scale_of: Callable[[int], Any],
    hold: Callable[[Projection, ChipPopulation], Held],
) -> ChipNetwork:
    """The network in the chip's numbers, which ``check`` has found to be possible.

    Args:
        scale_of: index of a population of neurons -> what its rule's ``convert`` is given.
        hold: projection and target -> the projection on the chip, and what its weights lost (None: nothing can be).
    """
    populations, parameter_losses = [], []
    for index, population in enumerate(network.populations):
        populations.append(_population(network, index, chip, scale_of))
        parameter_losses += _parameter_losses(population, populations[-1])
    projections, weight_losses = [], []
    for projection in network.projections:
        target = populations[projection.post]
        assert isinstance(target, ChipPopulation), "check refuses projections onto spike sources"
        held, loss = hold(projection, target)
        projections.append(held)
        if loss is not None:
            weight_losses.append(loss)
    defects = tuple(_rule_defects(network, chip))
    return ChipNetwork(
        network,
        chip,
        tuple(populations),
        tuple(projections),
        tuple(weight_losses),
        tuple(parameter_losses),
        (*_rule_notes(populations, chip), *_notes_on_times(network, chip), *map(str, defects)),
        defects,
    )


def _population(
    network: Network, index: int, chip: Chip, scale_of: Callable[[int], Any]
) -> ChipPopulation | ChipSource:
    population = network.populations[index]
    model = cell_model(population.model)
    if not isinstance(model, NeuronModel):
        return ChipSource(population.label, model)
    scale = scale_of(index)
    rule = model.rules[chip.rules.name]
    cells = rule.cells(population.parameters, population.initial, network.timestep, scale)
    return ChipPopulation(population.label, model, cells, scale)


def _parameter_losses(population: Population, held: ChipPopulation | ChipSource) -> Iterator[ParameterLoss]:
    """For each parameter that is held with an error, the cell in which the error is the largest."""
    if isinstance(held, ChipSource):
        return
    for name, effective in held.cells.effective.items():
        if name not in population.parameters:
            continue  # a constant of the chip's own, such as the tau_syn of sPyNNaker's Izhikevich neuron
        asked = np.broadcast_to(population.parameters[name], population.size)
        effective = np.broadcast_to(effective, population.size)
        worst = int(np.argmax(np.abs(effective - asked)))
        if effective[worst] != asked[worst]:
            unit = held.model.parameters[name]
            yield ParameterLoss(population.label, name, unit, float(asked[worst]), float(effective[worst]))


def _rule_notes(populations: list[ChipPopulation | ChipSource], chip: Chip) -> Iterator[str]:
    """What the rules of the populations do otherwise than ``ideal``, apart from their numbers."""
    for population in populations:
        if isinstance(population, ChipPopulation) and (note := population.model.rules[chip.rules.name].note):
            yield f"population {population.label!r}: {note}"


def _notes_on_times(network: Network, chip: Chip) -> Iterator[str]:
    """Which spikes take effect at the nearest time step though the network asks for the times as they are given."""
    if not network.off_grid:
        return
    if chip.rules.name != "ideal":
        yield "network: given spikes take effect at the nearest time step, for there is no time between two"
        return
    for projection in network.projections:
        if projection.changes and network.populations[projection.pre].trains is not None:
            yield (
                f"projection {projection.label!r}: given spikes take effect at the nearest time step, for its "
                "synapses change with them"
            )


def _rule_defects(network: Network, chip: Chip) -> Iterator[Problem]:
    """Where the chip's firmware does otherwise than it should with the parameters of a population."""
    for population in network.populations:
        model = cell_model(population.model)
        if isinstance(model, NeuronModel) and (defects := model.rules[chip.rules.name].defects):
            yield from defects(f"population {population.label!r}", population.parameters, network.timestep)
