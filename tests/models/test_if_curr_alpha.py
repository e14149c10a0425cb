"""IF_curr_alpha in double precision against the matrix exponential of its equations, and what SpiNNaker makes of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from evsim import registry
from evsim.backend import Target
from evsim.chip import load_chip
from evsim.deploy.check import check
from evsim.deploy.quantise import quantise
from evsim_models.alpha_synapse import rise

tau = st.floats(0.5, 50.0)
NAMES = {"excitatory": "isyn_exc", "inhibitory": "isyn_inh"}


def neuron(nets, size: int = 1, **changed):
    return nets.cells(size, model="IF_curr_alpha", **changed)


def trace(recordings, variable: str) -> np.ndarray:
    (signal,) = [signal for signal in recordings.signals if signal.variable == variable]
    return signal.values[:, 0]


@given(tau_m=tau, tau_syn=tau, cm=st.floats(0.1, 2.0), weight=st.floats(-0.4, 0.4), dt=st.sampled_from([0.1, 0.5, 1.0]))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_the_response_to_one_spike(nets, tau_m, tau_syn, cm, weight, dt):
    """The current is w (t/tau_s) exp(1 - t/tau_s), whose peak is w at tau_s; v is what the matrix exponential says."""
    delay, sent, steps = 3, 2, 150
    receptor = "excitatory" if weight >= 0 else "inhibitory"
    populations = (
        nets.array_source([[sent * dt]]),
        neuron(nets, tau_m=tau_m, tau_syn_E=tau_syn, tau_syn_I=tau_syn, cm=cm, v_thresh=1e9),
    )
    synapse = nets.connect(0, 1, [(0, 0, weight, delay)], receptor)
    network = nets.Network(
        dt, populations, (synapse,), probes=nets.record_all(populations, "v", "isyn_exc", "isyn_inh")
    )
    recordings = nets.run(network, steps)

    t = np.maximum(np.arange(steps + 1) - sent - delay, 0) * dt
    current = weight * t / tau_syn * np.exp(1 - t / tau_syn)
    np.testing.assert_allclose(trace(recordings, NAMES[receptor]), current, rtol=0, atol=1e-12)
    equations = np.array([[-1 / tau_m, 1 / cm, 0.0], [0.0, -1 / tau_syn, 1.0], [0.0, 0.0, -1 / tau_syn]])
    start = np.array([0.0, 0.0, weight * np.e / tau_syn])
    v = [(expm(equations * time) @ start)[0] for time in t]
    np.testing.assert_allclose(trace(recordings, "v") + 65.0, v, rtol=0, atol=1e-10)


@pytest.mark.parametrize("dt", [0.1, 1.0])
def test_equal_time_constants_are_the_limit_of_close_ones(nets, dt):
    def response(tau_syn: float) -> np.ndarray:
        populations = (nets.array_source([[1.0]]), neuron(nets, tau_m=10.0, tau_syn_E=tau_syn))
        synapse = nets.connect(0, 1, [(0, 0, 1.0, 1)])
        network = nets.Network(dt, populations, (synapse,), probes=nets.record_all(populations, "v"))
        return trace(nets.run(network, 200), "v")

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
    cell = neuron(nets, i_offset=current, tau_m=tau_m, tau_refrac=refractory * dt, v_reset=reset, v=reset)
    network = nets.Network(dt, (cell,), probes=nets.record_all((cell,), "spikes"))
    labels = np.rint(nets.run(network, steps).spikes[0].times / dt).astype(int)
    assert labels[0] == int(np.ceil(climb))
    assert set(np.diff(labels)) <= {int(np.ceil(climb)) + refractory}


def test_v_is_held_while_the_currents_go_on(nets):
    populations = (nets.array_source([[1.0]]), neuron(nets, tau_refrac=5.0, v_reset=-70.0))
    synapses = nets.connect(0, 1, [(0, 0, 1000.0, 1)])
    network = nets.Network(
        1.0, populations, (synapses,), probes=nets.record_all(populations, "v", "isyn_exc", "spikes")
    )
    recordings = nets.run(network, 7)
    (spikes,) = [part for part in recordings.spikes if part.population == 1]
    assert spikes.times.tolist() == [3.0]
    assert trace(recordings, "v")[3:8].tolist() == [-70.0] * 5
    t = np.arange(6)
    np.testing.assert_allclose(trace(recordings, "isyn_exc")[2:], 1000.0 * t / 5.0 * np.exp(1 - t / 5.0), rtol=1e-14)


@pytest.mark.parametrize(("chip", "tolerance"), [("ideal", 1e-12), ("spinnaker1", 5e-4)])
def test_a_current_that_is_set_decays_and_nothing_is_left_of_earlier_input(nets, chip, tolerance):
    """An alpha current is two variables; what is set is the current, and what would have made it rise is gone."""
    populations = (nets.array_source([[1.0, 4.0]]), neuron(nets, tau_syn_E=4.0, v_thresh=1e4))
    synapse = nets.connect(0, 1, [(0, 0, 30.0, 1)])
    network = nets.Network(1.0, populations, (synapse,), probes=nets.record_all(populations, "isyn_exc"))
    cells = populations[1]
    set_to_2 = replace(
        cells, initial={**cells.initial, "isyn_exc": np.full(1, 2.0)}, times_set={"isyn_exc": np.ones(1, np.int32)}
    )
    session = registry.backend("reference").start(network, Target("reference", chip))
    session.run(8)
    session.update(replace(network, populations=(populations[0], set_to_2)))
    session.run(12)
    found = trace(session.recordings(), "isyn_exc")
    session.close()
    assert found[7] > 2.0
    np.testing.assert_allclose(found[9:], 2.0 * np.exp(-np.arange(1, 13) / 4.0), rtol=0, atol=tolerance)


# --- what SpiNNaker's fixed point makes of it ------------------------------------------------------------------------


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.integers(182, (1 << 23) - 1), st.sampled_from([3277, 1 << 14, 1 << 15]))
def test_only_the_fraction_of_dt_over_tau_squared_is_held(tau, step):
    held, wanted = rise(tau, step), step / (tau * tau / 2**15) * 2**15
    assert 0 <= held < 1 << 15
    square = tau * tau // 2**15
    assert held == (step << 15) // square % (1 << 15)
    if tau >= 1 << 18 and wanted < 1 << 15:
        assert abs(held - wanted) <= 2


def defects(nets, dt: float, **changed) -> tuple[str, ...]:
    quantised = quantise(nets.Network(dt, (neuron(nets, 4, **changed),)), load_chip("spinnaker1"))
    found = tuple(map(str, quantised.defects))
    assert set(found) <= set(quantised.notes)
    return found


@pytest.mark.parametrize(
    ("dt", "tau_syn", "parts"),
    [
        (
            1.0,
            0.5,
            ["tau_syn_E is 0.5 ms in 4 of 4 cells", "their excitatory input is silent", "4 as 0;", "above 1 ms"],
        ),
        (1.0, 1.0, ["is silent", "1 as 0;"]),
        (1.0, 0.8, ["has 0.36 of its strength", "1.56 as 0.56"]),
        (0.1, 0.3, ["1.11 as 0.112", "above 0.316 ms"]),
        (1.0, 200.0, ["is silent", "at most 57.2 ms"]),
        (1.0, 150.0, ["has 0.69 of its strength"]),
    ],
)
def test_a_synapse_that_the_firmware_cannot_hold_is_told(nets, dt, tau_syn, parts):
    (defect,) = defects(nets, dt, tau_syn_E=tau_syn)
    for part in ["population 'cells'", *parts, "Give another tau_syn_E or another time step."]:
        assert part in defect


@pytest.mark.parametrize(("dt", "tau_syn"), [(1.0, 1.1), (1.0, 20.0), (0.1, 0.5), (0.1, 20.0)])
def test_sound_time_constants_are_not_warned_of(nets, dt, tau_syn):
    assert not defects(nets, dt, tau_syn_E=tau_syn, tau_syn_I=tau_syn)


def test_a_silent_synapse_is_silent(nets):
    populations = (nets.array_source([[1.0, 2.0, 3.0]]), neuron(nets, 2, tau_syn_E=np.array([0.5, 1.1])))
    synapse = nets.connect(0, 1, [(0, 0, 50.0, 1), (0, 1, 50.0, 1)])
    network = nets.Network(1.0, populations, (synapse,), probes=nets.record_all(populations, "isyn_exc"))
    (signal,) = nets.run(network, 20, "spinnaker1").signals
    assert not signal.values[:, 0].any() and signal.values[:, 1].max() > 5


@pytest.mark.parametrize("tau_syn", [0.005, 300.0])
def test_a_time_constant_whose_square_cannot_be_held_is_refused(nets, tau_syn):
    network = nets.Network(1.0, (neuron(nets, 3, tau_syn_I=tau_syn),))
    (problem,) = check(network, load_chip("spinnaker1"))
    assert f"tau_syn_I is {tau_syn:g} ms in 3 of 3 cells" in str(problem) and "0.00555 to 256 ms" in str(problem)


@pytest.mark.parametrize("chip", ["loihi1", "loihi2"])
def test_a_chip_without_it_says_what_to_use(nets, chip):
    (problem,) = check(nets.Network(1.0, (neuron(nets),)), load_chip(chip))
    assert "IF_curr_alpha" in str(problem) and "ideal, spinnaker1" in str(problem) and "IF_curr_exp" in str(problem)
