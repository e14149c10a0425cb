"""How many synapses each source cell of a projection has, and of how many the weight is not 0."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evsim.network import Network, Projection


class Fans:
    """The number of synapses of each source cell, counted once for each set of synapses."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, NDArray[np.int64], NDArray[np.int64]]] = {}

    def of(self, projection: Projection, network: Network) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(size of pre,) synapses of each cell, and those whose weight is not 0."""
        key = id(projection)
        if key not in self._known:
            size = network.populations[projection.pre].size
            fan, heavy = np.zeros(size, np.int64), np.zeros(size, np.int64)
            for chunk in projection.synapses.chunks():
                fan += np.bincount(chunk.source, minlength=size)
                heavy += np.bincount(chunk.source[is_heavy(projection, chunk.weight)], minlength=size)
            self._known[key] = projection, fan, heavy
        return self._known[key][1:]

    def zeros(self, projection: Projection, network: Network) -> int:
        """The synapses whose weight is 0."""
        fan, heavy = self.of(projection, network)
        return int(fan.sum() - heavy.sum())


def is_heavy(projection: Projection, weight: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which synapses have a weight that is not 0; those that learn may get one, so all of them."""
    return np.ones(len(weight), bool) if projection.learns else weight != 0.0
