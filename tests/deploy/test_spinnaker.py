"""Quantisation for SpiNNaker 1: what is held, what is lost, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evsim.chip import load_chip
from evsim.deploy import spinnaker
from evsim.deploy.check import check
from evsim.deploy.chip_network import ChipPopulation
from evsim.deploy.spinnaker_check import problems
from evsim.network import Current, Network

CHIP = load_chip("spinnaker1")
exactly = settings(derandomize=True, deadline=None, max_examples=40)


def network(nets, weights, receptor="excitatory", dt=1.0, delays=None, **cell):
    """One source onto as many cells as there are weights."""
    populations = (nets.array_source([[0.0]]), nets.cells(len(weights), **cell))
    rows = [(0, k, weight, delays[k] if delays else 1) for k, weight in enumerate(weights)]
    return Network(dt, populations, (nets.connect(0, 1, rows, receptor),))


def scale_of(quantised):
    neurons = quantised.populations[1]
    assert isinstance(neurons, ChipPopulation)
    return neurons.scale


@exactly
@given(
    st.lists(st.floats(0.001, 100.0), min_size=1, max_size=20),
    st.sampled_from(["excitatory", "inhibitory"]),
    st.booleans(),
)
def test_weights_are_held_within_half_a_step(nets, magnitudes, receptor, same_delay):
    weights = np.array(magnitudes) * (-1 if receptor == "inhibitory" else 1)
    delays = None if same_delay else [1 + k % 7 for k in range(len(weights))]
    quantised = spinnaker.quantise(network(nets, weights, receptor, delays=delays), CHIP)
    stored, loss = quantised.projections[0].weight, quantised.weight_losses[0]
    row = {"excitatory": 0, "inhibitory": 1}[receptor]
    assert quantised.projections[0].row == row
    # what one spike adds to the synapse, in nA, before the factor of the exponential
    held = (stored.astype(np.int64) << scale_of(quantised).shifts[row]) / 2**15 * np.sign(weights)
    assert stored.min() >= 0 and stored.max() <= 65535
    assert np.abs(held - weights).max() <= loss.lsb / 2
    assert loss.max_error == pytest.approx(np.abs(held - weights).max(), abs=1e-12)
    assert loss.zeroed == np.count_nonzero(stored == 0) and loss.saturated == 0


@exactly
@given(st.lists(st.floats(0.001, 100.0), min_size=2, max_size=20))
def test_a_sum_over_sources_that_spike_together_fits(nets, weights):
    sources = nets.array_source([[0.0]] * len(weights))
    rows = [(k, 0, weight, 1) for k, weight in enumerate(weights)]
    net = Network(1.0, (sources, nets.cells(1)), (nets.connect(0, 1, rows),))
    assert spinnaker.quantise(net, CHIP).projections[0].weight.sum() <= 65535


def test_small_weights_beside_a_large_one_are_counted_as_lost(nets):
    loss = spinnaker.quantise(network(nets, [1000.0, 0.001, 0.002]), CHIP).weight_losses[0]
    assert (loss.count, loss.zeroed, loss.lsb) == (3, 2, 2.0**-5)


def test_weights_of_no_unit_are_not_lost(nets):
    loss = spinnaker.quantise(network(nets, [0.0, 1.0]), CHIP).weight_losses[0]
    assert loss.zeroed == 0 and loss.max_error == 0


def test_conductances_are_held_finer(nets):
    quantised = spinnaker.quantise(network(nets, [0.01], model="IF_cond_exp", e_rev_E=0.0, e_rev_I=-70.0), CHIP)
    assert scale_of(quantised).gain == 1024 and quantised.weight_losses[0].lsb < 1e-5


def test_time_constants_are_told_as_they_are_held(nets):
    quantised = spinnaker.quantise(network(nets, [1.0], dt=0.1, tau_m=500.0, tau_refrac=2.0), CHIP)
    losses = {loss.parameter: loss for loss in quantised.parameter_losses}
    # exp(-0.1/500) = 1 - 6.55 / 2^15, of which 7 / 2^15 is held
    assert losses["tau_m"].asked == 500 and losses["tau_m"].held == pytest.approx(-0.1 / np.log1p(-7 / 2**15))
    assert "v_thresh" not in losses


def test_models_whose_meaning_differs_say_so(nets):
    populations = (nets.cells(1, "delta", "IF_curr_delta"),)
    notes = spinnaker.quantise(Network(1.0, populations), CHIP).notes
    assert len(notes) == 1 and "'delta'" in notes[0]


def problem_texts(net):
    assert problems(net, CHIP) == check(net, CHIP)
    return [str(problem) for problem in problems(net, CHIP)]


def test_a_sound_network_has_no_problems(nets):
    assert problem_texts(network(nets, [1.0])) == []


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        ({"v_rest": 70000.0}, "v_rest is 70000 mV"),
        ({"v_rest": -1e30}, "v_rest is -1e+30 mV"),  # beyond 64 bits, too
        ({"i_offset": 1e200}, "i_offset is 1e+200 nA"),
        ({"cm": 1e-4}, "tau_m / cm is 200000 MOhm"),
        ({"tau_m": 40000.0}, "tau_m is 40000"),
        ({"tau_syn_E": 1e-6}, "tau_syn_E is 1e-06"),
        ({"cm": 1e-6}, "cm is 1e-06"),
    ],
)
def test_parameters_beyond_fixed_point_are_problems(nets, changed, part):
    found = problem_texts(network(nets, [1.0], **changed))
    assert any(part in text and "s16.15" in text for text in found)


@pytest.mark.parametrize(("dt", "least"), [(1.0, 1), (2.0, 2), (2.001, 2), (4.0, 3), (16.0, 9)])
def test_a_time_step_by_a_time_constant_is_a_number_of_fixed_point(nets, dt, least):
    """The quotient is below 2^16, as every s16.15."""
    for units in range(max(least - 1, 1), least + 1):  # 0 is refused for another reason
        found = problem_texts(network(nets, [1.0], dt=dt, tau_syn_I=units / 2**15))
        assert [f"with a time step of {dt:g} ms" in text for text in found] == [True] * (units < least)
    assert dt * 2**15 / least < 2**16 and (least == 1 or dt * 2**15 / (least - 1) >= 2**16)
    spinnaker.quantise(network(nets, [1.0], dt=dt, tau_syn_I=least / 2**15), CHIP)


def test_a_sum_beyond_fixed_point_is_a_problem(nets):
    found = problem_texts(network(nets, [70000.0]))
    assert len(found) == 1 and "shift of 17" in found[0]


@pytest.mark.parametrize("dt", [0.0625, 2.007])
def test_a_clock_of_broken_microseconds_is_a_problem(nets, dt):
    assert any("microseconds" in text for text in problem_texts(network(nets, [1.0], dt=dt)))


def test_a_current_beyond_fixed_point_is_a_problem(nets):
    net = network(nets, [1.0])
    current = Current("strong", 1, np.array([0], np.int32), np.array([1.0]), np.array([-1e6]))
    found = problem_texts(Network(1.0, net.populations, net.projections, (current,)))
    assert len(found) == 1 and "'strong'" in found[0]
