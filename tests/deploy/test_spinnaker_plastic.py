"""Plastic synapses on SpiNNaker: what their rules become, what is refused, and the defect that is warned of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from evsim.chip import load_chip
from evsim.deploy.check import check
from evsim.deploy.quantise import quantise
from evsim.network import Network, Plasticity
from evsim.results.losses import chip_losses, warning

CHIP = load_chip("spinnaker1")
PARAMETERS = {"tau_plus": 20.0, "tau_minus": 30.0, "A_plus": 0.25, "A_minus": 0.5, "w_min": 0.0, "w_max": 2.0}
ADDITIVE = Plasticity("SpikePairRule", "AdditiveWeightDependence", PARAMETERS)
MULTIPLICATIVE = replace(ADDITIVE, weight="MultiplicativeWeightDependence")
VOGELS = Plasticity(
    "Vogels2011Rule",
    "AdditiveWeightDependence",
    {"alpha": 0.5, "tau": 20.0, "A_plus": 0.25, "A_minus": 0.5, "w_min": 0.0, "w_max": 2.0},
)
VOGELS_TIMES = replace(VOGELS, weight="MultiplicativeWeightDependence")
NEAREST = replace(ADDITIVE, timing="SpikeNearestPairRule")
TRIPLET = Plasticity(
    "PfisterSpikeTriplet",
    "WeightDependenceAdditiveTriplet",
    {**PARAMETERS, "tau_x": 40.0, "tau_y": 50.0, "A3_plus": 0.125, "A3_minus": 0.0625},
)
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
    ("rules", "model", "words"),
    [
        ([replace(ADDITIVE, dendritic_delay_fraction=0.5)], "IF_curr_exp", "all of the delay is dendritic"),
        ([replace(ADDITIVE, weight="AdditivePotentiationMultiplicativeDepression")], "IF_curr_exp", "has firmware for"),
        ([VOGELS_TIMES], "IF_curr_exp", "changes by Vogels2011Rule do not depend on the weight"),
        ([replace(VOGELS, parameters={**VOGELS.parameters, "alpha": 1e5})], "IF_curr_exp", "alpha is 100000; s16.15"),
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


@pytest.mark.parametrize("rule", [ADDITIVE, MULTIPLICATIVE, NEAREST, VOGELS, TRIPLET], ids=lambda rule: rule.timing)
@pytest.mark.parametrize("model", ["IF_curr_exp", "IF_curr_dual_exp"])
def test_what_spynnaker_has_is_accepted(nets, rule: Plasticity, model: str):
    assert said(network(nets, rule, rule, model=model)) == ""


def test_amplitudes_of_triplets_are_parts_of_the_largest_weight(nets):
    rule = quantise(network(nets, TRIPLET), CHIP).projections[0].plasticity
    assert (rule.up, rule.down) == (0.25 * 2 * 2**15, 0.5 * 2 * 2**15)
    assert (rule.up_triplet, rule.down_triplet) == (0.125 * 2 * 2**15, 0.0625 * 2 * 2**15)
    plus, minus, x, y = rule.decay_tables(1.0)
    assert plus[20] == minus[30] == int(np.exp(-1) * 2048)
    assert x[10] == int(np.exp(-1) * 2048) and y[5] == int(np.exp(-20 / 50) * 2048)  # of 4 steps each


def test_the_rule_of_vogels_has_one_time_constant(nets):
    rule = quantise(network(nets, VOGELS), CHIP).projections[0].plasticity
    assert rule.alpha == 0.5 * 2**11 and rule.taus == (20.0, 20.0)


def test_bounds_are_magnitudes_to_which_the_receptor_gives_the_sign(nets):
    rows = [(0, 0, -0.5, 1), (0, 1, -0.25, 3)]
    rules = ADDITIVE, replace(ADDITIVE, parameters={**PARAMETERS, "w_max": -2.0})
    held = []
    for rule in rules:
        inhibitory = replace(nets.connect(0, 1, rows, "inhibitory"), synapse="STDPMechanism", plasticity=rule)
        excitatory = network(nets, ADDITIVE)
        net = replace(excitatory, projections=(*excitatory.projections, inhibitory))
        assert said(net) == ""
        held.append(quantise(net, CHIP).projections[1])
    assert held[0].plasticity.high == held[1].plasticity.high == 2 * 2**15
    for projection in held:
        assert projection.hold.physical(projection.weight).tolist() == [-0.5, -0.25]


def looped(nets, timestep: float, *rows: list, plastic: bool = False, size: int = 4) -> Network:
    """A source that teaches cells, which project onto themselves over static synapses, or a plastic one first."""
    net = network(nets, ADDITIVE)
    net = replace(net, populations=(net.populations[0], nets.cells(size)))
    loops = [nets.connect(1, 1, some, label=f"loop {k}") for k, some in enumerate(rows)]
    if plastic:
        loops[0] = replace(loops[0], synapse="STDPMechanism", plasticity=ADDITIVE)
    return replace(net, timestep=timestep, projections=(*net.projections, *loops))


@pytest.mark.parametrize(
    ("timestep", "loops", "plastic", "entries"),
    [
        (1.0, [[(0, 1, 0.1, 1)], [(1, 2, 0.1, 1)]], False, [1, 1, 1, 1]),  # one core for neurons and synapses
        (0.1, [], False, [1, 1, 1, 1]),
        (0.1, [[(0, 1, 0.1, 1)]], False, [1, 0, 0, 0]),
        (0.1, [[(0, 1, 0.1, 1)], [(1, 2, 0.1, 1)], [(1, 0, 0.1, 3)]], False, [3, 3, 0, 0]),
        (0.1, [[(0, 1, 0.1, 1)], [(1, 2, 0.1, 1)]], True, [2, 2, 2, 2]),
    ],
)
def test_split_cores_count_spikes_by_rows(nets, timestep: float, loops, plastic: bool, entries: list[int]):
    """As seen in the executed firmware (docs/firmware.md)."""
    net = looped(nets, timestep, *loops, plastic=plastic)
    held = quantise(net, CHIP)
    assert held.projections[0].plasticity.entries.tolist() == entries
    warned = [str(problem) for problem in held.defects]
    assert len(warned) == (entries != [1, 1, 1, 1])
    assert all("STDP counts the spikes of" in text and "of 4 neurons" in text for text in warned)


@pytest.mark.parametrize(
    ("loops", "entries"),
    [
        ([[(1, 2, 0.1, 1)]], [1, 0]),
        ([[(1, 2, 0.1, 1), (256, 0, 0.1, 1), (0, 256, 0.1, 1)]], [1, 0]),  # to the other core and from it
        ([[(1, 2, 0.1, 1)], [(257, 256, 0.1, 1)]], [2, 2]),
    ],
)
def test_a_split_core_without_synapses_of_its_own_neurons_hears_of_none_of_their_spikes(nets, loops, entries):
    held = quantise(looped(nets, 0.1, *loops, plastic=True, size=258), CHIP)
    assert held.projections[0].plasticity.entries[[0, 255, 256, 257]].tolist() == [entries[0]] * 2 + [entries[1]] * 2
    (problem,) = held.defects
    assert ("of 2 of 258 neurons never" in str(problem)) == (entries == [1, 0])


def test_rules_without_firmware_for_the_cell_are_split_at_any_time_step(nets):
    net = looped(nets, 1.0, [(0, 1, 0.1, 1)])
    times = tuple(replace(p, plasticity=MULTIPLICATIVE) if p.plasticity else p for p in net.projections)
    for model, entries in (("IF_curr_exp", [1, 1, 1, 1]), ("IF_cond_exp", [1, 0, 0, 0])):
        cells = nets.cells(4, "cells", model, **(COND if model == "IF_cond_exp" else {}))
        changed = replace(net, populations=(net.populations[0], cells), projections=times)
        assert quantise(changed, CHIP).projections[0].plasticity.entries.tolist() == entries


def test_weights_that_vogels_rule_lowers_without_a_bound_are_warned_of(nets):
    text = warning(chip_losses(network(nets, VOGELS), [CHIP]))
    assert text is not None and "alpha (0.5) lowers are not kept above w_min" in text
    none = replace(VOGELS, parameters={**VOGELS.parameters, "alpha": 0.0})
    assert not quantise(network(nets, none), CHIP).defects


def test_the_report_says_what_nearest_pairs_do_before_the_first_spike(nets):
    assert any("as if the source had spiked at t = 0" in note for note in quantise(network(nets, NEAREST), CHIP).notes)


def test_both_receptors_may_have_the_same_rule(nets):
    """PyNN's bounds have the sign of the weights; on the chip they are magnitudes, and the same for both receptors."""
    learning = network(nets, ADDITIVE)
    negative = replace(ADDITIVE, parameters={**PARAMETERS, "w_min": -0.0, "w_max": -2.0})
    inhibitory = nets.connect(0, 1, [(0, 1, -0.5, 1)], "inhibitory")
    inhibitory = replace(inhibitory, synapse="STDPMechanism", plasticity=negative)
    assert said(replace(learning, projections=(*learning.projections, inhibitory))) == ""


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
    text = warning(chip_losses(network(nets, ADDITIVE, delays=[64, 127, 40], size=65), [CHIP]))
    assert text is not None and "1 of 3" in text
    assert "shorter or longer." in text and "ring then has" not in text


