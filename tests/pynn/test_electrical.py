"""Gap junctions through PyNN's API."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from pyNN import errors

from evsim.chip import load_chip
from evsim.deploy.check import check
from evsim.deploy.gap_junctions import capacitance
from evsim.errors import CheckError
from evsim.model import NeuronModel
from evsim.network_file import fingerprint, load, save
from evsim.pynn import graph, simulator
from evsim.pynn.own_cells import cell_type, parameter, state
from evsim.registry import cell_model
from evsim.rulesets import RULE_SETS

sim: Any = importlib.import_module("pyNN.evsim")  # whose cell types are made when they are asked for

CELLS = [
    "IF_curr_exp",
    "IF_curr_alpha",
    "IF_curr_delta",
    "IF_cond_exp",
    "IF_cond_alpha",
    "IF_cond_exp_gsfa_grr",
    "EIF_cond_exp_isfa_ista",
    "EIF_cond_alpha_isfa_ista",
    "HH_cond_exp",
    "GIF_cond_exp",
]


def pair(weight: float = 0.01, timestep: float = 0.1, cell: str = "IF_curr_exp", **named):
    """Two single cells that are coupled, the first one 10 mV above the other."""
    sim.setup(timestep=timestep)
    kind = getattr(sim, cell)()
    first, second = (sim.Population(1, kind, initial_values={"v": v}, label=f"at {v}") for v in (-65.0, -75.0))
    for cells in (first, second):
        cells.record("v")
    junction = sim.ElectricalSynapse(weight=weight)
    return first, second, sim.Projection(first, second, sim.AllToAllConnector(), junction, label="gap", **named)


def voltage(cells) -> np.ndarray:
    """(samples, cells)"""
    return np.array(cells.get_data().segments[-1].analogsignals[0].magnitude)


@pytest.mark.parametrize("cell", CELLS)
def test_current_flows_into_both_cells_of_any_kind(cell: str):
    """In the first step v is moved by dt * g * (difference) / cm, as long as that is little."""
    found = {}
    for weight in (0.0, 0.001):
        first, second, _ = pair(weight, 0.01, cell)
        sim.run(0.01)
        found[weight] = voltage(first)[1, 0], voltage(second)[1, 0]
    cm = first.get("cm")
    up, down = np.subtract(found[0.001], found[0.0])
    assert down == pytest.approx(0.01 * 0.001 * 10.0 / cm, rel=0.01)
    assert up == pytest.approx(-down, rel=0.01)


def test_weights_are_read_and_set_between_runs():
    _, second, projection = pair(0.02)
    assert projection.get("weight", format="list") == [(0, 0, 0.02)] and projection.receptor_type == "gap"
    sim.run(5.0)
    projection.set(weight=0.0)
    assert [connection.weight for connection in projection.connections] == [0.0]
    sim.run(5.0)
    v = voltage(second)[:, 0]
    assert v[50] - v[0] > 0.5
    decay = np.exp(-np.arange(51) * 0.1 / second.get("tau_m"))
    np.testing.assert_allclose(v[50:], -65.0 + (v[50] + 65.0) * decay, atol=1e-9)


def test_junctions_join_views_and_assemblies_pair_by_pair():
    sim.setup(timestep=0.1)
    a, b = (sim.Population(3, sim.IF_curr_exp(), label=label) for label in "ab")
    ends = a + b
    b.initialize(v=-75.0)
    ends.record("v")
    listed = sim.FromListConnector([(0, 5, 0.01), (2, 3, 0.02)], column_names=["weight"])
    sim.Projection(ends, ends, listed, sim.ElectricalSynapse(), label="gap")
    sim.Projection(a[1:2], b[1:2], sim.AllToAllConnector(), sim.ElectricalSynapse(weight=0.03))
    sim.run(0.1)
    fell = -65.0 - voltage(a)[1]
    np.testing.assert_allclose(fell, 0.1 * np.array([0.01, 0.03, 0.02]) * 10.0, rtol=0.01)


def test_a_projection_onto_its_own_cells_couples_each_pair_twice():
    """As pyNN.neuron's does, which makes both ends of each connection."""
    found = []
    for pairs in ([(0, 1, 0.01), (1, 0, 0.01)], [(0, 1, 0.02)]):
        sim.setup(timestep=0.1)
        cells = sim.Population(2, sim.IF_curr_exp(), initial_values={"v": [-65.0, -75.0]})
        cells.record("v")
        connector = sim.FromListConnector(pairs, column_names=["weight"])
        sim.Projection(cells, cells, connector, sim.ElectricalSynapse())
        sim.run(3.0)
        found.append(voltage(cells))
    np.testing.assert_allclose(*found, atol=1e-12)


