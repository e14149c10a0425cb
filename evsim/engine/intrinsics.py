"""What numba has no name for: prefetch, atomic flags, the time-stamp counter, parts of arrays, tiny floats, calls."""
# The functions below describe code for LLVM; their first argument is numba's typing context, by its convention.

from __future__ import annotations

import platform
from typing import Any

from llvmlite import ir
from numba import extending, types
from numba.core import cgutils
from numba.np.arrayobj import populate_array

intrinsic: Any = extending.intrinsic  # what it makes has not the arguments of the function that it is given

_I32, _I64, _F64 = ir.IntType(32), ir.IntType(64), ir.DoubleType()
_IS_X86 = platform.machine() in ("x86_64", "AMD64")
_IS_ARM = platform.machine() in ("aarch64", "arm64")
_CHAR_POINTER = ir.IntType(8).as_pointer()


def _external(builder, name: str, kind: ir.FunctionType):
    module = builder.module
    return module.globals.get(name) or ir.Function(module, kind, name)


def _address(context, builder, kind, array, index):
    return builder.gep(context.make_array(kind)(context, builder, array).data, [index])


@intrinsic
def prefetch(typing, array, index):
    """Ask for the cache line of ``array[index]``, which may lie outside the array."""

    def code(context, builder, signature, arguments):
        address = _address(context, builder, signature.args[0], arguments[0], arguments[1])
        function = _external(
            builder, "llvm.prefetch.p0", ir.FunctionType(ir.VoidType(), [_CHAR_POINTER, _I32, _I32, _I32])
        )
        read, keep, data = (ir.Constant(_I32, value) for value in (0, 3, 1))
        builder.call(function, [builder.bitcast(address, _CHAR_POINTER), read, keep, data])
        return context.get_dummy_value()

    return types.void(array, types.int64), code


@intrinsic
def load_acquire(typing, array, index):
    """``array[index]`` of int64, before anything that is read after it."""

    def code(context, builder, signature, arguments):
        return builder.load_atomic(_address(context, builder, signature.args[0], *arguments), "acquire", 8)

    return types.int64(array, types.int64), code


@intrinsic
def store_release(typing, array, index, value):
    """``array[index] = value`` of int64, after everything that was written before it."""

    def code(context, builder, signature, arguments):
        address = _address(context, builder, signature.args[0], arguments[0], arguments[1])
        builder.store_atomic(arguments[2], address, "release", 8)
        return context.get_dummy_value()

    return types.void(array, types.int64, types.int64), code


@intrinsic
def give_way(typing):
    """Let another thread have this core (``sched_yield`` of the C library)."""

    def code(context, builder, signature, arguments):
        builder.call(_external(builder, "sched_yield", ir.FunctionType(_I32, [])), [])
        return context.get_dummy_value()

    return types.void(), code


@intrinsic
def breathe(typing):
    """Tell the processor that this thread is waiting in a loop, where it has such an instruction."""

    def code(context, builder, signature, arguments):
        if _IS_X86:
            builder.call(_external(builder, "llvm.x86.sse2.pause", ir.FunctionType(ir.VoidType(), [])), [])
        return context.get_dummy_value()

    return types.void(), code


@intrinsic
def ticks(typing):
    """The time-stamp counter of the processor."""

    def code(context, builder, signature, arguments):
        return builder.call(_external(builder, "llvm.readcyclecounter", ir.FunctionType(_I64, [])), [])

    return types.int64(), code


@intrinsic
def trailing_zeros(typing, word):
    """How many bits of a uint64 lie below its lowest 1; of 0 it is 64."""

    def code(context, builder, signature, arguments):
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), code


