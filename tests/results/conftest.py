"""Hand-made outcomes of runs."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from evsim.backend import Target
from evsim.chip import load_chip
from evsim.network import Network, Probe
from evsim.recording import Recordings, Signal, Spikes
from evsim.results.outcome import Outcome


@pytest.fixture(scope="session")
def hand(nets) -> SimpleNamespace:
    """``hand.network()`` and ``hand.outcome(...)`` make what runs would have left behind."""

    def network(size: int = 3, timestep: float = 1.0) -> Network:
        cells, given = nets.cells(size), nets.array_source([[1.0]] * 2)
        probes = tuple(Probe(i, "spikes", np.arange(p.size, dtype=np.int32)) for i, p in enumerate((cells, given)))
        return Network(timestep, (cells, given), probes=(*probes, Probe(0, "v", np.array([0, 2], np.int32))))

    def spikes(population: int, events) -> Spikes:
        events = sorted(events)
        times, neurons = (np.array([event[k] for event in events]) for k in (0, 1))
        return Spikes(population, times.astype(float), neurons.astype(np.int64))

    def stretch(
        net: Network, neurons=(), source=(), v=None, raw=None, steps=100, segment=0, start=0, tallies=None, weights=None
    ):
        signals = ()
        if v is not None:
            values = np.asarray(v, float)
            times = (start + np.arange(len(values))) * net.timestep
            integers = None if raw is None else np.asarray(raw, np.int32)
            signals = (Signal(0, "v", "mV", np.array([0, 2]), times, values, integers),)
        recordings = Recordings((spikes(0, neurons), spikes(1, source)), signals, tallies or {})
        return SimpleNamespace(
            network=net, recordings=recordings, steps=steps, segment=segment, start=start, weights=weights or {}
        )

    def outcome(chip: str, *stretches, name: str | None = None) -> Outcome:
        return Outcome(name or f"reference:{chip}", Target("reference", chip), load_chip(chip), stretches)

    return SimpleNamespace(network=network, stretch=stretch, outcome=outcome)
