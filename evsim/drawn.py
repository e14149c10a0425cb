"""Synapses that are drawn whenever they are looked at, and never stored.

A projection of any size is a few keys: its wiring says where synapse k begins and ends, and two distributions give its
weight and its delay. Every number depends on a key and on k (or on the cell at whose end the synapse is) alone, so the
chunks come out the same in any order and on any number of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from evsim.compile import kernel
from evsim.distributions import Constant, Distribution
from evsim.synapses import CHUNK, LONGEST_DELAY, Chunk, Spread, Synapses, is_constant, of_each
from evsim.wiring import Cells, Wiring


class Drawn(Synapses):
    """Synapses of a wiring, with weights and delays of distributions.

    Args:
        weight: of the weights, in PyNN's units.
        delay: of the delays (ms), which are rounded to the nearest time step.
        keys: of the weights and of the delays.
        timestep: ms.
    """

    def __init__(
        self,
        wiring: Wiring,
        weight: Distribution,
        delay: Distribution,
        keys: tuple[np.uint64, np.uint64],
        timestep: float,
    ) -> None:
        self._wiring, self._weight, self._delay = wiring, weight, delay
        self._keys, self._timestep = keys, timestep

    def __len__(self) -> int:
        return len(self._wiring)

    def chunk(self, index: int) -> Chunk:
        """The synapses of a chunk, drawn."""
        return Chunk(*self._ends(index), self.weight_chunk(index), self._delays(index))

    def pair(self, index: int) -> tuple[int, int]:
        """Source and target of one synapse."""
        source, target = self._wiring.ends(index, index + 1)
        return int(source[0]), int(target[0])

    @property
    def constant_weight(self) -> float | None:
        """The weight, where its distribution is one number."""
        return float(self._weight.value) if isinstance(self._weight, Constant) else None

    @property
    def constant_delay(self) -> int | None:
        """The delay (steps), where its distribution is one number."""
        if not isinstance(self._delay, Constant):
            return None
        return int(_steps(np.array([self._delay.value]), self._timestep)[0])

    @property
    def source(self) -> Cells:
        """(n,) int32, drawn anew at each call."""
        return self._whole(lambda index: self._ends(index)[0], np.int32)

    @property
    def target(self) -> Cells:
        """(n,) int32, drawn anew at each call."""
        return self._whole(lambda index: self._ends(index)[1], np.int32)

    @property
    def weight(self) -> NDArray[np.float64]:
        """(n,) float64, drawn anew at each call; one broadcast value where all are equal."""
        return self._whole(self.weight_chunk, np.float64, self.constant_weight)

    @property
    def delay(self) -> NDArray[np.int32]:
        """(n,) int32, time steps, drawn anew at each call; one broadcast value where all are equal."""
        return self._whole(self._delays, np.int32, self.constant_delay)

    @cached_property
    def weights(self) -> Spread:
        """The spread of the weights, chunk by chunk."""
        return self._spread(self.weight_chunk, self.constant_weight)

    @cached_property
    def delays(self) -> Spread:
        """The spread of the delays (steps), chunk by chunk."""
        return self._spread(self._delays, self.constant_delay)

    def fan_in(self, n_targets: int) -> NDArray[np.int64]:
        """(n_targets,) synapses onto each cell."""
        count = np.zeros(n_targets, np.int64)
        known = self._wiring.fan_in()
        count[: len(known)] = known
        return count

    def outside(self, n_sources: int, n_targets: int) -> tuple[int, int]:
        """How many sources and targets are no cells of populations of these sizes."""
        if self._wiring.n_sources <= n_sources and self._wiring.n_targets <= n_targets:
            return 0, 0
        return super().outside(n_sources, n_targets)

    def _bounds(self, index: int) -> tuple[int, int]:
        return index * CHUNK, min((index + 1) * CHUNK, len(self))

    def _ends(self, index: int) -> tuple[Cells, Cells]:
        return self._wiring.ends(*self._bounds(index))

    def weight_chunk(self, index: int) -> NDArray[np.float64]:
        """The weights of a chunk, drawn."""
        start, stop = self._bounds(index)
        return np.asarray(self._weight.draw(self._keys[0], start, stop - start), np.float64)

    def _delays(self, index: int) -> NDArray[np.int32]:
        start, stop = self._bounds(index)
        return _steps(self._delay.draw(self._keys[1], start, stop - start), self._timestep)

    def _whole(self, part: Callable[[int], np.ndarray], kind: type, constant: float | None = None) -> np.ndarray:
        """A column, made of what ``part`` draws of it for each chunk."""
        if constant is not None:
            return np.broadcast_to(kind(constant), len(self))
        column = np.empty(len(self), kind)
        for index in range(self.n_chunks):
            column[slice(*self._bounds(index))] = part(index)
        return column

    def _spread(self, part: Callable[[int], np.ndarray], constant: float | None) -> Spread:
        if constant is not None and len(self):
            odd = 0 if np.isfinite(constant) else len(self)
            return Spread(odd, constant, constant, abs(constant), 0.0)
        spreads = list(of_each(lambda index: Spread(*spread(part(index))), range(self.n_chunks)))
        bounds = (self._bounds(index) for index in range(self.n_chunks))
        return _joined([stop - start for start, stop in bounds], spreads)


def _steps(delay: np.ndarray, timestep: float) -> NDArray[np.int32]:
    """Delays (ms) rounded to the nearest time step."""
    if is_constant(delay):
        return np.broadcast_to(_steps(delay[:1].copy(), timestep)[0], len(delay))
    steps = np.empty(len(delay), np.int32)
    fill_steps(steps, np.asarray(delay, np.float64), timestep)
    return steps


def _joined(counts: list[int], spreads: list[Spread]) -> Spread:
    """The spread of chunks of so many synapses together."""
    if not spreads:
        return Spread(0, 0.0, 0.0, 0.0, 0.0)
    odd, least, most, mean, variance = np.array(spreads).T
    centre = np.average(mean, weights=counts)
    around = np.average(variance + (mean - centre) ** 2, weights=counts)
    return Spread(int(odd.sum()), float(least.min()), float(most.max()), float(centre), float(around))


# --- kernels ---------------------------------------------------------------------------------------------------------


@kernel
def fill_steps(out, delay, timestep):
    """Delays rounded to the nearest step; what an int32 does not hold is as long as it can be."""
    for i in range(out.size):
        out[i] = np.int32(min(max(np.rint(delay[i] / timestep), -LONGEST_DELAY), LONGEST_DELAY))


@kernel
def spread(values):
    """The numbers of a ``Spread``."""
    odd = 0
    least = most = np.float64(values[0])
    total = squares = 0.0
    for i in range(values.size):
        value = np.float64(values[i])
        odd += not np.isfinite(value)
        least, most = min(least, value), max(most, value)
        total += abs(value)
    mean = total / values.size
    for i in range(values.size):
        squares += (abs(np.float64(values[i])) - mean) ** 2
    return odd, least, most, mean, squares / values.size
