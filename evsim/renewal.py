"""Cells that spike after independent intervals: with a dead time, gamma-distributed, or at a rate that varies.

Each begins in equilibrium, so that its rate is the same from the start on. An interval depends on the network's seed,
the population, the cell and the number of its spike alone; and on its beginning, where the law changes with time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from evsim.compile import kernel
from evsim.random_bits import bits_at, subkey, unit

Floats = NDArray[np.float64]


class Intervals(ABC):
    """A law of intervals for each cell of a population.

    Attributes:
        rate: (cells,) spikes per ms; where it changes, the highest.
    """

    rate: Floats

    @abstractmethod
    def following(self, last: Floats, u: Floats, cells: NDArray[np.int64]) -> Floats:
        """When (ms) some cells spike after the ``last`` time, each by a uniform number ``u`` in [0, 1)."""

    @abstractmethod
    def first(self, begins: Floats, draw: Callable[[], Floats]) -> Floats:
        """When every cell spikes first after a moment in equilibrium.

        Args:
            draw: gives a uniform number in [0, 1) for each cell, another one at each call.
        """


class ConstantLaw(Intervals):
    """A law that does not change with time."""

    @abstractmethod
    def between(self, u: Floats, cells: NDArray[np.int64]) -> Floats:
        """Intervals (ms) of some cells, one for each of the uniform numbers ``u`` in [0, 1)."""

    @abstractmethod
    def until_first(self, u: Floats, share: Floats) -> Floats:
        """The wait of every cell for a spike from a moment in equilibrium, of two uniform numbers each."""

    def following(self, last: Floats, u: Floats, cells: NDArray[np.int64]) -> Floats:
        """An interval later."""
        return last + self.between(u, cells)

    def first(self, begins: Floats, draw: Callable[[], Floats]) -> Floats:
        """A wait later."""
        share = draw()
        return begins + self.until_first(draw(), share)


class DeadTime(ConstantLaw):
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


class Gamma(ConstantLaw):
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


class VaryingGamma(Intervals):
    """The hazard of a gamma distribution whose parameters change with time.

    A cell that has been silent for an age x spikes with the hazard f(x) / (1 - F(x)) of the gamma distribution that
    holds at this moment (Muller et al. 2007, doi:10.1162/neco.2007.19.11.2958). Where they thin a Poisson process, here
    the integral of the hazard is inverted, which is exponential from spike to spike.

    Args:
        begin: (cells, bins) ms, ascending, from when on the parameters of a bin hold; infinite where a cell has fewer
            bins. Those of the first bin hold before, too.
        a, b: (cells, bins) shape, and scale in ms.
    """

    def __init__(self, begin: Floats, a: Floats, b: Floats) -> None:
        never = np.full((len(begin), 1), np.inf)
        self._begin, self._end, self._a, self._b = begin, np.hstack([begin[:, 1:], never]), a, b
        self.rate = np.where(np.isfinite(begin), 1 / (a * b), 0.0).max(axis=1)

    def following(self, last: Floats, u: Floats, cells: NDArray[np.int64]) -> Floats:
        """From age 0 on."""
        return self._next(last, last, u, cells)

    def first(self, begins: Floats, draw: Callable[[], Floats]) -> Floats:
        """From an age on that is a uniform share of an interval in which a moment is found, one more in its shape."""
        cells = np.arange(len(begins))
        bins = self._bins(begins, cells)
        age = draw() * _gamma_quantile(self._a[cells, bins] + 1.0, draw()) * self._b[cells, bins]
        return self._next(begins - age, begins, draw(), cells)

    def _bins(self, time: Floats, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """The bin of each cell that holds at a time."""
        return np.maximum((self._begin[cells] <= time[:, None]).sum(axis=1) - 1, 0)

    def _next(self, last: Floats, now: Floats, u: Floats, cells: NDArray[np.int64]) -> Floats:
        """When cells spike that have done so last at ``last``, and not until ``now``: from bin to bin."""
        found, waiting, bins = np.empty(len(cells)), np.arange(len(cells)), self._bins(now, cells)
        left = -np.log1p(-u)  # of the integral of the hazard
        while len(waiting):
            a, b, end = (rows[cells[waiting], bins] for rows in (self._a, self._b, self._end))
            spike = last + b * _age_later(a, (now - last) / b, left)
            found[waiting] = spike
            on = spike > end
            a, b, last, now, end = a[on], b[on], last[on], now[on], end[on]
            left = np.maximum(left[on] - _hazard_between(a, (now - last) / b, (end - last) / b), 0.0)
            waiting, now, bins = waiting[on], end, bins[on] + 1
        return found


class VaryingRate(Intervals):
    """A Poisson process whose rate is constant from one given time to the next: its integral is inverted.

    Args:
        rates: (cells, bins) Hz.
        begin: (cells, bins) ms, ascending, from when on each rate holds; infinite where a cell has fewer of them.
        end: (cells, bins) ms, until when; no rate holds longer than until the next one begins.
    """

    def __init__(self, rates: Floats, begin: Floats, end: Floats) -> None:
        never = np.full((len(begin), 1), np.inf)
        end = np.minimum(np.maximum(end, begin), np.hstack([begin[:, 1:], never]))
        self._begin, self._per_ms = np.where(np.isfinite(begin), begin, 0.0), rates / 1000.0
        self._length = np.where(np.isfinite(begin), end - self._begin, 0.0)
        with np.errstate(invalid="ignore"):
            expected = np.where(self._per_ms > 0, self._per_ms * self._length, 0.0)
        self._after = np.cumsum(expected, axis=1)  # spikes expected until the end of each bin
        self._before = np.hstack([np.zeros((len(begin), 1)), self._after[:, :-1]])
        self.rate = np.where(self._length > 0, self._per_ms, 0.0).max(axis=1, initial=0.0)

    def following(self, last: Floats, u: Floats, cells: NDArray[np.int64]) -> Floats:
        """When the integral of the rate has grown by an exponential number; infinite where it never does."""
        if not self._begin.shape[1]:
            return np.full(len(cells), np.inf)
        wanted = self._expected(last, cells) - np.log1p(-u)
        after = self._after[cells]
        found = np.minimum((after < wanted[:, None]).sum(axis=1), after.shape[1] - 1)
        begin, before, rate = (rows[cells, found] for rows in (self._begin, self._before, self._per_ms))
        some = (wanted <= after[np.arange(len(cells)), found]) & (rate > 0)
        return np.where(some, begin + (wanted - before) / np.where(some, rate, 1.0), np.inf)

    def first(self, begins: Floats, draw: Callable[[], Floats]) -> Floats:
        """As from any moment: the process has no memory."""
        return self.following(begins, draw(), np.arange(len(begins)))

    def _expected(self, time: Floats, cells: NDArray[np.int64]) -> Floats:
        """The spikes expected until a time."""
        passed = np.clip(time[:, None] - self._begin[cells], 0.0, self._length[cells])
        return (self._per_ms[cells] * passed).sum(axis=1)


LEAST_SURVIVAL = 1e-250  # of an age; the hazard of older ones is taken to be that of infinity


def _age_later(alpha: Floats, age: Floats, hazard: Floats) -> Floats:
    """The age at which the hazard from an age on comes to a number; in units of the scale."""
    from scipy.special import gammaincc, gammainccinv  # loaded where they are needed: it takes long

    survival = gammaincc(alpha, age)
    later = gammainccinv(alpha, np.maximum(survival, LEAST_SURVIVAL) * np.exp(-hazard))
    return np.where(survival > LEAST_SURVIVAL, np.maximum(later, age), age + hazard)


def _hazard_between(alpha: Floats, age: Floats, later: Floats) -> Floats:
    """The integral of the hazard from an age to a later one."""
    from scipy.special import gammaincc

    before, after = np.maximum(gammaincc(alpha, np.stack([age, later])), LEAST_SURVIVAL)
    return np.where(after > LEAST_SURVIVAL, np.log(before / after), later - age)


def _gamma_quantile(alpha: Floats, u: Floats) -> Floats:
    from scipy.special import gammaincinv

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
        self._next = intervals.first(start, lambda: self._uniform(self._cells))

    def spikes(self, last: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Labels and cells of those that were not handed out yet, up to label ``last``, in this order."""
        labels, cells = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        due = self._cells[self._is_due(self._cells, last)]
        while len(due):
            labels.append(np.ceil(self._next[due] / self._timestep).astype(np.int64))
            cells.append(due)
            self._next[due] = self._intervals.following(self._next[due], self._uniform(due), due)
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
