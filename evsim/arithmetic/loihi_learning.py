"""Loihi's learning engine in integers, as Lava's ``bit_approximate_loihi`` models execute it with an epoch of one step.

A synapse has a trace x of its source and a trace y of its target, of 7 bits; both lose a part in each time step, and
gain an impulse with a spike. Where there are spikes the weight changes by a sum of products

    dw = down * y   where the source's spike arrives
       + up * x     where the target's spike does

each of mantissa * 2^exponent, in an accumulator with 7 bits behind the point. What lies behind the point is rounded up
or down at random, in traces and weights alike, so that on average nothing is lost. Lava draws one number for each time
step and connection, by which all of its traces, or all of its weights, are rounded.

Source: lava-nc 0.10.0, ``LearningConnectionModelBitApproximate`` and ``LearningRuleApplierBitApprox``.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from evsim.arithmetic.loihi import WEIGHT_MAX

TRACE_MAX = 127  # W_TRACE: 7 bits
POINT = 7  # bits of the accumulator behind the point of a weight: W_ACCUMULATOR_U - W_WEIGHTS_U
ACCUMULATOR_MIN, ACCUMULATOR_MAX = -(1 << 15) - 1, (1 << 15) - 1
MANTISSA_MAX = 7  # W_S_MANT: 4 bits, signed
EXPONENT_MIN, EXPONENT_MAX = -7, 8

_njit = numba.njit(error_model="numpy")


@_njit
def decayed(trace, kept, random):
    """A trace after a time step in which the part ``kept`` of it is left; ``random`` lies in [0, 1)."""
    left = kept * trace
    whole = math.floor(left)
    return np.int64(whole) + (random < left - whole)


@_njit
def with_impulse(trace, impulse):
    """A trace after a spike, held at its end."""
    return min(trace + impulse, TRACE_MAX)


@_njit
def _held(value):
    return min(max(value, ACCUMULATOR_MIN), ACCUMULATOR_MAX)


@_njit
def changed(weight, down, up, random, inhibitory):
    """A weight after a time step of learning.

    Args:
        weight: mantissa, from -255 to 0 where ``inhibitory``, else from 0 to 255.
        down, up: both products, in parts of 2^-7.
        random: in [0, 1).
    """
    accumulated = _held(_held((weight << POINT) + _held(down)) + _held(up))
    accumulated = min(accumulated, 0) if inhibitory else max(accumulated, 0)
    whole, rest = accumulated >> POINT, accumulated & ((1 << POINT) - 1)
    rounded = whole + (random < rest / (1 << POINT))
    return max(rounded, -WEIGHT_MAX) if inhibitory else min(rounded, WEIGHT_MAX)
