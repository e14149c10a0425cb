"""Rate code, against neurons that are summed up step by step here."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy import sparse

from evsim.ann.evaluate import Converted, evaluate
from evsim.ann.layers import Ann, Dense, ReLU
from evsim.ann.rate import RateCode
from evsim.ann.stages import Stage, balanced, stages
from evsim.backend import Target


def random_ann(rng: np.random.Generator, sizes=(6, 12, 8, 3)) -> Ann:
    layers = []
    for before, after in pairwise(sizes):
        layers += [Dense(rng.normal(0, before**-0.5, (after, before)), rng.normal(0, 0.1, after)), ReLU()]
    return Ann("random", (sizes[0],), tuple(layers[:-1]), np.arange(sizes[-1]))


def by_hand(found: list[Stage], trains: np.ndarray, code: RateCode) -> tuple[list[np.ndarray], np.ndarray]:
    """Spikes (steps, cells) of each hidden stage and the outputs' sums; spikes (steps, inputs) come a step later."""
    spikes, inputs, rate = [], trains, code.peak
    for index, stage in enumerate(found):
        v, fired = np.zeros(stage.size), np.zeros((code.duration, stage.size), bool)
        came = np.vstack([np.zeros((1, inputs.shape[1]), bool), inputs[:-1]]) if index else inputs
        for step in range(code.duration):
            v += stage.matrix @ came[step] + stage.bias * rate
            if index < len(found) - 1:
                fired[step] = v >= code.threshold
                v[fired[step]] = 0
        rate /= code.threshold
        if index == len(found) - 1:
            return spikes, v
        spikes.append(fired)
        inputs = fired
    raise AssertionError("a network has an output")


def test_every_neuron_sums_up_and_begins_anew():
    rng = np.random.default_rng(0)
    ann = random_ann(rng)
    inputs = rng.random((4, 6))
    converted = Converted(ann, *balanced(stages(ann), rng.random((50, 6)), 99))
    code = RateCode(60, threshold=1.7)
    done = evaluate(converted, code, inputs, Target("reference", "ideal"))
    expected = [np.zeros(12), np.zeros(8)]
    chosen = []
    for image in inputs:
        trains = np.zeros((60, 6), bool)
        for cell, value in enumerate(image / converted.first):
            total = np.floor(np.clip(value, 0, 1) * np.arange(1, 61) + 0.5)
            trains[np.diff(total, prepend=0) > 0, cell] = True
        spikes, v = by_hand(converted.stages, trains, code)
        chosen.append(v.argmax())
        for total, fired in zip(expected, spikes, strict=True):
            total += fired.sum(axis=0)
    # the little leak moves a spike across the end of a run here and there
    for total, measured in zip(expected, done.spikes[1:], strict=False):
        assert np.abs(total - measured).max() <= 2
        assert total.sum() == pytest.approx(measured.sum(), rel=0.02)
    assert list(done.chosen[-1]) == chosen


@pytest.mark.parametrize("chip", ["ideal", "loihi2", "spinnaker1"])
def test_rates_come_near_the_activations(chip):
    """One neuron for each input: its rate is that of the input times the weight and the bias added, if not negative."""
    weights, bias = np.diag([0.5, -0.4, 0.9, 0.3]), np.array([0.1, 0.2, -0.05, -0.4])
    first = Stage("first", sparse.csr_matrix(weights), bias)
    last = Stage("last", sparse.csr_matrix(np.eye(4)), np.zeros(4))
    ann = Ann("one", (4,), (Dense(weights, bias), ReLU(), Dense(np.eye(4), np.zeros(4))), np.arange(4))
    code = RateCode(600, threshold=8.0)
    inputs = np.array([[0.8, 0.9, 1.0, 0.7]])
    done = evaluate(Converted(ann, 1.0, [first, last]), code, inputs, Target("reference", chip))
    expected = np.maximum(weights @ inputs[0] + bias, 0) / 8.0
    np.testing.assert_allclose(done.spikes[1] / 600, expected, atol=0.008)


def test_negative_inputs_have_cells_of_their_own():
    rng = np.random.default_rng(1)
    ann = random_ann(rng, (5, 10, 4))
    inputs = rng.normal(size=(40, 5))
    converted = Converted(ann, *balanced(stages(ann), inputs, 100))
    done = evaluate(converted, RateCode(800, threshold=4), inputs, Target("reference", "ideal"))
    assert done.network.populations[0].size == 10
    assert np.mean(done.chosen[-1] == ann.choose(ann.outputs(inputs))) >= 0.95
