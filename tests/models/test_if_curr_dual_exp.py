"""IF_curr_dual_exp against the closed form of its second current, and against IF_curr_exp, which has one less."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evsim.chip import load_chip
from evsim.deploy.check import check

tau = st.floats(0.5, 50.0)


def neuron(nets, size: int = 1, **changed):
    return nets.cells(size, model="IF_curr_dual_exp", **{"tau_syn_E2": 20.0, **changed})


def signal(recordings, variable: str):
    (found,) = [signal for signal in recordings.signals if signal.variable == variable]
    return found


@given(tau_m=tau, tau_syn=tau, cm=st.floats(0.1, 2.0), weight=st.floats(0.0, 0.4), dt=st.sampled_from([0.1, 0.5, 1.0]))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_the_response_to_one_spike_on_the_second_receptor(nets, tau_m, tau_syn, cm, weight, dt):
    """v(t) = w/cm tau_m tau_s/(tau_m - tau_s) (exp(-t/tau_m) - exp(-t/tau_s)); t exp(-t/tau_m) w/cm where equal."""
    delay, sent, steps = 3, 2, 150
    populations = (
        nets.array_source([[sent * dt]]),
        neuron(nets, tau_m=tau_m, tau_syn_E=3.3, tau_syn_E2=tau_syn, cm=cm, v_thresh=1e9),
    )
    synapse = nets.connect(0, 1, [(0, 0, weight, delay)], "excitatory2")
    network = nets.Network(
        dt, populations, (synapse,), probes=nets.record_all(populations, "v", "isyn_exc", "isyn_exc2", "isyn_inh")
    )
    recordings = nets.run(network, steps)

    t = np.maximum(np.arange(steps + 1) - sent - delay, 0) * dt
    if tau_m == tau_syn:
        v = weight / cm * t * np.exp(-t / tau_m)
    else:
        difference = -np.exp(-t / tau_m) * np.expm1(-t * (1 / tau_syn - 1 / tau_m))
        v = weight / cm * tau_m * tau_syn / (tau_m - tau_syn) * difference
    np.testing.assert_allclose(signal(recordings, "v").values[:, 0] + 65.0, v, rtol=0, atol=1e-10)
    current = np.where(np.arange(steps + 1) >= sent + delay, weight * np.exp(-t / tau_syn), 0.0)
    np.testing.assert_allclose(signal(recordings, "isyn_exc2").values[:, 0], current, rtol=0, atol=1e-12)
    assert not signal(recordings, "isyn_exc").values.any() and not signal(recordings, "isyn_inh").values.any()


@pytest.mark.parametrize("chip", ["ideal", "spinnaker1"])
@pytest.mark.parametrize("receptor", ["excitatory", "excitatory2"])
@pytest.mark.parametrize("seed", range(5))
def test_with_one_excitatory_receptor_in_use_it_is_IF_curr_exp(nets, chip, receptor, seed):  # noqa: N802 - its name
    """With equal time constants, whichever receptor it is: in every spike and every number."""
    rng, size, steps = np.random.default_rng(seed), 6, 200
    values = {name: rng.uniform(3, 12) for name in ("tau_syn_E", "tau_syn_I", "tau_m")} | {"cm": 0.4}
    trains = nets.array_source([np.unique(rng.integers(1, steps, 30)).astype(float) for _ in range(8)])
    inhibiting = nets.connect(0, 1, nets.random_rows(rng, 8, size, 15, (-2, 0), 9), "inhibitory")
    exciting = nets.connect(0, 1, nets.random_rows(rng, 8, size, 30, (0, 3), 9))

    def run(cells, receptor):
        projections = (replace(exciting, receptor=receptor), inhibiting)
        network = nets.Network(
            1.0, (trains, cells), projections, probes=nets.record_all((trains, cells), "spikes", "v", "isyn_inh")
        )
        return nets.run(network, steps, chip)

    ours = run(neuron(nets, size, **values, tau_syn_E2=values["tau_syn_E"]), receptor)
    plain = run(nets.cells(size, **values), "excitatory")
    assert len(plain.spikes[1].times) > 20
    np.testing.assert_array_equal(ours.spikes[1].times, plain.spikes[1].times)
    for variable in ("v", "isyn_inh"):
        np.testing.assert_array_equal(signal(ours, variable).raw, signal(plain, variable).raw, err_msg=variable)
        np.testing.assert_allclose(signal(ours, variable).values, signal(plain, variable).values, rtol=0, atol=1e-10)


def test_weights_of_every_receptor_have_its_sign(nets):
    populations = (nets.array_source([[1.0]]), neuron(nets))
    network = nets.Network(1.0, populations, (nets.connect(0, 1, [(0, 0, -1.0, 1)], "excitatory2"),))
    (problem,) = check(network, load_chip("spinnaker1"))
    assert "excitatory2 weights" in str(problem)


def test_a_time_constant_that_becomes_0_is_refused(nets):
    (problem,) = check(nets.Network(1.0, (neuron(nets, tau_syn_E2=1e-6),)), load_chip("spinnaker1"))
    assert "tau_syn_E2 is 1e-06 ms" in str(problem)


def test_other_cells_lack_the_second_receptor(nets):
    populations = (nets.array_source([[1.0]]), nets.cells(1))
    network = nets.Network(1.0, populations, (nets.connect(0, 1, [(0, 0, 1.0, 1)], "excitatory2"),))
    (problem,) = check(network, load_chip("spinnaker1"))
    assert "'excitatory2'" in str(problem) and "excitatory, inhibitory" in str(problem)
