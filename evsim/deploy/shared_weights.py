"""Synapses of which each target takes a share of the weight, made chunk by chunk as they are looked at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evsim.synapses import Chunk, Synapses


class SharedWeights(Synapses):
    """Other synapses with each weight multiplied by the share of its target.

    Two are equal if the same synapses have the same shares.

    Args:
        share: (n,) of the cells of the population after.
    """

    def __init__(self, of: Synapses, share: NDArray[np.float64]) -> None:
        self._of, self._share = of, share

    def __len__(self) -> int:
        return len(self._of)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SharedWeights) and self._of is other._of and np.array_equal(self._share, other._share)

    def __hash__(self) -> int:
        return hash((id(self._of), self._share.tobytes()))

    def chunk(self, index: int) -> Chunk:
        """That of the other synapses, with the weights of these."""
        chunk = self._of.chunk(index)
        return chunk._replace(weight=chunk.weight * self._share[chunk.target])

    @property
    def constant_weight(self) -> None:
        """None is known."""
        return None

    @property
    def constant_delay(self) -> int | None:
        """That of the other synapses."""
        return self._of.constant_delay
