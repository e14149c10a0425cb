"""What cannot be on Loihi beyond what no chip can do."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from evsim.arithmetic.loihi import ALIGN, DECAY_ONE, LEAKLESS
from evsim.chip import Chip
from evsim.deploy.loihi import scale_of
from evsim.deploy.loihi_learning_check import learning_problems
from evsim.errors import Problem
from evsim.model import NeuronModel
from evsim.network import Network, Population
from evsim.registry import cell_model

LONGEST = 2 * DECAY_ONE - 1  # time steps; a longer time constant loses less than half a 4096th in a step

# parameter -> where it lies, seen from v_reset
THRESHOLDS = {"v_thresh": "above", "v_thresh_hi": "above", "v_thresh_lo": "below"}

# The way out for networks that need a current for each receptor.
TWO_CURRENTS = "loihi2_microcode (a neuron of evsim's own with two currents, for which Loihi 2 needs microcode)"


def problems(network: Network, chip: Chip) -> list[Problem]:
    """Everything in the populations and probes of a network that Loihi's registers cannot hold."""
    found: list[Problem] = []
    for index, population in enumerate(network.populations):
        model = cell_model(population.model)
        if not isinstance(model, NeuronModel):
            continue
        found += _time_constants(population, network.timestep, chip)
        if _has_one_current(model, chip):
            found += _two_currents(population, chip)
        found += _refractory(population, network.timestep, chip)
        found += _thresholds(network, index, chip)
        found += _exponents(population, chip)
    found += _probes(network, chip)
    found += learning_problems(network, chip)
    return found


def _has_one_current(model: NeuronModel, chip: Chip) -> bool:
    """Whether all receptors of a model share the one current of the chip's neuron."""
    return model.rules[chip.rules.name].n_inputs == 1


def _time_constants(population: Population, dt: float, chip: Chip) -> Iterator[Problem]:
    for name in ("tau_m", "tau_syn_E", "tau_syn_I"):
        if name not in population.parameters:
            continue
        given, without = population.parameters[name], ""
        beyond = given > LONGEST * dt
        if name == "tau_m":  # a membrane can do without a leak; a current always decays
            beyond, without = beyond & (given < LEAKLESS * dt), f", or from {LEAKLESS * dt:g} ms on for no leak"
        if beyond.any():
            yield Problem(
                f"population {population.label!r}",
                f"{name} of {given[beyond].max():g} ms",
                f"at most {LONGEST * dt:g} ms{without} on {chip.name} with a time step of {dt:g} ms (decays are parts "
                "of 4096)",
                f"Give a shorter {name} or a longer timestep.",
            )


def _two_currents(population: Population, chip: Chip) -> Iterator[Problem]:
    tau_e, tau_i = (population.parameters.get(name) for name in ("tau_syn_E", "tau_syn_I"))
    if tau_e is None or tau_i is None or not (different := tau_e != tau_i).any():
        return
    cell = int(np.argmax(np.broadcast_to(different, population.size)))
    tau_e, tau_i = (float(np.broadcast_to(tau, population.size)[cell]) for tau in (tau_e, tau_i))
    yield Problem(
        f"population {population.label!r}",
        f"tau_syn_E of {tau_e:g} ms and tau_syn_I of {tau_i:g} ms in {int(np.count_nonzero(different))} of "
        f"{population.size} cells",
        f"a neuron of {chip.name} has one synaptic current, so both must be equal",
        f"Make tau_syn_E and tau_syn_I equal, take the chip {TWO_CURRENTS}, or run on reference:ideal or "
        "reference:spinnaker1.",
    )


def _refractory(population: Population, dt: float, chip: Chip) -> Iterator[Problem]:
    most = chip.limit("max_refractory")
    longest = float(np.max(population.parameters.get("tau_refrac", 0.0)))
    if most is not None and np.floor(longest / dt + 0.5) > most:
        yield Problem(
            f"population {population.label!r}",
            f"tau_refrac of {longest:g} ms, which is {longest / dt:g} steps",
            f"at most {most:g} steps on {chip.name}, which is {most * dt:g} ms",
            "Give a shorter tau_refrac or a longer timestep.",
        )


def _thresholds(network: Network, index: int, chip: Chip) -> Iterator[Problem]:
    population = network.populations[index]
    for name, side in THRESHOLDS.items():
        if name in population.parameters:
            yield from _threshold(network, index, chip, name, side)


def _threshold(network: Network, index: int, chip: Chip, name: str, side: str) -> Iterator[Problem]:
    population = network.populations[index]
    where = f"population {population.label!r}"
    above = np.broadcast_to(population.parameters[name] - population.parameters["v_reset"], population.size)
    distance = above if side == "above" else -above
    if bad := int(np.count_nonzero(distance <= 0)):
        ways = ("Raise", "lower", "positive") if side == "above" else ("Lower", "raise", "negative")
        yield Problem(
            where,
            f"{name} is not {side} v_reset in {bad} of {population.size} cells",
            f"voltages on {chip.name} count from v_reset, and this threshold is {ways[2]}",
            f"{ways[0]} {name} or {ways[1]} v_reset.",
        )
        return
    units = distance * scale_of(network, index, chip).lsb_per_mV / (1 << ALIGN)
    if (least := float(units.min())) < 0.5:
        yield Problem(
            where,
            f"a threshold {float(distance[np.argmin(units)]):g} mV {side} v_reset is {least:.2g} units of the "
            "threshold register, next to weights, currents or voltages that are many times larger",
            f"at least 1 unit on {chip.name}",
            "Make the largest weight, injected current or distance from v_reset smaller.",
        )


def _exponents(population: Population, chip: Chip) -> Iterator[Problem]:
    for name in ("spike_exp", "state_exp"):
        values = population.parameters.get(name, np.zeros(1))
        if (values != values[0]).any():
            yield Problem(
                f"population {population.label!r}",
                f"{name} from {values.min():g} to {values.max():g}",
                f"one scale for all cells of a population on {chip.name}",
                f"Make a population for each {name}.",
            )


def _probes(network: Network, chip: Chip) -> Iterator[Problem]:
    other = {"isyn_exc": "inhibitory", "isyn_inh": "excitatory"}
    for probe in network.probes:
        receptor = other.get(probe.variable)
        model = cell_model(network.populations[probe.population].model)
        if receptor is None or not isinstance(model, NeuronModel) or not _has_one_current(model, chip):
            continue
        if any(len(p) and (p.post, p.receptor) == (probe.population, receptor) for p in network.projections):
            yield Problem(
                f"population {network.populations[probe.population].label!r}",
                f"recording {probe.variable} while it has {receptor} input too",
                f"a neuron of {chip.name} has one current, the sum of both",
                f"Record v, take the chip {TWO_CURRENTS}, or run on reference:ideal.",
            )
