"""Connectors in compiled code connect what PyNN's own connect, from the same random numbers, whatever the options."""

from __future__ import annotations

import numpy as np
import pyNN.mock as mock
import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st
from pyNN.core import IndexBasedExpression
from pyNN.random import NumpyRNG, RandomDistribution

import evsim.pynn
from evsim.pynn import drawing
from evsim.pynn.graph import build
from evsim.synapses import ByTarget


class ByIndex(IndexBasedExpression):
    def __call__(self, i, j):
        return 0.01 + 0.001 * np.asarray(i) + 0.002 * np.asarray(j)


def ends(sim, topology: str, sizes: tuple[int, int]):
    """The two ends of a projection."""
    a, b = (sim.Population(n + 2, sim.IF_curr_exp(), label=name) for n, name in zip(sizes, "ab", strict=True))
    if topology == "populations":
        return a, b
    if topology == "recurrent":
        return a, a
    if topology == "one view":
        return (view := a[1:]), view
    if topology == "overlapping views":
        return a[: sizes[0] + 1], a[1:]
    if topology == "masks":
        return a[np.arange(0, a.size, 2)], b[np.arange(b.size) % 3 != 1]
    return (a + b, b) if topology == "assembly before" else (b, b + a)


options = st.fixed_dictionaries(
    {
        "name": st.sampled_from(
            ["AllToAll", "OneToOne", "FixedProbability", "FixedNumberPre", "FixedNumberPost", "FixedTotalNumber"]
        ),
        "topology": st.sampled_from(
            [
                "populations",
                "recurrent",
                "one view",
                "overlapping views",
                "masks",
                "assembly before",
                "assembly after",
            ]
        ),
        "sizes": st.tuples(st.integers(1, 12), st.integers(1, 12)),
        "seed": st.integers(0, 10**6),
        "selves": st.sampled_from([True, True, False, "NoMutual"]),
        "replacement": st.booleans(),
        "n": st.integers(0, 30),
        "distributed": st.booleans(),
        "p": st.sampled_from([0.0, 0.05, 0.3, 0.9, 1.0]),
        "safe": st.booleans(),
        "parallel_safe": st.sampled_from([True, True, True, False]),
        "generators": st.lists(st.integers(0, 3), min_size=4, max_size=4),  # which of four the roles share
        "used": st.booleans(),  # the generators have drawn before
        "weight": st.sampled_from(
            ["constant", "normal", "uniform_int", "clipped", "scaled", "index", "distance", "matrix"]
        ),
        "delay": st.sampled_from(["constant", "uniform", "clipped"]),
        "callback": st.booleans(),
    }
)


def parameters(sim, o, rng, shape):
    """The synapse type; ``rng`` gives the generator of each role."""
    weights = {
        "constant": 0.02,
        "normal": RandomDistribution("normal", mu=5.0, sigma=0.1, rng=rng["weight"]),
        "uniform_int": RandomDistribution("uniform_int", low=1, high=9, rng=rng["weight"]),
        "clipped": RandomDistribution("normal_clipped", mu=0.5, sigma=0.5, low=0.1, high=1.0, rng=rng["weight"]),
        "index": ByIndex(),
        "distance": lambda d: 0.1 + 0.01 * d,
        "matrix": np.arange(1.0, 1 + shape[0] * shape[1]).reshape(shape),
    }
    delays = {
        "constant": 1.5,
        "uniform": RandomDistribution("uniform", low=0.5, high=3.0, rng=rng["delay"]),
        "clipped": RandomDistribution("normal_clipped", mu=1.0, sigma=0.5, low=0.1, high=2.0, rng=rng["delay"]),
    }
    return sim.StaticSynapse(weight=weights[o["weight"]], delay=delays[o["delay"]])


