"""Cells made of a membrane and receptors, against scipy's solution of their equations with tight tolerances."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

SYNAPSES = {"e_rev_E": 0.0, "e_rev_I": -80.0, "tau_syn_E": 2.0, "tau_syn_I": 6.0}
LEAKY = {**SYNAPSES, "v_rest": -65.0, "cm": 0.25, "tau_m": 12.0, "i_offset": 0.1, "v_thresh": 1e9}
GSFA = {"tau_sfa": 100.0, "e_rev_sfa": -75.0, "q_sfa": 15.0, "tau_rr": 2.0, "e_rev_rr": -75.0, "q_rr": 3000.0}
EIF = {
    **{"v_rest": -70.6, "v_reset": -60.0, "cm": 0.281, "tau_m": 9.3667, "tau_refrac": 1.0, "i_offset": 0.0},
    **{"a": 4.0, "b": 0.0805, "delta_T": 2.0, "tau_w": 144.0, "v_thresh": -50.4, "v_spike": -40.0},
}
HH = {
    **{"gbar_Na": 20.0, "gbar_K": 6.0, "g_leak": 0.01, "cm": 0.2, "v_offset": -63.0, "i_offset": 0.0},
    **{"e_rev_Na": 50.0, "e_rev_K": -90.0, "e_rev_leak": -65.0},
}
QIF = {
    **{"v_rest": -65.0, "v_thresh": -50.0, "v_spike": 1e3, "v_reset": -70.0, "cm": 0.25, "tau_m": 12.0},
    **{"tau_refrac": 1.0, "i_offset": 0.05},
}
ARRIVALS = ((4, 0.01, 0.0), (9, 0.006, 0.02), (23, 0.0, 0.03), (40, 0.012, 0.0))  # label, weights (uS)


def leaky(p, y, conductance, pull):
    leak = p["cm"] / p["tau_m"]
    return [(leak * (p["v_rest"] - y[0]) + pull - conductance * y[0] + p["i_offset"]) / p["cm"]]


def gsfa(p, y, conductance, pull):
    own, pulled = (y[1] + y[2]) * 1e-3, (y[1] * p["e_rev_sfa"] + y[2] * p["e_rev_rr"]) * 1e-3
    return [*leaky(p, y, conductance + own, pull + pulled), -y[1] / p["tau_sfa"], -y[2] / p["tau_rr"]]


def eif(p, y, conductance, pull):
    v, w = y
    run_up = p["cm"] / p["tau_m"] * p["delta_T"] * np.exp((v - p["v_thresh"]) / p["delta_T"])
    return [*leaky(p, y, conductance, pull + run_up - w), (p["a"] * 1e-3 * (v - p["v_rest"]) - w) / p["tau_w"]]


def hodgkin_huxley(p, y, conductance, pull):
    v, m, h, n = y
    u = v - p["v_offset"]
    rates = (
        (m, 0.32 * (13 - u) / np.expm1((13 - u) / 4), 0.28 * (u - 40) / np.expm1((u - 40) / 5)),
        (h, 0.128 * np.exp((17 - u) / 18), 4 / (1 + np.exp((40 - u) / 5))),
        (n, 0.032 * (15 - u) / np.expm1((15 - u) / 5), 0.5 * np.exp((10 - u) / 40)),
    )
    channels = ((p["gbar_Na"] * m**3 * h, "Na"), (p["gbar_K"] * n**4, "K"), (p["g_leak"], "leak"))
    current = sum(g * (p[f"e_rev_{ion}"] - v) for g, ion in channels) + p["i_offset"]
    gates = [opening * (1 - x) - closing * x for x, opening, closing in rates]
    return [(current + pull - conductance * v) / p["cm"], *gates]


def quadratic(p, y, conductance, pull):
    run_up = p["cm"] / p["tau_m"] * (y[0] - p["v_rest"]) * (y[0] - p["v_thresh"]) / (p["v_thresh"] - p["v_rest"])
    return [(run_up + pull - conductance * y[0] + p["i_offset"]) / p["cm"]]


# cell -> its equation, parameters, the states after v, whether conductances are alpha functions
CASES: dict[str, Any] = {
    "IF_cond_alpha": (leaky, LEAKY, (), True),
    "IF_cond_exp_gsfa_grr": (gsfa, {**LEAKY, **GSFA}, ("g_s", "g_r"), False),
    "EIF_cond_exp_isfa_ista": (eif, {**SYNAPSES, **EIF}, ("w",), False),
    "EIF_cond_alpha_isfa_ista": (eif, {**SYNAPSES, **EIF}, ("w",), True),
    "QIF_cond_exp": (quadratic, {**SYNAPSES, **QIF}, (), False),
    "HH_cond_exp": (hodgkin_huxley, {**SYNAPSES, **HH}, ("m", "h", "n"), False),
}


def solution(model: str, p, y, dt: float, steps: int, arrivals) -> np.ndarray:
    """The states of the membrane at every label, (labels, states)."""
    equation, _, _, is_alpha = CASES[model]

    def opened(t, tau, column):
        total = 0.0
        for arrival in arrivals:
            since = t - arrival[0] * dt
            shape = since / tau * np.exp(1 - since / tau) if is_alpha else np.exp(-since / tau)
            total += arrival[column] * shape * (since >= 0)
        return total

    def slope(t, y):
        exc, inh = opened(t, p["tau_syn_E"], 1), opened(t, p["tau_syn_I"], 2)
        return equation(p, y, exc + inh, exc * p["e_rev_E"] + inh * p["e_rev_I"])

    found = [np.array(y, float)]
    for label in range(steps):  # arrivals are steps of the right side, so that no label may be stepped over
        span = (label * dt, np.nextafter((label + 1) * dt, 0.0))
        found.append(solve_ivp(slope, span, found[-1], method="LSODA", rtol=1e-10, atol=1e-12).y[:, -1])
    return np.array(found)


def trace(recordings, variable: str) -> np.ndarray:
    (signal,) = [signal for signal in recordings.signals if signal.variable == variable]
    return signal.values[:, 0]


def run(nets, model: str, dt: float, steps: int, arrivals=ARRIVALS, v: float = -65.0, **changed):
    """One cell that is sent these weights; recordings of all its states, and of its spikes."""
    _, parameters, others, _ = CASES[model]
    cell = nets.cells(1, model=model, v=v, **{**parameters, **changed})
    populations = (nets.array_source([[(at - 2) * dt] for at, _, _ in arrivals]), cell)
    synapses = [
        nets.connect(0, 1, [(k, 0, arrival[column], 2) for k, arrival in enumerate(arrivals)], receptor)
        for column, receptor in ((1, "excitatory"), (2, "inhibitory"))
    ]
    probes = nets.record_all(populations, "v", *others, "spikes")
    return nets.run(nets.Network(dt, populations, tuple(synapses), probes=probes), steps)


@pytest.mark.parametrize("dt", [0.1, 1.0])
@pytest.mark.parametrize("model", CASES)
def test_states_follow_the_equations(nets, model, dt):
    """No neuron spikes but HH_cond_exp's, whose spikes move v by 100 mV in 0.2 ms."""
    _, parameters, others, _ = CASES[model]
    recordings = run(nets, model, dt, 80)
    names = ("v", *others)
    expected = solution(model, parameters, [-65.0] + [0.0] * len(others), dt, 80, ARRIVALS)
    for k, name in enumerate(names):
        error = np.abs(trace(recordings, name) - expected[:, k])
        bound = 2e-5 if model != "HH_cond_exp" else 0.05
        assert error.max() < bound, name
        assert np.median(error) < 1e-4, name


