"""What cannot run is said before the run: everything at once, each with object, amount, limit and remedy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from builders import cells
from evsim.chip import chip_names, load_chip
from evsim.deploy.check import check
from evsim.network import Current, Network, Population, Probe, Projection, Trains
from evsim.synapses import Listed


def conductances(label: str) -> Population:
    return cells(10, label, "IF_cond_exp", e_rev_E=0.0, e_rev_I=-70.0)


def source(label: str, trains: Trains | None) -> Population:
    return Population(label, "SpikeSourceArray", 2, {}, {}, trains)


def projection(label, pre, post, weight: Any = 0.5, delay: Any = 1, receptor="excitatory", synapse="StaticSynapse"):
    n = 4
    ends = np.array([0, 1, 0, 1], np.int32)
    weights, delays = np.broadcast_to(np.float64(weight), n), np.broadcast_to(np.int32(delay), n)
    return Projection(label, pre, post, receptor, synapse, Listed(ends, ends, weights, delays))


def faulty() -> Network:
    """One fault of every kind; its place is in the label."""
    trains = Trains.from_lists([np.array([1.0]), np.array([2.0])])
    tau_m = np.full(10, 20.0)
    tau_m[3:5] = -1.0
    poisson = {"rate": np.array([-5.0, 1.0]), "start": np.zeros(2), "duration": np.ones(2)}
    one = np.array([0], np.int32)
    return Network(
        timestep=0.5,
        populations=(
            source("input", trains),
            cells(10, "fine"),
            conductances("lacking rule"),
            replace(cells(10, "misspelt"), model="IF_cur_exp"),
            cells(10, "bad tau", tau_m=tau_m),
            cells(10, "bad cm", cm=0.0),
            Population("bad rate", "SpikeSourcePoisson", 2, poisson),
            source("no trains", None),
        ),
        projections=(
            projection("onto source", 1, 0),
            projection("wrong receptor", 0, 1, receptor="NMDA"),
            projection("slow", 0, 1, delay=np.array([64, 1, 63, 999])),
            projection("wrong sign", 0, 2, weight=np.array([-0.25, 0.1, 0.1, 0.1]), receptor="inhibitory"),
            projection("wrong synapse", 0, 1, synapse="StaticSynaps"),
            projection("in order", 0, 1),
        ),
        currents=(
            Current("into source", 0, one, np.zeros(1), np.ones(1)),
            Current("beyond", 1, np.array([10], np.int32), np.zeros(1), np.ones(1)),
        ),
        probes=(Probe(1, "gsyn_exc", one), Probe(1, "v", one), Probe(0, "spikes", one)),
    )


# object -> what its message must hold: the amount, the limit, the remedy
EXPECTED = {
    "population 'lacking rule'": ["IF_cond_exp", "loihi2", "ideal", "IF_curr_delta, IF_curr_exp"],
    "population 'misspelt'": ["IF_cur_exp", "did you mean 'IF_curr_exp'"],
    "population 'bad tau'": ["tau_m", "-1 ms", "2 of 10 cells", "above 0"],
    "population 'bad cm'": ["cm", "0 nF", "10 of 10 cells", "above 0"],
    "population 'bad rate'": ["rate", "-5 Hz", "1 of 2 cells", "at least 0"],
    "population 'no trains'": ["no spike trains", "spike_times"],
    "projection 'onto source'": ["'input'", "SpikeSourceArray", "Project onto neurons"],
    "projection 'wrong receptor'": ["'NMDA'", "excitatory, inhibitory", "receptor_type"],
    "projection 'slow'": ["2 of 4 delays", "999 steps", "499.5 ms", "at most 63 steps", "31.5 ms", "shorter delay"],
    "projection 'wrong sign'": ["1 of 4 weights", "-0.25 uS", "positive", "sign"],
    "projection 'wrong synapse'": ["did you mean 'StaticSynapse'"],
    "current source 'into source'": ["'input'", "no membrane"],
    "current source 'beyond'": ["cell 10", "0 to 9"],
    "population 'fine'": ["recording 'gsyn_exc'", "isyn_exc"],
}


def test_every_fault_is_said_at_once():
    problems = check(faulty(), load_chip("loihi2"))
    assert sorted(problem.where for problem in problems) == sorted(EXPECTED)
    for problem in problems:
        for words in EXPECTED[problem.where]:
            assert words in str(problem)


@pytest.mark.parametrize("chip", chip_names())
def test_a_sound_network_has_no_problems(chip):
    trains = Trains.from_lists([np.array([1.0]), np.array([2.0])])
    populations = (source("input", trains), cells(10, "a"), cells(10, "b"))
    projections = (
        projection("in", 0, 1),
        projection("exc", 1, 2, delay=15),
        projection("inh", 2, 1, -0.5, receptor="inhibitory"),
    )
    probes = (Probe(1, "spikes", np.arange(10, dtype=np.int32)), Probe(1, "v", np.arange(10, dtype=np.int32)))
    assert check(Network(1.0, populations, projections, probes=probes), load_chip(chip)) == []


def test_ideal_has_no_delay_limit_and_every_cell():
    left = {problem.where for problem in check(faulty(), load_chip("ideal"))}
    assert left == set(EXPECTED) - {"population 'lacking rule'", "projection 'slow'"}


@pytest.mark.parametrize(
    ("receptor", "weight", "wrong"), [("inhibitory", 0.5, "positive"), ("excitatory", -2.0, "negative")]
)
def test_a_chip_without_signs_refuses_the_other_sign(receptor, weight, wrong):
    network = Network(1.0, (cells(10, "a"),), (projection("all", 0, 0, weight, receptor=receptor),))
    (problem,) = check(network, load_chip("spinnaker1"))
    assert f"4 of 4 weights are {wrong}, up to {weight:g} nA" in str(problem)
    assert check(network, load_chip("ideal")) == []


def test_what_a_chip_adds_is_said_with_the_rest():
    """Loihi has one synaptic current; that is found beside a delay that no rule of the chip's own looks at."""
    network = Network(1.0, (cells(10, "two currents", tau_syn_I=9.0),), (projection("slow", 0, 0, delay=64),))
    where = {problem.where for problem in check(network, load_chip("loihi2"))}
    assert where == {"population 'two currents'", "projection 'slow'"}


def test_a_missing_parameter_is_named():
    population = cells(10, "a")
    values = {name: value for name, value in population.parameters.items() if name not in ("tau_m", "tau_syn_E")}
    network = Network(1.0, (Population("a", "IF_curr_exp", 10, values, {}),))
    found = [str(problem) for problem in check(network, load_chip("ideal"))]
    for words, problem in zip(["parameter tau_m", "parameter tau_syn_E", "initial value v"], found, strict=True):
        assert f"no {words}" in problem


def test_a_train_for_every_cell():
    trains = Trains.from_lists([np.array([1.0])] * 3)
    (problem,) = check(Network(1.0, (source("input", trains),)), load_chip("ideal"))
    assert "3 spike trains" in str(problem) and "which is 2" in str(problem)
