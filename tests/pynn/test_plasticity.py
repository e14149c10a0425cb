"""STDPMechanism through PyNN's API."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from pyNN import errors

from evsim.network import Plasticity
from evsim.network_file import load, save
from evsim.pynn import graph, simulator

sim: Any = importlib.import_module("pyNN.evsim")  # whose cell types are made when they are asked for


def mechanism(**parameters):
    timing = sim.SpikePairRule(tau_plus=15.0, tau_minus=25.0, A_plus=0.02, A_minus=0.01)
    weight = sim.AdditiveWeightDependence(w_min=0.0, w_max=6.0)
    return sim.STDPMechanism(timing, weight, **{"weight": 5.0, "delay": 1.0, **parameters})


def build(timestep: float = 1.0, **parameters):
    """Two sources onto three neurons that fire at each spike of a source."""
    sim.setup(timestep=timestep)
    sources = sim.Population(2, sim.SpikeSourceArray(spike_times=[[10.0, 50.0], [14.0, 60.0]]))
    cells = sim.Population(3, sim.IF_curr_exp(tau_m=10.0, cm=0.1, tau_refrac=2.0), initial_values={"v": -65.0})
    cells.record("spikes")
    return sources, cells, sim.Projection(sources, cells, sim.AllToAllConnector(), mechanism(**parameters), label="on")


def weights(projection) -> np.ndarray:
    """(pre, post)"""
    return np.asarray(projection.get("weight", format="array"))


def test_the_network_says_how_weights_change():
    build()
    (part,) = graph.build(simulator.state).projections
    assert part.synapse == "STDPMechanism"
    assert part.plasticity == Plasticity(
        "SpikePairRule",
        "AdditiveWeightDependence",
        {"tau_plus": 15.0, "tau_minus": 25.0, "A_plus": 0.02, "A_minus": 0.01, "w_min": 0.0, "w_max": 6.0},
        1.0,
    )


def test_the_rule_of_vogels_is_pynns():
    """Changes by eta, which pairs of spikes add to, and every spike of the source takes 2 rho tau of away."""
    sim.setup(timestep=1.0)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[10.0, 40.0]))
    kick = sim.Population(1, sim.SpikeSourceArray(spike_times=[18.0]))
    cell = sim.Population(1, sim.IF_curr_exp(tau_m=10.0, cm=0.1, tau_refrac=60.0), initial_values={"v": -65.0})
    cell.record("spikes")
    sim.Projection(kick, cell, sim.AllToAllConnector(), sim.StaticSynapse(weight=3.0, delay=1.0))
    rule = sim.Vogels2011Rule(tau=16.0, eta=0.02, rho=5.0)
    learning = sim.STDPMechanism(rule, sim.AdditiveWeightDependence(w_max=3.0), weight=0.5, delay=1.0)
    projection = sim.Projection(source, cell, sim.AllToAllConnector(), learning)
    sim.run(50.0)
    (train,) = cell.get_data().segments[0].spiketrains
    (spike,) = (float(time) for time in train)
    pairs = np.exp(-(spike + 1 - 10) / 16) + np.exp(-(40 - spike - 1) / 16)
    expected = 0.5 + 0.02 * (pairs - 2 * (2 * 0.005 * 16))
    assert weights(projection).item() == pytest.approx(expected, abs=1e-12)
    (_, part) = graph.build(simulator.state).projections
    assert part.plasticity is not None and part.plasticity.parameters == {
        **{"tau": 16.0, "alpha": 0.16, "A_plus": 0.02, "w_min": 0.0, "w_max": 3.0}
    }


def test_plasticity_is_saved_with_a_network(tmp_path):
    build()
    net = graph.build(simulator.state)
    save(net, tmp_path / "net.npz")
    assert load(tmp_path / "net.npz").projections[0].plasticity == net.projections[0].plasticity


def test_get_gives_the_present_weights():
    _, cells, projection = build()
    np.testing.assert_array_equal(weights(projection), np.full((2, 3), 5.0))
    sim.run(100.0)
    present = weights(projection)
    assert (present != 5.0).all()
    listed = projection.get("weight", format="list", with_address=True)
    assert sorted(listed) == [(i, j, present[i, j]) for i in range(2) for j in range(3)]
    assert next(projection.connections).weight == listed[0][2]
    spikes = [np.array(train) for train in cells.get_data().segments[0].spiketrains]
    # a source's later spike finds what its first and the target's spikes between them did
    for i, (first, second) in enumerate(((10.0, 50.0), (14.0, 60.0))):
        for j, train in enumerate(spikes):
            early, late = train[train + 1.0 < first], train[train + 1.0 <= second]
            after_first = 5.0 - 6.0 * 0.01 * np.exp((early + 1.0 - first) / 25.0).sum()
            between = late[late + 1.0 > first]
            up = after_first + 6.0 * 0.02 * np.exp((first - between - 1.0) / 15.0).sum()
            down = 6.0 * 0.01 * np.exp((late[late + 1.0 < second] + 1.0 - second) / 25.0).sum()
            np.testing.assert_allclose(present[i, j], max(min(up, 6.0) - down, 0.0), rtol=1e-12)


def test_weights_go_on_from_what_is_set():
    _, _, projection = build()
    sim.run(30.0)
    projection.set(weight=4.0)
    np.testing.assert_array_equal(weights(projection), np.full((2, 3), 4.0))
    sim.run(70.0)
    assert (weights(projection) != 4.0).all()


def test_another_change_leaves_the_weights():
    _, _, projection = build()
    sim.run(30.0)
    before = weights(projection)
    projection.set(A_plus=0.0)
    np.testing.assert_array_equal(weights(projection), before)
    plasticity = graph.build(simulator.state).projections[0].plasticity
    assert plasticity is not None and plasticity.parameters["A_plus"] == 0.0


def test_reset_brings_the_first_weights_back():
    _, _, projection = build()
    sim.run(100.0)
    first = weights(projection)
    sim.reset()
    np.testing.assert_array_equal(weights(projection), np.full((2, 3), 5.0))
    sim.run(100.0)
    np.testing.assert_array_equal(weights(projection), first)


def test_weights_between_assemblies_come_in_the_order_of_creation():
    sources, cells, _ = build()
    more = sim.Population(2, sim.SpikeSourceArray(spike_times=[[12.0, 55.0], [20.0, 70.0]]))
    joined = sim.Projection(sources + more, cells, sim.AllToAllConnector(), mechanism())
    alone = [sim.Projection(one, cells, sim.AllToAllConnector(), mechanism()) for one in (sources, more)]
    sim.run(100.0)
    whole = weights(joined)
    np.testing.assert_array_equal(whole, np.vstack([weights(part) for part in alone]))


def test_mechanisms_do_not_share_their_rules():
    sim.setup()
    gutig = sim.STDPMechanism(sim.SpikePairRule(), sim.GutigWeightDependence())
    assert "mu_plus" in gutig.translations
    assert "mu_plus" not in mechanism().translations


def test_a_mechanism_needs_both_rules():
    with pytest.raises(errors.NoModelAvailableError, match="weight_dependence"):
        sim.STDPMechanism(timing_dependence=sim.SpikePairRule())


def test_a_rule_has_one_value_for_a_projection():
    sources, cells, _ = build()
    timing = sim.SpikePairRule(tau_plus=sim.RandomDistribution("uniform", low=10.0, high=20.0))  # type: ignore[arg-type]
    sim.Projection(
        sources, cells, sim.AllToAllConnector(), sim.STDPMechanism(timing, sim.AdditiveWeightDependence()), label="many"
    )
    with pytest.raises(errors.InvalidParameterValueError, match="'many': tau_plus differs"):
        sim.run(1.0)
