"""How long the rows of synaptic matrices are for which sPyNNaker reserves memory.

A row holds the synapses from one neuron onto one core; all rows of a projection are as long as the longest. What
waits for longer than the target's ring buffers reach has rows of its own, one for each neuron and stage of a delay
extension. Of synapses that it is given as a list sPyNNaker knows the longest row; of synapses that are drawn on the
machine it takes a bound that all rows keep to with near certainty, by the connector's law.

Source: ``get_max_row_info`` of ``synapse_io.py`` and ``get_n_connections_from_pre_vertex_maximum`` of the connectors,
sPyNNaker 7.4.1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from evsim.connected import Connected
from evsim.network import Network, Projection

ROW_CHANCE, SLICE_CHANCE, DELAY_CHANCE = 1e-4, 1e-5, 1e-2  # that a bound is broken, for all pairs of cells together


class Rows(NamedTuple):
    """Synapses of the longest row: within reach of the ring buffers, and of a delay extension."""

    near: int
    far: int


def rows_of(network: Network, projection: Projection, neurons: int, ring: int, stages: int, drawn: bool) -> Rows:
    """The longest rows of a projection.

    Args:
        neurons: of the target on a core.
        ring: steps that its ring buffers reach.
        stages: of the delay extension; 0 where there is none.
        drawn: whether the script's own connectors are used; else a list of synapses.
    """
    if not len(projection):
        return Rows(0, 0)
    bound = _bound(network, projection, projection.connected, neurons) if drawn and projection.connected else None
    if bound is None:
        return _longest(network, projection, neurons, ring)
    pairs = network.populations[projection.pre].size * network.populations[projection.post].size
    near = _share_within(projection, ring)
    return Rows(_of_share(pairs, bound, near), _of_share(pairs, bound, 1.0 - near) if stages else 0)


def _bound(network: Network, projection: Projection, connected: Connected, neurons: int) -> int | None:
    """The most synapses from one cell onto one core, by the law of a connector; None of one without a law."""
    n_pre, n_post = (network.populations[end].size for end in (projection.pre, projection.post))
    pairs, number = n_pre * n_post, connected.number
    on_core = min(neurons / n_post, 1.0)
    match connected.connector:
        case "AllToAllConnector":
            return neurons
        case "OneToOneConnector":
            return 1
        case "FixedProbabilityConnector":
            return _most(pairs, neurons, min(number, 1.0), ROW_CHANCE)
        case "FixedNumberPostConnector":
            return _most(pairs, int(number), on_core, SLICE_CHANCE)
        case "FixedNumberPreConnector":
            of_a_cell = _most(pairs, int(number) * n_post, 1.0 / n_pre, ROW_CHANCE)
            return _most(pairs, of_a_cell, on_core, SLICE_CHANCE)
        case "FixedTotalNumberConnector":
            of_a_core = max(_most(int(number), int(number), on_core, DELAY_CHANCE), 1)
            return max(_most(int(number), of_a_core, 1.0 / n_pre, DELAY_CHANCE), 1)
    return None


def _most(total: int, trials: int, probability: float, chance: float) -> int:
    """How many trials succeed at most, but for a chance shared by ``total`` (get_probable_maximum_selected)."""
    return int(binom.ppf(1.0 - chance / max(total, 1), trials, probability))


def _share_within(projection: Projection, ring: int) -> float:
    """The part of the synapses whose delays are within the ring."""
    delays = projection.synapses.delays
    if delays.most <= ring:
        return 1.0
    if delays.least > ring:
        return 0.0
    return sum(int(np.count_nonzero(chunk.delay <= ring)) for chunk in projection.synapses.chunks()) / len(projection)


def _of_share(pairs: int, bound: int, share: float) -> int:
    """Of the most synapses of a row those that are at most within a share of all delays."""
    if share <= 0.0 or not bound:
        return 0
    return bound if share >= 1.0 else max(_most(pairs, bound, share, DELAY_CHANCE), 1)


def _longest(network: Network, projection: Projection, neurons: int, ring: int) -> Rows:
    """The longest rows there are."""
    size, n_post = (network.populations[end].size for end in (projection.pre, projection.post))
    cores = -(-n_post // neurons)
    counts = np.zeros((2, size * cores), np.int32)
    for chunk in projection.synapses.chunks():
        place = chunk.source.astype(np.int64) * cores + chunk.target // neurons
        far = np.broadcast_to(chunk.delay, len(place)) > ring
        for count, mine in zip(counts, (place[~far], place[far]), strict=True):
            _add(count, mine)
    return Rows(*(int(count.max(initial=0)) for count in counts))


def _add(count: NDArray[np.int32], places: NDArray[np.int64]) -> None:
    if len(places):
        first = int(places.min())
        found = np.bincount(places - first)
        count[first : first + len(found)] += found.astype(np.int32)
