"""Synapses that release a part of their weight: the same however they are run, and going on when a network changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from builders import array_source, cells
from evsim.chip import load_chip
from evsim.deploy.quantise import quantise
from evsim.network import Network, Population, Probe
from evsim.synapses import Listed
from releasing_networks import (
    DT,
    DYNAMICS,
    LAWS,
    N_CELLS,
    N_SOURCES,
    N_SYNAPSES,
    STEPS,
    SYNAPSE,
    conductance,
    connection,
    network,
    release,
    simulation,
)

# --- the same in any way that it is run ------------------------------------------------------------------------------


def busy(rule: str) -> Network:
    """Several blocks of neurons that drive each other and themselves."""
    rng = np.random.default_rng(4)
    size, count = 1100, 6000
    ends = [rng.integers(0, n, count).astype(np.int32) for n in (40, size, size, size)]
    weights = rng.uniform(0.5, 2.0, count), rng.uniform(0.0, 1.0, count)
    lengths = [rng.integers(1, 9, count).astype(np.int32) for _ in range(2)]
    varied = "p" if rule == "Bernoulli" else "U"
    given = release(rule, count, {**LAWS[rule], varied: rng.uniform(0.1, 0.9, count)})
    return Network(
        DT,
        (
            Population("noise", "SpikeSourcePoisson", 40, dict.fromkeys(("rate",), np.full(40, 120.0)) | ALWAYS),
            cells(size, i_offset=0.6),
        ),
        (
            connection(given, Listed(ends[0], ends[1], weights[0], lengths[0])),
            connection(given, Listed(ends[2], ends[3], weights[1], lengths[1]), 1, 1),
        ),
        probes=(Probe(1, "v", np.arange(size, dtype=np.int32)), Probe(1, "spikes", np.arange(size, dtype=np.int32))),
        seed=8,
    )


ALWAYS = {"start": np.zeros(40), "duration": np.full(40, 1e9)}


@pytest.mark.parametrize("rule", SYNAPSE)
def test_neither_threads_nor_pieces_nor_a_reset_change_a_bit(rule: str):
    net = busy(rule)
    one, two = simulation(net), simulation(net, threads=2)
    one.run(200)
    for piece in (1, 60, 139):
        two.run(piece)
    first = one.recordings()
    assert len(first.spikes[0].times) > 500
    one.reset()
    one.run(200)
    for other in (two.recordings(), one.recordings()):
        assert np.array_equal(first.signals[0].values, other.signals[0].values)
        assert np.array_equal(first.spikes[0].times, other.spikes[0].times)


def test_another_seed_draws_other_numbers():
    net = network(release("Bernoulli", N_SYNAPSES, {"p": 0.5}), [2])
    runs = [simulation(replace(net, seed=seed)) for seed in (8, 9)]
    for sim in runs:
        sim.run(STEPS)
    assert not np.array_equal(conductance(runs[0]), conductance(runs[1]))


# --- changes while it runs -------------------------------------------------------------------------------------------


def changed_run(net: Network, change: Network, at: int = 300, threads: int = 1) -> np.ndarray:
    sim = simulation(net, threads)
    sim.run(at)
    sim.update(quantise(change, load_chip("ideal")))
    sim.run(STEPS - at)
    return conductance(sim)


@pytest.mark.parametrize("rule", SYNAPSE)
def test_synapses_go_on_from_where_they_are(rule: str):
    """A change of something else, and one of weights alone, which are twice as large for what is sent after it."""
    net = network(release(rule, N_SYNAPSES, LAWS[rule]), [1, 4, 9])
    whole = simulation(net)
    whole.run(STEPS)
    other = replace(net, probes=(*net.probes, Probe(1, "v", np.arange(N_CELLS, dtype=np.int32))))
    np.testing.assert_array_equal(changed_run(net, other), conductance(whole))
    (before,) = net.projections
    twice = before.synapses.replaced(weight=2 * before.weight)
    found = changed_run(net, replace(net, projections=(replace(before, synapses=twice),)))
    np.testing.assert_allclose(found, split(net, 2.0), rtol=0, atol=1e-12)


def split(net: Network, factor: float) -> np.ndarray:
    """The conductance when spikes after step 300 count for so much more.

    All of them once, and the late ones again, which is what is left without the early ones: what those release does not
    depend on what comes after them.
    """
    given = net.populations[0].trains
    assert given is not None
    early = array_source([given.of(i)[given.of(i) <= 300 * DT] for i in range(N_SOURCES)])
    runs = []
    for each in (net, replace(net, populations=(early, net.populations[1]))):
        sim = simulation(each)
        sim.run(STEPS)
        runs.append(conductance(sim))
    return factor * runs[0] - (factor - 1) * runs[1]


def test_delays_and_threads_may_change_on_the_way():
    """What a synapse has been through is its source's spikes, however long they take."""
    net = network(release("MultiQuantal", N_SYNAPSES, LAWS["MultiQuantal"]), [1, 4, 9])
    (before,) = net.projections
    rng = np.random.default_rng(9)
    other = before.synapses.replaced(delay=rng.choice([2, 3], N_SYNAPSES).astype(np.int32))
    change = replace(net, projections=(replace(before, synapses=other),))
    late = simulation(change)
    late.run(STEPS)
    found = changed_run(net, change)
    np.testing.assert_array_equal(found, changed_run(net, change, threads=2))
    # the random numbers are those of the spikes, so that after some time both are the same
    np.testing.assert_allclose(found[500:], conductance(late)[500:], rtol=0, atol=1e-12)


