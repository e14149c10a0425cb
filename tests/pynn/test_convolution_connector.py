"""ConvolutionConnector: against scipy's convolution, sPyNNaker's own class, and what its firmware did when executed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import convolve2d, correlate2d

import evsim.pynn

grids = st.tuples(st.integers(1, 7), st.integers(1, 7))
options = st.fixed_dictionaries(
    {
        "strides": st.tuples(st.integers(1, 3), st.integers(1, 3)),
        "padding": st.tuples(st.integers(0, 2), st.integers(0, 2)),
        "pool_shape": st.none() | st.tuples(st.integers(1, 3), st.integers(1, 2)),
    }
)

# (source, target, weight) as the firmware of sPyNNaker 7.4.1 delivered them, executed in the emulator: from 5 x 4 cells
# to 5 x 2 by the kernel [[1, -2, 3]], which is 1 along x and 3 along y
EXECUTED = [
    *((x + 5 * y, x + 5 * to, weight) for x in range(5) for y, to, weight in ((0, 0, 3), (1, 0, -2), (2, 0, 1))),
    *((x + 5 * y, x + 5 * to, weight) for x in range(5) for y, to, weight in ((1, 1, 3), (2, 1, -2), (3, 1, 1))),
]


def grid(sim, shape: tuple[int, int], **words):
    return sim.Population(shape[0] * shape[1], sim.IF_curr_exp(), structure=sim.Grid2D(shape[0] / shape[1]), **words)


def between(sim, shape, connector, **words):
    """A projection from a grid to the one that the connector says."""
    pre, post = grid(sim, shape), grid(sim, connector.get_post_shape(shape))
    return sim.Projection(pre, post, connector, sim.Convolution(**words))


def matrix(projection) -> np.ndarray:
    return np.nan_to_num(projection.get("weight", "array"))


def kernel(shape: tuple[int, int]) -> np.ndarray:
    """With positive and negative elements, of which no two are alike."""
    return np.arange(1.0, 1 + shape[0] * shape[1]).reshape(shape) * np.where(np.indices(shape).sum(axis=0) % 2, -1, 1)


@given(shape=grids, size=st.tuples(st.integers(1, 4), st.integers(1, 4)), o=options, seed=st.integers(0, 99))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_what_targets_are_given_is_a_strided_convolution(shape, size, o, seed):
    """Along each dimension: pooled sums, padded, convolved, and every so many of them taken."""
    sim = evsim.pynn
    sim.setup(timestep=1.0)
    connector = sim.ConvolutionConnector(kernel(size), **o)
    post = connector.get_post_shape(shape)
    found = np.random.default_rng(seed).integers(0, 5, (shape[1], shape[0])).astype(float)  # how often cells spike
    given_to = found.ravel() @ matrix(between(sim, shape, connector))
    sim.simulator.state.clear()

    pool = o["pool_shape"] or (1, 1)
    places = -(-shape[0] // pool[0]), -(-shape[1] // pool[1])  # those behind the last whole pool, too
    more = [(0, n * p - m) for n, p, m in zip(places[::-1], pool[::-1], found.shape, strict=True)]
    filled = np.pad(found, more)
    pooled = filled.reshape(places[1], pool[1], places[0], pool[0]).sum(axis=(1, 3)) / np.prod(pool)
    (pad_x, pad_y), (step_x, step_y) = o["padding"], o["strides"]
    room = np.pad(pooled, [(pad_y, pad_y + 20), (pad_x, pad_x + 20)])  # on the far side as much as any target asks for
    in_memory = kernel(size).reshape(size[1], size[0])
    expected = convolve2d(room, in_memory, "valid")[::step_y, ::step_x][: post[1], : post[0]]
    assert given_to == pytest.approx(expected.ravel())
    turned = correlate2d(room, in_memory[::-1, ::-1], "valid")[::step_y, ::step_x][: post[1], : post[0]]
    assert given_to == pytest.approx(turned.ravel())


def test_synapses_are_those_that_the_firmware_executed(sim):
    projection = between(sim, (5, 4), sim.ConvolutionConnector([[1, -2, 3]]), delay=2.0)
    assert sorted(projection.get("weight", "list")) == sorted(EXECUTED)
    assert set(projection.get("delay", "list", with_address=False)) == {2.0}


@given(shape=grids, size=st.tuples(st.integers(1, 5), st.integers(1, 5)), o=options)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_the_shape_behind_it_is_spynnakers(shape, size, o):
    module = pytest.importorskip("spynnaker.pyNN.models.neural_projections.connectors.convolution_connector")
    for padding in (o["padding"], True, False, None, 2):
        words = {**o, "padding": padding}
        theirs = module.ConvolutionConnector(kernel(size), **words)
        ours = evsim.pynn.ConvolutionConnector(kernel(size), **words)
        assert ours.get_post_shape(shape) == theirs.get_post_shape(shape)
        assert ours.kernel_weights == pytest.approx(theirs.kernel_weights)


@pytest.mark.parametrize("words", [{"kernel_shape": 2}, {"kernel_shape": (2, 2)}, {"kernel_shape": 2, "padding": (1,)}])
def test_ways_to_give_a_kernel(sim, words):
    flat, rows = [1.0, 2.0, 3.0, 4.0], [[1.0, 2.0], [3.0, 4.0]]
    made = sim.ConvolutionConnector(flat, **words)
    assert made.kernel_weights.tolist() == rows
    assert made.padding == ((1, 1) if "padding" in words else (0, 0))
    assert sim.ConvolutionConnector(rows, **words).kernel_weights.tolist() == rows
    assert sim.ConvolutionConnector(0.5, **words).kernel_weights.tolist() == [[0.5, 0.5], [0.5, 0.5]]
    uniform = sim.RandomDistribution("uniform", low=1.0, high=2.0, rng=sim.NumpyRNG(3))
    drawn = sim.ConvolutionConnector(uniform, **words).kernel_weights
    assert drawn.shape == (2, 2) and len(np.unique(drawn)) == 4 and (drawn >= 1).all() and (drawn <= 2).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([1.0, 2.0, 3.0],), "kernel_weights is no array of rows; give kernel_shape"),
        ((0.5,), "kernel_weights is no array of rows; give kernel_shape"),
        (([1.0, 2.0, 3.0], 2), r"kernel_weights has the shape \(3,\); it must be \(2, 2\), its kernel_shape"),
        ((np.ones((2, 3)), (3, 2)), r"kernel_weights has the shape \(2, 3\); it must be \(3, 2\)"),
        ((np.ones((2, 2, 2)),), r"the shape \(2, 2, 2\); it must be that of a kernel"),
        (([[1.0, 2.0], [3.0]],), "kernel_weights is no number, array or RandomDistribution"),
        (("sobel",), "kernel_weights is no number, array or RandomDistribution"),
        (([[1.0, np.nan]],), "1 of the 2 kernel_weights are not finite"),
        ((np.ones((3, 3)), None, 0), "strides is 0; it must be a whole number from 1 on"),
        ((np.ones((3, 3)), None, (1, 1.5)), r"strides is \(1, 1.5\); it must be a whole number"),
        ((np.ones((3, 3)), None, None, -1), "padding is -1; it must be a whole number from 0 on"),
        (
            (np.ones((3, 3)), None, None, None, (1, 2, 3)),
            "pool_shape is .*; it must be a whole number from 1 on, or two",
        ),
        ((np.ones((3, 3)), None, None, None, None, 2), "pool_stride is 2 without a pool_shape"),
    ],
)
def test_kernels_and_shapes_that_cannot_be(sim, arguments, words):
    wrong = (sim.errors.InvalidDimensionsError, sim.errors.InvalidParameterValueError)
    with pytest.raises(wrong, match=f"ConvolutionConnector: .*{words}"):
        sim.ConvolutionConnector(*arguments)


def test_populations_that_are_no_grids_of_the_right_shape(sim):
    connector, wrong = sim.ConvolutionConnector(np.ones((3, 3))), sim.errors.InvalidDimensionsError
    pre, post, line = (
        grid(sim, (6, 4), label="pre"),
        grid(sim, (2, 4), label="post"),
        sim.Population(8, sim.IF_curr_exp()),
    )
    with pytest.raises(wrong, match=r"makes of \(6, 4\), the shape of 'pre', \(4, 2\), and 'post' has \(2, 4\)"):
        sim.Projection(pre, post, connector, sim.Convolution())
    with pytest.raises(wrong, match=r"needs a grid for post, and .* is a Line of 8 cells; .*Grid2D"):
        sim.Projection(pre, line, connector, sim.Convolution())
    with pytest.raises(wrong, match=r"needs a grid for pre, and .* is a PopulationView of 8 cells"):
        sim.Projection(pre[:8], post, connector, sim.Convolution())
    odd = sim.Population(7, sim.IF_curr_exp(), structure=sim.Grid2D(2.0), label="odd")
    with pytest.raises(wrong, match="the 7 cells of 'odd' fill no grid with an aspect ratio of 2"):
        sim.Projection(odd, post, connector, sim.Convolution())
    as_tuples = sim.Population((6, 4), sim.IF_curr_exp()), sim.Population((4, 2), sim.IF_curr_exp())
    assert len(sim.Projection(*as_tuples, connector, sim.Convolution())) == 72


def test_every_grid_has_the_shape_that_it_was_given(sim):
    """Also where PyNN's own calculation takes a rounding error of a square root for a wrong size."""
    for shape in np.ndindex(13, 13):
        size = shape[0] + 1, shape[1] + 1
        projection = between(sim, size, sim.ConvolutionConnector([[1.0]]))
        assert len(projection) == size[0] * size[1]
