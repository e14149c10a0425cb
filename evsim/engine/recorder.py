"""Collecting what the loop recorded, block by block, and handing it out in physical units."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from evsim.deploy.chip_network import ChipNetwork
from evsim.engine.advance import Samples
from evsim.engine.memory import Layout
from evsim.model import Readout
from evsim.network import Probe
from evsim.recording import Recordings, Signal, Spikes
from evsim.sources import SourceSpikes


@dataclass(eq=False)
class _Pieces:
    """The blocks of one probe's samples: labels (steps) and raw values (samples, cells)."""

    labels: list[np.ndarray] = field(default_factory=list)
    raw: list[np.ndarray] = field(default_factory=list)
    readouts: list[Readout] = field(default_factory=list)  # a changed network may read the state otherwise from then on


class Recorder:
    """Keeps the spikes and samples of one session since its start, reset or last clear."""

    def __init__(self, chip_network: ChipNetwork, layout: Layout) -> None:
        self._spike_label: list[np.ndarray] = []
        self._spike_neuron: list[np.ndarray] = []
        self._source_spikes: dict[int, list[SourceSpikes]] = {}
        self._pieces: dict[tuple[int, str, int, bytes], _Pieces] = {}
        self.follow(chip_network, layout)

    def follow(self, chip_network: ChipNetwork, layout: Layout) -> None:
        """Record what the probes of this network ask for from now on."""
        self._chip_network, self._layout = chip_network, layout
        self._signals = [probe for probe in chip_network.network.probes if probe.variable != "spikes"]
        place, first_cell, n_cells, cells = [], [], [], []
        count = 0
        for probe in self._signals:
            at = layout.neurons.index(probe.population)
            row = self._chip_network.neurons(probe.population).cells.readouts[probe.variable].row
            place.append(int(layout.populations.state[at]) + row * int(layout.populations.size[at]))
            first_cell.append(count)
            n_cells.append(len(probe.cells))
            cells.append(np.asarray(probe.cells, np.int64))
            count += len(probe.cells)
        self._place, self._first_cell = np.array(place, np.int64), np.array(first_cell, np.int64)
        self._n_cells = np.array(n_cells, np.int64)
        self._interval = np.array([probe.interval for probe in self._signals], np.int64)
        self._cell = np.concatenate([*cells, np.empty(0, np.int64)])

    @property
    def samples_per_step(self) -> float:
        """How many values a step records on average."""
        return float((self._n_cells / self._interval).sum()) if len(self._interval) else 0.0

    def block(self, steps: int) -> Samples:
        """Room for the samples of a block of steps."""
        capacity = (steps // self._interval + 2) * self._n_cells if len(self._interval) else np.empty(0, np.int64)
        begin = np.concatenate([[0], np.cumsum(capacity)]).astype(np.int64)
        values = np.empty(int(begin[-1]), self._chip_network.chip.rules.number)
        count = np.zeros(len(self._signals), np.int64)
        return Samples(
            self._place, self._first_cell, self._n_cells, self._interval, begin[:-1], count, self._cell, values
        )

    def take(self, samples: Samples, first_label: int) -> None:
        """Keep the samples of a block whose first possible label is ``first_label``."""
        for k, probe in enumerate(self._signals):
            count, width = int(samples.count[k]), len(probe.cells)
            if not count:
                continue
            raw = samples.values[samples.begin[k] : samples.begin[k] + count * width].reshape(count, width).copy()
            first = -(-first_label // probe.interval) * probe.interval
            pieces = self._pieces.setdefault(probe.key, _Pieces())
            pieces.labels.append(first + probe.interval * np.arange(count))
            pieces.raw.append(raw)
            pieces.readouts.append(self._chip_network.neurons(probe.population).cells.readouts[probe.variable])

    def take_spikes(self, label: np.ndarray, neuron: np.ndarray) -> None:
        """Keep the spikes of neurons of a block."""
        if len(label):
            self._spike_label.append(label.copy())
            self._spike_neuron.append(neuron.copy())

    def take_source(self, population: int, spikes: SourceSpikes) -> None:
        """Keep the spikes that a source emitted."""
        if len(spikes.label):
            self._source_spikes.setdefault(population, []).append(spikes)

    def clear(self) -> None:
        """Forget everything recorded so far."""
        self._spike_label.clear()
        self._spike_neuron.clear()
        self._source_spikes.clear()
        self._pieces.clear()

    def recordings(self, tally: np.ndarray) -> Recordings:
        """Everything kept, in physical units."""
        network = self._chip_network.network
        label = np.concatenate([*self._spike_label, np.empty(0, np.int64)])
        neuron = np.concatenate([*self._spike_neuron, np.empty(0, np.int64)])
        owner = np.searchsorted(self._layout.first_neuron, neuron, side="right") - 1
        spikes = tuple(
            self._spikes(probe, label, neuron, owner) for probe in network.probes if probe.variable == "spikes"
        )
        signals = tuple(self._signal(probe) for probe in self._signals)
        return Recordings(spikes, signals, self._tallies(tally))

    def _spikes(self, probe: Probe, label: np.ndarray, neuron: np.ndarray, owner: np.ndarray) -> Spikes:
        index = probe.population
        if index in self._layout.neurons:
            mine = owner == index
            cells = neuron[mine] - self._layout.first_neuron[index]
            times = np.asarray(label[mine] * self._chip_network.network.timestep, np.float64)
        else:
            pieces = self._source_spikes.get(index, [])
            cells = np.concatenate([*(piece.cell for piece in pieces), np.empty(0, np.int64)])
            times = np.concatenate([*(piece.time for piece in pieces), np.empty(0)])
        return Spikes.chosen(index, times, cells, np.isin(cells, probe.cells))

    def _signal(self, probe: Probe) -> Signal:
        population = self._chip_network.neurons(probe.population)
        pieces = self._pieces.get(probe.key, _Pieces())
        cells = np.asarray(probe.cells, np.int64)
        number = self._chip_network.chip.rules.number
        raw = np.concatenate([*pieces.raw, np.empty((0, len(cells)), number)])
        labels = np.concatenate([*pieces.labels, np.empty(0, np.int64)])
        values = [readout.physical(part, cells) for readout, part in zip(pieces.readouts, pieces.raw, strict=True)]
        return Signal(
            probe.population,
            probe.variable,
            population.model.recordables[probe.variable],
            cells,
            labels * self._chip_network.network.timestep,
            np.concatenate([*values, np.empty((0, len(cells)))]),
            raw if self._chip_network.chip.rules.is_exact else None,
        )

    def _tallies(self, tally: np.ndarray) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for at, index in enumerate(self._layout.neurons):
            population = self._chip_network.neurons(index)
            names = population.model.rules[self._chip_network.chip.rules.name].tallies
            counts = {name: int(tally[at, k]) for k, name in enumerate(names) if tally[at, k]}
            if counts:
                found[population.label] = counts
        return found
