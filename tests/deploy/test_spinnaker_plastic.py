"""Plastic synapses on SpiNNaker: what their rules become, what is refused, and the defect that is warned of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from evsim.chip import load_chip
from evsim.deploy.check import check
from evsim.deploy.quantise import quantise
from evsim.deploy.spinnaker_plastic import ring_slots
from evsim.network import Network, Plasticity
from evsim.results.losses import chip_losses, warning

CHIP = load_chip("spinnaker1")
PARAMETERS = {"tau_plus": 20.0, "tau_minus": 30.0, "A_plus": 0.25, "A_minus": 0.5, "w_min": 0.0, "w_max": 2.0}
ADDITIVE = Plasticity("SpikePairRule", "AdditiveWeightDependence", PARAMETERS)
MULTIPLICATIVE = replace(ADDITIVE, weight="MultiplicativeWeightDependence")
COND: dict[str, Any] = {"e_rev_E": 0.0, "e_rev_I": -70.0}


def network(nets, *rules: Plasticity, delays=(1, 3), size: int = 4, model: str = "IF_curr_exp", **cell: Any) -> Network:
    """A source onto a population, by a plastic projection for each rule."""
    rows = [(0, k % size, 0.5, delay) for k, delay in enumerate(delays)]
    projections = tuple(
        replace(nets.connect(0, 1, rows, label=f"learns {k}"), synapse="STDPMechanism", plasticity=rule)
        for k, rule in enumerate(rules)
    )
    return Network(1.0, (nets.array_source([[1.0]]), nets.cells(size, "cells", model, **cell)), projections)


def said(net: Network) -> str:
    return "\n".join(map(str, check(net, CHIP)))


def test_the_ring_buffer_is_made_for_weights_as_large_as_they_can_become(nets):
    held = quantise(network(nets, ADDITIVE), CHIP).projections[0]
    assert held.plasticity.shift == 2  # 2 nA may come from one source, and a slot holds less than 2^shift
    assert held.weight.tolist() == [0.5 * 2**13] * 2


def test_rules_are_held_in_s1615(nets):
    rule = quantise(network(nets, ADDITIVE), CHIP).projections[0].plasticity
    assert (rule.up, rule.down, rule.low, rule.high) == (0.25 * 2**15, 0.5 * 2**15, 0, 2 * 2**15)
    # conductances are in units of uS / 1024, and so are the changes of an additive rule
    rule = quantise(network(nets, ADDITIVE, model="IF_cond_exp", **COND), CHIP).projections[0].plasticity
    assert (rule.up, rule.high) == (0.25 * 2**25, 2 * 2**25)


@pytest.mark.parametrize(
    ("size", "longest", "slots"),
    [
        (4, 1, 2),
        (4, 2, 2),
        (4, 3, 4),
        (4, 16, 16),
        (4, 17, 32),
        (200, 100, 32),
        (129, 33, 32),
        (128, 33, 64),
        (900, 144, 32),
    ],
)
def test_a_ring_is_as_long_as_the_longest_delay_and_14_bits_allow(nets, size: int, longest: int, slots: int):
    # the firmware's index has 14 bits for cell, receptor and delay, and a core has 256 cells
    assert ring_slots(network(nets, ADDITIVE, delays=[1, longest], size=size), 1, 256) == slots


@pytest.mark.parametrize(
    ("rules", "model", "words"),
    [
        ([replace(ADDITIVE, dendritic_delay_fraction=0.5)], "IF_curr_exp", "all of the delay is dendritic"),
        ([replace(ADDITIVE, weight="AdditivePotentiationMultiplicativeDepression")], "IF_curr_exp", "has firmware for"),
        ([MULTIPLICATIVE], "IF_cond_exp", "firmware for these rules onto IF_cond_exp: SpikePairRule with Additive"),
        ([ADDITIVE, MULTIPLICATIVE], "IF_curr_exp", "all plastic synapses onto a population have the same"),
        ([replace(ADDITIVE, parameters={**PARAMETERS, "A_plus": 1e5})], "IF_curr_exp", "A_plus is 100000; s16.15"),
        (
            [replace(ADDITIVE, parameters={**PARAMETERS, "A_minus": 100.0})],
            "IF_cond_exp",
            "s16.15 holds numbers below 64",
        ),
    ],
)
def test_what_spynnaker_cannot_have_is_said(nets, rules, model: str, words: str):
    assert words in said(network(nets, *rules, delays=[2, 3], model=model, **(COND if model == "IF_cond_exp" else {})))


def test_what_spynnaker_has_is_accepted(nets):
    assert said(network(nets, ADDITIVE, ADDITIVE)) == said(network(nets, MULTIPLICATIVE)) == ""


def test_delays_of_the_size_of_the_ring_are_warned_of(nets):
    net = network(nets, ADDITIVE, delays=[1, 4, 4])
    text = warning(chip_losses(net, [CHIP]))
    assert text is not None
    for words in (
        "projection 'learns 0': 2 of 3 plastic synapses deliver nothing",
        "their delay is 4 time steps (4 ms)",
        "ring buffer, which is 4 slots here",
        "onto population 'cells' a delay above 4 ms: the ring then has 8 slots",
    ):
        assert words in text
    assert quantise(net, CHIP).defects and not quantise(network(nets, ADDITIVE, delays=[1, 3]), CHIP).defects


def test_a_warning_of_full_rings_asks_for_no_longer_ones(nets):
    text = warning(chip_losses(network(nets, ADDITIVE, delays=[32, 64, 40], size=200), [CHIP]))
    assert text is not None and "2 of 3" in text
    assert "shorter or longer." in text and "ring then has" not in text


def test_static_synapses_have_no_such_defect(nets):
    rows = [(0, 0, 0.5, 4)]
    net = Network(1.0, (nets.array_source([[1.0]]), nets.cells(2)), (nets.connect(0, 1, rows),))
    assert warning(chip_losses(net, [CHIP])) is None
