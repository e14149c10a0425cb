"""Synapses of Loihi's learning engine: threads, cuts, changes and silence make no difference.

What the weights become is compared with Lava in ``tests/agreement/test_lava_learning.py``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import learning_on_loihi as learning
from evsim.chip import load_chip
from evsim.deploy.quantise import quantise
from evsim.engine.traced_memory import PERIOD
from evsim.network import Network
from evsim.reference import ReferenceSession
from evsim.synapses import Listed

STEPS = 3 * PERIOD


def started(net: Network, threads: int = 1) -> ReferenceSession:
    return ReferenceSession(net, load_chip(learning.CHIP), threads)


def result(net: Network, pieces, threads: int = 1) -> tuple[list, list]:
    session = started(net, threads)
    for steps in pieces:
        session.run(steps)
    plastic = [index for index, projection in enumerate(net.projections) if projection.plasticity]
    spikes = [(found.times.tolist(), found.neurons.tolist()) for found in session.recordings().spikes]
    return spikes, [session.weights(index).tolist() for index in plastic]


def test_threads_and_cuts_change_nothing():
    net = learning.network(n_post=1000, delays=9)
    whole = result(net, [STEPS])
    assert len(whole[0][1][0]) > 0
    assert result(net, [3, 0, PERIOD, 1, STEPS - PERIOD - 4], threads=2) == whole
    assert result(net, [1] * STEPS, threads=2) == whole


def test_looking_at_weights_changes_nothing():
    net = learning.random_network(5, STEPS)
    session = started(net)
    for _ in range(STEPS // 8):
        session.run(8)
        session.weights(0)
    assert session.weights(0).tolist() == result(net, [STEPS])[1][0]


def test_the_seed_alone_decides_what_is_rounded(nets):
    trains = [np.arange(5.0 + k, STEPS, 60.0) for k in range(20)]

    def weights(seed: int) -> np.ndarray:
        net = learning.network(seed=1)
        populations = nets.array_source(trains), net.populations[1]
        session = started(replace(net, populations=populations, probes=(), seed=seed))
        session.run(STEPS)
        return session.weights(0)

    assert weights(1).tolist() == weights(1).tolist()
    assert weights(1).tolist() != weights(2).tolist()


def test_a_network_that_changes_keeps_what_its_synapses_have_been_through():
    """A static projection is replaced by one like it, so that all synapses are laid out anew in the middle of a run."""
    net = learning.random_network(7, STEPS)
    session = started(net)
    for _ in range(4):
        session.run(STEPS // 4)
        *learns, static = net.projections
        net = replace(net, projections=(*learns, replace(static)))
        session.update(net)
    whole = result(net, [STEPS])
    assert [session.weights(index).tolist() for index in range(4)] == whole[1]
    assert [found.times.tolist() for found in session.recordings().spikes] == [times for times, _ in whole[0]]


def test_weights_that_are_set_anew_are_where_learning_goes_on():
    net = learning.network()
    session = started(net)
    session.run(100)
    (before,) = net.projections
    synapses = Listed(before.source, before.target, np.full(len(before), 3.0), before.delay)
    session.update(replace(net, projections=(replace(before, synapses=synapses),)))
    assert session.weights(0) == pytest.approx(np.full(len(before), 3.0))
    session.run(100)
    assert session.weights(0).min() < 3.0


def test_reset_goes_back_to_the_weights_at_the_start():
    net = learning.network()
    session = started(net)
    start = session.weights(0).tolist()
    held = quantise(net, load_chip(learning.CHIP)).projections[0]
    assert start == held.hold.physical(held.weight).tolist()
    session.run(STEPS)
    first = session.weights(0).tolist()
    session.reset()
    assert session.weights(0).tolist() == start != first
    session.run(STEPS)
    assert session.weights(0).tolist() == first


def test_nothing_is_learned_where_the_target_is_silent(nets):
    """Its weights stay, whatever the sources do; and a pair long ago does not count."""
    populations = (nets.array_source([np.arange(2.0, STEPS, 9.0)]), nets.cells(1))
    projection = learning.plastic(nets.connect(0, 1, [(0, 0, 0.1, 3)]), 0.3)
    session = started(Network(1.0, populations, (projection,)))
    start = session.weights(0).tolist()
    session.run(STEPS)
    assert session.weights(0).tolist() == start
