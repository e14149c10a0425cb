"""The integer arithmetic of Loihi's neurons, as Lava's ``fixed_pt`` models and brian2-loihi execute it.

Currents u and voltages v are signed 24-bit registers. Inputs and thresholds are aligned to them by a shift of 6 bits,
and decays are fractions of 4096. The scalar functions take and return 64-bit integers and are compiled into what calls
them; they have no branches, so that a loop over neurons can be vectorised.

Source: lava-nc 0.10.0, ``AbstractPyLifModelFixed.subthr_dynamics``, ``Dense`` and ``weightutils``; brian2-loihi 0.5.2.
"""

from __future__ import annotations

import numba
import numpy as np

STATE_LIMIT = 1 << 23  # u wraps above it; |v| stays below it
DECAY_ONE = 4096  # decays have 12 bits
LEAKLESS = STATE_LIMIT  # time steps; with a longer time constant even the largest v loses less than a unit in a step
ALIGN = 6  # bits by which input and threshold are shifted to the left
THRESHOLD_MAX = (1 << 17) - 1  # vth has 17 bits, before the shift
BIAS_MANTISSA_MAX = (1 << 12) - 1  # bias mantissa: 13 bits, signed
BIAS_EXPONENT_MAX = 7
WEIGHT_EXPONENT_MIN, WEIGHT_EXPONENT_MAX = -8, 7
WEIGHT_MAX = 255  # magnitude of a weight of a projection of one sign
MIXED_WEIGHT_MAX = 254  # of a projection of both signs, whose weights are even
SYNAPSE_LIMIT = (1 << 15) - 1  # brian2-loihi clips a shifted weight to this magnitude

_njit = numba.njit(error_model="numpy")


@_njit
def low_32(x):
    """The low 32 bits as a signed number; where x has no more, this tells the compiler so, which multiplies faster."""
    return np.int64(np.int32(x))


@_njit
def decay_toward_zero(x, kept):
    """``sign(x) * floor(|x| * kept / 4096)``, ``kept`` being 4096 less the decay.

    The product is divided by a shift; adding 4095 to a negative product first makes the shift round toward zero.
    """
    product = low_32(x) * low_32(kept)
    return (product + ((product >> 63) & (DECAY_ONE - 1))) >> 12


@_njit
def wrap_once(u):
    """Fold u back by 2**24 once if it is outside (-2**23, 2**23].

    This is Lava's wrap. It differs from two's complement at +2**23, and a value that is further out stays out.
    """
    lowered = u - 2 * STATE_LIMIT if u > STATE_LIMIT else u
    return u + 2 * STATE_LIMIT if u <= -STATE_LIMIT else lowered


@_njit
def clip(x, limit):
    """x, held between -limit and limit (saturating)."""
    return min(max(x, -limit), limit)


def bias_registers(bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mantissas and exponents with ``bias == mantissa << exponent``, for a bias (int32) that has them."""
    exponent = np.zeros(bias.shape, np.int32)
    for _ in range(BIAS_EXPONENT_MAX):
        exponent += np.abs(bias) > (BIAS_MANTISSA_MAX << exponent)
    return bias >> exponent, exponent


def shift_floor(x: np.ndarray, exponent: int) -> np.ndarray:
    """``floor(x * 2**exponent)``: a shift to the left, or an arithmetic one to the right (toward minus infinity)."""
    return x << exponent if exponent >= 0 else x >> -exponent
