"""The spikes of a network's sources, for the Inputs of the graph that it becomes."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from evsim.errors import EvsimError
from evsim.network import Network
from evsim.sources import source_of


def spikes_of_sources(network: Network, inputs: Mapping[int, str], duration: float | None) -> dict[str, np.ndarray]:
    """Input -> the number of spikes (time steps, cells), each in the step whose label it has.

    Args:
        inputs: population of sources -> its Input.
        duration: ms; None for as long as the given spike times.

    Raises:
        EvsimError: there are Poisson sources, which have no end, and no duration.
    """
    steps = _steps(network, inputs, duration)
    arrays: dict[str, np.ndarray] = {}
    for index, name in inputs.items():
        found = source_of(network, index).spikes(0, steps - 1)
        arrays[name] = np.zeros((steps, network.populations[index].size), np.uint8)
        np.add.at(arrays[name], (found.label, found.cell), 1)
    return arrays


def _steps(network: Network, inputs: Mapping[int, str], duration: float | None) -> int:
    if duration is not None:
        if not (math.isfinite(duration) and duration > 0):
            raise EvsimError(f"--duration is {duration:g} ms; it must be above 0")
        return round(duration / network.timestep)
    last = 0.0
    for index in inputs:
        population = network.populations[index]
        if population.trains is None:
            raise EvsimError(
                f"population {population.label!r} draws spikes without end; say how many to keep with --duration MS"
            )
        last = max(last, float(population.trains.times.max(initial=0.0)))
    return math.floor(last / network.timestep + 0.5) + 1
