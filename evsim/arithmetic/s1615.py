"""The fixed-point arithmetic of SpiNNaker 1, as the firmware that sPyNNaker 7.4.1 ships executes it.

Numbers are signed 32-bit integers with 15 bits after the point (ISO 18037's ``accum``, s16.15); decays are unsigned
32-bit fractions of one (``unsigned long fract``, u0.32). The scalar functions of the first part take integers whose low
32 bits are a register, have no branches and are compiled into what calls them; those of the second part prepare
constants, once for each value.

Source: executed .aplx binaries of sPyNNaker 7.4.1, which is also what the tests compare with; spinn_common's
``stdfix-exp.c`` for the form of the exponential.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal

import numba
import numpy as np
from numpy.typing import NDArray

from evsim.arithmetic.registers import fraction_of, of_different, of_same, plus, product_from

POINT = 15  # bits after the point of s16.15
ONE = 1 << POINT
LARGEST = (1 << 31) - 1
FRACTION_MAX = (1 << 32) - 1  # the largest u0.32, which stands for 1.0
INPUT_MAX = (1 << 16) - 1  # what a 16-bit slot of the ring buffer holds

_njit = numba.njit(error_model="numpy")

# --- in a time step --------------------------------------------------------------------------------------------------


@_njit
def wrap(x):
    """The low 32 bits as a signed number: what a register keeps."""
    return np.int32(x)


@_njit
def add(a, b):
    """The sum of two registers, wrapped, and whether it was: if both have the sign that the sum has not.

    (A comparison with the sum of 64 bits would become an instruction for one number at a time.)
    """
    total = plus(a, b)
    return total, ((a ^ total) & (b ^ total)) < 0


_product = product_from(POINT, of_different)
_product_with_same = product_from(POINT, of_same)


@_njit
def multiply(a, b):
    """``floor(a * b / 2^15)``, wrapped: the product of two s16.15 is neither rounded nor saturated."""
    return _product(a, b)


@_njit
def multiply_by(x, parameter):
    """``multiply(x, parameter)``, and the faster way to it where all neurons may have the same parameter."""
    return _product_with_same(x, parameter)


@_njit
def decay(x, fraction):
    """``floor(x * fraction / 2^32)``: s16.15 times u0.32, which a register holds as the signed number of its bits."""
    return fraction_of(x, fraction)


@_njit
def saturate_input(total):
    """A slot of the ring buffer: 16 bits, unsigned, saturating."""
    return min(total, np.int64(INPUT_MAX))


# --- constants -------------------------------------------------------------------------------------------------------


def fixed(values: NDArray[np.float64] | float) -> NDArray[np.int64]:
    """The nearest s16.15, ties to even, as sPyNNaker writes parameters; not checked against the range."""
    return np.rint(np.asarray(values, np.float64) * ONE).astype(np.int64)


def is_beyond(values: NDArray[np.float64] | float) -> NDArray[np.bool_]:
    """Whether numbers, rounded, are outside the range of s16.15; of those beyond 64 bits, ``fixed`` cannot tell."""
    return np.abs(np.rint(np.asarray(values, np.float64) * ONE)) > LARGEST


def divide(a: int, b: int) -> int:
    """``floor(2^15 a / b)``, wrapped: the quotient of two s16.15 that are not negative."""
    return _as_signed((a << POINT) // b)


def product(a: int, b: int) -> int:
    """``floor(a b / 2^15)``, wrapped: ``multiply`` for Python's integers."""
    return _as_signed((a * b) >> POINT)


def exponential(x: int) -> int:
    """exp of a s16.15, as s16.15: 0 below its smallest, the largest number above its largest argument."""
    if x > _EXP_OVERFLOW:
        return LARGEST
    return 0 if x < _EXP_UNDERFLOW else _as_signed(_exponential_u3232(x) >> (32 - POINT))


def exponential_fraction(x: int) -> int:
    """exp of a negative s16.15, as u0.32."""
    return 0 if x < _EXP_UNDERFLOW else _exponential_u3232(x) & FRACTION_MAX


def for_each(function: Callable[..., int], *arguments: NDArray[np.int64]) -> NDArray[np.int64]:
    """Apply a function of Python integers to arrays, once for each distinct combination of values."""
    rows = np.stack(np.broadcast_arrays(*arguments), axis=1)
    if (rows == rows[:1]).all():  # as in most populations, and found without sorting
        return np.full(len(rows), function(*rows[0].tolist()) if len(rows) else 0, np.int64)
    distinct, place = np.unique(rows, axis=0, return_inverse=True)
    results = [function(*(int(value) for value in row)) for row in distinct]
    return np.array(results, np.int64)[place.ravel()]


def _as_signed(x: int) -> int:
    return ((x + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)


_PRECISE = Context(prec=60)


def _to_u3232(value: Decimal) -> int:
    return int((value * (1 << 32)).to_integral_value(ROUND_HALF_EVEN, _PRECISE))


# The exponential is e^z e^(-k/16) e^(-y): z is whole, k are sixteenths, and y is the rest, which a parabola covers.
_EXP_LEAST, _EXP_MOST = -13, 12
_EXP_UNDERFLOW, _EXP_OVERFLOW = -340695, 363408  # ln(2^-15) and ln(2^16), times 2^15, as stdfix-exp.c bounds them
_WHOLE = [_to_u3232(_PRECISE.exp(Decimal(z))) for z in range(_EXP_LEAST, _EXP_MOST + 1)]
_SIXTEENTH = [_to_u3232(1 - _PRECISE.exp(Decimal(-k) / 16)) for k in range(16)]
# 1 - e^-y = c0 + y (c1 - y c2): fitted coefficients of stdfix-exp.c, in units of 2^-32
_C0, _C1, _C2 = 5294, 4293434720, 2081624032


def _exponential_u3232(x: int) -> int:
    """exp of a s16.15 within range, as unsigned number with 32 bits on either side of the point."""
    whole, rest = x >> POINT, x & (ONE - 1)
    if rest == 0:
        return _WHOLE[whole - _EXP_LEAST]
    rest = ONE - rest  # down from the next whole number
    result = _WHOLE[whole + 1 - _EXP_LEAST]
    result -= _scaled(result, _SIXTEENTH[rest >> 11])
    return result - _scaled(result, _parabola((rest & 0x7FF) << 17))


def _scaled(x: int, fraction: int) -> int:
    """u32.32 times u0.32, to nearest."""
    return (x * fraction + (1 << 31)) >> 32


def _parabola(y: int) -> int:
    """1 - exp(-y) for y below 1/16, both u0.32."""
    slope = (_C1 - ((_C2 * y) >> 32)) & FRACTION_MAX
    return (_C0 + ((slope * y) >> 32)) & FRACTION_MAX
