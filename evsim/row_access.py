"""Reading and writing rows in a loop that the compiler can vectorise, and how wide its vectors are.

A loop over neurons reads and writes many rows, and LLVM gives up when it would have to check at run time that none of
them overlap. The rows of a step never do, which ``get`` and ``put`` tell it by scoped alias metadata (LLVM Language
Reference, "'noalias' and 'alias.scope' Metadata"). Every row that is written has a scope, a number from 0 on; rows that
are only read have the scope -1. Both numbers must be literals.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

READ_ONLY = -1

_SHORT = ir.IntType(16)

# LLVM makes vectors of 256 bits on processors that can do 512, since early ones ran slower with those; a step of
# neurons is up to twice as quick with the wide ones. Other processors know nothing of this attribute.
_WIDE_VECTORS = '"prefer-vector-width"="512"'


@intrinsic
def use_wide_vectors(typingctx):
    """Let the compiler use the widest vectors that there are in the function that says so."""

    def codegen(context, builder, signature, args):
        set.add(builder.function.attributes, _WIDE_VECTORS)  # llvmlite's own ``add`` knows a few names alone
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic(prefer_literal=True)
def get(typingctx, row, n, scope, scopes):
    """``row[n]``, 0 <= n < row.size; an integer as one of 64 bits.

    Args:
        scope: the scope of the row.
        scopes: how many scopes the loop has.
    """
    wide = types.int64 if isinstance(row.dtype, types.Integer) else row.dtype

    def codegen(context, builder, signature, args):
        kind, _, scope, scopes = signature.args
        value = builder.load(_address(context, builder, kind, args[0], args[1]))
        _say_alias(builder.module, value, scope.literal_value, scopes.literal_value)
        return context.cast(builder, value, kind.dtype, wide)

    return wide(row, types.int64, scope, scopes), codegen


@intrinsic(prefer_literal=True)
def put(typingctx, row, n, scope, scopes, value):
    """``row[n] = value``, an integer by its low bits; the other arguments are those of ``get``."""

    def codegen(context, builder, signature, args):
        kind, _, scope, scopes, given = signature.args
        address = _address(context, builder, kind, args[0], args[1])
        stored = builder.store(context.cast(builder, args[4], given, kind.dtype), address)
        _say_alias(builder.module, stored, scope.literal_value, scopes.literal_value)
        return context.get_dummy_value()

    return types.void(row, types.int64, scope, scopes, value), codegen


@intrinsic(prefer_literal=True)
def get_short(typingctx, row, n, scope, scopes):
    """A whole number of a short row, of 16 bits each, which fill the beginning of the row."""

    def codegen(context, builder, signature, args):
        kind, _, scope, scopes = signature.args
        value = builder.load(_short_address(context, builder, kind, args[0], args[1]))
        _say_alias(builder.module, value, scope.literal_value, scopes.literal_value)
        return value

    return types.int16(row, types.int64, scope, scopes), codegen


@intrinsic(prefer_literal=True)
def put_short(typingctx, row, n, scope, scopes, value):
    """Write a number of a short row, between 0 and 2^15 - 1."""

    def codegen(context, builder, signature, args):
        kind, _, scope, scopes, given = signature.args
        short = context.cast(builder, args[4], given, types.int16)
        stored = builder.store(short, _short_address(context, builder, kind, args[0], args[1]))
        _say_alias(builder.module, stored, scope.literal_value, scopes.literal_value)
        return context.get_dummy_value()

    return types.void(row, types.int64, scope, scopes, value), codegen


def _short_address(context: Any, builder: Any, kind: types.Array, row: Any, n: Any) -> Any:
    begin = context.make_array(kind)(context, builder, row).data
    return builder.gep(builder.bitcast(begin, _SHORT.as_pointer()), [n], inbounds=True)


def _address(context: Any, builder: Any, kind: types.Array, row: Any, n: Any) -> Any:
    return builder.gep(context.make_array(kind)(context, builder, row).data, [n], inbounds=True)


def _say_alias(module: ir.Module, access: Any, scope: int, scopes: int) -> None:
    """Declare that a load or store touches the row of its scope and none of the other scopes."""
    domain = module.add_metadata(["evsim rows"])
    every = [module.add_metadata([f"evsim row {k}", domain]) for k in range(scopes)]
    own = [every.pop(scope)] if scope != READ_ONLY else []
    if own:
        access.set_metadata("alias.scope", module.add_metadata(own))
    if every:
        access.set_metadata("noalias", module.add_metadata(every))
