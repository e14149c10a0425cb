"""From a network in Loihi's integers to what Lava is told to build."""

from __future__ import annotations

from math import gcd
from pathlib import Path

import numpy as np

from evsim.arithmetic.loihi import ALIGN, DECAY_ONE, bias_registers
from evsim.arithmetic.loihi_lif import lif_reset_neuron, loihi2_neuron, ternary_neuron, two_current_neuron
from evsim.arithmetic.loihi_sigma_delta import sigma_delta_neuron
from evsim.deploy.chip_network import ChipNetwork, ChipPopulation
from evsim.engine.drive import cell_changes
from evsim.model import Rule
from evsim.network import Network
from evsim_lava.lower_learning import layers_of, learning_plans
from evsim_lava.plan import (
    SENT,
    CurrentPlan,
    LavaPlan,
    NeuronPlan,
    ResetPlan,
    SamplePlan,
    SigmaDeltaPlan,
    SourcePlan,
    SynapsePlan,
)

# Lava's DelayDense works on a dense matrix for each delay in every step: about 5 ns for each of its elements. It is a
# process of the machine, which costs about as much as 20,000 elements, as evsim's own is: so DelayDense holds what is
# one process of a small matrix.
STOCK_ELEMENTS = 25_000
PROCESS_ELEMENTS = 20_000

# Lava's names of the states of its own neurons and of ``TwoCurrentLIF``, as far as they can be recorded
STATES = {
    loihi2_neuron: ("u", "v"),
    lif_reset_neuron: ("u", "v"),
    ternary_neuron: ("u", "v", "", SENT),
    two_current_neuron: ("u", "u_i", "v"),
    sigma_delta_neuron: ("sigma", "act", "residue", "error", SENT),
}


def plan(chip_network: ChipNetwork, folder: Path, stock_elements: int = STOCK_ELEMENTS) -> LavaPlan:
    """What to build; the files will be in ``folder``.

    Args:
        stock_elements: the largest projection (connection objects x delays x targets x sources) that Lava's own
            DelayDense is to hold; others are evsim's ``DelayedSynapses``.
    """
    network = chip_network.network
    synapses = tuple(
        _synapses(chip_network, index, stock_elements)
        for index, projection in enumerate(network.projections)
        if len(projection) and projection.plasticity is None
    )
    learning = learning_plans(chip_network, folder)
    sending = {connection.pre for connection in (*synapses, *learning)}
    populations: dict[int, NeuronPlan | SigmaDeltaPlan | SourcePlan] = {}
    for index, population in enumerate(chip_network.populations):
        if isinstance(population, ChipPopulation):
            rule = population.model.rules[chip_network.chip.rules.name]
            make = _sigma_delta if is_sigma_delta(rule) else _neurons
            populations[index] = make(chip_network, population, index, folder)
        elif index in sending:
            populations[index] = SourcePlan(network.populations[index].size, source_folder(folder, index))
    return LavaPlan(populations, synapses, learning)


def has_process(rule: Rule) -> bool:
    """Whether a rule is a neuron that Lava has, or evsim's own with two currents."""
    return rule.neuron in STATES


def is_sigma_delta(rule: Rule) -> bool:
    """Whether a rule is Lava's sigma-delta neuron, which has other registers than the leaky ones."""
    return rule.neuron is sigma_delta_neuron


def source_folder(folder: Path, index: int) -> Path:
    """Where the spikes of source population ``index`` lie."""
    return folder / f"source-{index}"


def spike_file(folder: Path, index: int) -> Path:
    """Where the spikes of population ``index`` are written."""
    return folder / f"spikes-{index}"


