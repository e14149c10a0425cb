"""Numbers as spikes."""

from __future__ import annotations

import numpy as np
import pytest

from evsim.ann.encode import bernoulli, first_spike, regular


def test_regular_spikes_are_never_half_a_spike_off():
    values, steps, peak = np.array([0.0, 0.07, 0.33, 0.5, 1.0, 1.7]), 90, 0.8
    trains = regular(values, steps, peak)
    for value, train in zip(values, trains, strict=True):
        count = np.searchsorted(train, np.arange(steps), "right")
        assert np.abs(count - min(value, 1) * peak * np.arange(1, steps + 1)).max() <= 0.5 + 1e-9
        assert len(set(train)) == len(train)


def test_random_spikes_have_their_rate_and_are_the_same_each_time():
    values = np.array([0.0, 0.2, 0.9])
    trains = bernoulli(values, 20_000, 0.5, 3)
    assert [len(train) / 20_000 for train in trains] == pytest.approx([0.0, 0.1, 0.45], abs=0.01)
    again = bernoulli(values, 20_000, 0.5, 3)
    assert all((one == other).all() for one, other in zip(trains, again, strict=True))


def test_larger_numbers_spike_earlier():
    assert list(first_spike(np.array([0.0, 0.25, 0.49, 1.0, 2.0]), 8)) == [8, 6, 4, 0, 0]
