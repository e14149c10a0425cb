"""Synapses of a script's own that learn, against Brian2's: the same equations, written in Brian2's words.

Brian2 is given the spikes of the targets, and the two parts of the delay; all times are multiples of the time step, so
spikes meet at synapses, too. Brian2 applies what is due now before its run ends, evsim what the target has felt, so
there is silence at the end.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

from evsim.pynn.own_synapses import parameter, source_trace, state, synapse_type, target_trace

brian2 = pytest.importorskip("brian2")
sim: Any = importlib.import_module("pyNN.evsim")

DT, END, QUIET = 0.5, 400.0, 40.0  # ms
N_SOURCES, N_TARGETS = 5, 4
SHAPE = N_SOURCES, N_TARGETS


@synapse_type
class Triplets:
    """All pairs and triplets of spikes (Pfister and Gerstner 2006), without bounds."""

    tau_plus = parameter(16.8, "ms", above_zero=True)
    tau_minus = parameter(33.7, "ms", above_zero=True)
    tau_x = parameter(101.0, "ms", above_zero=True)
    tau_y = parameter(125.0, "ms", above_zero=True)
    a2_plus = parameter(0.005, "dimensionless")
    a3_plus = parameter(0.0062, "dimensionless")
    a2_minus = parameter(0.007, "dimensionless")
    a3_minus = parameter(0.00023, "dimensionless")
    r1 = source_trace(tau_plus)
    r2 = source_trace(tau_x)
    o1 = target_trace(tau_minus)
    o2 = target_trace(tau_y)

    @staticmethod
    def on_pre(weight, r2, o1, a2_minus, a3_minus):
        return weight - o1 * (a2_minus + a3_minus * r2)

    @staticmethod
    def on_post(weight, r1, o2, a2_plus, a3_plus):
        return weight + r1 * (a2_plus + a3_plus * o2)


TRIPLETS = """
w : 1
dr1/dt = -r1 / (16.8*ms) : 1 (event-driven)
dr2/dt = -r2 / (101*ms) : 1 (event-driven)
do1/dt = -o1 / (33.7*ms) : 1 (event-driven)
do2/dt = -o2 / (125*ms) : 1 (event-driven)
"""
TRIPLETS_ON_PRE = "w = w - o1 * (0.007 + 0.00023 * r2); r1 += 1; r2 += 1"
TRIPLETS_ON_POST = "w = w + r1 * (0.005 + 0.0062 * o2); o1 += 1; o2 += 1"


@synapse_type
class Balance:
    """Pairs strengthen what is left of a bound, each spike weakens a part; a tag grows with either, and fades."""

    tau = parameter(20.0, "ms", above_zero=True)
    tau_tag = parameter(60.0, "ms", above_zero=True)
    rate = parameter(0.02, "dimensionless")
    pre = source_trace(tau)
    post = target_trace(tau)
    tag = state(0.0, "dimensionless")
    seen = state(0.0, "dimensionless")

    @staticmethod
    def on_pre(weight, tag, seen, post, rate, tau_tag, interval):
        tag *= np.exp(-interval / tau_tag)
        return weight * (1 - rate * post), tag + weight, seen + post

    @staticmethod
    def on_post(weight, tag, seen, pre, rate, tau_tag, interval):
        tag *= np.exp(-interval / tau_tag)
        return weight + rate * pre * (1 - weight) - 0.01 * tag, tag + 1, seen


BALANCE = """
w : 1
seen : 1
dpre_/dt = -pre_ / (20*ms) : 1 (event-driven)
dpost_/dt = -post_ / (20*ms) : 1 (event-driven)
dtag/dt = -tag / (60*ms) : 1 (event-driven)
"""
BALANCE_ON_PRE = "seen += post_; tag += w; w = w * (1 - 0.02 * post_); pre_ += 1"
BALANCE_ON_POST = "w = w + 0.02 * pre_ * (1 - w) - 0.01 * tag; tag += 1; post_ += 1"

RULES: dict[str, tuple[Any, tuple[str, str, str]]] = {
    "triplets": (Triplets, (TRIPLETS, TRIPLETS_ON_PRE, TRIPLETS_ON_POST)),
    "balance": (Balance, (BALANCE, BALANCE_ON_PRE, BALANCE_ON_POST)),
}


def of_evsim(kind, times: list[np.ndarray], pushes: list[np.ndarray], delay: float, fraction: float):
    """Weights (sources, targets), the projection, and when the targets spiked (ms)."""
    sim.setup(timestep=DT)
    sources = sim.Population(N_SOURCES, sim.SpikeSourceArray(spike_times=times))
    pushing = sim.Population(N_TARGETS, sim.SpikeSourceArray(spike_times=pushes))
    cells = sim.Population(N_TARGETS, sim.IF_curr_delta(tau_m=1.0, tau_refrac=0.0))
    sim.Projection(pushing, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=100.0, delay=DT))
    cells.record("spikes")
    weight = np.linspace(0.2, 0.8, N_SOURCES * N_TARGETS).reshape(SHAPE)
    learning = kind(weight=weight, delay=delay, dendritic_delay_fraction=fraction)
    projection = sim.Projection(sources, cells, sim.AllToAllConnector(), learning)
    sim.run(END)
    trains = [np.asarray(train) for train in cells.get_data().segments[0].spiketrains]
    return projection.get("weight", "array"), projection, trains


def of_brian2(words: tuple[str, str, str], times, posts, delay: float, fraction: float) -> Any:
    """Brian2's synapses, after a run."""
    b = brian2
    b.start_scope()
    b.prefs.codegen.target = "numpy"
    b.defaultclock.dt = DT * b.ms

    def group(trains):
        indices = np.repeat(np.arange(len(trains)), [len(train) for train in trains])
        return b.SpikeGeneratorGroup(len(trains), indices, np.concatenate(trains) * b.ms)

    model, on_pre, on_post = words
    sources, targets = group(times), group(posts)
    synapses = b.Synapses(sources, targets, model, on_pre=on_pre, on_post=on_post)
    synapses.connect()
    behind = round(fraction * delay / DT) * DT
    synapses.pre.delay, synapses.post.delay = (delay - behind) * b.ms, behind * b.ms
    synapses.w = np.linspace(0.2, 0.8, N_SOURCES * N_TARGETS)
    b.Network(sources, targets, synapses).run(END * b.ms)
    return synapses


