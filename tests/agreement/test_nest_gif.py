"""GIF_cond_exp against NEST 3.10's gif_cond_exp: by itself where nothing is left to chance, else in its statistics.

NEST takes the spike-triggered current and threshold of the beginning of a time step for the whole of it, so that it
comes near ours as its time step becomes short; and it shows both a step late.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

nest = pytest.importorskip("nest")

DT = 0.1
GIF = {
    **{"v_rest": -65.0, "cm": 0.3, "tau_m": 15.0, "tau_refrac": 2.0, "v_reset": -60.0, "i_offset": 0.4},
    **{"tau_syn_E": 4.0, "tau_syn_I": 8.0, "e_rev_E": 0.0, "e_rev_I": -75.0},
    **{"delta_v": 0.7, "v_t_star": -50.0, "lambda0": 5.0},
}
TAU_ETA, A_ETA = (5.0, 30.0, 120.0), (0.02, 0.01, 0.005)
TAU_GAMMA, A_GAMMA = (4.0, 20.0, 100.0), (2.0, 0.5, 0.2)


def numbered(**arrays) -> dict[str, float]:
    return {f"{name}{j}": x for name, array in arrays.items() for j, x in enumerate(array, 1)}


def ours(nets, size: int, duration: float, trains, weights, variables=(), dt=DT, **changed):
    """Spike times (ms) and numbers of the cells, and a function that gives a variable (labels, cells)."""
    arrays = numbered(tau_eta=TAU_ETA, a_eta=A_ETA, tau_gamma=TAU_GAMMA, a_gamma=A_GAMMA)
    cells = nets.cells(size, model="GIF_cond_exp", **{**GIF, **arrays, **changed})
    populations, delay = (nets.array_source(trains), cells), round(2 * DT / dt)
    synapses = tuple(
        nets.connect(0, 1, [(k, n, weight, delay) for k in range(len(trains)) for n in range(size)], receptor)
        for weight, receptor in zip(weights, ("excitatory", "inhibitory"), strict=True)
    )
    probes = nets.record_all(populations, "spikes", *variables)
    found = nets.run(nets.Network(dt, populations, synapses, probes=probes, seed=3), round(duration / dt))
    (spikes,) = [part for part in found.spikes if part.population == 1]
    return spikes.times, spikes.neurons, {signal.variable: signal.values for signal in found.signals}


def theirs(size: int, duration: float, trains, weights, dt=DT, record=(), **changed):
    """The same of NEST."""
    values = {**GIF, **changed}
    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.set(resolution=dt, rng_seed=17)
    words = {
        **{"E_L": values["v_rest"], "C_m": 1000 * values["cm"], "g_L": 1000 * values["cm"] / values["tau_m"]},
        **{"t_ref": values["tau_refrac"], "V_reset": values["v_reset"], "I_e": 1000 * values["i_offset"]},
        **{"tau_syn_ex": values["tau_syn_E"], "tau_syn_in": values["tau_syn_I"], "E_ex": values["e_rev_E"]},
        **{"E_in": values["e_rev_I"], "Delta_V": values["delta_v"], "V_T_star": values["v_t_star"]},
        **{"lambda_0": values["lambda0"], "tau_stc": TAU_ETA, "q_stc": [1000 * a for a in A_ETA]},
        **{"tau_sfa": TAU_GAMMA, "q_sfa": A_GAMMA, "V_m": -65.0, "gsl_error_tol": 1e-10},
    }
    cells = nest.Create("gif_cond_exp", size, params=words)
    sources = nest.Create("spike_generator", len(trains), params=[{"spike_times": train} for train in trains])
    for weight in (1000 * weights[0], -1000 * weights[1]):
        nest.Connect(sources, cells, syn_spec={"weight": weight, "delay": 2 * DT})
    recorder, meter = nest.Create("spike_recorder"), None
    nest.Connect(cells, recorder)
    if record:
        meter = nest.Create("multimeter", params={"record_from": record, "interval": dt})
        nest.Connect(meter, cells)
    nest.Simulate(duration + 20 * DT)
    events = recorder.events
    seen = events["times"] <= duration + DT / 2
    return events["times"][seen], events["senders"][seen] - 1, meter.events if meter else {}


def input_trains(rng, count: int, duration: float) -> list[np.ndarray]:
    return [np.unique(np.rint(rng.uniform(1, duration - 5, 30) / DT)) * DT for _ in range(count)]


WEIGHTS = 0.004, 0.004  # uS


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_where_nothing_is_left_to_chance_they_spike_within_a_time_step(nets, seed):
    """delta_v is tiny, so that a neuron spikes where v passes v_t. The two differ less in a shorter time step."""
    arguments = 1, 1000.0, input_trains(np.random.default_rng(seed), 20, 1000.0), WEIGHTS
    for dt, share in ((DT, 0.75), (DT / 10, 1.0)):
        found, _, _ = ours(nets, *arguments, dt=dt, delta_v=1e-4)
        expected, _, _ = theirs(*arguments, dt=dt, delta_v=1e-4)
        assert len(found) == len(expected) > 30
        assert np.mean(np.abs(found - expected) < 1.01 * DT) >= share


def test_the_traces_are_those_of_nest(nets):
    """Up to the second spike: v to the tolerance of NEST's solver, current and threshold exactly."""
    arguments = 1, 200.0, input_trains(np.random.default_rng(4), 10, 200.0), WEIGHTS
    found, _, signals = ours(nets, *arguments, ("v", "i_eta", "v_t"), delta_v=1e-4)
    expected, _, events = theirs(*arguments, record=["V_m", "I_stc", "E_sfa"], delta_v=1e-4)
    assert found[0] == pytest.approx(expected[0]) and len(found) > 2
    first, second = (round(min(found[k], expected[k]) / DT) for k in (0, 1))
    theirs_at = {name: np.append(np.nan, events[name]) for name in ("V_m", "I_stc", "E_sfa")}  # the first one is of DT
    labels = np.arange(first, second)
    current, threshold = (signals[name][labels, 0] for name in ("i_eta", "v_t"))
    np.testing.assert_allclose(current, theirs_at["I_stc"][labels + 1] / 1000, rtol=1e-12)
    np.testing.assert_allclose(threshold, theirs_at["E_sfa"][labels + 1], rtol=1e-12)
    before = np.arange(1, first)
    np.testing.assert_allclose(signals["v"][before, 0], theirs_at["V_m"][before], rtol=0, atol=1e-6)
    assert (signals["v"][first : first + 21, 0] == GIF["v_reset"]).all()


@pytest.mark.parametrize(
    "changed", [{}, pytest.param({"delta_v": 3.0, "lambda0": 20.0, "i_offset": 0.7}, marks=pytest.mark.slow)]
)
def test_rates_and_intervals_are_those_of_nest(nets, changed):
    """Rates within 0.5 %, of which the standard error of the difference is a third at the most."""
    size, duration = 1200, 3000.0
    arguments = size, duration, input_trains(np.random.default_rng(3), 20, duration), WEIGHTS
    rates, gaps = [], []
    for times, cells, _ in (ours(nets, *arguments, **changed), theirs(*arguments, **changed)):
        counts = np.bincount(cells, minlength=size)
        rates.append((counts.mean(), counts.std() / np.sqrt(size)))
        order = np.lexsort((times, cells))
        gaps.append(np.diff(times[order])[np.diff(cells[order]) == 0])
    (mine, error), (other, other_error) = rates
    assert mine > 30 and np.hypot(error, other_error) < 0.0015 * mine
    assert abs(mine - other) < 0.005 * other
    assert min(gaps[0]) > GIF["tau_refrac"] and stats.kstest(gaps[0], gaps[1]).pvalue > 1e-3
