"""The neurons of Loihi: leaky integrate-and-fire with one decaying current or with two, in integers.

One time step of the chips' own neuron, in the order of lava-nc 0.10.0 ``PyLifModelBitAcc``, with Loihi's refractory
period beside it:

    u <- wrap(decay(u, du + 1) + (a << 6))        a: the weights of the spikes that are due
    v <- clip(decay(v, dv) + u + bias)
    spike if v > (vth << 6);  v <- 0 on a spike and for the refractory steps after it

The neuron of two currents is no chip's: Loihi 2 would need microcode for it, which nobody has written. Everything is as
above, in the same order; only u is there twice, with a decay and an input for each receptor:

    u_e <- wrap(decay(u_e, du_e + 1) + (exc << 6))
    u_i <- wrap(decay(u_i, du_i + 1) + (inh << 6))
    v   <- clip(decay(v, dv) + u_e + u_i + bias)

Lava has two more of one current. That of ``LIFReset`` sets u and v to 0 before the steps that are due to begin anew.
That of ``TernaryLIF`` has a threshold on either side of 0, and sends 1 above the one and -1 below the other.
"""

from __future__ import annotations

import numba
import numpy as np

from evsim.arithmetic.loihi import ALIGN, STATE_LIMIT, clip, decay_toward_zero, low_32, wrap_once

_MEMBRANE_STATES = ("v", "refractory")
_MEMBRANE_PARAMETERS = ("kept_v", "threshold", "refractory_steps")

STATES = ("u", *_MEMBRANE_STATES)
PARAMETERS = ("kept_u", *_MEMBRANE_PARAMETERS)
# state rows with one current
U, V = range(2)
# parameter rows with one current: 4096 - (du + 1), 4096 - dv, vth << 6 and the number of steps
KEPT_U, KEPT_V, THRESHOLD, REFRACTORY_STEPS = range(4)

RESET_STATES = (*STATES, "wait")  # time steps until the next reset
RESET_PARAMETERS = (*PARAMETERS, "reset_steps")

TERNARY_STATES = (*STATES, "payload")
TERNARY_PARAMETERS = ("kept_u", "kept_v", "threshold", "threshold_lo", "refractory_steps")

TWO_STATES = ("u_e", "u_i", *_MEMBRANE_STATES)
TWO_PARAMETERS = ("kept_u_e", "kept_u_i", *_MEMBRANE_PARAMETERS)

_INT32_MAX = (1 << 31) - 1

_njit = numba.njit(error_model="numpy")


def loihi2_neuron(u, v, refractory, kept_u, kept_v, threshold, refractory_steps, a, drive):
    """One step by Lava's rules: u wraps once at 24 bits, v is clipped; each is tallied."""
    current, wrapped = _lava_current(u, kept_u, a)
    potential, left, fired, clipped = _lava_membrane(
        v, refractory, kept_v, threshold, refractory_steps, current + drive
    )
    return current, potential, left, fired, wrapped, clipped


def lif_reset_neuron(u, v, refractory, wait, kept_u, kept_v, threshold, refractory_steps, reset_steps, a, drive):
    """One step by Lava's rules; where it is due, u and v are 0 before it. The refractory period goes on."""
    due = wait == 0
    current, wrapped = _lava_current(0 if due else u, kept_u, a)
    potential, left, fired, clipped = _lava_membrane(
        0 if due else v, refractory, kept_v, threshold, refractory_steps, current + drive
    )
    return current, potential, left, (reset_steps if due else wait) - 1, fired, wrapped, clipped


def two_current_neuron(
    u_e, u_i, v, refractory, kept_u_e, kept_u_i, kept_v, threshold, refractory_steps, exc, inh, drive
):
    """One step by Lava's rules with a current for each receptor; wraps of both are tallied together."""
    current_e, wrapped_e = _lava_current(u_e, kept_u_e, exc)
    current_i, wrapped_i = _lava_current(u_i, kept_u_i, inh)
    potential, left, fired, clipped = _lava_membrane(
        v, refractory, kept_v, threshold, refractory_steps, current_e + current_i + drive
    )
    return current_e, current_i, potential, left, fired, wrapped_e + wrapped_i, clipped


def ternary_neuron(u, v, refractory, kept_u, kept_v, threshold, threshold_lo, refractory_steps, a, drive):
    """One step by Lava's rules with a threshold on either side; a spike carries 1 or -1."""
    current, wrapped = _lava_current(u, kept_u, a)
    held, clipped = _lava_voltage(v, refractory, kept_v, current + drive)
    sent = np.int64(held > threshold) - np.int64(held < threshold_lo)
    fired = sent != 0
    left = refractory_steps if fired else refractory - (refractory > 0)
    return current, (0 if fired else held), left, sent, fired, wrapped, clipped


def loihi1_neuron(u, v, refractory, kept_u, kept_v, threshold, refractory_steps, a, drive):
    """One step by brian2-loihi's rules: u and v go on beyond 24 bits, which is tallied, and saturate at 32."""
    free = decay_toward_zero(u, kept_u) + (a << ALIGN)
    current = clip(free, _INT32_MAX)
    whole = decay_toward_zero(v, kept_v) + current + drive
    beyond = (abs(whole) >= STATE_LIMIT) & (refractory == 0)
    potential, left, fired = _fire(clip(whole, _INT32_MAX), refractory, threshold, refractory_steps)
    return current, potential, left, fired, abs(free) > STATE_LIMIT, beyond


@_njit
def _lava_current(u, kept, a):
    """u after one step with the input a, and whether it wrapped."""
    # Lava adds in int32, which only shows where u has left 24 bits by far
    free = low_32(decay_toward_zero(u, kept) + (a << ALIGN))
    current = wrap_once(free)
    return current, current != free


@_njit
def _lava_voltage(v, refractory, kept, push):
    """v before it meets a threshold, 0 while refractory, and whether it was clipped; ``push`` is u and the bias."""
    whole = low_32(decay_toward_zero(v, kept) + push)
    held = clip(whole, STATE_LIMIT - 1)
    free = refractory == 0
    return (held if free else 0), (held != whole) & free


@_njit
def _lava_membrane(v, refractory, kept, threshold, refractory_steps, push):
    """v, the refractory steps left, whether there is a spike and whether v was clipped; ``push`` is u and the bias."""
    held, clipped = _lava_voltage(v, refractory, kept, push)
    potential, left, fired = _fire(held, refractory, threshold, refractory_steps)
    return potential, left, fired, clipped


@_njit
def _fire(v, refractory, threshold, refractory_steps):
    """v, the refractory steps that are left and whether there is a spike: v stays 0 while refractory and after one."""
    v = v if refractory == 0 else 0
    left = refractory - (refractory > 0)
    fired = v > threshold
    return (0 if fired else v), (refractory_steps if fired else left), fired
