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
    synapse = model("STDPMechanism")
    assert isinstance(synapse, SynapseModel) and synapse.pair_rule
    rule = synapse.pair_rule(replace(ADDITIVE, weight=weight, dendritic_delay_fraction=0.5))
    assert (rule.mu_plus, rule.mu_minus) == exponents
    assert (rule.tau_plus, rule.tau_minus, rule.a_plus, rule.a_minus) == (20.0, 30.0, 0.01, 0.012)
    assert (rule.w_min, rule.w_max) == (0.0, 2.0)
    assert [rule.dendritic_steps(delay) for delay in (2, 8)] == [1, 4]


def test_a_sound_rule_is_accepted():
    assert said(network(ADDITIVE)) == ""


def test_chips_without_plasticity_refuse_it_by_name():
    for chip in chip_names():
        if load_chip(chip).rules.name not in ("ideal", "spinnaker1"):
            assert "the synapse STDPMechanism" in said(network(ADDITIVE), chip)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tau_plus": 0.0}, "tau_plus is 0 ms"),
        ({"tau_minus": -1.0}, "tau_minus is -1 ms"),
        ({"w_min": 3.0}, "w_max must be farther from 0"),
        ({"w_min": -1.0}, "both must have the same sign"),
        ({"w_max": -2.0}, "another sign than w_max"),
        ({"tau_plus": 0.005}, "at most 200 of the shortest time constant"),
    ],
)
def test_what_cannot_be_is_said(changes: dict[str, float], words: str):
    assert words in said(network(replace(ADDITIVE, parameters={**PARAMETERS, **changes})))


def test_rules_and_delays_that_cannot_be_are_said():
    assert "the rule Vogels2011Rule; STDPMechanism has SpikePairRule" in said(
        network(replace(ADDITIVE, timing="Vogels2011Rule"))
    )
    assert "the rule Other" in said(network(replace(ADDITIVE, weight="Other")))
    assert "without a rule" in said(network(None))
    assert "dendritic_delay_fraction is 1.5" in said(network(replace(ADDITIVE, dendritic_delay_fraction=1.5)))
    assert "below a time step" in said(network(replace(ADDITIVE, dendritic_delay_fraction=0.0)))
