"""The 32-bit words of MT19937, many at a time: the same words in the same order as numpy's ``RandomState``.

The recurrence and the tempering are those of M. Matsumoto and T. Nishimura, ACM Trans. Model. Comput. Simul. 8 (1998),
3-30. Word k + 624 follows from the words k, k + 1 and k + 397, so 227 words at a time do not depend on each other.
"""

from __future__ import annotations

import numpy as np

from evsim.compile import lean

BLOCK = 624
BUFFER = 8 * BLOCK  # 20 kB: stays in the first-level cache
STRIDE = 224  # words that are made at a time; at most 227, and whole vectors
MIDDLE = 397
UPPER, LOWER = np.uint32(0x80000000), np.uint32(0x7FFFFFFF)
MATRIX = np.uint32(0x9908B0DF)
MASK_B, MASK_C = np.uint32(0x9D2C5680), np.uint32(0xEFC60000)


@lean
def advance(words):
    """Move the last block of a buffer (uint32, before tempering) to its front, and make the words that follow."""
    last = words[words.size - BLOCK :]
    for i in range(last.size):
        words[i] = last[i]
    start = 0
    while start + BLOCK < words.size:
        stop = min(start + STRIDE, words.size - BLOCK)
        here, after = words[start:stop], words[start + 1 : stop + 1]
        middle, new = words[start + MIDDLE : stop + MIDDLE], words[start + BLOCK : stop + BLOCK]
        for i in range(new.size):
            mixed = (here[i] & UPPER) | (after[i] & LOWER)
            new[i] = middle[i] ^ (mixed >> np.uint32(1)) ^ (MATRIX & np.uint32(-np.int32(after[i] & np.uint32(1))))
        start = stop


@lean
def tempered(word):
    """The random number (uint32) that a word of the recurrence becomes."""
    word = np.uint32(word ^ (word >> np.uint32(11)))
    word = np.uint32(word ^ ((word << np.uint32(7)) & MASK_B))
    word = np.uint32(word ^ ((word << np.uint32(15)) & MASK_C))
    return np.uint32(word ^ (word >> np.uint32(18)))


@lean
def temper(words, numbers):
    """The random numbers of all words of a buffer, into another of its size."""
    for i in range(numbers.size):
        numbers[i] = tempered(words[i])
