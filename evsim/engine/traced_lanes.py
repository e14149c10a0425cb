"""Loihi's plastic lanes of a network: from rows of synapses to ``traced_memory``, and weights back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evsim.deploy.chip_network import ChipNetwork
from evsim.engine.memory import Layout
from evsim.engine.plastic_carry import Arrival
from evsim.engine.plastic_lanes import order_of_rows, words_of_lane
from evsim.engine.rows import PLASTIC, Rows, lanes_of
from evsim.engine.traced import deliver_traced, settle_lane
from evsim.engine.traced_memory import Traced, TracedPart, lay_out_traced


def traced_lanes(
    chip_network: ChipNetwork, layout: Layout, rows: Rows, mine: NDArray[np.bool_], step: int
) -> Traced | None:
    """The plastic lanes of one thread; None in a network without plastic synapses.

    Args:
        mine: (slices,) whether a slice is the thread's.
        step: the present time step.
    """
    if (found := lanes_of(rows, PLASTIC, mine)) is None:
        return None
    lanes, number = found
    parts = [_part(chip_network, layout, rows, int(lane)) for lane in lanes]
    return lay_out_traced(parts, rows.words, rows.begin, number, step)


def _part(chip_network: ChipNetwork, layout: Layout, rows: Rows, lane: int) -> TracedPart:
    index = int(rows.projection[lane])
    first, last = int(rows.first[lane, 0]), int(rows.first[lane, -1])
    return TracedPart(
        slice=int(rows.slice[lane]),
        population=layout.neurons.index(chip_network.network.projections[index].post),
        rule=chip_network.projections[index].plasticity,
        base=int(rows.base[lane]),
        first_row=first,
        delay=rows.delay[first:last],
        n_targets=int(rows.width[lane]),
    )


def reached(traced: Traced, arrival: Arrival, step: int) -> tuple[Arrival, Arrival]:
    """What is under way to a lane: that which has reached its synapses before a time step, and that which has not."""
    lane = traced.lanes[traced.number[arrival.lane]]
    slot = traced.rows["slot"][lane["first_state"] + arrival.rows.astype(np.int64)]
    there = arrival.label - traced.slots["lag"][slot] < step
    return arrival._replace(rows=arrival.rows[there]), arrival._replace(rows=arrival.rows[~there])


def weights_at(
    chip_network: ChipNetwork,
    layout: Layout,
    rows: Rows,
    threads: Sequence[Traced | None],
    arrivals: Sequence[Arrival],
    index: int,
    step: int,
) -> NDArray[np.float64]:
    """The weights (n,) of a plastic projection, in the network's order and unit, before a time step.

    Args:
        threads: the lanes of each thread; they stay as they are.
        arrivals: what has reached the synapses before the step, in the order of labels.
    """
    lanes = np.flatnonzero(rows.projection == index)
    words = [_words_at(rows, int(lane), threads, arrivals, step) for lane in lanes]
    projection = chip_network.network.projections[index]
    weights = np.empty(len(projection))
    if words:
        stored = np.concatenate(words) >> 16
        weights[order_of_rows(projection, layout)] = chip_network.projections[index].hold.physical(stored)
    return weights


def _words_at(
    rows: Rows, lane: int, threads: Sequence[Traced | None], arrivals: Sequence[Arrival], step: int
) -> np.ndarray:
    """The words of a lane (n,) int32 once it has learned all that has reached it, in a copy."""
    if not len(words_of_lane(rows, lane)):  # as those are of which another process has the synapses
        return words_of_lane(rows, lane)
    (traced,) = (thread for thread in threads if thread is not None and thread.number[lane] >= 0)
    place = int(traced.number[lane])
    words, lanes = words_of_lane(rows, lane).copy(), traced.lanes.copy()
    lanes["base"][place] = 0
    copy = traced._replace(words=words, rows=traced.rows.copy(), levels=traced.levels.copy(), lanes=lanes)
    nowhere = np.zeros(int(rows.width[lane]), np.int32)
    for arrival in arrivals:
        if arrival.lane == lane:
            deliver_traced(copy, place, arrival.rows, arrival.label, nowhere)
    settle_lane(copy, copy.lanes[place], step - 1)
    return words
