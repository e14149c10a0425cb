"""Bring what targets recorded onto one time axis, by what their rule sets state and never by fitting.

A spike that a neuron fires in time step k is labelled k + ``RuleSet.spike_label``: the same event has the label k + 1
in ``ideal`` and k in ``spinnaker1``. Spikes of neurons are therefore compared by their step k. Spikes of sources are
given times, and samples of variables are labelled alike by all rule sets, so neither is shifted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from evsim.network import Network
from evsim.recording import Signal
from evsim.results.outcome import Outcome, Stretch
from evsim.sources import is_source


@dataclass(frozen=True, eq=False)
class SpikeTable:
    """The recorded spikes of one population, sorted by step and then by neuron.

    Attributes:
        size: number of cells of the population.
        cells: ascending, those whose spikes were recorded.
        is_source: whether the population only emits given spikes.
        steps: (n,) int64; the step in which a neuron fired, or the label of a source's spike.
        neurons: (n,) int64.
    """

    population: str
    size: int
    cells: NDArray[np.int64]
    is_source: bool
    steps: NDArray[np.int64]
    neurons: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Samples:
    """The recorded samples of one variable of one population.

    Attributes:
        labels: (s,) int64, time labels in steps, ascending.
        values: (s, c) in ``unit``; raw: the chip's integers, or None.
    """

    population: str
    variable: str
    unit: str
    cells: NDArray[np.int64]
    labels: NDArray[np.int64]
    values: NDArray[np.float64]
    raw: NDArray[np.int32] | None


@dataclass(frozen=True, eq=False)
class Segment:
    """One run from t = 0 of one target.

    Attributes:
        timestep: ms.
        steps: how many time steps were recorded.
        first: the step at which the recording begins.
        spikes: population -> spikes; a population without data is absent.
        samples: (population, variable) -> the samples, one entry for each group of cells recorded together.
        weights: (index, label) of a plastic projection -> its weights (n,) at the end of the run.
    """

    number: int
    timestep: float
    steps: int
    first: int
    spikes: Mapping[str, SpikeTable] = field(default_factory=dict)
    samples: Mapping[tuple[str, str], Samples] = field(default_factory=dict)
    weights: Mapping[tuple[int, str], NDArray[np.float64]] = field(default_factory=dict)

    @property
    def duration(self) -> float:
        """The recorded time (ms)."""
        return self.steps * self.timestep


def segments(outcome: Outcome) -> list[Segment]:
    """The runs of one target on the common time axis."""
    numbers = dict.fromkeys(stretch.segment for stretch in outcome.stretches)
    return [
        _segment(number, [stretch for stretch in outcome.stretches if stretch.segment == number], outcome)
        for number in numbers
    ]


def _segment(number: int, stretches: list[Stretch], outcome: Outcome) -> Segment:
    spikes: dict[str, list[SpikeTable]] = {}
    samples: dict[tuple[str, str], list[Samples]] = {}
    for stretch in stretches:
        for table in _spike_tables(stretch, outcome.chip.rules.spike_label):
            spikes.setdefault(table.population, []).append(table)
        for signal in stretch.recordings.signals:
            part = _samples(signal, stretch.network)
            samples.setdefault((part.population, part.variable), []).append(part)
    return Segment(
        number,
        stretches[0].network.timestep,
        sum(stretch.steps for stretch in stretches),
        min(stretch.start for stretch in stretches),
        {name: _joined_spikes(parts) for name, parts in spikes.items()},
        {key: _joined_samples(parts) for key, parts in samples.items()},
        {
            (index, stretch.network.projections[index].label): weights
            for stretch in stretches
            for index, weights in stretch.weights.items()
        },
    )


def _spike_tables(stretch: Stretch, spike_label: int) -> list[SpikeTable]:
    network = stretch.network
    recorded = {probe.population: probe.cells for probe in network.probes if probe.variable == "spikes"}
    tables = []
    for spikes in stretch.recordings.spikes:
        population = network.populations[spikes.population]
        from_source = is_source(population)
        # A source's exact time belongs to the nearest step, by which it is delivered.
        labels = np.floor(spikes.times / network.timestep + 0.5).astype(np.int64)
        steps = labels if from_source else labels - spike_label
        order = np.lexsort((spikes.neurons, steps))
        cells = recorded.get(spikes.population, np.arange(population.size))
        tables.append(
            SpikeTable(
                population.label,
                population.size,
                np.asarray(cells, np.int64),
                from_source,
                steps[order],
                np.asarray(spikes.neurons, np.int64)[order],
            )
        )
    return tables


def _samples(signal: Signal, network: Network) -> Samples:
    labels = np.rint(signal.times / network.timestep).astype(np.int64)
    label = network.populations[signal.population].label
    return Samples(label, signal.variable, signal.unit, signal.cells, labels, signal.values, signal.raw)


def _joined_spikes(parts: list[SpikeTable]) -> SpikeTable:
    first = parts[0]
    steps = np.concatenate([part.steps for part in parts])
    neurons = np.concatenate([part.neurons for part in parts])
    order = np.lexsort((neurons, steps))
    cells = np.unique(np.concatenate([part.cells for part in parts]))
    return SpikeTable(first.population, first.size, cells, first.is_source, steps[order], neurons[order])


def _joined_samples(parts: list[Samples]) -> Samples:
    """One table of the cells that every part has; a label at which one part ends and the next begins is kept once."""
    first = parts[0]
    cells = first.cells
    for part in parts[1:]:
        cells = np.intersect1d(cells, part.cells)
    labels, kept = np.unique(np.concatenate([part.labels for part in parts]), return_index=True)
    columns = [np.searchsorted(part.cells, cells) for part in parts]
    values = np.concatenate([part.values[:, chosen] for part, chosen in zip(parts, columns, strict=True)])[kept]
    raw = None
    if all(part.raw is not None for part in parts):
        raw = np.concatenate([part.raw[:, chosen] for part, chosen in zip(parts, columns, strict=True)])[kept]  # pyright: ignore[reportOptionalSubscript]
    return Samples(first.population, first.variable, first.unit, cells, labels, values, raw)
