"""Plasticity as SpiNNaker's firmware computes it: in integers, when a spike of the source arrives.

A spike that is sent at label t over a delay of d steps arrives on its target's core at label t, or later through a
delay extension, and waits there for ``lag`` steps. The firmware changes the weight as it arrives; here that is done
when it is due, from the spikes of the target that the firmware knew then, which are kept for so long. The delay is all
dendritic: a spike of the target at label p counts as one at p + d. An arrival at a applies first the target's spikes
of labels (last arrival - d, a - d], one by one, then itself, with the latest up to a - d if there ever was one. What a
spike does to a weight is the business of a rule (``deferred_rules``).

The firmware keeps 15 spikes of a neuron, of which it may enter one more than once (``spinnaker_split``). Whether it
knows one of the same label as an arrival matters where 15 are not enough, and for a delay of 0. That depends on its
timing: neurons are updated in the order of their numbers, spikes of other neurons arrive as their senders are updated,
those of a delay extension before that, those of sources after it, on a core that is not busy; in the first time step
of cores that neurons share with synapses all neurons come first.

A core of synapses alone fetches a row before it has written the last one back. So a spike that comes again in its time
step finds the row as the one before did, delivers the same once more and changes nothing; the third finds what the
first has left, and so on. Where the core fetches several rows for each spike, of several projections, none is overtaken
(``spinnaker_split.are_overtaken``).

Delays of exactly the size of the ring buffer are read as 0 from the synaptic word, so that the weight changes as by a
delay of 0, and nothing is delivered: a defect, of which ``spinnaker_plastic_check`` warns (``docs/firmware.md``).

Source: executed ``*_stdp_mad_*.aplx`` of sPyNNaker 7.4.1; its ``synapse_dynamics_stdp_mad_impl.c``, ``post_events.h``
and ``spike_processing_fast.c`` for names and structure.
"""

from __future__ import annotations

import numpy as np

from evsim.compile import inlined, lean
from evsim.deploy.spinnaker_traces import NEAREST, PAIR, TRIPLET, VOGELS
from evsim.engine.deferred_memory import REMEMBERED
from evsim.engine.deferred_rules import (
    Decays,
    nearest_arrival,
    nearest_by_source,
    nearest_by_target,
    nearest_spike,
    pair_arrival,
    pair_by_source,
    pair_by_target,
    pair_spike,
    triplet_arrival,
    triplet_by_source,
    triplet_by_target,
    triplet_spike,
    vogels_by_source,
    vogels_by_target,
)


@inlined
def decays_of(deferred, lane):
    """The tables of decay of a lane."""
    return Decays(
        deferred.decays[lane.first_plus : lane.first_plus + lane.n_plus],
        deferred.decays[lane.first_minus : lane.first_minus + lane.n_minus],
        deferred.decays[lane.first_x : lane.first_x + lane.n_x],
        deferred.decays[lane.first_y : lane.first_y + lane.n_y],
    )


@lean
def place(events, number):
    """Where a target's spike of this number lies among those that are kept, of which there is a power of two."""
    return number & (events.size - 1)


@lean
def known(events, count, now, included, late):
    """How many entries of a target's spikes the firmware has when a spike arrives at label ``now``: those before, and
    those of the same label that it makes before the arrival.

    Args:
        included: whether there are such.
        late: those of them that it makes after it.
    """
    last = now if included else now - 1
    while count > 0 and events[place(events, count - 1)].label > last:
        count -= 1
    while late > 0 and count > 0 and events[place(events, count - 1)].label == now:
        count -= 1
        late -= 1
    return count


@inlined
def _brought_up_to_date(weight, events, count, row, now, second, lane, decays, by_target, by_source):
    """A weight (s16.15) after an arrival at label ``now``.

    Args:
        events: (room,) of ``EVENT``, of the target; ``count`` of them up to then.
        row: as it was before this arrival.
        second: its second trace after it.
        by_target, by_source: of the rule.
    """
    delay = np.int64(row.dendritic)
    after, until = max(row.last - delay, 0), max(now - delay, 0)
    at, oldest = count, max(count - REMEMBERED, 0)
    while at > oldest and events[place(events, at - 1)].label > after:
        at -= 1
    before = np.int64(events[place(events, at - 1)].label) if at > oldest else np.int64(0)
    while at < count and events[place(events, at)].label <= until:
        spike = events[place(events, at)]
        weight = by_target(weight, row, spike, spike.label + delay, before, lane, decays)
        before = np.int64(spike.label)
        at += 1
    if at > oldest:
        latest = events[place(events, at - 1)]
        weight = by_source(weight, second, latest, now - delay - latest.label, lane, decays)
    return weight


