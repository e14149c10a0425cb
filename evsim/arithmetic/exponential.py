"""The exponential function of float64 in a form that the compiler turns into vector instructions."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, register_jitable

from evsim.arithmetic.fused import fma

_PER_LN2 = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10  # their sum; the first one has 33 bits
_TO_INTEGER = 6755399441055744.0  # 1.5 * 2^52: added to a small number it leaves the nearest integer in the low bits
_SMALLEST, _LARGEST = -708.0, 709.0  # within which 2^k is a normal number
_MANTISSA_BITS = 52
# 1 / k!, from the highest power down; on |x| <= ln(2) / 2 what is cut off is below 2e-17
_SERIES = (
    *(1 / 6227020800, 1 / 479001600, 1 / 39916800, 1 / 3628800, 1 / 362880, 1 / 40320, 1 / 5040),
    *(1 / 720, 1 / 120, 1 / 24, 1 / 6, 0.5, 1.0, 1.0),
)


def _scaled(typingctx: Any, value: Any, power: Any) -> Any:
    """``value`` times 2 to the integer in the low bits of ``power``: an addition to the exponent's field."""
    if value != types.float64 or power != types.float64:
        return None  # numba then says which types it was called with

    def codegen(context, builder, signature, args):
        integer, double = ir.IntType(64), ir.DoubleType()
        value, power = (builder.bitcast(argument, integer) for argument in args)
        shifted = builder.shl(power, ir.Constant(integer, _MANTISSA_BITS))
        return builder.bitcast(builder.add(value, shifted), double)

    return types.float64(value, power), codegen


scaled: Any = intrinsic(_scaled)


@register_jitable
def exp(x):
    """e to the power of ``x``, to 3e-16 of it; beyond -708 and 709 that of these bounds.

    x = k ln(2) + r with |r| <= ln(2) / 2, so that it is 2^k times a short series (Cody and Waite 1980).
    """
    x = min(max(x, _SMALLEST), _LARGEST)
    power = fma(x, _PER_LN2, _TO_INTEGER)
    k = power - _TO_INTEGER
    r = fma(-k, _LN2_LOW, fma(-k, _LN2_HIGH, x))
    c13, c12, c11, c10, c9, c8, c7, c6, c5, c4, c3, c2, c1, c0 = _SERIES
    high = fma(fma(fma(fma(fma(fma(c13, r, c12), r, c11), r, c10), r, c9), r, c8), r, c7)
    return scaled(fma(fma(fma(fma(fma(fma(fma(high, r, c6), r, c5), r, c4), r, c3), r, c2), r, c1), r, c0), power)
