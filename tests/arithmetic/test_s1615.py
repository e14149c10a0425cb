"""s16.15 arithmetic against whole-number and decimal mathematics."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evsim.arithmetic import s1615

exactly = settings(derandomize=True, deadline=None, max_examples=300)
# stdfix-exp.c fits a parabola to exp(-y) for y below 1/16, which leaves this relative error
PARABOLA_ERROR = Decimal(2) ** -19
registers = st.integers(-(1 << 31), (1 << 31) - 1)


def signed(x: int) -> int:
    """The low 32 bits, two's complement."""
    return int.from_bytes((x & 0xFFFFFFFF).to_bytes(4, "little"), "little", signed=True)


@exactly
@given(registers, registers)
def test_a_product_is_floored_and_wrapped(a, b):
    assert s1615.multiply(a, b) == s1615.multiply_by(a, b) == signed(a * b // 2**15)


@exactly
@given(registers, registers)
def test_a_sum_is_wrapped_and_says_so(a, b):
    assert s1615.add(a, b) == (signed(a + b), signed(a + b) != a + b)


@exactly
@given(registers, st.integers(0, 2**32 - 1))
def test_a_decay_is_floored(x, fraction):
    assert s1615.decay(x, fraction) == s1615.decay(x, signed(fraction)) == x * fraction // 2**32


@exactly
@given(st.integers(-(2**62), 2**62))
def test_a_register_keeps_the_low_32_bits(x):
    assert s1615.wrap(x) == signed(x)


@given(st.integers(0, 2**31 - 1))
@exactly
def test_a_slot_holds_16_bits(total):
    assert s1615.saturate_input(total) == min(total, 65535)


@exactly
@given(st.integers(0, 2**31 - 1), st.integers(1, 2**31 - 1))
def test_a_quotient_is_floored_and_wrapped(a, b):
    assert s1615.divide(a, b) == signed(int(Decimal(a) * 2**15 // Decimal(b)))


def true_exponential(x: int, bits: int) -> Decimal:
    with localcontext() as context:
        context.prec = 50
        return (Decimal(x) / 2**15).exp() * 2**bits


@exactly
@given(st.integers(-340695, 340000))
def test_the_exponential_is_that_of_the_decimals(x):
    true = true_exponential(x, 15)
    assert abs(Decimal(s1615.exponential(x)) - true) <= 1 + true * PARABOLA_ERROR


@exactly
@given(st.integers(-340695, -1))
def test_a_decay_fraction_is_the_exponential(x):
    true = true_exponential(x, 32)
    assert abs(Decimal(s1615.exponential_fraction(x)) - true) <= 2 + true * PARABOLA_ERROR


@pytest.mark.parametrize(("x", "expected"), [(363409, s1615.LARGEST), (-340696, 0)])
def test_the_exponential_saturates(x, expected):
    assert s1615.exponential(x) == expected


@exactly
@given(st.floats(-65535, 65535))
def test_parameters_are_held_to_the_nearest(value):
    assert abs(int(s1615.fixed(value)) - value * 2**15) <= 0.5


@pytest.mark.parametrize(
    "value, expected", [(0.1, 3277), (1.0, 32768), (-65.0, -65 * 32768), (2**-16, 0), (3 * 2**-16, 2)]
)
def test_ties_go_to_the_even_number(value, expected):
    assert s1615.fixed(value) == expected


def test_numbers_beyond_the_range_are_told_however_large():
    inside, beyond = [65535.99998, -65535.99998, 0.0], [65536.0, -65536.0, 1e15, -1e30, 1e300]
    assert not s1615.is_beyond(np.array(inside)).any()
    assert s1615.is_beyond(np.array(beyond)).all()


def test_a_function_is_applied_to_every_cell():
    a, b = np.array([6, 8, 6, 8], np.int64), np.array([4], np.int64)
    assert list(s1615.for_each(s1615.divide, a, b)) == [49152, 65536, 49152, 65536]


@pytest.mark.parametrize("n", [0, 1, 3])
def test_cells_that_are_all_alike_are_counted_once(n):
    called = []

    def halved(a, b):
        called.append((a, b))
        return a // b

    assert list(s1615.for_each(halved, np.full(n, 7), np.array([2]))) == [3] * n
    assert called == [(7, 2)] * min(n, 1)
