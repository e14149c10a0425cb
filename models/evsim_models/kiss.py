"""Marsaglia's KISS generator of 64-bit steps, with a state of four words for each neuron, as SpiNNaker's firmware has.

Source: ``mars_kiss64_seed`` and ``validate_mars_kiss64_seed`` of spinn_common's ``random.c``; the constants are those
of D. Jones, "Good Practice in (Pseudo) Random Number Generation for Bioinformatics Applications" (2010), JKISS.
"""

from __future__ import annotations

import numpy as np
from numba.extending import register_jitable
from numpy.typing import NDArray

from evsim.model import Readout, Values

SEEDS: tuple[str, ...] = ("seed0", "seed1", "seed2", "seed3")  # of each neuron: x, y, z and c
SEED_STATES: dict[str, str] = dict.fromkeys(SEEDS, "bits")

NOTE = (
    "where a run goes on after a pause, sPyNNaker's firmware changes the generators of its random numbers, and a "
    "StocExp or StocExpStable loses the input of the next step; evsim does the same however a run is cut"
)
WORD = 0xFFFFFFFF
LCG_FACTOR, LCG_STEP = 314527869, 1234567
CARRY_FACTOR, CARRY_MODULUS = 4294584393, 698769068
OTHER_Y = 13031301  # in the place of 0, which would stay 0


@register_jitable
def kiss(x, y, z, c):
    """The state after one draw, as unsigned words, and the 32 bits that were drawn."""
    x = (LCG_FACTOR * (x & WORD) + LCG_STEP) & WORD
    y = y & WORD
    y = y ^ ((y << 5) & WORD)
    y = y ^ (y >> 7)
    y = y ^ ((y << 22) & WORD)
    t = CARRY_FACTOR * (z & WORD) + (c & WORD)  # 64 bits: the product is below 2^64 - 2^32
    z, c = t & WORD, (t >> 32) & WORD
    return x, y, z, c, (x + y + z) & WORD


@register_jitable
def kiss_if(draws, x, y, z, c):
    """The state after a draw, where there is one, and the bits of that draw."""
    new_x, new_y, new_z, new_c, drawn = kiss(x, y, z, c)
    x, y = new_x if draws else x, new_y if draws else y
    z, c = new_z if draws else z, new_c if draws else c
    return x, y, z, c, drawn


def seed_rows(initial: Values) -> list[NDArray[np.int32]]:
    """The states that given seeds become: y is never 0, and z and c are never both."""
    x, y, z, c = (np.rint(initial[name]).astype(np.int64) & WORD for name in SEEDS)
    words = (x, np.where(y == 0, OTHER_Y, y), z, c % CARRY_MODULUS + 1)
    return [word.astype(np.uint32).view(np.int32) for word in words]


def seed_readouts(first: int) -> dict[str, Readout]:
    """Those that ``initialize`` sets; the first of them is this row of the state."""
    return {name: Readout(first + k) for k, name in enumerate(SEEDS)}
