"""What can be foreseen of a network on Loihi without running it: rates that shift, and currents that will wrap.

Both are estimates and say so: of rates without any input, from the parameters as the chip holds them; of u, from the
mean and the variance of shot noise (Campbell's theorem).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from evsim.arithmetic.loihi import DECAY_ONE, STATE_LIMIT
from evsim.deploy.chip_network import ChipNetwork, ChipPopulation
from evsim.model import Values
from evsim.network import Population
from evsim.sources import is_source, mean_rate
from evsim.synapses import Spread

ASSUMED_RATE = 30.0  # spikes a second of a neuron; what sPyNNaker, too, assumes where it scales its ring buffers
SAFE = 5.0  # deviations of u; a normal variable is farther from its mean in one step of 2 million
LEAKY = {"tau_m", "i_offset", "v_reset", "v_thresh"}  # parameters of a neuron whose rate without input is foreseen
TOLD_RATE = 0.001  # the least part by which a rate must shift to be told


def notes(held: ChipNetwork) -> Iterator[str]:
    """Sentences for the user on populations for which something is foreseen."""
    for index, population in enumerate(held.populations):
        if isinstance(population, ChipPopulation):
            yield from _rate(held.network.populations[index], population, held.network.timestep)
            yield from _wraps(held, index)


# --- rates without input ---------------------------------------------------------------------------------------------


def _rate(asked: Population, held: ChipPopulation, dt: float) -> Iterator[str]:
    if not asked.parameters.keys() >= LEAKY or "reset_interval" in asked.parameters:
        return  # a neuron of another kind
    ideal = constant_rate(asked.parameters, dt)
    chip = constant_rate({**asked.parameters, **held.cells.effective}, dt)
    if not ideal.any() and not chip.any():
        return
    before, after = float(ideal.mean()), float(chip.mean())
    if abs(after - before) > TOLD_RATE * before:
        shift = f" ({(after - before) / before:+.1%})" if before else ""
        yield (
            f"population {asked.label!r}: without synaptic input i_offset makes its cells fire at {after:.4g} spikes/s "
            f"by the parameters as they are held, and at {before:.4g} by those asked for{shift}"
        )


def constant_rate(values: Values, dt: float) -> NDArray[np.float64]:
    """Spikes a second (n,) of a leaky integrate-and-fire neuron under its constant current, on a grid of ``dt`` (ms).

    From reset it takes tau_m ln((v_inf - v_reset) / (v_inf - v_thresh)), up to a whole step; 0 where it never spikes.
    """
    steady = values["v_rest"] + values["i_offset"] * values["tau_m"] / values["cm"]
    fires = steady > values["v_thresh"]
    room = np.where(fires, steady - values["v_thresh"], 1.0)
    climb = np.maximum((values["v_thresh"] - values["v_reset"]) / room, 0.0)
    steps = np.maximum(np.ceil(values["tau_m"] / dt * np.log1p(climb) - 1e-9), 1.0)
    held = np.ceil(values["tau_refrac"] / dt - 1e-9)
    return np.where(fires, 1000.0 / dt / (steps + held), 0.0)


# --- wraps of u ------------------------------------------------------------------------------------------------------


def _wraps(held: ChipNetwork, index: int) -> Iterator[str]:
    population = held.neurons(index)
    rule = population.model.rules[held.chip.rules.name]
    if not rule.parameters[0].startswith("kept_"):
        return  # a neuron whose input does not decay
    for row, current in enumerate(rule.states[: rule.n_inputs]):
        mean, deviation = expected_u(held, index, row)
        if abs(mean) + SAFE * deviation > 1:
            yield (
                f"population {population.label!r}: {current} is estimated to leave its register of 24 bits, and to "
                f"wrap: its mean is {mean:.2g} and its deviation {deviation:.2g} of the register, where neurons send "
                f"{ASSUMED_RATE:g} spikes/s and sources what is known of them; smaller weights, fewer synapses or a "
                "shorter tau_syn avoid it"
            )


def expected_u(held: ChipNetwork, index: int, row: int = 0) -> tuple[float, float]:
    """The mean and the standard deviation of a current in the cells of a population, as parts of its register.

    Args:
        row: the current, which is that of an input row; its decay is the parameter row of the same number.
    """
    network, population = held.network, held.neurons(index)
    kept = float(population.cells.parameters[row].max()) / DECAY_ONE
    mean = variance = 0.0
    for projection, on_chip in zip(network.projections, held.projections, strict=True):
        if (projection.post, on_chip.row) != (index, row) or not len(projection):
            continue
        source = network.populations[projection.pre]
        spikes = len(projection) / network.populations[index].size * _rate_of(source) * network.timestep / 1000.0
        average, square = _moments(on_chip.synapses.weights)
        mean += spikes * average
        variance += spikes * square
    part = population.scale.per_unit(row) / STATE_LIMIT
    return part * mean / (1 - kept), part * sqrt(variance / (1 - kept**2))


def _moments(spread: Spread) -> tuple[float, float]:
    """The mean of weights, 0 where both signs occur, and of their squares."""
    sign = 0.0 if spread.least < 0 < spread.most else (1.0 if spread.most > 0 else -1.0)
    return sign * spread.mean, spread.variance + spread.mean**2


def _rate_of(population: Population) -> float:
    """Spikes a second of a cell, as far as they are known."""
    if not is_source(population):
        return ASSUMED_RATE
    if (rate := mean_rate(population)) is not None:
        return float(np.mean(rate))
    trains = population.trains
    if trains is None or not len(trains.times):
        return 0.0
    return len(trains.times) / population.size / max(float(trains.times.max()), 1e-9) * 1000.0
