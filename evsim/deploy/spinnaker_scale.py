"""How sPyNNaker scales the weights onto a population: the left shift of each ring buffer.

A weight is stored in 16 bits. A slot of the ring buffer sums the weights that are due in one time step, and is shifted
to the left to become s16.15. sPyNNaker chooses the shift so that the sum that it expects fits; the rules below are
those of sPyNNaker 7.4.1 (``PopulationVertex.get_ring_buffer_shifts``), floating-point rounding included.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evsim.network import Projection

EXPECTED_RATE = 30.0  # Hz, of every source: ``spikes_per_second`` of spynnaker.cfg
SIGMA = 5.0  # standard deviations above the mean sum: ``ring_buffer_sigma`` of spynnaker.cfg
SUMMED_SIGMA = 3.0  # of the Poisson sum: POSSION_SIGMA_SUMMATION_LIMIT of sPyNNaker's constants.py
CONDUCTANCE_GAIN = 1024.0  # conductances are held in units of uS / 1024: InputTypeConductance


@dataclass(frozen=True)
class SpinnakerScale:
    """The scale of the weights onto one population.

    Attributes:
        shifts: left shift of the ring buffer of each receptor, by its row of input.
        gain: what weights are multiplied by beforehand; 1024 for conductances, else 1.
    """

    shifts: tuple[int, ...]
    gain: float

    def per_unit(self, row: int) -> float:
        """16-bit units for a unit of weight on the receptor of this input row."""
        return self.gain * 2.0 ** (15 - self.shifts[row])

    def rescaling(self, before: SpinnakerScale, row: int) -> float:
        """What turns units of an input row of an earlier scale into those of this one."""
        return self.per_unit(row) / before.per_unit(row)


class Moments:
    """Mean and variance of items that are added in groups of known mean and variance."""

    def __init__(self) -> None:
        self.n, self.mean, self._sum = 0, 0.0, 0.0

    def add(self, mean: float, variance: float, n: int) -> None:
        """Take in ``n`` items of this mean and variance."""
        total = self.n + n
        delta = mean - self.mean
        self._sum = self._sum + variance * (n - 1.0) + (delta * delta * self.n * n) / total
        self.mean = ((self.n * self.mean) + (n * mean)) / total
        self.n = total

    @property
    def variance(self) -> float:
        """The sample variance; 0 of a single item."""
        return 0.0 if self.n <= 1 else self._sum / (self.n - 1.0)


def ring_shift(projections: Sequence[Projection], n_targets: int, timestep: float, gain: float) -> int:
    """The left shift for the projections onto one receptor of one population, none of them empty."""
    most = expected_sum(projections, n_targets, timestep, gain)
    power = 0 if most <= 0 else math.ceil(max(0, math.log2(most)))
    return power + 1 if 2**power <= most else power


def expected_sum(projections: Sequence[Projection], n_targets: int, timestep: float, gain: float) -> float:
    """The largest sum of weights that is expected in one time step.

    Where all delays are equal, every source may spike at once. Otherwise it is the mean of a Poisson sum and 5 standard
    deviations; at least the largest weight, at most the sum of all.
    """
    weights, delays = Moments(), Moments()
    steps_per_second = 1e6 / round(timestep * 1000)
    total = biggest = 0.0
    for projection in projections:
        into_one_cell = int(projection.synapses.fan_in(n_targets).max())
        mean, variance, largest = _spread(projection)
        weights.add(mean * gain, variance * gain**2, into_one_cell)
        delays.add(0.0, delay_variance(projection, timestep), into_one_cell)
        biggest = max(biggest, largest * gain)
        total += max(1.0, EXPECTED_RATE / steps_per_second) * (largest * into_one_cell)  # as there: without the gain
    if delays.variance == 0.0:
        return max(total, biggest)
    spikes = weights.n * EXPECTED_RATE / steps_per_second
    return max(min(_poisson_bound(weights, spikes), total), biggest)


def _spread(projection: Projection) -> tuple[float, float, float]:
    """Mean, variance and largest of the weights; plastic ones are expected to become the largest that they can be."""
    spread = projection.synapses.weights
    largest = max(-spread.least, spread.most)
    if projection.plasticity:
        largest = max(largest, abs(projection.plasticity.parameters["w_max"]))
        return largest, 0.0, largest
    return spread.mean, spread.variance, largest


def delay_variance(projection: Projection, timestep: float) -> float:
    """The variance (ms^2) of the delays as sPyNNaker computes with them, in whole steps of whole microseconds.

    Equal delays matter to the last digit: a variance of exactly 0 decides how a bound is computed, and numpy's variance
    of equal numbers may be a rounding error above it. So it is computed from the very numbers, as there.
    """
    step = round(timestep * 1000) / 1000
    delays = projection.synapses.delays
    if delays.least != delays.most:
        return delays.variance * step**2
    return _variance_of_equals(np.rint(delays.most * timestep * (1 / step)) * step, len(projection))


def _variance_of_equals(number: float, n: int) -> float:
    """``np.var`` of an array of ``n`` equal numbers, to the bit, without the array: the order of adding is the same."""
    mean = np.add.reduce(np.broadcast_to(np.float64(number), n)) / n
    return float(np.add.reduce(np.broadcast_to((number - mean) * (number - mean), n)) / n)


def _poisson_bound(weights: Moments, spikes: float) -> float:
    """Mean of the sum of a Poisson number of weights and SIGMA standard deviations; ``spikes`` is the mean number."""
    from_weights = _weight_variance(math.sqrt(weights.variance), spikes)
    return spikes * weights.mean + SIGMA * math.sqrt(spikes * weights.mean**2 + from_weights)


def _weight_variance(deviation: float, spikes: float) -> float:
    """What the spread of the weights adds to the variance of the sum; the Poisson sum is cut off at 3 sigma."""
    if deviation <= 0:
        return 0.0
    from scipy.special import gammaincc, gammaln  # loaded where they are needed: it takes long

    last = round(spikes + SUMMED_SIGMA * math.sqrt(spikes))
    ratio = math.log(spikes) * last - gammaln(1 + last)
    if not -701.0 < ratio < 701.0 or ratio == 0.0:
        return 0.0
    remaining = math.exp(spikes) * gammaincc(1 + last, spikes) - math.exp(ratio)
    return math.exp(-spikes + math.log(spikes) + 2.0 * math.log(deviation) + math.log(remaining))
