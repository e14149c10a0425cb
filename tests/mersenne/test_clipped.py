"""Clipped normal numbers are those that PyNN draws for one row after the other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyNN.random import NumpyRNG, RandomDistribution

from evsim.errors import EvsimError
from evsim.mersenne import clipped


@given(
    seed=st.integers(0, 10**6),
    counts=st.lists(st.integers(0, 40), min_size=1, max_size=30),
    low=st.floats(-1.5, 0.5),
    width=st.floats(0.1, 6.0),
    block=st.integers(1, 100),
)
@settings(max_examples=80, deadline=None, derandomize=True)
def test_rows(seed, counts, low, width, block):
    parameters = {"mu": 0.2, "sigma": 1.1, "low": low, "high": low + width}
    first = np.concatenate([[0], np.cumsum(counts)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clipped, "BLOCK", block)
        found = list(clipped.normal_clipped(NumpyRNG(seed).rng, first=first, **parameters))
    rows = RandomDistribution("normal_clipped", rng=NumpyRNG(seed), **parameters)
    expected = [rows.next(count) for count in counts]
    assert np.concatenate(found).tolist() == np.concatenate(expected).tolist()


def test_limits_that_are_never_met_are_an_error():
    with pytest.raises(EvsimError, match=r"normal_clipped\(mu=0, sigma=1, low=50, high=60\): values still lie outside"):
        list(clipped.normal_clipped(np.random.RandomState(1), 0.0, 1.0, 50.0, 60.0, np.array([0, 3])))
