"""Synapses that come and go (``evsim.structure``), and learn by pairs of spikes where they do.

A target has places for synapses, the slots, and those of one source are a list in the order in which they were made. A
spike arrives at its synapses as it is sent: everything that it brings, after whatever delay, is put into the ring of
charges then, so the synapse may be gone before that. A row of such a lane is a source, whose spikes come one label
after they were sent, when the slots are as the label of the spikes left them.

Pairs are those of ``plasticity`` for a delay that lies behind the synapse: a spike of the target at label p is felt at
p + delay. The traces of sources and targets count all their spikes; a synapse takes in those of its target that it
feels from its own first label on. What it took in before its source's next spike waits beside its weight, which is as
the latest spike left it, so nothing that is read depends on when that is done. Weights are magnitudes here.
"""

from __future__ import annotations

import math

import numpy as np

from evsim.compile import inlined, lean
from evsim.engine.structural_learning import learn
from evsim.engine.structural_memory import NOTHING
from evsim.random_bits import subkey, uniform

# At which places of a key what is drawn for one place that is looked at.
_CELL, _PLACE, _SOURCE, _LANE, _REMOVED, _MADE, _DELAY = range(7)


# --- the lists of sources --------------------------------------------------------------------------------------------


@inlined
def _link(structural, lane, source, place):
    """Put a slot at the end of its source's list."""
    head = structural.heads[lane.first_head + source]
    slot = structural.slots[place]
    slot.previous, slot.next = head.last, NOTHING
    if head.last == NOTHING:
        head.first = place
    else:
        structural.slots[head.last].next = place
    head.last = place


@inlined
def _unlink(structural, lane, place):
    slot = structural.slots[place]
    head = structural.heads[lane.first_head + slot.source]
    if slot.previous == NOTHING:
        head.first = slot.next
    else:
        structural.slots[slot.previous].next = slot.next
    if slot.next == NOTHING:
        head.last = slot.previous
    else:
        structural.slots[slot.next].previous = slot.previous


@lean
def _fill(structural, index, lane, target, source, delay, weight, seen, place):
    """Make a synapse in a free slot.

    Args:
        index: of the lane, which ``lane`` is.
        seen: the label up to which the target's spikes are nothing to it.
    """
    slot = structural.slots[place]
    slot.source, slot.target, slot.lane, slot.delay = source, target, index, delay
    slot.weight, slot.ahead, slot.seen = weight, weight, seen
    _link(structural, lane, source, place)


# --- spikes of sources -----------------------------------------------------------------------------------------------


@inlined
def _hear(structural, site, index, source, label):
    """Keep a spike among those of which a partner may be chosen."""
    if site.heard_at != label:
        site.heard_at = label
        if label & 1:
            site.n_odd = 0
        else:
            site.n_even = 0
    count = site.n_odd if label & 1 else site.n_even
    if count < site.room:
        heard = structural.heard[site.first_heard + (label & 1) * site.room + count]
        heard.lane, heard.source = index, source
        if label & 1:
            site.n_odd = count + 1
        else:
            site.n_even = count + 1


@lean
def send_structural(structural, index, rows, label, charges):
    """Send spikes of a label over a lane; returns the number of synapses.

    Args:
        rows: (k,) the cells that spiked.
        charges: (slots, inputs) ring, added to where the spikes are due.
    """
    lane = structural.lanes[index]
    site = structural.sites[lane.site]
    sent = np.int64(0)
    for k in range(rows.size):
        source = np.int64(rows[k])
        if site.listens:
            _hear(structural, site, index, source, label)
        head = structural.heads[lane.first_head + source]
        place = head.first
        while place != NOTHING:
            slot = structural.slots[place]
            if lane.plastic:
                learn(structural, site, lane, slot, head, label)
            local = structural.local[site.first_target + np.int64(slot.target)]
            charges[(label + slot.delay) % charges.shape[0], lane.input + local] += lane.sign * slot.weight
            place = slot.next
            sent += 1
        if lane.plastic:
            head.trace = head.trace * math.exp(-(label - head.spiked) * lane.rate_plus) + 1.0
        head.spiked = label
    return sent


