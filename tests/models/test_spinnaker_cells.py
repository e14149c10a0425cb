"""sPyNNaker's cells that PyNN does not have, in ``ideal``: closed forms, and the laws of its sources in numpy.

What they are on ``spinnaker1`` is compared with the executed firmware, in tests/agreement.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.stats import binomtest

from evsim.network import Network, Population, Probe
from evsim_models.kiss import SEEDS, kiss, seed_rows
from evsim_models.stoc_exp import probability


def one(nets, cells: Population, rows, trains, steps: int, dt: float, variables=("v",), receptor="excitatory"):
    """A source onto a population; its recordings."""
    every = np.arange(cells.size, dtype=np.int32)
    probes = (*(Probe(1, variable, every) for variable in variables), Probe(1, "spikes", every))
    projections = (nets.connect(0, 1, rows, receptor),)
    return nets.run(Network(dt, (nets.array_source(trains), cells), projections, (), probes, seed=5), steps)


# --- Izhikevich with conductances ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Izhikevich_cond", "Izhikevich_cond_dual"])
def test_izhikevich_with_conductances_is_the_solution_of_its_equations(nets, name):
    """Below the peak, by scipy."""
    values = {"a": 0.02, "b": 0.2, "c": -65.0, "d": 2.0, "i_offset": 3.0, "e_rev_E": 0.0, "e_rev_I": -70.0}
    cells = nets.cells(1, "cells", name, v=-70.0, tau_syn_E=5.0, **values)
    cells = replace(cells, initial={**cells.initial, "u": np.full(1, -14.0)})
    found = one(nets, cells, [(0, 0, 0.004, 1)], [[2.0]], 40, 0.1, ("v", "u"))

    def flow(t, y):
        v, u = y
        g = 0.004 * np.exp(-(t - 2.1) / 5.0) if t >= 2.1 else 0.0
        return 0.04 * v * v + 5 * v + 140 - u + g * (0.0 - v) + 3.0, 0.02 * (0.2 * v - u)

    solved = solve_ivp(flow, (0, 4.0), (-70.0, -14.0), rtol=1e-10, atol=1e-10, t_eval=np.arange(41) * 0.1, max_step=0.1)
    for signal, expected in zip(found.signals, solved.y, strict=True):
        np.testing.assert_allclose(signal.values[:, 0], expected, atol=2e-5)


def test_izhikevich_with_conductances_spikes_and_is_reset(nets):
    cells = nets.cells(1, "cells", "Izhikevich_cond", v=-65.0, a=0.02, b=0.2, c=-65.0, d=8.0, i_offset=10.0)
    found = one(nets, cells, [], [[]], 2000, 0.1, ("v", "u"))
    v, u = (signal.values[:, 0] for signal in found.signals)
    steps = np.rint(found.spikes[0].times / 0.1).astype(int)
    assert len(steps) > 3 and (np.diff(u)[steps - 1] > 7.0).all()  # d, less what u decays within the step
    assert (v[steps] < -55.0).all()


# --- a delta synapse and a calcium current ---------------------------------------------------------------------------


def test_the_calcium_current_of_a_delta_cell(nets):
    """Jumps of v and of the current, and what an exponential current does to a leaky membrane, in closed form."""
    values = {"tau_m": 20.0, "cm": 0.5, "tau_ca2": 50.0, "i_alpha": 0.2, "tau_refrac": 1.0}
    cells = nets.cells(1, "cells", "IFCurrDeltaCa2Adaptive", v=-65.0, **values)
    found = one(nets, cells, [(0, 0, 20.0, 1), (1, 0, 3.0, 1)], [[5.0], [30.0]], 600, 0.1, ("v", "i_ca2"))
    v, i_ca2 = (signal.values[:, 0] for signal in found.signals)
    (spike,) = found.spikes[0].times
    assert spike == pytest.approx(5.1)  # 20 mV at once are above the threshold
    t = np.arange(601) * 0.1
    since = np.clip(t - 5.1, 0, None)
    np.testing.assert_allclose(i_ca2, np.where(t > 5.05, 0.2 * np.exp(-since / 50.0), 0.0), atol=1e-12)
    free = np.clip(t - 6.1, 0, None)  # after the refractory time
    start = 0.2 * np.exp(-1.0 / 50.0)
    pull = start / 0.5 / (1 / 20.0 - 1 / 50.0) * (np.exp(-free / 50.0) - np.exp(-free / 20.0))
    jump = np.where(t > 30.05, 3.0 * np.exp(-(t - 30.1) / 20.0), 0.0)
    np.testing.assert_allclose(v, -65.0 - pull + jump, atol=1e-9)


# --- without a leak --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dt", [1.0, 0.5])
def test_truncated_cells_follow_the_law_of_sources(nets, dt):
    rng = np.random.default_rng(3)
    trains = [np.flatnonzero(rng.random(200) < 0.2) * dt for _ in range(4)]
    values = {"tau_m": 3.0, "cm": 1.5, "v_thresh": 4.03, "v_reset": -1.0, "tau_refrac": 2.0, "i_offset": 0.05}
    cells = nets.cells(1, "cells", "IFTruncDelta", v=0.0, **values)
    weights = [0.9 * dt, 0.7 * dt, 0.4 * dt]
    rows = [(k, 0, weight, 1) for k, weight in enumerate(weights)]
    source, minus = nets.array_source(trains), nets.connect(0, 1, [(3, 0, -1.5 * dt, 2)], "inhibitory")
    probes = (Probe(1, "v", np.zeros(1, np.int32)), Probe(1, "spikes", np.zeros(1, np.int32)))
    network = Network(dt, (source, cells), (nets.connect(0, 1, rows), minus), (), probes)
    found = nets.run(network, 200)

    due = np.zeros(203)
    for k, (weight, delay) in enumerate(zip([*weights, -1.5 * dt], (1, 1, 1, 2), strict=True)):
        np.add.at(due, np.rint(trains[k] / dt).astype(int) + delay, weight)
    v, wait, expected, spikes = 0.0, 0, [0.0], []
    for step in range(1, 201):
        if wait:
            wait -= 1
        else:
            v = max(v + 2.0 * (0.05 + due[step] / dt), -1.0)
            if v >= 4.03:
                v, wait = -1.0, round(2.0 / dt)
                spikes.append(step)
        expected.append(v)
    np.testing.assert_allclose(found.signals[0].values[:, 0], expected, atol=1e-12)
    assert np.rint(found.spikes[0].times / dt).astype(int).tolist() == spikes and len(spikes) > 3


# --- motion ----------------------------------------------------------------------------------------------------------


def test_a_trigger_after_a_facilitator_makes_the_more_current_the_sooner_it_comes(nets):
    """m is what is left of the facilitator as the trigger comes, and 0 again once it is gone; one alone makes none."""
    cells = nets.cells(4, "cells", "IF_curr_exp_sEMD", tau_syn_E=10.0, tau_syn_E2=4.0, v_thresh=100.0)
    every = np.arange(4, dtype=np.int32)
    source = nets.array_source([[5.0], [5.0], [8.0], [15.0]])
    first = nets.connect(0, 1, [(0, cell, 2.0, 1) for cell in (0, 1, 2)])
    second = nets.connect(0, 1, [(1, 0, 1.0, 1), (2, 1, 1.0, 1), (3, 2, 1.0, 1), (3, 3, 1.0, 1)], "excitatory2")
    probe = Probe(1, "gsyn_exc", every)
    found = nets.run(Network(1.0, (source, cells), (first, second), (), (probe,)), 60, "spinnaker1").signals[0].values

    facilitator = 2.0 * 10.0 * (1 - np.exp(-1 / 10.0))  # the charge of the first step, as that of a continuous current
    trigger = 1.0 * 4.0 * (1 - np.exp(-1 / 4.0))
    for cell, (begin, gap) in enumerate([(6, 0), (9, 3), (16, 10)]):
        t = np.arange(60)
        m = facilitator * np.exp(-gap / 10.0)
        expected = np.where(t >= begin, m * trigger * np.exp(-(t - begin) / 4.0), 0.0)
        early = t < begin + 20  # the trigger is above 0.001 nA
        np.testing.assert_allclose(found[:60, cell][early], expected[early], atol=2e-3)
        assert not found[begin + 40 :, cell].any()
    assert not found[:, 3].any()


# --- chance ----------------------------------------------------------------------------------------------------------


def test_a_cell_at_its_threshold_spikes_with_the_given_probability(nets):
    """v is above the threshold in every step, so the spikes are tosses of a coin."""
    p = np.array([0.0, 0.1, 0.5, 0.9, 1.0])
    values = {"v_rest": -40.0, "v_reset": -40.0, "v_thresh": -50.0, "tau_refrac": 0.0}
    cells = nets.cells(5, "cells", "IFCurrDeltaFixedProb", v=-40.0, p_thresh=p, **values)
    found = one(nets, cells, [], [[]], 20_000, 1.0)
    counts = np.bincount(found.spikes[0].neurons, minlength=5)
    assert counts[0] == 0 and counts[4] == 20_000
    for count, expected in zip(counts[1:4], p[1:4], strict=True):
        assert binomtest(int(count), 20_000, expected).pvalue > 1e-4


def test_the_soft_threshold_has_the_probability_of_sources(nets):
    """A membrane that stays where it is, at (v - v_thresh) / du_th of -2 to 6."""
    u = np.array([-2.0, 0.0, 1.0, 3.0, 4.5, 6.0])
    v = -50.0 + 0.5 * u
    values = {
        "v_rest": v,
        "v_reset": v,
        "tau_refrac": 0.0,
        "du_th": 0.5,
        "tau_th": 2.0,
        "e_rev_E": 0.0,
        "e_rev_I": -70.0,
    }
    cells = nets.cells(6, "cells", "IFCondExpStoc", **values)
    cells = replace(cells, initial={**cells.initial, "v": v})
    found = one(nets, cells, [], [[]], 20_000, 0.5)
    counts = np.bincount(found.spikes[0].neurons, minlength=6)
    expected = np.where(u >= 5, 0.8, 0.8 * (1 - np.exp(-np.exp(u) * 0.5 / (10 * 2.0))))
    for count, p in zip(counts, expected, strict=True):
        assert binomtest(int(count), 20_000, p).pvalue > 1e-4


def test_the_generator_is_marsaglias(nets):
    """Computed with Python's integers; a y of 0 and a carry are mended as the firmware does."""
    words = np.array([[1, 2**32 - 1, 12345], [0, 77, 987654321], [3, 4, 43219876], [0, 698769067, 698769068]], float)
    rows = seed_rows(dict(zip(SEEDS, words, strict=True)))
    assert (rows[1][0], rows[3].tolist()) == (13031301, [1, 698769068, 1])
    for cell in range(3):
        state = tuple(int(row[cell]) for row in rows)
        x, y, z, c = (word & 0xFFFFFFFF for word in state)
        for _ in range(50):
            *state, drawn = kiss(*state)
            x = (314527869 * x + 1234567) % 2**32
            y ^= (y << 5) % 2**32
            y ^= y >> 7
            y ^= (y << 22) % 2**32
            z, c = (4294584393 * z + c) % 2**32, (4294584393 * z + c) >> 32
            assert drawn == (x + y + z) % 2**32 and tuple(state) == (x, y, z, c)


def test_the_probability_of_a_power_of_two():
    """To the precision of the firmware's tables."""
    for factor in (0.03, 0.1, 0.7):
        for v in np.linspace(-6, 5, 57):
            found = probability(round(factor * 65536), round(v * 32768)) / 2.0**32
            assert found == pytest.approx(min(factor * 2.0**v, 1.0), rel=2e-3, abs=3e-4)
