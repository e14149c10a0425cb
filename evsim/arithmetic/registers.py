"""Sums and products of 32-bit registers, written so that LLVM makes good vector instructions of them.

numba computes with integers of 64 bits. A vector holds half as many of them, and AVX2 has neither a product nor an
arithmetic shift to the right for them. The functions here are for compiled code; they take integers of any width, of
which they use the low 32 bits, and return integers of 32 bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

BITS = 32
_REGISTER, _WIDE = ir.IntType(BITS), ir.IntType(2 * BITS)


def _of_registers(operation: Callable[[Any, Any, Any], Any]) -> Any:
    """The function of two integers that ``operation(builder, a, b)`` of their low 32 bits is in LLVM's language."""

    @intrinsic
    def function(typingctx, a, b):
        def codegen(context, builder, signature, args):
            low = (
                context.cast(builder, arg, kind, types.int32) for arg, kind in zip(args, signature.args, strict=True)
            )
            return operation(builder, *low)

        return types.int32(a, b), codegen

    return function


def _call(builder: Any, name: str, *args: Any) -> Any:
    kind = ir.FunctionType(_REGISTER, [_REGISTER] * len(args))
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), args)


# --- sums and shifts -------------------------------------------------------------------------------------------------

plus = _of_registers(lambda builder, a, b: builder.add(a, b))
minus = _of_registers(lambda builder, a, b: builder.sub(a, b))
# by 0 to 31 bits; other numbers of bits, which LLVM has to reckon with, are excluded by the mask
shift_left = _of_registers(lambda builder, a, bits: builder.shl(a, builder.and_(bits, _REGISTER(BITS - 1))))


# --- products --------------------------------------------------------------------------------------------------------
#
# A vector's product is made of its even and of its odd lanes, and the high halves of both are put together again. LLVM
# finds that form where it sees both factors extended to 64 bits. A factor that stays the same throughout the loop is
# extended before it, where LLVM does not see that, and then all lanes are moved across the vector, at several times the
# cost. For those there is the product of unsigned numbers as a function, which is lowered to the same form. It is
# larger by 2^32 times the other factor where a factor is negative.


def product_from(bit: int, high_half: Callable[[Any, Any, Any], Any]) -> Any:
    """The function ``floor(a * b / 2^bit)`` of signed a and b, its low 32 bits; 0 < bit < 32.

    Args:
        high_half: how the product's high half is made, ``of_different`` or ``of_same``.
    """

    def operation(builder, a, b):
        return _call(builder, "llvm.fshr.i32", high_half(builder, a, b), builder.mul(a, b), _REGISTER(bit))

    return _of_registers(operation)


def of_different(builder: Any, a: Any, b: Any) -> Any:
    """The high half of the product of two numbers that are different ones in each neuron."""
    product = builder.mul(builder.sext(a, _WIDE), builder.sext(b, _WIDE))
    return builder.trunc(builder.lshr(product, _WIDE(BITS)), _REGISTER)


def of_same(builder: Any, a: Any, b: Any) -> Any:
    """The high half of the product where b may be the same in all neurons."""
    return builder.sub(_fraction_of(builder, a, b), _if_negative(builder, b, a))


def _fraction_of(builder: Any, x: Any, fraction: Any) -> Any:
    return builder.sub(_unsigned_high_half(builder, x, fraction), _if_negative(builder, x, fraction))


def _unsigned_high_half(builder: Any, a: Any, b: Any) -> Any:
    """A product of fixed-point numbers without whole bits. It is floored, as LLVM does on all its targets, though its
    Language Reference leaves the rounding open."""
    return _call(builder, "llvm.umul.fix.i32", a, b, _REGISTER(BITS))


def _if_negative(builder: Any, a: Any, x: Any) -> Any:
    """x where a is negative, else 0.

    It is the lesser of x and the bits of a's sign as unsigned numbers; LLVM makes a branch in the loop of their ``and``
    where a stays the same throughout.
    """
    return _call(builder, "llvm.umin.i32", x, builder.ashr(a, _REGISTER(BITS - 1)))


# floor(x * fraction / 2^32) of a signed x and an unsigned fraction, which may be the same in all neurons
fraction_of = _of_registers(_fraction_of)
