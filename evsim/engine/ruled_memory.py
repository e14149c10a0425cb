"""Synapses that learn by rules of a script's own, in memory, and what is known of their past; see ``ruled``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evsim.engine.lane_tables import begins, histories, joined, lane_table, set_firsts

LANE = np.dtype(
    [
        ("slice", np.int64),
        ("population", np.int64),  # of its targets
        ("base", np.int64),  # its first word
        ("first_row", np.int64),  # in ``Ruled.begin``
        ("first_state", np.int64),  # of its first row, in ``Ruled.rows``
        ("n_rows", np.int64),
        ("first_order", np.int64),  # in ``Ruled.order``
        ("n_order", np.int64),  # numbers of all of its synapses
        ("order_width", np.int64),  # of one
        ("first_kept", np.int64),  # in ``Ruled.kept``
        ("n_kept", np.int64),  # numbers of all of its synapses
        ("width", np.int64),  # of one
        ("first_law", np.int64),  # in ``Ruled.laws``
        ("n_parameters", np.int64),
        ("first_decay", np.int64),  # in ``Ruled.decays``
        ("varied", np.int64),  # whether each synapse has parameters of its own, and not all the same
        ("first_target", np.int64),  # in ``Ruled.spiked``
        ("n_targets", np.int64),
        ("first_event", np.int64),  # in the history, which begins at EVENT times this in ``Ruled.events``
        ("capacity", np.int64),
        ("n_events", np.int64),
        ("target_first", np.int64),  # whether of spikes that arrive together the target's comes first
        ("law", np.int64),  # the address of the rule's native function (``own_learning``)
        ("key", np.uint64),  # of the random numbers
        ("timestep", np.float64),  # ms
        ("faults", np.int64),  # weights, or parts released, that were no finite numbers
    ]
)

ROW = np.dtype(
    [
        ("last", np.float64),  # the label of the source's latest arrivals; -inf before the first
        ("repeats", np.int64),  # arrivals of that label before the latest one
        ("seen", np.int64),  # events of the history that the synapses have met
        ("lag", np.int64),  # the dendritic part of the delay, in steps
    ]
)

# an event of a history, a spike of a target: its label, the target, and the places of the target's events before and
# after it; -1 where the history has none
LABEL, TARGET, EARLIER, LATER = range(4)
EVENT = 4

_FIRST_EVENTS = 8  # for each target for which a history has room at first


class Ruled(NamedTuple):
    """The lanes of one thread that learn by rules of a script's own.

    Attributes:
        words: (synapses,) uint64, whose low 16 bits are the target; may hold those of other lanes too.
        begin: (rows,) unsigned, the first word of each row relative to its lane's base; each lane has one entry more
            than rows. May hold those of other lanes too.
        rows: (rows of these lanes,) of ``ROW``.
        kept: the numbers of each synapse, see ``own_learning``, one synapse after the other.
        laws: the parameters of each lane, or of each synapse.
        decays: of each lane, what its traces are left of after 0, 1, ... steps; see ``own_learning``.
        order: of the synapses of these lanes, uint32, what tells them apart; see ``own_learning``.
        events: (room * EVENT,) int64, the history of each lane's targets in the order of time.
        spiked: (targets,) int64, the place of the latest event of each; -1 if the history has none.
        number: (lanes of the network,) int64, the place in ``lanes`` of each of these lanes, -1 of others.
        lanes: (lanes,) of ``LANE``.
    """

    words: NDArray[np.uint64]
    begin: NDArray[np.unsignedinteger]
    rows: NDArray
    kept: NDArray[np.float64]
    laws: NDArray[np.float64]
    decays: NDArray[np.float64]
    order: NDArray[np.uint32]
    events: NDArray[np.int64]
    spiked: NDArray[np.int64]
    number: NDArray[np.int64]
    lanes: NDArray


@dataclass(frozen=True, eq=False)
class RuledPart:
    """A lane: the synapses of a projection onto a slice of its targets.

    Attributes:
        slice, population: of its targets.
        target_first, law, key, timestep: as in ``LANE``.
        kept: (synapses, width) at first.
        laws: (1 or synapses, parameters).
        decays: of its traces.
        order: (synapses, 1 or 2) what tells each apart.
        base: its first word.
        first_row: the place in ``begin`` of its first row.
        lag: (rows,) steps.
        n_targets: of the slice.
    """

    slice: int
    population: int
    target_first: bool
    law: int
    key: np.uint64
    timestep: float
    kept: NDArray[np.float64]
    laws: NDArray[np.float64]
    decays: NDArray[np.float64]
    order: NDArray[np.int64]
    base: int
    first_row: int
    lag: NDArray[np.int64]
    n_targets: int


def lay_out_ruled(parts: Sequence[RuledPart], words: np.ndarray, begin: np.ndarray, number: np.ndarray) -> Ruled:
    """Lanes that know of no spikes yet.

    Args:
        words, begin, number: as in ``Ruled``.
    """
    names = ("slice", "population", "target_first", "law", "key", "timestep", "base", "first_row", "n_targets")
    lanes = lane_table(parts, LANE, names)
    for lane, part in zip(lanes, parts, strict=True):
        lane["n_rows"], lane["n_order"], lane["order_width"] = len(part.lag), part.order.size, part.order.shape[1]
        lane["n_kept"], lane["width"] = part.kept.size, part.kept.shape[1]
        lane["varied"], lane["n_parameters"] = len(part.laws) > 1, part.laws.shape[1]
        lane["capacity"] = _FIRST_EVENTS * part.n_targets
    firsts = {"first_state": "n_rows", "first_order": "n_order", "first_kept": "n_kept"}
    set_firsts(lanes, {**firsts, "first_target": "n_targets", "first_event": "capacity"})
    lanes["first_law"], lanes["first_decay"] = begins(parts, "laws"), begins(parts, "decays")
    rows = np.zeros(int(lanes["n_rows"].sum()), ROW)
    rows["last"], rows["lag"] = -np.inf, joined(parts, "lag", np.int64)
    return Ruled(
        words=words,
        begin=begin,
        rows=rows,
        kept=joined(parts, "kept", np.float64),
        laws=joined(parts, "laws", np.float64),
        decays=joined(parts, "decays", np.float64),
        order=joined(parts, "order", np.uint32),
        events=np.zeros(EVENT * int(lanes["capacity"].sum()), np.int64),
        spiked=np.full(int(lanes["n_targets"].sum()), -1),
        number=number,
        lanes=lanes,
    )


def kept_of(ruled: Ruled, place: int) -> NDArray[np.float64]:
    """(synapses, width) of the lane at a place, to be read and written."""
    lane = ruled.lanes[place]
    return ruled.kept[lane["first_kept"] :][: lane["n_kept"]].reshape(-1, lane["width"])


def enlarged(ruled: Ruled) -> Ruled:
    """The same lanes, with twice the room for the histories of those that may have none left for a step."""
    lanes = ruled.lanes.copy()
    lanes["capacity"][lanes["n_events"] + lanes["n_targets"] > lanes["capacity"]] *= 2
    return with_room(ruled, lanes)


def with_room(ruled: Ruled, lanes: np.ndarray) -> Ruled:
    """The same lanes with other capacities."""
    (events,) = histories([ruled.events.reshape(-1, EVENT)], ruled.lanes, lanes, "first_event", ["n_events"])
    return ruled._replace(lanes=lanes, events=events.ravel())
