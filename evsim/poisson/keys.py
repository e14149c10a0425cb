"""What both ways of drawing share."""

from __future__ import annotations

import numpy as np

from evsim.compile import kernel
from evsim.random_bits import bits_at


@kernel
def process_key(seed, population, begin):
    """The key of the process of one population that begins anew at a step."""
    return bits_at(bits_at(bits_at(np.uint64(0), seed), population), begin)


@kernel
def twice(array):
    """The array with as much room again behind it."""
    longer = np.empty(2 * array.size, array.dtype)
    for i in range(array.size):
        longer[i] = array[i]
    return longer
