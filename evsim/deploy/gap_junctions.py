"""What gap junctions ask for that a time step is too long for.

The current through them is that of the voltages in the middle of a time step, as the two latest steps let expect them
(``evsim.engine.electrical``). Such a step is stable where ``timestep * g / C <= 1 / 2``, with the capacitance C of a
cell and the conductance g of all its junctions: then no error grows from step to step, whatever the leak and however
many cells are coupled. For a mode of the coupled cells with the rate r = g (1 + c) / C, -1 <= c <= 1, that decays by p
through the leak, z^2 - (p - 1.5 q) z - 0.5 q = 0 with q = r * timestep * (1 - p) / -ln p; its roots leave the unit
circle at z = -1, where q = (1 + p) / 2, and this is never below a ``timestep * g / C`` of 1/2.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
from numba.core.errors import NumbaExperimentalFeatureWarning
from numpy.typing import NDArray

from evsim.chip import Chip
from evsim.compile import kernel
from evsim.errors import Problem
from evsim.forms import Form
from evsim.loops import step_function
from evsim.model import TALLY_PLACES, Cells, NeuronModel, Rule
from evsim.network import Network, Population, Projection
from evsim.registry import cell_model, is_electrical
from evsim.rulesets import RuleSet

MOST = 0.5  # timestep * g / C
TRIAL = 1e-3  # ms, of a step that finds a cell's capacitance
CURRENT = 1e-3  # nA
LOWER = (0.0, -50.0, -500.0)  # mV; a cell that does not respond because it spikes is tried again from so far below


def coupling_projections(network: Network) -> list[int]:
    """The indices of the projections of gap junctions that have any."""
    return [k for k, projection in enumerate(network.projections) if len(projection) and is_electrical(projection)]


def problems(network: Network, chip: Chip) -> Iterator[Problem]:
    """Cells whose junctions conduct more than a time step allows; of a network that is otherwise in order."""
    coupling = [network.projections[index] for index in coupling_projections(network)]
    for index in sorted({end for projection in coupling for end in (projection.pre, projection.post)}):
        population, model = network.populations[index], cell_model(network.populations[index].model)
        assert isinstance(model, NeuronModel), "the check of synapses refuses others"
        conductance = _conductance(coupling, index, population.size)
        share = network.timestep * conductance / capacitance(population, model.rules[chip.rules.name], chip.rules)
        if (too_much := share > MOST).any():
            mine = [f"{p.label!r}" for p in coupling if index in (p.pre, p.post)]
            worst = int(np.argmax(share))
            longest = network.timestep * MOST / share[worst]
            yield Problem(
                f"{'projections' if len(mine) > 1 else 'projection'} {', '.join(mine)}",
                f"gap junctions of {conductance[worst]:g} uS together at a cell of population {population.label!r} "
                f"(too much in {np.count_nonzero(too_much)} of {population.size} cells)",
                f"its capacitance and a timestep of {network.timestep:g} ms allow at most "
                f"{conductance[worst] * MOST / share[worst]:.3g} uS",
                f"Give setup() a timestep of at most {np.floor(longest * 1e4) / 1e4:g} ms, or a smaller weight."
                if longest >= 1e-4
                else "Give a smaller weight.",
            )


def _conductance(coupling: list[Projection], index: int, size: int) -> NDArray[np.float64]:
    """(size,) uS: of all junctions of each cell of a population."""
    total = np.zeros(size)
    for projection in coupling:
        for end, cells in ((projection.pre, projection.source), (projection.post, projection.target)):
            if end == index:
                total += np.bincount(cells, projection.weight, size)
    return total


def capacitance(population: Population, rule: Rule, rules: RuleSet) -> NDArray[np.float64]:
    """(n,) nF, found by what a small current does to each cell's voltage; infinite where it does nothing.

    Args:
        rule: of the population's model in a rule set of floating point, which has a readout ``v``.
    """
    cells = rule.cells(population.parameters, population.initial, TRIAL, None)
    response = np.zeros(cells.state.shape[1])
    for moved in LOWER:
        if (silent := ~(response > 0)).any():
            response[silent] = _response(cells, rule, rules, moved)[silent]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(response > 0, TRIAL * CURRENT / response, np.inf)


def _response(cells: Cells, rule: Rule, rules: RuleSet, moved: float) -> NDArray[np.float64]:
    """(n,) mV by which a current moves each cell in a trial step, from a voltage that is moved by so many mV."""
    readout, n = cells.readouts["v"], cells.state.shape[1]
    start = np.array(cells.state, np.float64)
    start[readout.row] += moved / readout.scale
    found = []
    for current in (0.0, CURRENT):
        state = start.copy()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NumbaExperimentalFeatureWarning)
            _trial(
                step_function(rule, rules, Form(shared=cells.parameters.shape[1] == 1)),
                state,
                np.array(cells.parameters, np.float64),
                np.zeros((rule.n_inputs, n)),
                np.array(np.broadcast_to(cells.drive + current * cells.drive_per_nA, n), np.float64),
                (np.zeros(n, np.int32), np.zeros(n, np.int32), np.zeros(TALLY_PLACES, np.int64)),
            )
        found.append(state[readout.row] * readout.scale)
    return np.asarray(found[1] - found[0], np.float64)


@kernel
def _trial(step, state, parameters, inputs, drive, buffers):
    """One step of cells."""
    flags, spiked, tally = buffers
    step(state, parameters, inputs, drive, flags, spiked, tally, np.uint64(1), np.int64(0), np.int64(0))
