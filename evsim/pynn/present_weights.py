"""The weights that plastic synapses have by now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evsim.pynn import graph, simulator

if TYPE_CHECKING:
    from evsim.pynn.projections import Projection


def present_weights(projection: Projection) -> NDArray[np.float64] | None:
    """(n,) in the order of creation; None where they are still those that the projection was given."""
    parts = projection.parts
    if parts is None or not any(part.plasticity for part in parts):
        return None
    found = [simulator.state.weights(part) for part in parts]
    if len(parts) == 1:
        return found[0]
    result = np.array(projection.synapses.weight)
    for chosen, weights in zip(_shares(projection), found, strict=True):
        if weights is not None:
            result[chosen] = weights
    return result


def _shares(projection: Projection) -> Iterator[NDArray[np.bool_]]:
    """Which of a projection's synapses each of its parts has."""
    populations = simulator.state.populations
    for pre in graph.members(projection.pre, populations):
        for post in graph.members(projection.post, populations):
            yield graph.within(projection, pre, post)
