"""What several models share: parameter tables, the propagators of linear equations, threshold and reset."""

from __future__ import annotations

import numpy as np
from numba.extending import register_jitable
from numpy.typing import NDArray

from evsim.arithmetic.counters import count_down

Floats = NDArray[np.float64]

PA_PER_NA = 1000.0  # NEST computes with pA

# PyNN's of IF_curr_exp, for the leaky cells that PyNN does not have
DEFAULTS = {
    "v_rest": -65.0,
    "cm": 1.0,
    "tau_m": 20.0,
    "tau_refrac": 0.1,
    "tau_syn_E": 5.0,
    "tau_syn_I": 5.0,
    "i_offset": 0.0,
    "v_reset": -65.0,
    "v_thresh": -50.0,
    "v": -65.0,
    "isyn_exc": 0.0,
    "isyn_inh": 0.0,
}


def refractory_steps(tau_refrac: Floats, dt: float) -> Floats:
    """Time steps for which v is held: to the nearest microsecond and then up to a whole step, as NEST counts them."""
    microseconds = np.floor(np.asarray(tau_refrac) * 1000 + 0.5)
    return np.ceil(microseconds / (dt * 1000) - 1e-9)


def propagator(tau_syn: Floats, tau_m: Floats, cm: Floats, dt: float | Floats) -> Floats:
    """What a unit of exponentially decaying current adds to v over one step (mV/nA).

    tau_s tau_m / (cm (tau_m - tau_s)) (exp(-dt/tau_m) - exp(-dt/tau_s)), written with expm1 so that it stays exact
    where the two time constants are close, with its limit dt/cm exp(-dt/tau_m) where they are equal.
    """
    difference = dt * (1 / tau_m - 1 / tau_syn)  # exp(-dt/tau_s) = exp(-dt/tau_m) exp(difference)
    safe = np.where(difference == 0, 1.0, difference)
    ratio = np.where(difference == 0, 1.0, np.expm1(safe) / safe)
    return dt / cm * np.exp(-dt / tau_m) * ratio


def current_shares(left: Floats, dt: float, tau_syn: Floats, tau_m: Floats) -> tuple[Floats, Floats]:
    """Early and late part of an input to an exponential current on a leaky membrane; see ``evsim.model.Rule.arrive``.

    They keep the current and what it has added to v at the end of the step.
    """
    one = np.ones(1)
    early = propagator(tau_syn, tau_m, one, left) / propagator(tau_syn, tau_m, one, dt)
    return early, np.exp(-left / tau_syn) - early * np.exp(-dt / tau_syn)


SERIES_TERMS = 20  # of alpha_propagator; the terms from there on are below 1e-19


def alpha_propagator(tau_syn: Floats, tau_m: Floats, cm: Floats, dt: float) -> Floats:
    """What a current ``t exp(-t / tau_syn)`` from the step's start on adds to v over one step (mV ms/nA).

    With x = dt (1/tau_m - 1/tau_s) it is dt^2/cm exp(-dt/tau_m) times the integral of y exp(x y) over y from 0 to 1,
    (1 + (x - 1) exp(x)) / x^2, of which the power series is used where the terms nearly cancel.
    """
    x = dt * (1 / tau_m - 1 / tau_syn)
    small = np.abs(x) < 1
    far = np.where(small, 1.0, x)
    closed = (far * np.exp(far) - np.expm1(far)) / far**2
    near = np.where(small, x, 0.0)
    series, factorial_power = np.zeros_like(near), np.ones_like(near)
    for k in range(SERIES_TERMS):
        series += factorial_power / (k + 2)
        factorial_power = factorial_power * near / (k + 1)
    return dt**2 / cm * np.exp(-dt / tau_m) * np.where(small, series, closed)


@register_jitable
def spike_and_reset(u, moved, refractory, u_thresh, u_reset, refractory_steps):
    """The end of a time step in float64: the membrane voltage, the refractory steps left, and whether it spikes.

    Args:
        u, moved: the voltage before and after it was integrated; it keeps its value while refractory.
    """
    u = u if refractory > 0 else moved
    left = count_down(refractory)
    fired = (u >= u_thresh) & (left <= 0)
    return (u_reset if fired else u), (refractory_steps if fired else left), fired
