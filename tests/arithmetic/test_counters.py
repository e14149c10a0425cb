"""Counting down in compiled code, in either type."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from evsim.arithmetic.counters import count_down

counted = numba.njit(lambda n: count_down(n))


@pytest.mark.parametrize("kind", [np.int16, np.int32, np.float64])
def test_one_less_and_never_below_0(kind: type):
    for n in (0, 1, 2, 32767):
        assert counted(kind(n)) == count_down(n) == max(n - 1, 0)


def test_the_type_is_kept():
    for kind in (numba.int16, numba.float64):
        assert numba.njit((kind,))(lambda n: count_down(n)).nopython_signatures[0].return_type == kind