@inlined
def _arrive(deferred, lane, row, begin, end, now, into, arrival, by_target, by_source):
    """Bring a row up to date at an arrival by a rule's functions, and add what it delivers."""
    decays = decays_of(deferred, lane)
    trace, second = arrival(row, now, decays)
    words = deferred.words[begin:end]
    for q in range(words.size):
        target = np.int64(words[q] & np.uint32(0xFFFF))
        first = lane.first_event + target * lane.room
        events = deferred.events[first : first + lane.room]
        number = lane.first_target + target
        included = (deferred.turn[number] <= row.turn) | ((now == 0) & (lane.split == 0))
        late = np.int64(deferred.entries[number] - lane.own if deferred.turn[number] == row.turn else 0)
        count = known(events, deferred.count[number], now, included, late)
        weight = np.int64(words[q] >> np.uint32(16)) << lane.shift
        weight = _brought_up_to_date(weight, events, count, row, now, second, lane, decays, by_target, by_source)
        stored = (weight >> lane.shift) & 0xFFFF
        words[q] = np.uint32((stored << 16) | target)
        if row.dendritic:
            into[target] += stored
    row.trace, row.second = trace, second
    row.last = now


@lean
def _deliver_again(deferred, row, begin, end, into):
    """Add what a row delivers once more, as it is."""
    words = deferred.words[begin:end]
    if row.dendritic:
        for q in range(words.size):
            into[np.int64(words[q] & np.uint32(0xFFFF))] += np.int64(words[q] >> np.uint32(16))


@lean
def _arrive_by_pairs(deferred, lane, row, begin, end, now, into):
    _arrive(deferred, lane, row, begin, end, now, into, pair_arrival, pair_by_target, pair_by_source)


@lean
def _arrive_by_nearest_pairs(deferred, lane, row, begin, end, now, into):
    _arrive(deferred, lane, row, begin, end, now, into, nearest_arrival, nearest_by_target, nearest_by_source)


@lean
def _arrive_by_vogels(deferred, lane, row, begin, end, now, into):
    _arrive(deferred, lane, row, begin, end, now, into, pair_arrival, vogels_by_target, vogels_by_source)


@lean
def _arrive_by_triplets(deferred, lane, row, begin, end, now, into):
    _arrive(deferred, lane, row, begin, end, now, into, triplet_arrival, triplet_by_target, triplet_by_source)


@lean
def deliver_deferred(deferred, index, rows, label, into):
    """Deliver the rows of a lane to which a spike is due at a label; returns the number of synapses.

    Args:
        rows: (k,) numbers of rows within the lane.
        into: (targets of the lane,) integers, added to.
    """
    lane = deferred.lanes[index]
    delivered = np.int64(0)
    for k in range(rows.size):
        at = lane.first_row + np.int64(rows[k])
        row = deferred.rows[lane.first_state + np.int64(rows[k])]
        begin, end = lane.base + np.int64(deferred.begin[at]), lane.base + np.int64(deferred.begin[at + 1])
        now = label - row.lag
        row.arrivals = row.arrivals + 1 if row.last == now else 1
        if row.overtaken and row.arrivals % 2 == 0:
            _deliver_again(deferred, row, begin, end, into)
        elif lane.timing == PAIR:
            _arrive_by_pairs(deferred, lane, row, begin, end, now, into)
        elif lane.timing == NEAREST:
            _arrive_by_nearest_pairs(deferred, lane, row, begin, end, now, into)
        elif lane.timing == VOGELS:
            _arrive_by_vogels(deferred, lane, row, begin, end, now, into)
        else:
            _arrive_by_triplets(deferred, lane, row, begin, end, now, into)
        delivered += end - begin
    return delivered


@lean
def _spike(latest, label, lane, decays):
    """The traces of a target after a spike, by the rule of a lane."""
    if lane.timing == NEAREST:
        return nearest_spike(latest, label, decays)
    if lane.timing == TRIPLET:
        return triplet_spike(latest, label, decays)
    return pair_spike(latest, label, decays)


@lean
def _note(deferred, lane, first, targets, label):
    decays = decays_of(deferred, lane)
    for k in range(targets.size):
        target = first + targets[k]
        begin = lane.first_event + target * lane.room
        events = deferred.events[begin : begin + lane.room]
        number = lane.first_target + target
        for _ in range(deferred.entries[number]):
            count = deferred.count[number]
            # before the first spike there is one of label 0, with traces of 0: nothing is written in its place yet
            trace, second = _spike(events[place(events, count - 1)], label, lane, decays)
            spike = events[place(events, count)]
            spike.label, spike.trace, spike.second = label, trace, second
            deferred.count[number] = count + 1


@inlined
def note_spikes(deferred, owner, population, first, targets, label):
    """Enter spikes into what the lanes that they concern know of their targets, in the order of labels.

    Args:
        owner, population: the slice and the population of the neurons that spiked.
        targets: (k,) ``first`` plus these are their numbers within the slice.
    """
    for index in range(deferred.lanes.size):
        lane = deferred.lanes[index]
        if targets.size and lane.slice == owner and lane.population == population:
            _note(deferred, lane, first, targets, label)
