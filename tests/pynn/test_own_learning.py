"""Synapse types that a script declares, and that learn."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyNN import errors

from evsim.chip import load_chip
from evsim.deploy.check import check
from evsim.errors import BackendError, CheckError
from evsim.learning_rule import FRACTION
from evsim.network_file import load, save
from evsim.pynn import estimate, graph
from evsim.pynn.own_synapses import parameter, source_trace, state, synapse_type, target_trace

GUIDE = Path(__file__).parents[2] / "docs" / "own_models.md"
DT = 0.5


@synapse_type
class Pairs:
    """PyNN's pair rule: spikes that meet make no pair."""

    tau_plus = parameter(20.0, "ms", above_zero=True)
    tau_minus = parameter(30.0, "ms", above_zero=True)
    a_plus = parameter(0.01, "mV")
    a_minus = parameter(0.012, "mV")
    w_max = parameter(1.0, "mV")
    pre = source_trace(tau_plus)
    post = target_trace(tau_minus)

    @staticmethod
    def on_pre(weight, post, a_minus):
        return max(weight - a_minus * post, 0.0)

    @staticmethod
    def on_post(weight, pre, a_plus, w_max, since_pre):
        return min(weight + a_plus * (pre - (since_pre == 0)), w_max)


@synapse_type
class Everything:
    """Asks for all that there is, and releases what it is told."""

    tau = parameter(11.0, "ms", above_zero=True)
    tau_slow = parameter(47.0, "ms", above_zero=True)
    gain = parameter(0.3, "mV")
    fast = source_trace(tau)
    slow = source_trace(tau_slow)
    back = target_trace(tau)
    long = target_trace(tau_slow)
    calls = state(0.0, "dimensionless")
    told = state(-1.0, "ms")

    @staticmethod
    def on_pre(weight, calls, told, gain, fast, slow, back, long, since_pre, since_post, interval, dt):
        left = np.exp(-interval / 100.0)
        weight = 0.9 * weight + gain * (fast - 2 * slow + 3 * back - 0.5 * long) + 0.1 * left
        return weight * dt + calls, weight, calls + 1, since_post

    @staticmethod
    def on_post(weight, told, calls, gain, fast, slow, back, long, since_pre, since_post, interval):
        left = np.exp(-interval / 70.0) + np.exp(-since_post / 30.0)
        return 0.95 * weight - gain * (fast - slow + 0.2 * back * long) + 0.2 * left, calls + 0.5, told + since_pre


@synapse_type
class Switch:
    """On or off, by chance."""

    p = parameter(0.5, "dimensionless")
    drawn = state(-1.0, "dimensionless")

    @staticmethod
    def on_pre(weight, drawn, p, chance, chance_4):
        return (1.0 if chance < p else 0.0), chance - chance_4

    @staticmethod
    def on_post(weight, drawn, p, chance):
        return weight + (0.25 if chance < p else 0.0), drawn


own: dict[str, Any] = {"Pairs": Pairs, "Everything": Everything, "Switch": Switch}


def matrix(projection, name: str = "weight") -> np.ndarray:
    """(pre, post)"""
    return np.asarray(projection.get(name, format="array", multiple_synapses="last"))


def signal(cells) -> np.ndarray:
    """(samples, cells)"""
    return np.array(cells.get_data().segments[-1].analogsignals[0].magnitude)


def trains(cells) -> list[np.ndarray]:
    """In steps, cell by cell."""
    segment = cells.get_data("spikes").segments[-1]
    return [np.rint(np.asarray(train) / DT).astype(int) for train in segment.spiketrains]


def pushed(sim, size: int, end: float, seed: int, threads: int = 1, timestep: float = DT):
    """Cells that spike when they are pushed, at random and now and then twice in a row."""
    sim.setup(timestep=timestep, rng_seed=seed, threads=threads)
    random = np.random.default_rng(seed)
    times = [np.sort(random.choice(np.arange(4, end - 40), 14, replace=False)) for _ in range(size)]
    pushes = sim.Population(size, sim.SpikeSourceArray(spike_times=[*times]))
    cells = sim.Population(size, sim.IF_curr_delta(tau_m=1.0, tau_refrac=0.0), label="pushed")
    sim.Projection(pushes, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=100.0, delay=timestep))
    cells.record("spikes")
    return cells, random


# --- against what is not the same code -------------------------------------------------------------------------------

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


# --- one function alone ----------------------------------------------------------------------------------------------


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