@pytest.mark.parametrize("model", [name for name in CASES if name.startswith("EIF")])
@pytest.mark.parametrize(("dt", "tau_refrac"), [(0.1, 0.0), (0.1, 1.0), (1.0, 0.0), (1.0, 2.0)])
def test_a_spike_resets_within_the_time_step(nets, model, dt, tau_refrac):
    """v and w after it depend on its moment, and so do the spikes that follow."""
    steps, current = round(60 / dt), 1.2
    parameters = {**CASES[model][1], "tau_refrac": tau_refrac, "i_offset": current}
    recordings = run(nets, model, dt, steps, (), i_offset=current, tau_refrac=tau_refrac)
    moments, ends = with_resets(parameters, dt, 60.0)
    (spikes,) = [part for part in recordings.spikes if part.population == 1]
    np.testing.assert_allclose(spikes.times, np.ceil(moments / dt - 1e-6) * dt, atol=1e-9)
    assert len(moments) > 3
    assert np.abs(trace(recordings, "w")[1:] - ends).max() < 1e-5


def with_resets(p, dt: float, duration: float) -> tuple[np.ndarray, np.ndarray]:
    """The moments of spikes and w at every label of a neuron without input."""

    def peak(t, y):
        return y[0] - p["v_spike"]

    peak.terminal, peak.direction = True, 1  # type: ignore[attr-defined]
    y, moments, ends, free_from = np.array([-65.0, 0.0]), [], [], 0.0
    for label in range(round(duration / dt)):
        t, end = label * dt, (label + 1) * dt
        while t < end:
            held = t < free_from - 1e-9
            stop = min(end, free_from) if held else end

            def slope(t, y, held=held):
                dv, dw = eif(p, y, 0.0, 0.0)
                return [0.0 if held else dv, dw]

            events = None if held else peak
            part = solve_ivp(slope, (t, stop), y, method="DOP853", rtol=1e-11, atol=1e-13, events=events)
            t, y = part.t[-1], part.y[:, -1]
            if part.status == 1:
                moments.append(t)
                y = np.array([p["v_reset"], y[1] + p["b"]])
                free_from = end + p["tau_refrac"] if p["tau_refrac"] else 0.0
        ends.append(y[1])
    return np.array(moments), np.array(ends)


