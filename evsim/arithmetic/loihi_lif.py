"""The neuron of Loihi: leaky integrate-and-fire with one decaying current, in integers.

One time step, in the order of lava-nc 0.10.0 ``PyLifModelBitAcc``, with Loihi's refractory period beside it:

    u <- decay(u, du + 1) + (a << 6)        a: the weights of the spikes that are due
    v <- decay(v, dv) + u + bias
    spike if v > (vth << 6);  v <- 0 on a spike and for the refractory steps after it
"""

from __future__ import annotations

import numba

from evsim.arithmetic.loihi import ALIGN, STATE_LIMIT, clip, decay_toward_zero, low_32, wrap_once

STATES = ("u", "v", "refractory")
PARAMETERS = ("kept_u", "kept_v", "threshold", "refractory_steps")
# state rows
U, V, REFRACTORY = range(3)
# parameter rows: 4096 - (du + 1), 4096 - dv, vth << 6 and the number of steps
KEPT_U, KEPT_V, THRESHOLD, REFRACTORY_STEPS = range(4)

_INT32_MAX = (1 << 31) - 1

_njit = numba.njit(error_model="numpy")


def loihi2_neuron(u, v, refractory, kept_u, kept_v, threshold, refractory_steps, a, drive):
    """One step by Lava's rules: u wraps once at 24 bits, v is clipped; each is tallied."""
    # Lava adds in int32, which only shows where u has left 24 bits by far
    free = low_32(decay_toward_zero(u, kept_u) + (a << ALIGN))
    current = wrap_once(free)
    whole = low_32(decay_toward_zero(v, kept_v) + current + drive)
    held = clip(whole, STATE_LIMIT - 1)
    potential, left, fired = _fire(held, refractory, threshold, refractory_steps)
    return current, potential, left, fired, current != free, (held != whole) & (refractory == 0)


def loihi1_neuron(u, v, refractory, kept_u, kept_v, threshold, refractory_steps, a, drive):
    """One step by brian2-loihi's rules: u and v go on beyond 24 bits, which is tallied, and saturate at 32."""
    free = decay_toward_zero(u, kept_u) + (a << ALIGN)
    current = clip(free, _INT32_MAX)
    whole = decay_toward_zero(v, kept_v) + current + drive
    beyond = (abs(whole) >= STATE_LIMIT) & (refractory == 0)
    potential, left, fired = _fire(clip(whole, _INT32_MAX), refractory, threshold, refractory_steps)
    return current, potential, left, fired, abs(free) > STATE_LIMIT, beyond


@_njit
def _fire(v, refractory, threshold, refractory_steps):
    """v, the refractory steps that are left and whether there is a spike: v stays 0 while refractory and after one."""
    v = v if refractory == 0 else 0
    left = refractory - (refractory > 0)
    fired = v > threshold
    return (0 if fired else v), (refractory_steps if fired else left), fired
