"""Spikes that arrive between time steps, in ``ideal``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evsim.arithmetic.responses import exponential_shares, moved, rising_shares, shares_in_proportion
from evsim.chip import load_chip
from evsim.deploy.quantise import quantise
from evsim.engine import off_grid
from evsim.engine.off_grid import OffGrid, off_grid_projections
from evsim.engine.simulation import Simulation
from evsim.network import Network, Trains

DT = 0.1
TIMES = [[1.234, 3.71, 3.749, 9.99, 12.0], [2.2001, 5.55]]


def network(nets, times=TIMES, model="IF_curr_exp", weight=0.3, **changed) -> Network:
    """Two sources onto 600 cells, two blocks of them, over delays of 3 steps and others; the cells onto each other."""
    source = nets.array_source(times)
    cells = nets.cells(600, model=model, v_thresh=1e3, **changed)
    rng = np.random.default_rng(3)
    rows = [(0, 0, weight, 5), (1, 599, weight, 3), *nets.random_rows(rng, 2, 600, 3000, (0.01, weight), 40)]
    own = nets.random_rows(rng, 600, 600, 2000, (0.01, 0.1), 20)
    projections = (nets.connect(0, 1, rows), nets.connect(1, 1, own, label="own"))
    probes = nets.record_all((source, cells), "spikes", "v")
    return Network(DT, (source, cells), projections, (), probes, off_grid=True)


def voltages(network: Network, steps=(200,), threads: int = 1) -> np.ndarray:
    """(samples, cells)"""
    simulation = Simulation(quantise(network, load_chip("ideal")), threads)
    for count in steps:
        simulation.run(count)
    (signal,) = simulation.recordings().signals
    return signal.values


@pytest.mark.parametrize("left", [0.0, 0.03, 0.1])
def test_shares_make_a_response_what_it_would_be(left: float):
    at, dt, tau, tau_x = np.array([left]), 0.1, np.array([2.0]), np.array([0.7])
    for early, late in (shares_in_proportion(at, dt), exponential_shares(at, dt, tau)):
        assert early + late == pytest.approx(1.0)
    early, late = exponential_shares(at, dt, tau)
    assert early * np.exp(-dt / tau) + late == pytest.approx(np.exp(-left / tau))
    for fast in (tau_x, tau):
        early, late = rising_shares(at, dt, tau, fast)
        assert early * moved(dt, tau, fast) == pytest.approx(moved(left, tau, fast))
        assert early * np.exp(-dt / fast) + late == pytest.approx(np.exp(-left / fast))
        assert (early >= 0).all() and (late >= -1e-15).all()


def test_a_membrane_is_exact_at_every_step(nets):
    """Against the convolution of the spikes with the response of a leaky membrane to an exponential current."""
    net = network(nets, weight=0.3)
    found = voltages(net)
    label = np.arange(201) * DT
    for target in (0, 17, 599):
        expected = np.full(201, -65.0)
        for projection in net.projections[:1]:
            for k in np.flatnonzero(projection.target == target):
                for time in TIMES[int(projection.source[k])]:
                    since = np.maximum(label - time - projection.delay[k] * DT, 0.0)
                    per = 20.0 * 5.0 / (20.0 - 5.0)
                    expected += projection.weight[k] * per * (np.exp(-since / 20.0) - np.exp(-since / 5.0))
        np.testing.assert_allclose(found[:, target], expected, atol=1e-11)


def test_neither_threads_nor_pieces_nor_the_length_of_the_list_change_a_bit(nets, monkeypatch):
    net = network(nets, model="IF_cond_exp", weight=0.02, e_rev_E=0.0, e_rev_I=-70.0)
    expected = voltages(net)
    for steps, threads in (((200,), 2), ((1, 33, 2, 164), 1), ((70, 130), 2)):
        np.testing.assert_array_equal(voltages(net, steps, threads), expected)
    monkeypatch.setattr(off_grid, "LISTED_MOST", 100)
    np.testing.assert_array_equal(voltages(net), expected)


def test_the_list_is_as_long_as_is_allowed(nets, monkeypatch):
    chip_network = quantise(network(nets), load_chip("ideal"))
    layout = Simulation(chip_network)._layout
    wires = OffGrid(chip_network, layout, [np.ones(layout.n_slices, bool)], -1)
    assert wires.reach(0, 200) == 200
    monkeypatch.setattr(off_grid, "LISTED_MOST", 5000)
    assert 1 <= wires.reach(0, 200) < 200
    monkeypatch.setattr(off_grid, "LISTED_MOST", 1)
    assert wires.reach(30, 200) == 31


def test_times_on_the_grid_are_as_ever(nets):
    times = [[1.2, 3.7, 9.9, 12.0], [0.0, 2.2, 5.5]]
    net = network(nets, times)
    assert off_grid_projections(quantise(net, load_chip("ideal"))) == []
    np.testing.assert_array_equal(voltages(net), voltages(replace(net, off_grid=False)))
    # beside one that is between two steps, they only come in another order into their sums
    mixed = network(nets, [[*times[0], 19.999], times[1]])
    np.testing.assert_allclose(voltages(mixed)[:199], voltages(net)[:199], atol=1e-11)


def test_the_order_of_the_error_is_the_second(nets):
    """A jump of a cell of which nothing is known is shared in proportion, which keeps its mean time."""
    late = {}
    for dt in (0.1, 0.05, 0.025):
        cells = nets.cells(1, model="IF_cond_alpha", v_thresh=1e3, e_rev_E=0.0, e_rev_I=-70.0)
        source = nets.array_source([[1.0 + 0.4 * dt]])
        probes = nets.record_all((source, cells), "v")
        steps = round(0.5 / dt)
        net = Network(dt, (source, cells), (nets.connect(0, 1, [(0, 0, 0.01, steps)]),), (), probes, off_grid=True)
        fine = nets.array_source([[1.0]])
        exact = replace(net, populations=(fine, cells), off_grid=False)
        length = round(10 / dt)
        # moved by a fraction of a step, where the solution of the other is known by Taylor's series
        v, there = voltages(net, (length,))[:, 0], voltages(exact, (length,))[:, 0]
        slope = np.gradient(there, dt)
        curve = np.gradient(slope, dt)
        at = round(4.0 / dt)
        late[dt] = abs(v[at] - (there[at] - 0.4 * dt * slope[at] + 0.5 * (0.4 * dt) ** 2 * curve[at]))
    assert late[0.05] < 0.3 * late[0.1] and late[0.025] < 0.3 * late[0.05]


# --- changes ---------------------------------------------------------------------------------------------------------


def run_changed(nets, before: Network, after: Network, at: int) -> np.ndarray:
    chip = load_chip("ideal")
    simulation = Simulation(quantise(before, chip))
    simulation.run(at)
    simulation.update(quantise(after, chip))
    simulation.run(200 - at)
    (signal,) = simulation.recordings().signals
    return signal.values


@pytest.mark.parametrize("at", [37, 38, 41, 60])  # 3.749 ms lies between labels 37 and 38
def test_what_is_under_way_keeps_its_weight(nets, at: int):
    net = network(nets)
    projection = net.projections[0]
    heavier = replace(projection, synapses=projection.synapses.replaced(weight=2.0 * projection.weight))
    found = run_changed(nets, net, replace(net, projections=(heavier, net.projections[1])), at)
    sent = [[[t for t in train if (t <= at * DT) == early] for train in TIMES] for early in (True, False)]
    first = network(nets, sent[0])
    second = network(nets, sent[1])
    later = replace(second, projections=(heavier, net.projections[1]))
    expected = voltages(first) + voltages(later) + 65.0  # the membrane is linear
    np.testing.assert_allclose(found, expected, atol=1e-11)


def test_new_spike_times_follow_those_that_were(nets):
    net = network(nets)
    fresh = replace(net.populations[0], trains=Trains.from_lists([np.array([0.55, 8.04, 8.16]), np.array([15.001])]))
    found = run_changed(nets, net, replace(net, populations=(fresh, net.populations[1])), 60)
    joined = [[1.234, 3.71, 3.749, 8.04, 8.16], [2.2001, 5.55, 15.001]]
    np.testing.assert_allclose(found, voltages(network(nets, joined)), atol=1e-11)


def test_off_the_grid_may_begin_in_the_middle_of_a_run(nets):
    net = network(nets, [[1.2, 3.7], [2.2]])
    between = network(nets, [[1.2, 3.7, 8.04], [2.2, 15.001]])
    found = run_changed(nets, net, replace(net, populations=(between.populations[0], net.populations[1])), 60)
    np.testing.assert_allclose(found, voltages(between), atol=1e-11)


def test_a_change_of_cells_changes_nothing_that_was_sent(nets):
    net = network(nets)
    cells = replace(net.populations[1], parameters={**net.populations[1].parameters, "v_thresh": np.full(600, 900.0)})
    np.testing.assert_allclose(
        run_changed(nets, net, replace(net, populations=(net.populations[0], cells)), 41), voltages(net), atol=1e-11
    )
