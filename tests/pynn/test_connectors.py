"""Connections are those of PyNN's own algorithms, drawn from the same random numbers."""

from __future__ import annotations

import numpy as np
import pyNN.mock as mock
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyNN.random import NumpyRNG, RandomDistribution

import evsim.pynn

CONNECTORS = {
    "AllToAllConnector": dict,
    "FixedProbabilityConnector": lambda seed: {"p_connect": 0.4, "rng": NumpyRNG(seed)},
    "FixedNumberPreConnector": lambda seed: {"n": 2, "rng": NumpyRNG(seed), "with_replacement": True},
    "FixedNumberPostConnector": lambda seed: {"n": 2, "rng": NumpyRNG(seed), "with_replacement": True},
    "FixedTotalNumberConnector": lambda seed: {"n": 7, "rng": NumpyRNG(seed)},
    "OneToOneConnector": dict,
    "DistanceDependentProbabilityConnector": lambda seed: {"d_expression": "exp(-d/3.0)", "rng": NumpyRNG(seed)},
}


def connections(sim, name: str, seed: int, n_pre: int, n_post: int, shared: bool) -> list[tuple]:
    """Two projections in a row, so that it shows which generators go on and which begin anew."""
    sim.setup(timestep=0.1)
    pre, post = (sim.Population(n, sim.IF_curr_exp()) for n in (n_pre, n_post))
    rng = NumpyRNG(seed + 1)
    synapse = sim.StaticSynapse(
        weight=RandomDistribution("uniform", low=0.1, high=0.2, rng=rng),
        delay=RandomDistribution("uniform", low=1.0, high=3.0, rng=rng if shared else NumpyRNG(seed + 2)),
    )
    make = CONNECTORS[name]
    found = []
    connector = getattr(sim, name)(**(make() if make is dict else make(seed)))
    for _ in range(2):
        projection = sim.Projection(pre, post, connector, synapse, receptor_type="excitatory")
        found += projection.get(["weight", "delay"], format="list")
    return found


@given(
    name=st.sampled_from(sorted(CONNECTORS)),
    seed=st.integers(0, 1000),
    n_pre=st.integers(2, 9),
    n_post=st.integers(1, 9),
    shared=st.booleans(),
)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_connections_are_those_of_pynn(name, seed, n_pre, n_post, shared):
    expected = np.array(connections(mock, name, seed, n_pre, n_post, shared), float).reshape(-1, 4)
    found = np.array(connections(evsim.pynn, name, seed, n_pre, n_post, shared), float).reshape(-1, 4)
    evsim.pynn.simulator.state.clear()
    assert found.shape == expected.shape
    assert (found[:, :2] == expected[:, :2]).all()  # in the order in which PyNN creates them, too
    assert (found[:, 2] == expected[:, 2]).all()
    assert np.abs(found[:, 3] - expected[:, 3]).max(initial=0) <= 0.05 + 1e-9


@pytest.mark.parametrize("name", ["OneToOneConnector", "AllToAllConnector", "FixedProbabilityConnector"])
def test_one_presynaptic_cell_with_any_numpy(sim, name, monkeypatch):
    # numpy 2.1 refuses nonzero() of an array without dimensions, which PyNN asks for when there is one source
    seen = []
    plain = sim.connectors.connectors.MapConnector._standard_connect

    def watch(self, projection, generator, distance_map=None):
        def columns(*mask):
            for column in generator(*mask):
                seen.append(np.ndim(column) if column is not True else 1)
                yield column

        return plain(self, projection, columns, distance_map)

    monkeypatch.setattr(sim.connectors.connectors.MapConnector, "_standard_connect", watch)
    one, three = sim.Population(1, sim.IF_curr_exp()), sim.Population(3, sim.IF_curr_exp())
    arguments: dict = {"callback": lambda fraction: None}  # with one, PyNN's own way is taken
    if name.startswith("FixedP"):
        arguments["p_connect"] = 1.0
    projection = sim.Projection(one, three, getattr(sim, name)(**arguments), sim.StaticSynapse(weight=0.1))
    assert projection.get("weight", "list")[0] == (0, 0, 0.1)
    assert seen and set(seen) == {1}


def test_clone_and_array(sim):
    cells = sim.Population(5, sim.IF_curr_exp())
    wanted = np.random.default_rng(1).random((5, 5)) < 0.4
    first = sim.Projection(cells, cells, sim.ArrayConnector(wanted), sim.StaticSynapse(weight=0.1))
    second = sim.Projection(cells, cells, sim.CloneConnector(first), sim.StaticSynapse(weight=0.2))
    for projection in (first, second):
        assert (~np.isnan(projection.get("weight", "array")) == wanted).all()


@pytest.mark.parametrize(
    "rows", [[(3, 0)], [(-1, 0)], [(0, 4)], [(0, -1), (0, 0)]], ids=["pre", "negative pre", "post", "negative post"]
)
def test_a_list_with_cells_that_do_not_exist_is_refused(sim, rows, tmp_path):
    pre, post = sim.Population(3, sim.IF_curr_exp(), label="first"), sim.Population(4, sim.IF_curr_exp(), label="last")
    with pytest.raises(sim.errors.ConnectionError, match=r"1 (pre|post)synaptic cells .* out of range"):
        sim.Projection(pre, post, sim.FromListConnector([(*row, 0.1, 1.0) for row in rows]))
    path = tmp_path / "connections"
    np.savetxt(path, [(*row, 0.1, 1.0) for row in rows])
    with pytest.raises(sim.errors.ConnectionError, match="out of range"):
        sim.Projection(pre, post, sim.FromFileConnector(str(path)))