# --- chance ----------------------------------------------------------------------------------------------------------


def switched(sim, pieces: Sequence[float], threads: int = 1, seed: int = 5, reset: bool = False):
    cells, _ = pushed(sim, 600, 120.0, seed, threads)
    sources = sim.Population(6, sim.SpikeSourceArray(spike_times=[[5.0, 5.0, 60.0 + k] for k in range(6)]))
    p = np.repeat([[0.2], [0.7]], 3, axis=0) * np.ones(600)
    projection = sim.Projection(sources, cells, sim.AllToAllConnector(), own["Switch"](p=p, delay=2.0))
    if reset:
        sim.run(33.0)
        sim.reset()
    for piece in pieces:
        sim.run(piece)
    return matrix(projection), matrix(projection, "drawn"), trains(cells)


def test_chances_are_as_many_as_their_probability_says(sim):
    weights, drawn, posts = switched(sim, [120.0])
    for first, p in ((0, 0.2), (3, 0.7)):
        some = weights[first : first + 3]
        on = some % 0.25 == 0
        assert on.all()
        late = np.array(
            [[np.count_nonzero(train + 4 >= 2 * (60 + k)) for train in posts] for k in range(first, first + 3)]
        )
        expected = p + 0.25 * p * late.mean()
        spread = np.sqrt(p * (1 - p) * (1 + 0.0625 * late.mean()) / some.size)
        assert abs(some.mean() - expected) < 5 * spread
    assert len(np.unique(drawn)) == drawn.size
    assert abs(np.corrcoef(drawn[:, 1:].ravel(), drawn[:, :-1].ravel())[0, 1]) < 5 / np.sqrt(drawn.size)


def test_nothing_depends_on_threads_pieces_or_a_reset(sim):
    expected = switched(sim, [120.0])[:2]
    for given in ({"threads": 2}, {"pieces": [50.0, 0.5, 69.5]}, {"reset": True}):
        found = switched(sim, **{"pieces": [120.0], **given})[:2]
        for a, b in zip(expected, found, strict=True):
            np.testing.assert_array_equal(a, b)
    other = switched(sim, [120.0], seed=6)[1]
    assert (expected[1] != other).mean() > 0.99


# --- changes between runs --------------------------------------------------------------------------------------------


@synapse_type
class Sum:
    """Adds up what it is told."""

    amount = parameter(1.0, "mV")
    tau = parameter(10.0, "ms", above_zero=True)
    pre = source_trace(tau)
    count = state(0.0, "dimensionless")

    @staticmethod
    def on_pre(weight, count, amount):
        return weight + amount, count + 1

    @staticmethod
    def on_post(weight, count, pre):
        return weight + 100 * pre, count + 1


def summing(sim, delay: float = 2.0, fraction: float = 1.0):
    """A source at 1, 11, 21, ... and a cell that spikes at 5.5, 15.5, ...; 1 ms and 2 ms behind the synapse."""
    sim.setup(timestep=DT)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=np.arange(1.0, 80.0, 10.0)))
    push = sim.Population(1, sim.SpikeSourceArray(spike_times=np.arange(5.0, 80.0, 10.0)))
    cell = sim.Population(1, sim.IF_curr_delta(tau_m=1e-3, v_thresh=1e5))
    sim.Projection(push, cell, sim.AllToAllConnector(), sim.StaticSynapse(weight=1e6, delay=DT))
    cell.record(["spikes", "v"])
    kind: Any = Sum
    own = kind(weight=0.0, delay=delay, dendritic_delay_fraction=fraction, amount=1.0)
    return cell, sim.Projection(source, cell, sim.AllToAllConnector(), own)


def test_what_is_set_between_runs_is_what_synapses_go_on_with(sim):
    cell, projection = summing(sim)
    left = np.exp(-np.array([6.5, 16.5]) / 10)  # of a spike of the source, at those of the target after it
    sim.run(10.0)
    assert [train.tolist() for train in trains(cell)] == [[11]]
    assert matrix(projection).item() == pytest.approx(1.0 + 100 * left[0], rel=1e-12)
    projection.set(amount=5.0)
    assert matrix(projection).item() == pytest.approx(1.0 + 100 * left[0], rel=1e-12)
    sim.run(4.0)
    assert matrix(projection).item() == pytest.approx(6.0 + 100 * left[0], rel=1e-12)
    projection.set(weight=0.0)
    projection.initialize(count=40.0)
    sim.run(6.0)
    expected = 100 * (left[0] + left[1])
    assert matrix(projection).item() == pytest.approx(expected, rel=1e-12)
    assert matrix(projection, "count").item() == 41.0
    projection.initialize(count=7.0)
    assert matrix(projection).item() == pytest.approx(expected, rel=1e-12)
    projection.set(tau=20.0)  # of what the trace was as the last spike came
    sim.run(10.0)
    after = expected + 5.0 + 100 * np.exp(-6.5 / 20) * (1 + np.exp(-0.5) * (1 + np.exp(-1.0)))
    assert matrix(projection).item() == pytest.approx(after, rel=1e-12)
    assert matrix(projection, "count").item() == 9.0
    sim.reset()
    sim.run(0.5)
    assert matrix(projection).item() == pytest.approx(expected, rel=1e-12)  # as of every plastic one: when it was set


