"""Reading and changing the connections of a projection."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyNN import common, errors

import evsim.pynn
from evsim.errors import CheckError
from evsim.pynn.graph import build

ROWS = [(0, 0, 0.1, 1.0), (2, 1, 0.2, 2.0), (0, 0, 0.3, 3.0), (1, 1, 0.4, 4.0), (0, 0, 0.25, 1.5)]


@pytest.fixture
def projection(sim):
    pre, post = sim.Population(3, sim.IF_curr_exp()), sim.Population(2, sim.IF_curr_exp())
    return sim.Projection(pre, post, sim.FromListConnector(ROWS), receptor_type="excitatory")


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 2), st.floats(0.01, 5.0), st.integers(1, 50).map(lambda k: k / 10)),
        min_size=1,
        max_size=20,
    ),
    operation=st.sampled_from(["sum", "min", "max", "first", "last"]),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_matrices_combine_synapses_of_one_pair_as_asked(rows, operation):
    sim = evsim.pynn
    sim.setup(timestep=0.1)
    pre, post = sim.Population(4, sim.IF_curr_exp()), sim.Population(3, sim.IF_curr_exp())
    projection = sim.Projection(pre, post, sim.FromListConnector(rows), receptor_type="excitatory")
    listed = projection.get(["weight", "delay"], format="list")
    assert sorted(listed) == sorted(rows)
    weight, delay = projection.get(["weight", "delay"], format="array", multiple_synapses=operation)
    combine = {"sum": sum, "min": min, "max": max, "first": lambda x: x[0], "last": lambda x: x[-1]}[operation]
    for i in range(4):
        for j in range(3):
            for column, matrix in ((2, weight), (3, delay)):
                values = [row[column] for row in listed if row[:2] == (i, j)]
                assert matrix[i, j] == pytest.approx(combine(values)) if values else np.isnan(matrix[i, j])
    sim.simulator.state.clear()


def test_connections_read_and_write(projection):
    connections = list(projection.connections)
    assert len(connections) == len(projection) == 5
    assert isinstance(connections[0], common.Connection)
    found = [c.as_tuple("presynaptic_index", "postsynaptic_index", "weight", "delay") for c in connections]
    assert sorted(found) == sorted(ROWS)
    chosen = next(c for c in projection if c.weight == 0.4)
    chosen.weight, chosen.delay = 0.5, 0.77
    assert (chosen.weight, chosen.delay) == (0.5, pytest.approx(0.8))
    assert sorted(projection.get("weight", "list", with_address=False)) == [0.1, 0.2, 0.25, 0.3, 0.5]
    assert [c.weight for c in projection[1:3]] == [projection[1].weight, projection[2].weight]
    assert projection[-1].weight == projection[4].weight
    with pytest.raises(IndexError):
        projection[5]
    with pytest.raises(AttributeError, match="no attribute 'wieght'"):
        chosen.wieght = 1.0
    with pytest.raises(AttributeError):
        chosen.plasticity  # noqa: B018


def test_a_changed_connection_leaves_built_networks_alone(sim, projection):
    before = build(sim.simulator.state).projections[0]
    weights = before.weight.copy()
    for connection in projection.connections:
        connection.weight = 7.0
    after = build(sim.simulator.state).projections[0]
    assert (before.weight == weights).all()
    assert (after.weight == 7.0).all()
    assert (after.delay == before.delay).all()


def test_changes_of_every_kind_leave_built_networks_alone(sim, projection):
    networks = [build(sim.simulator.state)]
    seen = [[part.weight.copy() for part in networks[0].projections]]
    for change in (
        lambda: projection.set(delay=2.0),
        lambda: setattr(projection[0], "weight", 5.0),
        lambda: setattr(projection[1], "delay", 3.0),
        lambda: setattr(projection[1], "weight", 6.0),
        lambda: projection.set(weight=0.1),
        lambda: setattr(projection[2], "weight", 7.0),
    ):
        change()
        networks.append(build(sim.simulator.state))
        seen.append([part.weight.copy() for part in networks[-1].projections])
    for network, weights in zip(networks, seen, strict=True):
        for part, weight in zip(network.projections, weights, strict=True):
            assert (part.weight == weight).all()
    assert networks[-1].projections[0].weight.tolist() == [0.1, 0.1, 7.0, 0.1, 0.1]
    assert networks[-1].projections[0].delay.tolist() == [20, 30, 20, 20, 20]
    projection.set(delay=1.0)
    before = build(sim.simulator.state)
    projection.set(delay=2.0)
    projection[0].weight = 9.0
    assert before.projections[0].weight.tolist() == [0.1, 0.1, 7.0, 0.1, 0.1]


def test_set_with_numbers_matrices_lists_and_distances(sim, projection):
    projection.set(weight=0.7)
    assert projection.get("weight", "list", with_address=False) == [0.7] * 5
    matrix = np.array([[0.1, np.nan], [np.nan, 0.2], [np.nan, 0.3]])
    projection.set(weight=matrix)
    assert np.array_equal(projection.get("weight", "array", multiple_synapses="first"), matrix, equal_nan=True)
    projection.set(weight=[0.5, 0.6, 0.8])  # one for each connected pair
    assert projection.get("weight", "array", multiple_synapses="max")[0, 0] == 0.5
    projection.set(delay=lambda d: 0.5 + d)
    expected = np.array([[0.5, np.nan], [np.nan, 0.5], [np.nan, 1.5]])
    assert np.array_equal(projection.get("delay", "array", multiple_synapses="min"), expected, equal_nan=True)


def test_random_values_are_those_that_pynn_draws(sim):
    cells = sim.Population(4, sim.IF_curr_exp())
    projection = sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.0))
    values = {"distribution": "uniform", "low": 0.1, "high": 0.9}
    projection.set(weight=sim.RandomDistribution(**values, rng=sim.NumpyRNG(5)))
    expected = sim.RandomDistribution(**values, rng=sim.NumpyRNG(5)).next(16).reshape(4, 4)
    assert (projection.get("weight", "array") == expected).all()


def test_static_synapses_have_no_states(projection):
    with pytest.raises(errors.NonExistentParameterError, match="StaticSynapse"):
        projection.initialize(u=0.1)


@pytest.mark.parametrize("weight", [np.nan, np.inf, np.array([[np.nan, 1.0], [1.0, 0.1]])])
def test_weights_that_are_no_numbers_are_left_to_the_check_of_the_network(sim, weight):
    cells = sim.Population(2, sim.IF_curr_exp())
    sim.Projection(cells, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=weight), label="faulty")
    with pytest.raises(CheckError, match=r"projection 'faulty': [12] of 2 weights are not finite"):
        sim.run(1.0)


def test_a_weight_of_the_wrong_sign_is_refused_with_the_name_of_the_projection(sim):
    cells = sim.Population(2, sim.IF_curr_exp())
    every, synapse = sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1)
    with pytest.raises(sim.errors.ConnectionError, match="'wrong': Weights must be negative"):
        sim.Projection(cells, cells, every, synapse, receptor_type="inhibitory", label="wrong")
