from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evsim.convolution import Window, convolution
from evsim.nir.operators import operator

nir = pytest.importorskip("nir")


def by_definition(weight, x, stride, dilation, padding, groups):
    """The cross-correlation, one output at a time."""
    channels, per_group, *kernel = weight.shape
    x = np.pad(x, [(0, 0), *((p, p) for p in padding)])
    room = [n - d * (k - 1) - 1 for n, d, k in zip(x.shape[1:], dilation, kernel, strict=True)]
    out = np.zeros((channels, *(r // s + 1 for r, s in zip(room, stride, strict=True))))
    for place in np.ndindex(*out.shape):
        channel, *at = place
        first = channel // (channels // groups) * per_group
        for offset in np.ndindex(per_group, *kernel):
            where = [a * s + o * d for a, s, o, d in zip(at, stride, offset[1:], dilation, strict=True)]
            out[place] += weight[(channel, *offset)] * x[(first + offset[0], *where)]
    return out


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.data())
def test_a_convolution_is_the_matrix_of_its_definition(data):
    dimensions, groups = data.draw(st.integers(1, 2)), data.draw(st.integers(1, 2))
    small = st.lists(st.integers(1, 3), min_size=dimensions, max_size=dimensions)
    kernel, stride, dilation = data.draw(small), data.draw(small), data.draw(small)
    padding = [size - 1 for size in data.draw(small)]
    space = [d * (k - 1) + 1 + extra for d, k, extra in zip(dilation, kernel, data.draw(small), strict=True)]
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    weight = rng.normal(size=(2 * groups, 2, *kernel))
    x = rng.normal(size=(2 * groups, *space))
    matrix, shape = convolution(weight, x.shape, Window(tuple(kernel), stride, dilation, padding, padding), groups)
    expected = by_definition(weight, x, stride, dilation, padding, groups)
    assert shape == expected.shape
    assert matrix @ x.ravel() == pytest.approx(expected.ravel(), rel=1e-12, abs=1e-12)


def test_same_padding_keeps_the_size():
    rng = np.random.default_rng(1)
    weight, x = rng.normal(size=(2, 1, 4)), rng.normal(size=(1, 9))
    made = operator(nir.Conv1d(9, weight, 1, "same", 1, 1, np.array([0.5, -1.0])), x.shape)
    expected = by_definition(weight, np.pad(x, ((0, 0), (1, 2))), [1], [1], [0], 1)  # the longer side is the last
    assert made.shape == (2, 9)
    assert (made.matrix @ x.ravel() + made.bias).reshape(2, 9) == pytest.approx(expected + np.array([[0.5], [-1.0]]))


@pytest.mark.parametrize(("node", "whole"), [(nir.SumPool2d, 1), (nir.AvgPool2d, 6)])
def test_pools_sum_or_average_each_channel(node, whole):
    x = np.arange(48.0).reshape(2, 4, 6)
    made = operator(node(np.array([2, 3]), np.array([2, 3]), np.array([0, 0])), x.shape)
    expected = x.reshape(2, 2, 2, 2, 3).sum(axis=(2, 4)) / whole
    assert made.shape == (2, 2, 2)
    assert (made.matrix @ x.ravel()).reshape(made.shape) == pytest.approx(expected)


def test_flatten_counts_dimensions_from_either_end():
    shapes = [operator(nir.Flatten(None, *ends), (2, 3, 4)).shape for ends in ((0, -1), (1, -1), (0, 1), (-2, 2))]
    assert shapes == [(24,), (2, 12), (6, 4), (2, 12)]


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (nir.Linear(np.ones((2, 3))), "for 3 inputs"),
        (nir.Linear(np.ones((2, 2, 4))), "two dimensions"),
        (nir.Scale(np.ones(3)), "scale of 3 values"),
        (nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])), "pooling takes"),
        (nir.Conv1d(2, np.ones((1, 2, 5)), 1, 0, 1, 1, np.zeros(1)), "reaches over"),
    ],
)
def test_what_does_not_fit_is_said(node, message):
    with pytest.raises(ValueError, match=message):
        operator(node, (2, 2))