def test_a_change_of_something_else_changes_nothing(sim):
    def run(changing: bool) -> tuple[np.ndarray, ...]:
        cells, _ = pushed(sim, 520, 100.0, 3, threads=2)
        sources = sim.Population(10, sim.SpikeSourcePoisson(rate=60.0))
        connector = sim.FixedNumberPreConnector(4, rng=sim.NumpyRNG(2))
        delay = sim.RandomDistribution("uniform_int", (1, 9), rng=sim.NumpyRNG(1))
        kind = own["Everything"](weight=0.1, gain=0.01, delay=delay)
        projection = sim.Projection(sources, cells, connector, kind)
        other = sim.Projection(sources, cells[:5], sim.AllToAllConnector(), sim.StaticSynapse(weight=0.0, delay=1.0))
        for step in range(5):
            sim.run(20.0)
            if changing:
                other.set(weight=1e-300 * step)
                matrix(projection)
        return tuple(matrix(projection, name) for name in ("weight", "calls", "told"))

    for expected, found in zip(run(False), run(True), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_delays_may_change_between_runs(sim):
    cell, projection = summing(sim, delay=3.0)
    sim.run(12.0)  # a spike is under way
    projection.set(delay=1.0)
    sim.run(3.0)
    assert matrix(projection, "count").item() == 2.0  # it is delivered, and teaches nothing
    heard = np.array(cell.get_data("v").segments[-1].analogsignals[0].magnitude)[:, 0] + 65.0
    assert heard[28] == pytest.approx(1.0 + 100 * np.exp(-0.75), rel=1e-9)
    sim.run(65.0)
    assert matrix(projection, "count").item() == 2.0 + 6 + 7


def test_a_projection_that_comes_in_the_middle_of_a_run_knows_of_no_spikes_before(sim):
    cell, _ = summing(sim)
    sim.run(30.0)
    kind: Any = Sum
    source = sim.simulator.state.populations[0]
    late = sim.Projection(source, cell, sim.AllToAllConnector(), kind(weight=0.5, delay=2.0))
    assert matrix(late).item() == 0.5 and matrix(late, "count").item() == 0.0
    sim.run(10.0)
    assert matrix(late, "count").item() == 2.0
    assert matrix(late).item() == pytest.approx(1.5 + 100 * np.exp(-0.65), rel=1e-12)


def test_parameters_are_read_and_set_pair_by_pair(sim):
    sim.setup(timestep=DT)
    ends = sim.Population(2, sim.SpikeSourceArray()), sim.Population(3, sim.IF_cond_exp())
    tau = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    drawn = sim.RandomDistribution("uniform", (0.0, 1.0))
    projection = sim.Projection(*ends, sim.AllToAllConnector(), own["Pairs"](tau_plus=tau, a_plus=drawn, weight=0.5))
    np.testing.assert_array_equal(matrix(projection, "tau_plus"), tau)
    assert len(np.unique(matrix(projection, "a_plus"))) == 6
    projection.set(tau_plus=tau / 2, weight=0.25)
    first = next(projection.connections)
    assert (first.tau_plus, first.weight, first.dendritic_delay_fraction) == (0.5, 0.25, 1.0)
    for given, words in (
        ({"tau_plus": 0.0}, "tau_plus is 0 ms in 6 of 6 synapses; it must be finite and above 0 ms"),
        ({"a_plus": np.nan}, "a_plus is nan"),
        ({"dendritic_delay_fraction": 1.5}, "delay_fraction is 1.5 in 6 of 6 synapses; it must be from 0 to 1"),
    ):
        with pytest.raises(errors.InvalidParameterValueError, match=words):
            sim.Projection(*ends, sim.AllToAllConnector(), own["Pairs"](**given), label="on")
        with pytest.raises(errors.InvalidParameterValueError, match=words):
            projection.set(**given)
    with pytest.raises(errors.NonExistentParameterError, match="tau_m"):
        own["Pairs"](tau_m=3.0)
    projection.set(dendritic_delay_fraction=tau / 10)
    with pytest.raises(errors.InvalidParameterValueError, match="differs between synapses; evsim takes one value"):
        sim.run(1.0)


# --- as other synapses -----------------------------------------------------------------------------------------------


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


def network(sim, kind):
    sim.setup(timestep=0.5)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0]))
    cells = sim.Population(2, sim.IF_cond_exp())
    sim.Projection(source, cells, sim.AllToAllConnector(), kind(weight=0.1, delay=1.0), label="mine")
    return graph.build(sim.simulator.state)


