"""Loihi's integer primitives against their definitions in exact arithmetic."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from evsim.arithmetic import loihi

state = st.integers(-(2**31), 2**31 - 1)


@settings(deadline=None, derandomize=True)  # the first call compiles
@given(state, st.integers(0, loihi.DECAY_ONE))
def test_decay_rounds_the_magnitude_down(x, kept):
    magnitude = floor(Fraction(abs(x) * kept, loihi.DECAY_ONE))
    assert loihi.decay_toward_zero(x, kept) == (magnitude if x >= 0 else -magnitude)


@settings(deadline=None, derandomize=True)
@given(state)
def test_a_decay_without_input_settles(x):
    for _ in range(200_000):
        if x == (x := int(loihi.decay_toward_zero(x, 3000))):
            break
    assert abs(x) <= loihi.DECAY_ONE // (loihi.DECAY_ONE - 3000)


@settings(deadline=None, derandomize=True)
@given(state)
def test_wrap_is_a_single_fold_that_keeps_what_fits(u):
    wrapped = int(loihi.wrap_once(u))
    limit = loihi.STATE_LIMIT
    if -limit < u <= limit:
        assert wrapped == u
    elif -3 * limit < u <= 3 * limit:
        assert -limit < wrapped <= limit and (wrapped - u) % (2 * limit) == 0
    else:
        assert abs(wrapped) >= limit


def test_wrap_at_the_ends_of_the_register():
    """Lava keeps +2**23, where two's complement would turn it negative."""
    limit = loihi.STATE_LIMIT
    assert [int(loihi.wrap_once(u)) for u in (limit, limit + 1, -limit + 1, -limit)] == [
        limit,
        -limit + 1,
        -limit + 1,
        limit,
    ]


@settings(deadline=None, derandomize=True)
@given(state, st.integers(0, 2**31 - 1))
def test_clip_holds_both_ends(x, limit):
    assert loihi.clip(x, limit) == sorted((-limit, x, limit))[1]


@given(st.integers(-(2**20), 2**20), st.integers(-8, 7))
def test_shift_rounds_toward_minus_infinity(x, exponent):
    assert loihi.shift_floor(np.array([x]), exponent)[0] == floor(x * Fraction(2) ** exponent)


@given(st.integers(-loihi.BIAS_MANTISSA_MAX, loihi.BIAS_MANTISSA_MAX), st.integers(0, loihi.BIAS_EXPONENT_MAX))
def test_bias_registers_hold_every_bias_that_they_can(mantissa, exponent):
    bias = np.array([mantissa << exponent], np.int32)
    found, shift = loihi.bias_registers(bias)
    assert found[0] << shift[0] == bias[0]
    assert abs(found[0]) <= loihi.BIAS_MANTISSA_MAX and 0 <= shift[0] <= loihi.BIAS_EXPONENT_MAX
