"""The arithmetic of Loihi's learning engine: nothing is lost on average, and weights stay where they can be held."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evsim.arithmetic.loihi_learning import ACCUMULATOR_MAX, POINT, TRACE_MAX, changed, decayed, with_impulse

GRID = (np.arange(1 << 12) + 0.5) / (1 << 12)  # random numbers that are evenly spread


@settings(deadline=None, derandomize=True)
@given(trace=st.integers(0, TRACE_MAX), tau=st.integers(1, 255))
def test_a_trace_decays_exactly_on_average(trace: int, tau: int):
    kept = float(np.exp(-1 / tau))
    after = [decayed(trace, kept, random) for random in GRID]
    assert np.mean(after) == pytest.approx(kept * trace, abs=1 / len(GRID))
    assert max(after) - min(after) <= 1 and min(after) >= 0 and max(after) <= trace


def test_a_trace_is_full_at_7_bits():
    assert with_impulse(100, 27) == TRACE_MAX == with_impulse(127, 1)


@settings(deadline=None, derandomize=True)
@given(weight=st.integers(0, 255), down=st.integers(-20000, 0), up=st.integers(0, 20000), inhibitory=st.booleans())
def test_a_weight_changes_exactly_on_average_and_stays_within_its_bounds(weight, down, up, inhibitory):
    sign = -1 if inhibitory else 1
    after = [changed(sign * weight, sign * down, sign * up, random, inhibitory) for random in GRID[::32]]
    exact = weight + Fraction(down, 1 << POINT)
    exact = exact + Fraction(up, 1 << POINT)
    if 0 <= exact <= 255 and sign * exact * (1 << POINT) <= ACCUMULATOR_MAX:
        assert np.mean(after) == pytest.approx(sign * float(exact), abs=1 / 128 + 1e-9)
    assert all(0 <= sign * value <= 255 for value in after)


def test_products_saturate_one_after_the_other():
    """A weight of 255 that is raised and lowered at once: the sum is held at the end of the accumulator each time."""
    assert changed(255, -128, 128, 0.5, False) == 255
    assert changed(255, 20000, -20000, 0.5, False) == (ACCUMULATOR_MAX - 20000) // 128 + (96 / 128 > 0.5)
