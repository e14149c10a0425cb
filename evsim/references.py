"""Named tuples of arrays that compiled functions read where they lie.

numba passes a tuple of arrays word by word, through every call and every assignment: hundreds of words, and code for
each of them. A reference is one pointer. What it points to is written by ``Referred``: a 64-bit word for each number;
for each array its address and its shape; a named tuple within it lies there in full. To read an attribute of it is to
load it, which the compiler may move out of loops, because nothing changes a tuple while a function runs.
"""

from __future__ import annotations

import hashlib
import struct
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np
from llvmlite import ir
from numba import extending, types
from numba.core.typing.templates import AttributeTemplate
from numba.np.arrayobj import populate_array

_WORD = ir.IntType(64)
_SOURCE = Path(__file__).read_bytes()  # part of a type's name, so that no cache outlives a change of what follows


class Field(NamedTuple):
    """One attribute: its numba type, and which word is its first."""

    type: Any
    word: int


class Reference(types.Type):
    """The numba type of a reference to a named tuple.

    Args:
        title: of the tuple's class.
        members: name and numba type of each field; of a named tuple, that of a reference to it.
    """

    def __init__(self, title: str, members: tuple[tuple[str, Any], ...]) -> None:
        self.title, self.members, self.fields = title, members, {}
        words = 0
        for name, kind in members:
            self.fields[name] = Field(kind, words)
            words += _length(kind)
        self.words = words
        digest = hashlib.sha256(_SOURCE + repr([(name, str(kind)) for name, kind in members]).encode()).hexdigest()
        super().__init__(f"{title}@{digest[:12]}")  # a short name, since it goes into those of all that take it


def _length(kind: Any) -> int:
    """The number of words of a field."""
    if isinstance(kind, Reference):
        return kind.words
    if isinstance(kind, types.Array):
        return 1 + kind.ndim
    return 1


class Referred:
    """A named tuple as compiled functions read it; what it holds stays alive as long as this.

    Args:
        value: the tuple; named tuples in it may be referred to already, which saves writing them once more.
        others: what it holds the addresses of.

    Attributes:
        value: the tuple.
        type: the numba type of references to it.
        address: where its words lie.

    Raises:
        TypeError: a field is neither a number, nor an array in C's order, nor a named tuple of such.
    """

    def __init__(self, value: Any, *others: Referred) -> None:
        self.value, self._others = value, others
        self._kind, words = _read_out(value)
        self.type = _reference_type(self._kind)
        self._words = np.array(words, np.int64)
        self.address = self._words.ctypes.data


def _read_out(value: Any) -> tuple[tuple, list[int]]:
    """What kind of named tuple this is (its class, and what kind each field is), and its words."""
    if isinstance(value, Referred):
        return value._kind, value._words.tolist()
    kinds: list[Any] = [type(value)]
    words: list[int] = []
    for name, member in zip(value._fields, value, strict=True):
        if isinstance(member, np.ndarray):
            if not member.flags.c_contiguous:
                raise TypeError(f"{name} is an array that does not lie in C's order, so it cannot be referred to")
            kinds.append((member.dtype, member.ndim))
            words.append(member.__array_interface__["data"][0])
            words += member.shape
        elif isinstance(member, (bool, np.bool_)):
            kinds.append(bool)
            words.append(int(member))
        elif isinstance(member, (int, np.integer)):
            kinds.append(int)
            words.append(int(member))
        elif isinstance(member, float):
            kinds.append(float)
            words.append(struct.unpack("q", struct.pack("d", member))[0])
        elif isinstance(member, Referred) or hasattr(member, "_fields"):
            kind, more = _read_out(member)
            kinds.append(kind)
            words += more
        else:
            raise TypeError(f"{name} is of type {type(member).__name__}, which cannot be referred to")
    return tuple(kinds), words


_NUMBERS = {bool: types.boolean, int: types.int64, float: types.float64}


@cache
def _reference_type(kind: tuple) -> Reference:
    """The numba type of references to a kind of named tuple."""
    title, *members = kind
    return Reference(title.__name__, tuple(zip(title._fields, map(_field_type, members), strict=True)))


def _field_type(kind: Any) -> Any:
    if kind in _NUMBERS:
        return _NUMBERS[kind]
    if isinstance(kind[0], np.dtype):
        dtype, ndim = kind
        return types.Array(numba.from_dtype(dtype), ndim, "C")
    return _reference_type(kind)


# --- for the compiler ------------------------------------------------------------------------------------------------


@extending.typeof_impl.register(Referred)
def _typeof(value, context):
    return value.type


@extending.register_model(Reference)
class _Model(extending.models.PrimitiveModel):
    def __init__(self, manager, kind) -> None:
        super().__init__(manager, kind, _WORD.as_pointer())


@extending.unbox(Reference)
def _unbox(kind, value, c):
    address = c.pyapi.object_getattr_string(value, "address")
    number = c.pyapi.long_as_longlong(address)
    c.pyapi.decref(address)
    return extending.NativeValue(c.builder.inttoptr(number, _WORD.as_pointer()), is_error=c.pyapi.c_api_error())


@extending.infer_getattr
class _Attributes(AttributeTemplate):
    key = Reference

    def generic_resolve(self, kind, name):
        return kind.fields[name].type if name in kind.fields else None


@extending.lower_getattr_generic(Reference)
def _read(context, builder, kind, place, name):
    """What a field of a reference is, for LLVM."""
    found, word = kind.fields[name]
    place = builder.gep(place, [ir.Constant(_WORD, word)], inbounds=True)
    if isinstance(found, Reference):
        return place
    if isinstance(found, types.Array):
        return _array(context, builder, found, place)
    number = _load(builder, place)
    if found == types.float64:
        return builder.bitcast(number, ir.DoubleType())
    return builder.trunc(number, ir.IntType(1)) if found == types.boolean else number


def _load(builder, place, ahead: int = 0):
    loaded = builder.load(builder.gep(place, [ir.Constant(_WORD, ahead)], inbounds=True))
    loaded.set_metadata("invariant.load", builder.module.add_metadata([]))
    return loaded


def _array(context, builder, kind, place):
    data_type = context.get_data_type(kind.dtype)
    shape = [_load(builder, place, 1 + axis) for axis in range(kind.ndim)]
    stride = ir.Constant(_WORD, context.get_abi_sizeof(data_type))
    itemsize, strides = stride, []
    for extent in reversed(shape):
        strides.insert(0, stride)
        stride = builder.mul(stride, extent)
    array = context.make_array(kind)(context, builder)
    data = builder.inttoptr(_load(builder, place), data_type.as_pointer())
    populate_array(array, data=data, shape=shape, strides=strides, itemsize=itemsize, meminfo=None)
    return array._getvalue()
