"""Synapse types that a script declares are set, read, copied, saved, counted and refused like those that are there."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pyNN import errors

from evsim.chip import load_chip
from evsim.deploy.check import check
from evsim.errors import CheckError
from evsim.learning_rule import FRACTION
from evsim.network_file import load, save
from evsim.pynn import estimate
from own_synapses import DT, Coin, Everything, Pairs, Resources, described, matrix, own

# --- parameters -------------------------------------------------------------------------------------------------------


def test_parameters_of_a_release_are_read_and_set_pair_by_pair(sim):
    sim.setup(timestep=0.5)
    sources, cells = sim.Population(2, sim.SpikeSourceArray()), sim.Population(3, sim.IF_cond_exp())
    use = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])
    kind = own["Resources"](U=use, tau_rec=sim.RandomDistribution("uniform", (9, 99)), weight=0.5)
    projection = sim.Projection(sources, cells, sim.AllToAllConnector(), kind)
    np.testing.assert_array_equal(matrix(projection, "U"), use)
    assert len(np.unique(matrix(projection, "tau_rec"))) == 6
    projection.set(U=use / 2, tau_facil=7.0, weight=0.25)
    np.testing.assert_array_equal(matrix(projection, "U"), use / 2)
    first = next(projection.connections)
    assert (first.U, first.tau_facil, first.weight, first.y) == (0.05, 7.0, 0.25, 0.0)
    first.U = 0.9
    assert matrix(projection, "U")[0, 0] == 0.9
    with pytest.raises(AttributeError, match="no attribute 'y'"):
        first.y = 1.0
    with pytest.raises(errors.NonExistentParameterError):
        projection.set(tau_m=3.0)
    with pytest.raises(errors.NonExistentParameterError, match="tau_m"):
        own["Resources"](tau_m=3.0)


def test_parameters_of_a_learning_rule_are_read_and_set_pair_by_pair(sim):
    sim.setup(timestep=DT)
    ends = sim.Population(2, sim.SpikeSourceArray()), sim.Population(3, sim.IF_cond_exp())
    tau = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    drawn = sim.RandomDistribution("uniform", (0.0, 1.0))
    projection = sim.Projection(*ends, sim.AllToAllConnector(), own["Pairs"](tau_plus=tau, a_plus=drawn, weight=0.5))
    np.testing.assert_array_equal(matrix(projection, "tau_plus"), tau)
    assert len(np.unique(matrix(projection, "a_plus"))) == 6
    projection.set(tau_plus=tau / 2, weight=0.25)
    first = next(projection.connections)
    assert (first.tau_plus, first.weight, first.dendritic_delay_fraction) == (0.5, 0.25, 1.0)
    for given, words in (
        ({"tau_plus": 0.0}, "tau_plus is 0 ms in 6 of 6 synapses; it must be finite and above 0 ms"),
        ({"a_plus": np.nan}, "a_plus is nan"),
        ({"dendritic_delay_fraction": 1.5}, "delay_fraction is 1.5 in 6 of 6 synapses; it must be from 0 to 1"),
    ):
        with pytest.raises(errors.InvalidParameterValueError, match=words):
            sim.Projection(*ends, sim.AllToAllConnector(), own["Pairs"](**given), label="on")
        with pytest.raises(errors.InvalidParameterValueError, match=words):
            projection.set(**given)
    with pytest.raises(errors.NonExistentParameterError, match="tau_m"):
        own["Pairs"](tau_m=3.0)
    projection.set(dendritic_delay_fraction=tau / 10)
    with pytest.raises(errors.InvalidParameterValueError, match="differs between synapses; evsim takes one value"):
        sim.run(1.0)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"U": -0.5}, "projection 'on': U is -0.5 in 6 of 6 synapses; it must be finite and at least 0"),
        ({"tau_rec": 0.0}, "tau_rec is 0 ms in 6 of 6 synapses; it must be finite and above 0 ms"),
        ({"tau_psc": np.array([[1.0, 2.0, -3.0]] * 2)}, "tau_psc is -3 ms in 2 of 6"),
        ({"tau_facil": np.nan}, "tau_facil is nan ms"),
    ],
)
def test_values_out_of_their_range_are_refused(sim, given: dict[str, Any], words: str):
    sim.setup(timestep=0.5)
    ends = sim.Population(2, sim.SpikeSourceArray()), sim.Population(3, sim.IF_cond_exp())
    with pytest.raises(errors.InvalidParameterValueError, match=words):
        sim.Projection(*ends, sim.AllToAllConnector(), own["Resources"](**given), label="on")
    projection = sim.Projection(*ends, sim.AllToAllConnector(), own["Resources"](), label="on")
    with pytest.raises(errors.InvalidParameterValueError, match=words):
        projection.set(**given)


# --- copies and files -------------------------------------------------------------------------------------------------


def test_a_type_is_copied_and_pickled_like_others():
    kind = own["Resources"](U=0.3, weight=0.1)
    for other in (copy.deepcopy(kind), pickle.loads(pickle.dumps(kind))):
        assert type(other) is Resources and other.parameter_space["U"].base_value == 0.3
    assert Resources.__name__ == "Resources" and Resources.__doc__ and Resources.__doc__.startswith("Tsodyks")


def test_a_saved_network_has_its_rule_where_that_is_declared(sim, tmp_path):
    net = described(sim, Resources)
    save(net, tmp_path / "net.npz")
    loaded = load(tmp_path / "net.npz")
    assert check(loaded, load_chip("ideal")) == []
    (part,) = loaded.projections
    assert part.release is not None
    np.testing.assert_array_equal(part.release.parameters["U"], np.full(2, 0.5))
    elsewhere = replace(loaded, projections=(replace(part, synapse="Nowhere"),))
    assert "no synapse model named 'Nowhere'" in str(check(elsewhere, load_chip("ideal"))[0].limit)
    coin = own["Coin"].model_name
    other = replace(loaded, projections=(replace(part, synapse=coin),))
    limits = [problem.limit for problem in check(other, load_chip("ideal"))]
    assert limits == [f"{coin} releases by a rule of its own"]


def test_a_type_that_learns_is_copied_and_its_network_saved(sim, tmp_path):
    kind: Any = Pairs
    other = pickle.loads(pickle.dumps(kind(a_plus=0.3, weight=0.1)))
    assert type(other) is Pairs and other.parameter_space["a_plus"].base_value == 0.3
    save(described(sim, Pairs), tmp_path / "net.npz")
    loaded = load(tmp_path / "net.npz")
    assert check(loaded, load_chip("ideal")) == []
    (part,) = loaded.projections
    assert part.learns and part.release is not None
    np.testing.assert_array_equal(part.release.parameters["tau_minus"], np.full(2, 30.0))
    fractions = replace(part.release, parameters={**part.release.parameters, FRACTION: np.array([0.0, 1.0])})
    (problem,) = check(replace(loaded, projections=(replace(part, release=fractions),)), load_chip("ideal"))
    assert problem.what == "dendritic_delay_fraction differs between synapses"


# --- chips and memory -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Coin, Pairs])
@pytest.mark.parametrize("chip", ["spinnaker1", "loihi1", "loihi2"])
def test_a_chip_refuses_it(sim, chip: str, kind: Any):
    (problem,) = [p for p in check(described(sim, kind), load_chip(chip)) if p.where == "projection 'mine'"]
    assert problem.what == f"the synapse {kind.model_name}"
    assert "does not have it; ideal can hold it" in problem.limit
    sim.setup(timestep=1.0, chip=chip)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0]))
    cells = sim.Population(2, sim.IF_curr_exp())
    sim.Projection(source, cells, sim.AllToAllConnector(), kind(weight=0.1, delay=1.0), label="mine")
    with pytest.raises(CheckError, match=rf"'mine': the synapse {kind.__name__}"):
        sim.run(1.0)


@pytest.mark.parametrize(
    ("kind", "varies", "doubles"),
    [
        (Resources, "U", 3),  # its states
        (Everything, "gain", 2 + 2 + 4),  # its states, when either cell last spiked, and four traces
    ],
)
def test_its_numbers_count_in_memory(sim, kind: Any, varies: str, doubles: int):
    sim.setup()
    ends = [sim.Population(100, sim.IF_curr_exp()) for _ in range(2)]
    alike, varied = (
        sim.Projection(*ends, sim.AllToAllConnector(), kind(**{varies: value}))
        for value in (0.5, sim.RandomDistribution("uniform", (0.1, 0.9)))
    )
    each = estimate.IDEAL_ENTRY + np.dtype(np.uint32).itemsize + doubles * np.dtype(np.float64).itemsize
    assert alike.need.engine == pytest.approx(1e4 * each, rel=0.01)
    assert varied.need.engine - alike.need.engine == 1e4 * 4 * np.dtype(np.float64).itemsize
