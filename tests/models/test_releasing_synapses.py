"""Synapses that release a part of their weight: what is said of numbers that cannot be, and of chips without them."""

from __future__ import annotations

import numpy as np
import pytest

from builders import array_source, cells
from evsim.chip import chip_names, load_chip
from evsim.deploy.check import check
from evsim.network import Draft, Projection
from evsim.release import RULES, Release
from evsim.synapses import Listed

SYNAPSES = {
    "TsodyksMarkramSynapse": ("TsodyksMarkram", {"U": 0.5, "tau_rec": 100.0, "tau_facil": 0.0}),
    "StochasticTsodyksMarkramSynapse": ("MultiQuantal", {"U": 0.5, "tau_rec": 100.0, "tau_facil": 0.0, "n": 1.0}),
    "MultiQuantalSynapse": ("MultiQuantal", {"U": 0.5, "tau_rec": 800.0, "tau_facil": 0.0, "n": 5.0}),
    "SimpleStochasticSynapse": ("Bernoulli", {"p": 0.5}),
}
TWO = np.arange(2, dtype=np.int32)


def release(rule: str, parameters: dict[str, float], **initial: float) -> Release:
    given, states = ({name: np.full(2, value) for name, value in part.items()} for part in (parameters, initial))
    return Release(rule, given, states)


def network(synapse: str, given: Release | None, target: str = "IF_curr_exp") -> Draft:
    between = Listed(TWO, TWO, np.ones(2), np.array([2, 2], np.int32))
    projection = Projection("part of it", 0, 1, "excitatory", synapse, between, release=given)
    return Draft(1.0, (array_source([[1.0], [2.0]]), cells(2, model=target)), (projection,))


def said(net: Draft, chip: str = "ideal") -> str:
    return "\n".join(map(str, check(net, load_chip(chip))))


@pytest.mark.parametrize("synapse", SYNAPSES)
def test_sound_synapses_are_accepted_in_ideal_and_refused_on_chips(synapse: str):
    net = network(synapse, release(*SYNAPSES[synapse]))
    for chip in chip_names():
        if load_chip(chip).rules.name == "ideal":
            assert said(net, chip) == ""
        else:
            words = said(net, chip)
            assert f"projection 'part of it': the synapse {synapse}" in words and "StaticSynapse" in words


@pytest.mark.parametrize(
    ("synapse", "changes", "words"),
    [
        ("TsodyksMarkramSynapse", {"U": 1.5}, "U is 1.5 in 2 of 2 synapses; it must be from 0 to 1"),
        ("TsodyksMarkramSynapse", {"tau_rec": -1.0}, "tau_rec is -1 ms in 2 of 2 synapses; it must be finite and at"),
        ("MultiQuantalSynapse", {"tau_facil": np.inf}, "tau_facil is inf ms"),
        ("MultiQuantalSynapse", {"n": 0.0}, "n is 0 in 2 of 2 synapses; it must be a whole number from 1 to 100000"),
        ("MultiQuantalSynapse", {"n": 2.5}, "n is 2.5 in"),
        ("SimpleStochasticSynapse", {"p": np.nan}, "p is nan in"),
    ],
)
def test_numbers_that_cannot_be_are_named(synapse: str, changes: dict[str, float], words: str):
    rule, parameters = SYNAPSES[synapse]
    assert f"projection 'part of it': {words}" in said(network(synapse, release(rule, {**parameters, **changes})))


def test_resources_are_at_most_one_together():
    rule, parameters = SYNAPSES["TsodyksMarkramSynapse"]
    assert "x + y is 1.1" in said(network("TsodyksMarkramSynapse", release(rule, parameters, x=0.7, y=0.4)))
    assert "x + y is 1.2" in said(network("TsodyksMarkramSynapse", release(rule, parameters, y=0.2)))
    assert "u is 2 in" in said(network("TsodyksMarkramSynapse", release(rule, parameters, u=2.0)))


def test_a_rule_that_is_missing_or_another_one_is_refused():
    assert "no rule of release" in said(network("MultiQuantalSynapse", None))
    assert "the rule Bernoulli" in said(network("MultiQuantalSynapse", release("Bernoulli", {"p": 0.5})))
    assert "U is missing" in said(network("MultiQuantalSynapse", release("MultiQuantal", {"n": 1.0})))


def test_graded_spikes_are_refused():
    net = network("SimpleStochasticSynapse", release("Bernoulli", {"p": 0.5}), "SigmaDelta")
    graded = Draft(1.0, (net.populations[1], cells(2)), net.projections)
    assert "releasing synapses from population" in said(graded)


def test_every_rule_has_a_synapse():
    assert {rule for rule, _ in SYNAPSES.values()} == RULES.keys()
