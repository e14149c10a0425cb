"""The plastic lanes of a network: from rows of synapses to ``plastic_memory``, and weights back to the network."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from evsim.engine.memory import Layout
from evsim.engine.plastic_memory import Plastic, PlasticPart, lay_out_plastic, unit_for
from evsim.engine.plastic_words import unpack
from evsim.engine.rows import PLASTIC, Rows, lanes_of
from evsim.model import SynapseModel
from evsim.network import Network, Projection
from evsim.pair_rule import PairRule
from evsim.registry import model


def pair_rule_of(projection: Projection) -> PairRule:
    """The rule of a plastic projection, in physical numbers."""
    synapse = model(projection.synapse)
    assert isinstance(synapse, SynapseModel) and synapse.pair_rule and projection.plasticity, "checked before it runs"
    return synapse.pair_rule(projection)


def unit_of_weights(projection: Projection) -> float:
    """The unit of the weights in the words of a plastic projection."""
    spread = projection.synapses.weights
    return unit_for(pair_rule_of(projection), max(abs(spread.least), abs(spread.most)))


def plastic_lanes(network: Network, layout: Layout, rows: Rows, mine: NDArray[np.bool_], step: int) -> Plastic | None:
    """The plastic lanes of one thread; None in a network without plastic synapses.

    Args:
        mine: (slices,) whether a slice is the thread's.
        step: the present time step.
    """
    if (found := lanes_of(rows, PLASTIC, mine)) is None:
        return None
    lanes, number = found
    parts = []
    for lane in lanes:
        projection = network.projections[rows.projection[lane]]
        first, last = int(rows.first[lane, 0]), int(rows.first[lane, -1])
        parts.append(
            PlasticPart(
                slice=int(rows.slice[lane]),
                population=layout.neurons.index(projection.post),
                rule=pair_rule_of(projection),
                unit=unit_of_weights(projection),
                base=int(rows.base[lane]),
                first_row=first,
                delay=rows.delay[first:last],
                n_targets=int(rows.width[lane]),
            )
        )
    plastic = lay_out_plastic(parts, rows.words, rows.begin, network.timestep, step)
    return plastic._replace(number=number)


def present_weights(network: Network, layout: Layout, rows: Rows, index: int) -> NDArray[np.float64]:
    """The weights (n,) of a plastic projection, in the network's order and unit."""
    projection = network.projections[index]
    order = order_of_rows(projection, layout)
    words = [words_of_lane(rows, int(lane)) for lane in np.flatnonzero(rows.projection == index)]
    weights = np.empty(len(projection))
    weights[order] = unpack(np.concatenate(words), unit_of_weights(projection)) if words else []
    return weights


def order_of_rows(projection: Projection, layout: Layout) -> NDArray[np.int64]:
    """A projection's synapses as its rows were sorted: by slice, source and delay, then in the order of creation.

    Of a network that is divided among processes, those that this one has.
    """
    synapses = projection.synapses
    key = synapses.source.astype(np.int64)
    if layout.n_slices > 1:
        slice_of, _ = layout.local_places(projection.post)
        key += slice_of[synapses.target].astype(np.int64) * (int(key.max(initial=0)) + 1)
    if synapses.constant_delay is None:
        key = key * (int(synapses.delays.most) + 1) + synapses.delay
    if key.max(initial=0) < 1 << 16:
        key = key.astype(np.uint16)  # which NumPy sorts several times faster
    order = np.argsort(key, kind="stable")
    if layout.mine is None:
        return order
    slice_of, _ = layout.local_places(projection.post)
    return order[layout.mine[slice_of[synapses.target[order]]]]


def synapses_of_lanes(
    projection: Projection, layout: Layout, rows: Rows, index: int
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Each lane of a projection, and the place in the projection of each of its synapses."""
    order, start = order_of_rows(projection, layout), 0
    for lane in np.flatnonzero(rows.projection == index):
        first, last = rows.first[lane, 0], rows.first[lane, -1]
        count = int(rows.begin[last]) - int(rows.begin[first])
        yield int(lane), order[start : start + count]
        start += count


def words_of_lane(rows: Rows, lane: int) -> NDArray[np.unsignedinteger]:
    """The words of a plastic lane, where they lie."""
    first, last = rows.first[lane, 0], rows.first[lane, -1]
    base = rows.base[lane]
    return rows.words[base : base + rows.begin[last] - rows.begin[first]]
