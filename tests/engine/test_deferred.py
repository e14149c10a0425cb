"""SpiNNaker's plastic synapses in the engine, against the firmware's rule event by event and against themselves."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import numpy as np
import pytest

from evsim.chip import load_chip
from evsim.deploy.quantise import quantise
from evsim.deploy.spinnaker_plastic import SpinnakerPlasticity
from evsim.deploy.spinnaker_traces import decay_table
from evsim.engine.simulation import Simulation
from evsim.network import Network, Plasticity, Population, Projection, Trains
from evsim.synapses import Listed

CHIP = load_chip("spinnaker1")
CELL = {"tau_refrac": 1.0, "tau_syn_E": 3.0, "tau_syn_I": 3.0, "i_offset": 2.0}
ADDITIVE, MULTIPLICATIVE = "AdditiveWeightDependence", "MultiplicativeWeightDependence"
N_PRE, N_POST = 20, 10


def plasticity(weight: str = ADDITIVE, **changes: float) -> Plasticity:
    amplitudes = {"A_plus": 0.07, "A_minus": 0.05}
    bounds = {"tau_plus": 15.0, "tau_minus": 20.0, "w_min": 0.1, "w_max": 2.0}
    return Plasticity("SpikePairRule", weight, {**amplitudes, **bounds, **changes})


def network(nets, rule: Plasticity, delays, steps: int = 600, rate: float = 20.0, n_post: int = N_POST) -> Network:
    """Sources onto neurons that their current keeps firing: plastic synapses, and static ones of short delay."""
    rng = np.random.default_rng(7)
    trains = [np.unique(rng.integers(0, steps, rng.poisson(rate * steps / 1000) + 2)) for _ in range(N_PRE)]
    count = 12 * n_post
    pairs = rng.permutation(N_PRE * n_post)[:count]
    ends = (pairs // n_post).astype(np.int32), (pairs % n_post).astype(np.int32)
    plastic = Listed(*ends, rng.uniform(0.1, 1.9, count), rng.choice(delays, count).astype(np.int32))
    static = Listed(*ends, np.full(count, 0.3), np.ones(count, np.int32))
    populations = (
        Population("sources", "SpikeSourceArray", N_PRE, {}, trains=Trains.from_lists([t * 1.0 for t in trains])),
        nets.cells(n_post, "neurons", **CELL),
    )
    projections = (
        Projection("plastic", 0, 1, "excitatory", "STDPMechanism", plastic, rule),
        Projection("static", 0, 1, "excitatory", "StaticSynapse", static),
    )
    return Network(1.0, populations, projections, probes=nets.record_all(populations, "spikes", "v"))


def simulation(net: Network, threads: int = 1) -> Simulation:
    return Simulation(quantise(net, CHIP), threads)


def wrapped(trace: int) -> int:
    return (trace + 2**15) % 2**16 - 2**15


def word_after(word: int, pre, post, delay: int, rule: SpinnakerPlasticity) -> int:
    """The stored weight of one synapse after the arrivals of a source."""
    plus, minus = (decay_table(tau, 1.0).astype(int) for tau in rule.taus)

    def left(trace: int, steps: int, table) -> int:
        return trace * int(table[steps]) >> 11 if 0 <= steps < len(table) else 0

    stage = (delay - 1) // rule.ring * rule.ring
    dendritic = delay % rule.ring
    last = trace = 0
    for now in pre + stage:
        history: deque[tuple[int, int]] = deque(maxlen=15)
        for label in post[post <= now - (stage > 0)]:  # a delay extension sends before neurons are updated
            before, level = history[-1] if history else (0, 0)
            history.append((label, wrapped(left(level, label - before, minus) + 2048)))
        after, until = max(last - dendritic, 0), max(now - dendritic, 0)
        weight = word << rule.shift
        for label, _ in history:
            if after < label <= until:
                amplitude = rule.up if rule.dependence == 0 else (rule.high - weight) * rule.up >> 15
                weight += amplitude * (left(trace, label + dendritic - last, plus) << 4) >> 15
                weight = min(weight, rule.high) if rule.dependence == 0 else weight
        if found := [(label, level) for label, level in history if label <= until]:
            label, level = found[-1]
            amplitude = rule.down if rule.dependence == 0 else (weight - rule.low) * rule.down >> 15
            weight -= amplitude * (left(level, now - dendritic - label, minus) << 4) >> 15
            weight = max(weight, rule.low) if rule.dependence == 0 else weight
        word = weight >> rule.shift & 0xFFFF
        trace, last = wrapped(left(trace, now - last, plus) + 2048), now
    return word


def words_after(net: Network, sim: Simulation, steps: int) -> list[int]:
    """The stored weights that the spikes recorded in some steps give."""
    (spikes,) = (found for found in sim.recordings().spikes if found.population == 1)
    plastic, held = net.projections[0], quantise(net, CHIP).projections[0]
    trains = net.populations[0].trains
    assert trains is not None
    words = []
    for k, word in enumerate(held.weight):
        delay, pre = int(plastic.delay[k]), trains.of(int(plastic.source[k])).astype(int)
        stage = (delay - 1) // held.plasticity.ring * held.plasticity.ring
        post = spikes.times[spikes.neurons == plastic.target[k]].astype(int)
        words.append(word_after(int(word), pre[pre + stage < steps], post, delay, held.plasticity))
    return words


def stored(net: Network, sim: Simulation) -> list[int]:
    return quantise(net, CHIP).projections[0].hold.stored(sim.weights(0)).tolist()


@pytest.mark.parametrize(
    ("rule", "delays", "rate"),
    [
        pytest.param(plasticity(), [1], 20.0, id="additive"),
        pytest.param(plasticity(MULTIPLICATIVE, A_plus=0.02, A_minus=0.02), [1, 5], 20.0, id="multiplicative"),
        pytest.param(plasticity(), [1, 2, 5, 9, 15], 20.0, id="many delays"),
        pytest.param(plasticity(), [3, 8], 20.0, id="a ring of delay"),
        pytest.param(plasticity(), [3], 1.0, id="more spikes than the firmware keeps"),
        pytest.param(plasticity(tau_plus=200.0), [1], 300.0, id="traces that wrap"),
    ],
)
def test_weights_follow_the_rule_of_the_firmware(nets, rule: Plasticity, delays: list[int], rate: float):
    net = network(nets, rule, delays, rate=rate)
    sim = simulation(net)
    for steps in (400, 200):  # weights change as spikes arrive, before they are due
        sim.run(steps)
        assert stored(net, sim) == words_after(net, sim, 400 if steps == 400 else 600)
    assert stored(net, sim) != quantise(net, CHIP).projections[0].weight.tolist()


def test_a_delay_extension_delays_arrivals(nets):
    net = network(nets, plasticity(), [1, 65, 100], n_post=100)
    assert quantise(net, CHIP).projections[0].plasticity.ring == 64
    sim = simulation(net)
    sim.run(300)
    assert stored(net, sim) == words_after(net, sim, 300)


def test_a_change_at_the_start_leaves_no_trace_of_what_was(nets):
    """Stronger static synapses shift the ring buffer, and so the plastic weights lose other bits."""
    net = network(nets, plasticity(), [1, 4])
    plastic, static = net.projections
    strong = replace(static, synapses=static.synapses.replaced(weight=20.0 * static.weight))
    changed = replace(net, projections=(plastic, strong))
    sim, fresh = simulation(net), simulation(changed)
    sim.run(50)
    sim.reset()
    sim.update(quantise(changed, CHIP))
    for each in (sim, fresh):
        each.run(200)
    np.testing.assert_array_equal(sim.weights(0), fresh.weights(0))


def results(net: Network, pieces: list[int], threads: int = 1, looks: bool = False) -> tuple:
    sim = simulation(net, threads)
    for steps in pieces:
        sim.run(steps)
        if looks:
            sim.weights(0)
    found = sim.recordings()
    spikes = next(spikes for spikes in found.spikes if spikes.population == 1)
    return sim.weights(0), spikes.times, spikes.neurons, *(signal.raw for signal in found.signals)


def test_threads_cuts_and_looks_change_nothing(nets):
    net = network(nets, plasticity(), [1, 4, 4, 8], n_post=1000)
    whole = results(net, [600])
    for others in (results(net, [600], threads=2), results(net, [1, 399, 200], threads=2, looks=True)):
        for one, other in zip(whole, others, strict=True):
            np.testing.assert_array_equal(one, other)


def test_reset_goes_back_to_the_weights_at_the_start(nets):
    net = network(nets, plasticity(), [2])
    sim = simulation(net)
    sim.run(300)
    first = sim.weights(0)
    sim.reset()
    np.testing.assert_array_equal(
        sim.weights(0), quantise(net, CHIP).projections[0].hold.physical(quantise(net, CHIP).projections[0].weight)
    )
    sim.run(300)
    np.testing.assert_array_equal(sim.weights(0), first)


def test_a_network_that_changes_keeps_what_its_synapses_have_been_through(nets):
    net = network(nets, plasticity(), [1, 4, 9])
    whole, changed = simulation(net), simulation(net)
    whole.run(600)
    static = net.projections[1]
    for steps in (1, 200, 300):
        changed.run(steps)
        equal = replace(static, synapses=Listed(static.source, static.target, static.weight, static.delay))
        changed.update(quantise(replace(net, projections=(net.projections[0], equal)), CHIP))
    changed.run(99)
    np.testing.assert_array_equal(changed.weights(0), whole.weights(0))
    for one, other in zip(changed.recordings().signals, whole.recordings().signals, strict=True):
        assert one.raw is not None and other.raw is not None
        np.testing.assert_array_equal(one.raw, other.raw)


def test_weights_that_are_set_anew_are_where_learning_goes_on(nets):
    net = network(nets, plasticity(), [1, 4, 9])
    whole, changed = simulation(net), simulation(net)
    for sim in (whole, changed):
        sim.run(300)
    plastic = net.projections[0]
    same = replace(plastic, synapses=Listed(plastic.source, plastic.target, changed.weights(0), plastic.delay))
    changed.update(quantise(replace(net, projections=(same, net.projections[1])), CHIP))
    for sim in (whole, changed):
        sim.run(300)
    np.testing.assert_array_equal(changed.weights(0), whole.weights(0))


def learns_apart(nets, repeats: int = 1, beside: bool = False) -> Network:
    """A source whose spikes come several times onto a neuron with synapses on a core of their own."""
    source = nets.array_source([np.repeat([2.0, 30.0, 60.0], repeats)])
    cell = nets.cells(1, "cell", "IF_curr_dual_exp", i_offset=2.0)
    plastic = replace(nets.connect(0, 1, [(0, 0, 1.0, 1)]), synapse="STDPMechanism", plasticity=plasticity())
    static = nets.connect(0, 1, [(0, 0, 0.0, 1)], "inhibitory")
    populations = source, cell
    probes = nets.record_all(populations, "spikes", "v", "isyn_inh")
    return Network(1.0, populations, (plastic, static) if beside else (plastic,), probes=probes)


def trace_of_source(nets, repeats: int, beside: bool) -> float:
    """The trace of the source after some spikes in one step, in spikes."""
    net = learns_apart(nets, repeats, beside)
    sim = simulation(net)
    sim.run(3)
    _, deferred, *_ = sim._traffic.changing.of_thread(0)
    assert deferred is not None
    return float(deferred.rows["trace"][0]) / 2048


def test_every_other_repetition_of_a_spike_counts_on_a_core_of_synapses(nets):
    """A core fetches the next row before it has written the last; a row of another projection comes in between."""
    assert [trace_of_source(nets, repeats, False) for repeats in (1, 2, 3, 4, 5)] == [1, 1, 2, 2, 3]
    assert [trace_of_source(nets, repeats, True) for repeats in (1, 2, 3)] == [1, 2, 3]


@pytest.mark.parametrize("timestep", [1.0, 0.5])
def test_what_is_set_between_runs_comes_before_the_next_input_where_synapses_are_apart(nets, timestep):
    """On a shared core the input of the next step is in the state when a run ends, and is set with it."""
    source, cell = nets.array_source([[2 * timestep]]), nets.cells(1, "cell")
    plastic = replace(nets.connect(0, 1, [(0, 0, 1.0, 1)]), synapse="STDPMechanism", plasticity=plasticity())
    net = Network(timestep, (source, cell), (plastic,), probes=nets.record_all((source, cell), "isyn_exc"))
    anew = replace(cell, times_set={"isyn_exc": np.ones(1, np.int32)})  # to 0
    undisturbed, sim = simulation(net), simulation(net)
    undisturbed.run(4)
    sim.run(3)  # the spike is due at label 3
    for _ in range(2):  # as often as one likes
        sim.update(quantise(replace(net, populations=(source, anew)), CHIP))
    sim.run(1)
    whole, changed = (run.recordings().signals[0].values[3, 0] for run in (undisturbed, sim))
    assert whole > 0
    assert changed == (whole if timestep < 1 else 0)
