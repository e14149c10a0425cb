"""Synapse memory: what a spike of a neuron adds, and when, in as few bytes as the weights allow.

Synapses lie in lanes. A lane holds those onto one slice and one input row whose weights are stored alike:

    even      one weight for the whole lane; a synapse is its target, 2 bytes
    mixed     a word for each synapse: target and weight, 4 bytes for a chip, 8 in floating point
    summed    as mixed; what a step's spikes add is summed as they are sent: each weight times what its spike carries
              (graded spikes), and the sum shifted to the right (Loihi 2); a lane for each projection
    plastic   as mixed, with weights that change with the spikes; a lane for each projection (see ``plasticity`` and
              ``deferred``)
    releasing as mixed, of which each spike releases a part; a lane for each projection (see ``release``)
    modulated as plastic, under dopamine; the weights in the words are not used (see ``modulated``)
    dosing    as mixed, whose spikes give dopamine; a lane for each projection
    structural  with synapses that come and go, which lie elsewhere; a row, without any, for each source, and a lane for
              each projection (see ``structural``)
    ruled     as plastic, by a rule of a script's own; the weights in the words are not used (see ``ruled``)

Within a lane, synapses are sorted by source neuron and delay; those that share both are a row.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

TARGETS = 1 << 16  # the most of a slice: the low 16 bits of a synapse's word are its target
TARGET_BITS = np.uint64(TARGETS - 1)

EVEN, MIXED, SUMMED, PLASTIC, RELEASING, MODULATED, DOSING, STRUCTURAL, RULED = range(9)
NUMBERED = PLASTIC  # from this kind on, what a spike queues of a lane is the number of a row within it


class Rows(NamedTuple):
    """All synapses of a network, lane by lane.

    Attributes:
        slice, kind, shift: (lanes,) of each lane; ``shift`` counts in summed ones.
        weight: (lanes,) of even lanes, the weight of all; of others in floating point, the unit of their weights.
        input, width: (lanes,) where the lane's input row begins in ``Memory.inputs``, and its length.
        base: (lanes,) the lane's first synapse in ``targets`` (even) or ``words`` (others).
        projection: (lanes,) the projection of a lane that has but one, from NUMBERED on; -1 of others.
        gathers: (lanes,) 1 where rows are so short that they are copied together before they are added.
        first: (lanes, neurons + 1) int64; the rows of global neuron g are first[lane, g] to first[lane, g + 1].
        begin: (rows,) uint32 first synapse of a row, relative to ``base``; the row after it begins where it ends, so
            every lane has one entry more than rows.
        delay: (rows,) int32, time steps.
        targets: (synapses of even lanes,) uint16, local to the slice.
        words: (other synapses,) uint64, int32 or uint32; see ``intrinsics.synapse_weight``.
        most_delay: the longest delay, in steps.
        least_delay: the shortest delay of a synapse whose source is a neuron, in steps.
    """

    slice: np.ndarray
    kind: np.ndarray
    weight: np.ndarray
    shift: np.ndarray
    input: np.ndarray
    width: np.ndarray
    base: np.ndarray
    gathers: np.ndarray
    projection: np.ndarray
    first: np.ndarray
    begin: np.ndarray
    delay: np.ndarray
    targets: np.ndarray
    words: np.ndarray
    most_delay: int
    least_delay: int


def lanes_of(rows: Rows, kind: int, mine: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """The lanes of a kind that are a thread's; None in a network without that kind.

    Args:
        mine: (slices,) whether a slice is the thread's.

    Returns:
        the lanes, and for each lane of the network (lanes,) its place among them, -1 of others.
    """
    if not (rows.kind == kind).any():
        return None
    lanes = np.flatnonzero((rows.kind == kind) & mine[rows.slice])
    number = np.full(len(rows.kind), -1)
    number[lanes] = np.arange(len(lanes))
    return lanes, number
