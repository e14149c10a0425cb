"""What a network cannot have where its cells choose their own time steps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from evsim.chip import load_chip
from evsim.deploy.check import check
from evsim.equations import Equations
from evsim.errors import Problem
from evsim.model import NeuronModel
from evsim.network import REWIRING, Network, Population, Projection
from evsim.registry import cell_model, is_electrical, models

REMEDY = "Leave use_cvode out of setup(), and give it a timestep that is small enough."
STATIC = "StaticSynapse"


def problems(network: Network) -> list[Problem]:
    """Every problem of the network: those that it has on ``ideal`` anyway, and those with steps of any length."""
    found = check(network, load_chip("ideal"))
    for population in network.populations:
        found += _of_population(population)
    for projection in network.projections:
        found += _of_projection(projection)
    for probe in network.probes:
        if probe.variable == REWIRING:
            where = f"population {network.populations[probe.population].label!r}"
            found.append(Problem(where, f"recording {REWIRING!r}", "no synapse comes or goes here", REMEDY))
    return list(dict.fromkeys(found))


def equations_of(population: Population) -> Equations | None:
    """Those of its model; None of a population that only emits spikes, and where a model says none."""
    model = cell_model(population.model)
    rule = model.rules.get("ideal") if isinstance(model, NeuronModel) else None
    return rule.equations if rule else None


def cells_of(population: Population) -> Iterator[dict[str, float]]:
    """Parameter -> value, of each cell."""
    columns = {name: np.broadcast_to(column, population.size) for name, column in population.parameters.items()}
    for index in range(population.size):
        yield {name: float(column[index]) for name, column in columns.items()}


def _of_population(population: Population) -> Iterator[Problem]:
    where = f"population {population.label!r}"
    if not isinstance(cell_model(population.model), NeuronModel):
        return
    equations = equations_of(population)
    if equations is None:
        able = [name for name, model in models().items() if _has_equations(model)]
        yield Problem(
            where,
            f"cells of {population.model}, whose rule does not say their differential equations",
            f"a variable time step is for {', '.join(sorted(able))}",
            REMEDY,
        )
    elif equations.reset is not None and (count := sum(_fires_on(equations, cell) for cell in cells_of(population))):
        yield Problem(
            where,
            f"{count} of {population.size} cells whose reset is not below the voltage at which they spike",
            "each would spike again at once, without end",
            "Lower v_reset (of Izhikevich: c), or raise v_thresh or v_spike.",
        )


def _has_equations(model: object) -> bool:
    rule = model.rules.get("ideal") if isinstance(model, NeuronModel) else None
    return rule is not None and rule.equations is not None


def _fires_on(equations: Equations, cell: dict[str, float]) -> bool:
    """Whether a cell is where it spikes just after a spike; parameters that cannot be are reported elsewhere."""
    assert equations.reset is not None
    try:
        return equations.reset(cell, [0.0] * len(equations.states))[0] >= equations.level(cell)
    except ArithmeticError:
        return False


def _of_projection(projection: Projection) -> Iterator[Problem]:
    parts = {
        "that learn": projection.plasticity is not None,
        "that release a part of their weight": projection.release is not None,
        "that give dopamine": projection.modulation is not None,
        "that come and go": projection.structure is not None,
    }
    found = [what for what, is_so in parts.items() if is_so]
    if is_electrical(projection):
        found.append("that are gap junctions")
    elif not found and projection.synapse != STATIC:
        found.append(f"of the kind {projection.synapse}")
    if found:
        yield Problem(
            f"projection {projection.label!r}",
            f"{len(projection)} synapses {' and '.join(found)}",
            f"with a variable time step all are a {STATIC}",
            REMEDY,
        )
