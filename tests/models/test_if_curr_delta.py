"""IF_curr_delta in double precision against the closed forms of its equation."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st


def neuron(nets, **changed):
    return nets.cells(1, model="IF_curr_delta", **changed)


def v_of(recordings) -> np.ndarray:
    return recordings.signals[0].values[:, 0]


@given(
    tau_m=st.floats(0.5, 50.0),
    weights=st.lists(st.floats(-30.0, 30.0), min_size=1, max_size=5),
    dt=st.sampled_from([0.1, 0.5, 1.0]),
)
@settings(derandomize=True, deadline=None, max_examples=40)
def test_spikes_move_v_and_it_decays(nets, tau_m, weights, dt):
    """v(t) = sum of w exp(-(t - t_w)/tau_m) over the spikes that have arrived, whatever the capacity."""
    steps = 100
    arrivals = [3 + 7 * k for k in range(len(weights))]
    populations = (
        nets.array_source([[(k - 2) * dt] for k in arrivals]),
        neuron(nets, tau_m=tau_m, cm=0.25, v_thresh=1e9),
    )
    rows = [(k, 0, weight, 2) for k, weight in enumerate(weights)]
    synapses = tuple(nets.connect(0, 1, [row], "excitatory" if row[2] >= 0 else "inhibitory") for row in rows)
    network = nets.Network(dt, populations, synapses, probes=nets.record_all(populations, "v"))
    step = np.arange(steps + 1)
    expected = np.zeros(steps + 1)
    for k, weight in zip(arrivals, weights, strict=True):
        expected += np.where(step >= k, weight * np.exp(-(step - k) * dt / tau_m), 0.0)
    np.testing.assert_allclose(v_of(nets.run(network, steps)) + 65.0, expected, rtol=0, atol=1e-10)


@given(
    current=st.floats(0.8, 5.0), tau_m=st.floats(5.0, 30.0), refractory=st.integers(0, 30), reset=st.floats(-80, -55)
)
@settings(derandomize=True, deadline=None, max_examples=40)
def test_the_rate_under_a_constant_current(nets, current, tau_m, refractory, reset):
    """The interval is the refractory period plus the climb from reset, tau_m ln((E - reset)/(E - thresh))."""
    dt, steps = 0.1, 3000
    end = -65.0 + tau_m * current / 0.5
    climb = tau_m * np.log((end - reset) / (end + 50.0)) / dt if end > -49.5 else 0.0
    assume(abs(climb - round(climb)) > 1e-6)
    cell = neuron(
        nets, i_offset=current, cm=0.5, tau_m=tau_m, tau_refrac=refractory * dt, v_reset=reset, v_thresh=-50.0, v=reset
    )
    network = nets.Network(dt, (cell,), probes=nets.record_all((cell,), "spikes"))
    labels = np.rint(nets.run(network, steps).spikes[0].times / dt).astype(int)
    assert labels[0] == int(np.ceil(climb))
    assert set(np.diff(labels)) <= {int(np.ceil(climb)) + refractory}


def test_input_during_refractoriness_is_lost(nets):
    """The spike at 3 ms makes v held until 8 ms; input due at 5 ms and at 8 ms is lost, that due at 9 ms counts."""
    populations = (nets.array_source([[2.0], [4.0], [7.0], [8.0]]), neuron(nets, tau_refrac=5.0))
    synapses = nets.connect(0, 1, [(0, 0, 20.0, 1), (1, 0, 5.0, 1), (2, 0, 5.0, 1), (3, 0, 5.0, 1)])
    network = nets.Network(1.0, populations, (synapses,), probes=nets.record_all(populations, "v", "spikes"))
    recordings = nets.run(network, 10)
    (spikes,) = [part for part in recordings.spikes if part.population == 1]
    assert spikes.times.tolist() == [3.0]
    np.testing.assert_allclose(v_of(recordings)[3:10], [-65.0] * 6 + [-60.0], rtol=0, atol=1e-12)


def test_input_that_reaches_the_threshold_exactly_makes_a_spike(nets):
    populations = (nets.array_source([[1.0]]), neuron(nets, v_rest=-70.6, v_reset=-70.6, v_thresh=-50.4, v=-70.6))
    synapses = nets.connect(0, 1, [(0, 0, -50.4 + 70.6, 1)])
    network = nets.Network(1.0, populations, (synapses,), probes=nets.record_all(populations, "spikes"))
    (spikes,) = [part for part in nets.run(network, 5).spikes if part.population == 1]
    assert spikes.times.tolist() == [2.0]
