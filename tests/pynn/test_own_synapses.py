"""Synapse types that a script declares, and that release by a law of their own."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyNN import errors

from evsim.drawn import Drawn
from evsim.pynn.own_synapses import synapse_type
from own_synapses import Resources, matrix, own, signal

GUIDE = Path(__file__).parents[2] / "docs" / "own_models.md"


# --- the guide --------------------------------------------------------------------------------------------------------


def test_the_guides_examples_do_what_the_guide_says(capsys):
    """In a module that cannot be imported: what is cached must not ask for it."""
    _, script, more, *_ = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    space = {"__name__": "not_a_module"}
    exec(compile(script, str(GUIDE), "exec"), space)
    assert capsys.readouterr().out == (
        "recovery the same at any rate: 3 % are available after 20 spikes at 50 Hz\n"
        "recovery quickened: 27 % are available after 20 spikes at 50 Hz\n"
    )
    exec(compile(more, str(GUIDE), "exec"), space)
    assert space["Coin"](p=0.25).parameter_space["p"].base_value == 0.25  # type: ignore[operator]


def integrated(intervals: np.ndarray, fast: float, part: float, slow: float, half: float, tau: float) -> np.ndarray:
    """What is available at each spike in the guide's example: its equations, by the method of Runge and Kutta."""

    def slope(available, calcium):
        return (1 - available) * (slow + (fast - slow) * calcium / (calcium + half)) / 1000, -calcium / tau

    available, calcium, found = 1.0, 0.0, []
    for interval in intervals:
        h = interval / 4000
        for _ in range(4000):
            a1, c1 = slope(available, calcium)
            a2, c2 = slope(available + h / 2 * a1, calcium + h / 2 * c1)
            a3, c3 = slope(available + h / 2 * a2, calcium + h / 2 * c2)
            a4, c4 = slope(available + h * a3, calcium + h * c3)
            available += h / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
            calcium += h / 6 * (c1 + 2 * c2 + 2 * c3 + c4)
        found.append(available)
        available, calcium = available * (1 - part), calcium + 1
    return np.array(found)


def test_the_guides_law_follows_its_equations(sim):
    _, script, *_ = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    space: dict[str, Any] = {"__name__": "not_a_module"}
    exec(script.partition("sim.setup(")[0], space)
    times = np.array([5.0, 12.0, 12.5, 60.0, 61.0, 200.0])
    sim.setup(timestep=0.5)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=times))
    cells = sim.Population(2, sim.IF_curr_delta(tau_m=1e-3, v_thresh=1e6))  # forgets what came before
    cells.record("v")
    law = {"part": 0.3, "slow": 2.0, "half": 1.5, "tau": 35.0}
    fast = np.array([[8.0, 70.0]])
    kind = space["QuickenedRecovery"](weight=10.0, delay=1.5, fast=fast, **law)
    sim.Projection(source, cells, sim.AllToAllConnector(), kind)
    sim.run(210.0)
    found = signal(cells)[np.rint((times + 1.5) / 0.5).astype(int)] + 65.0
    for k in range(2):
        expected = 10.0 * 0.3 * integrated(np.diff(times, prepend=0.0), float(fast[0, k]), **law)
        np.testing.assert_allclose(found[:, k], expected, rtol=1e-9)


# --- as a synapse of PyNN's -------------------------------------------------------------------------------------------


def same_as_standard(sim, kind, connect: Callable[[Any, Any, Any], Any], threads: int = 1):
    """The conductances of a network of resources, and its projection."""
    sim.setup(timestep=0.1, rng_seed=2, threads=threads)
    sources = sim.Population(20, sim.SpikeSourcePoisson(rate=80.0))
    cells = sim.Population(600, sim.IF_cond_exp(v_thresh=1e3, tau_syn_E=4.0))
    cells.record("gsyn_exc")
    varied = sim.RandomDistribution("uniform", (20.0, 200.0), rng=sim.NumpyRNG(7))
    projection = connect(sources, cells, kind(weight=0.01, delay=1.5, U=0.4, tau_facil=50.0, tau_rec=varied))
    for piece in (30.0, 0.1, 49.9):
        sim.run(piece)
    projection.set(U=0.2, tau_rec=60.0)
    sim.run(40.0)
    return signal(cells), projection


