"""Synapses that learn as a script says: of chance, in pieces of runs, and when something changes between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from evsim.errors import BackendError, CheckError
from evsim.pynn.own_synapses import parameter, source_trace, state, synapse_type
from own_synapses import DT, matrix, own, pushed, trains

# --- chance -----------------------------------------------------------------------------------------------------------


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


def switched(sim, pieces: Sequence[float], threads: int = 1, seed: int = 5, reset: bool = False):
    cells, _ = pushed(sim, 600, 120.0, seed, threads)
    sources = sim.Population(6, sim.SpikeSourceArray(spike_times=[[5.0, 5.0, 60.0 + k] for k in range(6)]))
    kind: Any = Switch
    p = np.repeat([[0.2], [0.7]], 3, axis=0) * np.ones(600)
    projection = sim.Projection(sources, cells, sim.AllToAllConnector(), kind(p=p, delay=2.0))
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


# --- changes between runs ---------------------------------------------------------------------------------------------


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
    learning = kind(weight=0.0, delay=delay, dendritic_delay_fraction=fraction, amount=1.0)
    return cell, sim.Projection(source, cell, sim.AllToAllConnector(), learning)


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


# --- no number --------------------------------------------------------------------------------------------------------


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
