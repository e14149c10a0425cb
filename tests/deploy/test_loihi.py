"""Quantisation for Loihi: what is held is what was asked for, within the step of the registers, and losses are told."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evsim.chip import load_chip
from evsim.deploy import loihi
from evsim.deploy.chip_network import ChipNetwork, ChipPopulation
from evsim.deploy.loihi_check import problems
from evsim.deploy.loihi_scale import LoihiScale
from evsim.network import Current, Network, Probe

ONE_CURRENT = ["loihi1", "loihi2"]
CHIPS = [*ONE_CURRENT, "loihi2_microcode"]


def network(nets, weights, dt=1.0, receptor="excitatory", **cell):
    """One source onto as many cells as there are weights."""
    populations = (nets.array_source([[0.0]]), nets.cells(len(weights), **cell))
    rows = [(0, k, weight, 1) for k, weight in enumerate(weights)]
    probes = nets.record_all(populations, "v")
    return Network(dt, populations, (nets.connect(0, 1, rows, receptor),), (), probes)


def scale_of(quantised: ChipNetwork) -> LoihiScale:
    """The scale of the neurons."""
    neurons = quantised.populations[1]
    assert isinstance(neurons, ChipPopulation)
    return neurons.scale


def held(net, chip):
    """The weights that the chip holds (as the first spike alone is felt), in nA."""
    quantised = loihi.quantise(net, load_chip(chip))
    projection, scale = quantised.projections[0], scale_of(quantised)
    return np.floor(projection.weight * 2.0**projection.exponent) * 64 / scale.per_unit(0), quantised


@pytest.mark.parametrize("chip", CHIPS)
@settings(deadline=None, derandomize=True)
@given(
    weights=st.lists(st.floats(0.01, 5.0), min_size=1, max_size=20),
    signs=st.sampled_from([(1,), (-1,), (1, -1)]),
    dt=st.sampled_from([0.1, 1.0]),
    tau_syn=st.floats(1.0, 20.0),
)
def test_weights_are_held_within_half_a_step(nets, chip, weights, signs, dt, tau_syn):
    asked = np.array(weights) * np.resize(signs, len(weights))
    found, quantised = held(network(nets, asked, dt, tau_syn_E=tau_syn, tau_syn_I=tau_syn), chip)
    loss = quantised.weight_losses[0]
    weights_held = loihi.weight_range(quantised.network.projections[0].synapses)
    exact = weights_held.exponent(scale_of(quantised).per_unit(0)) >= 0
    assert np.abs(found - asked).max() <= loss.lsb * (0.5 if exact else 1.5) + 1e-12
    assert loss.max_error == pytest.approx(np.abs(found - asked).max())
    assert loss.zeroed == np.count_nonzero(found == 0) and loss.saturated == 0
    # the largest weight is exact, and 127 steps or more (half of it where weights are even) unless mantissas are cut
    assert np.abs(found).max() == pytest.approx(np.abs(asked).max(), rel=1e-9)
    if exact:
        assert loss.lsb <= np.abs(asked).max() / (63 if weights_held.mixed else 127) + 1e-12


@pytest.mark.parametrize("chip", CHIPS)
def test_the_largest_weight_is_exact_and_uses_the_whole_mantissa(nets, chip):
    found, quantised = held(network(nets, [0.3, 0.7, 0.1]), chip)
    assert found[1] == pytest.approx(0.7, rel=1e-12)
    assert np.abs(quantised.projections[0].weight).max() % 255 == 0


def test_weights_of_both_signs_are_even(nets):
    quantised = held(network(nets, [0.3, -0.7, 0.1]), "loihi2")[1]
    assert (quantised.projections[0].weight % 2 == 0).all()
    assert np.abs(quantised.projections[0].weight).max() == 254


@pytest.mark.parametrize("chip", CHIPS)
def test_a_weight_far_below_the_step_is_counted_as_lost(nets, chip):
    loss = held(network(nets, [1.0, 0.0, 0.001, -0.0]), chip)[1].weight_losses[0]
    assert (loss.zeroed, loss.saturated, loss.count) == (1, 0, 4)


def test_projections_share_a_scale_and_have_their_own_exponents(nets):
    populations = (nets.array_source([[0.0]]), nets.cells(1))
    projections = tuple(nets.connect(0, 1, [(0, 0, weight, 1)], label=f"w{weight}") for weight in (2.0, 0.25, 0.02))
    quantised = loihi.quantise(Network(1.0, populations, projections), load_chip("loihi2"))
    exponents = [projection.exponent for projection in quantised.projections]
    assert exponents == sorted(exponents, reverse=True) and len(set(exponents)) == 3
    for projection in quantised.projections:
        assert 128 <= projection.weight[0] <= 255


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("dt", [0.1, 1.0])
def test_a_postsynaptic_potential_is_that_of_the_ideal_rule(nets, chip, dt):
    """Peak and area of a lone PSP in cells of different membranes; errors are those of the decays held."""
    cm, tau_m = np.array([0.25, 1.0, 1.0]), np.array([10.0, 20.0, 12.5])
    net = network(nets, [0.1, 0.4, 0.4], dt, cm=cm, tau_m=tau_m)
    steps = round(150 / dt)
    ideal, chip_v = (nets.run(net, steps, name).signals[0].values + 65 for name in ("ideal", chip))
    tolerance = 0.01 if dt == 1.0 else 0.06
    np.testing.assert_allclose(chip_v.max(axis=0), ideal.max(axis=0), rtol=tolerance)
    np.testing.assert_allclose(chip_v.sum(axis=0), ideal.sum(axis=0), rtol=tolerance)


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("dt", [0.1, 1.0])
def test_a_constant_current_leads_to_the_right_voltage(nets, chip, dt):
    """Rest above reset, a bias, and an injected current: v settles at v_rest + R i, whatever the decay's rounding."""
    populations = (nets.cells(2, v_reset=-70.0, i_offset=np.array([0.1, -0.2]), v=-70.0),)
    current = Current("dc", 0, np.array([0], np.int32), np.array([0.0]), np.array([0.2]))
    net = Network(dt, populations, (), (current,), nets.record_all(populations, "v"))
    v = nets.run(net, round(400 / dt), chip).signals[0].values
    np.testing.assert_allclose(v[0], -70.0, atol=0.001)
    np.testing.assert_allclose(v[-1], [-65 + 20 * 0.3, -65 - 20 * 0.2], atol=0.01)


