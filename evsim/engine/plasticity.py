"""Spike-timing-dependent plasticity in floating point, brought up to date when a spike arrives.

The rule is a ``PairRule``. Of the delay of a synapse the dendritic part D lies behind it: a spike of the source arrives
at label a and is felt by the target at a + D; a spike of the target at label p reaches the synapse at p + D. An arrival
at a finds the target's spikes with p + D <= a that came since the arrival before, potentiates by each, depresses by
those with p + D < a, and leaves with the weight that is delivered, as in NEST's ``stdp_synapse``. Where D is 0, spikes
of label a are found after what is due at a was delivered: the next arrival finds them, and until then this one is
*pending*, and not in the trace.

Traces are kept without decay: sums of exp((label - origin) / tau) over the spikes so far. The decay up to an arrival is
then one factor for all synapses of a row, nothing has to be done while nobody spikes, and at fixed labels the origin
moves on (``turn``). The slow traces of triplets decay from label to label; they are read only as they change, and scale
what the spike that reads them does. What depends on the label alone is the same however neurons are shared out to
threads.

A *lane* holds the plastic synapses of one projection onto one slice of its targets, in rows: those of one source and
delay. A *slot* is one of its delays.
"""

from __future__ import annotations

import math

import numpy as np

from evsim.compile import inlined, lean
from evsim.engine.intrinsics import prefetch
from evsim.engine.memory import LINE
from evsim.engine.plastic_changes import (
    RUN,
    advance_slot,
    change,
    change_one_by_one,
    clear,
    gather,
    look_up,
    potentiated,
    reached,
)
from evsim.engine.plastic_words import rounded, target_of, weight_of, with_weight

# Spikes that can be gone through in the time in which one synapse looks for those of its target.
_SPIKES_PER_LOOK = 8

_WORDS_PER_LINE = LINE // 8


# --- moving the origins ----------------------------------------------------------------------------------------------


@lean
def _scaled(value, factor):
    scaled = value * factor
    return scaled if scaled > 1e-290 else 0.0  # denormal numbers are slow, and this is nothing


@lean
def _move_origin_minus(plastic, lane):
    factor = math.exp(-lane.period_minus * lane.rate_minus)
    for i in range(lane.first_target, lane.first_target + lane.n_targets):
        plastic.targets[i].past = _scaled(plastic.targets[i].past, factor)
    for i in range(lane.first_spike, lane.first_spike + lane.n_spikes):
        plastic.spikes[i].trace = _scaled(plastic.spikes[i].trace, factor)
    for index in range(lane.first_slot, lane.last_slot):
        slot = plastic.slots[index]
        for i in range(slot.first_view, slot.first_view + slot.n_viewed):
            plastic.views[i] = _scaled(plastic.views[i], factor)
    lane.origin_minus += lane.period_minus


@lean
def _settle(plastic, lane, spikes, number, until):
    """Potentiate the synapses of a row by the spikes before place ``until``, which have reached them."""
    at, row = lane.first_row + number, plastic.rows[lane.first_state + number]
    slot, seen = plastic.slots[row.slot], np.int64(row.seen)
    up, felt = slot.up * row.trace, plastic.arrivals[lane.first_state + number].last - slot.lag
    row.seen = until
    # Changes that are below the half of a unit, all together, leave every weight as it is.
    most = lane.most_plus * math.exp(-(spikes[seen].label - lane.origin_plus) * lane.rate_plus)
    if abs(up) * most * (until - seen) < 0.25:
        return
    begin, end = np.int64(plastic.begin[at]), np.int64(plastic.begin[at + 1])
    words = plastic.words[lane.base + begin : lane.base + end]
    for q in range(words.size):
        target = lane.first_target + np.int64(target_of(words[q]))
        place = reached(spikes, plastic.targets[target].last, until)
        weight = weight_of(words[q])
        weight = potentiated(spikes, weight, place, seen, until, up, lane, felt, plastic.dropped[target])
        words[q] = with_weight(words[q], rounded(weight))


