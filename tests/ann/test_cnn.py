"""Training in numpy, against gradients by differences."""

from __future__ import annotations

import numpy as np
import pytest

from evsim.ann import cnn


def test_gradients_are_those_of_the_cross_entropy():
    rng = np.random.default_rng(0)
    weights = cnn._first_weights(rng, (8, 8), 10)
    weights = [weight + rng.normal(0, 0.1, weight.shape) for weight in weights]
    images, wanted = rng.random((4, 1, 8, 8)), rng.integers(0, 10, 4)

    def loss() -> float:
        outputs = cnn._network(weights, (1, 8, 8), np.arange(10)).outputs(images.reshape(4, -1))
        return float(np.mean(np.log(np.exp(outputs).sum(axis=1)) - outputs[np.arange(4), wanted]))

    step = 1e-6
    for weight, gradient in zip(weights, cnn._gradients(weights, images, wanted), strict=True):
        for place in [tuple(rng.integers(0, size) for size in weight.shape) for _ in range(4)]:
            weight[place] += step
            above = loss()
            weight[place] -= 2 * step
            below = loss()
            weight[place] += step
            assert gradient[place] == pytest.approx((above - below) / (2 * step), abs=1e-7)


def test_training_learns_and_is_the_same_each_time(monkeypatch):
    monkeypatch.setattr(cnn, "EPOCHS", 8)
    rng = np.random.default_rng(1)
    labels = np.array([2, 5])[rng.integers(0, 2, 120)]
    images = rng.random((120, 1, 8, 8)) * np.where(labels == 5, 1.0, 0.5)[:, None, None, None]
    first, second = (cnn.train_cnn(images, labels, np.array([2, 5])) for _ in range(2))
    outputs = first.outputs(images.reshape(120, -1))
    assert np.mean(first.choose(outputs) == labels) > 0.95
    assert (outputs == second.outputs(images.reshape(120, -1))).all()
