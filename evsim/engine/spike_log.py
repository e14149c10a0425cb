"""The spikes of all neurons as they come out of the loop, eight bytes each, and sorted by population when asked for."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from evsim.engine.store import Allowance, Store


class SpikeLog:
    """Spikes in the order of their labels.

    Args:
        first_neuron: (populations + 1,) global number of each population's first cell.
    """

    def __init__(self, first_neuron: np.ndarray, allowance: Allowance) -> None:
        self._first_neuron = first_neuron
        self._bits = int(first_neuron[-1]).bit_length()
        self._words = Store(allowance, np.int64)  # label << bits | neuron

    def take(self, label: np.ndarray, neuron: np.ndarray) -> None:
        """Keep the spikes of a block; no label comes before those of the blocks before."""
        words = np.left_shift(label, self._bits, dtype=np.int64) | neuron
        if (words[1:] < words[:-1]).any():  # the threads' shares of a step lie behind each other
            words.sort()
        self._words.append(words)

    def by_population(
        self, wanted: Mapping[int, np.ndarray], timestep: float
    ) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        """Population -> times (ms, float64) and cells (int64) of its spikes, by time and then by cell.

        Args:
            wanted: population -> (cells,) bool, of which cells.
        """
        # As narrow as can be: numpy sorts 16 bits by counting. The number behind the last stands for no population.
        keep = np.full(int(self._first_neuron[-1]), len(wanted), np.min_scalar_type(len(wanted)))
        for place, (index, cells) in enumerate(wanted.items()):
            keep[self._first_neuron[index] : self._first_neuron[index + 1]][cells] = place
        counts = np.zeros(len(wanted) + 1, np.int64)
        for words in self._words.parts():
            counts += np.bincount(keep[self._neurons(words)], minlength=len(counts))
        found = {
            index: (self._words.room((count,), np.float64), self._words.room((count,), np.int64))
            for index, count in zip(wanted, counts.tolist(), strict=False)
        }
        filled = np.zeros(len(wanted), np.int64)
        for words in self._words.parts():
            self._sort_in(words, keep, filled, found, timestep)
        return found

    def _sort_in(
        self,
        words: np.ndarray,
        keep: np.ndarray,
        filled: np.ndarray,
        found: dict[int, tuple[np.ndarray, np.ndarray]],
        timestep: float,
    ) -> None:
        place = keep[self._neurons(words)]
        bounds = np.cumsum(np.bincount(place, minlength=len(found)))
        words = words[np.argsort(place, kind="stable")]
        for k, (index, (times, cells)) in enumerate(found.items()):
            mine = words[bounds[k - 1] if k else 0 : bounds[k]]
            into = slice(filled[k], filled[k] + len(mine))
            np.multiply(mine >> self._bits, timestep, out=times[into])
            np.subtract(self._neurons(mine), self._first_neuron[index], out=cells[into])
            filled[k] += len(mine)

    def _neurons(self, words: np.ndarray) -> np.ndarray:
        return words & ((1 << self._bits) - 1)

    def clear(self) -> None:
        """Forget all spikes."""
        self._words.clear()
