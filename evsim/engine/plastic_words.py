"""A plastic synapse in eight bytes: its weight as a fixed-point number of 48 bits, and its target.

Bits 16 to 63 hold the weight in multiples of the lane's unit, bits 0 to 15 the target within the slice. A
floating-point number in the same place would keep 37 bits, and each of the many small changes of a weight would lose
those below.

A double of 2^52 plus a whole number below 2^52 holds that number in its low bits (IEEE 754). That turns weights into
bits and back, and rounds them to the nearest, in operations that every processor has for whole vectors.
"""

from __future__ import annotations

import math

import numpy as np

from evsim.compile import lean
from evsim.engine.rows import TARGET_BITS

WEIGHT_BITS = 48

_SHIFT = np.uint64(16)
_LEAST_EXPONENT = -1000
_TWO_52 = 2.0**52
_TWO_52_BITS = np.uint64(np.float64(_TWO_52).view(np.uint64))


@lean
def target_of(word):
    """The target of a synapse within its slice."""
    return word & TARGET_BITS


@lean
def lifted(weight):
    """A weight (units, from 0 to below 2^48) plus 2^52: rounded to the nearest, with its bits where they are low."""
    return weight + _TWO_52


@lean
def lowered(weight):
    """A lifted weight as it is, in units."""
    return weight - _TWO_52


@lean
def weight_of(word):
    """The weight of a synapse in its lane's units."""
    return lowered(np.uint64((word >> _SHIFT) | _TWO_52_BITS).view(np.float64))


@lean
def rounded(weight):
    """A weight (units, not negative) as the nearest that a word holds."""
    return lowered(lifted(weight))


@lean
def with_lifted(word, weight):
    """A synapse with another weight, which is lifted."""
    return (np.float64(weight).view(np.uint64) << _SHIFT) | (word & TARGET_BITS)


@lean
def with_weight(word, weight):
    """A synapse with another weight (units, from 0 to below 2^48), rounded to the nearest."""
    return with_lifted(word, lifted(weight))


def unit_of(largest: float, bits: int = WEIGHT_BITS) -> float:
    """The smallest power of two of which so many bits can hold enough for this weight, within the range of a double."""
    return 2.0 ** max(math.frexp(largest)[1] - bits, _LEAST_EXPONENT)


def pack(weight: np.ndarray, unit: float) -> np.ndarray:
    """Words (n,) uint64 of weights (n,) from 0 to 2^48 units, with zeros where the target goes."""
    whole = np.rint(weight / unit).astype(np.uint64)
    # frexp leaves room for all but the one number that rounds up to a power of two
    return np.minimum(whole, np.uint64(2**WEIGHT_BITS - 1)) << _SHIFT


def unpack(words: np.ndarray, unit: float) -> np.ndarray:
    """The weights (n,) float64 of words."""
    return (words >> _SHIFT).astype(np.float64) * unit
