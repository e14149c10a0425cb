"""Synapses that come and go: against a plain transcription of the law given the same random numbers, and statistics."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evsim.errors import BackendError
from evsim.network import Network
from evsim.structure import LAST, RANDOM
from structural_networks import DT, N_CELLS, law_of, network, pairs, rewirings, simulation, squared_distance, structure

STEPS = 2000
MULTIPLICATIVE = "MultiplicativeWeightDependence"
RULES = {"static": None, "additive": pairs(), "multiplicative": pairs(weight=MULTIPLICATIVE)}


def present(sim, index: int) -> list[tuple]:
    source, target, weight, delay = (column.tolist() for column in sim.synapses(index))
    return sorted(zip(source, target, delay, weight, strict=True))


@pytest.mark.parametrize("selection", [RANDOM, LAST])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("repeats", [True, False])
def test_synapses_come_go_learn_and_deliver_as_the_law_says(rule: str, selection: str, repeats: bool):
    net = network(structure(selection=selection, with_replacement=repeats), RULES[rule])
    sim = simulation(net)
    sim.run(STEPS)
    law = law_of(net, sim, STEPS)
    assert rewirings(sim) == sorted(law.events, key=lambda event: (event[0], *event[2:]))
    assert len(law.events) > 200
    for index in (0, 2):
        found, wanted = present(sim, index), law.synapses(index)
        assert wanted and [row[:3] for row in found] == [row[:3] for row in wanted]
        np.testing.assert_allclose([row[3] for row in found], [row[3] for row in wanted], rtol=1e-9)
    assert len({round(row[3], 6) for row in law.synapses(0)}) > (2 if RULES[rule] else 0)


@pytest.mark.parametrize("rule", ["additive", "multiplicative"])
def test_targets_may_spike_often_while_their_sources_are_silent(rule: str):
    """So often that the history of a target has no room for all that its synapses have still to take in."""
    how = structure(f_rew=400.0, s_max=12, prob_elim_depressed=0.02, prob_elim_potentiated=0.01)
    net = network(how, RULES[rule], 2.0, rate=2.0, of_drive=150.0)
    sim = simulation(net)
    sim.run(2 * STEPS)
    law = law_of(net, sim, 2 * STEPS)
    assert min(len(posts) for posts in law.posts) > 4 * 2 * (how.longest_delay + 16)
    for index in (0, 2):
        found, wanted = present(sim, index), law.synapses(index)
        assert wanted and [row[:3] for row in found] == [row[:3] for row in wanted]
        np.testing.assert_allclose([row[3] for row in found], [row[3] for row in wanted], rtol=1e-9)


@pytest.mark.parametrize("rule", ["static", "additive"])
def test_what_was_sent_arrives_though_its_synapse_is_gone(rule: str):
    how = structure(initial_weight=-0.2, threshold=0.3)
    net = network(how, RULES[rule], receptor="inhibitory", sign=-1.0)
    sim = simulation(net)
    sim.run(STEPS)
    charges = np.zeros((STEPS + 1, N_CELLS))
    for (label, cell), charge in law_of(net, sim, STEPS).arrived.items():
        if label <= STEPS:
            charges[label, cell] += charge
    wanted = np.zeros_like(charges)
    for label in range(1, STEPS + 1):  # a sum of exponentials of 3 ms, by its recurrence
        wanted[label] = wanted[label - 1] * np.exp(-DT / 3.0) + charges[label]
    found = next(signal for signal in sim.recordings().signals if signal.variable == "isyn_inh")
    assert wanted.min() < -0.3
    np.testing.assert_allclose(found.values, wanted, atol=1e-12)


def test_neither_threads_nor_pieces_nor_a_reset_change_anything():
    net = network(structure(selection=LAST, f_rew=40_000.0, grid=(40, 30)), RULES["additive"], 0.2, 1200, 700)
    whole, cut = simulation(net), simulation(net, threads=3)
    whole.run(400)
    for steps in (1, 2, 150, 247):
        cut.run(steps)
    assert rewirings(whole) == rewirings(cut) and len(rewirings(whole)) > 100
    for index in (0, 2):
        assert present(whole, index) == present(cut, index)
    for one, other in zip(whole.recordings().signals, cut.recordings().signals, strict=True):
        assert np.array_equal(one.values, other.values)
    before = rewirings(cut), present(cut, 0)
    cut.reset()
    assert len(cut.synapses(0).source) == len(net.projections[0])
    cut.run(400)
    assert before == (rewirings(cut), present(cut, 0))


def changed(net: Network, **of_kick) -> Network:
    kick = replace(net.projections[1], **of_kick)
    return replace(net, projections=(net.projections[0], kick, net.projections[2]))


def test_they_go_on_where_another_projection_changes():
    net = network(structure(), RULES["additive"])
    whole, updated = simulation(net), simulation(net)
    whole.run(STEPS)
    for _ in range(4):
        updated.run(STEPS // 4)
        net = changed(net, label=f"{net.projections[1].label}, anew")  # a new object, so that rows are laid out again
        updated.update(simulation(net)._net)
    assert rewirings(whole) == rewirings(updated)
    for index in (0, 2):
        assert present(whole, index) == present(updated, index)


def test_a_changed_projection_of_the_kind_is_refused_while_it_runs():
    net = network(structure())
    sim = simulation(net)
    sim.run(10)
    other = replace(net, projections=(replace(net.projections[0], label="other"), *net.projections[1:]))
    with pytest.raises(BackendError, match="projection 'other', whose synapses come and go, was changed"):
        sim.update(simulation(other)._net)


# --- statistics ------------------------------------------------------------------------------------------------------


def test_synapses_are_made_as_often_as_their_distance_says():
    """All removed at the next look, so each look at a place is a trial: made with the mean of the probabilities."""
    how = structure(
        f_rew=100_000.0, grid=(4, 4), s_max=1, prob_elim_depressed=1.0, prob_elim_potentiated=1.0, p_form_lateral=0.0
    )
    net = network(how, None, 2.0, n_cells=16, n_sources=16, rate=0.0, each=0)
    sim = simulation(net)
    sim.run(4000)
    made = [(source, target) for _, index, source, target, is_made in rewirings(sim) if is_made and index == 0]
    trials = how.f_rew * 2.0 / 16**2 / 2  # of a pair, if all places were free: half of them ask the other projection
    chance = {d: how.p_form_forward * np.exp(-d / (2 * how.sigma_form_forward**2)) for d in range(9)}
    of_pair = np.array([chance[squared_distance(i, j, how.grid)] for i in range(16) for j in range(16)])
    # of a place: free, and made with the mean m of both projections; else removed: free in 1 of 1 + m looks
    free = 1 / (1 + of_pair.mean() / 2)
    counts = np.zeros(256)
    np.add.at(counts, [16 * source + target for source, target in made], 1)
    distance = np.array([squared_distance(i, j, how.grid) for i in range(16) for j in range(16)])
    for d in np.unique(distance):
        expected = trials * free * of_pair[distance == d].sum()
        assert abs(counts[distance == d].sum() - expected) < 5 * np.sqrt(expected)


def test_the_number_of_synapses_settles_where_making_and_removing_balance():
    how = structure(
        f_rew=100_000.0, p_form_forward=0.3, p_form_lateral=0.3, sigma_form_forward=1e6, sigma_form_lateral=1e6,
        prob_elim_depressed=0.1, s_max=32,
    )  # fmt: skip
    net = network(how, None, 2.0, n_cells=100, rate=0.0)
    sim = simulation(net)
    sim.run(4000)
    number = sum(len(sim.synapses(index).source) for index in (0, 2))
    places = 32 * 100
    share = 0.3 / (0.3 + 0.1)  # a free place is filled with 0.3, a full one emptied with 0.1
    assert abs(number - places * share) < 5 * np.sqrt(places * share * (1 - share))
