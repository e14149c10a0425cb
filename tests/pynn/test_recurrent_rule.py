"""sPyNNaker's RecurrentRule: windows of random length, and a count of the spikes that fall into them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from evsim.network_file import load, save
from evsim.pynn import graph, simulator
from recurrent_networks import DT, Synapse, by_hand, connected, drawn, pushed, sim, some_spikes, trains, weights

DEPENDENCES: dict[str, Any] = {
    "additive": (
        lambda: sim.AdditiveWeightDependence(w_min=0.2, w_max=0.8),
        lambda w: min(w + 0.1 * 0.8, 0.8),
        lambda w: max(w - 0.06 * 0.8, 0.2),
    ),
    "multiplicative": (
        lambda: sim.MultiplicativeWeightDependence(w_min=0.2, w_max=0.8),
        lambda w: w + 0.1 * (0.8 - w),
        lambda w: w - 0.06 * (w - 0.2),
    ),
    "mixed": (
        lambda: sim.AdditivePotentiationMultiplicativeDepression(w_min=0.2, w_max=0.8),
        lambda w: min(w + 0.1 * 0.8, 0.8),
        lambda w: w - 0.06 * (w - 0.2),
    ),
    "Guetig": (
        lambda: sim.GutigWeightDependence(w_min=0.2, w_max=0.8, mu_plus=0.4, mu_minus=0.7),
        lambda w: w + 0.1 * 0.6 * ((0.8 - w) / 0.6) ** 0.4,
        lambda w: w - 0.06 * 0.6 * ((w - 0.2) / 0.6) ** 0.7,
    ),
}


@pytest.mark.parametrize("dual", [True, False])
@pytest.mark.parametrize("dependence", DEPENDENCES)
@pytest.mark.parametrize(("delay", "fraction"), [(0.5, 1.0), (2.0, 0.0), (3.0, 0.5)])
def test_weights_are_those_of_the_firmwares_sources(delay: float, fraction: float, dependence: str, dual: bool):
    """With the same random numbers; of spikes that come together the target's is first, where it has a way to go."""
    random = np.random.default_rng(3)
    cells = pushed(some_spikes(60, 5, 580, random))
    times = some_spikes(60, 4, 580, random)
    kind, *change = DEPENDENCES[dependence]
    given: dict[str, Any] = {"accumulator_depression": -2, "accumulator_potentiation": 3}
    given |= {"mean_pre_window": 14.0, "mean_post_window": 9.0, "A_plus": 0.1, "A_minus": 0.06}
    named = {"delay": delay, "dendritic_delay_fraction": fraction, "dual_fsm": dual, **given}
    projection = connected(times, cells, kind(), **named)
    order = np.empty((4, 5), int)
    (*_, part) = graph.build(simulator.state).projections
    order[part.source, part.target] = np.arange(20)
    both = round(delay / DT)
    behind = round(fraction * both)
    steps = [np.rint(train / DT).astype(int) for train in times]
    changed = None
    for end in (60.0, 60.5, 300.0):
        sim.run_until(end)
        expected = by_hand(
            (steps, trains(cells)),
            (both - behind, behind),
            round(end / DT),
            dual,
            (14.0, 9.0),
            lambda: Synapse((-2, 3), (change[0], change[1]), 0.5),
            drawn(dual, (4, 5), order),
        )
        np.testing.assert_allclose(weights(projection), expected, rtol=1e-12)
        changed = np.abs(expected - 0.5)
    together = {*(steps[0] + both - behind)} & {*(trains(cells)[0] + behind)}
    assert changed is not None and (changed > 0.01).mean() > 0.5 and together


def test_threads_and_pieces_change_nothing():
    def learned(threads: int, pieces: Sequence[float], dual: bool) -> np.ndarray:
        random = np.random.default_rng(5)
        cells = pushed(some_spikes(30, 1000, 380, random), threads)
        some = sim.FixedProbabilityConnector(0.3, rng=sim.NumpyRNG(2))
        limits = {"accumulator_depression": -1, "accumulator_potentiation": 1}
        projection = connected(some_spikes(30, 12, 380, random), cells, connector=some, dual_fsm=dual, **limits)
        for piece in pieces:
            sim.run(piece)
        return weights(projection)

    for dual in (True, False):
        whole = learned(1, [200.0], dual)
        assert np.nanstd(whole) > 0.005
        np.testing.assert_array_equal(learned(2, [60.0, 0.5, 99.5, 40.0], dual), whole)


