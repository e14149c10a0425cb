"""The course of a synaptic response: g of dg/dt = -g / tau + x, dx/dt = -x / tau_x, known exactly at any time."""

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
