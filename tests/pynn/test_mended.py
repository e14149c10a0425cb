"""PyNN 0.13's connectors fail or ignore what they are told; here they do it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyNN.core import IndexBasedExpression

import evsim.pynn


class Half(IndexBasedExpression):
    def __call__(self, i, j):
        return 0.5 + 0 * (np.asarray(i) + np.asarray(j))


def pairs(sim, pre, post, connector, **synapse) -> list[tuple[int, int]]:
    synapse = sim.StaticSynapse(**{"weight": 0.1, "delay": 1.0, **synapse})
    projection = sim.Projection(pre, post, connector, synapse, receptor_type="excitatory", label="here")
    return [(row[0], row[1]) for row in projection.get("weight", "list")]


def cells(sim, size: int):
    return sim.Population(size, sim.IF_curr_exp())


# --- a number of synapses --------------------------------------------------------------------------------------------


@given(
    name=st.sampled_from(["Pre", "Post"]),
    n=st.integers(0, 12),
    size=st.integers(2, 6),
    selves=st.booleans(),
    replacement=st.booleans(),
    parallel_safe=st.booleans(),
    recurrent=st.booleans(),
)
@settings(max_examples=80, deadline=None, derandomize=True)
def test_fixed_numbers_hold_for_every_option(name, n, size, selves, replacement, parallel_safe, recurrent):
    sim = evsim.pynn
    sim.setup()
    pre = cells(sim, size)
    post = pre if recurrent else cells(sim, size)
    connector = getattr(sim, f"FixedNumber{name}Connector")(
        n,
        allow_self_connections=selves,
        with_replacement=replacement,
        rng=sim.NumpyRNG(3, parallel_safe=parallel_safe),
    )
    found = pairs(sim, pre, post, connector)
    sim.simulator.state.clear()
    counted = np.bincount([pair[name == "Pre"] for pair in found], minlength=size)
    assert (counted == n).all()
    if recurrent and not selves:
        assert all(i != j for i, j in found)
    if not replacement and n <= size - (recurrent and not selves):
        assert len(set(found)) == len(found)


@given(
    n=st.integers(0, 25),
    selves=st.sampled_from([True, False, "NoMutual"]),
    replacement=st.booleans(),
    topology=st.sampled_from(["recurrent", "apart", "overlapping"]),
    parallel_safe=st.booleans(),
)
@settings(max_examples=120, deadline=None, derandomize=True)
def test_a_total_number_heeds_its_options(n, selves, replacement, topology, parallel_safe):
    sim = evsim.pynn
    sim.setup()
    one = cells(sim, 5)
    pre, post = {"recurrent": (one, one), "apart": (one, cells(sim, 5)), "overlapping": (one, one[2:])}[topology]
    connector = sim.FixedTotalNumberConnector(n, selves, replacement, rng=sim.NumpyRNG(1, parallel_safe=parallel_safe))
    both = {int(cell) for cell in pre} & {int(cell) for cell in post}
    taken = {True: 0, False: len(both), "NoMutual": len(both) * (len(both) + 1) // 2}[selves]
    if not replacement and n > pre.size * post.size - taken:
        with pytest.raises(sim.errors.ConnectionError, match=rf"'here': {n} synapses, but there are \d+ pairs"):
            pairs(sim, pre, post, connector)
    else:
        found = pairs(sim, pre, post, connector)
        ids = [(int(pre[i]), int(post[j])) for i, j in found]
        assert len(found) == n
        assert replacement or len(set(found)) == n
        assert selves is True or all(i != j for i, j in ids)
        assert selves != "NoMutual" or not any((j, i) in ids for i, j in ids)
    sim.simulator.state.clear()


def test_a_total_number_may_be_drawn(sim):
    number = sim.RandomDistribution("uniform_int", low=20, high=30, rng=sim.NumpyRNG(4))
    one = cells(sim, 5)
    found = {len(pairs(sim, one, one, sim.FixedTotalNumberConnector(number))) for _ in range(12)}
    assert len(found) > 3 and found <= set(range(20, 30))


def test_pairs_of_a_total_number_are_drawn_alike(sim):
    one, rng = cells(sim, 4), sim.NumpyRNG(8)
    counts = np.zeros((4, 4))
    for _ in range(400):
        connector = sim.FixedTotalNumberConnector(3, allow_self_connections=False, with_replacement=False, rng=rng)
        for pair in pairs(sim, one, one, connector):
            counts[pair] += 1
    assert not counts.diagonal().any()
    others = counts[~np.eye(4, dtype=bool)]  # 100 on the average, with a standard deviation of 8.7
    assert (np.abs(others - 100) < 4 * 8.7).all()


def test_where_there_is_no_other_cell(sim):
    alone = cells(sim, 1)
    for name in ("FixedNumberPreConnector", "FixedNumberPostConnector"):
        for replacement in (True, False):
            connector = getattr(sim, name)(1, allow_self_connections=False, with_replacement=replacement)
            with pytest.raises(sim.errors.ConnectionError, match="no cell to connect to"):
                pairs(sim, alone, alone, connector)


# --- NoMutual --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("AllToAllConnector", ()),
        ("FixedProbabilityConnector", (0.5,)),
        ("DistanceDependentProbabilityConnector", ("d < 3",)),
        ("IndexBasedProbabilityConnector", (Half(),)),
    ],
)
@pytest.mark.parametrize("topology", ["recurrent", "apart", "overlapping"])
def test_no_mutual_connections(sim, name, arguments, topology):
    one = cells(sim, 6)
    pre, post = {"recurrent": (one, one), "apart": (one, cells(sim, 6)), "overlapping": (one, one[2:5])}[topology]
    found = pairs(sim, pre, post, getattr(sim, name)(*arguments, allow_self_connections="NoMutual"))
    ids = {(int(pre[i]), int(post[j])) for i, j in found}
    assert ids and not any((j, i) in ids for i, j in ids)
    if name == "AllToAllConnector":
        both = {int(cell) for cell in pre} & {int(cell) for cell in post}
        assert len(ids) == pre.size * post.size - len(both) * (len(both) + 1) // 2


# --- expressions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("expression", ["0.1*exp(-d)", "0.1*np.exp(-d)", lambda d: 0.1 * np.exp(-d)])
def test_weights_may_be_any_function_of_the_distance(sim, expression):
    line = sim.Population(4, sim.IF_curr_exp(), structure=sim.Line())
    synapse = sim.StaticSynapse(weight=expression, delay="1 + sqrt(d)")
    projection = sim.Projection(line, line, sim.AllToAllConnector(), synapse)
    distance = np.abs(np.subtract.outer(np.arange(4), np.arange(4)))
    assert projection.get("weight", "array") == pytest.approx(0.1 * np.exp(-distance))
    assert projection.get("delay", "array") == pytest.approx(np.rint(10 * (1 + np.sqrt(distance))) / 10)
    projection.set(weight="0.2*exp(-d)")
    assert projection.get("weight", "array") == pytest.approx(0.2 * np.exp(-distance))


@pytest.mark.parametrize("expression", ["d < 1.5", lambda d: d < 1.5, "np.exp(-d) > 0.2"])
def test_probabilities_may_be_any_function_of_the_distance(sim, expression):
    line = sim.Population(4, sim.IF_curr_exp(), structure=sim.Line())
    found = pairs(sim, line, line, sim.DistanceDependentProbabilityConnector(expression))
    assert sorted(found) == [(i, j) for i in range(4) for j in range(4) if abs(i - j) < 2]


# --- others ----------------------------------------------------------------------------------------------------------


def test_connection_sets_with_values(sim):
    csa = pytest.importorskip("csa", reason="PyNN can do without it")
    one = cells(sim, 4)
    connector = sim.CSAConnector(csa.cset(csa.oneToOne, 0.3, 2.0))
    projection = sim.Projection(one, one, connector, sim.StaticSynapse())
    assert projection.get(["weight", "delay"], "list") == [(i, i, 0.3, 2.0) for i in range(4)]
    assert pairs(sim, one, one, sim.CSAConnector(csa.oneToOne)) == [(i, i) for i in range(4)]


def test_matrices_of_numbers_are_matrices(sim):
    """PyNN takes a column of whole numbers for the places of the sources."""
    found = pairs(sim, cells(sim, 3), cells(sim, 2), sim.ArrayConnector([[0, 1], [1, 0], [1, 1]]))
    assert sorted(found) == [(0, 1), (1, 0), (2, 0), (2, 1)]


def test_small_worlds(sim):
    line = sim.Population(40, sim.IF_curr_exp(), structure=sim.Line())
    near = {(i, j) for i in range(40) for j in range(40) if abs(i - j) < 2.5}
    assert set(pairs(sim, line, line, sim.SmallWorldConnector(2.5, 0.0))) == near
    others = {(i, j) for i, j in near if i != j}
    assert set(pairs(sim, line, line, sim.SmallWorldConnector(2.5, 0.0, allow_self_connections=False))) == others
    rewired = pairs(sim, line, line, sim.SmallWorldConnector(2.5, 0.5, rng=sim.NumpyRNG(1)))
    assert len(rewired) == len(near)  # each cell keeps its number of targets
    assert (np.bincount([i for i, _ in rewired]) == np.bincount([i for i, _ in sorted(near)])).all()
    kept = len(set(rewired) & near) / len(near)
    assert 0.4 < kept < 0.65  # half, and those that come back by chance
    drawn = pairs(sim, line, line, sim.SmallWorldConnector(2.5, 0.0, n_connections=2))
    assert (np.bincount([i for i, _ in drawn]) == 2).all() and set(drawn) <= near
    assert "SmallWorldConnector" in sim.SmallWorldConnector(2.5, 0.1).describe()
