"""Plastic synapses in the engine, against a plain transcription of the rule and against themselves cut up otherwise."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import cells, plasticity
from evsim.chip import load_chip
from evsim.deploy.quantise import quantise
from evsim.engine import plastic_words
from evsim.engine.simulation import Simulation
from evsim.network import Network, Plasticity, Population, Probe, Projection, Trains
from evsim.synapses import Listed

CELL: dict[str, Any] = {"tau_refrac": 1.0, "tau_syn_E": 3.0, "tau_syn_I": 3.0}
DT = 0.5


def drawn(rng: np.random.Generator, n_pre: int, n_post: int, count: int, delays: list[int], most: float) -> Listed:
    """Random synapses; with count = 0 every pair, in the order in which PyNN creates them."""
    if count:
        source, target = rng.integers(0, n_pre, count), rng.integers(0, n_post, count)
    else:
        source, target = np.tile(np.arange(n_pre), n_post), np.repeat(np.arange(n_post), n_pre)
    weight, delay = rng.uniform(0.1, 0.9, len(source)) * most, rng.choice(delays, len(source))
    return Listed(source.astype(np.int32), target.astype(np.int32), weight, delay.astype(np.int32))


def network(rule: Plasticity, delays: list[int], count: int = 0, rate: float = 20.0, seconds: float = 2.0) -> Network:
    """60 sources onto 10 neurons, plastic, and static synapses that keep the neurons firing."""
    rng = np.random.default_rng(5)
    steps, n_pre, n_post = round(seconds * 1000 / DT), 60, 10
    trains = [np.unique(rng.integers(1, steps, rng.poisson(rate * seconds))) * DT for _ in range(n_pre)]
    drive = [np.unique(rng.integers(1, steps, rng.poisson(30 * seconds))) * DT for _ in range(n_post)]
    most = abs(rule.parameters["w_max"])
    own = np.arange(n_post, dtype=np.int32)
    kick = Listed(own, own, np.full(n_post, 12.0), np.full(n_post, 2, np.int32))
    plastic = drawn(rng, n_pre, n_post, count, delays, most)
    receptor = "inhibitory" if rule.parameters["w_max"] < 0 else "excitatory"
    if receptor == "inhibitory":
        plastic = Listed(plastic.source, plastic.target, -plastic.weight, plastic.delay)
    return Network(
        DT,
        (
            Population("sources", "SpikeSourceArray", n_pre, {}, trains=Trains.from_lists(trains)),
            Population("drive", "SpikeSourceArray", n_post, {}, trains=Trains.from_lists(drive)),
            cells(n_post, "neurons", **CELL),
        ),
        (
            Projection("plastic", 0, 2, receptor, "STDPMechanism", plastic, rule),
            Projection("kick", 1, 2, "excitatory", "StaticSynapse", kick),
        ),
        probes=(Probe(2, "spikes", own),),
    )


def simulation(net: Network, threads: int = 1) -> Simulation:
    return Simulation(quantise(net, load_chip("ideal")), threads)


def labels(sim: Simulation) -> list[np.ndarray]:
    """The spikes of each neuron, as labels."""
    (found,) = sim.recordings().spikes
    return [np.rint(found.times[found.neurons == i] / DT).astype(int) for i in range(10)]


def weight_after(weight: float, pre: np.ndarray, post: np.ndarray, delay: int, rule: Plasticity) -> float:
    """One synapse after its source's spikes: each event in turn, as the rule is written down, its traces recomputed."""
    p = rule.parameters
    mu_plus, mu_minus = (p["mu_plus"], p["mu_minus"]) if rule.weight == "GutigWeightDependence" else (0.0, 0.0)
    sign = math.copysign(1.0, p["w_max"])
    low, high, weight = sign * p["w_min"], sign * p["w_max"], sign * weight
    dendritic = round(rule.dendritic_delay_fraction * delay)
    arrivals, reached = pre + delay - dendritic, post + dendritic
    for k, now in enumerate(arrivals):
        since = arrivals[k - 1] if k else -1
        for at in reached[(reached > since) & (reached <= now)]:
            trace = np.exp((arrivals[:k] - at) * DT / p["tau_plus"]).sum()
            span = (high - low) if mu_plus else high
            weight += p["A_plus"] * trace * span * max((high - weight) / (high - low), 0.0) ** mu_plus
            weight = min(max(weight, low), high)
        trace = np.exp((reached[reached < now] - now) * DT / p["tau_minus"]).sum()
        span = (high - low) if mu_minus else high
        weight -= p["A_minus"] * trace * span * max((weight - low) / (high - low), 0.0) ** mu_minus
        weight = min(max(weight, low), high)
    return sign * weight


def trains_of(net: Network) -> list[np.ndarray]:
    """The spike times of the sources (ms)."""
    trains = net.populations[0].trains
    assert trains is not None
    return [trains.of(i) for i in range(60)]


def expected_weights(net: Network, sim: Simulation) -> list[float]:
    """The weights after a run, from the spikes of the sources and those that were recorded."""
    plastic, posts = net.projections[0], labels(sim)
    assert plastic.plasticity is not None
    pres = [np.rint(train / DT).astype(int) for train in trains_of(net)]
    columns = zip(plastic.source, plastic.target, plastic.weight, plastic.delay, strict=True)
    return [weight_after(w, pres[i], posts[j], int(d), plastic.plasticity) for i, j, w, d in columns]


