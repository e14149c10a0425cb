"""The course of a synaptic response: g of dg/dt = -g / tau + x, dx/dt = -x / tau_x, known exactly at any time.

An input that comes within a time step, ``left`` ms before its end, is put as two at the step's ends: the functions
called ``shares`` give which part of the weight each of them has (early, late), so that at the end of the step the
response is what it would be, and so ever after.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def time_of_peak(tau: Floats, tau_x: Floats) -> Floats:
    """When a receptor is open the most: ln(tau_x / tau) / (1 / tau - 1 / tau_x), tau where they are equal."""
    ratio = tau_x / tau - 1
    safe = np.where(ratio == 0, 1.0, ratio)
    return tau_x * np.where(ratio == 0, 1.0, np.log1p(safe) / safe)


def moved(time: float | Floats, tau: Floats, tau_x: Floats) -> Floats:
    """How much of a unit of x is in g after a time: (exp(-t / tau_x) - exp(-t / tau)) / (1 / tau - 1 / tau_x)."""
    difference = time * (1 / tau - 1 / tau_x)
    safe = np.where(difference == 0, 1.0, difference)
    return time * np.exp(-time / tau) * np.where(difference == 0, 1.0, np.expm1(safe) / safe)


Shares = tuple[Floats, Floats]


def shares_in_proportion(left: Floats, dt: float) -> Shares:
    """Those that keep the mean time of the input: right to the second order in ``dt`` whatever the response."""
    early = left / dt
    return early, 1 - early


def exponential_shares(left: Floats, dt: float, tau: Floats) -> Shares:
    """Those of g = exp(-t / tau), which also keep the integral of g over the step; they add up to 1."""
    early = np.expm1(-left / tau) / np.expm1(-dt / tau)
    return early, 1 - early


def rising_shares(left: Floats, dt: float, tau: Floats, tau_x: Floats) -> Shares:
    """Those of a response that rises, both of whose parts, g and x, they keep."""
    early = moved(left, tau, tau_x) / moved(dt, tau, tau_x)
    return early, np.exp(-left / tau_x) - early * np.exp(-dt / tau_x)
