"""Steps that are counted down, as whole floats or as 16-bit integers: a vector of which holds four times as many."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload


def count_down(n: Any) -> Any:
    """One less than n, which is whole, and never below 0; in compiled code of n's type."""
    return max(n - 1, 0)


def _counted(typingctx: Any, n: Any) -> Any:
    """``count_down`` in the width of n, whereas numba computes with 64 bits; LLVM has one instruction for it."""

    def codegen(context, builder, signature, args):
        kind = args[0].type
        some = builder.icmp_signed(">", args[0], ir.Constant(kind, 0))
        return builder.select(some, builder.sub(args[0], ir.Constant(kind, 1)), ir.Constant(kind, 0))

    return n(n), codegen


_less_one: Any = intrinsic(_counted)


@overload(count_down, inline="always")
def _typed(n):
    if isinstance(n, types.Integer):
        return lambda n: _less_one(n)
    return lambda n: n - 1 if n > 0 else 0.0