# --- coming and going ------------------------------------------------------------------------------------------------


@inlined
def _log(structural, label, number, lane, source, cell, made):
    event = structural.events[structural.count[0]]
    event.label, event.number, event.projection = label, number, lane.projection
    event.source, event.cell, event.made = source, cell, made
    structural.count[0] += 1


@inlined
def _across(one, other, size):
    """How far apart two places are on a ring."""
    apart = abs(one - other)
    return apart - size if apart > size // 2 else apart


@lean
def _chance_of(lane, source, cell):
    """The probability that a synapse is made."""
    x = _across(source // lane.grid_x, cell // lane.grid_x, lane.grid_x) if lane.grid_x > 1 else np.int64(0)
    y = _across(source % lane.grid_y, cell % lane.grid_y, lane.grid_y)
    return lane.p_form * math.exp(-(x * x + y * y) / (2 * lane.sigma * lane.sigma))


@lean
def _partner(structural, site, key, label):
    """The lane and the source that are chosen for a free place; NOTHING where nobody spiked."""
    if not site.listens:
        index = site.first_lane + np.int64(uniform(key, _LANE) * site.n_lanes)
        return index, np.int64(uniform(key, _SOURCE) * structural.lanes[index].n_sources)
    odd = (label - 1) & 1
    count = site.n_odd if odd else site.n_even
    if not count:
        return np.int64(NOTHING), np.int64(NOTHING)
    heard = structural.heard[site.first_heard + odd * site.room + np.int64(uniform(key, _SOURCE) * count)]
    return np.int64(heard.lane), np.int64(heard.source)


@lean
def _is_connected(structural, site, index, source, target):
    """Whether a target has a synapse of a source over a lane."""
    first = site.first_slot + target * site.places
    for place in range(first, first + site.places):
        slot = structural.slots[place]
        if slot.source == source and slot.lane == index:
            return True
    return False


@lean
def _remove(structural, place, key, label, number, cell):
    """Remove the synapse at a place, if its weight and chance will have it."""
    slot = structural.slots[place]
    lane = structural.lanes[slot.lane]
    chance = lane.p_depressed if slot.weight < lane.threshold else lane.p_potentiated
    if uniform(key, _REMOVED) < chance:
        _unlink(structural, lane, place)
        _log(structural, label, number, lane, slot.source, cell, 0)
        slot.source = NOTHING


@lean
def _make(structural, site, target, place, key, label, number, cell):
    """Make a synapse at a free place, if distance and chance will have it."""
    index, source = _partner(structural, site, key, label)
    if index == NOTHING:
        return
    lane = structural.lanes[index]
    if not lane.repeats and _is_connected(structural, site, index, source, target):
        return
    if uniform(key, _MADE) < _chance_of(lane, source, cell):
        delay = lane.delay_from + np.int64(uniform(key, _DELAY) * (lane.delay_to - lane.delay_from))
        _fill(structural, index, lane, target, source, delay, lane.weight, label - 1, place)
        _log(structural, label, number, lane, source, cell, 1)


@lean
def _rewire(structural, site, label):
    """Look at the places of a site that are drawn at a label."""
    of_label = subkey(site.key, np.uint64(label))
    first, last = np.int64(label * site.rate + 1e-9), np.int64((label + 1) * site.rate + 1e-9)
    for number in range(last - first):
        key = subkey(of_label, np.uint64(number))
        cell = np.int64(uniform(key, _CELL) * site.n_cells)
        target = np.int64(structural.target_of[site.first_cell + cell])
        if target == NOTHING:
            continue  # in another slice
        place = site.first_slot + target * site.places + np.int64(uniform(key, _PLACE) * site.places)
        if structural.slots[place].source != NOTHING:
            _remove(structural, place, key, label, number, cell)
        else:
            _make(structural, site, target, place, key, label, number, cell)


@lean
def rewire(structural, label):
    """Let synapses come and go at a label, before its spikes are sent."""
    for index in range(structural.sites.size):
        _rewire(structural, structural.sites[index], label)


@inlined
def has_room_for_changes(structural):
    """Whether what comes and goes in a step surely finds room."""
    return structural.count[0] + structural.most[0] <= structural.events.size
