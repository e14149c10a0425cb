"""Noise that is counted does what the same spikes do when they are sent one by one."""

from dataclasses import replace

import numpy as np
import pytest

from evsim.backend import Target
from evsim.chip import load_chip
from evsim.deploy.quantise import quantise
from evsim.engine.feeds import fed
from evsim.engine.memory import BLOCK
from evsim.network import Trains
from evsim.reference import ReferenceBackend
from evsim.sources import PoissonCounts, source_of

STEPS = 150


def noisy(nets, pairs, rate=1500.0, size=BLOCK + 60, delay=3, start=0.0, duration=1e10, weights=(0.2, 0.9)):
    """Neurons fed by as many sources, connected in pairs (source, target); ``weights`` from the first to the last."""
    populations = (nets.cells(size, "cells"), nets.poisson(size, rate, "noise", start, duration))
    rows = [(s, t, w, delay) for (s, t), w in zip(pairs, np.linspace(weights[0], weights[1], len(pairs)), strict=True)]
    probes = nets.record_all(populations, "spikes", "v")
    return nets.Network(0.5, populations, (nets.connect(1, 0, rows),), (), probes, seed=11)


def one_by_one(nets, network, labels=(0, STEPS)):
    """The same network with the source's own spikes as given trains, which are queued as events."""
    source = source_of(network, 1)
    spikes = source.spikes(*labels)
    trains = [spikes.time[spikes.cell == cell] for cell in range(network.populations[1].size)]
    given = nets.array_source(trains, "noise")
    return replace(network, populations=(network.populations[0], replace(given, trains=Trains.from_lists(trains))))


def start(network, chip):
    return ReferenceBackend().start(network, Target("reference", chip))


def run(network, chip, steps=STEPS):
    session = start(network, chip)
    session.run(steps)
    return session.recordings()


def is_fed(network, chip="ideal") -> bool:
    sources = {1: source_of(network, 1)}
    return bool(fed(quantise(network, load_chip(chip)), sources))


def assert_alike(a, b, chip):
    """The sums of floating-point weights may differ in their last bits, integers not."""
    exact = chip != "ideal"
    for x, y in zip(a.signals, b.signals, strict=True):
        assert np.array_equal(x.values, y.values) if exact else np.allclose(x.values, y.values, rtol=0, atol=1e-9)
    for x, y in zip(a.spikes, b.spikes, strict=True):
        assert np.array_equal(x.neurons, y.neurons) and np.allclose(x.times, y.times, atol=1e-9)


@pytest.mark.parametrize("chip", ["ideal", "spinnaker1", "loihi1", "loihi2"])
@pytest.mark.parametrize(
    "first, last, shift",
    [(0, BLOCK + 60, 0), (20, BLOCK + 2, 0), (BLOCK - 6, BLOCK + 8, 4), (40, 90, -40)],
)
def test_counted_noise_is_the_same_spikes(nets, chip, first, last, shift):
    network = noisy(nets, [(i + shift, i) for i in range(first, last)])
    assert is_fed(network, chip)
    ours = run(network, chip)
    assert len(ours.spikes[0].times) > 50
    assert_alike(ours, run(one_by_one(nets, network), chip), chip)


@pytest.mark.parametrize("chip", ["ideal", "spinnaker1", "loihi1", "loihi2"])
def test_weights_that_are_all_equal(nets, chip):
    network = noisy(nets, [(i, i) for i in range(BLOCK + 60)], weights=(0.6, 0.6))
    assert is_fed(network, chip)
    assert_alike(run(network, chip), run(one_by_one(nets, network), chip), chip)


def test_noise_that_starts_and_stops(nets):
    network = noisy(nets, [(i, i) for i in range(BLOCK)], start=10.0, duration=30.0)
    assert is_fed(network)
    ours = run(network, "ideal")
    times = ours.spikes[1].times
    assert times.min() > 10.0 and times.max() <= 40.0
    assert_alike(ours, run(one_by_one(nets, network), "ideal"), "ideal")


@pytest.mark.parametrize("pairs", [[(1, 1), (2, 2)], [(0, 0), (1, 3)], [(0, 0), (0, 1)], [(2, 1), (3, 2)]])
def test_what_is_not_one_to_one_in_even_pairs_is_sent_as_events(nets, pairs):
    network = noisy(nets, pairs)
    assert isinstance(source_of(network, 1), PoissonCounts)
    assert not is_fed(network)
    assert_alike(run(network, "ideal"), run(one_by_one(nets, network), "ideal"), "ideal")


@pytest.mark.parametrize("chip", ["ideal", "spinnaker1", "loihi2"])
def test_a_change_of_rate_keeps_what_is_under_way(nets, chip):
    """The spikes sent before the change arrive after it; those of the new rate begin after it."""
    pairs = [(i, i) for i in range(BLOCK + 60)]
    network, silent = noisy(nets, pairs, delay=9), noisy(nets, pairs, rate=0.0, delay=9)
    session = start(network, chip)
    session.run(60)
    session.update(replace(silent, populations=(network.populations[0], silent.populations[1])))
    session.run(90)
    events = start(one_by_one(nets, network, (0, 60)), chip)
    events.run(150)
    assert_alike(session.recordings(), events.recordings(), chip)


def test_a_source_can_be_recorded_from_a_later_run_on(nets):
    network = noisy(nets, [(i, i) for i in range(BLOCK)])
    unseen = replace(network, probes=tuple(probe for probe in network.probes if probe.population != 1))
    session = start(unseen, "ideal")
    session.run(60)
    session.update(network)
    session.run(90)
    later, whole = session.recordings().spikes[-1], run(network, "ideal").spikes[-1]
    assert later.population == whole.population == 1
    assert np.array_equal(later.times, whole.times[whole.times > 30.0]) and len(later.times)


def test_a_run_cut_into_pieces_is_the_same_run(nets):
    network = noisy(nets, [(i, i) for i in range(BLOCK + 60)], delay=7)
    session = start(network, "spinnaker1")
    for steps in (1, 4, 0, 55, 90):
        session.run(steps)
    assert_alike(session.recordings(), run(network, "spinnaker1"), "spinnaker1")
