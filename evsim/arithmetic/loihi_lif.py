"""The neuron of Loihi: leaky integrate-and-fire with one decaying current, in integers.

One time step, in the order of lava-nc 0.10.0 ``PyLifModelBitAcc``, with Loihi's refractory period beside it:

    u <- decay(u, du + 1) + (a << 6)        a: the weights of the spikes that are due
    v <- decay(v, dv) + u + bias
    spike if v > (vth << 6);  v <- 0 on a spike and for the refractory steps after it
"""

from __future__ import annotations

import numba
import numpy as np

from evsim.arithmetic.loihi import ALIGN, STATE_LIMIT, clip, decay_toward_zero, wrap_once

# state rows
U, V, REFRACTORY = range(3)
# parameter rows: 4096 - (du + 1), 4096 - dv, vth << 6 and the number of steps
KEPT_U, KEPT_V, THRESHOLD, REFRACTORY_STEPS = range(4)

_INT32_MAX = (1 << 31) - 1

_njit = numba.njit(error_model="numpy")


def loihi2_step(state, parameters, inputs, drive, spiked, tally):
    """One step by Lava's rules: u wraps once at 24 bits, v is clipped; each is tallied."""
    n = state.shape[1]
    if parameters.shape[1] == 1:
        _integrate_loihi2(state, parameters[KEPT_U, 0], parameters[KEPT_V, 0], inputs[0], drive, 0, n, tally)
    else:
        for i in range(n):
            _integrate_loihi2(state, parameters[KEPT_U, i], parameters[KEPT_V, i], inputs[0], drive, i, i + 1, tally)
    return _fire(state, parameters, spiked)


def loihi1_step(state, parameters, inputs, drive, spiked, tally):
    """One step by brian2-loihi's rules: u and v go on beyond 24 bits, which is tallied, and saturate at 32."""
    n = state.shape[1]
    if parameters.shape[1] == 1:
        _integrate_loihi1(state, parameters[KEPT_U, 0], parameters[KEPT_V, 0], inputs[0], drive, 0, n, tally)
    else:
        for i in range(n):
            _integrate_loihi1(state, parameters[KEPT_U, i], parameters[KEPT_V, i], inputs[0], drive, i, i + 1, tally)
    return _fire(state, parameters, spiked)


@_njit
def _integrate_loihi2(state, kept_u, kept_v, a, drive, first, last, tally):
    """u and v of the cells from ``first`` to ``last``, which have the same decays; without branches, so that a compiler
    can make vectors of it."""
    u, v, refractory = state[U], state[V], state[REFRACTORY]
    wrapped = clipped = 0
    for n in range(first, last):
        # Lava adds in int32, which only shows where u has left 24 bits by far
        free = np.int32(decay_toward_zero(np.int64(u[n]), kept_u) + (np.int64(a[n]) << ALIGN))
        current = wrap_once(np.int64(free))
        wrapped += current != free
        u[n] = current
        whole = np.int32(decay_toward_zero(np.int64(v[n]), kept_v) + current + drive[n])
        held = clip(np.int64(whole), STATE_LIMIT - 1)
        moves = refractory[n] == 0
        clipped += (held != whole) & moves
        v[n] = held if moves else 0
    tally[0] += wrapped
    tally[1] += clipped


@_njit
def _integrate_loihi1(state, kept_u, kept_v, a, drive, first, last, tally):
    """As ``_integrate_loihi2``, with registers that do not end at 24 bits."""
    u, v, refractory = state[U], state[V], state[REFRACTORY]
    beyond_u = beyond_v = 0
    for n in range(first, last):
        current = decay_toward_zero(np.int64(u[n]), kept_u) + (np.int64(a[n]) << ALIGN)
        beyond_u += abs(current) > STATE_LIMIT
        current = clip(current, _INT32_MAX)
        u[n] = current
        potential = decay_toward_zero(np.int64(v[n]), kept_v) + current + drive[n]
        moves = refractory[n] == 0
        beyond_v += (abs(potential) >= STATE_LIMIT) & moves
        v[n] = clip(potential, _INT32_MAX) if moves else 0
    tally[0] += beyond_u
    tally[1] += beyond_v


@_njit
def _fire(state, parameters, spiked):
    """Count down refractory cells; reset those above the threshold and write them to ``spiked``."""
    v, refractory = state[V], state[REFRACTORY]
    same = parameters.shape[1] == 1
    count = 0
    for n in range(v.size):
        p = 0 if same else n
        refractory[n] -= refractory[n] > 0
        if v[n] > parameters[THRESHOLD, p]:
            v[n] = 0
            refractory[n] = parameters[REFRACTORY_STEPS, p]
            spiked[count] = n
            count += 1
    return count
