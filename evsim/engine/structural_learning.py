"""How synapses that come and go learn by pairs of spikes; see ``structural``."""

from __future__ import annotations

import math

import numpy as np

from evsim.compile import inlined, lean
from evsim.engine.structural_memory import NOTHING


@inlined
def _power(base, exponent):
    if exponent == 0.0:
        return 1.0
    return base if exponent == 1.0 else max(base, 0.0) ** exponent


@lean
def _catch_up(structural, site, lane, slot, head, until):
    """Potentiate a synapse by the spikes of its target that it has felt up to a label."""
    if until <= slot.seen:
        return
    target, size = site.first_target + np.int64(slot.target), site.history
    ring = structural.spikes[site.first_spike + np.int64(slot.target) * size :]
    count = structural.spiked[target]
    at = count
    while at > max(count - size, 0) and ring[(at - 1) % size].label + slot.delay > slot.seen:
        at -= 1
    span, weight = lane.high - lane.low, slot.ahead
    while at < count and ring[at % size].label + slot.delay <= until:
        since = ring[at % size].label + slot.delay - head.spiked
        up = lane.up * head.trace * math.exp(-since * lane.rate_plus)
        weight += up * _power((lane.high - weight) / span, lane.mu_plus)
        weight = min(max(weight, lane.low), lane.high)
        at += 1
    slot.ahead, slot.seen = weight, until


@lean
def _level(structural, site, slot, label):
    """The trace of the target's spikes that a synapse has felt before a label."""
    target, size = site.first_target + np.int64(slot.target), site.history
    ring = structural.spikes[site.first_spike + np.int64(slot.target) * size :]
    at = structural.spiked[target] - 1
    while at >= 0 and ring[at % size].label + slot.delay >= label:
        at -= 1
    if at < 0:
        return 0.0
    spike = ring[at % size]
    return spike.trace * math.exp(-(label - slot.delay - spike.label) * site.rate_minus)


@lean
def learn(structural, site, lane, slot, head, label):
    """What a spike of its source does to a synapse."""
    _catch_up(structural, site, lane, slot, head, label)
    old = slot.ahead
    fall = lane.down * _level(structural, site, slot, label)
    weight = old - fall * _power((old - lane.low) / (lane.high - lane.low), lane.mu_minus)
    weight = min(max(weight, lane.low), max(lane.high, old))
    slot.weight, slot.ahead = weight, weight


@lean
def _settle(structural, site, target, until):
    """Let all synapses of a target take in the spikes that they have felt up to a label."""
    first = site.first_slot + target * site.places
    for place in range(first, first + site.places):
        slot = structural.slots[place]
        if slot.source != NOTHING:
            lane = structural.lanes[slot.lane]
            if lane.plastic:
                _catch_up(structural, site, lane, slot, structural.heads[lane.first_head + slot.source], until)


@lean
def _note(structural, site, first, spiked, label):
    size = site.history
    for k in range(spiked.size):
        target = np.int64(structural.target_at[site.first_local + first + spiked[k]])
        at = site.first_target + target
        count = structural.spiked[at]
        if count - structural.settled[at] >= size - site.longest - 2:  # those after label - 2 - longest stay
            _settle(structural, site, target, label - 2)
            structural.settled[at] = count - min(count, site.longest + 2)
        ring = structural.spikes[site.first_spike + target * size :]
        trace = 1.0
        if count:
            last = ring[(count - 1) % size]
            trace += last.trace * math.exp(-(label - last.label) * site.rate_minus)
        spike = ring[count % size]
        spike.label, spike.trace = label, trace
        structural.spiked[at] = count + 1


@inlined
def note_targets(structural, owner, population, first, spiked, label):
    """Enter spikes of targets into the histories of their sites; see ``plastic_history.note_posts``."""
    if spiked.size:
        for index in range(structural.sites.size):
            site = structural.sites[index]
            if site.learns and site.slice == owner and site.population == population:
                _note(structural, site, first, spiked, label)
