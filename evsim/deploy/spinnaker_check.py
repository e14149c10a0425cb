"""What SpiNNaker's number formats and clock cannot hold."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from evsim.arithmetic.s1615 import LARGEST, ONE, POINT, fixed, is_beyond
from evsim.chip import Chip
from evsim.deploy.spinnaker import scale_of
from evsim.deploy.spinnaker_plastic_check import plastic_problems
from evsim.deploy.spinnaker_scale import CONDUCTANCE_GAIN
from evsim.errors import Problem
from evsim.model import NeuronModel
from evsim.network import Network, Population
from evsim.registry import cell_model

LARGEST_SHIFT = 15  # a full slot of 16 bits, shifted further, leaves 31 bits


def problems(network: Network, chip: Chip) -> list[Problem]:
    """Every problem that is SpiNNaker's own; the network's models and parameters are in order otherwise."""
    found = list(_clock_problems(network))
    for index, population in enumerate(network.populations):
        model = cell_model(population.model)
        if isinstance(model, NeuronModel):
            found += _range_problems(population, model)
            found += _divisor_problems(population, model, network.timestep)
            found += _weight_problems(network, index, model)
    return [*found, *plastic_problems(network), *_current_problems(network)]


def _clock_problems(network: Network) -> Iterator[Problem]:
    microseconds = network.timestep * 1000
    # sPyNNaker rounds up to whole microseconds, so 2.007 ms, which is 2007.0000000000002 us in floating point, is 2008
    if math.ceil(microseconds) != round(microseconds) or abs(microseconds - round(microseconds)) > 1e-9:
        yield Problem(
            "network",
            f"a time step of {network.timestep:g} ms, which sPyNNaker makes {math.ceil(microseconds)} us",
            "a time step is a whole number of microseconds",
            "Give setup() another timestep, such as 1 ms or 0.1 ms.",
        )


def _range_problems(population: Population, model: NeuronModel) -> Iterator[Problem]:
    values = {**population.parameters, **population.initial}
    units = {**model.parameters, **model.states}
    if model.has_conductances:
        held = {name: values[name] * CONDUCTANCE_GAIN for name in values if name.startswith("gsyn")}
        values.update(held)
    if "tau_m" in values:
        values["tau_m / cm"] = values["tau_m"] / values["cm"]
        units["tau_m / cm"] = "MOhm"
    for name, numbers in values.items():
        if units.get(name) == "bits":
            continue  # a word of a random generator's state
        outside = is_beyond(numbers)
        if outside.any():
            worst = float(numbers[np.argmax(np.abs(numbers))])
            yield Problem(
                f"population {population.label!r}",
                f"{name} is {worst:g} {units.get(name, '')} in {np.count_nonzero(outside)} of {population.size} cells",
                f"s16.15 holds numbers below {(LARGEST + 1) / ONE:g}",
                f"Give a smaller {name}.",
            )


def _divisor_problems(population: Population, model: NeuronModel, timestep: float) -> Iterator[Problem]:
    """Capacitances that become 0, and time constants that do or whose decay in a time step is 0 or beyond s16.15."""
    step = int(fixed(timestep))
    for name in ("tau_m", "tau_syn_E", "tau_syn_E2", "tau_syn_I", "tau_ca2", "cm"):
        if name not in population.parameters:
            continue
        held = fixed(population.parameters[name])
        least, most = (_least_divisor(step), min(step * ONE, LARGEST)) if name != "cm" else (1, LARGEST)
        wrong = (held < least) | (held > most)
        if wrong.any():
            worst = float(population.parameters[name][np.argmax(wrong)])
            unit = model.parameters[name]
            yield Problem(
                f"population {population.label!r}",
                f"{name} is {worst:g} {unit} in {np.count_nonzero(wrong)} of {population.size} cells",
                f"with a time step of {timestep:g} ms, s16.15 can compute with a {name} from {least / ONE:.2g} to "
                f"{most / ONE:g} {unit}",
                f"Give another {name} or another timestep.",
            )


def _least_divisor(step: int) -> int:
    """The least s16.15 by which a time step can be divided: the quotient is below 2^16."""
    return (step << POINT) // (LARGEST + 1) + 1


def _weight_problems(network: Network, index: int, model: NeuronModel) -> Iterator[Problem]:
    scale = scale_of(network, index)
    for receptor, row in model.rules["spinnaker1"].inputs.items():
        if scale.shifts[row] > LARGEST_SHIFT:
            yield Problem(
                f"population {network.populations[index].label!r}",
                f"the {receptor} weights that are expected in one step sum up to "
                f"{2.0 ** scale.shifts[row] / scale.gain:g} {model.weight_unit} (a ring-buffer shift of "
                f"{scale.shifts[row]})",
                f"s16.15 holds a sum below {2.0**LARGEST_SHIFT / scale.gain:g} {model.weight_unit} (a shift of "
                f"{LARGEST_SHIFT})",
                "Give smaller weights, or fewer synapses onto a cell.",
            )


def _current_problems(network: Network) -> Iterator[Problem]:
    for current in network.currents:
        if len(current.amplitudes) and (most := float(np.abs(current.amplitudes).max())) * ONE > LARGEST:
            yield Problem(
                f"current source {current.label!r}",
                f"an amplitude of {most:g} nA",
                f"s16.15 holds numbers below {(LARGEST + 1) / ONE:g}",
                "Give a smaller amplitude.",
            )
