"""exp against numpy's in extended precision."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from evsim.arithmetic.exponential import exp

evaluate = numba.vectorize(["float64(float64)"])(lambda x: exp(x))


@pytest.mark.parametrize("bound", [0.4, 1.0, 30.0, 708.0])
def test_it_is_exact_to_the_last_bit_but_one(bound):
    x = np.random.default_rng(1).uniform(-bound, bound, 100_000)
    expected = np.exp(x.astype(np.longdouble))
    assert float(np.abs((evaluate(x) - expected) / expected).max()) < 3e-16


def test_it_stays_a_number_at_its_ends():
    ends = evaluate(np.array([-np.inf, -709.0, -708.0, 0.0, 709.0, 1e6, np.inf]))
    assert (np.diff(ends) >= 0).all() and ends[3] == 1.0
    assert ends[0] > 0.0 and np.isfinite(ends[-1])
