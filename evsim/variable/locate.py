"""Where within one accepted step of the integrator a cell spikes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq, minimize_scalar

Function = Callable[[float], float]

PARTS = 8  # of a step that are looked at one by one
TIGHT = 4 * np.finfo(float).eps  # the least relative tolerance that brentq takes; it is one of the time


def first_reaching(v: Function, start: float, stop: float, level: float) -> float | None:
    """The first time from ``start`` to ``stop`` (ms) at which v reaches a level from below; None if it does not.

    A maximum between two of the times that are looked at is found where it may reach the level.
    """
    times = np.linspace(start, stop, PARTS + 1)
    values = np.array([v(time) for time in times])
    for k in range(1, PARTS + 1):
        before = times[k - 1]
        peak = _peak(v, times, values, k, level)
        for after in (peak, times[k]):
            if after is not None and v(after) >= level:
                return before if v(before) >= level else _root(lambda t: v(t) - level, before, after)
    return None


def _peak(v: Function, times: np.ndarray, values: np.ndarray, k: int, level: float) -> float | None:
    """Where v is greatest between times k - 1 and k, if it may be at the level there and is not at time k."""
    falls_before, rises_after = values[k - 1] < values[max(k - 2, 0)], values[min(k + 1, PARTS)] > values[k]
    if values[k] >= level or falls_before or rises_after:
        return None
    around = values[max(k - 2, 0) : k + 2]
    if values[k - 1 : k + 1].max() + np.ptp(around) < level:
        return None
    found = minimize_scalar(
        lambda t: -v(t),
        bounds=(times[k - 1], times[k]),
        method="bounded",
        options={"xatol": 1e-9 * (times[k] - times[0])},
    )
    return float(found.x)  # type: ignore[attr-defined]


def first_peak(v: Function, slope: Function, start: float, stop: float, level: float) -> float | None:
    """The first time from ``start`` to ``stop`` (ms) at which v, at a level or above, ceases to rise; None if none."""
    times = np.linspace(start, stop, PARTS + 1)
    slopes = [slope(time) for time in times]
    for k in range(1, PARTS + 1):
        if slopes[k - 1] > 0 >= slopes[k]:
            time = _root(slope, times[k - 1], times[k])
            if v(time) >= level:
                return time
    return None


def _root(function: Function, start: float, stop: float) -> float:
    return float(brentq(function, start, stop, xtol=1e-14, rtol=TIGHT))  # type: ignore[arg-type]