@pytest.mark.parametrize(
    ("rule", "delays", "count"),
    [
        pytest.param(plasticity(), [1], 0, id="every pair"),
        pytest.param(plasticity(), [3], 250, id="some pairs, and some twice"),
        pytest.param(plasticity(), [1, 2, 5, 9, 20, 33], 250, id="many delays"),
        pytest.param(plasticity(tau_plus=2.0, tau_minus=1.5), [1, 4], 250, id="origins that move often"),
        pytest.param(plasticity(fraction=0.4), [3, 5, 8], 250, id="partly dendritic"),
        pytest.param(plasticity(w_min=0.3), [2], 250, id="a lower bound"),
        pytest.param(plasticity(w_max=-2.0), [2], 250, id="inhibitory"),
        pytest.param(plasticity("GutigWeightDependence", w_min=0.1), [2, 7], 250, id="dependent on the weight"),
        pytest.param(plasticity(A_plus=-0.02, A_minus=-0.03), [2, 7], 250, id="with signs against Hebb"),
    ],
)
def test_weights_follow_the_rule(rule: Plasticity, delays: list[int], count: int):
    net = network(rule, delays, count)
    sim = simulation(net)
    sim.run(4000 + max(delays))
    assert min(len(post) for post in labels(sim)) > 10
    np.testing.assert_allclose(sim.weights(0), expected_weights(net, sim), rtol=0, atol=1e-12)


def test_a_source_that_was_silent_for_long_loses_nothing():
    rule = plasticity(tau_plus=1.0, tau_minus=1.0, A_plus=0.2)  # origins move every 512 steps
    net = network(rule, [3], 250, rate=2.0, seconds=4.0)
    # what was brought up to date early and what was not are equal after a last spike
    last = Trains.from_lists([np.append(train, 8000 * DT) for train in trains_of(net)])
    net = replace(net, populations=(replace(net.populations[0], trains=last), *net.populations[1:]))
    sim = simulation(net)
    sim.run(8010)
    np.testing.assert_allclose(sim.weights(0), expected_weights(net, sim), rtol=0, atol=1e-12)


@pytest.mark.parametrize("count", [0, 250])
def test_threads_and_cuts_change_no_bit(count: int):
    net = network(plasticity(), [1, 4, 4, 4], count)
    wide = replace(  # several blocks of neurons, so that threads share them
        net, populations=(*net.populations[:2], _repeated(net.populations[2], 1500))
    )
    results = []
    for threads, pieces in ((1, [4000]), (2, [4000]), (2, [1, 999, 3000])):
        sim = simulation(wide, threads)
        for steps in pieces:
            sim.run(steps)
        results.append((sim.weights(0), *labels(sim)))
    for result in results[1:]:
        for one, other in zip(results[0], result, strict=True):
            np.testing.assert_array_equal(one, other)


def _repeated(population: Population, size: int) -> Population:
    return replace(
        population,
        size=size,
        parameters={name: np.broadcast_to(values[0], size) for name, values in population.parameters.items()},
        initial={name: np.broadcast_to(values[0], size) for name, values in population.initial.items()},
    )


def test_a_network_that_changes_keeps_what_plastic_synapses_have_been_through():
    net = network(plasticity(), [1, 4, 9], 250)
    whole, changed = simulation(net), simulation(net)
    whole.run(4000)
    kick = net.projections[1]
    for steps in (1, 1500, 1700):
        changed.run(steps)
        equal = replace(kick, synapses=Listed(kick.source, kick.target, kick.weight, kick.delay))
        changed.update(quantise(replace(net, projections=(net.projections[0], equal)), load_chip("ideal")))
    changed.run(4000 - 3201)
    np.testing.assert_array_equal(changed.weights(0), whole.weights(0))


def test_weights_that_are_set_anew_are_where_learning_goes_on():
    net = network(plasticity(), [1, 4, 9], 250)
    whole, changed = simulation(net), simulation(net)
    for sim in (whole, changed):
        sim.run(2000)
    plastic = net.projections[0]
    same = replace(plastic, synapses=Listed(plastic.source, plastic.target, changed.weights(0), plastic.delay))
    changed.update(quantise(replace(net, projections=(same, net.projections[1])), load_chip("ideal")))
    for sim in (whole, changed):
        sim.run(2000)
    np.testing.assert_allclose(changed.weights(0), whole.weights(0), rtol=0, atol=1e-12)


def test_reset_goes_back_to_the_weights_at_the_start():
    sim = simulation(network(plasticity(), [2]))
    sim.run(1000)
    first = sim.weights(0)
    sim.reset()
    sim.run(1000)
    np.testing.assert_array_equal(sim.weights(0), first)


@given(st.lists(st.floats(0.0, 1e6), min_size=1, max_size=20))
def test_a_word_holds_a_weight_to_48_bits(weights: list[float]):
    values = np.array(weights)
    unit = plastic_words.unit_of(values.max())
    held = plastic_words.unpack(plastic_words.pack(values, unit) | np.uint64(0xFFFF), unit)
    assert np.abs(held - values).max() <= max(values.max() * 2.0**-47, 2.0**-1000)