@pytest.mark.parametrize("chip", CHIPS)
def test_the_initial_current_is_taken_over(nets, chip):
    populations = (nets.cells(1),)
    populations[0].initial["isyn_exc"] = np.array([0.5])
    probes = nets.record_all(populations, "v", "isyn_exc")
    net = Network(1.0, populations, (), (), probes)
    ideal, found = (nets.run(net, 60, name).signals for name in ("ideal", chip))
    np.testing.assert_allclose(found[1].values, ideal[1].values, atol=0.002)
    np.testing.assert_allclose(found[0].values, ideal[0].values, atol=0.01)


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("steps", [0, 1, 3])
def test_a_refractory_neuron_rests_for_that_many_steps(nets, chip, steps):
    populations = (nets.cells(1, tau_refrac=float(steps), i_offset=20.0),)
    net = Network(1.0, populations, (), (), nets.record_all(populations, "spikes"))
    assert set(np.diff(nets.run(net, 50, chip).spikes[0].times)) == {steps + 1.0}


@pytest.mark.parametrize("tau_refrac", [3e9, 1e30])
def test_a_refractory_time_of_more_steps_than_a_register_counts_lasts(nets, tau_refrac):
    populations = (nets.cells(1, tau_refrac=tau_refrac, i_offset=20.0),)
    net = Network(1.0, populations, (), (), nets.record_all(populations, "spikes"))
    assert len(nets.run(net, 50, "loihi2").spikes[0].times) == 1


def test_losses_of_parameters_are_told(nets):
    quantised = loihi.quantise(network(nets, [1.0], dt=0.1), load_chip("loihi2"))
    losses = {loss.parameter: loss for loss in quantised.parameter_losses}
    assert set(losses) == {"tau_m", "tau_syn_E", "tau_syn_I", "v_thresh"}  # an i_offset of 0 is held exactly
    # 4096 (1 - exp(-0.1 / 20)) = 20.43 is held as 20
    assert losses["tau_m"].held == pytest.approx(-0.1 / np.log1p(-20 / 4096))
    assert losses["v_thresh"].held == pytest.approx(-50.0, abs=0.01)
    assert any("0.1 ms" in note for note in quantised.notes)


def test_a_shift_to_the_right_is_told(nets):
    populations = (nets.array_source([[0.0]]), nets.cells(1))
    projections = tuple(nets.connect(0, 1, [(0, 0, weight, 1)], label=f"w{weight}") for weight in (20.0, 0.001))
    quantised = loihi.quantise(Network(1.0, populations, projections), load_chip("loihi2"))
    assert quantised.projections[1].exponent < 0
    assert [note for note in quantised.notes if "'w0.001'" in note and "rounded down" in note]


