"""The alpha synapse of SpiNNaker 1, as the executed firmware of sPyNNaker 7.4.1 computes it.

A synapse is a line times an exponential. Between inputs the line rises by ``last dt / tau_syn^2`` a step, where
``last`` is the latest input, and the exponential decays. An input makes the exponential decay once more and raises it
by 1; the line is lowered so that this 1 leaves the product, which is the current, as it was.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numba.extending import register_jitable

from evsim.arithmetic.registers import minus, plus, shift_left
from evsim.arithmetic.s1615 import (
    LARGEST,
    ONE,
    POINT,
    add,
    decay,
    divide,
    fixed,
    for_each,
    multiply,
    multiply_by,
    product,
    saturate_input,
)
from evsim.errors import Problem
from evsim.model import Values

TAUS = {"excitatory": "tau_syn_E", "inhibitory": "tau_syn_I"}

SQUARE = float(ONE * ONE)
PRODUCT_END = SQUARE * (1 << (31 - POINT))  # the product of two registers whose s16.15 product is beyond a register
# the time constants (ms) whose squares s16.15 holds; for a square of 0 the firmware stops in its division
LEAST_TAU, LARGEST_TAU = math.isqrt(ONE - 1) + 1, math.isqrt((LARGEST << POINT) + ONE - 1)
LIMITS = dict.fromkeys(TAUS.values(), (LEAST_TAU / ONE, LARGEST_TAU / ONE))
LEAST_STRENGTH = 0.9  # the part of a synapse's strength below which users are warned


@register_jitable
def add_input(line, exp, last, total, shift, rise, kept):
    """A synapse after the content of a ring-buffer slot is added to it, and its current: line, exponential, latest
    input, current; whether the slot was saturated, and whether a register wrapped."""
    slot = saturate_input(total)
    given = shift_left(slot, shift)
    raised = plus(decay(exp, kept), ONE)
    share = minus(ONE, np.int32(SQUARE / np.float64(raised)))  # the quotient of two s16.15, floored
    risen, wrapped = add(line, multiply_by(given, rise))
    some = slot != 0
    line = multiply(risen, share) if some else np.int32(line)
    exp = raised if some else np.int32(exp)
    beyond = abs(np.float64(line) * np.float64(exp)) >= PRODUCT_END
    return line, exp, given if some else np.int32(last), multiply(line, exp), slot != total, (wrapped & some) | beyond


@register_jitable
def shape(line, exp, last, rise, kept):
    """A synapse one step on; it is cleared when its exponential is 0, after which only it could make a difference."""
    line, wrapped = add(line, multiply_by(last, rise))
    exp = decay(exp, kept)
    over = exp == 0
    return np.int32(0) if over else line, exp, np.int32(0) if over else np.int32(last), wrapped & (exp != 0)


def rise(tau: int, step: int) -> int:
    """``dt / tau^2`` as the firmware holds it: in s16.15, less its whole part, since it is made a u0.32 in between.

    So it is 0 where it should be a whole number, and where it is below 2^-15.
    """
    return divide(step, product(tau, tau)) & (ONE - 1)


def firmware_defects(where: str, values: Values, dt: float) -> Iterator[Problem]:
    """Synapses that are silent or weak, since the firmware cannot hold their dt / tau_syn^2."""
    longest = np.sqrt(dt * ONE * (1 - LEAST_STRENGTH))  # where rounding down to 15 bits loses as much
    step, size = np.array([fixed(dt)]), len(values["tau_m"])
    for receptor, name in TAUS.items():
        taus = np.broadcast_to(values[name], size)
        wanted, held = dt / taus**2, for_each(rise, fixed(taus), step) / ONE
        wrong = (abs(held - wanted) > 0.5) | (held < LEAST_STRENGTH * wanted)
        if wrong.any():
            cell = int(np.argmax(wrong))
            effect = "is silent" if held[cell] == 0 else f"has {held[cell] / wanted[cell]:.2g} of its strength"
            yield Problem(
                where,
                f"{name} is {taus[cell]:g} ms in {np.count_nonzero(wrong)} of {size} cells, so their {receptor} input "
                f"{effect}",
                f"sPyNNaker's firmware holds dt / {name}^2 in 15 bits without its whole part, {wanted[cell]:.3g} as "
                f"{held[cell]:.3g}; with a time step of {dt:g} ms, {name} must be above {np.sqrt(dt):.3g} ms, the "
                f"square root of dt, and at most {longest:.3g} ms",
                f"Give another {name} or another time step.",
            )
