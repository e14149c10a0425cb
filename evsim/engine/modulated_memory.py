"""Plastic synapses under dopamine in memory, and what is known of their past; see ``modulated``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evsim.engine.lane_tables import histories, lane_table, set_firsts
from evsim.modulation import Modulation
from evsim.pair_rule import PairRule

LANE = np.dtype(
    [
        ("slice", np.int64),
        ("population", np.int64),  # of its targets
        ("base", np.int64),  # its first word
        ("first_row", np.int64),  # in ``Modulated.begin``
        ("first_state", np.int64),  # of its first row, in ``Modulated.rows``
        ("n_rows", np.int64),
        ("first_synapse", np.int64),  # in ``Modulated.synapses``
        ("n_synapses", np.int64),
        ("first_target", np.int64),
        ("n_targets", np.int64),
        ("first_event", np.int64),  # where both histories begin in ``Modulated.posts`` and ``doses``
        ("capacity", np.int64),
        ("n_posts", np.int64),
        ("n_doses", np.int64),
        ("rate_plus", np.float64),  # time step / tau
        ("rate_minus", np.float64),
        ("rate_c", np.float64),
        ("rate_d", np.float64),
        ("up", np.float64),  # what a pair adds to an eligibility of 0, in the unit of the weight, or takes away
        ("down", np.float64),
        ("up_slope", np.float64),  # how much less it adds, or more it takes away, for each unit of eligibility
        ("down_slope", np.float64),
        ("cost", np.float64),  # what each arrival takes away, alone
        ("baseline", np.float64),
        ("low", np.float64),
        ("high", np.float64),
        ("timestep", np.float64),  # ms
        ("sign", np.float64),  # of the weights, which are held as magnitudes
    ]
)

DOSING = np.dtype(
    [
        ("slice", np.int64),
        ("population", np.int64),
        ("base", np.int64),
        ("first_row", np.int64),
        ("unit", np.float64),  # of the weights in the words; negative for a punishment
    ]
)

ROW = np.dtype(
    [
        ("trace", np.float64),  # of the arrivals before the latest label, at that label
        ("last", np.int64),  # the label of the latest arrivals, and how many there were
        ("repeats", np.int64),
        ("time", np.int64),  # the label up to which the synapses are up to date
        ("posts", np.int64),  # entries of the histories that they have met
        ("doses", np.int64),
        ("lag", np.int64),  # the dendritic part of the delay, in steps
    ]
)

SYNAPSE = np.dtype([("weight", np.float64), ("eligibility", np.float64)])

# an entry of a history: a spike of a target with the trace that it leaves, or doses of dopamine with their level
EVENT = np.dtype(
    [
        ("value", np.float64),
        ("label", np.int64),
        ("target", np.int32),
        ("earlier", np.int32),  # the place of the target's entry before this one; -1 if the history has none
        ("later", np.int32),
        ("unused", np.int32),
    ]
)

# of a target: what the entries that a history has dropped left, and the place of its latest entry there, or -1
PAST = np.dtype([("value", np.float64), ("label", np.int64), ("place", np.int64)])


class Modulated(NamedTuple):
    """The plastic lanes under dopamine of one thread, and those of its doses.

    Attributes:
        words: (synapses,) uint64, whose low 16 bits are the target, see ``intrinsics.synapse_weight``; of all lanes.
        begin: (rows,) unsigned, the first word of each row relative to its lane's base; each lane has one entry more
            than rows. Of all lanes.
        rows: (rows of these lanes,) of ``ROW``.
        synapses: (synapses of these lanes,) of ``SYNAPSE``.
        posts, doses: (room,) of ``EVENT``, the history of each lane's targets in the order of time.
        spiked, dosed: (targets,) of ``PAST``.
        number: (lanes of the network,) int64, the place of each of these lanes in ``lanes`` or ``dosing``; -1 of all
            others.
        lanes: (lanes,) of ``LANE``.
        dosing: (lanes of doses,) of ``DOSING``.
    """

    words: NDArray[np.uint64]
    begin: NDArray[np.unsignedinteger]
    rows: NDArray
    synapses: NDArray
    posts: NDArray
    doses: NDArray
    spiked: NDArray
    dosed: NDArray
    number: NDArray[np.int64]
    lanes: NDArray
    dosing: NDArray


@dataclass(frozen=True, eq=False)
class ModulatedPart:
    """A lane: the synapses of a projection onto a slice of its targets.

    Attributes:
        slice, population: of its targets.
        rule, modulation: how they change.
        weight: (synapses,) at first, in the order of its rows.
        base: its first word.
        first_row: the place in ``begin`` of its first row.
        delay: (rows,) time steps.
        n_targets: of the slice.
    """

    slice: int
    population: int
    rule: PairRule
    modulation: Modulation
    weight: NDArray[np.float64]
    base: int
    first_row: int
    delay: np.ndarray
    n_targets: int


_NEVER = -(1 << 40)  # the label of what has not happened
_FIRST_EVENTS = 8  # for each target for which a history has room at first


def lay_out_modulated(
    parts: Sequence[ModulatedPart],
    dosing: np.ndarray,
    words: np.ndarray,
    begin: np.ndarray,
    number: np.ndarray,
    timestep: float,
    step: int,
) -> Modulated:
    """Lanes that know of no spikes yet.

    Args:
        dosing, words, begin, number: as in ``Modulated``.
        timestep: ms.
        step: the present time step.
    """
    lanes = lane_table(parts, LANE, ("slice", "population", "base", "first_row", "n_targets"))
    for lane, part in zip(lanes, parts, strict=True):
        _set_rule(lane, part, timestep)
        lane["n_rows"], lane["n_synapses"] = len(part.delay), len(part.weight)
        lane["capacity"] = _FIRST_EVENTS * part.n_targets
    targets = {"first_target": "n_targets", "first_event": "capacity"}
    set_firsts(lanes, {"first_state": "n_rows", "first_synapse": "n_synapses", **targets})
    rows = np.zeros(int(lanes["n_rows"].sum()), ROW)
    rows["last"], rows["time"] = _NEVER, step
    rows["lag"] = [part.rule.dendritic_steps(int(delay)) for part in parts for delay in part.delay]
    synapses = np.zeros(int(lanes["n_synapses"].sum()), SYNAPSE)
    synapses["weight"] = np.abs(np.concatenate([part.weight for part in parts] or [[]]))
    past = np.zeros(int(lanes["n_targets"].sum()), PAST)
    past["label"], past["place"] = _NEVER, -1
    room = int(lanes["capacity"].sum())
    return Modulated(
        words=words,
        begin=begin,
        rows=rows,
        synapses=synapses,
        posts=np.zeros(room, EVENT),
        doses=np.zeros(room, EVENT),
        spiked=past,
        dosed=past.copy(),
        number=number,
        lanes=lanes,
        dosing=dosing,
    )


def _set_rule(lane: np.void, part: ModulatedPart, timestep: float) -> None:
    """The numbers of a lane, whose exponents are 0 or 1: so what a pair changes is linear in the eligibility."""
    rule, modulation = part.rule, part.modulation
    lane["rate_plus"], lane["rate_minus"] = timestep / rule.tau_plus, timestep / rule.tau_minus
    lane["rate_c"], lane["rate_d"] = timestep / modulation.tau_c, timestep / modulation.tau_d
    lane["up"], lane["up_slope"] = rule.a_plus * abs(rule.w_max), rule.a_plus * rule.mu_plus
    lane["down"], lane["down_slope"] = rule.a_minus * abs(rule.w_max), rule.a_minus * rule.mu_minus
    if rule.mu_minus:
        lane["down"] = -rule.a_minus * abs(rule.w_min)
    lane["cost"] = rule.cost * abs(rule.w_max)
    lane["low"], lane["high"], lane["baseline"] = modulation.w_min, modulation.w_max, modulation.baseline
    lane["timestep"], lane["sign"] = timestep, -1.0 if rule.w_max < 0 else 1.0


def enlarged(modulated: Modulated) -> Modulated:
    """The same lanes, with twice the room for the histories of those that may have none left for a step."""
    lanes = modulated.lanes.copy()
    full = np.maximum(lanes["n_posts"], lanes["n_doses"]) + lanes["n_targets"] > lanes["capacity"]
    lanes["capacity"][full] *= 2
    return with_room(modulated, lanes)


def with_room(modulated: Modulated, lanes: np.ndarray) -> Modulated:
    """The same lanes with other capacities."""
    kept = modulated.posts, modulated.doses
    posts, doses = histories(kept, modulated.lanes, lanes, "first_event", ["n_posts", "n_doses"])
    return modulated._replace(lanes=lanes, posts=posts, doses=doses)
