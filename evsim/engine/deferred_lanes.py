"""SpiNNaker's plastic lanes of a network: from rows of synapses to ``deferred_memory``, and weights back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evsim.deploy.chip_network import ChipNetwork
from evsim.engine.deferred import deliver_deferred
from evsim.engine.deferred_memory import EVERYBODY, Deferred, DeferredPart, lay_out_deferred
from evsim.engine.memory import Layout
from evsim.engine.plastic_carry import Arrival
from evsim.engine.plastic_lanes import order_of_rows, words_of_lane
from evsim.engine.rows import PLASTIC, Rows, lanes_of


def deferred_lanes(chip_network: ChipNetwork, layout: Layout, rows: Rows, mine: NDArray[np.bool_]) -> Deferred | None:
    """The plastic lanes of one thread; None in a network without plastic synapses.

    Args:
        mine: (slices,) whether a slice is the thread's.
    """
    if (found := lanes_of(rows, PLASTIC, mine)) is None:
        return None
    lanes, number = found
    parts = [_part(chip_network, layout, rows, int(lane)) for lane in lanes]
    return lay_out_deferred(parts, rows.words, rows.begin, number, chip_network.network.timestep)


def _part(chip_network: ChipNetwork, layout: Layout, rows: Rows, lane: int) -> DeferredPart:
    index, slice_ = int(rows.projection[lane]), int(rows.slice[lane])
    projection, rule = chip_network.network.projections[index], chip_network.projections[index].plasticity
    first, last = int(rows.first[lane, 0]), int(rows.first[lane, -1])
    if projection.pre in layout.neurons:
        source = np.repeat(np.arange(rows.first.shape[1] - 1), np.diff(rows.first[lane]))
        turn = (source - layout.first_neuron[projection.pre]) % rule.sources_per_core
    else:
        turn = np.full(last - first, EVERYBODY)
    slice_of, local = layout.local_places(projection.post)
    mine = np.flatnonzero(slice_of == slice_)
    target_turn, entries = np.zeros((2, int(rows.width[lane])), np.int16)
    target_turn[local[mine]] = mine % rule.neurons_per_core
    entries[local[mine]] = rule.entries[mine]
    return DeferredPart(
        slice=slice_,
        population=layout.neurons.index(projection.post),
        rule=rule,
        base=int(rows.base[lane]),
        first_row=first,
        delay=rows.delay[first:last],
        turn=turn,
        target_turn=target_turn,
        target_entries=entries,
    )


def arrived(deferred: Deferred, arrival: Arrival, step: int) -> tuple[Arrival, Arrival]:
    """What is under way to a lane: that which is on the target's core before a time step, and that which is not."""
    lane = deferred.lanes[deferred.number[arrival.lane]]
    lag = deferred.rows["lag"][lane["first_state"] + arrival.rows.astype(np.int64)]
    there = arrival.label - lag < step
    return arrival._replace(rows=arrival.rows[there]), arrival._replace(rows=arrival.rows[~there])


def weights_after(
    chip_network: ChipNetwork,
    layout: Layout,
    rows: Rows,
    threads: Sequence[Deferred | None],
    arrivals: Sequence[Arrival],
    index: int,
) -> NDArray[np.float64]:
    """The weights (n,) of a plastic projection, in the network's order and unit, once some arrivals are taken in.

    Args:
        threads: the lanes of each thread; they stay as they are.
        arrivals: in the order of labels.
    """
    lanes = np.flatnonzero(rows.projection == index)
    words = [_words_after(rows, int(lane), threads, arrivals) for lane in lanes]
    projection = chip_network.network.projections[index]
    weights = np.empty(len(projection))
    if words:
        stored = (np.concatenate(words) >> 16).astype(np.int32)
        weights[order_of_rows(projection, layout)] = chip_network.projections[index].hold.physical(stored)
    return weights


def _words_after(
    rows: Rows, lane: int, threads: Sequence[Deferred | None], arrivals: Sequence[Arrival]
) -> NDArray[np.uint32]:
    """The words of a lane once some arrivals are taken in, in a copy."""
    words = words_of_lane(rows, lane).copy()
    mine = [arrival for arrival in arrivals if arrival.lane == lane]
    if not mine:
        return words
    (deferred,) = (thread for thread in threads if thread is not None and thread.number[lane] >= 0)
    place = deferred.number[lane]
    lanes = deferred.lanes.copy()
    lanes["base"][place] = 0
    copy = deferred._replace(words=words, rows=deferred.rows.copy(), lanes=lanes)
    nowhere = np.zeros(int(rows.width[lane]), np.int32)
    for arrival in mine:
        deliver_deferred(copy, place, arrival.rows, arrival.label, nowhere)
    return words
