"""STDP for Loihi's learning engine: amplitudes are held as nearly as it can, and what it cannot do is told before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import learning_on_loihi as learning
from evsim.chip import load_chip
from evsim.deploy.chip_network import ChipNetwork
from evsim.deploy.loihi_learning import LoihiPlasticity, product
from evsim.deploy.quantise import quantise
from evsim.errors import CheckError
from evsim.network import Network, Projection

ADDITIVE, MULTIPLICATIVE, MIXED = learning.DEPENDENCES


def network(nets, *projections: Projection, dt: float = 1.0, **cell) -> Network:
    """A source and neurons, 4 of each."""
    return Network(dt, (nets.array_source([[1.0]] * 4), nets.cells(4, **cell)), projections)


def one_to_one(nets, weight: float = 1.0, delay: int = 1, label: str = "learns", receptor: str = "excitatory"):
    return nets.connect(0, 1, [(k, k, weight, delay) for k in range(4)], receptor, label)


def held(net: Network) -> ChipNetwork:
    return quantise(net, load_chip(learning.CHIP))


def said(net: Network, chip: str = learning.CHIP) -> str:
    with pytest.raises(CheckError) as told:
        quantise(net, load_chip(chip))
    return str(told.value)


# --- numbers ---------------------------------------------------------------------------------------------------------


@settings(deadline=None, derandomize=True)
@given(amplitude=st.floats(3e-4, 2.0), sign=st.sampled_from([1, -1]), positive=st.booleans())
def test_an_additive_amplitude_is_a_part_of_the_largest_mantissa(amplitude: float, sign: int, positive: bool):
    found = product(amplitude if positive else -amplitude, 0.0, sign, 0)
    expected = amplitude * 255 * sign * (1 if positive else -1)
    assert found.amplitude == pytest.approx(expected, rel=0.5 / 16 if found.impulse >= 16 else 0.5 / found.impulse)
    assert 1 <= found.impulse <= 31 and abs(found.mantissa) <= 7 and -7 <= found.exponent <= 8


@settings(deadline=None, derandomize=True)
@given(amplitude=st.floats(0.005, 1.0), bound=st.sampled_from([0, 255, -255]), weight=st.integers(0, 255))
def test_a_multiplicative_amplitude_is_a_part_of_the_way_to_the_bound(amplitude: float, bound: int, weight: int):
    found = product(amplitude, 1.0, 1, bound)
    signed = -weight if bound < 0 else weight
    change = found.amplitude * (signed + found.offset)
    assert change == pytest.approx(amplitude * (bound - signed), rel=0.04)


def rule_of(net: Network) -> LoihiPlasticity:
    return held(net).projections[0].plasticity


def test_the_largest_weight_is_the_largest_mantissa_beside_larger_static_weights(nets):
    learns = learning.plastic(one_to_one(nets, 0.7), 2.0)
    static = nets.connect(0, 1, [(0, 1, 7.3, 1)])
    on_chip = held(network(nets, learns, static)).projections[0]
    assert on_chip.hold.stored(np.array([0.0, 2.0, 3.0])).tolist() == [0, 255, 255]
    assert on_chip.hold.physical(np.array([255])) == pytest.approx(2.0)


def test_two_projections_may_be_powers_of_two_apart(nets):
    small = learning.plastic(one_to_one(nets, 0.7, label="small"), 1.0)
    large = learning.plastic(one_to_one(nets, 0.7, label="large"), 4.0)
    exponents = [on_chip.plasticity.exponent for on_chip in held(network(nets, small, large)).projections]
    assert exponents[1] - exponents[0] == 2
    large = learning.plastic(one_to_one(nets, 0.7, label="large"), 3.0)
    assert "'small': w_max is 1 nA, and a weight could grow to 1.5" in said(network(nets, small, large))


def test_inhibitory_weights_learn_with_the_other_sign(nets):
    def rule(weight: float, bound: float, receptor: str) -> LoihiPlasticity:
        return rule_of(network(nets, learning.plastic(one_to_one(nets, weight, receptor=receptor), bound)))

    excitatory, inhibitory = rule(1.0, 2.0, "excitatory"), rule(-1.0, -2.0, "inhibitory")
    assert (excitatory.inhibitory, inhibitory.inhibitory) == (False, True)
    for one, other in ((excitatory.up, inhibitory.up), (excitatory.down, inhibitory.down)):
        assert one.amplitude == -other.amplitude
    assert excitatory.up.amplitude > 0 > excitatory.down.amplitude
    assert rule(-1.0, 2.0, "inhibitory").up == inhibitory.up  # bounds may be magnitudes


def test_what_is_held_otherwise_than_asked_for_is_told(nets):
    rule: dict[str, Any] = {"tau_plus": 16.8, "A_plus": 0.01}
    (note,) = (n for n in held(network(nets, learning.plastic(one_to_one(nets), 2.0, **rule))).notes if "learns" in n)
    assert "tau_plus as 17 ms instead of 16.8" in note and "steps of w_max / 255, rounded at random" in note
    assert "tau_minus" not in note


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chip", ["loihi1", "loihi2", "loihi2_microcode"])
def test_chips_that_are_compared_bit_by_bit_name_the_one_that_learns(nets, chip):
    told = said(network(nets, learning.plastic(one_to_one(nets), 2.0)), chip)
    assert "the synapse STDPMechanism" in told and "ideal, loihi2_learning, spinnaker1 can hold it" in told


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            {"tau_plus": 300.0},
            "tau_plus is 300 ms, 300 time steps; a trace of loihi2_learning decays in 1 to 255 whole",
        ),
        ({"tau_minus": 0.2}, "tau_minus is 0.2 ms.*or a shorter timestep"),
        ({"A_plus": 1e-5}, "A_plus is 1e-05; loihi2_learning resolves magnitudes from 3.1e-05 to"),
        ({"A_minus": 2000.0}, "A_minus is 2000; .* to 892.5"),
        ({"w_min": 0.5}, "w_min is 0.5; the learning engine .* between 0 and"),
        ({"w_max": 0.01}, "w_max of 0.01 nA is .* units of input; at least 255"),
    ],
)
def test_what_the_engine_cannot_hold_is_refused_with_its_limit(nets, changed, words):
    net = network(nets, learning.plastic(one_to_one(nets, 0.005), **{"w_max": 2.0, **changed}))
    with pytest.raises(CheckError, match=f"'learns': {words}"):
        held(net)


@pytest.mark.parametrize(
    ("timing", "weight"),
    [("SpikeNearestPairRule", ADDITIVE), ("SpikePairRule", "GutigWeightDependence")],
)
def test_other_rules_are_refused_by_name(nets, timing, weight):
    learns = learning.plastic(one_to_one(nets), 2.0, weight=weight, mu_plus=0.5, mu_minus=0.5)
    assert learns.plasticity is not None
    net = network(nets, replace(learns, plasticity=replace(learns.plasticity, timing=timing)))
    name = timing if weight == ADDITIVE else weight
    assert f"the rule {name}" in said(net) and "reference:ideal or reference:spinnaker1" in said(net)


def test_everything_is_told_at_once(nets):
    learns = learning.plastic(one_to_one(nets, delay=64), 2.0, w_min=0.5, tau_plus=900.0, A_minus=1e-6)
    told = said(network(nets, learns))
    assert all(word in told for word in ("4 problems", "64 steps", "w_min", "tau_plus", "A_minus"))


def test_weights_of_both_signs_are_refused(nets):
    learns = learning.plastic(nets.connect(0, 1, [(0, 0, 1.0, 1), (1, 1, -1.0, 1)], label="learns"), 2.0)
    assert "plastic weights have one sign" in said(network(nets, learns))