@pytest.mark.parametrize("rng", ["NumpyRNG", "NativeRNG"])
def test_any_connector_and_drawn_weights(rng: str):
    sim.setup(timestep=0.1)
    cells = sim.Population(20, sim.IF_curr_exp())
    random = getattr(sim, rng)(7)
    weight = sim.RandomDistribution("uniform", (0.001, 0.002), rng=random)
    connector = sim.FixedProbabilityConnector(0.3, rng=random, allow_self_connections=False)
    projection = sim.Projection(cells, cells, connector, sim.ElectricalSynapse(weight=weight))
    weights = projection.get("weight", format="list", with_address=False)
    assert len(weights) > 50 and len(set(weights)) == len(weights) and 0.001 <= min(weights) <= max(weights) <= 0.002
    sim.run(1.0)


def test_a_junction_that_is_added_later_has_no_effect_before():
    sim.setup(timestep=0.1)
    first, second = (sim.Population(1, sim.IF_curr_exp(), initial_values={"v": v}) for v in (-65.0, -75.0))
    second.record("v")
    sim.run(2.0)
    sim.Projection(first, second, sim.AllToAllConnector(), sim.ElectricalSynapse(weight=0.1))
    sim.run(2.0)
    v, decay = voltage(second)[:, 0], np.exp(-0.1 / 20.0)
    np.testing.assert_allclose(v[1:21] + 65.0, (v[:20] + 65.0) * decay, atol=1e-9)
    assert v[21] - (-65.0 + (v[20] + 65.0) * decay) > 0.05


def test_a_saved_network_is_the_same(tmp_path):
    pair(0.03, receptor_type="soma.gap")
    network = graph.build(simulator.state)
    save(network, tmp_path / "coupled.npz")
    again = load(tmp_path / "coupled.npz")
    assert fingerprint(again) == fingerprint(network)
    assert (again.projections[0].synapse, again.projections[0].receptor) == ("ElectricalSynapse", "gap")
    assert check(again, load_chip("ideal")) == []


@pytest.mark.parametrize("chip", ["spinnaker1", "loihi1", "loihi2", "loihi2_learning"])
def test_chips_refuse_them_before_the_run(chip: str):
    sim.setup(timestep=1.0)
    cells = sim.Population(2, sim.IF_curr_exp(tau_syn_E=5.0, tau_syn_I=5.0))
    sim.Projection(cells, cells, sim.AllToAllConnector(), sim.ElectricalSynapse(weight=0.01), label="gap")
    (problem,) = [p for p in check(graph.build(simulator.state), load_chip(chip)) if "gap" in p.where]
    assert "ElectricalSynapse" in problem.what and "ideal can hold it" in problem.limit


# --- what cannot be --------------------------------------------------------------------------------------------------


def test_sources_have_no_membrane():
    sim.setup(timestep=0.1)
    source = sim.Population(1, sim.SpikeSourcePoisson(rate=10.0), label="noise")
    cells = sim.Population(1, sim.IF_curr_exp())
    sim.Projection(source, cells, sim.AllToAllConnector(), sim.ElectricalSynapse(weight=0.01), label="gap")
    with pytest.raises(CheckError, match=r"projection 'gap': a gap junction at population 'noise'; .* has no membrane"):
        sim.run(1.0)


def test_a_receptor_is_refused():
    with pytest.raises(errors.ConnectionError, match=r"'excitatory': ElectricalSynapse has gap, whatever"):
        pair(receptor_type="excitatory")


