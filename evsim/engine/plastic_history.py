"""Entering the targets' spikes into the history of plastic lanes; see ``plasticity``."""

from __future__ import annotations

import math

import numpy as np

from evsim.compile import inlined, lean


@inlined
def has_room_for_all(plastic):
    """Whether every target of every lane can spike once more before a history must be enlarged."""
    for index in range(plastic.lanes.size):
        lane = plastic.lanes[index]
        if lane.n_spikes + lane.n_targets > lane.capacity:
            return False
    return True


@inlined
def _part_of_spike(plastic, lane, spikes, number, label):
    """The part in ``up`` of a spike of a target; enters it into the target's slow trace."""
    if not lane.triplets:
        return 1.0
    last = plastic.targets[number].last
    before = np.int64(spikes[last].label) if last >= 0 else plastic.dropped[number]
    second = plastic.second[number] * math.exp(-(label - before) * lane.rate_y)
    plastic.second[number] = second + 1.0
    part = lane.pair_plus + lane.triplet_plus * second
    lane.most_plus = max(lane.most_plus, abs(part))
    return part


@lean
def _note(plastic, lane, first, targets, label):
    worth = math.exp(-(label - lane.origin_plus) * lane.rate_plus)
    trace = math.exp((label - lane.origin_minus) * lane.rate_minus)
    spikes = plastic.spikes[lane.first_spike : lane.first_spike + lane.capacity]
    for k in range(targets.size):
        number = first + targets[k]
        place, target = lane.n_spikes, plastic.targets[lane.first_target + number]
        spike = spikes[place]
        spike.worth = worth * _part_of_spike(plastic, lane, spikes, lane.first_target + number, label)
        spike.trace, spike.label, spike.target = trace + lane.keep * target.past, label, number
        spike.earlier, spike.later = target.last, -1
        if target.last >= 0:
            spikes[target.last].later = place
            spike.trace = trace + lane.keep * spikes[target.last].trace
        target.last = place
        lane.n_spikes = place + 1


@inlined
def note_posts(plastic, owner, population, first, targets, label):
    """Enter spikes into the history of the lanes that they concern, in the order of labels; there must be room.

    Args:
        owner, population: the slice and the population of the neurons that spiked.
        targets: (k,) ``first`` plus these are their numbers within the slice.
    """
    for index in range(plastic.lanes.size):
        lane = plastic.lanes[index]
        if targets.size and lane.slice == owner and lane.population == population:
            _note(plastic, lane, first, targets, label)
