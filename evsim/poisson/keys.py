"""Random bits as a function of a key and a number, and what both ways of drawing share."""

from __future__ import annotations

import numpy as np

from evsim.compile import kernel
from evsim.random_bits import mix


@kernel
def numbered(key, number):
    """64 bits for each number under a key."""
    return mix(key + (np.uint64(number) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15))


@kernel
def process_key(seed, population, begin):
    """The key of the process of one population that begins anew at a step."""
    return numbered(numbered(numbered(np.uint64(0), seed), population), begin)


@kernel
def twice(array):
    """The array with as much room again behind it."""
    longer = np.empty(2 * array.size, array.dtype)
    for i in range(array.size):
        longer[i] = array[i]
    return longer
