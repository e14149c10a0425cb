"""evsim's own random numbers: usable wherever PyNN takes a generator, and drawn projections."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import numpy as np
import pytest
from pyNN.random import AbstractRNG, NumpyRNG, RandomDistribution
from scipy import stats

import evsim.pynn
from evsim.drawn import Drawn
from evsim.pynn import native_rng

PARAMETERS = {
    "binomial": (10, 0.3),
    "gamma": (2.0, 3.0),
    "exponential": (2.0,),
    "lognormal": (0.0, 1.0),
    "normal": (1.0, 2.0),
    "normal_clipped": (0.0, 1.0, -1.0, 2.0),
    "normal_clipped_to_boundary": (0.0, 1.0, -1.0, 2.0),
    "poisson": (3.0,),
    "uniform": (-1.0, 3.0),
    "uniform_int": (2, 9),
    "vonmises": (0.5, 2.0),
}
RANDOM_CONNECTORS = {
    "FixedProbabilityConnector": {"p_connect": 0.3},
    "FixedNumberPreConnector": {"n": 7},
    "FixedNumberPostConnector": {"n": 7, "with_replacement": True},
    "FixedTotalNumberConnector": {"n": 500},
}


@pytest.fixture
def pair(sim):
    """Two populations."""
    return sim.Population(30, sim.IF_curr_exp(), label="first"), sim.Population(40, sim.IF_curr_exp(), label="second")


def rows(projection) -> np.ndarray:
    """Source, target, weight and delay of each synapse."""
    return np.array(projection.get(["weight", "delay"], format="list"), float).reshape(-1, 4)


def synapse(sim, rng, weight=("normal", (1.0, 0.1)), delay=("uniform", (0.1, 3.0))):
    """A static synapse with random weights and delays."""
    return sim.StaticSynapse(weight=RandomDistribution(*weight, rng=rng), delay=RandomDistribution(*delay, rng=rng))


# --- the generator ---------------------------------------------------------------------------------------------------


def test_every_distribution_of_pynn_is_drawn_as_numpy_draws_it(sim):
    # Not PyNN's available_distributions: sPyNNaker adds one of its own to these wherever it is imported.
    assert set(PARAMETERS) == set(NumpyRNG.translations)
    for name, parameters in PARAMETERS.items():
        ours, numpys = (RandomDistribution(name, parameters, rng=rng(seed=1)) for rng in (sim.NativeRNG, NumpyRNG))
        found, expected = ours.next(50_000), numpys.next(50_000)
        assert found.dtype == expected.dtype
        probability: Any = stats.ks_2samp(found, expected)[1]
        assert probability > 1e-3
        assert not np.array_equal(found, ours.next(50_000))
        assert np.ndim(ours.next()) == 0


def test_a_seed_gives_the_same_numbers_again(sim):
    def numbers(seed):
        rng = sim.NativeRNG(seed=seed)
        return [rng.next(3).tolist(), rng.next(3, "normal", {"mu": 0.0, "sigma": 1.0}).tolist(), float(rng.next())]

    assert numbers(5) == numbers(5)
    assert len({str(numbers(seed)) for seed in (5, 6, -5, 2**63)}) == 4


def test_without_a_seed_numbers_follow_from_that_of_the_network(sim):
    def numbers(seed):
        sim.setup(rng_seed=seed)
        return sim.NativeRNG().next(2).tolist() + sim.NativeRNG().next(2).tolist()

    assert numbers(1) == numbers(1) != numbers(2)
    assert len(set(numbers(1))) == 4


def test_interface_of_pynns_generators(sim):
    rng = sim.NativeRNG(seed=3)
    assert isinstance(rng, AbstractRNG)
    assert str(rng) == "NativeRNG(seed=3)"
    assert rng.next(0).size == 0
    assert 0.0 <= rng.next() < 1.0
    assert rng.random(2).shape == rng.sample(2).shape == (2,)
    again = sim.NativeRNG(seed=4)
    chosen = again.next(5, mask=np.array([True, False, True, False, False]))
    assert (chosen == sim.NativeRNG(seed=4).next(5)[[0, 2]]).all()
    with pytest.raises(ValueError, match="positive"):
        rng.next(-1)
    with pytest.raises(KeyError, match="normal has the parameters mu, sigma, not mu"):
        rng.next(1, "normal", {"mu": 1.0})
    with pytest.raises(ValueError, match="sigma of -1 is negative"):
        rng.next(1, "normal", {"mu": 0.0, "sigma": -1.0})
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(rng, "nothing")  # noqa: B009 - what type checkers know that there is not


def test_methods_of_numpys_generator(sim):
    rng = sim.NativeRNG(seed=3)
    orders = [tuple(rng.permutation(20)) for _ in range(3)]
    assert len(set(orders)) == 3 and all(sorted(order) == list(range(20)) for order in orders)
    assert set(rng.choice([4, 5], size=40)) == {4, 5}
    assert sim.Cuboid(1, 2, 3).sample(4, rng).shape == (4, 3)


def test_parameters_may_be_arrays_where_numpy_takes_them(sim):
    rng, mu = sim.NativeRNG(seed=3), np.arange(5) * 100.0
    assert (np.rint(rng.next(5, "normal", {"mu": mu, "sigma": 0.01})) == mu).all()
    with pytest.raises(ValueError, match="numbers as its parameters, not arrays"):
        rng.next(5, "normal_clipped", {"mu": mu, "sigma": 1.0, "low": -1.0, "high": 1.0})


def test_copies_go_on_where_the_others_are(sim):
    rng = sim.NativeRNG(seed=3)
    numbers = [float(one.next()) for one in (rng, copy.deepcopy(rng), copy.copy(rng), rng)]
    assert len(set(numbers)) == 4


def test_cells_and_their_initial_values(sim):
    rng = sim.NativeRNG(seed=8)
    tau = RandomDistribution("normal", (10.0, 1.0), rng=rng)
    cells = sim.Population(1000, sim.IF_curr_exp(tau_m=tau))
    cells.initialize(v=RandomDistribution("uniform", (-70.0, -50.0), rng=rng))
    assert stats.kstest(cells.get("tau_m"), stats.norm(10, 1).cdf).pvalue > 1e-3
    values = cells.initial_values["v"].evaluate()
    assert stats.kstest(values, stats.uniform(-70, 20).cdf).pvalue > 1e-3
    cells.set(tau_m=tau)
    assert abs(np.corrcoef(cells.get("tau_m"), values)[0, 1]) < 0.15


# --- projections -----------------------------------------------------------------------------------------------------


def wanted(sim, ends, connector, synapse_type, **words) -> Any:
    """What is drawn of a projection; for a connector that has not connected anything."""
    projection = sim.Projection(*ends, sim.FromListConnector([]), synapse_type, **words)
    return native_rng.drawn(projection, connector)


@pytest.mark.parametrize("name", RANDOM_CONNECTORS)
def test_projections_that_share_a_generator_differ_and_a_seed_repeats_them(sim, pair, name):
    def projections(seed):
        rng = sim.NativeRNG(seed=seed)
        connector = getattr(sim, name)(rng=rng, **RANDOM_CONNECTORS[name])
        return [rows(sim.Projection(*pair, connector, synapse(sim, rng))) for _ in range(2)]

    first, second = projections(1)
    assert np.intersect1d(first[:, 2], second[:, 2]).size == 0
    assert {tuple(pair) for pair in first[:, :2]} != {tuple(pair) for pair in second[:, :2]}
    again = projections(1)
    assert (first == again[0]).all() and (second == again[1]).all()
    assert not np.array_equal(first, projections(2)[0])


def test_numbers_of_synapses(sim, pair):
    def count(name, **words):
        rng = sim.NativeRNG(seed=1)
        found = rows(sim.Projection(*pair, getattr(sim, name)(rng=rng, **words), sim.StaticSynapse(weight=0.1)))
        return np.bincount(found[:, 0].astype(int), minlength=30), np.bincount(found[:, 1].astype(int), minlength=40)

    assert (count("FixedNumberPreConnector", n=9)[1] == 9).all()
    assert (count("FixedNumberPostConnector", n=50)[0] == 50).all()
    assert count("FixedTotalNumberConnector", n=321)[0].sum() == 321
    assert (count("FixedProbabilityConnector", p_connect=1.0)[1] == 30).all()
    assert (count("FixedProbabilityConnector", p_connect=0.0)[1] == 0).all()
    numbers = RandomDistribution("uniform_int", (3, 6), rng=NumpyRNG(seed=5))
    expected = RandomDistribution("uniform_int", (3, 6), rng=NumpyRNG(seed=5))
    expected.next(100)  # which PyNN's connector looks at
    assert (count("FixedNumberPreConnector", n=numbers)[1] == expected.next(40)).all()


def test_each_pair_is_connected_with_the_same_probability(sim):
    pre, post = sim.Population(20, sim.IF_curr_exp()), sim.Population(25, sim.IF_curr_exp())
    connector = sim.FixedProbabilityConnector(0.2, rng=sim.NativeRNG(seed=12))
    total, numbers = np.zeros((20, 25)), []
    for _ in range(300):
        drawn = wanted(sim, (pre, post), connector, sim.StaticSynapse(weight=0.1))
        matrix = np.zeros((20, 25))
        np.add.at(matrix, (drawn.source, drawn.target), 1)
        assert matrix.max() == 1
        total += matrix
        numbers.append(matrix.sum())
    statistic = ((total - 60) ** 2).sum() / (300 * 0.2 * 0.8)
    assert 1e-3 < stats.chi2(500).cdf(statistic) < 1 - 1e-3
    assert np.var(numbers) == pytest.approx(500 * 0.2 * 0.8, rel=0.35)  # pairs are connected independently


@pytest.mark.parametrize("name", ["AllToAllConnector", *RANDOM_CONNECTORS])
def test_autapses(sim, name):
    cells, rng = sim.Population(40, sim.IF_curr_exp()), sim.NativeRNG(seed=2)
    words = {"rng": rng, **RANDOM_CONNECTORS[name]} if name in RANDOM_CONNECTORS else {}
    for allowed in (False, True):
        connector = getattr(sim, name)(allow_self_connections=allowed, **words)
        drawn = wanted(sim, (cells, cells), connector, synapse(sim, rng))
        assert (drawn.source == drawn.target).any() == allowed
        other = sim.Population(40, sim.IF_curr_exp())
        assert (found := wanted(sim, (cells, other), connector, synapse(sim, rng))) is not None
        assert (found.source == found.target).any()  # the same number is not the same cell


@pytest.mark.parametrize("dt", [0.1, 0.25, 1.0])
def test_delays_are_on_the_grid_of_the_time_step(sim, dt):
    sim.setup(timestep=dt)
    cells, rng = sim.Population(200, sim.IF_curr_exp()), sim.NativeRNG(seed=2)
    projection = sim.Projection(cells, cells, sim.AllToAllConnector(), synapse(sim, rng, delay=("uniform", (1.0, 4.0))))
    delays = np.array(projection.get("delay", "list"))[:, 2]
    assert np.abs(delays / dt - np.rint(delays / dt)).max() < 1e-9
    assert delays.mean() == pytest.approx(2.5, abs=4 * 3 / np.sqrt(12 * 40_000))


def test_only_what_draws_from_native_generators_is_drawn(sim, pair):
    native, numpys = sim.NativeRNG(seed=1), NumpyRNG(seed=1)
    plain = sim.StaticSynapse(weight=0.1, delay=1.0)
    total = sim.FixedTotalNumberConnector
    pre, post = pair
    assert isinstance(wanted(sim, pair, total(9, rng=native), plain), Drawn)
    assert isinstance(wanted(sim, pair, sim.AllToAllConnector(), synapse(sim, native)), Drawn)
    assert isinstance(
        wanted(sim, (pre[3:9], pre + post), total(9, rng=native), plain, receptor_type="excitatory"), Drawn
    )
    told: list[float] = []
    assert isinstance(wanted(sim, pair, total(9, rng=native, callback=told.append), plain), Drawn)
    assert told == [1.0]
    by_distance = sim.StaticSynapse(weight="0.1 * d", delay=1.0)
    for ends, connector, kind in (
        (pair, sim.AllToAllConnector(), plain),
        (pair, total(9, rng=numpys), plain),
        (pair, total(9, rng=native), synapse(sim, numpys)),
        (pair, total(9, rng=numpys), synapse(sim, native)),
        (pair, total(9, rng=native, with_replacement=False), plain),
        (pair, total(9, rng=native), by_distance),
        (pair, sim.OneToOneConnector(), synapse(sim, native)),
        ((pre, pre), sim.FixedProbabilityConnector(0.5, "NoMutual", rng=native), plain),
        ((pre[:9], pre[5:]), total(9, allow_self_connections=False, rng=native), plain),
        (pair, total(9, rng=native), sim.StaticSynapse(weight=0.1, delay=np.nan)),
        (pair, total(9, rng=native), synapse(sim, native, weight=("normal", (np.nan, 0.1)))),
    ):
        assert wanted(sim, ends, connector, kind) is None


def test_connectors_that_are_not_drawn_take_the_generator_too(sim, pair):
    rng = sim.NativeRNG(seed=1)
    views = pair[0][:20], pair[0][10:30]
    connectors = [
        sim.DistanceDependentProbabilityConnector("0.4", rng=rng),
        sim.FixedProbabilityConnector(0.4, allow_self_connections=False, rng=rng),
        sim.FixedNumberPreConnector(5, allow_self_connections=False, rng=rng),
        sim.FixedNumberPostConnector(5, allow_self_connections=False, with_replacement=True, rng=rng),
        sim.FixedTotalNumberConnector(90, with_replacement=False, rng=rng),
        sim.OneToOneConnector(),
    ]
    for connector in connectors:
        assert len(rows(sim.Projection(*views, connector, synapse(sim, rng)))) > 10


@pytest.mark.parametrize(
    ("weight", "receptor", "words"),
    [
        (("normal", (0.0, 1.0)), "excitatory", "all positive or all negative"),
        (("uniform", (1.0, 2.0)), "inhibitory", "must be negative"),
        (("normal", (1.0, -1.0)), "excitatory", "sigma of -1 is negative"),
        (("normal_clipped", (0.0, 1.0, 20.0, 30.0)), "excitatory", "move the bounds or the mean"),
    ],
)
def test_weights_that_cannot_be_are_refused(sim, pair, weight, receptor, words):
    rng = sim.NativeRNG(seed=1)
    with pytest.raises(sim.errors.ConnectionError, match=f"'first→second'.*{words}"):
        sim.Projection(
            *pair, sim.FixedTotalNumberConnector(100, rng=rng), synapse(sim, rng, weight), receptor_type=receptor
        )


def test_a_cell_that_may_connect_to_nobody_is_refused(sim):
    alone, rng = sim.Population(1, sim.IF_curr_exp()), sim.NativeRNG(seed=1)
    with pytest.raises(sim.errors.ConnectionError, match="5 synapses were asked for where there is no cell"):
        connector = sim.FixedNumberPreConnector(5, allow_self_connections=False, with_replacement=True, rng=rng)
        sim.Projection(alone, alone, connector, sim.StaticSynapse(weight=0.1))


def test_it_is_told_how_numbers_are_drawn():
    told = inspect.getdoc(evsim.pynn.NativeRNG)
    assert told and all(word in told for word in ("splitmix64", "ziggurat", "NumpyRNG", "Philox"))
