"""Counting what a converted network does, against counts made one image at a time."""

from __future__ import annotations

import numpy as np
import pytest

from evsim.ann import evaluate as module
from evsim.ann.evaluate import Converted, evaluate, ran
from evsim.ann.latency import LatencyCode
from evsim.ann.layers import Ann, Dense, ReLU
from evsim.ann.rate import RateCode
from evsim.ann.stages import balanced, stages
from evsim.backend import Target
from evsim.chip import load_chip


def converted(seed: int = 0) -> tuple[Converted, np.ndarray]:
    rng = np.random.default_rng(seed)
    layers = (Dense(rng.normal(0, 0.4, (9, 6)), rng.normal(0, 0.1, 9)), ReLU(),
              Dense(rng.normal(0, 0.4, (4, 9)), rng.normal(0, 0.1, 4)))  # fmt: skip
    ann, inputs = Ann("net", (6,), layers, np.arange(4)), rng.random((7, 6))
    return Converted(ann, *balanced(stages(ann), inputs, 100)), inputs


@pytest.mark.parametrize("code", [RateCode(40), RateCode(40, poisson=True), LatencyCode(8)])
@pytest.mark.parametrize("chip", ["ideal", "loihi2", "spinnaker1"])
def test_batches_change_nothing(monkeypatch, code, chip):
    net, inputs = converted()
    target = Target("reference", chip)
    if isinstance(code, RateCode) and code.poisson:
        monkeypatch.setattr(module, "BATCH_SYNAPSES", 1)
        assert (evaluate(net, code, inputs, target).chosen == evaluate(net, code, inputs, target).chosen).all()
        return
    whole = evaluate(net, code, inputs, target)
    monkeypatch.setattr(module, "BATCH_SYNAPSES", 2 * sum(stage.matrix.nnz for stage in net.stages))
    parts = evaluate(net, code, inputs, target)
    assert (whole.chosen == parts.chosen).all()
    assert all((one == other).all() for one, other in zip(whole.spikes, parts.spikes, strict=True))
    assert all((one == other).all() for one, other in zip(whole.arrived, parts.arrived, strict=True))


@pytest.mark.parametrize("chip", ["ideal", "loihi2", "spinnaker1"])
def test_what_arrived_is_what_the_outputs_felt(chip):
    """Two stages of one neuron each: the output's voltage is the weight times the spikes that were felt."""
    weights = Dense(np.array([[1.0], [0.5]]), np.zeros(2))
    ann = Ann("one", (1,), (Dense(np.array([[1.0]]), np.zeros(1)), ReLU(), weights), np.arange(2))
    net = Converted(ann, 1.0, stages(ann))
    for steps in range(3, 12):
        code = RateCode(steps, threshold=1.5)
        done = evaluate(net, code, np.array([[1.0]]), Target("reference", chip))
        network = code.network(net.stages, np.array([[1.0]]), 1.0, load_chip(chip).rules)
        v = ran(network, Target("reference", chip), steps).signals[0].values[steps]
        assert done.arrived[1][0] == pytest.approx(v[0], abs=0.05)
        assert done.spikes[1][0] - done.arrived[1][0] in (0, 1)


def test_latency_is_the_step_from_which_on_answers_stay():
    net, inputs = converted()
    done = evaluate(net, RateCode(60), inputs, Target("reference", "ideal"))
    labels = done.chosen[-1]
    reached = done.accuracies(labels)
    assert reached[-1] == 1.0
    first = done.latency(labels)
    assert (reached[first:] == 1.0).all() and (first == 0 or reached[first - 1] < 1.0)