def test_a_type_is_pickled_and_its_network_saved(sim, tmp_path):
    kind: Any = Pairs
    other = pickle.loads(pickle.dumps(kind(a_plus=0.3, weight=0.1)))
    assert type(other) is Pairs and other.parameter_space["a_plus"].base_value == 0.3
    save(network(sim, Pairs), tmp_path / "net.npz")
    loaded = load(tmp_path / "net.npz")
    assert check(loaded, load_chip("ideal")) == []
    (part,) = loaded.projections
    assert part.learns and part.release is not None
    np.testing.assert_array_equal(part.release.parameters["tau_minus"], np.full(2, 30.0))
    fractions = replace(part.release, parameters={**part.release.parameters, FRACTION: np.array([0.0, 1.0])})
    (problem,) = check(replace(loaded, projections=(replace(part, release=fractions),)), load_chip("ideal"))
    assert problem.what == "dendritic_delay_fraction differs between synapses"


@pytest.mark.parametrize("chip", ["spinnaker1", "loihi1", "loihi2"])
def test_a_chip_refuses_it(sim, chip: str):
    (problem,) = [p for p in check(network(sim, Pairs), load_chip(chip)) if p.where == "projection 'mine'"]
    assert problem.what == f"the synapse {own['Pairs'].model_name}"
    assert "does not have it; ideal can hold it" in problem.limit
    sim.setup(timestep=1.0, chip=chip)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0]))
    cells = sim.Population(2, sim.IF_curr_exp())
    sim.Projection(source, cells, sim.AllToAllConnector(), own["Pairs"](weight=0.1, delay=1.0), label="mine")
    with pytest.raises(CheckError, match=r"'mine': the synapse Pairs"):
        sim.run(1.0)


def test_its_numbers_count_in_memory(sim):
    sim.setup()
    ends = [sim.Population(100, sim.IF_curr_exp()) for _ in range(2)]
    alike, varied = (
        sim.Projection(*ends, sim.AllToAllConnector(), own["Everything"](gain=gain))
        for gain in (0.5, sim.RandomDistribution("uniform", (0.1, 0.9)))
    )
    each = estimate.IDEAL_ENTRY + np.dtype(np.uint32).itemsize + (2 + 2 + 4) * np.dtype(np.float64).itemsize
    assert alike.need.engine == pytest.approx(1e4 * each, rel=0.01)
    assert varied.need.engine - alike.need.engine == 1e4 * 4 * np.dtype(np.float64).itemsize


def test_a_weight_that_becomes_no_number_ends_the_run(sim):
    @synapse_type
    class Odd:
        @staticmethod
        def on_pre(weight):
            return weight / (weight - 2.0)

    kind: Any = Odd
    sim.setup(timestep=DT)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0, 30.0]))
    cells = sim.Population(3, sim.IF_curr_exp())
    projection = sim.Projection(source, cells, sim.AllToAllConnector(), kind(weight=4.0, delay=1.0), label="mine")
    sim.run(20.0)
    assert matrix(projection).ravel().tolist() == [2.0] * 3
    with pytest.raises(BackendError, match=r"projection 'mine': at \d spikes over a synapse, the rule of Odd made its"):
        sim.run(20.0)
    sim.reset()
    sim.run(20.0)
    assert matrix(projection).ravel().tolist() == [2.0] * 3
    bad = sim.Projection(source, cells, sim.AllToAllConnector(), kind(weight=np.nan, delay=1.0), label="nan")
    assert len(bad) == 3
    with pytest.raises(CheckError, match="3 of 3 weights are not finite"):
        sim.run(1.0)