@intrinsic
def copy_line(typing, source, begin, target, at):
    """Copy the 64 bytes from ``source[begin]`` on to ``target[at]``, in one vector; both hold the same type."""

    def code(context, builder, signature, arguments):
        vector = ir.VectorType(_I64, 8).as_pointer()
        from_ = _address(context, builder, signature.args[0], arguments[0], arguments[1])
        to = _address(context, builder, signature.args[2], arguments[2], arguments[3])
        line = builder.load(builder.bitcast(from_, vector), align=source.dtype.bitwidth // 8)
        builder.store(line, builder.bitcast(to, vector), align=source.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(source, types.int64, target, types.int64), code


@intrinsic
def flush_tiny(typing):
    """Let floats below 2.3e-308 count as 0 in this thread, as they are or come up; returns what ``restore_tiny`` needs.

    Such numbers are what is left of a state that has decayed for long. A processor takes a hundred times as long for
    one, and they never become 0 but stay at the smallest, so that nothing is ever at rest.
    """

    def code(context, builder, signature, arguments):
        before = _control(builder)
        _set_control(builder, builder.or_(before, ir.Constant(_I64, _FLUSH)))
        return before

    return types.int64(), code


@intrinsic
def restore_tiny(typing, before):
    """Undo ``flush_tiny``."""

    def code(context, builder, signature, arguments):
        _set_control(builder, arguments[0])
        return context.get_dummy_value()

    return types.void(types.int64), code


# The register that controls floats, MXCSR or FPCR, and the bits FTZ and DAZ or FZ of it; other processors are let be.
_FLUSH = (1 << 15 | 1 << 6) if _IS_X86 else (1 << 24)


def _control(builder):
    if _IS_X86:
        place = builder.alloca(_I32)
        kind = ir.FunctionType(ir.VoidType(), [_CHAR_POINTER])
        builder.call(_external(builder, "llvm.x86.sse.stmxcsr", kind), [builder.bitcast(place, _CHAR_POINTER)])
        return builder.zext(builder.load(place), _I64)
    if _IS_ARM:
        return builder.call(_external(builder, "llvm.aarch64.get.fpcr", ir.FunctionType(_I64, [])), [])
    return ir.Constant(_I64, 0)


def _set_control(builder, value):
    if _IS_X86:
        place = builder.alloca(_I32)
        builder.store(builder.trunc(value, _I32), place)
        kind = ir.FunctionType(ir.VoidType(), [_CHAR_POINTER])
        builder.call(_external(builder, "llvm.x86.sse.ldmxcsr", kind), [builder.bitcast(place, _CHAR_POINTER)])
    elif _IS_ARM:
        builder.call(_external(builder, "llvm.aarch64.set.fpcr", ir.FunctionType(ir.VoidType(), [_I64])), [value])


@intrinsic
def shift_right(typing, value, count):
    """A signed integer divided by 2**count, toward minus infinity; a float as it is."""

    def code(context, builder, signature, arguments):
        return arguments[0] if signature.args[0] == types.float64 else builder.ashr(*arguments)

    return value(value, types.int64), code


@intrinsic
def span(typing, array, begin, size):
    """``array[begin : begin + size]``, which must lie within; for lean functions.

    numba's own slices look whether they do, and what they do if not is more code than most loops over them.
    """

    def code(context, builder, signature, arguments):
        place = _address(context, builder, signature.args[0], arguments[0], arguments[1])
        return _view(context, builder, signature.return_type, place, arguments[2:])

    return types.Array(array.dtype, 1, "C")(array, types.int64, types.int64), code


@intrinsic
def table(typing, array, begin, rows, width):
    """``array[begin : begin + rows * width].reshape((rows, width))``; as ``span``."""

    def code(context, builder, signature, arguments):
        place = _address(context, builder, signature.args[0], arguments[0], arguments[1])
        return _view(context, builder, signature.return_type, place, arguments[2:])

    return types.Array(array.dtype, 2, "C")(array, types.int64, types.int64, types.int64), code


def _view(context, builder, kind, data, shape):
    """The array of a kind, in C's order, that begins at an address and nobody owns."""
    stride = ir.Constant(_I64, context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    itemsize, strides = stride, []
    for extent in reversed(shape):
        strides.insert(0, stride)
        stride = builder.mul(stride, extent)
    array = context.make_array(kind)(context, builder)
    populate_array(array, data=data, shape=list(shape), strides=strides, itemsize=itemsize, meminfo=None)
    return array._getvalue()


@intrinsic
def call_at(typing, address, values):
    """Call the native function at an address (int64) with a tuple of values of just its types; returns its int64."""

    def code(context, builder, signature, arguments):
        given = cgutils.unpack_tuple(builder, arguments[1])
        kind = ir.FunctionType(_I64, [value.type for value in given])
        return builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), given)

    return types.int64(types.int64, values), code


@intrinsic
def call_law(typing, address, rows, numbers):
    """Call the native function at an address (int64) with pointers to arrays and with numbers; returns its int64.

    Args:
        rows: a tuple of arrays, each of which is given by its first element.
        numbers: a tuple of integers and floats of 64 bits, each given as it is.
    """

    def code(context, builder, signature, arguments):
        _, kinds, others = signature.args
        given = [
            context.make_array(kind)(context, builder, array).data
            for kind, array in zip(kinds, cgutils.unpack_tuple(builder, arguments[1]), strict=True)
        ]
        given += cgutils.unpack_tuple(builder, arguments[2], len(others))
        kind = ir.FunctionType(_I64, [value.type for value in given])
        return builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), given)

    return types.int64(types.int64, rows, numbers), code


@intrinsic
def synapse_weight(typing, item, weight):
    """The weight of a synapse; the low 16 bits of every item are its target.

    uint16: ``weight``, that of the lane; uint64: a signed number of 48 bits, in units of ``weight``; int32: a signed
    number of 16 bits; uint32: an unsigned one.
    """

    def code(context, builder, signature, arguments):
        kind = signature.args[0]
        if kind == types.uint16:
            return arguments[1]
        if kind == types.uint64:
            units = builder.sitofp(builder.ashr(arguments[0], ir.Constant(_I64, 16)), _F64)
            return builder.fmul(units, arguments[1])
        shift = builder.ashr if kind == types.int32 else builder.lshr
        return shift(arguments[0], ir.Constant(_I32, 16))

    return weight(item, weight), code
