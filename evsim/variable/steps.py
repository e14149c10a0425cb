"""The steps of the integrator, DOP853 of ``scipy.integrate``, of the eighth order, and its interpolation in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.integrate import DOP853

LONGEST_FIRST = 0.5  # ms; of the steps that begin a segment
LONGEST = 100.0  # ms; of all other steps


def integrator(
    slopes: Callable[[float, Sequence[float]], list[float]],
    time: float,
    states: Sequence[float],
    bound: float,
    first: float,
    rtol: float,
    atol: Any,
) -> DOP853:
    """One from a time (ms) on, at most to a bound (ms), whose first step is short enough to miss nothing.

    A response that begins is seen by a step that is shorter than it; from then on steps grow tenfold at most.
    """
    return DOP853(slopes, time, states, bound, max_step=LONGEST, rtol=rtol, atol=atol, first_step=first)


class Step:
    """An accepted step of the integrator, from the cell's time on; one without an integrator changes nothing.

    Attributes:
        stop, states: where it leads.
        spike: when the cell spikes in it (ms), or None.
    """

    def __init__(self, stop: float, states: list[float], solver: DOP853 | None) -> None:
        self.stop, self.states, self._solver = stop, states, solver
        self.spike: float | None = None
        self._dense: Any = None

    def at(self, time: float) -> list[float]:
        """The states at a time within the step; asked before the integrator goes on."""
        if self._solver is None:
            return list(self.states)
        if self._dense is None:
            self._dense = self._solver.dense_output()
        return self._dense(time).tolist()

    def slopes_of_v(self) -> np.ndarray:
        """At the stages of the step (mV/ms)."""
        assert self._solver is not None, "only steps of an integrator have stages"
        return self._solver.K[:, 0]
