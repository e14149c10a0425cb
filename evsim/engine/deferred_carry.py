"""Keeping what SpiNNaker's plastic synapses have been through when a network changes while it runs.

What is on the core of its target has changed its synapses already, on the chip, and waits in the ring buffer: it is
taken in with the weights before the change. The rest is as in ``plastic_carry``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from evsim.deploy.chip_network import ChipNetwork
from evsim.engine.deferred import deliver_deferred
from evsim.engine.deferred_memory import Deferred
from evsim.engine.plastic_carry import Arrival, alike
from evsim.engine.plastic_lanes import words_of_lane
from evsim.engine.rows import PLASTIC, Rows


class DeferredPast(NamedTuple):
    """SpiNNaker's plastic synapses before a change: the network, its rows and each thread's lanes."""

    chip_network: ChipNetwork
    rows: Rows
    deferred: Sequence[Deferred | None]


def take_in(arrival: Arrival, rows: Rows, deferred: Deferred, charges: np.ndarray) -> None:
    """Let what has arrived change its synapses, and add it to the ring of charges (slots, inputs)."""
    begin = rows.input[arrival.lane]
    into = charges[arrival.label % len(charges)][begin : begin + rows.width[arrival.lane]]
    deliver_deferred(deferred, deferred.number[arrival.lane], arrival.rows, arrival.label, into)


def add_weights(arrival: Arrival, rows: Rows, charges: np.ndarray) -> None:
    """Add what is under way to a lane to the ring of charges (slots, inputs), with the weights as they are."""
    words, lane = words_of_lane(rows, arrival.lane), arrival.lane
    for number in arrival.rows.astype(np.int64):
        row = rows.first[lane, 0] + number
        mine = words[rows.begin[row] : rows.begin[row + 1]].astype(np.int64)
        np.add.at(charges[arrival.label % len(charges)], rows.input[lane] + (mine & 0xFFFF), mine >> 16)


def carry_deferred(
    past: DeferredPast, chip_network: ChipNetwork, rows: Rows, deferred: Sequence[Deferred | None]
) -> dict[int, int]:
    """Give the lanes that are as they were what they have been through.

    Returns:
        the lane before -> the same lane now.
    """
    same = {}
    for lane in np.flatnonzero(rows.kind == PLASTIC):
        index = int(rows.projection[lane])
        old, new = past.chip_network.network.projections[index], chip_network.network.projections[index]
        for before in np.flatnonzero((past.rows.projection == index) & (past.rows.slice == rows.slice[lane])):
            pair = int(before), int(lane)
            if old is new or (old.plasticity == new.plasticity and alike(past.rows, pair[0], rows, pair[1])):
                same[pair[0]] = pair[1]
                if old is new:
                    _keep_weights(past, pair[0], chip_network, rows, pair[1])
    for was, now in zip(past.deferred, deferred, strict=True):
        if was is not None and now is not None:
            for before, lane in same.items():
                if now.number[lane] >= 0:
                    _keep_events(was, int(was.number[before]), now, int(now.number[lane]))
    return same


def _keep_weights(past: DeferredPast, before: int, chip_network: ChipNetwork, rows: Rows, lane: int) -> None:
    """The present weights, in the present scale."""
    index = int(rows.projection[lane])
    words = words_of_lane(past.rows, before)
    was, now = past.chip_network.projections[index].hold, chip_network.projections[index].hold
    stored = now.stored(was.physical((words >> 16).astype(np.int32))).astype(np.uint32)
    words_of_lane(rows, lane)[:] = (stored << 16) | (words & 0xFFFF)


def _keep_events(was: Deferred, before: int, now: Deferred, after: int) -> None:
    old, new = was.lanes[before], now.lanes[after]
    for name in ("last", "trace", "second", "arrivals"):
        kept = was.rows[name][old["first_state"] :][: old["n_rows"]]
        now.rows[name][new["first_state"] :][: new["n_rows"]] = kept
    count = was.count[old["first_target"] :][: old["n_targets"]]
    now.count[new["first_target"] :][: new["n_targets"]] = count
    target = np.arange(len(count))
    for back in range(1, int(min(old["room"], new["room"])) + 1):
        spike, mine = count - back, count >= back
        there = old["first_event"] + target * old["room"] + spike % old["room"]
        here = new["first_event"] + target * new["room"] + spike % new["room"]
        now.events[here[mine]] = was.events[there[mine]]
