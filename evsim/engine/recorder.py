"""Collecting what the loop recorded, block by block, and handing it out in physical units."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from evsim.deploy.chip_network import ChipNetwork
from evsim.engine.memory import BLOCK, Layout
from evsim.engine.records import Samples
from evsim.engine.spike_log import SpikeLog
from evsim.engine.store import Allowance, Store
from evsim.engine.structural_memory import EVENT
from evsim.model import Readout
from evsim.network import REWIRING, Probe
from evsim.recording import Recordings, Rewirings, Signal, Spikes
from evsim.sources import SourceSpikes

_SOURCE_SPIKE = np.dtype([("time", np.float64), ("cell", np.int32)])


@dataclass(eq=False)
class _Pieces:
    """The samples of one probe: raw values (samples, cells), and the labels (steps) and the readout of each block."""

    raw: Store
    labels: list[np.ndarray] = field(default_factory=list)
    readouts: list[Readout] = field(default_factory=list)  # a changed network may read the state otherwise from then on


class Recorder:
    """Keeps the spikes and samples of one session since its start, reset or last clear; see ``engine.store``."""

    def __init__(self, chip_network: ChipNetwork, layout: Layout, owners: list[np.ndarray]) -> None:
        self._allowance = Allowance()
        self._spike_log = SpikeLog(layout.first_neuron, self._allowance)
        self._source_spikes: dict[int, Store] = {}
        self._pieces: dict[tuple[int, str, int, bytes], _Pieces] = {}
        self._rewirings = Store(self._allowance, EVENT)
        self.follow(chip_network, layout, owners)

    def follow(self, chip_network: ChipNetwork, layout: Layout, owners: list[np.ndarray]) -> None:
        """Record what the probes of this network ask for from now on.

        Args:
            owners: for each thread (slices,) bool, which of the slices are its own.
        """
        self._chip_network, self._layout = chip_network, layout
        self._signals = [probe for probe in chip_network.network.probes if probe.variable not in ("spikes", REWIRING)]
        self._trains = [probe for probe in chip_network.network.probes if probe.variable == "spikes"]
        self._rewired = [probe.population for probe in chip_network.network.probes if probe.variable == REWIRING]
        self._width = np.array([len(probe.cells) for probe in self._signals], np.int64)
        self._interval = np.array([probe.interval for probe in self._signals], np.int64)
        self._places = [self._places_of(owner) for owner in owners]

    def _places_of(self, owner: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """``first``, ``place`` and ``column`` of a thread's ``Samples``."""
        found = [self._cells(probe, owner) for probe in self._signals]
        first = np.concatenate([[0], np.cumsum([len(columns) for _, columns in found])]).astype(np.int64)
        place, column = (np.concatenate([*(pair[k] for pair in found), np.empty(0, np.int64)]) for k in (0, 1))
        return first, place, column

    def _cells(self, probe: Probe, owner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the probed state of the cells in some slices lies, and the columns of these cells in a sample.

        Args:
            owner: (slices,) whether a slice's cells are wanted.
        """
        at = self._layout.neurons.index(probe.population)
        row = self._chip_network.neurons(probe.population).cells.readouts[probe.variable].row
        cells = np.asarray(probe.cells, np.int64)
        block = self._layout.first_block[at] + cells // BLOCK
        columns = np.flatnonzero(owner[self._layout.blocks.slice[block]])
        return self._layout.state_places(at, row, cells[columns]), columns

    @property
    def samples_per_step(self) -> float:
        """How many values a step records on average."""
        return float((self._width / self._interval).sum()) if len(self._interval) else 0.0

    def block(self, steps: int) -> list[Samples]:
        """Room for the samples of a block of steps, shared by the threads."""
        capacity = (steps // self._interval + 2) * self._width if len(self._interval) else np.empty(0, np.int64)
        begin = np.concatenate([[0], np.cumsum(capacity)]).astype(np.int64)
        values = np.empty(int(begin[-1]), self._chip_network.chip.rules.number)
        return [Samples(self._interval, begin[:-1], self._width, *places, values) for places in self._places]

    def take(self, samples: Samples, first_label: int, end_label: int) -> None:
        """Keep the samples of a block of the labels from ``first_label`` to before ``end_label``."""
        for k, probe in enumerate(self._signals):
            first = -(-first_label // probe.interval) * probe.interval
            labels = np.arange(first, end_label, probe.interval)
            if not len(labels):
                continue
            width = len(probe.cells)
            raw = samples.values[samples.begin[k] : samples.begin[k] + len(labels) * width]
            pieces = self._pieces_of(probe)
            pieces.raw.append(raw.reshape(len(labels), width))
            pieces.labels.append(labels)
            pieces.readouts.append(self._chip_network.neurons(probe.population).cells.readouts[probe.variable])

    def _pieces_of(self, probe: Probe) -> _Pieces:
        number = self._chip_network.chip.rules.number
        return self._pieces.setdefault(probe.key, _Pieces(Store(self._allowance, number, len(probe.cells))))

    def forget_from(self, label: int) -> None:
        """Forget the samples from a label on, which are taken anew."""
        for pieces in self._pieces.values():
            for k, labels in enumerate(pieces.labels):
                kept = labels[labels < label]
                pieces.raw.shorten(len(labels) - len(kept))
                pieces.labels[k] = kept

    def take_spikes(self, label: np.ndarray, neuron: np.ndarray) -> None:
        """Keep the spikes of neurons of a block."""
        if len(label):
            self._spike_log.take(label, neuron)

    def take_source(self, population: int, spikes: SourceSpikes) -> None:
        """Keep the spikes that a source emitted, if they are recorded."""
        if len(spikes.label) and any(probe.population == population for probe in self._trains):
            rows = np.empty(len(spikes.label), _SOURCE_SPIKE)
            rows["time"], rows["cell"] = spikes.time, spikes.cell
            self._source_spikes.setdefault(population, Store(self._allowance, _SOURCE_SPIKE)).append(rows)

    def take_rewirings(self, events: np.ndarray) -> None:
        """Keep what came and went in a block, of ``EVENT``, if it is recorded."""
        if len(events) and self._rewired:
            posts = np.array([projection.post for projection in self._chip_network.network.projections])
            self._rewirings.append(events[np.isin(posts[events["projection"]], self._rewired)])

    def clear(self) -> None:
        """Forget everything recorded so far."""
        for store in (*self._source_spikes.values(), *(pieces.raw for pieces in self._pieces.values())):
            store.clear()
        self._spike_log.clear()
        self._rewirings.clear()
        self._source_spikes.clear()
        self._pieces.clear()

    def recordings(self, tally: np.ndarray) -> Recordings:
        """Everything kept, in physical units."""
        spikes = self._spikes()
        return Recordings(
            tuple(self._chosen(spikes[probe.population], probe) for probe in self._trains),
            tuple(self._signal(probe) for probe in self._signals),
            self._tallies(tally),
            rewirings=tuple(self._rewirings_of(population) for population in self._rewired),
        )

    def _rewirings_of(self, population: int) -> Rewirings:
        network, events = self._chip_network.network, self._rewirings.read()
        posts = np.array([projection.post for projection in network.projections], np.int64)
        events = events[posts[events["projection"]] == population] if len(posts) else events
        events = events[np.lexsort(tuple(events[name] for name in ("made", "cell", "source", "label")))]
        projections, sources, cells = (events[name].astype(np.int64) for name in ("projection", "source", "cell"))
        times = events["label"] * network.timestep
        return Rewirings(population, times, projections, sources, cells, events["made"] == 1)

    def _spikes(self) -> dict[int, Spikes]:
        """Population -> the spikes of all cells that a probe records."""
        wanted: dict[int, np.ndarray] = {}
        for probe in self._trains:
            size = self._chip_network.network.populations[probe.population].size
            wanted.setdefault(probe.population, np.zeros(size, bool))[probe.cells] = True
        neurons = {index: cells for index, cells in wanted.items() if index in self._layout.neurons}
        found = self._spike_log.by_population(neurons, self._chip_network.network.timestep)
        spikes = {index: Spikes(index, times, cells) for index, (times, cells) in found.items()}
        return spikes | {index: self._of_source(index, wanted[index]) for index in wanted if index not in neurons}

    def _chosen(self, spikes: Spikes, probe: Probe) -> Spikes:
        """Those of one of the probes of a population."""
        if sum(other.population == probe.population for other in self._trains) == 1:
            return spikes
        return Spikes.chosen(probe.population, spikes.times, spikes.neurons, np.isin(spikes.neurons, probe.cells))

    def _of_source(self, index: int, wanted: np.ndarray) -> Spikes:
        store = self._source_spikes.get(index)
        rows = np.empty(0, _SOURCE_SPIKE) if store is None else store.read()
        cells = rows["cell"].astype(np.int64)
        times = np.ascontiguousarray(rows["time"], np.float64)
        return Spikes.chosen(index, times, cells, wanted[cells])

    def _signal(self, probe: Probe) -> Signal:
        population = self._chip_network.neurons(probe.population)
        pieces, cells = self._pieces_of(probe), np.asarray(probe.cells, np.int64)
        raw, values = pieces.raw.read(), self._physical(pieces, cells)
        labels = np.concatenate([*pieces.labels, np.empty(0, np.int64)])
        return Signal(
            probe.population,
            probe.variable,
            population.model.recordables_in(self._chip_network.chip.rules.name)[probe.variable],
            cells,
            np.asarray(labels * self._chip_network.network.timestep, np.float64),
            values,
            raw if self._chip_network.chip.rules.is_exact else None,
        )

    def _physical(self, pieces: _Pieces, cells: np.ndarray) -> np.ndarray:
        """The samples (samples, cells) in physical units."""
        values = pieces.raw.room((len(pieces.raw), len(cells)), np.float64)
        ends = np.cumsum([len(labels) for labels in pieces.labels])
        start = 0
        for raw in pieces.raw.parts():
            while len(raw):
                block = int(np.searchsorted(ends, start, side="right"))
                count = min(len(raw), int(ends[block]) - start)
                values[start : start + count] = pieces.readouts[block].physical(raw[:count], cells)
                raw, start = raw[count:], start + count
        return values

    def _tallies(self, tally: np.ndarray) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for at, index in enumerate(self._layout.neurons):
            population = self._chip_network.neurons(index)
            names = population.model.rules[self._chip_network.chip.rules.name].tallies
            counts = {name: int(tally[at, k]) for k, name in enumerate(names) if tally[at, k]}
            if counts:
                found[population.label] = counts
        return found