@lean
def _enter_pending(plastic, lane, spikes, number):
    """Enter pending arrivals into the trace of a row, once it is up to date with the spikes that they met."""
    row, arrivals = plastic.rows[lane.first_state + number], plastic.arrivals[lane.first_state + number]
    until = np.int64(row.seen)
    while until < spikes.size and spikes[until].label <= arrivals.pending:
        until += 1
    if until > row.seen:
        _settle(plastic, lane, spikes, number, until)
    fresh = math.exp((arrivals.pending - lane.origin_plus) * lane.rate_plus)
    row.trace = lane.keep * (row.trace + (arrivals.n_pending - 1) * fresh) + fresh
    arrivals.last, arrivals.n_pending = arrivals.pending, 0


@lean
def settle_all(plastic, index, now):
    """Potentiate the synapses of a lane by the spikes that have reached them by label ``now``."""
    lane = plastic.lanes[index]
    spikes = plastic.spikes[lane.first_spike : lane.first_spike + lane.n_spikes]
    for k in range(lane.n_rows):
        row = plastic.rows[lane.first_state + k]
        if plastic.arrivals[lane.first_state + k].n_pending:
            _enter_pending(plastic, lane, spikes, np.int64(k))
        until = np.int64(row.seen)
        while until < spikes.size and spikes[until].label + plastic.slots[row.slot].lag <= now:
            until += 1
        if until > row.seen:
            _settle(plastic, lane, spikes, np.int64(k), until)


@inlined
def _enter(lane, row, arrivals, lag, arrival, fresh):
    """Enter an arrival into the trace of a row, to which it adds ``fresh``."""
    if lag:
        row.trace = lane.keep * row.trace + fresh
        arrivals.last = arrival
    else:
        arrivals.pending = arrival
        arrivals.n_pending += 1


@lean
def _drop(plastic, lane, spikes, dropped):
    """Move the history down by a number of spikes."""
    targets = plastic.targets[lane.first_target : lane.first_target + lane.n_targets]
    for place in range(dropped):
        targets[spikes[place].target].past = spikes[place].trace
        plastic.dropped[lane.first_target + spikes[place].target] = spikes[place].label
    for place in range(dropped, spikes.size):
        spike = spikes[place - dropped]
        spikes[place - dropped] = spikes[place]
        spike.earlier, spike.later = max(spike.earlier - dropped, -1), max(spike.later - dropped, -1)
    lane.n_spikes -= dropped
    for i in range(targets.size):
        targets[i].last = max(targets[i].last - dropped, -1)
    for index in range(lane.first_slot, lane.last_slot):
        plastic.slots[index].due -= dropped
        plastic.slots[index].before -= dropped


@lean
def _move_origin_plus(plastic, lane):
    """Also drops the spikes that are too old to matter, once the rows that have not seen them are up to date."""
    moved = lane.origin_plus + lane.period_plus
    spikes = plastic.spikes[lane.first_spike : lane.first_spike + lane.n_spikes]
    for index in range(lane.first_slot, lane.last_slot):
        slot = plastic.slots[index]
        view = plastic.views[slot.first_view : slot.first_view + slot.n_viewed]
        advance_slot(spikes, view, slot, moved - 2 * slot.lag)
    dropped = 0
    oldest = moved - max(lane.period_plus, 2 * lane.longest_lag)
    while dropped < spikes.size and spikes[dropped].label < oldest:
        dropped += 1
    factor = math.exp(-lane.period_plus * lane.rate_plus)
    for k in range(lane.n_rows):
        row = plastic.rows[lane.first_state + k]
        if row.seen < dropped and plastic.arrivals[lane.first_state + k].n_pending:
            _enter_pending(plastic, lane, spikes, np.int64(k))
        if row.seen < dropped:
            _settle(plastic, lane, spikes, np.int64(k), np.int64(dropped))
        row.seen -= dropped
        row.trace = _scaled(row.trace, factor)
    _drop(plastic, lane, spikes, dropped)
    for place in range(lane.n_spikes):
        spikes[place].worth /= factor
    lane.origin_plus = moved


@inlined
def turn(plastic, now):
    """Move the origins on whose label has come; called in each step, before what is due is delivered."""
    for index in range(plastic.lanes.size):
        lane = plastic.lanes[index]
        while now >= lane.origin_minus + lane.period_minus:
            _move_origin_minus(plastic, lane)
        while now >= lane.origin_plus + lane.period_plus:
            _move_origin_plus(plastic, lane)


