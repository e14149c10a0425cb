"""Random bits that depend on a key and on their place alone, so they can be drawn in any order and by any thread.

Those at place i of a key are output i of splitmix64 (Steele, Lea and Flood 2014), begun at the key.
"""

from __future__ import annotations

import numpy as np

from evsim.compile import kernel

GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # the step of splitmix64
ONE = np.uint64(0x3FF0000000000000)  # 1.0 as a double
CHANCES = np.uint64(0xC4A2CE)  # what the keys of neurons' random numbers begin at, and those of sources do not


@kernel
def mix(z):
    """The finaliser of splitmix64 (Steele, Lea and Flood 2014): 64 bits in, 64 well mixed bits out."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@kernel
def subkey(key, number):
    """A key of its own for each number (uint64); for kernels."""
    return mix(mix(key + GOLDEN) + number * GOLDEN)


def derived(key: np.uint64, number: int) -> np.uint64:
    """A key of its own for each number, which is taken modulo 2^64."""
    return np.uint64(subkey(key, np.uint64(number & (2**64 - 1))))


def chance_key(seed: int, population: int) -> int:
    """The key of the random numbers of a population's neurons: the bits of a uint64 that is not 0, as an int64."""
    return int((derived(derived(CHANCES, seed), population) | np.uint64(1)).view(np.int64))


@kernel
def bits_at(key, place):
    """The 64 bits of a place."""
    return mix(key + (np.uint64(place) + np.uint64(1)) * GOLDEN)


@kernel
def unit(bits):
    """The 52 highest bits as a number in [0, 1): they are written behind the point of 1."""
    return np.uint64((bits >> np.uint64(12)) | ONE).view(np.float64) - 1.0


@kernel
def uniform(key, place):
    """The number in [0, 1) of a place."""
    return unit(bits_at(key, place))


def random_state(key: np.uint64, start: int = 0) -> np.random.RandomState:
    """NumPy's older generator, whose algorithms are frozen, on a stream of its own."""
    return np.random.RandomState(np.random.Philox(key=np.array([key, start], np.uint64)))
