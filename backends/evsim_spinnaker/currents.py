"""Injected currents as sPyNNaker's current sources take them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evsim.engine.drive import cell_groups, summed
from evsim.network import Network

SPARE = 16  # entries more than a current needs, for what it may become while the network is on the machine
_NEVER = 1 << 31  # a time step that is not reached


@dataclass(frozen=True, eq=False)
class StepCurrent:
    """A current that is constant between time steps.

    Attributes:
        steps: (k,) ascending; from ``steps[j]`` on the amplitude is ``amplitudes[j]``, 0 before the first.
        amplitudes: (k,) nA.
        timestep: ms.
    """

    steps: NDArray[np.int64]
    amplitudes: NDArray[np.float64]
    timestep: float

    def series(self, now: int, entries: int) -> dict[str, Any]:
        """Arguments of a StepCurrentSource that goes on from a time step.

        The firmware begins with the first entry whenever it goes on after a pause and takes the next one, when it is
        due, for the next neuron that it looks at; so the first is the present one, and no two are due at once.

        Args:
            entries: how many to give, more than there are steps: behind the last one the firmware reads on.
        """
        first = max(int(np.searchsorted(self.steps, now, "right")) - 1, 0)
        steps, amplitudes = np.maximum(self.steps[first:], now), self.amplitudes[first:]
        filling = entries - len(steps)
        # sPyNNaker cuts times (ms) down to whole steps, so one a little late is safe from floating point
        times = (np.append(steps, np.full(filling, _NEVER)) + 0.25) * self.timestep
        return {"times": times.tolist(), "amplitudes": np.append(amplitudes, np.zeros(filling)).tolist()}


def injected(network: Network, index: int) -> Iterator[tuple[NDArray[np.int64], StepCurrent]]:
    """For each group of cells of a population that share their sources, the cells and the sum of the currents, which is
    rounded to s16.15 as a whole, as in the reference."""
    mine = [current for current in network.currents if current.population == index]
    for group, cells in cell_groups(mine, network.populations[index].size):
        yield cells, StepCurrent(*summed(group, network.timestep), network.timestep)
