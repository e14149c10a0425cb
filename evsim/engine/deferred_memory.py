"""Plastic synapses of SpiNNaker in memory, and what is known of their past; see ``deferred``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evsim.deploy.spinnaker_plastic import SpinnakerPlasticity
from evsim.engine.lane_tables import first_of, lane_table, set_firsts

REMEMBERED = 15  # spikes of a neuron: MAX_POST_SYNAPTIC_EVENTS of the firmware, of which one is a place-holder

NOBODY, EVERYBODY = -1, np.iinfo(np.int16).max  # turns before and after those of all neurons

DECAYS = ("plus", "minus", "x", "y")  # tables of decay, in the order of ``SpinnakerPlasticity.decay_tables``

LANE = np.dtype(
    [
        ("slice", np.int64),
        ("population", np.int64),  # of its targets
        ("base", np.int64),  # its first word
        ("first_row", np.int64),  # in ``Deferred.begin``
        ("first_state", np.int64),  # of its first row, in ``Deferred.rows``
        ("n_rows", np.int64),
        ("first_target", np.int64),
        ("n_targets", np.int64),
        ("first_event", np.int64),
        ("room", np.int64),  # spikes that are kept of each target, a power of two
        ("timing", np.int64),
        ("dependence", np.int64),
        ("shift", np.int64),
        ("low", np.int64),  # bounds and amplitudes, s16.15
        ("high", np.int64),
        ("up", np.int64),
        ("down", np.int64),
        ("up_triplet", np.int64),
        ("down_triplet", np.int64),
        ("alpha", np.int64),  # as a trace
        ("split", np.int64),  # whether synapses have a core of their own
        ("own", np.int64),  # entries of a source's own spike that are made before its row of this lane is dealt with
        *((f"{part}_{name}", np.int64) for name in DECAYS for part in ("first", "n")),  # in ``Deferred.decays``
    ]
)

# the fields of a lane that its rule has, too
_OF_RULE = (
    *("timing", "dependence", "shift", "low", "high"),
    *("up", "down", "up_triplet", "down_triplet", "alpha", "split", "own"),
)

ROW = np.dtype(
    [
        ("last", np.int32),  # label of the latest arrival; 0 before the first
        ("trace", np.int16),  # of the arrivals up to that one
        ("second", np.int16),  # of triplets
        ("lag", np.int16),  # steps from the arrival on the core to when it is due
        ("dendritic", np.int16),  # those that the firmware reads from the synaptic word: 0 instead of a whole ring
        ("turn", np.int16),  # which neuron of a core is updated as the spike arrives, or one of the above
        ("arrivals", np.int16),  # at the label of the latest
        ("overtaken", np.int16),  # whether every other of them finds the row as the one before did (``deferred``)
    ]
)

# a spike of a target, and its traces up to it
EVENT = np.dtype([("label", np.int32), ("trace", np.int16), ("second", np.int16)])


class Deferred(NamedTuple):
    """The plastic lanes of one thread in SpiNNaker's numbers.

    Attributes:
        words: (synapses,) uint32, weight in the upper and target in the lower 16 bits; may hold those of other lanes.
        begin: (rows,) unsigned, the first word of each row relative to its lane's base; each lane has one entry more
            than rows. May hold those of other lanes too.
        rows: (rows of these lanes,) of ``ROW``.
        turn: (targets,) int16, which neuron of its core each target is.
        entries: (targets,) int16, how often a spike of each target is entered.
        count: (targets,) int64, entries of each target so far.
        events: (targets * room,) of ``EVENT``; entry n of a target lies at n modulo room.
        decays: int16, the tables of all lanes.
        number: (lanes of the network,) int64, the place in ``lanes`` of each of these lanes, -1 of others.
        lanes: (lanes,) of ``LANE``.
    """

    words: NDArray[np.uint32]
    begin: NDArray[np.unsignedinteger]
    rows: NDArray
    turn: NDArray[np.int16]
    entries: NDArray[np.int16]
    count: NDArray[np.int64]
    events: NDArray
    decays: NDArray[np.int16]
    number: NDArray[np.int64]
    lanes: NDArray


@dataclass(frozen=True, eq=False)
class DeferredPart:
    """A lane: the synapses of a projection onto a slice of its targets.

    Attributes:
        slice, population: of its targets.
        rule: how they change.
        base: its first word.
        first_row: the place in ``begin`` of its first row.
        delay: (rows,) time steps.
        turn: (rows,) which neuron of its core the source is; EVERYBODY of spike sources.
        target_turn: (targets of the slice,) which neuron of its core a target is.
        target_entries: (targets of the slice,) how often a spike of a target is entered.
    """

    slice: int
    population: int
    rule: SpinnakerPlasticity
    base: int
    first_row: int
    delay: np.ndarray
    turn: np.ndarray
    target_turn: np.ndarray
    target_entries: np.ndarray


def lay_out_deferred(
    parts: Sequence[DeferredPart], words: np.ndarray, begin: np.ndarray, number: np.ndarray, timestep: float
) -> Deferred:
    """Plastic lanes that know of no spikes yet.

    Args:
        words, begin, number: as in ``Deferred``.
        timestep: ms.
    """
    lanes = lane_table(parts, LANE, ("slice", "population", "base", "first_row"))
    rows, decays, table_end = [np.zeros(0, ROW)], [np.zeros(0, np.int16)], 0
    for lane, part in zip(lanes, parts, strict=True):
        for name in _OF_RULE:
            lane[name] = getattr(part.rule, name)
        lane["n_targets"] = len(part.target_turn)
        rows.append(_rows(part))
        longest = int(rows[-1]["lag"].max(initial=0))
        needed = REMEMBERED + (longest + 1) * max(int(part.target_entries.max(initial=1)), 1)
        lane["n_rows"], lane["room"] = len(part.delay), 1 << (needed - 1).bit_length()
        for name, table in zip(DECAYS, part.rule.decay_tables(timestep), strict=False):
            decays.append(table)
            lane[f"first_{name}"], lane[f"n_{name}"] = table_end, len(table)
            table_end += len(table)
    set_firsts(lanes, {"first_state": "n_rows", "first_target": "n_targets"})
    kept = lanes["n_targets"] * lanes["room"]
    lanes["first_event"] = first_of(kept)
    return Deferred(
        words=words,
        begin=begin,
        rows=np.concatenate(rows),
        turn=np.concatenate([np.zeros(0, np.int16), *(part.target_turn for part in parts)]),
        entries=np.concatenate([np.zeros(0, np.int16), *(part.target_entries for part in parts)]),
        count=np.zeros(int(lanes["n_targets"].sum()), np.int64),
        events=np.zeros(int(kept.sum()), EVENT),
        decays=np.concatenate(decays),
        number=number,
        lanes=lanes,
    )


def _rows(part: DeferredPart) -> np.ndarray:
    rows = np.zeros(len(part.delay), ROW)
    rows["lag"] = (part.delay - 1) % part.rule.ring + 1
    rows["dendritic"] = rows["lag"] % part.rule.ring
    far = part.delay > part.rule.ring
    rows["turn"] = np.where(far, NOBODY, part.turn)
    rows["overtaken"] = np.where(far, part.rule.overtaken[1], part.rule.overtaken[0])
    return rows
