"""Injected currents as sPyNNaker's current sources take them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# A DCSource each for so many; beyond that one StepCurrentSource holds all.
MOST_PULSES = 16
_NEVER = 1 << 31  # a time step that is not reached


@dataclass(frozen=True, eq=False)
class StepCurrent:
    """A current that is constant between time steps.

    The firmware of a StepCurrentSource begins again with its first entry whenever it goes on after a pause, and a
    DCSource does not, so a current of few changes is made of DCSources; but sPyNNaker 7.4.1 cannot write a negative
    one.

    Attributes:
        steps: (k,) ascending; from ``steps[j]`` on the amplitude is ``amplitudes[j]``, 0 before the first.
        amplitudes: (k,) nA.
        timestep: ms.
    """

    steps: NDArray[np.int64]
    amplitudes: NDArray[np.float64]
    timestep: float

    def is_simple(self) -> bool:
        """Whether DCSources make it up."""
        return np.count_nonzero(self.amplitudes) <= MOST_PULSES and bool((self.amplitudes >= 0).all())

    def pulses(self) -> list[dict[str, float]]:
        """Arguments of a DCSource for each stretch of an amplitude that is not 0."""
        starts, stops = self._times(self.steps), self._times(np.append(self.steps[1:], _NEVER))
        return [
            {"amplitude": amplitude, "start": start, "stop": stop}
            for amplitude, start, stop in zip(self.amplitudes.tolist(), starts, stops, strict=True)
            if amplitude
        ]

    def series(self) -> dict[str, Any]:
        """Arguments of one StepCurrentSource."""
        return {"times": self._times(self.steps), "amplitudes": self.amplitudes.tolist()}

    def has_changed(self, step: int) -> bool:
        """Whether it has begun before a time step."""
        return bool(len(self.steps) and self.steps[0] < step)

    def _times(self, steps: NDArray[np.int64]) -> list[float]:
        # sPyNNaker cuts times (ms) down to whole steps, so one a little late is safe from floating point
        return ((np.maximum(steps, 0) + 0.25) * self.timestep).tolist()
