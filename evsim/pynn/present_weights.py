"""The weights that plastic synapses have by now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evsim.pynn import graph, simulator

if TYPE_CHECKING:
    from evsim.pynn.settable import Settable


def present_weights(projection: Settable) -> NDArray[np.float64] | None:
    """(n,) in the order of creation; None where they are still those that the projection was given."""
    parts = projection.parts
    if parts is None or not any(part.learns and not part.structure for part in parts):
        return None
    found = [simulator.state.weights(part) for part in parts]
    if len(parts) == 1:
        return found[0]
    result = np.array(projection.synapses.weight)
    for portion, weights in zip(graph.portions(projection, simulator.state.populations), found, strict=True):
        if weights is not None:
            result[portion.chosen] = weights
    return result
