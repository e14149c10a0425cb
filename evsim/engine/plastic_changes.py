"""What an arrival does to the synapses of a row; see ``plasticity``."""

from __future__ import annotations

import numpy as np

from evsim.compile import inlined, lean
from evsim.engine.plastic_words import lifted, lowered, rounded, target_of, weight_of, with_lifted, with_weight

# In blocks of so many synapses it is looked whether the targets of a row are consecutive.
RUN = 128


# --- the history ------------------------------------------------------------------------------------------------------


@inlined
def advance_slot(spikes, view, slot, until):
    """Let the targets' spikes up to a label reach the synapses of a slot."""
    due, before = slot.due, slot.before
    while due < spikes.size and spikes[due].label <= until:
        due += 1
    while before < due and spikes[before].label < until:
        if view.size:
            view[spikes[before].target] = spikes[before].trace
        before += 1
    slot.due, slot.before = due, before


@lean
def reached(spikes, place, due):
    """The latest spike of a target before place ``due``, going back from its spike at ``place``."""
    while place >= due:
        place = np.int64(spikes[place].earlier)
    return place


@lean
def _trace_before(spikes, past, place, before):
    place = reached(spikes, place, before)
    return spikes[place].trace if place >= 0 else past


@inlined
def gather(spikes, begin, end, gain):
    """Add the worth of spikes to their targets, the latest first."""
    last = np.uint64(end - 1)  # unsigned: numba lets negative indices count from the end, which takes time
    for k in range(end - begin):
        spike = spikes[last - np.uint64(k)]
        gain[np.uint64(spike.target)] += spike.worth


@inlined
def clear(spikes, begin, end, gain):
    """Undo ``gather``."""
    if end - begin > gain.size // 8:  # a vector of zeros is written in the time of one number
        for i in range(gain.size):
            gain[i] = 0.0
    else:
        for place in range(begin, end):
            gain[spikes[place].target] = 0.0


@lean
def look_up(words, spikes, targets, seen, due, before, gain, level):
    """What ``_gather`` and a view give, in the same order of additions, for the targets of some synapses alone."""
    for q in range(words.size):
        number = target_of(words[q])
        place = reached(spikes, targets[number].last, due)
        level[number] = _trace_before(spikes, targets[number].past, place, before)
        worth = 0.0
        while place >= seen:
            worth += spikes[place].worth
            place = np.int64(spikes[place].earlier)
        gain[number] = worth


# --- changes that add up ----------------------------------------------------------------------------------------------


@lean
def _power(base, exponent):
    if exponent == 0.0:
        return 1.0
    return base if exponent == 1.0 else max(base, 0.0) ** exponent


@lean
def potentiated(spikes, weight, place, seen, due, up, lane, felt, dropped):
    """The weight after the spikes from ``seen`` to before ``due`` of the target whose latest such is at ``place``.

    Args:
        felt: the label up to which its spikes had reached the synapse when the source's latest spike did.
        dropped: the label of its latest spike that the history has dropped.
    """
    low, high, mu_plus = lane.low, lane.high, lane.mu_plus
    if place < seen:
        return weight
    while spikes[place].earlier >= seen:
        place = np.int64(spikes[place].earlier)
    if lane.nearest:
        before = np.int64(spikes[place].earlier)
        if (np.int64(spikes[before].label) if before >= 0 else dropped) > felt:
            return weight
        due = place + 1
    while 0 <= place < due:
        weight += up * spikes[place].worth * _power((high - weight) / (high - low), mu_plus)
        weight = min(max(weight, low), high)
        place = np.int64(spikes[place].later)
    return weight


@lean
def _changed(weight, gain, level, up, down, low, high):
    """The new weight, lifted."""
    potentiated = min(weight + up * gain, high) if gain > 0.0 else weight
    return lifted(max(potentiated - down * level, low))


@lean
def _change_run(words, gain, level, up, down, low, high, unit, into):
    """Synapses onto consecutive targets; compiled to vector instructions."""
    for q in range(words.size):
        weight = _changed(weight_of(words[q]), gain[q], level[q], up, down, low, high)
        words[q] = with_lifted(words[q], weight)
        into[q] += lowered(weight) * unit


# --- those that do not ------------------------------------------------------------------------------------------------


@lean
def _change_scattered(words, gain, level, up, down, low, high, unit, into):
    for q in range(words.size):
        target = target_of(words[q])
        weight = _changed(weight_of(words[q]), gain[target], level[target], up, down, low, high)
        words[q] = with_lifted(words[q], weight)
        into[target] += lowered(weight) * unit


@inlined
def change(words, gain, level, lane, up, down, into):
    """Update and deliver a row."""
    low, high, unit = lane.low, lane.high, lane.unit
    for start in range(0, words.size, RUN):
        block = words[start : start + RUN]
        first, last = np.int64(target_of(block[0])), np.int64(target_of(block[block.size - 1]))
        if lane.ascending and last - first == block.size - 1:
            run = slice(first, last + 1)
            _change_run(block, gain[run], level[run], up, down, low, high, unit, into[run])
        else:
            _change_scattered(block, gain, level, up, down, low, high, unit, into)


@lean
def change_one_by_one(words, spikes, targets, dropped, lane, seen, due, before, felt, up, down, into):
    """Update and deliver a row whose changes do not add up."""
    low, high, unit, cost, mu_minus = lane.low, lane.high, lane.unit, lane.cost, lane.mu_minus
    for q in range(words.size):
        target, old = target_of(words[q]), weight_of(words[q])
        place = reached(spikes, targets[target].last, due)
        level = _trace_before(spikes, targets[target].past, place, before)
        weight = potentiated(spikes, old, place, seen, due, up, lane, felt, dropped[target])
        weight -= (down * level + cost) * _power((weight - low) / (high - low), mu_minus)
        weight = rounded(min(max(weight, low), max(high, old)))
        words[q] = with_weight(words[q], weight)
        into[target] += weight * unit
