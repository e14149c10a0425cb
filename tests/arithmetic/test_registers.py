"""Sums and products of 32-bit registers in loops that become vector instructions, against Python's whole numbers."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from evsim.arithmetic import registers
from evsim.compile import fingerprint

CORNERS = [-(1 << 31), 1 - (1 << 31), -65536, -32768, -1, 0, 1, 32767, 65535, (1 << 30) - 1, (1 << 31) - 1]


def signed(x: int) -> int:
    """The low 32 bits, two's complement."""
    return (x + (1 << 31)) % (1 << 32) - (1 << 31)


FUNCTIONS = {
    "plus": (registers.plus, lambda a, b: a + b),
    "minus": (registers.minus, lambda a, b: a - b),
    "shift_left": (registers.shift_left, lambda a, bits: a << (bits % 32)),
    "fraction_of": (registers.fraction_of, lambda x, fraction: x * (fraction % (1 << 32)) >> 32),
    "different": (registers.product_from(15, registers.of_different), lambda a, b: a * b >> 15),
    "same": (registers.product_from(15, registers.of_same), lambda a, b: a * b >> 15),
    "other bit": (registers.product_from(31, registers.of_same), lambda a, b: a * b >> 31),
}


def loops(function):
    """The function of two arrays, and of an array and a number."""

    @numba.njit
    def of_arrays(a, b, result):
        for n in range(result.size):
            result[n] = function(a[n], b[n])

    @numba.njit
    def of_number(a, b, result):
        for n in range(result.size):
            result[n] = function(a[n], b)

    return of_arrays, of_number


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_lane_of_a_vector_is_exact(name):
    function, exact = FUNCTIONS[name]
    of_arrays, of_number = loops(function)
    rng = np.random.default_rng(1)
    a, b = rng.integers(-(1 << 31), 1 << 31, (2, 1000)).astype(np.int32)
    pairs = np.array([(x, y) for x in CORNERS for y in CORNERS], np.int32)
    a, b = np.concatenate([a, pairs[:, 0]]), np.concatenate([b, pairs[:, 1]])
    result = np.zeros_like(a)
    of_arrays(a, b, result)
    assert result.tolist() == [signed(exact(x, y)) for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    for y in [*CORNERS, *b[:5].tolist()]:
        of_number(a, np.int32(y), result)
        assert result.tolist() == [signed(exact(x, y)) for x in a.tolist()]


def test_only_the_low_32_bits_count():
    @numba.njit
    def total(a, b):
        return registers.plus(a, b)

    assert total(1 << 40 | 5, -3 << 33 | 2) == 7


def test_functions_that_differ_in_a_closure_have_different_caches():
    products = [
        registers.product_from(15, registers.of_same),
        registers.product_from(15, registers.of_different),
        registers.product_from(16, registers.of_same),
    ]
    assert len({fingerprint(product) for product in products}) == 3
