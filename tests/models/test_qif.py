"""Quadratic integrate-and-fire neurons: closed forms of when they spike and of where they rest."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from evsim.errors import CheckError
from evsim.network import Network

QIF = {
    **{"v_rest": -65.0, "v_thresh": -52.0, "v_spike": 40.0, "v_reset": -70.0, "cm": 0.5, "tau_m": 18.0},
    **{"tau_refrac": 0.0, "tau_syn_E": 4.0, "tau_syn_I": 9.0, "e_rev_E": 0.0, "e_rev_I": -80.0},
}
MODELS = "QIF_curr_exp", "QIF_cond_exp"


def run(nets, model: str, dt: float, steps: int, populations=(), synapses=(), v=-66.0, **changed):
    """v (labels,) and the spike times (ms) of one cell."""
    cells = nets.cells(1, model=model, v=v, **{**QIF, **changed})
    populations = (*populations, cells)
    last = len(populations) - 1
    probes = [probe for probe in nets.record_all(populations, "v", "spikes") if probe.population == last]
    found = nets.run(Network(dt, populations, synapses, probes=tuple(probes)), steps)
    return found.signals[0].values[:, 0], found.spikes[0].times


def shape(p) -> tuple[float, float, float]:
    """c, m, d2 of cm dv/dt = c ((v - m)^2 + d2)."""
    c = p["cm"] / p["tau_m"] / (p["v_thresh"] - p["v_rest"])
    half = (p["v_thresh"] - p["v_rest"]) / 2
    return c, p["v_rest"] + half, p["i_offset"] / c - half**2


def passage(p, low: float, high: float) -> float:
    """How long v takes from one voltage to another under a current above the rheobase (ms)."""
    c, m, d2 = shape(p)
    d = d2**0.5
    return p["cm"] / (c * d) * (np.arctan((high - m) / d) - np.arctan((low - m) / d))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("dt", [0.1, 1.0])
@pytest.mark.parametrize("current", [0.1, 0.2, 0.7, 2.0])
def test_the_rate_is_that_of_the_closed_form(nets, model, dt, current):
    """Ermentrout and Kopell's: the passage from reset to spike is a difference of arc tangents."""
    p = {**QIF, "i_offset": current}
    _, times = run(nets, model, dt, round(600 / dt), i_offset=current)
    interval = passage(p, p["v_reset"], p["v_spike"])
    moments = passage(p, -66.0, p["v_spike"]) + interval * np.arange(len(times) + 1)
    assert len(times) > 0 and moments[-1] > 600 - 1e-6
    np.testing.assert_allclose(times, np.ceil(moments[:-1] / dt - 1e-3) * dt, rtol=0, atol=1e-9)


@pytest.mark.parametrize("model", MODELS)
def test_a_refractory_neuron_waits(nets, model):
    p = {**QIF, "i_offset": 0.6, "tau_refrac": 3.0}
    _, times = run(nets, model, 0.1, 8000, i_offset=0.6, tau_refrac=3.0)
    steps = np.ceil(passage(p, p["v_reset"], p["v_spike"]) / 0.1 - 1e-6) + 30  # the rest of a spike's own step, too
    np.testing.assert_allclose(np.diff(times), steps * 0.1, rtol=0, atol=1e-9)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("current", [-1.0, 0.0, 0.08])
def test_below_the_rheobase_it_rests_at_the_stable_root(nets, model, current):
    _, m, d2 = shape({**QIF, "i_offset": current})
    assert d2 < 0
    v, times = run(nets, model, 0.1, 12_000, i_offset=current)
    assert not len(times) and v[-1] == pytest.approx(m - (-d2) ** 0.5, abs=1e-6)
    _, fired = run(nets, model, 0.1, 3000, v=m + (-d2) ** 0.5 + 0.5, i_offset=current)
    assert len(fired) == 1  # beyond the other root it runs away


def test_currents_arrive_as_exponentials(nets):
    """Against scipy, from each arrival to the next; v stays below the peak."""
    dt, arrivals, p = 0.1, ((20, 0.9, "E"), (50, -0.6, "I"), (51, 0.5, "E"), (140, 0.8, "E")), {**QIF, "i_offset": 0.02}
    source = nets.array_source([[(at - 1) * dt] for at, _, _ in arrivals])
    synapses = tuple(
        nets.connect(0, 1, [(k, 0, w, 1) for k, (_, w, kind) in enumerate(arrivals) if kind == letter], receptor)
        for letter, receptor in (("E", "excitatory"), ("I", "inhibitory"))
    )
    v, times = run(nets, "QIF_curr_exp", dt, 400, (source,), synapses, i_offset=0.02)
    assert not len(times)
    c, m, d2 = shape(p)

    def slope(t, y):
        return [(c * ((y[0] - m) ** 2 + d2) + y[1] + y[2]) / p["cm"], -y[1] / p["tau_syn_E"], -y[2] / p["tau_syn_I"]]

    y, expected = np.array([-66.0, 0.0, 0.0]), [-66.0]
    for label in range(1, 401):
        y = solve_ivp(slope, (0, dt), y, method="DOP853", rtol=1e-11, atol=1e-13).y[:, -1]
        expected.append(y[0])
        for at, weight, kind in arrivals:
            y = y + (np.array([0, weight * (kind == "E"), weight * (kind == "I")]) if at == label else 0)
    np.testing.assert_allclose(v, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"v_rest": -40.0}, r"v_rest is -40 mV and v_thresh -52 mV in 1 of 1 cells.*v_rest must be below v_thresh"),
        ({"v_spike": -60.0}, "v_thresh must be below v_spike"),
        ({"v_reset": 50.0}, "v_reset must be below v_spike"),
        ({"tau_m": 0.0}, "tau_m is 0 ms"),
    ],
)
def test_voltages_must_be_in_order(nets, changed, message):
    with pytest.raises(CheckError, match=message):
        run(nets, "QIF_curr_exp", 0.1, 1, **changed)
