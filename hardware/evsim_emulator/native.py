"""What the compiled part of the emulator does that numba has no name for: calls and memory by address."""
# The functions below describe code for LLVM; their first argument is numba's typing context, by its convention.

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic as numba_intrinsic

intrinsic: Any = numba_intrinsic

_I32, _I64, _CHAR_POINTER = ir.IntType(32), ir.IntType(64), ir.IntType(8).as_pointer()


def _call(builder, address, arguments):
    kind = ir.FunctionType(_I32, [_I64] * len(arguments))
    return builder.call(builder.inttoptr(address, kind.as_pointer()), arguments)


@intrinsic
def call(typing, address, a):
    """Call the C function at an address, which returns an int, with one argument of 64 bits."""

    def code(context, builder, signature, arguments):
        return _call(builder, arguments[0], arguments[1:])

    return types.int32(types.int64, types.int64), code


@intrinsic
def call3(typing, address, a, b, c):
    """As ``call``, with three arguments."""

    def code(context, builder, signature, arguments):
        return _call(builder, arguments[0], arguments[1:])

    return types.int32(*[types.int64] * 4), code


@intrinsic
def call5(typing, address, a, b, c, d, e):
    """As ``call``, with five arguments."""

    def code(context, builder, signature, arguments):
        return _call(builder, arguments[0], arguments[1:])

    return types.int32(*[types.int64] * 6), code


def _loader(bits: int):
    def load(typing, address):
        def code(context, builder, signature, arguments):
            value = builder.load(builder.inttoptr(arguments[0], ir.IntType(bits).as_pointer()), align=1)
            return value if bits == 64 else builder.zext(value, _I64)

        return types.int64(types.int64), code

    load.__doc__ = f"The {bits} bits at an address."
    return intrinsic(load)


load8, load64 = _loader(8), _loader(64)


@intrinsic
def store64(typing, address, value):
    """Put 64 bits at an address."""

    def code(context, builder, signature, arguments):
        builder.store(arguments[1], builder.inttoptr(arguments[0], _I64.as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), code


@intrinsic
def copy_memory(typing, target, source, size):
    """Copy bytes between addresses; the two may overlap."""

    def code(context, builder, signature, arguments):
        name = "llvm.memmove.p0.p0.i64"
        kind = ir.FunctionType(ir.VoidType(), [_CHAR_POINTER, _CHAR_POINTER, _I64, ir.IntType(1)])
        function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
        to, of = (builder.inttoptr(argument, _CHAR_POINTER) for argument in arguments[:2])
        builder.call(function, [to, of, arguments[2], ir.Constant(ir.IntType(1), 0)])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), code


def record_at(kind: types.Record) -> Any:
    """A function for compiled code that gives the record of a type that lies at an address."""

    def at(typing, address):
        def code(context, builder, signature, arguments):
            return builder.inttoptr(arguments[0], context.get_value_type(kind))

        return kind(types.int64), code

    return intrinsic(at)
