"""IF_cond_exp in double precision against scipy's solution of its equation with tight tolerances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

REVERSAL = {"e_rev_E": 0.0, "e_rev_I": -80.0}


def neuron(nets, **changed):
    return nets.cells(1, model="IF_cond_exp", **{**REVERSAL, **changed})


def trace(recordings, variable: str) -> np.ndarray:
    (signal,) = [signal for signal in recordings.signals if signal.variable == variable]
    return signal.values[:, 0]


def solution(dt, steps, arrivals, tau_m, cm, tau_e, tau_i, current) -> np.ndarray:
    """v at every label, by DOP853 from one label to the next; ``arrivals`` is (label, g_exc, g_inh)."""

    def slope(t, y):
        v, exc, inh = y
        dv = (-65.0 - v) / tau_m + (exc * (0.0 - v) + inh * (-80.0 - v) + current) / cm
        return dv, -exc / tau_e, -inh / tau_i

    y, v = np.array([-65.0, 0.0, 0.0]), [-65.0]
    for label in range(1, steps + 1):
        y = solve_ivp(slope, (0.0, dt), y, method="DOP853", rtol=1e-11, atol=1e-13).y[:, -1]
        for at, exc, inh in arrivals:
            y = y + (np.array([0.0, exc, inh]) if at == label else 0.0)
        v.append(y[0])
    return np.array(v)


@given(
    dt=st.sampled_from([0.1, 0.3, 1.0]),
    tau_m=st.floats(5.0, 30.0),
    cm=st.floats(0.2, 1.0),
    tau_e=st.floats(1.0, 10.0),
    tau_i=st.floats(1.0, 10.0),
    current=st.floats(-0.2, 0.5),
    weights=st.lists(st.tuples(st.floats(0.0, 0.05), st.floats(0.0, 0.1)), min_size=1, max_size=4),
)
@settings(derandomize=True, deadline=None, max_examples=25)
def test_v_follows_the_equation(nets, dt, tau_m, cm, tau_e, tau_i, current, weights):
    steps = 60
    arrivals = [(4 + 5 * k, exc, inh) for k, (exc, inh) in enumerate(weights)]
    cell = neuron(nets, tau_m=tau_m, cm=cm, tau_syn_E=tau_e, tau_syn_I=tau_i, i_offset=current, v_thresh=1e9)
    populations = (nets.array_source([[(at - 2) * dt] for at, _, _ in arrivals]), cell)
    exc = nets.connect(0, 1, [(k, 0, g, 2) for k, (_, g, _) in enumerate(arrivals)])
    inh = nets.connect(0, 1, [(k, 0, g, 2) for k, (_, _, g) in enumerate(arrivals)], "inhibitory")
    network = nets.Network(dt, populations, (exc, inh), probes=nets.record_all(populations, "v"))
    expected = solution(dt, steps, arrivals, tau_m, cm, tau_e, tau_i, current)
    assert np.abs(trace(nets.run(network, steps), "v") - expected).max() < 1e-5


@pytest.mark.parametrize(("conductance", "tolerance"), [(0.1, 2e-7), (1.0, 1e-4), (10.0, 0.1)])
def test_strong_conductances_cost_little_accuracy(nets, conductance, tolerance):
    """10 uS on 0.2 nF make a membrane of 20 us, a fifth of the longest substep."""
    populations = (nets.array_source([[1.0]]), neuron(nets, cm=0.2, v_thresh=1e9))
    synapse = nets.connect(0, 1, [(0, 0, conductance, 1)])
    network = nets.Network(1.0, populations, (synapse,), probes=nets.record_all(populations, "v"))
    expected = solution(1.0, 20, [(2, conductance, 0.0)], 20.0, 0.2, 5.0, 5.0, 0.0)
    assert np.abs(trace(nets.run(network, 20), "v") - expected).max() < tolerance


@pytest.mark.parametrize("conductance", [1e3, 1e6, 1e12])
def test_absurd_conductances_do_not_blow_up(nets, conductance):
    populations = (nets.array_source([[1.0]]), neuron(nets, v_thresh=1e9))
    synapse = nets.connect(0, 1, [(0, 0, conductance, 1)])
    network = nets.Network(1.0, populations, (synapse,), probes=nets.record_all(populations, "v"))
    v = trace(nets.run(network, 20), "v")
    assert np.abs(v[4:] - 0.0).max() < 0.5  # next to the excitatory reversal potential
    assert v.min() >= -65.0 - 1e-9


def test_conductances_go_on_while_v_is_held(nets):
    cell = neuron(nets, tau_refrac=5.0, v_reset=-70.0, tau_syn_E=2.0)
    populations = (nets.array_source([[1.0], [4.0]]), cell)
    synapses = nets.connect(0, 1, [(0, 0, 5.0, 1), (1, 0, 1.0, 1)])
    network = nets.Network(
        1.0, populations, (synapses,), probes=nets.record_all(populations, "v", "gsyn_exc", "spikes")
    )
    recordings = nets.run(network, 12)
    (spikes,) = [part for part in recordings.spikes if part.population == 1]
    assert spikes.times[0] == 3.0
    assert trace(recordings, "v")[3:9].tolist() == [-70.0] * 6
    decay = np.exp(-0.5)
    expected = [5.0, 5.0 * decay, 5.0 * decay**2, 5.0 * decay**3 + 1.0, (5.0 * decay**3 + 1.0) * decay]
    np.testing.assert_allclose(trace(recordings, "gsyn_exc")[2:7], expected, rtol=1e-13)
