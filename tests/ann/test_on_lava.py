"""The comparison with Lava: what is counted as a difference, and what is said where Lava cannot be had."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from evsim.ann import on_lava as module
from evsim.ann.digits import digits
from evsim.ann.evaluate import Converted, ran
from evsim.ann.layers import Ann, Dense, ReLU
from evsim.ann.rate import RateCode
from evsim.ann.stages import stages
from evsim.errors import BackendError, MissingPartError
from evsim.recording import Spikes

LAYERS = (Dense(np.array([[1.0, 0.3]]), np.zeros(1)), ReLU(), Dense(np.array([[1.0], [0.5]]), np.zeros(2)))


def compared(monkeypatch, answer) -> dict:
    ann = Ann("one", (2,), LAYERS, np.arange(2))
    inputs = np.array([[1.0, 0.6], [0.2, 0.9]])

    def run(network, target, steps):
        reference = ran(network, replace(target, backend="reference", options={}), steps)
        return answer(reference) if target.backend == "lava" else reference

    monkeypatch.setattr(module, "ran", run)
    return module.on_lava(Converted(ann, 1.0, stages(ann)), RateCode(20), inputs, 2, 5.0, lambda sentence: None)


def test_equal_runs_have_no_difference(monkeypatch):
    found = compared(monkeypatch, lambda recorded: recorded)
    assert found["ran"] and found["spikes"] > 20 and found["samples"] == 21 * 4
    assert (found["different_spikes"], found["different_samples"]) == (0, 0)


def test_every_difference_counts(monkeypatch):
    def other(recorded):
        first, *rest = recorded.spikes
        signal = recorded.signals[0]
        raw = signal.raw.copy()
        raw[3, 1] += 1
        spikes = (Spikes(first.population, first.times[1:], first.neurons[1:]), *rest)
        return replace(recorded, spikes=spikes, signals=(replace(signal, raw=raw),))

    found = compared(monkeypatch, other)
    assert (found["different_spikes"], found["different_samples"]) == (1, 1)


@pytest.mark.parametrize("error", [BackendError("Lava took longer than 5 s"), MissingPartError("Lava", "lava")])
def test_lava_is_left_out_with_the_reason(monkeypatch, error):
    def failing(recorded):
        raise error

    found = compared(monkeypatch, failing)
    assert not found["ran"] and found["why"] == str(error)


def test_without_scikit_learn_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MissingPartError, match=r"scikit-learn.*evsim\[ann\]"):
        digits()
