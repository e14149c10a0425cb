"""Cells with a random generator for each neuron, whose state a seed begins, as sPyNNaker's stochastic cells have."""

from __future__ import annotations

from typing import Any

from pyNN.random import NumpyRNG, RandomDistribution
from pyNN.standardmodels import StandardCellType

from evsim.pynn import simulator

SEED = "seed0"  # the first of the words of a neuron's generator, among the states of such a cell
WORDS = ("seed0", "seed1", "seed2", "seed3")


class SeededCell(StandardCellType):
    """A cell of which each neuron has four words of 32 bits, drawn where they are not given as initial values.

    Args:
        seed: of what is drawn. Where there is none it follows from that of ``setup()`` and from how many such cells
            there were before, so that a script always gives the same.
    """

    _made = (0, 0)  # the epoch in which cells were last made without a seed, and how many

    def __init__(self, seed: int | None = None, **parameters: Any) -> None:
        super().__init__(**parameters)
        rng = NumpyRNG(seed=self._own_seed() if seed is None else seed)
        drawn = {name: RandomDistribution("uniform_int", low=0, high=2**32 - 1, rng=rng) for name in WORDS}
        self.default_initial_values = {**type(self).default_initial_values, **drawn}

    @staticmethod
    def _own_seed() -> int:
        epoch, count = SeededCell._made
        count = count + 1 if epoch == simulator.state.epoch else 1
        SeededCell._made = simulator.state.epoch, count
        return (simulator.state.seed * 1_000_003 + count) % 2**32
