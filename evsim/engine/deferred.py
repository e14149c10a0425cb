"""Plasticity of pairs as SpiNNaker's firmware computes it: in integers, when a spike of the source arrives.

A spike that is sent at label t over a delay of d steps arrives on its target's core at label t, or later through a
delay extension, and waits there for ``lag`` steps. The firmware changes the weight as it arrives; here that is done
when it is due, from the spikes of the target that the firmware knew then, which are kept for so long. The delay is all
dendritic: a spike of the target at label p counts as one at p + d. An arrival at a potentiates by the target's spikes
of labels (last arrival - d, a - d], then depresses by the latest up to a - d, simultaneous ones included.

The firmware keeps 15 spikes of a neuron. Whether it knows one of the same label as an arrival matters where 15 are not
enough, and for a delay of 0. That depends on its timing: neurons are updated in the order of their numbers, spikes of
other neurons arrive as their senders are updated, those of a delay extension before that, those of sources after it, on
a core that is not busy.

Delays of exactly the size of the ring buffer are read as 0 from the synaptic word, so that the weight changes as by a
delay of 0, and nothing is delivered: a defect, of which ``spinnaker_plastic_check`` warns (``docs/firmware.md``).

Source: disassembled and executed ``*_stdp_mad_pair_*.aplx`` of sPyNNaker 7.4.1; sPyNNaker's
``synapse_dynamics_stdp_mad_impl.c``, ``post_events.h`` and ``timing_pair_impl.h`` for names and structure.
"""

from __future__ import annotations

import numpy as np

from evsim.arithmetic.s1615 import POINT
from evsim.compile import inlined, lean
from evsim.deploy.spinnaker_plastic import ADDITIVE, TRACE_ONE, TRACE_POINT
from evsim.engine.deferred_memory import REMEMBERED

_TO_S1615 = POINT - TRACE_POINT


@lean
def decayed(trace, steps, decays):
    """A trace after some steps: an integer product, cut off; nothing is left beyond the table and before the start."""
    return (trace * np.int64(decays[steps])) >> TRACE_POINT if 0 <= steps < decays.size else np.int64(0)


@lean
def with_spike(trace, steps, decays):
    """The trace after another spike, so many steps after the one before; it wraps at 16 bits."""
    return np.int64(np.int16(decayed(trace, steps, decays) + TRACE_ONE))


@lean
def product(amplitude, trace):
    """s16.15 times a trace, cut off and wrapped to 32 bits."""
    return np.int64(np.int32((amplitude * (trace << _TO_S1615)) >> POINT))


@lean
def potentiated(weight, trace, lane):
    """A weight (s16.15) after a spike of the target at a trace of the source."""
    if lane.dependence == ADDITIVE:
        raised = np.int64(np.int32(weight + product(lane.up, trace)))
        return min(raised, lane.high)
    room = np.int64(np.int32(((lane.high - weight) * lane.up) >> POINT))
    return np.int64(np.int32(weight + product(room, trace)))


@lean
def depressed(weight, trace, lane):
    """A weight (s16.15) after a spike of the source at a trace of the target."""
    if lane.dependence == ADDITIVE:
        lowered = np.int64(np.int32(weight - product(lane.down, trace)))
        return max(lowered, lane.low)
    room = np.int64(np.int32(((weight - lane.low) * lane.down) >> POINT))
    return np.int64(np.int32(weight - product(room, trace)))


@lean
def place(events, number):
    """Where a target's spike of this number lies among those that are kept, of which there is a power of two."""
    return number & (events.size - 1)


@lean
def known(events, count, now, included):
    """How many of a target's spikes the firmware knows when a spike arrives at label ``now``: those before, and one of
    the same label if it is found before the arrival.

    Args:
        included: whether it is.
    """
    last = now if included else now - 1
    while count > 0 and events[place(events, count - 1)].label > last:
        count -= 1
    return count


@lean
def brought_up_to_date(weight, events, count, row, now, lane, plus, minus):
    """A weight (s16.15) after an arrival at label ``now``.

    Args:
        events: (room,) of ``EVENT``, of the target; ``count`` of them up to then.
        row: as it was before this arrival.
    """
    delay = np.int64(row.dendritic)
    after, until = max(row.last - delay, 0), max(now - delay, 0)
    at, oldest = count, max(count - REMEMBERED, 0)
    while at > oldest and events[place(events, at - 1)].label > after:
        at -= 1
    while at < count and events[place(events, at)].label <= until:
        since = events[place(events, at)].label + delay - row.last
        if since > 0:
            weight = potentiated(weight, decayed(np.int64(row.trace), since, plus), lane)
        at += 1
    if at > oldest:
        latest = events[place(events, at - 1)]
        weight = depressed(weight, decayed(np.int64(latest.trace), now - delay - latest.label, minus), lane)
    return weight


@lean
def _arrive(deferred, lane, row, begin, end, now, into):
    """Bring a row up to date at an arrival, and add what it delivers."""
    plus = deferred.decays[lane.first_plus : lane.first_plus + lane.n_plus]
    minus = deferred.decays[lane.first_minus : lane.first_minus + lane.n_minus]
    words = deferred.words[begin:end]
    for q in range(words.size):
        target = np.int64(words[q] & np.uint32(0xFFFF))
        first = lane.first_event + target * lane.room
        events = deferred.events[first : first + lane.room]
        number = lane.first_target + target
        count = known(events, deferred.count[number], now, deferred.turn[number] <= row.turn)
        weight = np.int64(words[q] >> np.uint32(16)) << lane.shift
        weight = brought_up_to_date(weight, events, count, row, now, lane, plus, minus)
        stored = (weight >> lane.shift) & 0xFFFF
        words[q] = np.uint32((stored << 16) | target)
        if row.dendritic:
            into[target] += stored
    row.trace = with_spike(np.int64(row.trace), now - row.last, plus)
    row.last = now


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
        _arrive(deferred, lane, row, begin, end, label - row.lag, into)
        delivered += end - begin
    return delivered


@lean
def _note(deferred, lane, first, targets, label):
    minus = deferred.decays[lane.first_minus : lane.first_minus + lane.n_minus]
    for k in range(targets.size):
        target = first + targets[k]
        begin = lane.first_event + target * lane.room
        events = deferred.events[begin : begin + lane.room]
        count = deferred.count[lane.first_target + target]
        before, trace = np.int64(0), np.int64(0)
        if count:
            latest = events[place(events, count - 1)]
            before, trace = np.int64(latest.label), np.int64(latest.trace)
        spike = events[place(events, count)]
        spike.label, spike.trace = label, with_spike(trace, label - before, minus)
        deferred.count[lane.first_target + target] = count + 1


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
