"""The synapses of a projection, in as few bytes as their regularity allows.

Whoever goes through synapses takes them chunk by chunk, so that a projection that is drawn on demand never lies in
memory as a whole. Whoever needs whole arrays asks for ``source``, ``target``, ``weight`` and ``delay``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Result = TypeVar("Result")

CHUNK = 1 << 16  # synapses; the columns of a chunk stay in the cache, and no memory is asked of the system for them
LONGEST_DELAY = 2**31 - 1  # time steps; what an int32 holds


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

    def weight_chunk(self, index: int) -> NDArray[np.float64]:
        """The weights of a chunk, without what else would have to be drawn."""
        return self.chunk(index).weight

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

    def pair(self, index: int) -> tuple[int, int]:
        """Source and target of one synapse."""
        chunk, place = self.chunk(index // CHUNK), index % CHUNK
        return int(chunk.source[place]), int(chunk.target[place])

    def let_go(self) -> bool:
        """Free the memory of what can be made once more, and say whether that was any; later looks find the same."""
        return False

    # --- synapses made of these ---------------------------------------------------------------------------------------

    def stored(self) -> Synapses:
        """The same synapses, with all of them in memory."""
        return Listed(self.source, self.target, self.weight, self.delay)

    def replaced(self, weight: np.ndarray | None = None, delay: np.ndarray | None = None) -> Synapses:
        """The same pairs with other weights (n,) or delays (n,)."""
        return self.stored().replaced(weight, delay)

    def moved(self, sources: np.ndarray | None, targets: np.ndarray | None) -> Synapses:
        """The same synapses between cells of larger populations.

        Args:
            sources, targets: the cell there of each cell here; None if it is the same one.
        """
        return self.stored().moved(sources, targets)

    def between(self, sources: range, targets: range) -> Synapses:
        """Those between some of the cells, which are counted from the first of them on."""
        return self.stored().between(sources, targets)


class _Columns(Synapses):
    """Synapses whose sources, weights and delays are arrays; a broadcast weight or delay stays one number."""

    def __init__(self, source: np.ndarray, weight: np.ndarray, delay: np.ndarray) -> None:
        self._source, self._weight, self._delay = source, weight, delay

    def __len__(self) -> int:
        return len(self._source)

    def stored(self) -> Synapses:
        """These."""
        return self

    @property
    def constant_weight(self) -> float | None:
        """The weight, where it is one broadcast value."""
        return float(self._weight[0]) if is_constant(self._weight) else None

    @property
    def constant_delay(self) -> int | None:
        """The delay (steps), where it is one broadcast value."""
        return int(self._delay[0]) if is_constant(self._delay) else None

    def weight_chunk(self, index: int) -> NDArray[np.float64]:
        """A part of the weights."""
        return self._weight[index * CHUNK : (index + 1) * CHUNK]

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

    def pair(self, index: int) -> tuple[int, int]:
        """Source and target of one synapse."""
        return int(self._source[index]), int(self._target[index])

    def replaced(self, weight: np.ndarray | None = None, delay: np.ndarray | None = None) -> Synapses:
        """The same pairs with other weights (n,) or delays (n,)."""
        weight, delay = self._weight if weight is None else weight, self._delay if delay is None else delay
        return Listed(self._source, self._target, weight, delay)

    def moved(self, sources: np.ndarray | None, targets: np.ndarray | None) -> Synapses:
        """The same synapses between cells of larger populations."""
        source = self._source if sources is None else sources[self._source]
        target = self._target if targets is None else targets[self._target]
        return Listed(source, target, self._weight, self._delay)

    def between(self, sources: range, targets: range) -> Synapses:
        """Those between some of the cells, which are counted from the first of them on."""
        source, target = self._source, self._target
        mine = (source >= sources.start) & (source < sources.stop) & (target >= targets.start) & (target < targets.stop)
        weight, delay = take(self._weight, mine), take(self._delay, mine)
        return Listed(source[mine] - np.int32(sources.start), target[mine] - np.int32(targets.start), weight, delay)


class ByTarget(_Columns):
    """Synapses in the order in which PyNN's connectors create them, target by target: the targets need no array.

    Args:
        first: (targets + 1,) int64; the synapses onto cell i are ``first[i]`` to ``first[i + 1]``.
        source: (n,) unsigned 16 or 32-bit or int32.
        weight: (n,) float64.
        delay: (n,) int32.
        shift: added to every source.
    """

    def __init__(
        self, first: np.ndarray, source: np.ndarray, weight: np.ndarray, delay: np.ndarray, shift: int = 0
    ) -> None:
        super().__init__(source, weight, delay)
        self._first, self._shift = first, shift

    @property
    def source(self) -> np.ndarray:
        """(n,) integers: as they are stored, or int32 made anew where they are shifted."""
        return self._source.astype(np.int32) + np.int32(self._shift) if self._shift else self._source

    @property
    def target(self) -> np.ndarray:
        """(n,) int32, made anew at each call."""
        return np.repeat(np.arange(len(self._first) - 1, dtype=np.int32), np.diff(self._first))

    def chunk(self, index: int) -> Chunk:
        """A part of the arrays, with its targets."""
        start, stop = index * CHUNK, min((index + 1) * CHUNK, len(self))
        target = owners(self._first, start, stop)
        part = slice(start, stop)
        source = self._source[part].astype(np.int32)
        source += np.int32(self._shift)
        return Chunk(source, target, self._weight[part], self._delay[part])

    def pair(self, index: int) -> tuple[int, int]:
        """Source and target of one synapse."""
        target = int(np.searchsorted(self._first, index, "right")) - 1
        return int(self._source[index]) + self._shift, target

    def fan_in(self, n_targets: int) -> NDArray[np.int64]:
        """(n_targets,) synapses onto each cell."""
        count = np.zeros(n_targets, np.int64)
        count[: len(self._first) - 1] = np.diff(self._first)
        return count

    def outside(self, n_sources: int, n_targets: int) -> tuple[int, int]:
        """How many sources and targets are no cells of populations of these sizes."""
        beyond = int(len(self) - self._first[min(n_targets, len(self._first) - 1)])
        low, high = -self._shift, n_sources - self._shift
        if len(self) and int(self._source.min()) >= low and int(self._source.max()) < high:
            return 0, beyond
        return int(np.count_nonzero((self._source < low) | (self._source >= high))), beyond

    def replaced(self, weight: np.ndarray | None = None, delay: np.ndarray | None = None) -> Synapses:
        """The same pairs with other weights (n,) or delays (n,)."""
        weight, delay = self._weight if weight is None else weight, self._delay if delay is None else delay
        return ByTarget(self._first, self._source, weight, delay, self._shift)

    def moved(self, sources: np.ndarray | None, targets: np.ndarray | None) -> Synapses:
        """The same synapses between cells of larger populations; as compact as before where the order stays."""
        if targets is not None and not (np.diff(targets) > 0).all():
            return Listed(self.source, self.target, self._weight, self._delay).moved(sources, targets)
        source, shift = self._source, self._shift
        if sources is not None:
            if _consecutive(sources):
                shift += int(sources[0])
            else:
                source, shift = sources[self.source].astype(index_type(int(sources.max()) + 1)), 0
        first = self._first
        if targets is not None:
            count = np.zeros(int(targets[-1]) + 1, np.int64)
            count[targets] = np.diff(first)
            first = np.concatenate([[0], np.cumsum(count)])
        return ByTarget(first, source, self._weight, self._delay, shift)

    def between(self, sources: range, targets: range) -> Synapses:
        """Those between some of the cells, which are counted from the first of them on."""
        first = self._first[targets.start : targets.stop + 1]
        part = slice(int(first[0]), int(first[-1]))
        source = self._source[part]
        low, high = sources.start - self._shift, sources.stop - self._shift
        mine = (source >= low) & (source < high)
        count = np.concatenate([[0], np.cumsum(mine)])
        weight, delay = take(self._weight[part], mine), take(self._delay[part], mine)
        return ByTarget(count[first - first[0]], source[mine], weight, delay, -low)


def owners(first: np.ndarray, start: int, stop: int) -> NDArray[np.int32]:
    """Whose the places ``start`` to ``stop`` are, where those of i begin at ``first[i]`` (n + 1,)."""
    a, b = int(np.searchsorted(first, start, "right")) - 1, int(np.searchsorted(first, stop))
    return np.repeat(np.arange(a, b, dtype=np.int32), np.diff(np.clip(first[a : b + 1], start, stop)))


def index_type(cells: int) -> type[np.integer]:
    """The narrowest type for the indices of so many cells."""
    return np.uint16 if cells <= 1 << 16 else np.int32


def of_each(function: Callable[[int], Result], numbers: Sequence[int]) -> Iterator[Result]:
    """What a function makes of some numbers, in their order, by several threads where there are several of them."""
    if len(numbers) == 1:
        yield function(numbers[0])
        return
    with ThreadPoolExecutor() as pool:
        yield from pool.map(function, numbers)


def is_constant(array: np.ndarray) -> bool:
    """Whether an array is one value that was broadcast to all its places."""
    return array.size > 0 and array.strides == (0,)


def take(column: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The values where a mask holds; a constant column stays one value."""
    return np.broadcast_to(column[0], int(np.count_nonzero(mask))) if is_constant(column) else column[mask]


def _consecutive(cells: np.ndarray) -> bool:
    return len(cells) > 0 and bool((np.diff(cells) == 1).all())


def _spread(column: np.ndarray) -> Spread:
    if not len(column):
        return Spread(0, 0.0, 0.0, 0.0, 0.0)
    values = column[:1] if is_constant(column) else column
    odd = int(len(values) - np.count_nonzero(np.isfinite(values))) * (len(column) // len(values))
    least, most = float(values.min()), float(values.max())
    magnitude = np.abs(values) if least < 0 < most else values
    with np.errstate(invalid="ignore"):  # of values that are not finite, which the network's check reports
        mean, variance = abs(float(magnitude.mean())), float(magnitude.var())
    return Spread(odd, least, most, mean, variance)