@pytest.mark.parametrize("chip", ONE_CURRENT)
def test_two_time_constants_ask_for_two_currents(nets, chip):
    net = network(nets, [1.0, 30.0], tau_syn_I=10.0)
    (problem,) = problems(net, load_chip(chip))
    ways_out = "equal.*the chip loihi2_microcode.*needs microcode.*reference:ideal or reference:spinnaker1"
    assert re.search(f"'cells': tau_syn_E of 5 ms and tau_syn_I of 10 ms in 2 of 2 cells.*{ways_out}", str(problem))
    assert problems(net, load_chip("loihi2_microcode")) == []


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"tau_m": 1e5}, r"tau_m of 100000 ms; at most 8191 ms, or from 8.38861e\+06 ms on for no leak"),
        ({"tau_m": 8192.0}, r"tau_m of 8192 ms; at most 8191 ms"),
        ({"v_thresh": -65.0}, r"v_thresh is not above v_reset in 2 of 2 cells"),
        ({"v_thresh": -65.0 + 1e-6}, r"threshold 1e-06 mV above v_reset is .* at least 1 unit"),
    ],
)
def test_what_cannot_be_held_is_a_problem(nets, chip, changed, told):
    (problem,) = problems(network(nets, [1.0, 30.0], **changed), load_chip(chip))
    assert problem.where == "population 'cells'"
    assert re.search(told, str(problem)), str(problem)


def test_a_current_cannot_do_without_a_decay(nets):
    net = network(nets, [1.0], tau_syn_E=1e8, tau_syn_I=1e8)
    told = [str(problem) for problem in problems(net, load_chip("loihi2"))]
    assert len(told) == 2 and all("; at most 8191 ms on" in problem for problem in told)


@pytest.mark.parametrize("chip", CHIPS)
def test_a_membrane_without_a_leak_adds_up_what_it_gets(nets, chip):
    """Jumps of whole units and a current that is one, too, so nothing is rounded; the jump comes one label later."""
    trains = [np.array([1.0, 5.0, 6.0, 20.0]), np.array([9.0])]
    cell = {"tau_m": 1e10, "cm": 2.0, "i_offset": 0.5, "v_thresh": -60.0, "tau_refrac": 0.0}
    populations = (nets.array_source(trains), nets.cells(1, "leakless", "IF_curr_delta", **cell))
    projections = (nets.connect(0, 1, [(0, 0, 1.0, 1)]), nets.connect(0, 1, [(1, 0, -2.0, 1)], "inhibitory"))
    net = Network(1.0, populations, projections, (), nets.record_all(populations, "spikes", "v"))
    assert problems(net, load_chip(chip)) == []
    assert "tau_m" not in {loss.parameter for loss in loihi.quantise(net, load_chip(chip)).parameter_losses}
    v, expected = -65.0, [-65.0]
    jumps = {step + 1 + 1: 1.0 for step in trains[0]} | {11.0: -2.0}
    for label in range(1, 41):
        v += 0.25 + jumps.get(float(label), 0.0)
        v = -65.0 if v > -60.0 else v
        expected.append(v)
    np.testing.assert_allclose(nets.run(net, 40, chip).signals[0].values[:, 0], expected, atol=1e-2)


def test_a_long_refractory_period_is_a_problem_on_loihi1_alone(nets):
    net = network(nets, [1.0], tau_refrac=64.0)
    assert [str(problem).split(";")[1] for problem in problems(net, load_chip("loihi1"))] == [
        " at most 63 steps on loihi1, which is 63 ms. Give a shorter tau_refrac or a longer timestep."
    ]
    assert problems(net, load_chip("loihi2")) == []


def test_one_receptors_current_cannot_be_recorded_beside_the_others(nets):
    net = network(nets, [-1.0], receptor="inhibitory")
    probe = Probe(1, "isyn_exc", np.array([0], np.int32))
    recorded = Network(1.0, net.populations, net.projections, (), (probe,))
    (problem,) = problems(recorded, load_chip("loihi2"))
    assert "isyn_exc while it has inhibitory input" in str(problem) and "loihi2_microcode" in str(problem)
    assert problems(recorded, load_chip("loihi2_microcode")) == []


def test_a_sound_network_has_no_problem(nets):
    for chip in CHIPS:
        assert problems(network(nets, [1.0, -0.5]), load_chip(chip)) == []
