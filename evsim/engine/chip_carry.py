"""Keeping what the plastic synapses of a chip have been through when a network changes while it runs.

What has reached them has changed them already, on the chip, and waits for its neuron: it is taken in with the weights
before the change. The rest is as in ``plastic_carry``. What is kept of spikes and traces differs between the chips
(``deferred_carry``, ``traced_carry``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from evsim.deploy.chip_network import ChipNetwork
from evsim.engine.plastic_carry import Arrival, same_lanes
from evsim.engine.plastic_lanes import words_of_lane
from evsim.engine.rows import Rows


class ChipPast(NamedTuple):
    """Plastic synapses before a change: the network, its rows, and each thread's lanes in the chip's numbers."""

    chip_network: ChipNetwork
    rows: Rows
    threads: Sequence[Any]


def of_lane(threads: Sequence[Any], lane: int) -> Any:
    """The lanes of the thread that has this one."""
    (found,) = (thread for thread in threads if thread is not None and thread.number[lane] >= 0)
    return found


def take_in(arrival: Arrival, rows: Rows, lanes: Any, deliver: Callable[..., Any], charges: np.ndarray) -> None:
    """Let what has reached its synapses change them, and add it to the ring of charges (slots, inputs)."""
    begin = rows.input[arrival.lane]
    into = charges[arrival.label % len(charges)][begin : begin + rows.width[arrival.lane]]
    deliver(lanes, lanes.number[arrival.lane], arrival.rows, arrival.label, into)


def carry_lanes(
    past: ChipPast, chip_network: ChipNetwork, rows: Rows, threads: Sequence[Any], keep: Callable[..., None]
) -> dict[int, int]:
    """Give the lanes that are as they were what they have been through.

    Args:
        threads: each thread's lanes now.
        keep: ``keep(was, before, now, after)``: gives the lane ``after`` of ``now`` the spikes and traces that the lane
            ``before`` of ``was`` has; both have the same rows, delays and targets.

    Returns:
        the lane before -> the same lane now.
    """

    def keep_weights(before: int, lane: int) -> None:
        """The present weights, in the present scale."""
        index, words = int(rows.projection[lane]), words_of_lane(past.rows, before)
        was, now = past.chip_network.projections[index].hold, chip_network.projections[index].hold
        stored = now.stored(was.physical((words >> 16).astype(np.int32))).astype(words.dtype)
        words_of_lane(rows, lane)[:] = (stored << 16) | (words & 0xFFFF)

    same = same_lanes(past.chip_network.network, past.rows, chip_network.network, rows, keep_weights)
    for was, now in zip(past.threads, threads, strict=True):
        if was is not None and now is not None:
            for before, lane in same.items():
                if now.number[lane] >= 0:
                    keep(was, int(was.number[before]), now, int(now.number[lane]))
    return same
