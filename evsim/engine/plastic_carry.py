"""Keeping what plastic synapses have been through when a network changes while it runs.

A projection that is still connected alike, by the same rule, keeps its traces and history and the spikes under way;
unless its weights were set anew it keeps these, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from evsim.engine.lane_tables import hand_over, set_firsts
from evsim.engine.plastic_lanes import words_of_lane
from evsim.engine.plastic_memory import SPIKE, Plastic
from evsim.engine.queue import PAGE, Calendar, grown, put, take
from evsim.engine.rows import PLASTIC, TARGETS, Rows
from evsim.network import Network


class Arrival(NamedTuple):
    """Rows of a plastic or releasing lane, by their numbers within it, to which spikes are due at a label."""

    lane: int
    label: int
    rows: np.ndarray


class Past(NamedTuple):
    """Plastic synapses before a change: the network, its rows and each thread's lanes."""

    network: Network
    rows: Rows
    plastic: Sequence[Plastic | None]


def take_arrivals(rows: Rows, kind: int, calendars: Sequence[Calendar], step: int) -> list[Arrival]:
    """Take everything that is due to lanes of a kind from step ``step`` on out of the calendars, by lane and label."""
    found, buffer = [], np.empty(32 * PAGE, np.uint64)
    for lane in np.flatnonzero(rows.kind == kind):
        for calendar in calendars:
            slots = calendar.count.shape[1]
            for label in range(step, step + slots):
                while calendar.count[lane, label % slots]:
                    count = take(calendar, lane, label % slots, buffer)
                    found.append(Arrival(int(lane), label, buffer[:count].copy()))
    return found


def carry_over(past: Past, network: Network, rows: Rows, plastic: list[Plastic | None]) -> dict[int, int]:
    """Give the lanes that are as they were what they have been through.

    Returns:
        the lane before -> the same lane now.
    """

    def keep_weights(before: int, lane: int) -> None:
        words_of_lane(rows, lane)[:] = words_of_lane(past.rows, before)

    same = same_lanes(past.network, past.rows, network, rows, keep_weights)
    for thread, (lanes, old) in enumerate(zip(plastic, past.plastic, strict=True)):
        if lanes is not None and old is not None:
            pairs = [(int(old.number[a]), int(lanes.number[b])) for a, b in same.items() if lanes.number[b] >= 0]
            plastic[thread] = _with_past(lanes, old, pairs)
    return same


def same_lanes(
    old: Network, old_rows: Rows, new: Network, rows: Rows, keep_weights: Callable[[int, int], None]
) -> dict[int, int]:
    """The plastic lanes that are connected alike, by the same rule: the lane before -> the same lane now.

    Args:
        keep_weights: called with both where nothing about the projection was changed.
    """
    same = {}
    for lane in np.flatnonzero(rows.kind == PLASTIC).tolist():
        index = rows.projection[lane]
        was, now = old.projections[index], new.projections[index]
        for before in np.flatnonzero((old_rows.projection == index) & (old_rows.slice == rows.slice[lane])).tolist():
            if was is now or (was.plasticity == now.plasticity and alike(old_rows, before, rows, lane)):
                same[before] = lane
                if was is now:
                    keep_weights(before, lane)
    return same


def queue_again(arrival: Arrival, calendar: Calendar) -> Calendar:
    """Put what is under way into a calendar; returns it, or a longer one."""
    while calendar.free[1] < len(arrival.rows) // PAGE + 1:
        calendar = grown(calendar)
    put(calendar, arrival.lane, arrival.label % calendar.count.shape[1], arrival.rows)
    return calendar


def add_as_charges(arrival: Arrival, rows: Rows, weights: Callable[[slice], np.ndarray], charges: np.ndarray) -> None:
    """Turn what is under way to a lane that changed into charges (slots, inputs), with the weights that it had.

    Args:
        rows: before the change.
        weights: gives those of some of the lane's synapses, in the order of its words.
    """
    lane, words = arrival.lane, words_of_lane(rows, arrival.lane)
    into = charges[arrival.label % len(charges)]
    for number in arrival.rows.astype(np.int64):
        row = rows.first[lane, 0] + number
        mine = slice(int(rows.begin[row]), int(rows.begin[row + 1]))
        targets = (words[mine] & (TARGETS - 1)).astype(np.int64)
        np.add.at(into, rows.input[lane] + targets, weights(mine))


def alike(old: Rows, before: int, new: Rows, lane: int) -> bool:
    """Whether two lanes have the same rows with the same targets."""
    places = [slice(int(rows.first[at, 0]), int(rows.first[at, -1])) for rows, at in ((old, before), (new, lane))]
    earlier, later = (words_of_lane(rows, at) & (TARGETS - 1) for rows, at in ((old, before), (new, lane)))
    return (
        np.array_equal(old.begin[places[0]], new.begin[places[1]])
        and np.array_equal(old.delay[places[0]], new.delay[places[1]])
        and np.array_equal(earlier, later)
        and np.array_equal(np.diff(old.first[before]), np.diff(new.first[lane]))
    )


def _with_past(new: Plastic, old: Plastic, pairs: list[tuple[int, int]]) -> Plastic:
    """New lanes with the traces and the history of old ones; pairs of places in ``lanes``."""
    lanes = new.lanes
    for a, b in pairs:
        for name in ("capacity", "n_spikes", "origin_plus", "origin_minus", "most_plus"):
            lanes[b][name] = old.lanes[a][name]
    set_firsts(lanes, {"first_spike": "capacity"})
    new = new._replace(spikes=np.zeros(int(lanes["capacity"].sum()), SPIKE))
    of_rows, of_targets = ("first_state", "n_rows"), ("first_target", "n_targets")
    for a, b in pairs:
        was, now = old.lanes[a], lanes[b]
        for was_of, now_of, fields in (
            (old.spikes, new.spikes, ("first_spike", "n_spikes")),
            *((getattr(old, name), getattr(new, name), of_targets) for name in ("targets", "second", "dropped")),
            *((old.rows[name], new.rows[name], of_rows) for name in ("trace", "seen")),
            (old.arrivals, new.arrivals, of_rows),
        ):
            hand_over(was_of, was, now_of, now, fields)
        for k in range(now["last_slot"] - now["first_slot"]):
            _carry_slot(old, int(was["first_slot"] + k), new, int(now["first_slot"] + k))
    return new


def _carry_slot(old: Plastic, before: int, new: Plastic, after: int) -> None:
    was, now = old.slots[before], new.slots[after]
    for name in ("due", "before"):
        now[name] = was[name]
    new.views[now["first_view"] :][: now["n_viewed"]] = old.views[was["first_view"] :][: was["n_viewed"]]
