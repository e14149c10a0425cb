"""Loihi 2's sigma-delta neuron in integers: it sums what it is sent, and sends how the sum's activation changed.

One time step, in the order of lava-nc 0.10.0 ``PySigmaDeltaModelFixed``, whose numbers are 32-bit:

    sigma   <- sigma + a                          a: weights times payloads that are due
    new     <- sigma + bias, or 0 if that is negative and the neuron rectifies
    delta   <- new - act + residue;  act <- new
    sent    <- delta if |delta| >= vth else 0;  where errors are summed: if |error| >= vth, error <- error + delta,
               which a spike sets to 0
    residue <- delta - sent
    payload <- sent >> state_exp                  toward minus infinity
"""

from __future__ import annotations

import numpy as np

from evsim.arithmetic.loihi import STATE_LIMIT, low_32

STATES = ("sigma", "act", "residue", "error", "payload")
PARAMETERS = ("vth", "rectifies", "sums_errors", "state_exp")


def sigma_delta_neuron(sigma, act, residue, error, vth, rectifies, sums_errors, state_exp, a, drive):
    """One step by Lava's rules; a sum beyond 24 bits is tallied. ``drive`` is the bias."""
    total = low_32(sigma + a)
    moved = low_32(total + drive)
    new = max(moved, 0) if rectifies != 0 else moved
    delta = low_32(low_32(new - act) + residue)
    summed = low_32(error + delta) if sums_errors != 0 else np.int64(0)
    decides = summed if sums_errors != 0 else delta
    sent = delta if low_32(abs(decides)) >= vth else 0
    left = 0 if sent != 0 else summed
    carried = sent >> state_exp
    return total, new, low_32(delta - sent), left, carried, carried != 0, abs(total) >= STATE_LIMIT
