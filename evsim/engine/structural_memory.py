"""Synapses that come and go, in memory; see ``structural``."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

NOTHING = -1  # no slot, no source
NEVER = -(1 << 40)  # the label of what has not happened
AGO = 16  # spikes beyond the longest delay that a history has room for

# The neurons of a population in one slice, with their places for synapses.
SITE = np.dtype(
    [
        ("slice", np.int64),
        ("population", np.int64),  # as ``Blocks.population``
        ("first_cell", np.int64),  # of the population, in ``Structural.target_of``
        ("n_cells", np.int64),  # of the population
        ("first_local", np.int64),  # of the slice, in ``Structural.target_at``
        ("first_target", np.int64),  # in what there is of each target
        ("n_targets", np.int64),
        ("places", np.int64),  # of a target: s_max
        ("first_slot", np.int64),
        ("rate", np.float64),  # places that are looked at in a time step
        ("key", np.uint64),  # of what is drawn
        ("first_lane", np.int64),  # its lanes, among those of the thread
        ("n_lanes", np.int64),
        ("listens", np.int64),  # whether partners are chosen among the latest spikes
        ("room", np.int64),  # for such spikes of a label
        ("first_heard", np.int64),  # in ``Structural.heard``, for two labels
        ("heard_at", np.int64),  # the latest label of which there were any
        ("n_even", np.int64),  # how many of them are kept, of the latest even and of the latest odd label
        ("n_odd", np.int64),
        ("learns", np.int64),  # whether any of its lanes is plastic
        ("rate_minus", np.float64),  # of the traces of its targets, per time step
        ("history", np.int64),  # spikes of a target that are kept
        ("first_spike", np.int64),
        ("longest", np.int64),  # delay
    ]
)

# A projection onto a site.
LANE = np.dtype(
    [
        ("site", np.int64),
        ("projection", np.int64),
        ("input", np.int64),  # where its input row begins in ``Memory.inputs``
        ("first_head", np.int64),
        ("n_sources", np.int64),
        ("grid_x", np.int64),
        ("grid_y", np.int64),
        ("p_form", np.float64),
        ("sigma", np.float64),
        ("threshold", np.float64),
        ("p_depressed", np.float64),
        ("p_potentiated", np.float64),
        ("sign", np.float64),  # of its weights, which are magnitudes here
        ("weight", np.float64),  # of a synapse that is made
        ("delay_from", np.int64),
        ("delay_to", np.int64),
        ("repeats", np.int64),  # whether a pair of cells may have several synapses
        ("plastic", np.int64),
        ("up", np.float64),  # amplitudes, in the unit of the weight
        ("down", np.float64),
        ("mu_plus", np.float64),
        ("mu_minus", np.float64),
        ("low", np.float64),
        ("high", np.float64),
        ("rate_plus", np.float64),  # of the traces of sources, per time step
    ]
)

# A place for a synapse.
SLOT = np.dtype(
    [
        ("source", np.int32),  # NOTHING where it is free
        ("target", np.int32),  # the number of its neuron in the site
        ("lane", np.int32),
        ("delay", np.int32),
        ("next", np.int64),  # the next synapse of the same source, in the order in which they were made
        ("previous", np.int64),
        ("weight", np.float64),  # as the last spike left it
        ("ahead", np.float64),  # the same, with the spikes of the target that have been taken in since
        ("seen", np.int64),  # the label up to which they have
    ]
)

# What a source has of synapses in a lane.
HEAD = np.dtype(
    [
        ("first", np.int64),
        ("last", np.int64),
        ("spiked", np.int64),  # the label of its latest spike
        ("trace", np.float64),  # then, and with it
    ]
)

HEARD = np.dtype([("lane", np.int32), ("source", np.int32)])

SPIKE = np.dtype([("label", np.int64), ("trace", np.float64)])

EVENT = np.dtype(
    [
        ("label", np.int64),
        ("number", np.int32),  # which of the places that were looked at, at this label
        ("projection", np.int32),
        ("source", np.int32),
        ("cell", np.int32),
        ("made", np.int32),  # 1, or 0 where it was removed
    ]
)


class Structural(NamedTuple):
    """The sites of one thread.

    Attributes:
        sites, lanes: of ``SITE`` and ``LANE``; the lanes of a site follow each other.
        slots: of ``SLOT``, target by target.
        heads: of ``HEAD``, lane by lane.
        target_of: (cells of the population of each site,) int32, number within the site; NOTHING of others.
        target_at: (neurons of the slice of each site,) int32, likewise.
        local: (targets,) int32, where each lies in its slice.
        cell: (targets,) int32, in its population.
        spikes: of ``SPIKE``, a ring of ``history`` for each target of a site that learns.
        spiked: (targets,) int64, how many spikes of it were entered.
        settled: (targets,) int64, how many of these all of its synapses have taken in, at least.
        heard: of ``HEARD``.
        events: (room,) of ``EVENT``.
        count: (1,) int64, how many there are.
        most: (1,) int64, how many there may be of a step.
        number: (lanes of the network,) int64, the place in ``lanes`` of each of these lanes, -1 of others.
    """

    sites: NDArray
    lanes: NDArray
    slots: NDArray
    heads: NDArray
    target_of: NDArray[np.int32]
    target_at: NDArray[np.int32]
    local: NDArray[np.int32]
    cell: NDArray[np.int32]
    spikes: NDArray
    spiked: NDArray[np.int64]
    settled: NDArray[np.int64]
    heard: NDArray
    events: NDArray
    count: NDArray[np.int64]
    most: NDArray[np.int64]
    number: NDArray[np.int64]
