"""Small networks in PyNN that give each feature something to do, and what was recorded of them."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

sim: Any = importlib.import_module("pyNN.evsim")  # whose cell types are made when they are asked for


def data_of(population) -> Any:
    """The latest segment."""
    return population.get_data().segments[-1]


def signal(population, name: str) -> np.ndarray:
    """(samples, cells) of one variable."""
    (found,) = (s for s in data_of(population).analogsignals if s.name == name)
    return np.asarray(found.magnitude)


def driven(cell: Any, weight: float = 0.1, synapse: Any = None, times=(1.0, 4.0), **named):
    """A source, two cells and all-to-all synapses between them."""
    source = sim.Population(2, sim.SpikeSourceArray(spike_times=list(times)))
    cells = sim.Population(2, cell)
    synapse = synapse or sim.StaticSynapse(weight=weight, delay=0.5)
    return source, cells, sim.Projection(source, cells, sim.AllToAllConnector(), synapse, **named)