# --- spikes ----------------------------------------------------------------------------------------------------------


@inlined
def _arrive(spikes, view, lane, slot, now):
    """Let a slot's spikes of label ``now`` arrive; returns what each adds to its trace, and the scale of depression."""
    arrival = now - slot.lag
    advance_slot(spikes, view, slot, arrival - slot.lag)
    fresh = math.exp((arrival - lane.origin_plus) * lane.rate_plus)
    return fresh, lane.down * math.exp(-(arrival - slot.lag - lane.origin_minus) * lane.rate_minus)


@inlined
def _part_of_arrival(lane, arrivals, arrival):
    """The part in ``down`` of an arrival; enters it into the slow trace of its row."""
    if not lane.triplets:
        return 1.0
    last = arrivals.pending if arrivals.n_pending else arrivals.last
    second = arrivals.second * math.exp(-(arrival - last) * lane.rate_x)
    arrivals.second = second + 1.0
    return lane.pair_minus + lane.triplet_minus * second


@inlined
def _ask_for(plastic, lane, number):
    """Ask for the first synapses of a row of a lane; the processor itself asks for those after them."""
    at = lane.first_row + np.int64(number)
    begin, end = np.int64(plastic.begin[at]), np.int64(plastic.begin[at + 1])
    first = lane.base + begin
    last = first + min(end - begin, RUN)
    while first < last:
        prefetch(plastic.words, first)
        first += _WORDS_PER_LINE


@inlined
def deliver_plastic(plastic, index, rows, now, into):
    """Deliver the rows of a lane to which a spike is due at label ``now``; returns the number of synapses.

    Args:
        rows: (k,) numbers of rows within the lane; k > 0.
        into: (targets of the lane,) float64, added to.
    """
    lane = plastic.lanes[index]
    spikes = plastic.spikes[lane.first_spike : lane.first_spike + lane.n_spikes]
    own = slice(lane.first_target, lane.first_target + lane.n_targets)
    targets, gain, found, level = plastic.targets[own], plastic.gain[own], plastic.found[own], plastic.level[own]
    dropped, plain = plastic.dropped[own], lane.plain != 0
    number, delivered = np.int64(-1), np.int64(0)
    fresh = down = 0.0
    view = level
    _ask_for(plastic, lane, rows[0])
    for k in range(rows.size):
        if k + 1 < rows.size:
            _ask_for(plastic, lane, rows[k + 1])
        at = lane.first_row + np.int64(rows[k])
        row = plastic.rows[lane.first_state + np.int64(rows[k])]
        slot = plastic.slots[row.slot]
        if row.slot != number:
            number = np.int64(row.slot)
            view = plastic.views[slot.first_view : slot.first_view + slot.n_viewed]
            fresh, down = _arrive(spikes, view, lane, slot, now)
        arrivals = plastic.arrivals[lane.first_state + np.int64(rows[k])]
        if not plain and arrivals.n_pending and arrivals.pending < now:
            _enter_pending(plastic, lane, spikes, np.int64(rows[k]))
        begin = lane.base + np.int64(plastic.begin[at])
        words = plastic.words[begin : lane.base + np.int64(plastic.begin[at + 1])]
        up, fall = slot.up * row.trace, down
        if not plain:
            fall *= _part_of_arrival(lane, arrivals, now - slot.lag)
        if lane.linear:
            gathers = slot.n_viewed and slot.due - row.seen <= _SPIKES_PER_LOOK * words.size
            if gathers:
                gather(spikes, row.seen, slot.due, gain)
            else:
                look_up(words, spikes, targets, row.seen, slot.due, slot.before, found, level)
            worth, past = (gain, view) if gathers else (found, level)
            change(words, worth, past, lane, up, fall, into)
            if gathers:
                clear(spikes, row.seen, slot.due, gain)
        else:
            places, felt = (row.seen, slot.due, slot.before), arrivals.last - slot.lag
            change_one_by_one(words, spikes, targets, dropped, lane, *places, felt, up, fall, into)
        row.seen = slot.due
        if plain:
            row.trace += fresh
        else:
            _enter(lane, row, arrivals, slot.lag, now - slot.lag, fresh)
        delivered += words.size
    return delivered
