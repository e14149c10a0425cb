"""Synapse types that a script declares, and that learn."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evsim.pynn.own_synapses import parameter, synapse_type
from own_synapses import DT, matrix, own, pushed, signal, trains

GUIDE = Path(__file__).parents[2] / "docs" / "own_models.md"


# --- the guide --------------------------------------------------------------------------------------------------------


def test_the_guides_examples_do_what_the_guide_says(sim, capsys):
    """In a module that cannot be imported: what is cached must not ask for it."""
    *_, script, more = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    space: dict[str, Any] = {"__name__": "not_a_module"}
    exec(compile(script, str(GUIDE), "exec"), space)
    assert capsys.readouterr().out == "at 5 Hz: 0.50 nA became 0.29 nA\nat 40 Hz: 0.50 nA became 0.53 nA\n"
    exec(compile(more, str(GUIDE), "exec"), space)
    cells, _ = pushed(sim, 60, 100.0, 1)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=np.arange(5.0, 100.0, 5.0)))
    projection = sim.Projection(source, cells, sim.AllToAllConnector(), space["Switch"](weight=1.0, delay=0.5))
    sim.run(100.0)
    assert 0 < np.count_nonzero(matrix(projection)) < 60 and set(matrix(projection).ravel()) == {0.0, 1.0}


# --- against what is not the same code --------------------------------------------------------------------------------

SPLITS = [(1.0, 1.0), (2.0, 0.0), (3.0, 0.5)]


@pytest.mark.parametrize(("delay", "fraction"), SPLITS)
def test_a_users_pair_rule_equals_the_one_that_is_there(sim, delay: float, fraction: float):
    def learned(kind, pieces: Sequence[float], threads: int) -> np.ndarray:
        cells, random = pushed(sim, 520, 300.0, 1, threads)
        late = 300.0 - delay - 1  # brings synapses up to date by the rule that is there
        times = [np.append(np.sort(random.integers(2, 250, 9)) * 1.0, late) for _ in range(12)]
        sources = sim.Population(12, sim.SpikeSourceArray(spike_times=times))
        weight = sim.RandomDistribution("uniform", (0.2, 0.8), rng=sim.NumpyRNG(1))
        some = sim.FixedProbabilityConnector(0.6, rng=sim.NumpyRNG(2))
        projection = sim.Projection(sources, cells, some, kind(weight))
        for piece in pieces:
            sim.run(piece)
        return matrix(projection)

    def built_in(weight):
        pairs = sim.SpikePairRule(tau_plus=20.0, tau_minus=30.0, A_plus=0.01, A_minus=0.012)
        bounds = sim.AdditiveWeightDependence(w_min=0.0, w_max=1.0)
        return sim.STDPMechanism(pairs, bounds, weight=weight, delay=delay, dendritic_delay_fraction=fraction)

    def of_user(weight):
        return own["Pairs"](weight=weight, delay=delay, dendritic_delay_fraction=fraction)

    expected, found = learned(built_in, [300.0], 1), learned(of_user, [300.0], 1)
    assert np.nanstd(found - learned(of_user, [1.0], 1)) > 0.02
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(learned(of_user, [100.0, 0.5, 120.0, 79.5], 2), found)


def by_numpy(
    spikes: tuple[np.ndarray, np.ndarray], splits: tuple[int, int], now: int, weight: float, values: Mapping[str, Any]
) -> tuple[float, float, float, list[tuple[int, float]]]:
    """``Everything``, one synapse: weight and states as the target knows them, and what was released when.

    Args:
        spikes: of the source and the target, in steps.
        splits: steps of the delay before and behind the synapse.
        now: the present step.
    """
    before, behind = splits
    events = [(int(s) + before, 0) for s in spikes[0]] + [(int(p) + behind, 1) for p in spikes[1]]
    pres: list[int] = []
    posts: list[int] = []
    calls, told, released, gain = 0.0, -1.0, [], values["gain"]

    def trace(times: list[int], tau: str, at: int) -> float:
        return sum(np.exp(-(at - time) * DT / values[tau]) for time in times)

    for at, side in sorted(event for event in events if event[0] <= now - behind):
        fast, slow = trace(pres, "tau", at), trace(pres, "tau_slow", at)
        back, long = trace(posts, "tau", at), trace(posts, "tau_slow", at)
        since_pre = (at - pres[-1]) * DT if pres else np.inf
        since_post = (at - posts[-1]) * DT if posts else np.inf
        interval = min(since_pre, since_post)
        if side == 0:
            weight = 0.9 * weight + gain * (fast - 2 * slow + 3 * back - 0.5 * long) + 0.1 * np.exp(-interval / 100)
            released.append((at + behind, weight * DT + calls))
            calls, told = calls + 1, since_post
            pres.append(at)
        else:
            left = np.exp(-interval / 70) + np.exp(-since_post / 30)
            weight = 0.95 * weight - gain * (fast - slow + 0.2 * back * long) + 0.2 * left
            calls, told = calls + 0.5, told + since_pre
            posts.append(at)
    return weight, calls, told, released


@pytest.mark.parametrize("varied", [False, True])
@pytest.mark.parametrize(("delay", "fraction"), [(1.5, 1.0), (2.0, 0.0), (2.5, 0.4)])
def test_what_is_learned_and_released_is_what_numpy_makes_of_the_spikes(sim, delay: float, fraction: float, varied):
    cells, random = pushed(sim, 4, 150.0, 5)
    times = [[3.0, 3.0, 40.0, 41.0, 90.0], np.sort(random.integers(2, 140, 12)) * 1.0, []]
    sources = sim.Population(3, sim.SpikeSourceArray(spike_times=times))
    heard = sim.Population(4, sim.IF_curr_delta(tau_m=1e-3, v_thresh=1e6))  # forgets what came before, and never spikes
    heard.record("v")
    shape = (3, 4)
    given: dict[str, Any] = {"tau": 8.0, "gain": -0.2}
    if varied:
        given = {"tau": random.uniform(5, 20, shape), "gain": random.uniform(-0.3, 0.3, shape), "tau_slow": 33.0}
    kind = own["Everything"](weight=0.7, delay=delay, dendritic_delay_fraction=fraction, **given)
    projection = sim.Projection(sources, cells, sim.AllToAllConnector(), kind)
    beside = sim.Projection(sources, heard, sim.AllToAllConnector(), kind)  # of which only the source spikes
    both = round(delay / DT)
    behind = round(fraction * both)
    for end in (2.0, 41.5, 77.0, 150.0):
        sim.run_until(end)
        posts, now = trains(cells), round(end / DT)
        found = [matrix(projection, name) for name in ("weight", "calls", "told")]
        alone = matrix(beside)
        voltage = signal(heard) + 65.0
        expected_voltage = np.zeros_like(voltage)
        for i, j in np.ndindex(shape):
            values = {"tau_slow": 47.0} | {name: np.broadcast_to(value, shape)[i, j] for name, value in given.items()}
            steps = np.rint(np.array(times[i]) / DT).astype(int)
            expected = by_numpy((steps, posts[j]), (both - behind, behind), now, 0.7, values)
            np.testing.assert_allclose([table[i, j] for table in found], expected[:3], rtol=1e-11)
            weight, _, _, released = by_numpy((steps, np.empty(0)), (both - behind, behind), now, 0.7, values)
            np.testing.assert_allclose(alone[i, j], weight, rtol=1e-11)
            for at, amount in released:
                expected_voltage[at, j] += amount
        np.testing.assert_allclose(voltage, expected_voltage, atol=1e-9)
    assert sum(map(len, posts)) > 30


CONNECTORS: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "from a list": lambda sim, a, b, kind: sim.Projection(
        a,
        b,
        sim.FromListConnector(
            [(i, j, 0.1 * (1 + i), 0.5 + 0.5 * (i % 5), 10.0 + j) for i in range(20) for j in range(0, 600, 37)],
            column_names=["weight", "delay", "tau"],
        ),
        kind,
    ),
    "views": lambda sim, a, b, kind: sim.Projection(a[3:17:2], b[590:5:-7], sim.AllToAllConnector(), kind),
    "assemblies": lambda sim, a, b, kind: sim.Projection(
        a[:5] + a[9:], b[:100] + b[300:], sim.FixedTotalNumberConnector(900, rng=sim.NumpyRNG(5)), kind
    ),
    "drawn": lambda sim, a, b, kind: sim.Projection(
        a, b, sim.FixedProbabilityConnector(0.2, rng=sim.NativeRNG(seed=5)), kind
    ),
}


@pytest.mark.parametrize("connector", CONNECTORS)
def test_each_synapse_learns_by_itself_however_it_was_made(sim, connector: str):
    """In long histories, which are forgotten and grow; one synapse after another is made anew by numpy."""
    cells, random = pushed(sim, 600, 700.0, 8, threads=2)
    times = [np.sort(random.integers(2, 690, 6)) * 1.0 for _ in range(20)]
    sources = sim.Population(20, sim.SpikeSourceArray(spike_times=times))
    kind = own["Everything"](weight=0.2, delay=1.5, gain=0.01)
    projection = CONNECTORS[connector](sim, sources, cells, kind)
    sim.run(699.5)
    sim.run(0.5)
    posts = trains(cells)
    names = ["presynaptic_index", "postsynaptic_index", "delay", "tau", "weight", "calls", "told"]
    rows = projection.get(names, format="list", with_address=False)
    assert len(rows) > 300
    pre_of = {id(cell): k for k, cell in enumerate(sources.all_cells)}
    post_of = {id(cell): k for k, cell in enumerate(cells.all_cells)}
    for k in random.choice(len(rows), 40, replace=False):
        i, j, delay, tau, weight, calls, told = rows[k]
        source = pre_of[id(projection.pre.all_cells[int(i)])]
        target = post_of[id(projection.post.all_cells[int(j)])]
        first = 0.1 * (1 + source) if connector == "from a list" else 0.2
        values = {"tau": tau, "tau_slow": 47.0, "gain": 0.01}
        steps = np.rint(times[source] / DT).astype(int)
        expected = by_numpy((steps, posts[target]), (0, round(delay / DT)), 1400, first, values)[:3]
        np.testing.assert_allclose((weight, calls, told), expected, rtol=1e-10)


# --- one function alone -----------------------------------------------------------------------------------------------


def test_each_function_may_be_left_out(sim):
    @synapse_type
    class Tiring:
        left = parameter(0.5, "dimensionless")

        @staticmethod
        def on_pre(weight, left):
            return weight * left

    @synapse_type
    class Growing:
        @staticmethod
        def on_post(weight):
            return weight + 1.0

    kinds: list[Any] = [Tiring, Growing]
    sim.setup(timestep=DT)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0, 10.0]))
    push = sim.Population(1, sim.SpikeSourceArray(spike_times=[4.0]))
    cell = sim.Population(1, sim.IF_curr_delta(tau_m=1e-3))
    cell.record("v")
    sim.Projection(push, cell, sim.AllToAllConnector(), sim.StaticSynapse(weight=100.0, delay=DT))
    learning = [sim.Projection(source, cell, sim.AllToAllConnector(), kind(weight=4.0, delay=1.0)) for kind in kinds]
    sim.run(12.0)
    assert [matrix(projection).item() for projection in learning] == [1.0, 5.0]
    assert (signal(cell)[[4, 22], 0] + 65.0).tolist() == pytest.approx([2.0 + 4.0, 1.0 + 5.0])
