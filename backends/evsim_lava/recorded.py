"""Reading what Lava's recorders wrote, in physical units."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from evsim.deploy.chip_network import ChipNetwork, ChipPopulation
from evsim.network import Probe
from evsim.recording import Recordings, Signal, Spikes
from evsim.sources import SourceSpikes
from evsim_lava.lower import sample_plans, spike_file, state_names


def read(
    chip_network: ChipNetwork, folder: Path, source_spikes: dict[int, list[SourceSpikes]], labels: range
) -> Recordings:
    """What was recorded.

    Args:
        source_spikes: those that sources emitted since the last clear, by population.
        labels: those to read, from that of the start or the last clear to the present one.
    """
    spikes, signals = [], []
    for probe in chip_network.network.probes:
        if probe.variable == "spikes":
            spikes.append(_spikes(chip_network, probe, folder, source_spikes, labels))
        else:
            signals.append(_signal(chip_network, probe, folder, labels))
    return Recordings(tuple(spikes), tuple(signals))


def _spikes(
    chip_network: ChipNetwork,
    probe: Probe,
    folder: Path,
    source_spikes: dict[int, list[SourceSpikes]],
    labels: range,
) -> Spikes:
    if isinstance(chip_network.populations[probe.population], ChipPopulation):
        path = spike_file(folder, probe.population)
        events = np.fromfile(path, np.int64).reshape(-1, 2) if path.exists() else np.empty((0, 2), np.int64)
        events = events[events[:, 0] > labels.start] if labels else events[:0]
        times, cells = events[:, 0] * chip_network.network.timestep, events[:, 1]
    else:
        pieces = source_spikes.get(probe.population, [])
        times = np.concatenate([np.empty(0), *(piece.time for piece in pieces)])
        cells = np.concatenate([np.empty(0, np.int64), *(piece.cell for piece in pieces)])
    return Spikes.chosen(probe.population, times, cells, np.isin(cells, probe.cells))


def _signal(chip_network: ChipNetwork, probe: Probe, folder: Path, labels: range) -> Signal:
    population = chip_network.neurons(probe.population)
    readout = population.cells.readouts[probe.variable]
    place = state_names(chip_network, probe.population)[readout.row]
    (sample,) = (s for s in sample_plans(chip_network, probe.population, folder) if s.variable == place)
    start = population.cells.state[readout.row][sample.cells]
    table = np.fromfile(sample.path, np.int32) if sample.path.exists() else np.empty(0, np.int32)
    table = np.concatenate([start[None, :], table.reshape(-1, len(sample.cells))])
    chosen = np.array([label for label in labels if label % probe.interval == 0], np.int64)
    cells = np.asarray(probe.cells, np.int64)
    raw = table[np.ix_(chosen // sample.interval, np.searchsorted(sample.cells, cells))]
    return Signal(
        probe.population,
        probe.variable,
        population.model.recordables_in(chip_network.chip.rules.name)[probe.variable],
        cells,
        chosen * chip_network.network.timestep,
        readout.physical(raw, cells),
        raw,
    )