def connect(sim, o, redrawn=None):
    """Connections of two projections made with the same objects, and what the generators give then; or an error.

    Args:
        redrawn: a list; synapses that can be drawn once more are, before anybody looks, and are added to it.
    """
    sim.setup(timestep=0.1)
    pre, post = ends(sim, o["topology"], o["sizes"])
    four = [NumpyRNG(o["seed"] + i, parallel_safe=o["parallel_safe"]) for i in range(4)]
    if o["used"]:
        for i, rng in enumerate(four):
            rng.rng.normal()
            rng.rng.randint(0, 2**32, 3 * i + 1, dtype=np.uint32)
    rng = {role: four[i] for role, i in zip(("connector", "weight", "delay", "n"), o["generators"], strict=True)}
    arguments = {"safe": o["safe"]}
    if o["callback"] and not o["topology"].startswith("assembly"):  # PyNN's assemblies lack what it then needs
        arguments["callback"] = lambda fraction: None
    if o["name"] != "OneToOne":
        arguments["allow_self_connections"] = o["selves"] if o["name"] != "AllToAll" else bool(o["selves"])
    if o["name"].startswith("Fixed"):
        arguments["rng"] = rng["connector"]
    if o["name"] == "FixedProbability":
        arguments["p_connect"] = o["p"]
    if "Number" in o["name"]:
        arguments["n"] = o["n"]
        arguments["with_replacement"] = o["replacement"]
        if o["distributed"]:
            arguments["n"] = RandomDistribution("binomial", n=o["n"] + 1, p=0.5, rng=rng["n"])
    try:
        connector = getattr(sim, f"{o['name']}Connector")(**arguments)
        synapse = parameters(sim, o, rng, (pre.size, post.size))
        both = [sim.Projection(pre, post, connector, synapse, receptor_type="excitatory") for _ in range(2)]
        after = [generator.rng.random_sample(3).tolist() for generator in four]
        if redrawn is not None:
            redrawn += [projection.synapses for projection in both if projection.synapses.let_go()]
        found = [row for projection in both for row in projection.get(["weight", "delay"], format="list")]
    except Exception as error:
        return type(error), []
    return np.array(found, float).reshape(-1, 4), after


def is_heeded(o) -> bool:
    """Whether PyNN 0.13 does what these options say; evsim does, or refuses them (``test_mended.py``)."""
    if o["name"] == "FixedTotalNumber":
        return o["selves"] is True and o["replacement"]
    if o["name"] in ("FixedNumberPre", "FixedNumberPost"):
        return o["selves"] is True or (o["selves"] is False and not o["replacement"])
    return True


@given(o=options.filter(is_heeded))
@settings(max_examples=400, deadline=None, derandomize=True)
def test_connections_parameters_and_generators_are_those_of_pynn(o):
    expected, after = connect(mock, o)
    found, after_ours = connect(evsim.pynn, o)
    evsim.pynn.simulator.state.clear()
    if isinstance(expected, type):  # PyNN fails, and evsim may know better
        return
    assert not isinstance(found, type)
    assert found.shape == expected.shape
    assert (found[:, :3] == expected[:, :3]).all()
    assert np.abs(found[:, 3] - expected[:, 3]).max(initial=0) <= 0.05 + 1e-9
    assert after_ours == after


ONE_GENERATOR_FOR_ALL = {
    **{"name": "FixedNumberPost", "topology": "populations", "sizes": (1, 1), "seed": 0, "selves": True},
    **{"replacement": False, "n": 1, "distributed": False, "p": 0.0, "safe": False, "parallel_safe": True},
    **{"generators": [0, 0, 0, 0], "used": False, "weight": "constant", "delay": "uniform", "callback": False},
}


@given(o=options)
@example(o=ONE_GENERATOR_FOR_ALL)  # the pairs are drawn before the delays
@settings(max_examples=300, deadline=None, derandomize=True)
def test_what_is_let_go_of_is_drawn_once_more(o):
    found, after = connect(evsim.pynn, o)
    redrawn: list = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawing, "MANY_PAIRS", 0)
        again, after_again = connect(evsim.pynn, o, redrawn)
    evsim.pynn.simulator.state.clear()
    if isinstance(found, type):
        assert again is found
        return
    assert not isinstance(again, type)
    assert np.array_equal(again, found)
    assert after_again == after
    event(f"drawn once more: {len(redrawn)}")