def test_static_synapses_have_no_such_defect(nets):
    rows = [(0, 0, 0.5, 4)]
    net = Network(1.0, (nets.array_source([[1.0]]), nets.cells(2)), (nets.connect(0, 1, rows),))
    assert warning(chip_losses(net, [CHIP])) is None


@pytest.mark.parametrize(
    ("rate", "model", "timestep", "part"),
    [
        (900.0, "IF_curr_dual_exp", 1.0, 0.27),  # (m - [m is odd]) / 2 of m: 0.45 - (1 - exp(-1.8)) / 4, of 0.9
        (900.0, "IF_curr_exp", 0.5, 0.17),
        (900.0, "IF_curr_exp", 1.0, None),  # neurons and synapses share a core
        (10.0, "IF_curr_dual_exp", 1.0, None),  # too few
    ],
)
def test_spikes_that_come_again_in_a_time_step_are_warned_of(nets, rate: float, model: str, timestep: float, part):
    plastic = replace(nets.connect(0, 1, [(0, 0, 1.0, 1)]), synapse="STDPMechanism", plasticity=ADDITIVE)
    populations = nets.poisson(3, rate), nets.cells(2, "cells", model)
    warned = [str(problem) for problem in quantise(Network(timestep, populations, (plastic,)), CHIP).defects]
    assert len(warned) == (part is not None)
    assert all(f"about {part:g} of the spikes of 'noise' change no weights" in text for text in warned)


def test_listed_spikes_that_come_again_are_counted(nets):
    plastic = replace(nets.connect(0, 1, [(0, 0, 1.0, 1)]), synapse="STDPMechanism", plasticity=ADDITIVE)
    populations = nets.array_source([[1.0, 5.0, 5.0, 5.0], []]), nets.cells(2, "cells", "IF_curr_dual_exp")
    (warned,) = quantise(Network(1.0, populations, (plastic,)), CHIP).defects
    assert "about 0.25 of the spikes" in str(warned)
