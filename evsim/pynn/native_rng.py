"""The simulator's own random numbers, as PyNN's ``NativeRNG`` means them."""

from __future__ import annotations

from pyNN.random import NumpyRNG


class NativeRNG(NumpyRNG):
    """Like NumpyRNG: evsim builds every network before a backend sees it, so its own generator is NumPy's."""