CONNECTORS: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "by probability": lambda sim, a, b, kind: sim.Projection(
        a, b, sim.FixedProbabilityConnector(0.05, rng=sim.NumpyRNG(3)), kind
    ),
    "by number": lambda sim, a, b, kind: sim.Projection(
        a, b, sim.FixedNumberPreConnector(3, rng=sim.NumpyRNG(4)), kind
    ),
    "from a list": lambda sim, a, b, kind: sim.Projection(
        a,
        b,
        sim.FromListConnector(
            [(i, j, 0.001 * (1 + i), 0.5 + 0.1 * i, 30.0 + j) for i in range(20) for j in range(0, 600, 37)],
            column_names=["weight", "delay", "tau_rec"],
        ),
        kind,
    ),
    "views": lambda sim, a, b, kind: sim.Projection(a[3:17:2], b[590:5:-7], sim.AllToAllConnector(), kind),
    "assemblies": lambda sim, a, b, kind: sim.Projection(
        a[:5] + a[9:], b[:100] + b[300:], sim.FixedTotalNumberConnector(900, rng=sim.NumpyRNG(5)), kind
    ),
}


@pytest.mark.parametrize("connector", CONNECTORS)
def test_an_own_law_equals_the_standard_one(sim, connector: str):
    def connect(sources, cells, kind):
        return CONNECTORS[connector](sim, sources, cells, kind)

    expected, standard = same_as_standard(sim, sim.TsodyksMarkramSynapse, connect)
    states = {name: matrix(standard, name) for name in ("u", "y", "x")}
    found, projection = same_as_standard(sim, Resources, connect, threads=2)
    assert expected.max() > 0.004
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)
    for name in ("u", "y"):
        np.testing.assert_allclose(matrix(projection, name), states[name], rtol=1e-12)
    available = 1 - matrix(projection, "y") - matrix(projection, "z")
    np.testing.assert_allclose(available, states["x"], rtol=1e-10)


def test_a_law_is_told_of_the_spikes_before(sim):
    """The first has none before it, one of the same step comes after 0 ms; each draws numbers of its own."""
    sim.setup(timestep=0.5)
    times = [[0.0, 0.0, 10.0], [3.5, 3.5], [], [4.0]]
    sources = sim.Population(4, sim.SpikeSourceArray(spike_times=times))
    cells = sim.Population(2, sim.IF_curr_delta(tau_m=1e9, v_thresh=1e6), label="cells")
    cells.record("v")
    projection = sim.Projection(sources, cells, sim.AllToAllConnector(), own["Told"](weight=2.0, delay=1.0))
    assert (matrix(projection, "interval_before") == -1).all()
    drawn = []
    for _ in range(3):
        sim.run(5.0)
        drawn.append(matrix(projection, "drawn"))
    np.testing.assert_array_equal(matrix(projection, "count"), np.repeat([[3.0], [2.0], [0.0], [1.0]], 2, axis=1))
    intervals = matrix(projection, "interval_before")
    np.testing.assert_array_equal(intervals, np.repeat([[10.0], [0.0], [-1.0], [np.inf]], 2, axis=1))
    assert signal(cells)[-1] == pytest.approx(-65.0 + 6 * 2.0 * 0.5)
    values = np.concatenate([drawn[0][[0, 1, 3]].ravel(), drawn[2][0]])
    assert len(np.unique(values)) == 8 and (drawn[2][2] == -1).all()
    np.testing.assert_array_equal(drawn[2][1], drawn[0][1])


