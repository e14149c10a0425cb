"""Synapses that release a part of their weight, through PyNN's API."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from pyNN import errors

from evsim.errors import CheckError
from evsim.network_file import fingerprint, load, save
from evsim.pynn import graph, simulator

sim: Any = importlib.import_module("pyNN.evsim")  # whose cell types are made when they are asked for

TIMES = [10.0, 22.0, 30.0, 60.0, 64.0]
SYNAPSES = [
    "TsodyksMarkramSynapse",
    "StochasticTsodyksMarkramSynapse",
    "MultiQuantalSynapse",
    "SimpleStochasticSynapse",
]


def build(synapse: str = "TsodyksMarkramSynapse", n_pre: int = 2, n_post: int = 3, **parameters):
    """Sources that spike together, and cells that never do, whose conductance is recorded."""
    sim.setup(timestep=0.5)
    sources = sim.Population(n_pre, sim.SpikeSourceArray(spike_times=TIMES), label="sources")
    cells = sim.Population(n_post, sim.IF_cond_exp(v_thresh=1e3, tau_syn_E=4.0), label="cells")
    cells.record("gsyn_exc")
    kind = getattr(sim, synapse)(**{"weight": 0.01, **parameters})
    return sources, cells, sim.Projection(sources, cells, sim.AllToAllConnector(), kind, label="on")


def conductance(cells) -> np.ndarray:
    """(samples, cells)"""
    return np.array(cells.get_data().segments[-1].analogsignals[0].magnitude)


def matrix(projection, name: str) -> np.ndarray:
    """(pre, post)"""
    return np.asarray(projection.get(name, format="array"))


@pytest.mark.parametrize("name", SYNAPSES)
def test_the_defaults_are_pynns(name: str):
    _, _, projection = build(name)
    (part,) = graph.build(simulator.state).projections
    assert part.synapse == name and part.release is not None
    given = type(projection.synapse_type).default_parameters
    for key in set(given) - {"weight", "delay"}:
        assert (matrix(projection, key) == given[key]).all()
        np.testing.assert_array_equal(part.release.parameters[key], np.full(6, given[key]))


def test_what_is_released_follows_the_equations():
    """Without facilitation u is U, and a response of so short a time constant leaves nothing active."""
    _, cells, _ = build(n_pre=1, delay=1.0, U=0.5, tau_rec=50.0, tau_facil=0.0)
    cells.set(tau_syn_E=1e-3)
    sim.run(80.0)
    available, found = 1.0, conductance(cells)[:, 0]
    for since, time in zip(np.diff(TIMES, prepend=0.0), TIMES, strict=True):
        available = 1 - (1 - available) * np.exp(-since / 50.0)
        assert found[round((time + 1.0) / 0.5)] == pytest.approx(0.01 * 0.5 * available, rel=1e-4)
        available *= 0.5


def test_parameters_are_read_and_set_pair_by_pair():
    use = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])
    _, _, projection = build(U=use, tau_rec=sim.RandomDistribution("uniform", (9, 99)))
    np.testing.assert_array_equal(matrix(projection, "U"), use)
    assert len(np.unique(matrix(projection, "tau_rec"))) == 6
    projection.set(U=use / 2, tau_facil=7.0)
    np.testing.assert_array_equal(matrix(projection, "U"), use / 2)
    first = next(projection.connections)
    assert (first.U, first.tau_facil) == (0.05, 7.0)
    first.U = 0.9
    assert matrix(projection, "U")[0, 0] == 0.9
    (part,) = graph.build(simulator.state).projections
    assert part.release is not None
    pairs = part.source, part.target
    np.testing.assert_array_equal(part.release.parameters["U"], matrix(projection, "U")[pairs])


def test_assemblies_and_views_have_the_parameters_of_their_synapses():
    sim.setup(timestep=0.5)
    ends = [sim.Population(n, sim.IF_cond_exp(), label=f"of {n}") for n in (2, 3)]
    both = ends[0] + ends[1][1:]
    use = np.linspace(0.1, 0.9, 16).reshape(4, 4)
    projection = sim.Projection(both, both, sim.AllToAllConnector(), sim.MultiQuantalSynapse(U=use, n=3, weight=0.1))
    np.testing.assert_array_equal(matrix(projection, "U"), use)
    parts = graph.build(simulator.state).projections
    found = np.full((5, 5), np.nan)
    for part in parts:
        assert part.release is not None and (part.release.parameters["n"] == 3).all()
        found[part.source + 2 * part.pre, part.target + 2 * part.post] = part.release.parameters["U"]
    np.testing.assert_array_equal(np.delete(np.delete(found, 2, 0), 2, 1), use)


def test_a_run_goes_on_and_begins_anew():
    """A run in pieces, with a parameter set to what it was, a weight set on the way; the same again after reset."""
    synapse: dict[str, Any] = {"U": 0.4, "tau_rec": 80.0, "tau_facil": 30.0, "delay": 1.0}
    _, cells, _ = build(**synapse)
    sim.run(80.0)
    whole = conductance(cells)
    _, cells, projection = build(**synapse)
    sim.run(25.0)
    projection.set(U=0.4)
    sim.run(20.0)
    projection.set(weight=0.03)
    sim.run(35.0)
    found = conductance(cells)
    np.testing.assert_allclose(found[:91], whole[:91], rtol=1e-12)
    late = whole[-1] - whole[90] * np.exp(-35.0 / 4.0)
    np.testing.assert_allclose(found[-1], whole[90] * np.exp(-35.0 / 4.0) + 3 * late, rtol=1e-6)
    sim.reset()
    projection.set(weight=0.01)
    sim.run(80.0)
    np.testing.assert_array_equal(conductance(cells), whole)


def test_states_are_initialised_in_pynns_forms():
    _, cells, projection = build(U=0.0, tau_rec=1e6, tau_facil=1e9)
    projection.initialize(u=0.5, x=np.array([[1.0, 0.5, 0.0]] * 2))
    sim.run(15.0)
    found = conductance(cells)[-1]
    assert found[1] == pytest.approx(found[0] / 2, rel=1e-4) and found[2] < 1e-4 * found[0]
    projection.initialize(u=0.0)
    sim.run(65.0)
    assert conductance(cells)[-1].max() < 1e-6 * found[0]
    projection.initialize(u=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    (part,) = graph.build(simulator.state).projections
    assert part.release is not None and part.release.times_set == {"u": 3, "x": 1}
    assert sorted(part.release.initial["u"]) == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]


def test_sites_that_are_not_available_release_nothing():
    """As PyNN's example of multiquantal synapses sets them."""
    _, cells, projection = build("MultiQuantalSynapse", U=1.0, n=4, tau_rec=1e9, weight=0.02)
    projection.initialize(a=projection.synapse_type.parameter_space["n"], u=0.0)
    projection.initialize(a=np.array([[0, 1, 4], [0, 2, 4]]))
    sim.run(15.0)
    found = conductance(cells)[-1]
    assert found[0] == 0 and found[1] == pytest.approx(found[2] * 3 / 8)
    projection.initialize(a=4)
    sim.run(9.0)
    np.testing.assert_allclose(
        conductance(cells)[-1] - found * np.exp(-9.0 / 4.0), np.full(3, 0.04 * np.exp(-1.5 / 4.0))
    )
    with pytest.raises(errors.InvalidParameterValueError, match="a is -1 in 6 of 6"):
        projection.initialize(a=-1)


