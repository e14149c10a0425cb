"""Layers as matrices, against scipy's correlation and sums written out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import correlate2d

from evsim.ann.layers import Ann, AvgPool, Conv2d, Dense, ReLU, accuracy
from evsim.ann.stages import activations, balanced, stages
from evsim.errors import EvsimError


def applied(layer, image: np.ndarray) -> np.ndarray:
    matrix, bias, shape = layer.matrix(image.shape)
    return (matrix @ image.ravel() + bias).reshape(shape)


@pytest.mark.parametrize(("stride", "padding"), [((1, 1), (0, 0)), ((2, 1), (1, 2)), ((3, 2), (0, 1))])
def test_convolution_is_scipys_correlation(stride, padding):
    rng = np.random.default_rng(0)
    image, kernel, bias = rng.normal(size=(3, 7, 6)), rng.normal(size=(4, 3, 3, 2)), rng.normal(size=4)
    padded = np.pad(image, ((0, 0), (padding[0],) * 2, (padding[1],) * 2))
    whole = [sum(correlate2d(padded[i], kernel[o, i], "valid") for i in range(3)) + bias[o] for o in range(4)]
    expected = np.array(whole)[:, :: stride[0], :: stride[1]]
    np.testing.assert_allclose(applied(Conv2d(kernel, bias, stride, padding), image), expected, atol=1e-12)


def test_pool_is_the_mean_of_windows():
    image = np.random.default_rng(1).normal(size=(2, 6, 4))
    expected = image.reshape(2, 3, 2, 2, 2).mean(axis=(2, 4))
    np.testing.assert_allclose(applied(AvgPool((2, 2), (2, 2)), image), expected)
    overlapping = applied(AvgPool((3, 3), (1, 1), (1, 1)), image)
    assert overlapping[1, 0, 0] == pytest.approx(image[1, :2, :2].sum() / 9)


def test_weights_of_0_are_entries_and_the_padding_is_none():
    """So a convolution has as many multiplications as its window has places inside the image, whatever it learned."""
    kernel = np.array([[[[0.0, 1.0, 0.0]] * 3]])
    matrix, _, shape = Conv2d(kernel, np.zeros(1), (1, 1), (1, 1)).matrix((1, 4, 5))
    assert shape == (1, 4, 5)
    assert matrix.nnz == (3 * 4 - 2) * (3 * 5 - 2) and np.count_nonzero(matrix.data) == (3 * 4 - 2) * 5


def small() -> Ann:
    rng = np.random.default_rng(2)
    conv = Conv2d(rng.normal(size=(3, 1, 3, 3)), rng.normal(size=3), (1, 1), (1, 1))
    layers = (conv, ReLU(), AvgPool((2, 2), (2, 2)), Dense(rng.normal(size=(4, 12)), rng.normal(size=4)), ReLU(),
              Dense(rng.normal(size=(3, 4)), rng.normal(size=3)))  # fmt: skip
    return Ann("small", (1, 4, 4), layers, np.array(["a", "b", "c"]))


def test_stages_compute_what_the_layers_do():
    ann = small()
    images = np.random.default_rng(3).random((5, 16))
    found = stages(ann)
    assert [stage.label for stage in found] == ["0 Conv2d", "2 AvgPool + 3 Dense", "5 Dense"]
    np.testing.assert_allclose(activations(found, images)[-1], ann.outputs(images), atol=1e-12)


def test_balancing_scales_activations_and_changes_no_answer():
    ann = small()
    images = 3 * np.random.default_rng(4).random((50, 16))
    first, scaled = balanced(stages(ann), images, 100)
    values = activations(scaled, images / first)
    assert [value.max() for value in values[:-1]] == pytest.approx([1.0, 1.0])
    np.testing.assert_allclose(values[-1] * scaled[-1].scale, ann.outputs(images), atol=1e-9)


def test_a_network_with_one_output_says_two_classes_by_its_sign():
    ann = Ann("one", (2,), (Dense(np.array([[1.0, -1.0]]), np.zeros(1)),), np.array([3, 7]))
    chosen = ann.choose(ann.outputs(np.array([[1.0, 0.0], [0.0, 1.0]])))
    assert list(chosen) == [7, 3]
    assert accuracy(chosen, np.array([7, 7])) == 0.5


def test_a_layer_that_does_not_fit_is_named():
    with pytest.raises(EvsimError, match=r"layer 1 of wrong \(Dense\): it takes 5 numbers and is given 2"):
        Ann("wrong", (3,), (Dense(np.ones((2, 3)), np.zeros(2)), Dense(np.ones((2, 5)), np.zeros(2))), np.arange(2))
    with pytest.raises(EvsimError, match="2 outputs and 3 classes"):
        Ann("wrong", (3,), (Dense(np.ones((2, 3)), np.zeros(2)),), np.arange(3))
    with pytest.raises(EvsimError, match="window of 5 x 5 is larger than the image, 1 x 4 x 4"):
        Ann("wrong", (1, 4, 4), (Conv2d(np.ones((2, 1, 5, 5)), np.zeros(2)),), np.arange(2))


@pytest.mark.parametrize("shape", [(5, 15), (5, 4, 5), (16,), (0, 16), (5, 2, 4, 4)])
def test_images_of_another_shape_are_refused(shape):
    with pytest.raises(EvsimError, match=r"small takes one or more, \(images, 1, 4, 4\)"):
        small().inputs(np.zeros(shape))


def test_images_that_are_not_numbers_are_refused():
    images = np.zeros((2, 16))
    images[1, 3] = np.nan
    with pytest.raises(EvsimError, match="1 of 32 numbers of the images are not finite"):
        small().inputs(images)
