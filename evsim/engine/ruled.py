"""Synapses that learn by rules of a script's own, brought up to date when a spike arrives.

The order of spikes at a synapse is that of ``evsim.learning_rule``. When a spike of the source is due at a label, it
has arrived the dendritic part of the delay before; so the row is brought up to date with the spikes of its targets that
reached it before that, from their history, and then the spike does its part. What is done at a spike depends on what
the spike before left, and on the time between; nothing is done while both sides are silent.

At labels that are multiples of ``SWEEP`` all rows are brought as far as no spike that is still to arrive would have it
otherwise, so that the history may be forgotten. Since nothing but spikes changes anything, that changes no result; nor
does the number of threads, or where a run is cut.
"""

from __future__ import annotations

import numpy as np

from evsim.compile import inlined, lean
from evsim.engine.intrinsics import call_law
from evsim.engine.ruled_memory import EARLIER, EVENT, LABEL, LATER, TARGET

SWEEP = 1024  # steps


@inlined
def has_room_for_events(ruled):
    """Whether every target of every lane can spike once more before a history must be enlarged."""
    for index in range(ruled.lanes.size):
        lane = ruled.lanes[index]
        if lane.n_events + lane.n_targets > lane.capacity:
            return False
    return True


@inlined
def note_ruled(ruled, owner, population, first, targets, label):
    """Enter spikes of targets into the history of the lanes that they concern; see ``plastic_history.note_posts``."""
    for index in range(ruled.lanes.size):
        lane = ruled.lanes[index]
        if targets.size and lane.slice == owner and lane.population == population:
            events = ruled.events[EVENT * lane.first_event :]
            for k in range(targets.size):
                target, place = np.int64(first + targets[k]), lane.n_events
                before = ruled.spiked[lane.first_target + target]
                events[EVENT * place + LABEL], events[EVENT * place + TARGET] = label, target
                events[EVENT * place + EARLIER], events[EVENT * place + LATER] = before, -1
                if before >= 0:
                    events[EVENT * before + LATER] = place
                ruled.spiked[lane.first_target + target] = place
                lane.n_events = place + 1


@lean
def _reached(ruled, lane, row, label):
    """The place in the history before which events have reached a row before a label."""
    events = ruled.events[EVENT * lane.first_event :]
    low, high = row.seen, lane.n_events
    while low < high:
        middle = (low + high) >> 1
        if events[EVENT * middle + LABEL] + row.lag < label:
            low = middle + 1
        else:
            high = middle
    return low


@lean
def _visit(ruled, lane, number, until, arrives, arrival, kept, into):
    """Bring the synapses of a row up to date, and let a spike arrive if one does; returns how many there are.

    Args:
        until: as ``_reached`` gives it.
        kept: of the lane, changed.
    """
    row = ruled.rows[lane.first_state + number]
    begin = np.int64(ruled.begin[lane.first_row + number])
    end = np.int64(ruled.begin[lane.first_row + number + 1])
    of_row = begin if lane.varied else np.int64(0)
    arrays = (
        ruled.words[lane.base + begin :],
        kept[begin * lane.width :],
        ruled.laws[lane.first_law + of_row * lane.n_parameters :],
        ruled.decays[lane.first_decay :],
        ruled.order[lane.first_order + begin * lane.order_width :],
        ruled.events[EVENT * lane.first_event :],
        ruled.spiked[lane.first_target :],
        into,
    )
    spikes = row.seen, until, row.lag, lane.key, row.repeats, np.float64(arrival), row.last, lane.timestep
    lane.faults += call_law(lane.law, arrays, (end - begin, lane.varied, np.int64(arrives), *spikes))
    return end - begin


@inlined
def _kept(ruled, lane):
    return ruled.kept[lane.first_kept : lane.first_kept + lane.n_kept]


@lean
def deliver_ruled(ruled, index, rows, now, into):
    """Deliver the rows of a lane to which a spike is due at label ``now``; returns the number of synapses.

    Args:
        rows: (k,) numbers of rows within the lane.
        into: (targets of the lane,) float64, added to.
    """
    lane = ruled.lanes[index]
    kept, delivered = _kept(ruled, lane), np.int64(0)
    for k in range(rows.size):
        number = np.int64(rows[k])
        row = ruled.rows[lane.first_state + number]
        arrival = now - row.lag
        row.repeats = row.repeats + 1 if row.last == arrival else 0
        until = _reached(ruled, lane, row, arrival + lane.target_first)
        delivered += _visit(ruled, lane, number, until, 1, arrival, kept, into)
        row.last, row.seen = np.float64(arrival), until
    return delivered


@lean
def present(ruled, index, due, kept):
    """Bring a copy of what a lane keeps (numbers,) as far as no spike due from label ``due`` on has it otherwise."""
    lane = ruled.lanes[index]
    for number in range(lane.n_rows):
        row = ruled.rows[lane.first_state + number]
        until = _reached(ruled, lane, row, due - row.lag)
        if until > row.seen:
            _visit(ruled, lane, np.int64(number), until, 0, 0, kept, kept)


@lean
def _forget(ruled, lane, dropped):
    """Drop the first events of a lane's history."""
    events = ruled.events[EVENT * lane.first_event : EVENT * (lane.first_event + lane.n_events)]
    for at in range(0, events.size - EVENT * dropped, EVENT):
        moved = at + EVENT * dropped
        events[at + LABEL], events[at + TARGET] = events[moved + LABEL], events[moved + TARGET]
        events[at + EARLIER] = max(events[moved + EARLIER] - dropped, -1)
        events[at + LATER] = max(events[moved + LATER] - dropped, -1)
    for i in range(lane.first_target, lane.first_target + lane.n_targets):
        ruled.spiked[i] = max(ruled.spiked[i] - dropped, -1)
    lane.n_events -= dropped


@lean
def bring_all(ruled, index, due):
    """Bring all synapses of a lane as far as no spike due from label ``due`` on has it otherwise, and forget."""
    lane = ruled.lanes[index]
    kept, met = _kept(ruled, lane), lane.n_events
    for number in range(lane.n_rows):
        row = ruled.rows[lane.first_state + number]
        until = _reached(ruled, lane, row, due - row.lag)
        if until > row.seen:
            _visit(ruled, lane, np.int64(number), until, 0, 0, kept, kept)
            row.seen = until
        met = min(met, row.seen)
    for number in range(lane.first_state, lane.first_state + lane.n_rows):
        ruled.rows[number].seen -= met
    _forget(ruled, lane, met)


@inlined
def turn_ruled(ruled, now):
    """Sweep where the label for it has come; called in each step, before what is due is delivered."""
    if now % SWEEP == 0:
        for index in range(ruled.lanes.size):
            bring_all(ruled, index, now)