def _neurons(chip_network: ChipNetwork, population: ChipPopulation, index: int, folder: Path) -> NeuronPlan:
    network, cells = chip_network.network, population.cells
    rule = population.model.rules[chip_network.chip.rules.name]
    size = len(cells.drive)
    parameters = np.broadcast_to(cells.parameters, (len(cells.parameters), size)).astype(np.int32)
    registers = dict(zip(rule.parameters, parameters, strict=True))
    state = dict(zip(rule.states, cells.state, strict=True))
    mantissa, exponent = bias_registers(cells.drive)
    currents = [current for current in network.currents if current.population == index]
    return NeuronPlan(
        currents=tuple(
            CurrentPlan(DECAY_ONE - 1 - registers[f"kept_{name}"], state[name]) for name in rule.states[: rule.n_inputs]
        ),
        dv=DECAY_ONE - registers["kept_v"],
        vth=registers["threshold"] >> ALIGN,
        bias_mant=mantissa,
        bias_exp=exponent,
        v=state["v"],
        refractory=registers["refractory_steps"],
        changes=_changes(list(cell_changes(currents, cells, np.int32, network.timestep))),
        spikes=_recorded_spikes(network, index, folder),
        samples=tuple(sample_plans(chip_network, index, folder)),
        resets=ResetPlan(state["wait"] + 1, registers["reset_steps"]) if "wait" in state else None,
        vth_lo=registers["threshold_lo"] >> ALIGN if "threshold_lo" in registers else None,
    )


def _sigma_delta(chip_network: ChipNetwork, population: ChipPopulation, index: int, folder: Path) -> SigmaDeltaPlan:
    vth, rectifies, sums_errors, state_exp = population.cells.parameters[:, 0].tolist()
    return SigmaDeltaPlan(
        bias=population.cells.drive,
        vth=vth,
        rectifies=bool(rectifies),
        sums_errors=bool(sums_errors),
        state_exp=state_exp,
        spikes=_recorded_spikes(chip_network.network, index, folder),
        samples=tuple(sample_plans(chip_network, index, folder)),
    )


def _recorded_spikes(network: Network, index: int, folder: Path) -> Path | None:
    recorded = any(probe.population == index and probe.variable == "spikes" for probe in network.probes)
    return spike_file(folder, index) if recorded else None


def _changes(parts: list[tuple[np.ndarray, ...]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A drive from step k on is a bias from Lava's time step k + 1 on."""
    nothing = (np.empty(0, np.int64),) * 3
    step, cell, value = (np.concatenate(column) for column in zip(nothing, *parts, strict=True))
    order = np.argsort(step, kind="stable")
    return step[order] + 1, cell[order], value[order]


def sample_plans(chip_network: ChipNetwork, index: int, folder: Path):
    """One recorder for each state variable that probes of the population read."""
    population = chip_network.neurons(index)
    names = state_names(chip_network, index)
    wanted: dict[int, list] = {}
    for probe in chip_network.network.probes:
        if probe.population == index and probe.variable != "spikes":
            wanted.setdefault(population.cells.readouts[probe.variable].row, []).append(probe)
    for row, probes in wanted.items():
        cells = np.unique(np.concatenate([probe.cells for probe in probes])).astype(np.int64)
        interval = gcd(*(probe.interval for probe in probes))
        yield SamplePlan(names[row], cells, interval, folder / f"{names[row]}-{index}")


def state_names(chip_network: ChipNetwork, index: int) -> tuple[str, ...]:
    """Lava's names of the state rows of a population."""
    return STATES[chip_network.neurons(index).model.rules[chip_network.chip.rules.name].neuron]


def _synapses(chip_network: ChipNetwork, index: int, stock_elements: int) -> SynapsePlan:
    network = chip_network.network
    projection, held = network.projections[index], chip_network.projections[index]
    from_source = not isinstance(chip_network.populations[projection.pre], ChipPopulation)
    shape = network.populations[projection.post].size, network.populations[projection.pre].size
    delay = projection.delay.astype(np.int64) - from_source  # sources send one step late, see EventSource
    layers = layers_of(projection, shape[0])
    elements = (int(delay.max()) + 1) * shape[0] * shape[1] + PROCESS_ELEMENTS
    small = (int(layers.max()) + 1) * elements <= stock_elements
    # separate objects shift their sums separately
    divided = held.exponent < 0 and bool(layers.any())
    return SynapsePlan(
        projection.pre,
        projection.post,
        held.row,
        shape,
        projection.source,
        projection.target,
        held.weight,
        delay,
        held.exponent,
        mixed=bool(held.weight.min() < 0 < held.weight.max()),
        counts=from_source or chip_network.is_graded(projection.pre),
        layers=layers if small and not divided else None,
    )
