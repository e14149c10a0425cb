"""PoolDenseConnector against sums that numpy makes, and what sPyNNaker's firmware did when it was executed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evsim.pynn

sizes = st.tuples(st.integers(1, 6), st.integers(1, 6))

# the row of weights that each of 4 x 3 cells has, in the order of their numbers, executed in the emulator
EXECUTED = [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]


def grid(sim, shape: tuple[int, int]):
    return sim.Population(shape[0] * shape[1], sim.IF_curr_exp(), structure=sim.Grid2D(shape[0] / shape[1]))


def connected(sim, shape, n_post: int, *arguments, **words):
    post = sim.Population(n_post, sim.IF_curr_exp(), label="post")
    return sim.Projection(grid(sim, shape), post, sim.PoolDenseConnector(*arguments, **words), sim.PoolDense())


def matrix(projection) -> np.ndarray:
    return np.nan_to_num(projection.get("weight", "array"))


@given(shape=sizes, pool=st.none() | sizes, stride=st.none() | sizes, n_post=st.integers(1, 3), seed=st.integers(0, 99))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_what_targets_are_given_are_weighted_means_of_pools(shape, pool, stride, n_post, seed):
    sim, rng = evsim.pynn, np.random.default_rng(seed)
    sim.setup(timestep=1.0)
    words = {"pool_shape": pool, "pool_stride": stride if pool else None}
    step = (stride or pool) if pool else (1, 1)
    pools = shape[0] // step[0], shape[1] // step[1]
    weights = rng.normal(size=(*pools, n_post))
    found = matrix(connected(sim, shape, n_post, weights.ravel(), **words))
    sim.simulator.state.clear()
    spikes = rng.integers(0, 5, (shape[1], shape[0])).astype(float)
    expected = np.zeros(n_post)
    for x, y in np.ndindex(*pools):
        part = spikes[y * step[1] : (y + 1) * step[1], x * step[0] : (x + 1) * step[0]]
        expected += part.sum() / np.prod(pool or 1) * weights[x, y]
    assert spikes.ravel() @ found == pytest.approx(expected)


def test_synapses_are_those_that_the_firmware_executed(sim):
    weights = np.arange(1.0, 37.0).reshape(12, 3) * [[1, -1, 1]]
    assert (matrix(connected(sim, (4, 3), 3, weights)) == weights[EXECUTED]).all()


@given(shape=sizes, pool=st.none() | sizes, stride=st.none() | sizes)
@settings(max_examples=50, deadline=None, derandomize=True)
def test_the_number_of_pools_is_spynnakers(shape, pool, stride):
    module = pytest.importorskip("spynnaker.pyNN.models.neural_projections.connectors.pool_dense_connector")
    ours = evsim.pynn.PoolDenseConnector.get_post_pool_shape(shape, pool, stride)
    assert ours == tuple(module.PoolDenseConnector.get_post_pool_shape(shape, pool, stride))


def test_one_weight_for_all_and_drawn_ones(sim):
    assert (matrix(connected(sim, (4, 2), 3, -0.5)) == -0.5).all()
    assert (matrix(connected(sim, (4, 2), 3, 4.0, pool_shape=2)) == 1.0).all()
    normal = sim.RandomDistribution("normal", mu=0.0, sigma=1.0, rng=sim.NumpyRNG(5))
    drawn = matrix(connected(sim, (4, 2), 3, normal, pool_shape=2))
    assert len(np.unique(drawn)) == 6  # of pools and targets, not of pairs
    assert (drawn[0] == drawn[1]).all() and (drawn[0] == drawn[5]).all() and (drawn[0] != drawn[2]).all()


def test_weights_and_shapes_that_cannot_be(sim):
    dimensions, values = sim.errors.InvalidDimensionsError, sim.errors.InvalidParameterValueError
    with pytest.raises(dimensions, match=r"has 5 weights; from \(4, 2\), .* in 2 x 1 pools to the 3 cells .* needs 6"):
        connected(sim, (4, 2), 3, np.ones(5), pool_shape=2)
    with pytest.raises(dimensions, match=r"needs a grid for pre, and .* is a Line of 4 cells"):
        line = sim.Population(4, sim.IF_curr_exp())
        sim.Projection(line, line, sim.PoolDenseConnector(1.0), sim.PoolDense())
    with pytest.raises(values, match=r"pool_shape is \(0, 2\); it must be a whole number from 1 on"):
        sim.PoolDenseConnector(1.0, (0, 2))
    with pytest.raises(values, match="pool_stride is 2 without a pool_shape"):
        sim.PoolDenseConnector(1.0, pool_stride=2)
    with pytest.raises(values, match="1 of the 2 weights are not finite"):
        sim.PoolDenseConnector([1.0, np.inf])
