"""Synapses that are let go of once they are laid out, and drawn once more if somebody looks at them later."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from evsim.synapses import Chunk, Synapses


class Redrawn(Synapses):
    """Synapses that need no memory between ``let_go()`` and the next look at one of them.

    A backend lays synapses out in its own way, and few scripts look at them afterwards. Those of a script that does are
    drawn once and kept from then on, so that looking often costs no more than once.

    Args:
        synapses: as they were drawn first.
        draw: draws the very same ones; called once at most.
    """

    def __init__(self, synapses: Synapses, draw: Callable[[], Synapses]) -> None:
        self._held: Synapses | None = synapses
        self._draw: Callable[[], Synapses] | None = draw
        self._drawing = Lock()  # the engine's threads look at chunks side by side
        self._length = len(synapses)
        self._constant = synapses.constant_weight, synapses.constant_delay
        self._fans: dict[int, NDArray[np.int64]] = {}
        self._outsiders: dict[tuple[int, int], tuple[int, int]] = {}

    def __reduce__(self) -> tuple:
        return _itself, (self.stored(),)  # another process gets the synapses, not the generators

    def __len__(self) -> int:
        return self._length

    def let_go(self) -> bool:
        """Need no memory until somebody looks at a synapse, unless somebody has looked again already."""
        if self._draw is None or self._held is None:
            return False
        self._held = None
        return True

    def stored(self) -> Synapses:
        """The same synapses, with all of them in memory."""
        with self._drawing:
            if self._held is None:
                assert self._draw is not None
                self._held, self._draw = self._draw(), None
            return self._held

    def chunk(self, index: int) -> Chunk:
        """The synapses of a chunk."""
        return self.stored().chunk(index)

    def weight_chunk(self, index: int) -> NDArray[np.float64]:
        """The weights of a chunk."""
        return self.stored().weight_chunk(index)

    @property
    def constant_weight(self) -> float | None:
        """The weight, where all are known to have the same."""
        return self._constant[0]

    @property
    def constant_delay(self) -> int | None:
        """The delay (steps), where all are known to have the same."""
        return self._constant[1]

    @property
    def source(self) -> np.ndarray:
        """(n,) integers, as they are stored."""
        return self.stored().source

    @property
    def target(self) -> np.ndarray:
        """(n,) int32."""
        return self.stored().target

    @property
    def weight(self) -> NDArray[np.float64]:
        """(n,) float64; one broadcast value where all are known to be equal."""
        return super().weight if self.constant_weight is not None else self.stored().weight

    @property
    def delay(self) -> NDArray[np.int32]:
        """(n,) int32, time steps; one broadcast value where all are known to be equal."""
        return super().delay if self.constant_delay is not None else self.stored().delay

    def fan_in(self, n_targets: int) -> NDArray[np.int64]:
        """(n_targets,) synapses onto each cell; a scale is found from them with each change of a network."""
        if n_targets not in self._fans:
            self._fans[n_targets] = self.stored().fan_in(n_targets)
        return self._fans[n_targets]

    def outside(self, n_sources: int, n_targets: int) -> tuple[int, int]:
        """How many sources and targets are no cells of populations of these sizes; asked with each change, too."""
        sizes = n_sources, n_targets
        if sizes not in self._outsiders:
            self._outsiders[sizes] = self.stored().outside(*sizes)
        return self._outsiders[sizes]

    def pair(self, index: int) -> tuple[int, int]:
        """Source and target of one synapse."""
        return self.stored().pair(index)

    def replaced(self, weight: np.ndarray | None = None, delay: np.ndarray | None = None) -> Synapses:
        """The same pairs with other weights (n,) or delays (n,), which stay in memory."""
        return self.stored().replaced(weight, delay)

    def moved(self, sources: np.ndarray | None, targets: np.ndarray | None) -> Synapses:
        """The same synapses between cells of larger populations; they can be let go of by themselves."""
        return Redrawn(self.stored().moved(sources, targets), lambda: self.stored().moved(sources, targets))

    def between(self, sources: range, targets: range) -> Synapses:
        """Those between some of the cells, counted from the first of them on; they can be let go of by themselves."""
        return Redrawn(self.stored().between(sources, targets), lambda: self.stored().between(sources, targets))


def let_go(synapses: Iterable[Synapses]) -> None:
    """Free the memory of all that can be made once more, and give it back to the system."""
    if any([each.let_go() for each in synapses]):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's; others give back by themselves, or never
        if trim is not None:
            trim(0)


def _itself(synapses: Synapses) -> Synapses:
    return synapses
