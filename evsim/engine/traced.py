"""Plasticity as Loihi's learning engine computes it, step by step in integers; here only where there are spikes.

Of the delay of a synapse the dendritic part D lies behind it. A spike of the source arrives at label a and is felt by
the target at a + D; a spike of the target at label p reaches the synapse at p + D. What arrives at a label is delivered
with the weight as it is, and then the weight learns from all that has reached the synapse at that label. A further
spike of the same cell at the same label finds the weight that the first one left, and teaches nothing.

A row of synapses is brought up to date when a spike is delivered over it: first by the spikes of its targets since the
last time, for which the trace of its source is followed from label to label as long as anything is left of it; then by
the spike itself. The trace of a target is followed when it is asked for. What is rounded at random is rounded by a
number that depends on the projection and the label alone, so it does not matter when that is done, or by which thread.

Every ``PERIOD`` labels everything is brought up to date (``turn``), so that a bit for each target and each of the last
labels is all that is kept of the targets' spikes.
"""

from __future__ import annotations

import numpy as np

from evsim.arithmetic.loihi_learning import changed, decayed, with_impulse
from evsim.compile import inlined, lean
from evsim.engine.intrinsics import trailing_zeros
from evsim.engine.rows import TARGETS
from evsim.engine.traced_memory import BITS, PERIOD
from evsim.random_bits import uniform

# --- the spikes of targets -------------------------------------------------------------------------------------------


@lean
def _word_of(lane, target, label):
    """The place of the word with the bit of a label."""
    return lane.first_spike + (target * lane.room + (label & (lane.room - 1))) // BITS


@lean
def _next_spike(traced, lane, target, label, last):
    """The label of the first spike of a target from ``label`` to ``last``; ``last + 1`` where there is none."""
    label = max(label, 0)
    while label <= last:
        passed = label % BITS
        word = traced.spikes[_word_of(lane, target, label)] >> np.uint64(passed)
        if word:
            return min(label + trailing_zeros(word), last + 1)
        label += BITS - passed
    return last + 1


@lean
def _note(traced, lane, first, targets, label):
    for k in range(targets.size):
        bit = np.uint64(1) << np.uint64(label % BITS)
        traced.spikes[_word_of(lane, first + targets[k], label)] |= bit


@inlined
def note_traced(traced, owner, population, first, targets, label):
    """Enter spikes into what the lanes that they concern know of their targets.

    Args:
        owner, population: the slice and the population of the neurons that spiked.
        targets: (k,) ``first`` plus these are their numbers within the slice.
    """
    for index in range(traced.lanes.size):
        lane = traced.lanes[index]
        if targets.size and lane.slice == owner and lane.population == population:
            _note(traced, lane, first, targets, label)


# --- traces ----------------------------------------------------------------------------------------------------------


@lean
def _level(traced, lane, slot, target, now):
    """The trace of a target at the synapses of a slot at a label."""
    level = traced.levels[slot.first_level + target]
    trace, seen = np.int64(level.trace), np.int64(level.seen)
    if seen >= now:
        return trace
    spike = _next_spike(traced, lane, target, seen + 1 - slot.lag, now - slot.lag) + slot.lag
    while seen < now:
        if trace == 0 and spike > now:
            seen = now
        elif trace == 0 and spike > seen + 1:
            seen = spike - 1
        else:
            seen += 1
            trace = decayed(trace, lane.kept_minus, uniform(lane.key_targets, seen))
            if spike == seen:
                trace = with_impulse(trace, lane.impulse_minus)
                spike = _next_spike(traced, lane, target, seen + 1 - slot.lag, now - slot.lag) + slot.lag
    level.trace, level.seen = trace, now
    return trace


@lean
def _follow(traced, lane, row, until):
    """Write the source's trace from the label after ``row.seen`` to ``path``; returns for how many labels it lasts."""
    trace, label = np.int64(row.trace), np.int64(row.seen)
    count = np.int64(0)
    while trace > 0 and label < until:
        label += 1
        trace = decayed(trace, lane.kept_plus, uniform(lane.key_sources, label))
        traced.path[count] = trace
        count += trace > 0
    row.trace = trace
    return count


# --- weights ---------------------------------------------------------------------------------------------------------


@lean
def _product(trace, weight, mantissa, shift, weighed, offset):
    factor = weight + offset if weighed else np.int64(1)
    return ((mantissa * trace * factor) >> weighed) << shift


@lean
def _learned(weight, lane, source, target, label):
    """A weight after a label at which a spike of its source meets the trace ``target``, or one of its target the trace
    ``source``; a trace that nothing meets is given as 0."""
    down = _product(target, weight, lane.down_mantissa, lane.down_shift, lane.down_weighed, lane.down_offset)
    up = _product(source, weight, lane.up_mantissa, lane.up_shift, lane.up_weighed, lane.up_offset)
    return changed(weight, down, up, uniform(lane.key_weights, label), lane.inhibitory)


