"""The state variables that releasing synapses have by now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evsim import network
from evsim.pynn import graph, simulator

if TYPE_CHECKING:
    from evsim.pynn.projections import Projection


def present_state(
    projection: Projection, parts: tuple[network.Projection, ...] | None, name: str
) -> NDArray[np.float64]:
    """A state variable (n,) in the order of creation, as the latest spike that has arrived over each synapse left it.

    Before a run, and where it was set after the last one, it is what it was set to.

    Args:
        parts: as the projection was in the network that has run; None where it was in none.
    """
    found = np.array(projection.initial_state(name))
    if parts is None:
        return found
    for part, chosen in zip(parts, _chosen(projection, parts), strict=True):
        assert part.release is not None, "only releasing synapses have such variables"
        was_set = part.release.times_set.get(name, 0) != projection.times_set(name)
        if not was_set and name in (values := simulator.state.synapse_states(part)):
            found[chosen] = values[name]
    return found


def _chosen(projection: Projection, parts: tuple[network.Projection, ...]) -> Iterator[slice | NDArray[np.bool_]]:
    """Which of the projection's synapses each of its parts has."""
    if len(parts) == 1:
        yield slice(None)
    else:
        yield from (portion.chosen for portion in graph.portions(projection, simulator.state.populations))
