"""Distributions of random numbers that depend on a key and on their place alone (``evsim.random_bits``).

One that rejects draws takes further bits from those that it rejected, so a number never depends on its neighbours.
PyNN's names of the distributions and their parameters are used throughout.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evsim.compile import kernel
from evsim.random_bits import GOLDEN, bits_at, mix, random_state, unit

Values = NDArray[np.float64] | NDArray[np.int64]

AGAIN = np.uint64(0xD1B54A32D192ED03)  # sets the bits for a redraw apart from those that a first draw goes on with

LEAST_ACCEPTED = 1e-4  # of the draws of a clipped distribution

# --- the normal distribution -----------------------------------------------------------------------------------------

# Marsaglia and Tsang (2000), J. Stat. Soft. 5(8): 256 layers of equal area below exp(-x^2 / 2). Layer i reaches to
# EDGE[i] and is under the curve up to EDGE[i + 1]; layer 0 is the base with the tail from EDGE[1] on.
TAIL, AREA = 3.6541528853610088, 4.92867323399e-3


def _layers() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    edge = [AREA / math.exp(-0.5 * TAIL**2), TAIL]
    while len(edge) < 256:
        edge.append(math.sqrt(-2.0 * math.log(AREA / edge[-1] + math.exp(-0.5 * edge[-1] ** 2))))
    edges = np.array([*edge, 0.0])
    return edges, np.exp(-0.5 * edges**2)


EDGE, HEIGHT = _layers()


@kernel
def from_layer(bits):
    """A number of the normal distribution, without its sign, and the bound below which that is certain."""
    layer = bits & np.uint64(255)
    return unit(bits) * EDGE[layer], EDGE[layer + np.uint64(1)]


@kernel
def sign(bits):
    """-1 or 1, from a bit that is used for nothing else."""
    return 1.0 - np.float64(np.int64((bits >> np.uint64(7)) & np.uint64(2)))


@kernel
def beyond_the_base(bits):
    """A normal number that is greater than ``TAIL`` (Marsaglia 1964)."""
    while True:
        x = -np.log(1.0 - unit(bits)) / TAIL
        bits = mix(bits + GOLDEN)
        if -2.0 * np.log(1.0 - unit(bits)) > x * x:
            return TAIL + x
        bits = mix(bits + GOLDEN)


@kernel
def standard_normal(bits):
    """A number of mean 0 and variance 1, by the ziggurat: exact, at the full resolution of a double."""
    while True:
        layer = bits & np.uint64(255)
        x, certain = from_layer(bits)
        if x < certain:
            return sign(bits) * x
        side = sign(bits)
        bits = mix(bits + GOLDEN)
        if layer == 0:
            return side * beyond_the_base(bits)
        above = HEIGHT[layer] + unit(bits) * (HEIGHT[layer + np.uint64(1)] - HEIGHT[layer])
        if above < np.exp(-0.5 * x * x):
            return side * x
        bits = mix(bits + GOLDEN)


@kernel
def within(bits, mu, sigma, low, high, redraw):
    """A normal number; one out of bounds is drawn again, or set to the bound."""
    x = mu + sigma * standard_normal(bits)
    while redraw and (x < low or x > high):
        bits = mix(bits ^ AGAIN)
        x = mu + sigma * standard_normal(bits)
    return min(max(x, low), high)


@kernel
def fill_normal(out, key, start, mu, sigma, low, high, redraw):
    """Normal numbers from place ``start`` on."""
    base = key + np.uint64(start) * GOLDEN
    for i in range(out.size):  # without branches, so that it is done for several numbers at once
        bits = bits_at(base, i)
        x, certain = from_layer(bits)
        out[i] = mu + sigma * (sign(bits) * x) if x < certain else np.nan
    for i in range(out.size):
        if not (low <= out[i] <= high):
            out[i] = within(bits_at(base, i), mu, sigma, low, high, redraw)


@kernel
def fill_uniform(out, key, start, low, width):
    """Uniform numbers in [low, low + width) from place ``start`` on; whole ones if ``out`` has such a type."""
    base = key + np.uint64(start) * GOLDEN
    for i in range(out.size):
        out[i] = low + unit(bits_at(base, i)) * width


# --- distributions ---------------------------------------------------------------------------------------------------


class Distribution(ABC):
    """A law that random numbers follow."""

    @abstractmethod
    def draw(self, key: np.uint64, start: int, count: int) -> Values:
        """(count,) numbers of a key from place ``start`` on: float64, or int64 where they are whole by nature."""


@dataclass(frozen=True)
class Constant(Distribution):
    """The same number everywhere, which takes no memory."""

    value: float

    def draw(self, key: np.uint64, start: int, count: int) -> NDArray[np.float64]:
        """The number, broadcast."""
        return np.broadcast_to(np.float64(self.value), count)


@dataclass(frozen=True)
class Uniform(Distribution):
    """Any number in [low, high)."""

    low: float
    high: float

    def draw(self, key: np.uint64, start: int, count: int) -> NDArray[np.float64]:
        """One draw each."""
        out = np.empty(count)
        fill_uniform(out, key, start, float(self.low), float(self.high) - float(self.low))
        return out


@dataclass(frozen=True)
class UniformInteger(Distribution):
    """Any whole number from ``low`` to ``high - 1``, as PyNN's NumpyRNG has it."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"uniform_int: there is no whole number from {self.low} up to and without {self.high}")

    def draw(self, key: np.uint64, start: int, count: int) -> NDArray[np.int64]:
        """One draw each."""
        out = np.empty(count, np.int64)
        fill_uniform(out, key, start, 0.0, float(int(self.high) - int(self.low)))
        out += int(self.low)
        return out


