"""Delays of synapses as delays of channels, which is what NIR has."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evsim.network import Network, Projection

Steps = NDArray[np.float64]


class ChannelDelays(NamedTuple):
    """Delays of the channels before or after the weights of a projection; both None where every delay is one step.

    Attributes:
        of_sources: (pre,) time steps, or None.
        of_targets: (post,) time steps, or None.
        exact: whether every synapse has the delay of its channel; else each channel has the mean delay.
    """

    of_sources: Steps | None = None
    of_targets: Steps | None = None
    exact: bool = True


def delays_of_channels(network: Network, projection: Projection) -> ChannelDelays:
    """The delays of a projection, said by its sources or its targets."""
    if not len(projection) or projection.synapses.delays.most <= 1:
        return ChannelDelays()
    delay = projection.delay
    found = []
    for population, cells in ((projection.pre, projection.source), (projection.post, projection.target)):
        steps = np.ones(network.populations[population].size)
        steps[cells] = delay
        if (steps[cells] == delay).all():
            found.append(steps)
            break
        found.append(None)
    if found[-1] is None:
        mean = np.rint(projection.synapses.delays.mean)
        return ChannelDelays(of_sources=np.full(network.populations[projection.pre].size, mean), exact=False)
    return ChannelDelays(*found)