@pytest.mark.parametrize(
    "name", ["AllToAll", "FixedProbability", "FixedNumberPre", "FixedNumberPost", "FixedTotalNumber"]
)
def test_large_projections_need_no_memory_while_a_network_runs(sim, name):
    cells = sim.Population(400, sim.IF_curr_exp())
    drawn = sim.RandomDistribution("uniform", low=0.1, high=0.5)
    synapse = sim.StaticSynapse(weight=drawn, delay=sim.RandomDistribution("uniform", low=0.1, high=2.0))
    arguments = {"FixedProbability": {"p_connect": 0.1}, "AllToAll": {}}.get(name, {"n": 50})
    ends = [(cells, cells), (cells[50:], cells), (cells[:200] + cells[200:], cells)]
    made = [sim.Projection(*pair, getattr(sim, f"{name}Connector")(**arguments), synapse) for pair in ends]
    before = [projection.get(["weight", "delay"], "list") for projection in made]
    sim.run(1.0)
    held = [*made, *sim.simulator.state._sessions.network.projections]
    assert not any(projection.synapses.let_go() for projection in held)
    assert all(projection.synapses._held is None for projection in held)
    assert [projection.get(["weight", "delay"], "list") for projection in made] == before


def test_a_projection_of_a_network_that_was_replaced_can_still_be_read(sim):
    cells = sim.Population(400, sim.IF_curr_exp())
    synapse = sim.StaticSynapse(weight=sim.RandomDistribution("uniform", low=0.1, high=0.5), delay=1.0)
    made = sim.Projection(cells, cells, sim.FixedProbabilityConnector(0.1), synapse)
    before = made.get("weight", "list")
    sim.run(1.0)
    sim.setup(timestep=0.5, min_delay=2.0, max_delay=9.0)
    assert made.get("weight", "list") == before


@pytest.mark.parametrize(
    ("connector", "arguments"),
    [
        ("AllToAll", {}),
        ("OneToOne", {}),
        ("FixedProbability", {"p_connect": 0.2, "allow_self_connections": False}),
        ("FixedNumberPre", {"n": 3}),
        ("FixedNumberPre", {"n": RandomDistribution("binomial", n=4, p=0.5), "with_replacement": True}),
        ("FixedNumberPost", {"n": 3, "allow_self_connections": False}),
        ("FixedTotalNumber", {"n": 40}),
        ("FromList", {"conn_list": [(3, 2), (1, 0), (2, 2)]}),
    ],
)
def test_usual_networks_are_compact_and_never_go_column_by_column(sim, connector, arguments, monkeypatch):
    monkeypatch.delattr(sim.Projection, "_convergent_connect")
    cells = sim.Population(20, sim.IF_curr_exp())
    made = getattr(sim, f"{connector}Connector")(**arguments)
    for pre in (cells, cells[5:]):
        projection = sim.Projection(pre, cells[:15], made, sim.StaticSynapse(weight=0.5, delay=0.3))
        synapses = projection.synapses
        assert isinstance(synapses, ByTarget)
        assert len(projection) > 0
        assert synapses.source.dtype == np.uint16
        assert (synapses.constant_weight, synapses.constant_delay) == (0.5, 3)
        (part,) = build(sim.simulator.state).projections[-1:]
        assert isinstance(part.synapses, ByTarget)
        assert part.synapses._source.base is synapses._source.base  # not copied for the network


def test_a_connector_of_the_users_own_is_left_alone(sim):
    class Backwards(sim.AllToAllConnector):
        def connect(self, projection):
            for target in reversed(range(projection.post.size)):
                projection._convergent_connect([target], target, weight=1.0, delay=0.1)

    cells = sim.Population(3, sim.IF_curr_exp())
    assert drawing.draw(sim.Projection(cells, cells, sim.AllToAllConnector()), Backwards()) is None
    projection = sim.Projection(cells, cells, Backwards())
    assert projection.get("weight", "list") == [(2, 2, 1.0), (1, 1, 1.0), (0, 0, 1.0)]
