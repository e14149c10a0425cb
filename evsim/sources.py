"""The spikes of populations that only emit spikes: given times, or drawn from a counter-based generator.

A draw depends on the network's seed, the population, the cell and the number of the draw alone, so every backend is
given the same trains, however the run is cut into pieces or the network into parts.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from evsim.compile import kernel
from evsim.errors import UnknownNameError
from evsim.model import SourceModel
from evsim.network import Network, Population
from evsim.registry import cell_model


class SourceSpikes(NamedTuple):
    """Spikes in order of label, then of cell.

    Attributes:
        label: (n,) int64, time step whose label the spike carries.
        cell: (n,) int64.
        time: (n,) float64, ms; off the grid where the times were given so.
    """

    label: NDArray[np.int64]
    cell: NDArray[np.int64]
    time: NDArray[np.float64]


class Source(Protocol):
    """Hands out the spikes of one population, window after window.

    Attributes:
        drawn_per_step: how many spikes a time step adds to memory, on average.
    """

    drawn_per_step: float

    def spikes(self, first: int, last: int) -> SourceSpikes:
        """The spikes labelled ``first`` to ``last`` (both included); each call goes on where the last one ended."""
        ...


class GivenSource:
    """A SpikeSourceArray: a time is rounded to the nearest step for delivery and kept exactly for recording."""

    drawn_per_step = 0.0

    def __init__(self, population: Population, timestep: float) -> None:
        assert population.trains is not None, "a SpikeSourceArray has spike trains"
        times, cells = population.trains.times, population.trains.cells()
        labels = np.floor(times / timestep + 0.5).astype(np.int64)
        order = np.lexsort((cells, labels))
        self._label, self._cell, self._time = labels[order], cells[order], times[order]

    def spikes(self, first: int, last: int) -> SourceSpikes:
        """The spikes labelled ``first`` to ``last``."""
        a, b = np.searchsorted(self._label, [first, last + 1])
        return SourceSpikes(self._label[a:b], self._cell[a:b], self._time[a:b])


class PoissonSource:
    """A SpikeSourcePoisson: independent exponential gaps for each cell, from ``start`` for ``duration``.

    A spike is labelled by the step at or after its time; two of one cell may fall into the same step. The process has
    no memory, so one that begins anew at time t, as after a change of rate, is a Poisson process from t on.

    Args:
        begin: step at which this process begins; 0, or that of the change.
    """

    def __init__(self, population: Population, timestep: float, seed: int, index: int, begin: int) -> None:
        size = population.size
        start = np.broadcast_to(population.parameters["start"], size)
        duration = np.broadcast_to(population.parameters["duration"], size)
        self._timestep = timestep
        self._stop = start + duration
        self._rate = np.ascontiguousarray(np.broadcast_to(population.parameters["rate"], size)) / 1000.0  # per ms
        self.drawn_per_step = float(self._rate.sum()) * timestep
        self._key = cell_keys(np.uint64(seed & (2**64 - 1)), np.uint64(index), np.uint64(begin), size)
        self._draws = np.zeros(size, np.uint64)
        self._next = np.maximum(start, begin * timestep).astype(np.float64)
        next_gaps(self._next, self._rate, self._key, self._draws)

    def spikes(self, first: int, last: int) -> SourceSpikes:
        """The spikes labelled ``first`` to ``last``; windows must follow each other."""
        label, cell = draw_until(
            last,
            self._timestep,
            self._next,
            self._stop,
            self._rate,
            self._key,
            self._draws,
            self._expected(first, last),
        )
        order = np.lexsort((cell, label))
        label, cell = label[order], cell[order]
        return SourceSpikes(label, cell, label * self._timestep)

    def _expected(self, first: int, last: int) -> int:
        mean = self.drawn_per_step * max(last - first + 1, 1)
        return int(mean + 6 * mean**0.5) + 64


@kernel
def mix(z):
    """The finaliser of splitmix64 (Steele, Lea and Flood 2014): 64 bits in, 64 well mixed bits out."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@kernel
def cell_keys(seed, population, begin, size):
    """One key for each cell."""
    golden = np.uint64(0x9E3779B97F4A7C15)
    base = mix(mix(mix(seed + golden) + population * golden) + begin * golden)
    keys = np.empty(size, np.uint64)
    for i in range(size):
        keys[i] = mix(base + np.uint64(i + 1) * golden)
    return keys


@kernel
def gap(key, draw, rate):
    """An exponentially distributed gap (ms) of mean 1 / rate."""
    bits = mix(key + draw * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(11)
    uniform = (np.float64(bits) + 1.0) * (1.0 / 9007199254740992.0)  # in (0, 1]
    return -np.log(uniform) / rate


@kernel
def next_gaps(times, rates, keys, draws):
    """Add each cell's first gap to its starting time; a rate of 0 never spikes."""
    for i in range(times.size):
        if rates[i] > 0:
            times[i] += gap(keys[i], draws[i], rates[i])
            draws[i] += np.uint64(1)
        else:
            times[i] = np.inf


@kernel
def twice(array):
    """The array with as much room again behind it."""
    longer = np.empty(2 * array.size, np.int64)
    for i in range(array.size):
        longer[i] = array[i]
    return longer


@kernel
def draw_until(last, timestep, times, stop, rates, keys, draws, expected):
    """All spikes up to label ``last``, cell by cell; ``times`` and ``draws`` move on."""
    label = np.empty(expected, np.int64)
    cell = np.empty(expected, np.int64)
    count = 0
    for i in range(times.size):
        while times[i] < stop[i]:
            at = np.int64(np.ceil(times[i] / timestep))
            if at > last:
                break
            if count == label.size:
                label, cell = twice(label), twice(cell)
            label[count] = at
            cell[count] = i
            count += 1
            times[i] += gap(keys[i], draws[i], rates[i])
            draws[i] += np.uint64(1)
    return label[:count].copy(), cell[:count].copy()


def source_of(network: Network, index: int, begin: int = 0) -> Source:
    """The generator of population ``index`` from step ``begin`` on.

    Raises:
        UnknownNameError: the population's model names a generator that there is not.
    """
    population = network.populations[index]
    model = cell_model(population.model)
    assert isinstance(model, SourceModel), "only source models emit spikes by themselves"
    if model.draw == "given":
        return GivenSource(population, network.timestep)
    if model.draw == "poisson":
        return PoissonSource(population, network.timestep, network.seed, index, begin)
    raise UnknownNameError("generator of spikes", model.draw, ["given", "poisson"])


def is_source(population: Population) -> bool:
    """Whether a population only emits spikes."""
    return isinstance(cell_model(population.model), SourceModel)
