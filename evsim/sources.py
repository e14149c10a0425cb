"""The spikes of populations that only emit spikes: given times, or drawn from a counter-based generator.

A draw depends on the network's seed and the population, and on the number of the event or on the time step and the cell
(``evsim.poisson``), so every backend is given the same trains, however the run is cut into pieces or the network into
parts.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from evsim.errors import UnknownNameError
from evsim.model import SourceModel
from evsim.network import Network, Population
from evsim.poisson.counts import count_tables, expand_counts
from evsim.poisson.events import Position, choice_of, draw_events, draw_gaps, ordered
from evsim.poisson.keys import process_key
from evsim.registry import cell_model
from evsim.renewal import DeadTime, Gamma, Intervals, RenewalTrains, VaryingGamma, VaryingRate

# Spikes of a cell in a time step between which counts are quicker than events; above, the tables grow too long.
LEAST_MEAN, MOST_MEAN = 0.05, 1000.0
MS_PER_S = 1000.0

PERIOD = "start", "duration"  # the parameters (ms) of sources that have them


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


class PoissonEvents:
    """A SpikeSourcePoisson drawn event by event: what low rates, and cells that differ, need.

    All cells together are one Poisson process of the sum of their rates; each of its events belongs to a cell that is
    chosen by its rate, and does not happen outside the time from that cell's ``start`` for its ``duration``. A spike
    is labelled by the step at or after its time; two of one cell may fall into the same step. The process has no
    memory, so one that begins anew at time t, as after a change of rate, is a Poisson process from t on.

    Args:
        begin: step at which this process begins; 0, or that of the change.
    """

    def __init__(self, population: Population, timestep: float, seed: int, index: int, begin: int) -> None:
        rate = np.ascontiguousarray(np.broadcast_to(population.parameters["rate"], population.size)) / 1000.0
        self._start = population.parameters["start"]
        self._stop = self._start + population.parameters["duration"]
        self._alike = bool(np.ptp(self._start) == 0 and np.ptp(self._stop) == 0)
        self._timestep = timestep
        self._size = population.size
        self._key = _key(seed, index, begin)
        self._rate = float(rate.sum())  # events per ms
        self.drawn_per_step = self._rate * timestep
        self._last_label = -1
        if self._rate > 0:
            self._choice = choice_of(rate)
            self._last_label = _label(self._stop.max(), timestep)
            first_gap = np.empty(1)
            draw_gaps(self._key, 0, first_gap)
            begins = max(float(self._start.min()), begin * timestep)
            self._position = Position(0, begins + first_gap[0] / self._rate)

    def spikes(self, first: int, last: int) -> SourceSpikes:
        """The spikes labelled ``first`` to ``last``; windows must follow each other."""
        last = min(last, self._last_label)
        if last < first:
            return _spikes(np.empty(0, np.int64), np.empty(0, np.int64), self._timestep)
        mean = self.drawn_per_step * (last - first + 1)
        time, label, cell, self._position = draw_events(
            self._key, self._position, last, self._timestep, 1.0 / self._rate, self._choice, int(mean + 6 * mean**0.5)
        )
        if not self._alike or last == self._last_label:
            happens = (time > self._start[cell]) & (time < self._stop[cell])
            label, cell = label[happens], cell[happens]
        return _spikes(label, ordered(label, cell, self._size), self._timestep)


class PoissonCounts:
    """A SpikeSourcePoisson of cells that are all alike, drawn as a count for each cell and time step.

    A count of label s is the number of spikes in the time after that of label s - 1 and up to that of label s, for the
    labels after ``start`` and up to ``start`` + ``duration``, both on the grid of time steps. The counts of each step
    are a function of ``key``, the step and the number of the cell alone, so the engine draws them where it needs them.

    Attributes:
        tables: of ``count_block``, with this source's mean in row 0.
        mean: spikes of a cell in a time step.
        key: of ``step_keys``.
        first_label, last_label: the labels that have spikes; last_label < first_label if none has.
    """

    def __init__(self, population: Population, timestep: float, seed: int, index: int, begin: int) -> None:
        parameters = population.parameters
        start, duration = float(parameters["start"][0]), float(parameters["duration"][0])
        self._timestep = timestep
        self._size = population.size
        self.mean = float(parameters["rate"][0]) * timestep / 1000.0
        self.drawn_per_step = self.mean * population.size
        self.tables = count_tables([self.mean])
        self.key = _key(seed, index, begin)
        self.first_label = max(round(start / timestep), begin) + 1
        self.last_label = round((start + duration) / timestep)

    def spikes(self, first: int, last: int) -> SourceSpikes:
        """The spikes labelled ``first`` to ``last``, in any windows; a cell is there as often as it spikes."""
        first, last = max(first, self.first_label), min(last, self.last_label)
        mean = self.drawn_per_step * max(last - first + 1, 0)
        room = int(mean + 6 * mean**0.5) + 64
        label, cell = expand_counts(self.tables, 0, self.key, first, last, self._size, room)
        return _spikes(label, cell, self._timestep)


def poisson_source(
    population: Population, timestep: float, seed: int, index: int, begin: int
) -> PoissonEvents | PoissonCounts:
    """The quicker of the two ways to draw a population."""
    start, duration, rate = (population.parameters[name] for name in ("start", "duration", "rate"))
    alike = all(np.ptp(values) == 0 for values in (start, duration, rate))
    if (
        alike
        and LEAST_MEAN <= rate[0] * timestep / 1000.0 <= MOST_MEAN
        and on_grid(start[0], timestep)
        and on_grid(start[0] + duration[0], timestep)
    ):
        return PoissonCounts(population, timestep, seed, index, begin)
    return PoissonEvents(population, timestep, seed, index, begin)


class RenewalSource:
    """A population whose cells spike after intervals of a law; one that begins anew is in equilibrium again.

    Args:
        law: one of ``INTERVALS``.
    """

    def __init__(self, law: str, population: Population, timestep: float, seed: int, index: int, begin: int) -> None:
        intervals = INTERVALS[law](population)
        always = np.zeros(population.size), np.full(population.size, np.inf)
        start, duration = (_each(population, name) for name in PERIOD) if PERIOD[0] in population.parameters else always
        begins = np.maximum(start, begin * timestep)
        self._timestep = timestep
        self._trains = RenewalTrains(intervals, begins, start + duration, timestep, _key(seed, index, begin))
        self.drawn_per_step = float(intervals.rate.sum()) * timestep

    def spikes(self, first: int, last: int) -> SourceSpikes:
        """The spikes labelled ``first`` to ``last``; windows must follow each other."""
        return _spikes(*self._trains.spikes(last), self._timestep)


def _dead_time(population: Population) -> Intervals:
    return DeadTime(*(_each(population, name) for name in ("rate", "tau_refrac")))


def _gamma(population: Population) -> Intervals:
    return Gamma(*(_each(population, name) for name in ("alpha", "beta")))


def _varying_gamma(population: Population) -> Intervals:
    tables = population.sequences
    return VaryingGamma(tables["tbins"].padded(np.inf), tables["a"].padded(1.0), MS_PER_S * tables["b"].padded(1.0))


def _varying_poisson(population: Population) -> Intervals:
    tables = population.sequences
    starts = tables["starts"].padded(np.inf)
    return VaryingRate(tables["rates"].padded(0.0), starts, starts + tables["durations"].padded(0.0))


def _each(population: Population, name: str) -> NDArray[np.float64]:
    return np.broadcast_to(population.parameters[name], population.size)


# how a source model draws -> the law of its intervals
INTERVALS = {
    "dead time": _dead_time,
    "gamma": _gamma,
    "varying gamma": _varying_gamma,
    "varying poisson": _varying_poisson,
}


def spikes_per_step(population: Population, timestep: float) -> float:
    """How many spikes a population that draws them has in a time step, on average, where its rates are greatest."""
    model = cell_model(population.model)
    assert isinstance(model, SourceModel)
    if model.draw in INTERVALS:
        return float(INTERVALS[model.draw](population).rate.sum()) * timestep
    rates = np.broadcast_to(population.parameters.get("rate", 0.0), population.size)
    return float(rates.sum()) * timestep / MS_PER_S


def on_grid(time: float, timestep: float) -> bool:
    """Whether a time (ms) is that of a time step, up to the rounding of decimal fractions."""
    steps = time / timestep
    return abs(steps - round(steps)) <= 1e-9 * max(steps, 1.0)


def _key(seed: int, index: int, begin: int) -> np.uint64:
    return np.uint64(process_key(np.uint64(seed & (2**64 - 1)), np.uint64(index), np.uint64(begin)))


def _label(time: float, timestep: float) -> int:
    return int(min(np.ceil(time / timestep), 2**62))


def _spikes(label: np.ndarray, cell: np.ndarray, timestep: float) -> SourceSpikes:
    return SourceSpikes(label, cell, label * timestep)


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
        return poisson_source(population, network.timestep, network.seed, index, begin)
    if model.draw in INTERVALS:
        return RenewalSource(model.draw, population, network.timestep, network.seed, index, begin)
    raise UnknownNameError("generator of spikes", model.draw, ["given", "poisson", *INTERVALS])


def mean_rate(population: Population) -> NDArray[np.float64] | None:
    """Spikes a second of each cell (n,) of a population whose spikes are drawn, at most; None where they are given."""
    draw = getattr(cell_model(population.model), "draw", "given")
    if draw == "given":
        return None
    return INTERVALS[draw](population).rate * MS_PER_S if draw in INTERVALS else _each(population, "rate")


def is_source(population: Population) -> bool:
    """Whether a population only emits spikes."""
    return isinstance(cell_model(population.model), SourceModel)
