"""What one core of this machine can do at best with a network's numbers, as short measurements.

Delivery cannot be quicker than adding numbers at random places of an array as long as all inputs of the network, and
an update not quicker than reading, changing and writing two numbers for each neuron.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from evsim.chip import Chip
from evsim.compile import kernel
from evsim.model import NeuronModel
from evsim.network import Network
from evsim.recording import NEURON_UPDATES, SYNAPTIC_EVENTS
from evsim.registry import cell_model

_EVENTS = 1 << 20  # of one measurement: a few milliseconds
_REPEATS = 7  # the quickest counts, for a core is shared


@kernel
def scatter(inputs, places, one):
    """Add one at each of many places."""
    for k in range(places.size):
        inputs[places[k]] += one


@kernel
def read_modify_write(state, inputs, rounds, zero):
    """Add inputs to a state and clear them."""
    for _ in range(rounds):
        for i in range(state.size):
            state[i] += inputs[i]
            inputs[i] = zero


def limits_of(network: Network, chip: Chip) -> dict[str, float]:
    """What is counted -> seconds for each event at least, for a network in the numbers of a chip."""
    models = [cell_model(population.model) for population in network.populations]
    neurons = [
        (population.size, model.rules[chip.rules.name].n_inputs)
        for population, model in zip(network.populations, models, strict=True)
        if isinstance(model, NeuronModel)
    ]
    size = max(sum(n for n, _ in neurons), 1)
    n_inputs = max(sum(n * rows for n, rows in neurons), 1)
    return {
        SYNAPTIC_EVENTS: seconds_per_addition(n_inputs, chip.rules.number),
        NEURON_UPDATES: seconds_per_update(size, chip.rules.number),
    }


def seconds_per_addition(n_inputs: int, number: type) -> float:
    """How long adding to a random place of ``n_inputs`` numbers takes."""
    inputs = np.zeros(n_inputs, number)
    places = np.random.default_rng(0).integers(0, n_inputs, _EVENTS, dtype=np.uint32)
    return _quickest(lambda: scatter(inputs, places, number(1))) / _EVENTS


def seconds_per_update(size: int, number: type) -> float:
    """How long reading, changing and writing the state and the input of one of ``size`` neurons takes."""
    state, inputs = np.zeros(size, number), np.zeros(size, number)
    rounds = -(-_EVENTS // size)
    return _quickest(lambda: read_modify_write(state, inputs, rounds, number(0))) / (rounds * size)


def _quickest(call: Callable[[], object]) -> float:
    call()  # compiles
    taken = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return min(taken)