def test_synapses_that_are_drawn_and_not_stored_have_states_too(sim):
    def run(kind):
        sim.setup(timestep=0.5)
        sources = sim.Population(8, sim.SpikeSourceArray(spike_times=[np.arange(1.0, 2.0 + i) for i in range(8)]))
        cells = sim.Population(50, sim.IF_curr_delta(tau_m=1e9, v_thresh=1e6))
        cells.record("v")
        connector = sim.FixedProbabilityConnector(0.4, rng=sim.NativeRNG(seed=5))
        weight = sim.RandomDistribution("uniform", (1.0, 2.0), rng=sim.NativeRNG(seed=6))
        projection = sim.Projection(sources, cells, connector, kind(weight=weight, delay=1.0))
        sim.run(15.0)
        return signal(cells) + 65.0, projection

    expected, _ = run(sim.StaticSynapse)
    found, projection = run(own["Told"])
    assert 100 < len(projection) < 250 and isinstance(projection.synapses, Drawn)
    np.testing.assert_allclose(found, expected * 0.5, rtol=1e-12)
    assert all(count == source + 1 for source, _, count in projection.get(["count"], "list"))


def test_states_are_those_of_now(sim):
    """Read and set before, between and after runs, over changes of something else, and after a reset."""
    sim.setup(timestep=0.5)
    ends = [sim.Population(n, sim.SpikeSourceArray(spike_times=[1.0, 21.0])) for n in (2, 3)]
    cells = sim.Population(4, sim.IF_curr_delta())
    sources = ends[0] + ends[1][1:]
    projection = sim.Projection(sources, cells, sim.AllToAllConnector(), own["Told"](delay=2.0))
    start = np.arange(16.0).reshape(4, 4)
    projection.initialize(count=start)
    np.testing.assert_array_equal(matrix(projection, "count"), start)
    sim.run(2.5)
    np.testing.assert_array_equal(matrix(projection, "count"), start)  # nothing has arrived
    sim.run(7.5)
    np.testing.assert_array_equal(matrix(projection, "count"), start + 1)
    projection.set(weight=0.5)
    np.testing.assert_array_equal(matrix(projection, "count"), start + 1)
    projection.initialize(interval_before=7.0)
    np.testing.assert_array_equal(matrix(projection, "count"), start + 1)
    assert (matrix(projection, "interval_before") == 7).all()
    sim.run(5.0)
    assert (matrix(projection, "interval_before") == 7).all()
    sim.run(15.0)
    np.testing.assert_array_equal(matrix(projection, "count"), start + 2)
    assert (matrix(projection, "interval_before") == 20).all()
    sim.reset()
    np.testing.assert_array_equal(matrix(projection, "count"), start)
    sim.run(10.0)
    np.testing.assert_array_equal(matrix(projection, "count"), start + 1)
    with pytest.raises(errors.InvalidParameterValueError, match="count is nan in 16 of 16 synapses; it must be a fin"):
        projection.initialize(count=np.nan)
    with pytest.raises(errors.NonExistentParameterError):
        projection.initialize(left=0.5)


# --- chance -----------------------------------------------------------------------------------------------------------


def test_chances_are_as_many_as_their_probability_says(sim):
    sim.setup(timestep=0.5)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=np.arange(1.0, 51.0, 2.0)))
    cells = sim.Population(4000, sim.IF_curr_delta(tau_m=1e-3, v_thresh=1e6))
    cells.record("v")
    p = np.repeat([[0.0, 0.2, 0.5, 1.0]], 1000, axis=1)
    sim.Projection(source, cells, sim.AllToAllConnector(), own["Coin"](p=p, weight=1.0, delay=0.5))
    sim.run(52.0)
    found = np.round(signal(cells)[3::4][:25] + 65.0, 9)  # (spikes, synapses)
    assert set(np.unique(found)) == {0.0, 1.0}
    groups = found.T.reshape(4, -1)
    assert groups[0].sum() == 0 and groups[3].all()
    for chance, group in zip((0.2, 0.5), groups[1:3], strict=True):
        assert abs(group.mean() - chance) < 4 * np.sqrt(chance * (1 - chance) / group.size)
    half = found[:, 2000:3000] - 0.5
    for shifted in (half[:, 1:] * half[:, :-1], half[1:] * half[:-1]):
        assert abs(shifted.mean()) < 4 * 0.25 / np.sqrt(shifted.size)


