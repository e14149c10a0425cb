"""Going on with MT19937 many words later, without making the words between.

The raw words follow a linear recurrence over GF(2) whose characteristic polynomial p has degree 19937 (M. Matsumoto and
T. Nishimura, ACM Trans. Model. Comput. Simul. 8 (1998), 3-30). So the word after J more is the sum of the words i for
which the remainder of t^J modulo p has the term t^i (H. Haramoto et al., INFORMS J. Comput. 20 (2008), 385-390), and so
is each of the 624 words that are a state.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evsim.compile import lean
from evsim.mersenne.words import BLOCK, BUFFER, MATRIX, MIDDLE, advance

DEGREE = 19937
WORD, LOW_WORD = 64, 31  # bits of a limb of a polynomial; bits of a state's first word that are not used
LIMBS = -(-DEGREE // WORD)


def jumped(random: np.random.RandomState, words: int) -> np.random.RandomState:
    """A generator that goes on where ``random``, which is not changed, will be after so many 32-bit words."""
    state = random.get_state(legacy=False)
    key, position = state["state"]["key"], int(state["state"]["pos"]) + words
    block = position // BLOCK
    if block:
        key = _block_after(key, block)
    state["state"] = {"key": key, "pos": position - block * BLOCK}
    later = np.random.RandomState()
    later.set_state(state)
    return later


def _block_after(key: NDArray[np.uint32], blocks: int) -> NDArray[np.uint32]:
    """The state so many blocks later, at least one."""
    made = np.empty(DEGREE + BUFFER, np.uint32)  # from the block after the key on: that one's first bits all count
    words = np.zeros(BUFFER, np.uint32)
    words[-BLOCK:] = key
    for start in range(0, len(made), BUFFER - BLOCK):
        advance(words)
        part = made[start : start + BUFFER - BLOCK]
        part[:] = words[BLOCK : BLOCK + len(part)]
    later = np.zeros(BLOCK, np.uint32)
    add_shifted(made, remainder((blocks - 1) * BLOCK), later)
    return later


def characteristic() -> NDArray[np.int64]:
    """The exponents of the terms of p, ascending; the last one is its degree."""
    outer, inner = (1 << BLOCK) ^ (1 << MIDDLE), (1 << BLOCK - 1) ^ (1 << MIDDLE - 1)  # t^n + t^m, and by t
    bits = [int(MATRIX) >> place & 1 for place in range(32)]  # of the twist's matrix, the lowest one first
    inner_powers = [1]
    for _ in range(LOW_WORD):
        inner_powers.append(_times(inner_powers[-1], inner))
    found = _times(outer, inner_powers[LOW_WORD])
    for place in range(LOW_WORD):
        found ^= bits[place] * _times(outer, inner_powers[LOW_WORD - 1 - place])
    found ^= bits[LOW_WORD]
    return np.flatnonzero(np.frombuffer(bin(found)[:1:-1].encode(), np.uint8) == ord("1"))


def _times(a: int, b: int) -> int:
    """The product of two polynomials over GF(2), of which the first one has few terms."""
    product = 0
    while a:
        low = a & -a
        product ^= b * low
        a ^= low
    return product


def remainder(power: int) -> NDArray[np.uint64]:
    """(LIMBS,) the coefficients of t^power modulo p, the lowest bit first."""
    terms, found = characteristic()[:-1], np.zeros(2 * LIMBS, np.uint64)
    found[0] = 1
    for digit in bin(power)[2:]:
        square(found, terms, digit == "1")
    return found[:LIMBS]


# --- kernels ---------------------------------------------------------------------------------------------------------


@lean
def _spread_bits(half):
    """The 32 bits of a number with a zero after each: its square."""
    x = np.uint64(half)
    x = (x | (x << np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
    x = (x | (x << np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
    x = (x | (x << np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    x = (x | (x << np.uint64(2))) & np.uint64(0x3333333333333333)
    return (x | (x << np.uint64(1))) & np.uint64(0x5555555555555555)


@lean
def _add_at(limbs, bits, place):
    """Add a limb's bits at a place; the highest of them must lie within the limbs."""
    limb, shift = place // WORD, np.uint64(place % WORD)
    limbs[limb] ^= bits << shift
    if shift and limb + 1 < limbs.size:
        limbs[limb + 1] ^= bits >> (np.uint64(WORD) - shift)


@lean
def square(limbs, terms, times_t):
    """Square a polynomial below p's degree, multiply it by t if that is wanted, and take it modulo p.

    Args:
        limbs: (2 * LIMBS,) uint64, its coefficients; the upper half is zeros, and is so afterwards.
        terms: exponents of p but for its degree; the highest of them is lower by more than a limb.
    """
    for i in range(LIMBS - 1, -1, -1):
        low, high = limbs[i] & np.uint64(0xFFFFFFFF), limbs[i] >> np.uint64(32)
        limbs[2 * i], limbs[2 * i + 1] = _spread_bits(low), _spread_bits(high)
    if times_t:
        for i in range(limbs.size - 1, 0, -1):
            limbs[i] = (limbs[i] << np.uint64(1)) | (limbs[i - 1] >> np.uint64(WORD - 1))
        limbs[0] <<= np.uint64(1)
    inside = np.uint64((1 << DEGREE % WORD) - 1)
    for i in range(limbs.size - 1, LIMBS - 2, -1):
        bits = limbs[i] if i >= LIMBS else limbs[i] & ~inside
        limbs[i] ^= bits
        if bits:
            for k in range(terms.size):
                place = i * WORD - DEGREE + terms[k]
                if place >= 0:
                    _add_at(limbs, bits, place)
                else:  # only of the last limb, whose lowest bits are zeros, then
                    limbs[0] ^= bits >> np.uint64(-place)


@lean
def add_shifted(words, chosen, total):
    """Add to ``total`` (n,) the words i, ..., i + n - 1 for every i whose bit is set in ``chosen``."""
    for i in range(chosen.size * WORD):
        if (chosen[i // WORD] >> np.uint64(i % WORD)) & np.uint64(1):
            part = words[i : i + total.size]
            for j in range(total.size):
                total[j] ^= part[j]
