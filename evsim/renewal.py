"""Cells that spike after independent intervals which are not exponential: with a dead time, or gamma-distributed.

Each begins in equilibrium, so that its rate is the same from the start on. An interval depends on the network's seed,
the population, the cell and the number of its spike alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from evsim.compile import kernel
from evsim.random_bits import bits_at, subkey, unit

Floats = NDArray[np.float64]


class Intervals(ABC):
    """A law of intervals for each cell of a population.

    Attributes:
        rate: (cells,) spikes per ms.
    """

    rate: Floats

    @abstractmethod
    def between(self, u: Floats, cells: NDArray[np.int64]) -> Floats:
        """Intervals (ms) of some cells, one for each of the uniform numbers ``u`` in [0, 1)."""

    @abstractmethod
    def until_first(self, u: Floats, share: Floats) -> Floats:
        """The wait of every cell for a spike from a moment in equilibrium, of two uniform numbers each."""


class DeadTime(Intervals):
    """A Poisson process that says nothing for ``tau_refrac`` after a spike; ``rate`` (Hz) includes that."""

    def __init__(self, rate: Floats, tau_refrac: Floats) -> None:
        self.rate, self._dead = rate / 1000.0, tau_refrac
        with np.errstate(divide="ignore"):
            self._mean_rest = 1.0 / self.rate - tau_refrac

    def between(self, u: Floats, cells: NDArray[np.int64]) -> Floats:
        """The dead time and an exponential rest."""
        return self._dead[cells] - np.log1p(-u) * self._mean_rest[cells]

    def until_first(self, u: Floats, share: Floats) -> Floats:
        """What may be left of a dead time, and an exponential rest."""
        is_dead = share < self.rate * self._dead
        left = np.where(is_dead, self._dead - np.where(is_dead, share, 0.0) / np.where(is_dead, self.rate, 1.0), 0.0)
        return left - np.log1p(-u) * self._mean_rest


class Gamma(Intervals):
    """Intervals of shape ``alpha`` whose mean is alpha / beta, beta in Hz."""

    def __init__(self, alpha: Floats, beta: Floats) -> None:
        self._alpha, self._per_beta = alpha, 1000.0 / beta
        self.rate = beta / alpha / 1000.0

    def between(self, u: Floats, cells: NDArray[np.int64]) -> Floats:
        """By the inverse of the distribution."""
        return _gamma_quantile(self._alpha[cells], u) * self._per_beta[cells]

    def until_first(self, u: Floats, share: Floats) -> Floats:
        """A uniform share of an interval in which a moment is found, which has one more in its shape (Cox 1962)."""
        return share * _gamma_quantile(self._alpha + 1.0, u) * self._per_beta


def _gamma_quantile(alpha: Floats, u: Floats) -> Floats:
    from scipy.special import gammaincinv  # loaded where it is needed: it takes long

    return gammaincinv(alpha, u)


class RenewalTrains:
    """The spikes of a population, window after window.

    A spike is labelled by the step at or after its time.

    Args:
        start, stop: (cells,) ms, between which each cell spikes.
        key: of the population.
    """

    def __init__(self, intervals: Intervals, start: Floats, stop: Floats, timestep: float, key: np.uint64) -> None:
        self._intervals, self._stop, self._timestep = intervals, stop, timestep
        self._cells = np.arange(len(start))
        self._place = np.zeros(len(start), np.int64)
        self._key = np.empty(len(start), np.uint64)
        _set_keys(key, self._key)
        share = self._uniform(self._cells)
        self._next = start + intervals.until_first(self._uniform(self._cells), share)

    def spikes(self, last: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Labels and cells of those that were not handed out yet, up to label ``last``, in this order."""
        labels, cells = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        due = self._cells[self._is_due(self._cells, last)]
        while len(due):
            labels.append(np.ceil(self._next[due] / self._timestep).astype(np.int64))
            cells.append(due)
            self._next[due] += self._intervals.between(self._uniform(due), due)
            due = due[self._is_due(due, last)]
        label, cell = np.concatenate(labels), np.concatenate(cells)
        order = np.lexsort((cell, label))
        return label[order], cell[order]

    def _is_due(self, cells: NDArray[np.int64], last: int) -> NDArray[np.bool_]:
        time = self._next[cells]
        return (np.ceil(time / self._timestep) <= last) & (time < self._stop[cells])

    def _uniform(self, cells: NDArray[np.int64]) -> Floats:
        """The next number of each of these cells."""
        drawn = np.empty(len(cells))
        _draw(self._key, self._place, cells, drawn)
        return drawn


@kernel
def _set_keys(key, keys):
    """A key for each cell."""
    for cell in range(keys.size):
        keys[cell] = subkey(key, np.uint64(cell))


@kernel
def _draw(keys, places, cells, drawn):
    """Uniform numbers in [0, 1) of some cells, each at its own place, which goes on."""
    for k in range(cells.size):
        cell = cells[k]
        drawn[k] = unit(bits_at(keys[cell], places[cell]))
        places[cell] += 1