@pytest.mark.parametrize(("delay", "fraction"), [(1.0, 1.0), (3.0, 0.0), (2.5, 0.6)])
@pytest.mark.parametrize("rule", RULES)
def test_weights_and_states_are_those_of_brian2(rule: str, delay: float, fraction: float):
    random = np.random.default_rng(3)
    steps = np.arange(2, round((END - QUIET) / DT))
    times, pushes = (
        [np.sort(random.choice(steps, 40, replace=False)) * DT for _ in range(count)]
        for count in (N_SOURCES, N_TARGETS)
    )
    kind, words = RULES[rule]
    weights, projection, posts = of_evsim(kind, times, pushes, delay, fraction)
    both, behind = round(delay / DT), round(fraction * delay / DT)
    arrivals = [set((np.rint(train / DT) + both - behind).tolist()) for train in times]
    reached = [set((np.rint(train / DT) + behind).tolist()) for train in posts]
    assert sum(len(a & b) for a in arrivals for b in reached) > 5  # some meet
    synapses = of_brian2(words, times, posts, delay, fraction)
    expected = np.array(synapses.w).reshape(SHAPE)
    assert np.abs(expected - np.linspace(0.2, 0.8, expected.size).reshape(SHAPE)).min() > 1e-4
    np.testing.assert_allclose(weights, expected, rtol=0, atol=1e-9)
    for name in ("seen", "tag") if rule == "balance" else ():
        expected = np.array(getattr(synapses, name)).reshape(SHAPE)
        np.testing.assert_allclose(projection.get(name, "array"), expected, rtol=1e-9)
