"""Keeping what Loihi's plastic synapses have been through when a network changes while it runs.

What has reached its synapses has taught them already, and waits for its neuron: it is taken in with the weights before
the change. The rest is as in ``plastic_carry``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from evsim.deploy.chip_network import ChipNetwork
from evsim.engine.plastic_carry import Arrival, alike
from evsim.engine.plastic_lanes import words_of_lane
from evsim.engine.rows import PLASTIC, Rows
from evsim.engine.traced import deliver_traced
from evsim.engine.traced_memory import Traced


class TracedPast(NamedTuple):
    """Loihi's plastic synapses before a change: the network, its rows and each thread's lanes."""

    chip_network: ChipNetwork
    rows: Rows
    traced: Sequence[Traced | None]


def take_in_traced(arrival: Arrival, rows: Rows, traced: Traced, charges: np.ndarray) -> None:
    """Let what has reached its synapses teach them, and add it to the ring of charges (slots, inputs)."""
    begin = rows.input[arrival.lane]
    into = charges[arrival.label % len(charges)][begin : begin + rows.width[arrival.lane]]
    deliver_traced(traced, traced.number[arrival.lane], arrival.rows, arrival.label, into)


def add_present_weights(arrival: Arrival, chip_network: ChipNetwork, rows: Rows, charges: np.ndarray) -> None:
    """Add what is under way to a lane to the ring of charges (slots, inputs), with the weights as they are."""
    words, lane = words_of_lane(rows, arrival.lane), arrival.lane
    exponent = chip_network.projections[int(rows.projection[lane])].plasticity.exponent
    for number in arrival.rows.astype(np.int64):
        row = rows.first[lane, 0] + number
        mine = words[rows.begin[row] : rows.begin[row + 1]].astype(np.int64)
        into = charges[arrival.label % len(charges)]
        np.add.at(into, rows.input[lane] + (mine & 0xFFFF), (mine >> 16) << exponent)


def carry_traced(
    past: TracedPast, chip_network: ChipNetwork, rows: Rows, traced: Sequence[Traced | None]
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
    for was, now in zip(past.traced, traced, strict=True):
        if was is not None and now is not None:
            for before, lane in same.items():
                if now.number[lane] >= 0:
                    _keep_past(was, int(was.number[before]), now, int(now.number[lane]))
    return same


def _keep_weights(past: TracedPast, before: int, chip_network: ChipNetwork, rows: Rows, lane: int) -> None:
    """The present weights, in the present scale."""
    index = int(rows.projection[lane])
    words = words_of_lane(past.rows, before)
    was, now = past.chip_network.projections[index].hold, chip_network.projections[index].hold
    words_of_lane(rows, lane)[:] = (now.stored(was.physical(words >> 16)) << 16) | (words & 0xFFFF)


def _keep_past(was: Traced, before: int, now: Traced, after: int) -> None:
    """The traces and the spikes; both lanes have the same rows, delays and targets."""
    old, new = was.lanes[before], now.lanes[after]
    new["turned"] = old["turned"]
    for name in ("seen", "trace"):
        kept = was.rows[name][old["first_state"] :][: old["n_rows"]]
        now.rows[name][new["first_state"] :][: new["n_rows"]] = kept
    first, last = (was.slots["first_level"][old[end] - at] for end, at in (("first_slot", 0), ("last_slot", 1)))
    count = last - first + old["n_targets"]
    begin = now.slots["first_level"][new["first_slot"]]
    now.levels[begin : begin + count] = was.levels[first : first + count]
    count = old["n_targets"] * (old["room"] // 64)
    now.spikes[new["first_spike"] :][:count] = was.spikes[old["first_spike"] :][:count]
