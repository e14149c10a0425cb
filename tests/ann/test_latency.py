"""Latency code, against the closed form: a spike comes W (1 - y) steps after its layer's window begins."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from evsim.ann.evaluate import Converted, evaluate, ran
from evsim.ann.latency import LatencyCode
from evsim.ann.layers import Ann, Dense, ReLU
from evsim.ann.stages import Stage, balanced, stages
from evsim.backend import Target
from evsim.chip import load_chip

CHIPS = ["ideal", "loihi2", "spinnaker1"]


def two_stages(rng: np.random.Generator) -> list[Stage]:
    first = Stage("first", sparse.csr_matrix(rng.normal(0, 0.4, (20, 8))), rng.normal(0, 0.2, 20))
    return [first, Stage("last", sparse.csr_matrix(rng.normal(0, 0.3, (3, 20))), rng.normal(0, 0.2, 3))]


@pytest.mark.parametrize("chip", CHIPS)
def test_spikes_come_when_the_closed_form_says(chip):
    rng = np.random.default_rng(0)
    found, code, window = two_stages(rng), LatencyCode(24), 24
    rules = load_chip(chip).rules
    inputs = np.rint(rng.random((5, 8)) * window) / window
    recorded = ran(code.network(found, inputs, 1.0, rules), Target("reference", chip), code.steps(found, rules) + 1)
    (spikes,) = (train for train in recorded.spikes if train.population == 2)
    assert (np.bincount(spikes.neurons, minlength=100) == 1).all()
    when = np.empty(100)
    when[spikes.neurons] = spikes.times
    y = np.clip(inputs @ found[0].matrix.toarray().T + found[0].bias, 0, 1).ravel()
    begins = window + 1 - (1 - rules.spike_label)  # of the labels of the first stage's spikes
    late = when - (begins + window * (1 - y))
    # a neuron far below 0 may take a step or two more to be pushed over its threshold
    assert np.abs(late).max() <= (1.01 if chip == "ideal" else 2.01)
    assert np.abs(late).mean() < (0.4 if chip == "ideal" else 0.6)


@pytest.mark.parametrize("chip", CHIPS)
def test_outputs_are_those_of_the_ann(chip):
    rng = np.random.default_rng(1)
    found, window = two_stages(rng), 32
    code, rules = LatencyCode(window), load_chip(chip).rules
    inputs = rng.random((20, 8))
    recorded = ran(code.network(found, inputs, 1.0, rules), Target("reference", chip), code.steps(found, rules))
    (outputs,) = recorded.signals
    hidden = np.clip(inputs @ found[0].matrix.toarray().T + found[0].bias, 0, 1)
    expected = hidden @ found[1].matrix.toarray().T + found[1].bias
    assert np.abs(outputs.values[-1].reshape(20, 3) - expected).max() < 0.15
    assert np.abs(outputs.values[-1].reshape(20, 3) - expected).mean() < 0.03


def test_each_neuron_spikes_once_and_each_synapse_once():
    rng = np.random.default_rng(2)
    layers = (Dense(rng.normal(0, 0.4, (9, 6)), rng.normal(0, 0.1, 9)), ReLU(),
              Dense(rng.normal(0, 0.4, (4, 9)), rng.normal(0, 0.1, 4)))  # fmt: skip
    ann = Ann("net", (6,), layers, np.arange(4))
    inputs = rng.random((30, 6))
    converted = Converted(ann, *balanced(stages(ann), inputs, 100))
    done = evaluate(converted, LatencyCode(64), inputs, Target("reference", "ideal"))
    labels = [population.label for population in done.network.populations]
    assert labels == ["input", "clock 0", "0 Dense", "clock 1", "2 Dense"]
    assert (done.spikes[0] == 30).all() and (done.spikes[2] == 30).all()
    assert np.mean(done.chosen[-1] == ann.choose(ann.outputs(inputs))) >= 0.96