@lean
def _after_spikes(traced, lane, slot, target, weight, seen, count):
    """A weight after the spikes of its target in the ``count`` labels after ``seen``."""
    last = seen + count - slot.lag
    spike = _next_spike(traced, lane, target, seen + 1 - slot.lag, last)
    while spike <= last:
        label = spike + slot.lag
        weight = _learned(weight, lane, traced.path[label - seen - 1], np.int64(0), label)
        spike = _next_spike(traced, lane, target, spike + 1, last)
    return weight


@lean
def _words_of(traced, lane, number):
    """The first word of a row of a lane, and the one after its last."""
    at = lane.first_row + number
    return lane.base + np.int64(traced.begin[at]), lane.base + np.int64(traced.begin[at + 1])


@lean
def _settle(traced, lane, number, until):
    """Bring a row up to date to a label at which no spike arrives over it."""
    row = traced.rows[lane.first_state + number]
    slot = traced.slots[row.slot]
    seen = np.int64(row.seen)
    if until <= seen:
        return
    count = _follow(traced, lane, row, until)
    row.seen = until
    if count:
        begin, end = _words_of(traced, lane, number)
        words = traced.words[begin:end]
        for q in range(words.size):
            target = np.int64(words[q]) & (TARGETS - 1)
            weight = _after_spikes(traced, lane, slot, target, np.int64(words[q]) >> 16, seen, count)
            words[q] = np.int32((weight << 16) | target)


@lean
def _arrive(traced, lane, number, now, into):
    """Deliver a spike that arrives over a row at label ``now``, and let the row learn."""
    row = traced.rows[lane.first_state + number]
    slot = traced.slots[row.slot]
    seen = np.int64(row.seen)
    count = _follow(traced, lane, row, now - 1)
    source = decayed(np.int64(row.trace), lane.kept_plus, uniform(lane.key_sources, now))
    source = with_impulse(source, lane.impulse_plus)
    row.trace, row.seen = source, now
    begin, end = _words_of(traced, lane, number)
    words = traced.words[begin:end]
    for q in range(words.size):
        target = np.int64(words[q]) & (TARGETS - 1)
        weight = _after_spikes(traced, lane, slot, target, np.int64(words[q]) >> 16, seen, count)
        into[target] += weight << lane.exponent
        level = _level(traced, lane, slot, target, now)
        met = _next_spike(traced, lane, target, now - slot.lag, now - slot.lag) == now - slot.lag
        weight = _learned(weight, lane, source if met else np.int64(0), level, now)
        words[q] = np.int32((weight << 16) | target)


@lean
def _deliver_again(traced, lane, number, into):
    begin, end = _words_of(traced, lane, number)
    words = traced.words[begin:end]
    for q in range(words.size):
        into[np.int64(words[q]) & (TARGETS - 1)] += (np.int64(words[q]) >> 16) << lane.exponent


@lean
def deliver_traced(traced, index, rows, label, into):
    """Deliver the rows of a lane to which a spike is due at a label; returns the number of synapses.

    Args:
        rows: (k,) numbers of rows within the lane.
        into: (targets of the lane,) integers, added to.
    """
    lane = traced.lanes[index]
    delivered = np.int64(0)
    for k in range(rows.size):
        number = np.int64(rows[k])
        row = traced.rows[lane.first_state + number]
        now = label - traced.slots[row.slot].lag
        if row.seen < now:
            _arrive(traced, lane, number, now, into)
        else:
            _deliver_again(traced, lane, number, into)
        begin, end = _words_of(traced, lane, number)
        delivered += end - begin
    return delivered


# --- keeping up ------------------------------------------------------------------------------------------------------


@lean
def settle_lane(traced, lane, label):
    """Bring a lane up to date to a label up to which all that reaches its synapses has been delivered."""
    for number in range(lane.n_rows):
        _settle(traced, lane, np.int64(number), label)


@lean
def _forget(traced, lane, label):
    """Make room for the spikes of the next ``PERIOD`` labels; the word of ``label`` itself is in use already."""
    for target in range(lane.n_targets):
        for later in range(BITS, BITS + PERIOD, BITS):
            traced.spikes[_word_of(lane, np.int64(target), label + later)] = np.uint64(0)


@lean
def _turn(traced, lane, label):
    for number in range(lane.n_rows):
        slot = traced.slots[traced.rows[lane.first_state + number].slot]
        _settle(traced, lane, np.int64(number), label - 1 - slot.lag)
    for index in range(lane.first_slot, lane.last_slot):
        slot = traced.slots[index]
        for target in range(lane.n_targets):
            _level(traced, lane, slot, np.int64(target), label - 1 - slot.lag)
    _forget(traced, lane, label)


@inlined
def turn_traced(traced, now):
    """Bring the lanes up to date whose label has come; called in each step, before what is due is delivered."""
    for index in range(traced.lanes.size):
        lane = traced.lanes[index]
        while now >= lane.turned + PERIOD:
            lane.turned += PERIOD
            _turn(traced, lane, lane.turned)
