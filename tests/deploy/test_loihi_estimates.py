"""What is foreseen on Loihi comes true when the network runs."""

from __future__ import annotations

import numpy as np
import pytest

from evsim.chip import load_chip
from evsim.deploy import loihi
from evsim.deploy.loihi_estimates import constant_rate, expected_u
from evsim.network import Network

STEPS = 4000


@pytest.mark.parametrize("dt", [1.0, 0.1])
def test_rates_without_input_are_those_that_run(nets, dt):
    """Each cell has its own current, some too weak; counted from reset on, so that no period is cut."""
    i_offset = np.linspace(0.2, 3.0, 12)
    cells = nets.cells(12, i_offset=i_offset, tau_m=17.0, tau_refrac=3 * dt, v_reset=-68.0, v=-68.0)
    network = Network(dt, (cells,), probes=nets.record_all((cells,), "spikes"))
    for chip in ("ideal", "loihi2"):
        (spikes,) = nets.run(network, STEPS, chip).spikes
        counts = np.bincount(spikes.neurons, minlength=12)
        values = cells.parameters
        if chip == "loihi2":
            held = loihi.quantise(network, load_chip(chip))
            values = {**values, **held.neurons(0).cells.effective}
        expected = constant_rate(values, dt) * STEPS * dt / 1000.0
        np.testing.assert_allclose(counts, expected, rtol=0.01, atol=1.0)
        assert (counts == 0).any() and counts.max() > 50


def test_a_shift_of_a_rate_is_told(nets):
    cells = nets.cells(3, i_offset=1.2, tau_m=20.0)
    (note,) = (n for n in loihi.quantise(Network(0.1, (cells,)), load_chip("loihi2")).notes if "spikes/s" in n)
    assert "population 'cells': without synaptic input" in note and "%" in note


@pytest.mark.parametrize(("rate", "wraps"), [(0.05, False), (5.0, False), (50.0, True)])
def test_u_wraps_where_that_is_told(nets, rate, wraps):
    populations = (nets.poisson(40, rate), nets.cells(20, tau_syn_E=10.0, tau_syn_I=10.0))
    rows = [(source, target, 30.0, 1) for target in range(20) for source in range(40)]
    network = Network(1.0, populations, (nets.connect(0, 1, rows),), probes=nets.record_all(populations, "v"))
    held = loihi.quantise(network, load_chip("loihi2"))
    wrapped = nets.run(network, STEPS, "loihi2").tallies.get("cells", {}).get("wrapped", 0)
    assert any("to wrap" in note for note in held.notes) == wraps == (wrapped > 0)


def test_each_of_two_currents_is_foreseen_by_itself(nets):
    populations = (nets.poisson(40, 50.0), nets.cells(20, tau_syn_E=2.0, tau_syn_I=10.0))
    strong = [(source, target, -30.0, 1) for target in range(20) for source in range(40)]
    weak = [(source, target, 1.0, 1) for target in range(20) for source in range(40)]
    projections = (nets.connect(0, 1, strong, "inhibitory"), nets.connect(0, 1, weak))
    network = Network(1.0, populations, projections, probes=nets.record_all(populations, "isyn_exc", "isyn_inh"))
    (note,) = (n for n in loihi.quantise(network, load_chip("loihi2_microcode")).notes if "to wrap" in n)
    assert "population 'cells': u_i is estimated" in note
    exc, inh = nets.run(network, STEPS, "loihi2_microcode").signals
    assert (exc.values >= 0).all() and (inh.values > 0).any()  # a wrap turns inhibition into excitation


@pytest.mark.parametrize("weights", [(0.2, 1.0), (-1.0, 1.0)])
def test_the_mean_and_the_deviation_of_u_are_those_that_come(nets, weights):
    rng = np.random.default_rng(1)
    populations = (nets.poisson(30, 2.0), nets.cells(40, tau_syn_E=10.0, tau_syn_I=10.0, v_thresh=200.0))
    rows = [(source, target, rng.uniform(*weights), 1) for target in range(40) for source in range(30)]
    probes = [probe for probe in nets.record_all(populations, "isyn_exc") if probe.population == 1]
    network = Network(1.0, populations, (nets.connect(0, 1, rows),), probes=tuple(probes))
    (signal,) = nets.run(network, STEPS, "loihi2").signals
    u = signal.raw[100:] / 2**23
    mean, deviation = expected_u(loihi.quantise(network, load_chip("loihi2")), 1)
    assert u.mean() == pytest.approx(mean, rel=0.05, abs=0.1 * deviation)
    assert np.sqrt(u.var(axis=0).mean()) == pytest.approx(deviation, rel=0.1)
