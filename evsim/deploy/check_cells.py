"""What populations, currents and probes ask for that cannot be."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from evsim.chip import Chip
from evsim.errors import Problem, UnknownNameError
from evsim.model import NeuronModel, SourceModel
from evsim.network import REWIRING, Current, Network, Population, Probe
from evsim.registry import cell_model, models
from evsim.sources import spikes_per_step

MOST_SPIKES = 1e7  # of a source population in a time step; they take some hundred megabytes


def known_cell_model(population: Population) -> NeuronModel | SourceModel | None:
    """The population's model, or None where there is none of that name."""
    try:
        return cell_model(population.model)
    except UnknownNameError:
        return None


def population_problems(population: Population, chip: Chip) -> list[Problem]:
    """A model that is unknown or that the chip's arithmetic lacks, and parameters that are missing or out of range."""
    where = f"population {population.label!r}"
    try:
        model = cell_model(population.model)
    except UnknownNameError as unknown:
        return [Problem(where, f"the cell {population.model!r}", str(unknown), "Use one of these cells.")]
    problems = []
    if isinstance(model, NeuronModel) and chip.rules.name not in model.rules:
        problems.append(_no_rule(where, model, chip))
    problems += _missing(where, population, model)
    for name, values in population.parameters.items():
        problems += _range_problems(where, name, values, model, population.size)
    for name, sequences in population.sequences.items():
        problems += _range_problems(where, name, sequences.values, model, len(sequences.values), "numbers")
    return problems or list(_limit_problems(where, population, model, chip))


def rate_problems(network: Network, population: Population) -> Iterator[Problem]:
    """Sources that would never come to the end of a time step. The population is in order otherwise."""
    model = cell_model(population.model)
    if not isinstance(model, SourceModel) or model.draw == "given":
        return
    with np.errstate(over="ignore"):
        found = spikes_per_step(population, network.timestep)
    if not found <= MOST_SPIKES:
        yield Problem(
            f"population {population.label!r}",
            f"the rates of {population.size} cells make {found:.3g} spikes in a time step of {network.timestep:g} ms",
            f"evsim draws at most {MOST_SPIKES:g} spikes of a population in a time step",
            "Give lower rates, or a shorter time step.",
        )


def _no_rule(where: str, model: NeuronModel, chip: Chip) -> Problem:
    instead = [m.name for m in models().values() if isinstance(m, NeuronModel) and chip.rules.name in m.rules]
    return Problem(
        where,
        f"the cell {model.name}",
        f"{chip.name} ({chip.rules.name}) does not have it; {_listed(sorted(model.rules))} can hold it",
        f"Choose one of those, or a cell that {chip.name} has: {_listed(sorted(instead))}.",
    )


def _listed(names: list[str]) -> str:
    return ", ".join(names) if names else "none"


def _missing(where: str, population: Population, model: NeuronModel | SourceModel) -> list[Problem]:
    if isinstance(model, SourceModel) and model.draw == "given":
        count = len(population.trains.offsets) - 1 if population.trains else 0
        if count == population.size:
            return []
        amount, limit = f"{count or 'no'} spike trains", f"{model.name} needs one a cell, which is {population.size}"
        return [Problem(where, amount, limit, "Give spike_times to every cell.")]
    # Synaptic input starts from 0 where nothing is said; a neuron's own variables have no such default.
    states = [name for name in getattr(model, "states", {}) if "syn" not in name]
    states = [name for name in states if name not in getattr(model, "settling", ())]
    given = {*population.parameters, *population.sequences}
    lacking = [f"parameter {name}" for name in model.parameters if name not in given]
    lacking += [f"initial value {name}" for name in states if name not in population.initial]
    return [Problem(where, f"no {name}", f"{model.name} needs it", "Give it a value.") for name in lacking]


def _range_problems(
    where: str, name: str, values: NDArray[np.float64], model: NeuronModel | SourceModel, size: int, what: str = "cells"
) -> list[Problem]:
    if name in model.above_zero:
        wrong, limit = values <= 0, "it must be above 0"
    elif name in model.not_negative:
        wrong, limit = values < 0, "it must be at least 0"
    else:
        return []
    if not wrong.any():
        return []
    count = int(np.count_nonzero(np.broadcast_to(wrong, size)))
    least = f"{np.nanmin(values):g} {model.parameters[name]}".rstrip()
    amount = f"{name} is {least} at the least, and out of range in {count} of {size} {what}"
    return [Problem(where, amount, limit, f"Correct {name}.")]


def _limit_problems(
    where: str, population: Population, model: NeuronModel | SourceModel, chip: Chip
) -> Iterator[Problem]:
    """Parameters that do not go together, or that the chip's arithmetic for this model cannot compute with."""
    if model.problems:
        yield from model.problems(where, population)
    limits = model.rules[chip.rules.name].limits if isinstance(model, NeuronModel) else {}
    for name, (least, most) in limits.items():
        values = np.broadcast_to(population.parameters[name], population.size)
        wrong = (values < least) | (values > most)
        if wrong.any():
            unit, count = model.parameters[name], np.count_nonzero(wrong)
            yield Problem(
                where,
                f"{name} is {values[np.argmax(wrong)]:g} {unit} in {count} of {population.size} cells",
                f"{chip.name} can compute {model.name} with a {name} from {least:.3g} to {most:.4g} {unit}",
                f"Give another {name}.",
            )


def current_problems(network: Network, current: Current) -> list[Problem]:
    """A current into cells without a membrane, or into cells that are not there."""
    population = network.populations[current.population]
    where = f"current source {current.label!r}"
    model = known_cell_model(population)
    if isinstance(model, SourceModel) or (model is not None and not model.injectable):
        what = f"a current into population {population.label!r}"
        return [Problem(where, what, f"{population.model} has no membrane", "Inject it into neurons.")]
    if isinstance(model, NeuronModel) and current.place not in model.places:
        limit = f"{population.model} has {_listed([place for place in model.places if place])}"
        return [Problem(where, f"a current at {current.place!r}", limit, "Inject it at one of these places.")]
    outside = current.cells[(current.cells < 0) | (current.cells >= population.size)]
    if len(outside):
        what = f"cell {outside[0]} of population {population.label!r}"
        return [Problem(where, what, f"it has cells 0 to {population.size - 1}", "Correct the cells.")]
    return []


def probe_problems(network: Network, probe: Probe, chip: Chip) -> list[Problem]:
    """A variable that the population's cells do not have in the chip's rule set."""
    population = network.populations[probe.population]
    model = known_cell_model(population)
    rules = chip.rules.name
    recordable = ["spikes", *(model.recordables_in(rules) if isinstance(model, NeuronModel) else ())]
    if model is None or probe.variable in recordable:
        return []
    if probe.variable == REWIRING and isinstance(model, NeuronModel):
        if chip.rules.family == "ideal":
            return []
        what, limit = f"recording {REWIRING!r}", f"synapses come and go on ideal alone, not on {chip.name}"
        return [Problem(f"population {population.label!r}", what, limit, "Run it on ideal, or do not record it.")]
    what, limit = f"recording {probe.variable!r}", f"{population.model} has {_listed(recordable)} in {rules}"
    return [Problem(f"population {population.label!r}", what, limit, "Record one of these.")]
