"""Where synapses begin and end: drawn from keys, any stretch of them at any time.

A cell that is drawn depends on a key and on the number of its synapse alone, or, without replacement, on a key and on
the cell at the other end.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from evsim.compile import kernel
from evsim.random_bits import GOLDEN, bits_at, derived, subkey, unit
from evsim.synapses import CHUNK, of_each, owners

Cells = NDArray[np.int32]


class Wiring(ABC):
    """Where synapses begin and end."""

    n_sources: int
    n_targets: int

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def ends(self, start: int, stop: int) -> tuple[Cells, Cells]:
        """Sources and targets of synapses ``start`` to ``stop``."""

    def fan_in(self) -> NDArray[np.int64]:
        """(n_targets,) synapses onto each cell."""
        counts = of_each(self._fan_in_of, range(0, len(self), CHUNK))
        return sum(counts, np.zeros(self.n_targets, np.int64))

    def _fan_in_of(self, start: int) -> NDArray[np.int64]:
        targets = self.ends(start, min(start + CHUNK, len(self)))[1]
        return np.bincount(targets, minlength=self.n_targets)


class Pairs(Wiring):
    """A fixed number of synapses; each of them draws its source and its target, so a pair may have several.

    Args:
        key: of the draws.
        autapses: whether source and target may have the same number; if not, all other pairs are equally likely.
    """

    def __init__(self, count: int, n_sources: int, n_targets: int, key: np.uint64, *, autapses: bool = True) -> None:
        self._count, self.n_sources, self.n_targets = count, n_sources, n_targets
        self._keys = derived(key, 0), derived(key, 1)
        self._autapses = autapses
        _refuse_nobody(count, n_sources)
        _refuse_nobody(count, n_targets - (not autapses))

    def __len__(self) -> int:
        return self._count

    def ends(self, start: int, stop: int) -> tuple[Cells, Cells]:
        """Two draws each."""
        source, target = np.empty(stop - start, np.int32), np.empty(stop - start, np.int32)
        fill_cells(source, self._keys[0], start, self.n_sources)
        fill_cells(target, self._keys[1], start, self.n_targets - (not self._autapses))
        if not self._autapses:
            target += target >= source
        return source, target


class Fans(Wiring):
    """A number of synapses for each cell at one end (a hub), with partners drawn at the other; hub by hub.

    Args:
        counts: (hubs,) synapses of each hub.
        n_partners: cells at the other end.
        key: of the draws.
        to_targets: whether the hubs are the targets; else they are the sources.
        replacement: whether a partner may be drawn several times. If not, each set of so many partners is equally
            likely, and a hub that has more synapses than there are partners has all of them first, as often as fits.
        autapses: whether a hub may be its own partner.
    """

    def __init__(
        self,
        counts: NDArray[np.int64],
        n_partners: int,
        key: np.uint64,
        *,
        to_targets: bool = True,
        replacement: bool = False,
        autapses: bool = True,
    ) -> None:
        self._first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self._n_choices = n_partners - (not autapses)
        self._key, self._to_targets = key, to_targets
        self._replacement, self._autapses = replacement, autapses
        self.n_sources, self.n_targets = (n_partners, len(counts)) if to_targets else (len(counts), n_partners)
        _refuse_nobody(len(self), self._n_choices)

    def __len__(self) -> int:
        return int(self._first[-1])

    def ends(self, start: int, stop: int) -> tuple[Cells, Cells]:
        """The hubs, and a draw each or a set for each hub."""
        hub = owners(self._first, start, stop)
        partner = np.empty(stop - start, np.int32)
        if self._replacement:
            fill_cells(partner, self._key, start, self._n_choices)
        elif start < stop:
            fill_sets(partner, start, hub[0], self._first, self._key, self._n_choices)
        if not self._autapses:
            partner += partner >= hub
        return (partner, hub) if self._to_targets else (hub, partner)

    def fan_in(self) -> NDArray[np.int64]:
        """(n_targets,) synapses onto each cell."""
        return np.diff(self._first) if self._to_targets else super().fan_in()


def _refuse_nobody(count: int, n_choices: int) -> None:
    if count and n_choices < 1:
        raise ValueError(f"{count} synapses were asked for where there is no cell to connect to")


# --- kernels ---------------------------------------------------------------------------------------------------------


@kernel
def fill_cells(out, key, start, n_cells):
    """Cells drawn with replacement, each from the bits of its place."""
    base = key + np.uint64(start) * GOLDEN
    for i in range(out.size):
        out[i] = np.int32(unit(bits_at(base, i)) * n_cells)


@kernel
def floyd(chosen, taken, key, count):
    """Floyd's sample without replacement (Bentley and Floyd 1987, Comm. ACM 30(9)), one draw for each cell."""
    n_cells = taken.size
    for i in range(count):
        last = n_cells - count + i
        cell = np.int32(unit(bits_at(key, i)) * (last + 1))
        if taken[cell]:
            cell = np.int32(last)
        taken[cell] = True
        chosen[i] = cell


@kernel
def choose(chosen, taken, key, count):
    """A set of so many of the cells, each such set being equally likely; ``taken`` is all false before and after."""
    n_cells = taken.size
    if 2 * count <= n_cells:
        floyd(chosen, taken, key, count)
        for i in range(count):
            taken[chosen[i]] = False
        return
    floyd(chosen, taken, key, n_cells - count)  # those that are left out
    place = 0
    for cell in range(n_cells):
        if not taken[cell]:
            chosen[place] = cell
            place += 1
        taken[cell] = False


@kernel
def fill_sets(out, start, hub, first, key, n_cells):
    """The partners from synapse ``start`` on, which belongs to ``hub``; each hub's are a random set."""
    taken = np.zeros(n_cells, np.bool_)
    chosen = np.empty(n_cells, np.int32)
    place = 0
    while place < out.size:
        count = first[hub + 1] - first[hub]
        at = start + place - first[hub]
        stop = min(count, at + out.size - place)
        full = count - count % n_cells  # every partner, as often as fits
        cell = at % n_cells
        while at < min(stop, full):
            out[place] = cell
            cell = 0 if cell + 1 == n_cells else cell + 1
            at += 1
            place += 1
        if at < stop:
            choose(chosen, taken, subkey(key, np.uint64(hub)), count - full)
        while at < stop:
            out[place] = chosen[at - full]
            at += 1
            place += 1
        hub += 1
