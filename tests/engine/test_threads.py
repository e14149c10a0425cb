"""Results do not depend on how many threads run a network."""

import gc
import os
import signal
import threading
import time

import numpy as np
import pytest

from evsim.backend import Target
from evsim.engine.memory import BLOCK
from evsim.engine.threads import Workers
from evsim.reference import ReferenceBackend


def recordings(network, chip, threads, pieces=(250,), change=None):
    session = ReferenceBackend().start(network, Target("reference", chip, {"threads": threads}))
    for number, steps in enumerate(pieces):
        if number and change is not None:
            session.update(change)
        session.run(steps)
    return session.recordings()


def busy_network(nets, seed, size=2 * BLOCK + 90, excitation=1.6):
    """Several blocks of two populations, random weights and delays, noise that is counted and noise in events."""
    rng = np.random.default_rng(seed)
    populations = (
        nets.cells(size, "a", tau_refrac=1.0),
        nets.cells(BLOCK + 3, "b", v_reset=-70.0),
        nets.poisson(size, 900.0, "counted"),
        nets.poisson(40, 60.0, "events"),
    )
    every = [(i, i, 1.3, 2) for i in range(size)]
    projections = (
        nets.connect(0, 0, nets.random_rows(rng, size, size, 6000, (0.0, excitation), 7)),
        nets.connect(0, 1, nets.random_rows(rng, size, BLOCK + 3, 6000, (0.0, excitation), 7)),
        nets.connect(1, 0, nets.random_rows(rng, BLOCK + 3, size, 3000, (-2.0, 0.0), 20), "inhibitory"),
        nets.connect(2, 0, every),
        nets.connect(3, 1, nets.random_rows(rng, 40, BLOCK + 3, 3000, (0.5, 3.0), 5)),
    )
    probes = nets.record_all(populations, "spikes", "v")
    return nets.Network(0.5, populations, projections, (), probes, seed=seed)


def assert_same(ours, theirs):
    for a, b in zip(ours.spikes, theirs.spikes, strict=True):
        assert np.array_equal(a.times, b.times) and np.array_equal(a.neurons, b.neurons)
    for a, b in zip(ours.signals, theirs.signals, strict=True):
        assert np.array_equal(a.values, b.values) and np.array_equal(a.times, b.times)
    assert ours.tallies == theirs.tallies


@pytest.mark.parametrize("chip", ["ideal", "spinnaker1", "loihi1", "loihi2"])
def test_threads_do_not_change_a_bit(nets, chip):
    network = busy_network(nets, 5)
    one = recordings(network, chip, 1)
    assert all(len(spikes.times) > 100 for spikes in one.spikes)
    assert_same(one, recordings(network, chip, 2))
    assert_same(one, recordings(network, chip, 3, pieces=(1, 99, 150)))


def test_threads_agree_on_a_network_that_changes(nets):
    network, change = busy_network(nets, 5), busy_network(nets, 5, excitation=1.9)
    runs = [recordings(network, "ideal", threads, (60, 90), change) for threads in (1, 2)]
    assert_same(*runs)


def test_counts_of_lost_bits_do_not_depend_on_threads(nets):
    """Several threads count for the same population at the same time."""
    size = 40 * BLOCK
    populations = (nets.cells(size), nets.array_source([np.arange(1.0, 200.0)]))
    projections = (nets.connect(1, 0, [(0, cell, -900.0, 1) for cell in range(size)], "inhibitory"),)
    network = nets.Network(1.0, populations, projections)
    one = recordings(network, "loihi2", 1, pieces=(200,))
    assert one.tallies["cells"]["clipped"] > 1000
    assert one.tallies == recordings(network, "loihi2", 4, pieces=(200,)).tallies


def test_more_threads_than_blocks(nets):
    network = nets.Network(1.0, (nets.cells(3, i_offset=2.0),), probes=nets.record_all((nets.cells(3),), "spikes"))
    assert_same(recordings(network, "ideal", 1), recordings(network, "ideal", 5))


def test_one_that_fails_stops_the_others():
    stop = np.zeros(1, np.int64)

    def wait():
        while not stop[0]:
            pass

    def fail():
        raise ValueError("broken")

    workers = Workers(2)
    with pytest.raises(ValueError, match="broken"):
        workers.run([wait, fail], stop)
    assert workers.run([lambda: 1, lambda: 2], stop) == [1, 2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_process_that_forks_can_go_on_in_both():
    workers, stop = Workers(2), np.zeros(1, np.int64)
    assert workers.run([lambda: 1, lambda: 2], stop) == [1, 2]
    child = os.fork()
    if not child:
        os._exit(workers.run([lambda: 3, lambda: 4], stop) != [3, 4])
    deadline = time.monotonic() + 30
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.01)
    assert ended[1] == 0
    assert workers.run([lambda: 5, lambda: 6], stop) == [5, 6]


def test_threads_end_with_the_simulation():
    before = threading.active_count()
    workers = Workers(3)
    workers.run([lambda: None] * 3, np.zeros(1, np.int64))
    assert threading.active_count() > before
    del workers
    gc.collect()
    deadline = time.monotonic() + 30
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before