@dataclass(frozen=True)
class Normal(Distribution):
    """The normal distribution; what is out of bounds is drawn again (``redraw``) or set to the bound.

    Raises:
        ValueError: sigma is negative, or hardly a draw would lie within the bounds.
    """

    mu: float
    sigma: float
    low: float = -math.inf
    high: float = math.inf
    redraw: bool = True

    def __post_init__(self) -> None:
        if self.sigma < 0:
            raise ValueError(f"normal: a sigma of {self.sigma:g} is negative")
        if self.redraw and (share := self._accepted()) < LEAST_ACCEPTED:
            raise ValueError(
                f"normal_clipped: {share:.0e} of the draws of mean {self.mu:g} and sigma {self.sigma:g} lie between "
                f"{self.low:g} and {self.high:g}, and at least {LEAST_ACCEPTED:g} must; move the bounds or the mean"
            )

    def _accepted(self) -> float:
        if self.sigma == 0:
            return float(self.low <= self.mu <= self.high)
        low, high = ((bound - self.mu) / (self.sigma * math.sqrt(2)) for bound in (self.low, self.high))
        if low > 0:  # the tail below is as the one above, and keeps its digits
            low, high = -high, -low
        return 0.5 * (math.erfc(-high) - math.erfc(-low))

    def draw(self, key: np.uint64, start: int, count: int) -> NDArray[np.float64]:
        """The ziggurat, and again from new bits while out of bounds."""
        out = np.empty(count)
        bounds = float(self.low), float(self.high)
        fill_normal(out, key, start, float(self.mu), float(self.sigma), *bounds, self.redraw)
        return out


@dataclass(frozen=True)
class LogNormal(Distribution):
    """The exponential of a normal number."""

    mu: float
    sigma: float

    def draw(self, key: np.uint64, start: int, count: int) -> NDArray[np.float64]:
        """The exponential of the draws of ``Normal``."""
        logarithm = Normal(self.mu, self.sigma).draw(key, start, count)
        return np.exp(logarithm, out=logarithm)


@dataclass(frozen=True)
class Exponential(Distribution):
    """The exponential distribution of mean ``beta``."""

    beta: float

    def __post_init__(self) -> None:
        if self.beta < 0:
            raise ValueError(f"exponential: a beta of {self.beta:g} is negative")

    def draw(self, key: np.uint64, start: int, count: int) -> NDArray[np.float64]:
        """By inversion: -beta log(1 - u), u in [0, 1)."""
        out = Uniform(0.0, 1.0).draw(key, start, count)
        np.log(np.subtract(1.0, out, out=out), out=out)
        out *= -self.beta
        return out


@dataclass(frozen=True)
class Other(Distribution):
    """A distribution of NumPy's: its frozen algorithms (RandomState) on the bits of Philox4x64.

    The numbers of a stretch are one sequence, so they depend on where it starts: always draw the same stretches.

    Attributes:
        method: the method of RandomState.
        parameters: its arguments by name; numbers, or arrays of as many as are drawn.
    """

    method: str
    parameters: Mapping[str, Any]

    def draw(self, key: np.uint64, start: int, count: int) -> Values:
        """One sequence, whose key are the key and the start."""
        return getattr(random_state(key, start), self.method)(**self.parameters, size=count)


# PyNN's names of what is drawn place by place; their parameters have PyNN's names, too.
DISTRIBUTIONS: Mapping[str, Callable[..., Distribution]] = {
    "uniform": Uniform,
    "uniform_int": UniformInteger,
    "normal": Normal,
    "normal_clipped": Normal,
    "normal_clipped_to_boundary": partial(Normal, redraw=False),
    "lognormal": LogNormal,
    "exponential": Exponential,
}
