"""The fused multiply-add against exact arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numba
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from evsim.arithmetic.fused import fma

number = st.floats(-1e100, 1e100).filter(lambda x: x == 0 or abs(x) > 1e-100)


@numba.njit
def fused(a, b, c):
    return fma(a, b, c)


@numba.njit
def fused_in_a_loop(a, b, c, found):
    for i in range(a.size):
        found[i] = fma(a[i], b[i], c[i])


@settings(deadline=None, derandomize=True)  # the first call compiles
@given(st.lists(st.tuples(number, number, number), min_size=1, max_size=20))
@example([(1 + 2.0**-30, 1 - 2.0**-30, -1.0)])  # whose product alone is rounded to 1
def test_it_is_rounded_once(rows):
    a, b, c = np.array(rows).T.copy()
    exact = [float(Fraction(x) * Fraction(y) + Fraction(z)) for x, y, z in rows]
    found = np.empty(len(rows))
    fused_in_a_loop(a, b, c, found)  # in vectors, and one by one in the rest of the loop
    assert found.tolist() == exact
    assert [fused(*row) for row in rows] == exact


def test_it_is_of_float64_only():
    with pytest.raises(numba.TypingError, match="_fused"):
        fused(1, 2.0, 3.0)