def test_negative_and_infinite_conductances_are_refused():
    with pytest.raises(errors.ConnectionError, match=r"a weight of ElectricalSynapse is -0.01; it must be at least 0"):
        pair(-0.01)
    _, _, projection = pair(0.01)
    projection.set(weight=-0.5)
    with pytest.raises(CheckError, match=r"1 of 1 conductances are negative \(the least is -0.5 uS\)"):
        sim.run(1.0)
    projection.set(weight=np.inf)
    with pytest.raises(CheckError, match="1 of 1 weights are not finite numbers"):
        sim.run(1.0)


def test_a_time_step_that_is_too_long_is_refused():
    """cm is 1 nF, so that 0.1 ms allow 5 uS at a cell, and 6 uS ask for 1/12 ms."""
    pair(4.99)
    sim.run(0.1)
    pair(6.0)
    with pytest.raises(CheckError, match=r"6 uS together at a cell .* at most 5 uS\. Give .* at most 0\.0833 ms"):
        sim.run(0.1)


@pytest.mark.parametrize("share", [0.2, 0.49, 0.6])
def test_the_limit_keeps_every_network_stable(share: float):
    """Cells of a ring in turn above and below, the fastest of their modes, without a leak to speak of."""
    conductance, n = share / 0.1, 10  # of 1 nF in 0.1 ms
    sim.setup(timestep=0.1)
    start = np.where(np.arange(n) % 2, -60.0, -70.0)
    cells = sim.Population(n, sim.IF_curr_exp(tau_m=1e6, v_thresh=1e9), initial_values={"v": start})
    ring = [(i, (i + 1) % n, 0.5 * conductance) for i in range(n)]
    connector = sim.FromListConnector(ring, column_names=["weight"])
    sim.Projection(cells, cells, connector, sim.ElectricalSynapse(), label="ring")
    cells.record("v")
    if share > 0.5:
        with pytest.raises(CheckError, match="projection 'ring'"):
            sim.run(1.0)
        return
    sim.run(50.0)
    assert np.abs(voltage(cells)[-1] + 65.0).max() < 0.01


# --- the capacitance -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", CELLS)
def test_capacitances_are_found(cell: str):
    sim.setup(timestep=1.0)
    cells = sim.Population(3, getattr(sim, cell)(cm=[0.1, 0.25, 2.0]), initial_values={"v": [-65.0, -60.0, 100.0]})
    population = graph.build(simulator.state).populations[0]
    model = cell_model(cell)
    assert isinstance(model, NeuronModel)
    found = capacitance(population, model.rules["ideal"], RULE_SETS["ideal"])
    np.testing.assert_allclose(found[:2], cells.get("cm")[:2], rtol=1e-3)
    assert found[2] == pytest.approx(2.0, rel=0.2)


def test_own_cells_are_coupled_and_limited():
    def step(v, leak, dt, drive, excitatory):
        v = v + dt * (drive - leak * v) / 0.5 + excitatory
        return v, v > 1e9

    members = {"leak": parameter(0.1, "uS"), "v": state(-10.0, "mV"), "step": step}
    own = cell_type(receptors=("excitatory",))(type("Halved", (), members))
    sim.setup(timestep=0.1)
    cells = sim.Population(2, own(), initial_values={"v": [-10.0, 10.0]})
    cells.record("v")
    listed = sim.FromListConnector([(0, 1, 0.2)], column_names=["weight"])
    projection = sim.Projection(cells, cells, listed, sim.ElectricalSynapse(), label="gap")
    sim.run(0.1)
    assert voltage(cells)[1, 0] == pytest.approx(-10.0 + 0.1 * (0.2 * 20.0 + 0.1 * 10.0) / 0.5)
    projection.set(weight=2.6)
    with pytest.raises(CheckError, match=r"2.6 uS together .* at most 2.5 uS"):
        sim.run(0.1)


def test_own_cells_without_a_voltage_are_refused():
    def step(x, drive, excitatory):
        return x + drive + excitatory, x > 1e9

    own = cell_type(receptors=("excitatory",))(type("Nameless", (), {"x": state(0.0, ""), "step": step}))
    sim.setup(timestep=0.1)
    cells = sim.Population(2, own(), label="own")
    sim.Projection(cells, cells, sim.AllToAllConnector(), sim.ElectricalSynapse(weight=0.1))
    with pytest.raises(CheckError, match=r"a gap junction at population 'own'; Nameless.* has no voltage v in mV"):
        sim.run(0.1)