def test_numbers_that_change_hold_from_then_on():
    net = network(release("TsodyksMarkram", N_SYNAPSES, DYNAMICS), [2])
    (before,) = net.projections
    idle = release("TsodyksMarkram", N_SYNAPSES, {**DYNAMICS, "U": 0.0, "tau_facil": 0.0})
    found = changed_run(net, replace(net, projections=(replace(before, release=idle),)))
    at = 303  # what was sent before step 300 has arrived
    decay = np.exp(-np.arange(STEPS + 1 - at) * DT / 4.0)[:, None]
    np.testing.assert_allclose(found[at:], found[at] * decay, rtol=1e-9)


def test_a_change_of_the_targets_response_reaches_the_synapses():
    given = release("TsodyksMarkram", N_SYNAPSES, {"U": 0.9, "tau_rec": 300.0, "tau_facil": 0.0})
    net = network(given, [1])
    slow = network(given, [1], tau_syn=60.0).populations[1]
    found = changed_run(net, replace(net, populations=(net.populations[0], slow)), at=0)
    whole = simulation(replace(net, populations=(net.populations[0], slow)))
    whole.run(STEPS)
    np.testing.assert_array_equal(found, conductance(whole))
    later = changed_run(net, replace(net, populations=(net.populations[0], slow)), at=1)
    np.testing.assert_allclose(later, conductance(whole), rtol=0, atol=1e-12)


def test_a_state_that_is_set_is_the_state_from_then_on():
    """Even where it is set to what it was at t = 0: with all resources active and no use, nothing is released."""
    start = {"u": 0.0, "x": 0.0, "y": 1.0}
    law = {"U": 0.5, "tau_rec": 1e9, "tau_facil": 0.0}
    net = network(release("TsodyksMarkram", N_SYNAPSES, law), [2])
    (before,) = net.projections
    spent = release("TsodyksMarkram", N_SYNAPSES, law, start)
    change = replace(before, release=replace(spent, times_set=dict.fromkeys(start, 1)))
    found = changed_run(net, replace(net, projections=(change,)))
    decay = np.exp(-np.arange(STEPS + 1 - 303) * DT / 4.0)[:, None]
    np.testing.assert_allclose(found[303:], found[303] * decay, rtol=0, atol=1e-8)  # tau_rec is not endless
    assert before.release is not None
    afresh = replace(before, release=replace(before.release, initial={"x": np.ones(N_SYNAPSES)}, times_set={"x": 1}))
    again = changed_run(net, replace(net, projections=(afresh,)))
    whole = simulation(net)
    whole.run(STEPS)
    assert again[303:].sum() > 1.5 * conductance(whole)[303:].sum()
