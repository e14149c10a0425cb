"""STDPMechanism: what its parameters become, and what is said of those that cannot be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from builders import cells
from evsim.chip import chip_names, load_chip
from evsim.deploy.check import check
from evsim.model import SynapseModel
from evsim.network import Network, Plasticity, Projection
from evsim.pair_rule import PairRule
from evsim.registry import model
from evsim.synapses import Listed

PARAMETERS = {
    "tau_plus": 20.0,
    "tau_minus": 30.0,
    "A_plus": 0.01,
    "A_minus": 0.012,
    "w_min": 0.0,
    "w_max": 2.0,
    "mu_plus": 0.5,
    "mu_minus": 0.25,
}
ADDITIVE = Plasticity("SpikePairRule", "AdditiveWeightDependence", PARAMETERS)


def network(plasticity: Plasticity | None, weight: float = 1.0, delay: int = 2) -> Network:
    pair = np.zeros(1, np.int32), np.ones(1, np.int32)
    synapses = Listed(*pair, np.array([weight]), np.array([delay], np.int32))
    return Network(
        1.0,
        (cells(2),),
        (Projection("learns", 0, 0, "excitatory", "STDPMechanism", synapses, plasticity),),
    )


def rule_of(plasticity: Plasticity, weight: float = 1.0) -> PairRule:
    synapse = model("STDPMechanism")
    assert isinstance(synapse, SynapseModel) and synapse.pair_rule
    return synapse.pair_rule(network(plasticity, weight).projections[0])


def said(net: Network, chip: str = "ideal") -> str:
    return "\n".join(map(str, check(net, load_chip(chip))))


@pytest.mark.parametrize(
    ("weight", "exponents"),
    [
        ("AdditiveWeightDependence", (0.0, 0.0)),
        ("MultiplicativeWeightDependence", (1.0, 1.0)),
        ("AdditivePotentiationMultiplicativeDepression", (0.0, 1.0)),
        ("GutigWeightDependence", (0.5, 0.25)),
    ],
)
def test_weight_dependences_are_exponents(weight: str, exponents: tuple[float, float]):
    rule = rule_of(replace(ADDITIVE, weight=weight, dendritic_delay_fraction=0.5))
    assert (rule.mu_plus, rule.mu_minus) == exponents
    assert (rule.tau_plus, rule.tau_minus, rule.a_plus, rule.a_minus) == (20.0, 30.0, 0.01, 0.012)
    assert (rule.w_min, rule.w_max) == (0.0, 2.0)
    assert [rule.dendritic_steps(delay) for delay in (2, 8)] == [1, 4]


def test_a_sound_rule_is_accepted():
    assert said(network(ADDITIVE)) == ""


def test_chips_without_plasticity_refuse_it_by_name():
    for chip in chip_names():
        if load_chip(chip).rules.name not in ("ideal", "spinnaker1", "loihi2_learning"):
            assert "the synapse STDPMechanism" in said(network(ADDITIVE), chip)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tau_plus": 0.0}, "tau_plus is 0 ms"),
        ({"tau_minus": -1.0}, "tau_minus is -1 ms"),
        ({"w_min": 3.0}, "w_max must be farther from 0"),
        ({"w_min": -1.0}, "both must have the same sign"),
        ({"tau_plus": 0.005}, "at most 200 of the shortest time constant"),
    ],
)
def test_what_cannot_be_is_said(changes: dict[str, float], words: str):
    assert words in said(network(replace(ADDITIVE, parameters={**PARAMETERS, **changes})))


def test_rules_and_delays_that_cannot_be_are_said():
    assert "the rule Another; STDPMechanism has SpikePairRule" in said(network(replace(ADDITIVE, timing="Another")))
    assert "the rule Other" in said(network(replace(ADDITIVE, weight="Other")))
    assert "without a rule" in said(network(None))
    assert "dendritic_delay_fraction is 1.5" in said(network(replace(ADDITIVE, dendritic_delay_fraction=1.5)))
    assert said(network(replace(ADDITIVE, dendritic_delay_fraction=0.0))) == ""


def test_nearest_pairs_are_pairs_otherwise():
    assert rule_of(replace(ADDITIVE, timing="SpikeNearestPairRule")) == replace(rule_of(ADDITIVE), nearest=True)


def test_the_rate_of_vogels_is_in_the_unit_of_the_weight():
    given = {"tau": 12.0, "alpha": 0.25, "A_plus": 0.1, "w_min": 0.0, "w_max": 4.0}
    rule = rule_of(Plasticity("Vogels2011Rule", "AdditiveWeightDependence", given))
    assert rule == PairRule(12.0, 12.0, 0.1 / 4, -0.1 / 4, 0.0, 4.0, cost=0.25 * 0.1 / 4)


def test_triplets_have_slow_traces():
    given = {**PARAMETERS, "tau_x": 100.0, "tau_y": 125.0, "A3_plus": 0.02, "A3_minus": 0.03}
    rule = rule_of(Plasticity("PfisterSpikeTriplet", "WeightDependenceAdditiveTriplet", given))
    assert rule.has_triplets and not rule_of(ADDITIVE).has_triplets
    assert (rule.a_plus, rule.a3_plus, rule.a3_minus, rule.tau_x, rule.tau_y) == (0.01, 0.02, 0.03, 100.0, 125.0)
    assert rule.mu_plus == rule.mu_minus == 0


def test_rules_that_need_each_other_are_named():
    text = said(network(replace(ADDITIVE, timing="PfisterSpikeTriplet")), "spinnaker1")
    assert "PfisterSpikeTriplet and WeightDependenceAdditiveTriplet need each other" in text
    text = said(network(replace(ADDITIVE, weight="WeightDependenceAdditiveTriplet")))
    assert "SpikePairRule with WeightDependenceAdditiveTriplet" in text
    text = said(network(replace(ADDITIVE, timing="Vogels2011Rule", weight="GutigWeightDependence")))
    assert "changes by Vogels2011Rule do not depend on the weight. Use AdditiveWeightDependence" in text


def test_bounds_of_the_other_sign_are_magnitudes():
    """As in sPyNNaker, which takes the magnitudes of weights and lets the receptor decide the sign."""
    for weight, bounds in ((1.0, (0.0, 2.0)), (-1.0, (0.0, -2.0))):
        for w_max in (2.0, -2.0):
            changed = replace(ADDITIVE, parameters={**PARAMETERS, "w_max": w_max})
            rule = rule_of(changed, weight)
            assert (rule.w_min, rule.w_max) == bounds
            assert said(network(changed, weight)) == ""


def test_weights_of_both_signs_are_refused():
    net = network(ADDITIVE)
    pair = np.zeros(2, np.int32), np.array([0, 1], np.int32)
    both = Listed(*pair, np.array([1.0, -1.0]), np.array([2, 2], np.int32))
    text = said(replace(net, projections=(replace(net.projections[0], synapses=both),)))
    assert "1 of 2 weights are negative and others positive" in text