def test_states_are_read_as_the_latest_spike_left_them():
    _, _, projection = build("MultiQuantalSynapse", U=1.0, n=4, tau_rec=1e9, tau_facil=1e9, delay=1.0)
    projection.initialize(a=3)
    assert (matrix(projection, "a") == 3).all()
    sim.run(9.0)
    assert (matrix(projection, "a") == 3).all() and (matrix(projection, "u") == 0).all()
    sim.run(3.0)
    assert (matrix(projection, "a") == 0).all() and (matrix(projection, "u") == 1).all()
    sim.reset()
    assert (matrix(projection, "a") == 3).all()


@pytest.mark.parametrize(
    ("synapse", "given", "words"),
    [
        ("TsodyksMarkramSynapse", {"U": 1.5}, "projection 'on': U is 1.5 in 6 of 6 synapses; it must be from 0 to 1"),
        ("TsodyksMarkramSynapse", {"tau_rec": -2.0}, "tau_rec is -2 ms"),
        ("TsodyksMarkramSynapse", {"U": np.array([[0.1, 0.2, -0.3]] * 2)}, "U is -0.3 in 2 of 6 synapses"),
        ("MultiQuantalSynapse", {"n": 0}, "n is 0 in 6 of 6 synapses; it must be a whole number from 1 to 100000"),
        ("SimpleStochasticSynapse", {"p": 2.0}, "p is 2 in"),
        ("StochasticTsodyksMarkramSynapse", {"tau_facil": np.nan}, "tau_facil is nan ms"),
    ],
)
def test_numbers_that_cannot_be_are_refused_at_once(synapse: str, given: dict[str, Any], words: str):
    with pytest.raises(errors.InvalidParameterValueError, match=words):
        build(synapse, **given)


def test_numbers_that_cannot_be_are_refused_when_set():
    _, _, projection = build()
    for wrong, words in (({"U": -0.1}, "U is -0.1"), ({"tau_facil": -1.0}, "tau_facil is -1 ms")):
        with pytest.raises(errors.InvalidParameterValueError, match=words):
            projection.set(**wrong)
    with pytest.raises(errors.InvalidParameterValueError, match="U is 7 in 1 of 1"):
        next(projection.connections).U = 7.0
    with pytest.raises(errors.InvalidParameterValueError, match=r"x \+ y is 1.1"):
        projection.initialize(x=0.6, y=0.5)
    with pytest.raises(errors.NonExistentParameterError):
        projection.initialize(z=0.5)
    np.testing.assert_array_equal(matrix(projection, "U"), np.full((2, 3), 0.5))
    static = sim.Projection(projection.pre, projection.post, sim.AllToAllConnector(), sim.StaticSynapse())
    with pytest.raises(errors.NonExistentParameterError):
        static.initialize(u=0.5)


def test_a_chip_without_them_says_so():
    sim.setup(timestep=1.0, chip="spinnaker1")
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=TIMES))
    cells = sim.Population(1, sim.IF_curr_exp())
    sim.Projection(source, cells, sim.AllToAllConnector(), sim.TsodyksMarkramSynapse(weight=0.1), label="depressing")
    with pytest.raises(CheckError, match=r"projection 'depressing': the synapse Tsodyks.*StaticSynapse"):
        sim.run(10.0)


@pytest.mark.parametrize("name", SYNAPSES)
def test_a_saved_network_releases_the_same(name: str, tmp_path):
    _, _, projection = build(name)
    if "u" in projection.synapse_type.default_initial_values:
        projection.initialize(u=0.25)
    net = graph.build(simulator.state)
    save(net, tmp_path / "net.npz")
    loaded = load(tmp_path / "net.npz")
    assert fingerprint(loaded) == fingerprint(net)
    before, after = net.projections[0].release, loaded.projections[0].release
    assert before is not None and after is not None and after.rule == before.rule
    for was, now in ((before.parameters, after.parameters), (before.initial, after.initial)):
        assert now.keys() == was.keys()
        assert all(np.array_equal(now[key], was[key]) for key in was)
