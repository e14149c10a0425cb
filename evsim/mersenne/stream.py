"""The stream of words of one ``RandomState``, handed to kernels and taken back."""

from __future__ import annotations

import numpy as np

from evsim.mersenne.words import BLOCK, BUFFER, advance, temper


class Stream:
    """The words of a random generator from where it is now on.

    Attributes:
        words: (BUFFER,) uint32, words before tempering.
        numbers: (BUFFER,) uint32, the random numbers that they become.
        place: (1,) int64, the index of the next one to be used.
    """

    def __init__(self, random: np.random.RandomState) -> None:
        self._random = random
        state = random.get_state(legacy=False)
        self.words = np.zeros(BUFFER, np.uint32)
        self.words[-BLOCK:] = state["state"]["key"]
        self.numbers = np.empty(BUFFER, np.uint32)
        self.place = np.array([state["state"]["pos"]], np.int64)
        advance(self.words)
        temper(self.words, self.numbers)

    def close(self) -> None:
        """Move the generator on, past the words that were used."""
        place = int(self.place[0])
        block = max(place - 1, 0) // BLOCK  # numpy makes the next block only when it needs a word of it
        state = self._random.get_state(legacy=False)
        state["state"] = {"key": self.words[block * BLOCK : (block + 1) * BLOCK], "pos": place - block * BLOCK}
        self._random.set_state(state)
