"""IF_curr_exp in double precision against the closed forms of its equations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

tau = st.floats(0.5, 50.0)


def trace(nets, recordings, variable: str) -> np.ndarray:
    (signal,) = [signal for signal in recordings.signals if signal.variable == variable]
    return signal.values[:, 0]


@given(tau_m=tau, tau_syn=tau, cm=st.floats(0.1, 2.0), weight=st.floats(-0.4, 0.4), dt=st.sampled_from([0.1, 0.5, 1.0]))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_the_response_to_one_spike(nets, tau_m, tau_syn, cm, weight, dt):
    """v(t) = w/cm tau_m tau_s/(tau_m - tau_s) (exp(-t/tau_m) - exp(-t/tau_s)); t exp(-t/tau_m) w/cm where equal."""
    delay, sent, steps = 3, 2, 150
    neuron = nets.cells(1, tau_m=tau_m, tau_syn_E=tau_syn, tau_syn_I=tau_syn, cm=cm, v_thresh=1e9)
    receptor = "excitatory" if weight >= 0 else "inhibitory"
    populations = (nets.array_source([[sent * dt]]), neuron)
    synapse = nets.connect(0, 1, [(0, 0, weight, delay)], receptor)
    network = nets.Network(
        dt, populations, (synapse,), probes=nets.record_all(populations, "v", "isyn_exc", "isyn_inh")
    )
    recordings = nets.run(network, steps)

    t = np.maximum(np.arange(steps + 1) - sent - delay, 0) * dt
    if tau_m == tau_syn:
        v = weight / cm * t * np.exp(-t / tau_m)
    else:
        difference = -np.exp(-t / tau_m) * np.expm1(-t * (1 / tau_syn - 1 / tau_m))
        v = weight / cm * tau_m * tau_syn / (tau_m - tau_syn) * difference
    np.testing.assert_allclose(trace(nets, recordings, "v") + 65.0, v, rtol=0, atol=1e-10)

    current = np.where(np.arange(steps + 1) >= sent + delay, weight * np.exp(-t / tau_syn), 0.0)
    name = "isyn_exc" if weight >= 0 else "isyn_inh"
    np.testing.assert_allclose(trace(nets, recordings, name), current, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dt", [0.1, 1.0])
def test_equal_time_constants_are_the_limit_of_close_ones(nets, dt):
    def response(tau_syn: float) -> np.ndarray:
        populations = (nets.array_source([[1.0]]), nets.cells(1, tau_m=10.0, tau_syn_E=tau_syn))
        synapse = nets.connect(0, 1, [(0, 0, 1.0, 1)])
        network = nets.Network(dt, populations, (synapse,), probes=nets.record_all(populations, "v"))
        return trace(nets, nets.run(network, 200), "v")

    for off in (1e-4, 1e-7, 1e-10, 1e-13):
        assert np.abs(response(10.0 + off) - response(10.0)).max() < off


@given(
    current=st.floats(0.8, 5.0), tau_m=st.floats(5.0, 30.0), refractory=st.integers(0, 30), reset=st.floats(-80, -55)
)
@settings(derandomize=True, deadline=None, max_examples=40)
def test_the_rate_under_a_constant_current(nets, current, tau_m, refractory, reset):
    """The interval is the refractory period plus the climb from reset, tau_m ln((E - reset)/(E - thresh))."""
    dt, steps = 0.1, 4000
    end = -65.0 + tau_m * current  # cm is 1 nF
    assume(end > -49.5)
    climb = tau_m * np.log((end - reset) / (end + 50.0)) / dt
    assume(abs(climb - round(climb)) > 1e-6)
    neuron = nets.cells(1, i_offset=current, tau_m=tau_m, tau_refrac=refractory * dt, v_reset=reset, v=reset)
    network = nets.Network(dt, (neuron,), probes=nets.record_all((neuron,), "spikes"))
    labels = np.rint(nets.run(network, steps).spikes[0].times / dt).astype(int)
    interval = int(np.ceil(climb)) + refractory
    assert labels[0] == int(np.ceil(climb))
    assert len(labels) == (steps - labels[0]) // interval + 1
    assert set(np.diff(labels)) <= {interval}


@pytest.mark.parametrize(
    ("tau_refrac", "dt", "steps"),
    [(0.0, 0.1, 0), (0.0004, 0.1, 0), (0.0006, 0.1, 1), (0.1, 0.1, 1), (0.1, 1.0, 1), (0.14, 0.1, 2), (2.05, 0.1, 21)],
)
def test_refractory_periods_off_the_grid(nets, tau_refrac, dt, steps):
    """To the nearest microsecond and then up to a whole step: what NEST 3.10 gave for these values."""
    neuron = nets.cells(1, i_offset=1e4, tau_refrac=tau_refrac)
    network = nets.Network(dt, (neuron,), probes=nets.record_all((neuron,), "spikes"))
    times = nets.run(network, 100).spikes[0].times
    assert set(np.rint(np.diff(times) / dt)) == {steps + 1}


def test_v_is_held_while_the_currents_go_on(nets):
    populations = (nets.array_source([[1.0], [3.0]]), nets.cells(1, tau_refrac=5.0, v_reset=-70.0))
    synapses = nets.connect(0, 1, [(0, 0, 1000.0, 1), (1, 0, 0.25, 1)])
    network = nets.Network(
        1.0, populations, (synapses,), probes=nets.record_all(populations, "v", "isyn_exc", "spikes")
    )
    recordings = nets.run(network, 8)
    (spikes,) = [part for part in recordings.spikes if part.population == 1]
    assert spikes.times.tolist() == [3.0]
    assert trace(nets, recordings, "v")[3:9].tolist() == [-70.0] * 6
    decay = np.exp(-1.0 / 5.0)
    expected = [1000.0 * decay, 1000.0 * decay**2 + 0.25, (1000.0 * decay**2 + 0.25) * decay]
    np.testing.assert_allclose(trace(nets, recordings, "isyn_exc")[3:6], expected, rtol=1e-14)