@pytest.mark.parametrize("conductance", [1.0, 1e3, 1e9])
@pytest.mark.parametrize("model", CASES)
def test_absurd_conductances_do_not_blow_up(nets, model, conductance):
    """v goes to the reversal potential and stays there, or is reset on its way."""
    recordings = run(nets, model, 0.1, 60, ((4, 0.0, conductance),), v_spike=1e6)
    v = trace(recordings, "v")
    assert np.isfinite(v).all() and v.min() >= -93.0
    assert abs(v[30] + 80.0) < 8.0 / conductance


@pytest.mark.parametrize(("delta_T", "v_spike"), [(0.001, 40.0), (0.5, 1000.0), (0.0, 0.0)])
def test_a_run_up_without_end_is_a_spike(nets, delta_T, v_spike):
    recordings = run(nets, "EIF_cond_exp_isfa_ista", 0.1, 300, (), delta_T=delta_T, v_spike=v_spike, i_offset=1.5)
    (spikes,) = [part for part in recordings.spikes if part.population == 1]
    assert len(spikes.times) > 1
    assert np.isfinite(trace(recordings, "v")).all()


def test_the_facets_chip_is_a_cell_with_fixed_parameters(nets):
    own = {"tau_syn_E": 5.0, "tau_syn_I": 7.0, "v_reset": -80.0, "e_rev_I": -80.0, "v_rest": -65.0, "v_thresh": -55.0}
    fixed = {"cm": 0.2, "tau_m": 4.0, "tau_refrac": 1.0, "e_rev_E": 0.0, "i_offset": 0.0}
    runs = []
    for cell in (
        nets.cells(1, model="IF_facets_hardware1", g_leak=50.0, **own),
        nets.cells(1, model="IF_cond_exp", **own, **fixed),
    ):
        populations = (nets.array_source([[1.0, 3.0, 7.0]]), cell)
        synapse = nets.connect(0, 1, [(0, 0, 0.05, 1)])
        probes = nets.record_all(populations, "v", "spikes")
        runs.append(nets.run(nets.Network(0.1, populations, (synapse,), probes=probes), 200))
    facets, like_it = (trace(recordings, "v") for recordings in runs)
    np.testing.assert_array_equal(facets, like_it)
    assert [len(part.times) for part in runs[0].spikes] == [len(part.times) for part in runs[1].spikes]
    assert len(runs[0].spikes[1].times) > 0
