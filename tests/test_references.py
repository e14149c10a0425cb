"""References to named tuples: what compiled code reads through them is what is there."""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
import pytest

from evsim.compile import LEAN
from evsim.engine.intrinsics import call_at
from evsim.references import Referred


class Inner(NamedTuple):
    values: Any
    count: int


class Outer(NamedTuple):
    scale: float
    inner: Any
    wanted: bool
    table: np.ndarray
    records: np.ndarray
    last: Any


RECORD = np.dtype([("weight", np.float64), ("target", np.int32)])


def outer(inner: Any, wanted: bool = True) -> Outer:
    records = np.zeros(3, RECORD)
    records["target"] = [4, 5, 6]
    return Outer(0.5, inner, wanted, np.arange(6.0).reshape(2, 3), records, np.int64(-7))


@numba.njit
def read(one):
    total = one.scale * one.inner.values.sum() + one.table[1, 2] + one.records[2].target
    return total, one.inner.count, one.wanted, one.table.shape, one.last


@pytest.mark.parametrize("wanted", [True, False])
@pytest.mark.parametrize("inside", [tuple, Referred])
def test_every_field_is_read_as_it_is(inside, wanted):
    inner = Inner(np.arange(4, dtype=np.uint16), 12)
    value = outer(Referred(inner) if inside is Referred else inner, wanted)
    assert read(Referred(value)) == (0.5 * 6 + 5.0 + 6, 12, wanted, (2, 3), -7)
    assert len(read.signatures) == 1  # a tuple in it that is referred to already is of the same type


def test_arrays_are_written_through():
    @numba.njit
    def write(one):
        one.table[0, 1] = 9.0
        one.records[0].weight = 2.5

    value = outer(Inner(np.zeros(0), 0))
    write(Referred(value))
    assert value.table[0, 1] == 9.0
    assert value.records["weight"][0] == 2.5


def test_what_is_referred_to_stays_alive():
    referred = Referred(Inner(np.full(1000, 3.0), 0))
    for _ in range(100):
        np.full(1000, np.nan)
    assert total(referred) == 3000


@numba.njit
def total(one):
    return one.values.sum()


def test_types_differ_by_what_the_fields_are():
    kinds = [Referred(Inner(values, 0)).type for values in (np.zeros(2), np.zeros(3), np.zeros(2, np.int32))]
    assert kinds[0] is kinds[1]
    assert kinds[0] != kinds[2]


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (Inner(np.zeros((3, 4))[:, 1], 0), "values is an array that does not lie in C's order"),
        (Inner("text", 0), "values is of type str"),
        (Inner(None, 0), "values is of type NoneType"),
    ],
)
def test_what_cannot_be_referred_to_is_refused(value, what):
    with pytest.raises(TypeError, match=what):
        Referred(value)


def test_a_native_function_is_called_by_its_address():
    given = Referred(Inner(np.arange(5.0), 2))

    @numba.cfunc(numba.int64(given.type, numba.int64), **LEAN)
    def add(one, number):
        return one.count + number + one.values.size

    @numba.njit
    def call(address, one, number):
        return call_at(address, (one, number))

    assert call(add.address, given, 10) == 17
    assert call(add.address, given.address, 10) == 17  # a pointer is as good as the reference