# --- statistics ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dual", [True, False])
@pytest.mark.parametrize("up", [True, False])
def test_windows_have_an_exponential_distribution(up: bool, dual: bool):
    """A pair counts if its interval is within the window: with probability exp(-interval / mean)."""
    intervals, pairs = np.array([4.0, 10.0, 25.0]), 3000
    first, late = 2.0, 2.0 + intervals
    # a cell fires a step after it is pushed, and the synapse hears of that a step later still
    fires = [[(t if up else first) - 2 * DT] for t in late]
    cells = pushed(fires, seed=8)
    sources = [[first if up else t] for t in late for _ in range(pairs)]
    limits = {"accumulator_depression": -1, "accumulator_potentiation": 1, "dual_fsm": dual}
    means = {"mean_pre_window": 12.0 if up else 1e-3, "mean_post_window": 1e-3 if up else 12.0}
    listed = sim.FromListConnector([(k, k // pairs) for k in range(len(sources))])
    weak = sim.MultiplicativeWeightDependence(w_min=0.0, w_max=1e-6)  # so that they make no cell spike
    named = {"weight": 0.5e-6, "A_plus": 0.1, "A_minus": 0.1}
    projection = connected(sources, cells, weak, listed, **named, **limits, **means)
    sim.run(60.0)
    found = 1e6 * np.array(projection.get("weight", "list", with_address=False)).reshape(3, pairs)
    np.testing.assert_allclose(np.unique(found.round(9)), [0.5, 0.55] if up else [0.45, 0.5])
    if dual and not up:  # one spike of the target, and so one window
        assert (found == found[:, :1]).all()
        return
    counted = (np.abs(found - 0.5) > 1e-6).mean(axis=1)
    expected = np.exp(-intervals / 12.0)
    assert np.abs(counted - expected).max() < 4 * np.sqrt(0.25 / pairs)


@pytest.mark.parametrize("dual", [True, False])
def test_whether_synapses_share_their_windows(dual: bool):
    """Cells that spike alike, and sources that do: with dual_fsm all that tells their synapses apart is the cells."""
    random = np.random.default_rng(1)
    cells = pushed(some_spikes(40, 1, 380, random) * 6)
    times = some_spikes(40, 1, 380, random) * 5
    limits = {"accumulator_depression": -1, "accumulator_potentiation": 1, "A_minus": 0.0, "A_plus": 0.1}
    learned = connected(times, cells, dual_fsm=dual, **limits)
    sim.run(200.0)
    found = weights(learned)
    assert len(np.unique(found[:, 0])) > 2
    assert (found == found[:, :1]).all() == dual


# --- in a script -----------------------------------------------------------------------------------------------------


def test_weights_of_inhibitory_synapses_keep_their_sign():
    random = np.random.default_rng(2)
    cells = pushed(some_spikes(40, 4, 380, random))
    times = some_spikes(40, 3, 380, random)
    limits = {"accumulator_depression": -1, "accumulator_potentiation": 1, "A_plus": 0.2, "A_minus": 0.1}
    sources = sim.Population(3, sim.SpikeSourceArray(spike_times=times))
    rule = sim.extra_models.RecurrentRule(**limits)
    synapse = sim.STDPMechanism(rule, sim.MultiplicativeWeightDependence(w_max=1.0), weight=-0.5, delay=DT)
    projection = sim.Projection(sources, cells, sim.AllToAllConnector(), synapse, receptor_type="inhibitory")
    sim.run(200.0)
    found = weights(projection)
    assert (found > -1.0).all() and found.max() < -0.4 and np.std(found) > 0.01


def test_parameters_and_weights_may_be_set_between_two_runs():
    random = np.random.default_rng(2)
    cells = pushed(some_spikes(60, 4, 780, random))
    limits = {"accumulator_depression": -1, "accumulator_potentiation": 1, "A_plus": 0.2, "A_minus": 0.2}
    projection = connected(some_spikes(60, 3, 780, random), cells, **limits)
    sim.run(150.0)
    before = weights(projection)
    projection.set(A_plus=0.0, A_minus=0.0)
    sim.run(100.0)
    np.testing.assert_array_equal(weights(projection), before)
    projection.set(weight=0.25, A_plus=0.5)
    sim.run(140.0)
    after = weights(projection)
    assert np.std(before) > 0.01 and after.min() >= 0.25 and after.max() > 0.5


def test_a_projection_that_comes_late_knows_of_no_spikes_before():
    random = np.random.default_rng(2)
    times = [[10.0, 20.0, 30.0, 120.0]]
    cells = pushed([[12.0, 22.0, 32.0]], seed=1)
    forever = {"mean_pre_window": 1e9, "mean_post_window": 1e-6, "accumulator_potentiation": 4}
    early = connected(times, cells, **forever)
    sim.run(50.0)
    late = connected(some_spikes(5, 1, 80, random), cells, **{**forever, "accumulator_potentiation": 1})
    sim.run(100.0)
    assert weights(early).item() == weights(late).item() == 0.5
    sim.reset()
    sim.run(150.0)
    assert weights(early).item() == 0.5 < weights(late).item()


def test_a_network_file_keeps_the_rule(tmp_path):
    cells = pushed([[10.0]])
    connected([[11.0]], cells, dual_fsm=False)
    net = graph.build(simulator.state)
    save(net, tmp_path / "net.npz")
    (*_, part) = load(tmp_path / "net.npz").projections
    assert part.plasticity is not None and part.plasticity == net.projections[-1].plasticity
    assert part.plasticity.parameters["dual_fsm"] == 0.0
