"""The synapses of a projection, in as few bytes as their regularity allows.

Whoever goes through synapses takes them chunk by chunk, so that a projection that is drawn on demand never lies in
memory as a whole. Whoever needs whole arrays asks for ``source``, ``target``, ``weight`` and ``delay``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

CHUNK = 1 << 18  # synapses; the columns of a chunk stay in the cache while they are worked on


class Chunk(NamedTuple):
    """Some synapses in the order of their creation.

    Attributes:
        source, target: (n,) int32, contiguous; cells within the populations before and after.
        weight: (n,) float64, in PyNN's units; may be one broadcast value.
        delay: (n,) int32, time steps; may be one broadcast value.
    """

    source: NDArray[np.int32]
    target: NDArray[np.int32]
    weight: NDArray[np.float64]
    delay: NDArray[np.int32]


class Spread(NamedTuple):
    """What rules for scaling ask about the values of a column.

    Attributes:
        odd: how many are not finite.
        least, most: the extremes; 0 of no synapse.
        mean, variance: of the magnitudes.
    """

    odd: int
    least: float
    most: float
    mean: float
    variance: float


class Synapses(ABC):
    """Synapses in the order in which they were created."""

    @abstractmethod
    def __len__(self) -> int: ...

    @property
    def n_chunks(self) -> int:
        """The number of chunks, which may be made in any order."""
        return -(-len(self) // CHUNK)

    @abstractmethod
    def chunk(self, index: int) -> Chunk:
        """Synapses from ``index * CHUNK`` on, at most ``CHUNK`` of them."""

    def chunks(self) -> Iterator[Chunk]:
        """All chunks in order."""
        return (self.chunk(index) for index in range(self.n_chunks))

    @property
    @abstractmethod
    def constant_weight(self) -> float | None:
        """The weight that all synapses are known to have."""

    @property
    @abstractmethod
    def constant_delay(self) -> int | None:
        """The delay (steps) that all synapses are known to have."""

    @property
    def source(self) -> np.ndarray:
        """(n,) integers, cells of the population before."""
        return np.concatenate([chunk.source for chunk in self.chunks()] or [np.empty(0, np.int32)])

    @property
    def target(self) -> np.ndarray:
        """(n,) int32, cells of the population after."""
        return np.concatenate([chunk.target for chunk in self.chunks()] or [np.empty(0, np.int32)])

    @property
    def weight(self) -> NDArray[np.float64]:
        """(n,) float64; one broadcast value where all are known to be equal."""
        if self.constant_weight is not None:
            return np.broadcast_to(np.float64(self.constant_weight), len(self))
        return np.concatenate([chunk.weight for chunk in self.chunks()] or [np.empty(0)])

    @property
    def delay(self) -> NDArray[np.int32]:
        """(n,) int32, time steps; one broadcast value where all are known to be equal."""
        if self.constant_delay is not None:
            return np.broadcast_to(np.int32(self.constant_delay), len(self))
        return np.concatenate([chunk.delay for chunk in self.chunks()] or [np.empty(0, np.int32)])

    @cached_property
    def weights(self) -> Spread:
        """The spread of the weights."""
        return _spread(self.weight)

    @cached_property
    def delays(self) -> Spread:
        """The spread of the delays (steps)."""
        return _spread(self.delay)

    def fan_in(self, n_targets: int) -> NDArray[np.int64]:
        """(n_targets,) synapses onto each cell."""
        count = np.zeros(n_targets, np.int64)
        for chunk in self.chunks():
            count += np.bincount(chunk.target, minlength=n_targets)
        return count

    def outside(self, n_sources: int, n_targets: int) -> tuple[int, int]:
        """How many sources and targets are no cells of populations of these sizes."""
        sources = targets = 0
        for chunk in self.chunks():
            sources += int(np.count_nonzero((chunk.source < 0) | (chunk.source >= n_sources)))
            targets += int(np.count_nonzero((chunk.target < 0) | (chunk.target >= n_targets)))
        return sources, targets


class _Columns(Synapses):
    """Synapses whose sources, weights and delays are arrays; a broadcast weight or delay stays one number."""

    def __init__(self, source: np.ndarray, weight: np.ndarray, delay: np.ndarray) -> None:
        self._source, self._weight, self._delay = source, weight, delay

    def __len__(self) -> int:
        return len(self._source)

    @property
    def constant_weight(self) -> float | None:
        """The weight, where it is one broadcast value."""
        return float(self._weight[0]) if is_constant(self._weight) else None

    @property
    def constant_delay(self) -> int | None:
        """The delay (steps), where it is one broadcast value."""
        return int(self._delay[0]) if is_constant(self._delay) else None

    @property
    def source(self) -> np.ndarray:
        """(n,) integers of any width, as they are stored."""
        return self._source

    @property
    def weight(self) -> NDArray[np.float64]:
        """(n,) float64, as they are stored."""
        return self._weight

    @property
    def delay(self) -> NDArray[np.int32]:
        """(n,) int32, as they are stored."""
        return self._delay


class Listed(_Columns):
    """Synapses in any order.

    Args:
        source, target, delay: (n,) int32.
        weight: (n,) float64.
    """

    def __init__(self, source: np.ndarray, target: np.ndarray, weight: np.ndarray, delay: np.ndarray) -> None:
        super().__init__(source, weight, delay)
        self._target = target

    @property
    def target(self) -> np.ndarray:
        """(n,) int32, as they are stored."""
        return self._target

    def chunk(self, index: int) -> Chunk:
        """A part of the arrays."""
        part = slice(index * CHUNK, (index + 1) * CHUNK)
        source, target = (np.ascontiguousarray(ends[part], np.int32) for ends in (self._source, self._target))
        return Chunk(source, target, self._weight[part], self._delay[part])


class ByTarget(_Columns):
    """Synapses in the order in which PyNN's connectors create them, target by target: the targets need no array.

    Args:
        first: (targets + 1,) int64; the synapses onto cell i are ``first[i]`` to ``first[i + 1]``.
        source: (n,) unsigned 16 or 32-bit or int32.
        weight: (n,) float64.
        delay: (n,) int32.
    """

    def __init__(self, first: np.ndarray, source: np.ndarray, weight: np.ndarray, delay: np.ndarray) -> None:
        super().__init__(source, weight, delay)
        self._first = first

    @property
    def target(self) -> np.ndarray:
        """(n,) int32, made anew at each call."""
        return np.repeat(np.arange(len(self._first) - 1, dtype=np.int32), np.diff(self._first))

    def chunk(self, index: int) -> Chunk:
        """A part of the arrays, with its targets."""
        start, stop = index * CHUNK, min((index + 1) * CHUNK, len(self))
        a, b = int(np.searchsorted(self._first, start, "right")) - 1, int(np.searchsorted(self._first, stop))
        bounds = np.clip(self._first[a : b + 1], start, stop)
        target = np.repeat(np.arange(a, b, dtype=np.int32), np.diff(bounds))
        part = slice(start, stop)
        return Chunk(self._source[part].astype(np.int32), target, self._weight[part], self._delay[part])

    def fan_in(self, n_targets: int) -> NDArray[np.int64]:
        """(n_targets,) synapses onto each cell."""
        count = np.zeros(n_targets, np.int64)
        count[: len(self._first) - 1] = np.diff(self._first)
        return count

    def outside(self, n_sources: int, n_targets: int) -> tuple[int, int]:
        """How many sources and targets are no cells of populations of these sizes."""
        beyond = int(len(self) - self._first[min(n_targets, len(self._first) - 1)])
        if len(self) and int(self._source.min()) >= 0 and int(self._source.max()) < n_sources:
            return 0, beyond
        return int(np.count_nonzero((self._source < 0) | (self._source >= n_sources))), beyond


def is_constant(array: np.ndarray) -> bool:
    """Whether an array is one value that was broadcast to all its places."""
    return array.size > 0 and array.strides == (0,)


def _spread(column: np.ndarray) -> Spread:
    if not len(column):
        return Spread(0, 0.0, 0.0, 0.0, 0.0)
    values = column[:1] if is_constant(column) else column
    odd = int(len(values) - np.count_nonzero(np.isfinite(values))) * (len(column) // len(values))
    magnitude = np.abs(values)
    with np.errstate(invalid="ignore"):  # of values that are not finite, which the network's check reports
        mean, variance = float(magnitude.mean()), float(magnitude.var())
    return Spread(odd, float(values.min()), float(values.max()), mean, variance)
