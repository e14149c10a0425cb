"""The histories of spikes and of doses of dopamine that plastic lanes under dopamine keep; see ``modulated``."""

from __future__ import annotations

import math

import numpy as np

from evsim.compile import inlined, lean
from evsim.engine.intrinsics import synapse_weight
from evsim.engine.rows import TARGET_BITS


@inlined
def has_room_for_doses(modulated):
    """Whether every target of every lane can spike and be dosed once more before a history must be enlarged."""
    for index in range(modulated.lanes.size):
        lane = modulated.lanes[index]
        if max(lane.n_posts, lane.n_doses) + lane.n_targets > lane.capacity:
            return False
    return True


@lean
def _enter(events, first, place, past, target, label, value):
    """Enter an event of a target at a place of its lane's history, which begins at ``first``."""
    event = events[first + place]
    event.value, event.label, event.target = value, label, target
    event.earlier, event.later = past.place, -1
    if past.place >= 0:
        events[first + past.place].later = place
    past.place = place


@lean
def _value_at(events, first, past, label, rate):
    """What the latest entry of a target has left at a label."""
    value, since = past.value, past.label
    if past.place >= 0:
        value, since = events[first + past.place].value, events[first + past.place].label
    return value * math.exp(-(label - since) * rate)


@inlined
def note_modulated(modulated, owner, population, first, targets, label):
    """Enter spikes of targets into the history of the lanes that they concern; see ``plastic_history.note_posts``."""
    for index in range(modulated.lanes.size):
        lane = modulated.lanes[index]
        if targets.size and lane.slice == owner and lane.population == population:
            for k in range(targets.size):
                past = modulated.spiked[lane.first_target + first + targets[k]]
                trace = 1.0 + _value_at(modulated.posts, lane.first_event, past, label, lane.rate_minus)
                _enter(modulated.posts, lane.first_event, lane.n_posts, past, first + targets[k], label, trace)
                lane.n_posts += 1


@lean
def _dose(modulated, lane, target, label, amount):
    """Raise the dopamine of a target; doses of one label are one entry."""
    past = modulated.dosed[lane.first_target + target]
    if past.place >= 0 and modulated.doses[lane.first_event + past.place].label == label:
        modulated.doses[lane.first_event + past.place].value += amount
        return
    level = amount + _value_at(modulated.doses, lane.first_event, past, label, lane.rate_d)
    _enter(modulated.doses, lane.first_event, lane.n_doses, past, target, label, level)
    lane.n_doses += 1


@lean
def deliver_doses(modulated, index, rows, now, into):
    """Give the doses that are due at label ``now`` over rows of a lane of doses; returns the number of synapses.

    Args:
        into: not used; doses are no input.
    """
    dosing = modulated.dosing[index]
    delivered = np.int64(0)
    for k in range(rows.size):
        at = dosing.first_row + np.int64(rows[k])
        words = modulated.words[
            dosing.base + np.int64(modulated.begin[at]) : dosing.base + np.int64(modulated.begin[at + 1])
        ]
        for number in range(modulated.lanes.size):
            lane = modulated.lanes[number]
            if lane.slice == dosing.slice and lane.population == dosing.population:
                for q in range(words.size):
                    amount = synapse_weight(words[q], dosing.unit)
                    _dose(modulated, lane, np.int64(words[q] & TARGET_BITS), now, amount)
        delivered += words.size
    return delivered


@lean
def forget(events, first, count, pasts, dropped):
    """Drop the first entries of a lane's history; returns how many are left."""
    for place in range(first, first + dropped):
        past = pasts[events[place].target]
        past.value, past.label = events[place].value, events[place].label
    for place in range(first + dropped, first + count):
        event, moved = events[place], events[place - dropped]
        moved.value, moved.label, moved.target = event.value, event.label, event.target
        moved.earlier, moved.later = max(event.earlier - dropped, -1), max(event.later - dropped, -1)
    for i in range(pasts.size):
        pasts[i].place = max(pasts[i].place - dropped, -1)
    return count - dropped


@lean
def forget_doses(modulated, index, label):
    """Drop all doses of a lane whose rows have met them; what they have left is that of a label."""
    lane = modulated.lanes[index]
    for i in range(lane.first_target, lane.first_target + lane.n_targets):
        past = modulated.dosed[i]
        past.value = _value_at(modulated.doses, lane.first_event, past, label, lane.rate_d)
        past.label, past.place = label, -1
    for number in range(lane.first_state, lane.first_state + lane.n_rows):
        modulated.rows[number].doses = 0
    lane.n_doses = 0