def busy(sim, pieces: list[float], threads: int = 1, seed: int = 3, reset: bool = False):
    """Cells that drive each other over several kinds of synapses: their potentials, spikes and a state."""
    sim.setup(timestep=0.5, rng_seed=seed, threads=threads)
    noise = sim.Population(40, sim.SpikeSourcePoisson(rate=100.0))
    cells = sim.Population(1100, sim.IF_curr_delta(i_offset=0.6))
    cells.record(["v", "spikes"])

    def connect(source, number, kind):
        return sim.Projection(source, cells, sim.FixedNumberPreConnector(number, rng=sim.NumpyRNG(number)), kind)

    p = sim.RandomDistribution("uniform", (0.1, 0.9), rng=sim.NumpyRNG(1))
    connect(noise, 5, own["Coin"](weight=2.0, p=p, delay=0.5))
    connect(noise, 4, sim.TsodyksMarkramSynapse(weight=2.0, U=0.6, delay=2.0))
    connect(cells, 3, own["Resources"](weight=2.0, tau_psc=3.0, delay=1.0))
    told = connect(cells, 2, own["Told"](weight=0.5, delay=1.5))
    connect(cells, 6, sim.StaticSynapse(weight=0.2, delay=1.5))
    for piece in pieces:
        sim.run(piece)
    if reset:
        sim.reset()
        sim.run(sum(pieces))
    segment = cells.get_data().segments[-1]
    trains = [train.magnitude.tolist() for train in segment.spiketrains]
    return np.array(segment.analogsignals[0].magnitude), trains, told.get(["count", "drawn"], "list")


def test_neither_threads_nor_pieces_nor_a_reset_change_a_bit(sim):
    v, trains, states = busy(sim, [100.0])
    assert sum(map(len, trains)) > 500
    ways: list[dict[str, Any]] = [{"pieces": [0.5, 30.0, 69.5], "threads": 2}, {"pieces": [100.0], "reset": True}]
    for way in ways:
        other = busy(sim, **way)
        assert np.array_equal(other[0], v) and other[1:] == (trains, states)
    assert busy(sim, [100.0], seed=4)[1] != trains


# --- networks that change ---------------------------------------------------------------------------------------------


def test_a_network_grows_while_it_runs(sim):
    """As one with the standard law does."""

    def grown(kind):
        sim.setup(timestep=0.1)
        source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0, 4.0, 7.0, 21.0, 24.0]))
        first = sim.Population(1, sim.IF_cond_exp(tau_syn_E=4.0))
        sim.Projection(source, first, sim.AllToAllConnector(), kind(weight=0.01, delay=1.0))
        sim.run(10.0)
        late = sim.Population(2, sim.IF_cond_exp(tau_syn_E=4.0))
        late.record("gsyn_exc")
        projection = sim.Projection(source, late, sim.AllToAllConnector(), kind(weight=0.01, delay=1.0))
        sim.run(20.0)
        return signal(late), matrix(projection, "u"), matrix(projection, "y")

    expected, found = grown(sim.TsodyksMarkramSynapse), grown(Resources)
    assert expected[0].max() > 0.004
    for was, now in zip(expected, found, strict=True):
        np.testing.assert_allclose(now, was, rtol=0, atol=1e-14)


def test_two_classes_of_one_name_are_two_kinds(sim):
    def declared(factor: float) -> Any:
        def release(weight):
            return weight * factor

        return synapse_type(type("Scaled", (), {"release": release}))

    sim.setup(timestep=1.0)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0]))
    cells = sim.Population(2, sim.IF_curr_delta(tau_m=1e9))
    cells.record("v")
    for cell, factor in enumerate((2.0, 3.0)):
        kind = declared(factor)
        sim.Projection(source, cells[cell : cell + 1], sim.AllToAllConnector(), kind(weight=1.0, delay=1.0))
    sim.run(4.0)
    assert signal(cells)[-1] + 65.0 == pytest.approx([2.0, 3.0])
