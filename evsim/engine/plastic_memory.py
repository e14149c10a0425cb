"""Plastic synapses in memory, and what is known of their past; see ``plasticity``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evsim.compile import lean
from evsim.engine import plastic_words
from evsim.engine.lane_tables import histories, lane_table, set_firsts
from evsim.engine.memory import aligned
from evsim.engine.plastic_words import target_of
from evsim.pair_rule import PairRule

LANE = np.dtype(
    [
        ("slice", np.int64),
        ("population", np.int64),  # of its targets
        ("base", np.int64),  # its first word
        ("first_row", np.int64),  # in ``Plastic.begin``
        ("first_state", np.int64),  # of its first row, in ``Plastic.rows``
        ("n_rows", np.int64),
        ("first_target", np.int64),
        ("n_targets", np.int64),
        ("first_spike", np.int64),  # where its history begins in ``Plastic.spikes``
        ("capacity", np.int64),
        ("n_spikes", np.int64),  # how many there are in its history
        ("first_slot", np.int64),
        ("last_slot", np.int64),
        ("ascending", np.int64),  # whether the targets of each row ascend, so that some are found to be consecutive
        ("linear", np.int64),  # whether changes add up: they do not depend on the weight, and have the signs of Hebb's
        ("plain", np.int64),  # whether nothing but a trace is kept of arrivals
        ("nearest", np.int64),
        ("triplets", np.int64),
        ("longest_lag", np.int64),
        ("period_plus", np.int64),  # steps between two origins of the pre-synaptic traces
        ("origin_plus", np.int64),
        ("period_minus", np.int64),
        ("origin_minus", np.int64),
        ("rate_plus", np.float64),  # time step / tau
        ("rate_minus", np.float64),
        ("rate_x", np.float64),
        ("rate_y", np.float64),
        ("keep", np.float64),  # what a spike leaves of the trace before it: 1, or 0 where only the nearest counts
        ("up", np.float64),  # changes and bounds in units of the words
        ("down", np.float64),
        ("cost", np.float64),
        ("pair_plus", np.float64),  # of triplets, a spike's part in ``up``: this, and so much times its slow trace
        ("triplet_plus", np.float64),
        ("pair_minus", np.float64),  # the same of an arrival in ``down``
        ("triplet_minus", np.float64),
        ("most_plus", np.float64),  # the largest part in ``up`` that a spike has had
        ("low", np.float64),
        ("high", np.float64),
        ("mu_plus", np.float64),
        ("mu_minus", np.float64),
        ("unit", np.float64),
    ]
)

SLOT = np.dtype(
    [
        ("lane", np.int64),
        ("lag", np.int64),  # the dendritic part of the delay, in steps
        ("up", np.float64),  # potentiation by a spike of worth 1 at a trace of 1
        ("first_view", np.int64),  # its view of the targets' traces
        ("n_viewed", np.int64),  # targets of the lane, or 0 if it has none
        ("due", np.int64),  # spikes of the history that have reached the synapses by the present arrival
        ("before", np.int64),  # those that reached them before it
    ]
)

ROW = np.dtype(
    [
        ("trace", np.float64),  # of the arrivals so far, without those that are pending
        ("seen", np.int32),  # spikes of the history up to which the row is up to date
        ("slot", np.int32),
    ]
)

# What not all lanes need of a row; apart, so that the rest stays in the cache.
ARRIVALS = np.dtype(
    [
        ("second", np.float64),  # the slow trace of the arrivals so far at the latest of them, which it counts
        ("last", np.int64),  # the label of the latest arrival in the trace
        ("pending", np.int64),  # the label of arrivals that are not in it yet, and how many there are
        ("n_pending", np.int64),
    ]
)

SPIKE = np.dtype(
    [
        ("worth", np.float64),  # exp(-(label - origin) / tau_plus), times its part in ``up``
        ("trace", np.float64),  # of the target's spikes up to this one
        ("label", np.int32),
        ("earlier", np.int32),  # the place of the target's spike before this one; -1 if the history has none
        ("later", np.int32),
        ("target", np.int32),
    ]
)

TARGET = np.dtype(
    [
        ("past", np.float64),  # the trace of the spikes that the history has dropped
        ("last", np.int64),  # the place of the latest spike; -1 if the history has none
    ]
)


class Plastic(NamedTuple):
    """The plastic lanes of one thread.

    Attributes:
        words: (synapses,) uint64, see ``plastic_words``; may hold those of other lanes too.
        begin: (rows,) unsigned, the first word of each row relative to its lane's base; each lane has one entry more
            than rows. May hold those of other lanes too.
        rows: (rows of these lanes,) of ``ROW``.
        arrivals: (rows of these lanes,) of ``ARRIVALS``.
        spikes: (room,) of ``SPIKE``, the history of each lane's targets in the order of time.
        targets: (targets,) of ``TARGET``.
        second: (targets,) float64, the slow trace of each target's spikes at the latest of them, which it counts.
        dropped: (targets,) int64, the label of the latest spike that the history has dropped.
        gain: (targets,) float64, 0 between calls.
        found, level: (targets,) float64, for use within a call.
        views: (views * targets,) float64, the targets' traces as they reached the synapses before the present arrival.
        number: (lanes of the network,) int64, the place in ``lanes`` of each of these lanes, -1 of others.
        lanes: (lanes,) of ``LANE``.
        slots: (slots,) of ``SLOT``.
    """

    words: NDArray[np.uint64]
    begin: NDArray[np.unsignedinteger]
    rows: NDArray
    arrivals: NDArray
    spikes: NDArray
    targets: NDArray
    second: NDArray[np.float64]
    dropped: NDArray[np.int64]
    gain: NDArray[np.float64]
    found: NDArray[np.float64]
    level: NDArray[np.float64]
    views: NDArray[np.float64]
    number: NDArray[np.int64]
    lanes: NDArray
    slots: NDArray


# An origin of traces moves on after so many time constants: exp() of twice as many is still a double.
PERIOD = 256.0
# A slot gets a view of all its lane's traces, one number for each target, if it has so many synapses for each target.
_SYNAPSES_PER_VIEWED = 16
_NEVER = -(1 << 30)  # the label of what has not happened
# Spikes for each target for which a history has room at first; it grows where that does not suffice.
_FIRST_SPIKES = 16


@dataclass(frozen=True, eq=False)
class PlasticPart:
    """A lane: the synapses of a projection onto a slice of its targets.

    Attributes:
        slice, population: of its targets.
        rule: how they change.
        unit: of the weights in the words.
        base: its first word.
        first_row: the place in ``begin`` of its first row.
        delay: (rows,) time steps.
        n_targets: of the slice, at most 65,536.
    """

    slice: int
    population: int
    rule: PairRule
    unit: float
    base: int
    first_row: int
    delay: np.ndarray
    n_targets: int


def lay_out_plastic(
    parts: Sequence[PlasticPart], words: np.ndarray, begin: np.ndarray, timestep: float, step: int = 0
) -> Plastic:
    """Plastic lanes that know of no spikes yet.

    Args:
        words: (synapses,) uint64 of ``plastic_words``, of these lanes and maybe of others.
        begin: (rows,) the first word of each row relative to its lane's base; one entry more than rows for each lane.
        timestep: ms.
        step: the present time step.
    """
    lanes = lane_table(parts, LANE, ("slice", "population", "base", "first_row", "n_targets"))
    for lane, part in zip(lanes, parts, strict=True):
        _set_rule(lane, part.rule, part.unit, timestep)
        for sign in ("plus", "minus"):  # origins are multiples of their period, whenever the lane begins
            lane[f"origin_{sign}"] = step - step % lane[f"period_{sign}"]
        lane["n_rows"], lane["capacity"] = len(part.delay), _FIRST_SPIKES * part.n_targets
        lane["ascending"] = _ascends(words[part.base :], begin[part.first_row :][: len(part.delay) + 1])
    set_firsts(lanes, {"first_state": "n_rows", "first_target": "n_targets", "first_spike": "capacity"})
    rows = np.zeros(int(lanes["n_rows"].sum()), ROW)
    arrivals = np.zeros(len(rows), ARRIVALS)
    arrivals["last"] = _NEVER
    slots, rows["slot"] = _slots(parts, lanes, begin)
    targets, history = int(lanes["n_targets"].sum()), int(lanes["capacity"].sum())
    start = np.zeros(targets, TARGET)
    start["last"] = -1
    return Plastic(
        words=words,
        begin=begin,
        rows=rows,
        arrivals=arrivals,
        spikes=np.zeros(history, SPIKE),
        targets=start,
        second=np.zeros(targets),
        dropped=np.full(targets, 2 * _NEVER),  # even before an arrival that has not been
        gain=aligned(np.zeros(targets)),
        found=aligned(np.zeros(targets)),
        level=aligned(np.zeros(targets)),
        views=aligned(np.zeros(int(slots["n_viewed"].sum()))),
        number=np.arange(len(lanes)),
        lanes=lanes,
        slots=slots,
    )


def enlarged(plastic: Plastic) -> Plastic:
    """The same lanes, with twice the room for the history of those that may have none left for a step."""
    lanes = plastic.lanes.copy()
    lanes["capacity"][lanes["n_spikes"] + lanes["n_targets"] > lanes["capacity"]] *= 2
    (spikes,) = histories([plastic.spikes], plastic.lanes, lanes, "first_spike", ["n_spikes"])
    return plastic._replace(lanes=lanes, spikes=spikes)


def unit_for(rule: PairRule, largest: float) -> float:
    """The unit of the words of a projection whose largest weight at t = 0 has this magnitude."""
    unit = plastic_words.unit_of(max(abs(rule.w_min), abs(rule.w_max), largest))
    return -unit if rule.w_max < 0 else unit


def _set_rule(lane: np.void, rule: PairRule, unit: float, timestep: float) -> None:
    span = rule.w_max - rule.w_min
    lane["unit"] = unit
    lane["low"], lane["high"] = rule.w_min / unit, rule.w_max / unit
    up, down = ((span if mu else rule.w_max) / unit for mu in (rule.mu_plus, rule.mu_minus))
    lane["nearest"], lane["keep"] = rule.nearest, 0.0 if rule.nearest else 1.0
    lane["plain"] = not (rule.nearest or rule.has_triplets)
    lane["triplets"], lane["cost"] = rule.has_triplets, rule.cost * down
    if rule.has_triplets:
        lane["up"], lane["pair_plus"], lane["triplet_plus"] = up, rule.a_plus, rule.a3_plus
        lane["down"], lane["pair_minus"], lane["triplet_minus"] = down, rule.a_minus, rule.a3_minus
    else:
        lane["up"], lane["down"], lane["most_plus"] = rule.a_plus * up, rule.a_minus * down, 1.0
    lane["mu_plus"], lane["mu_minus"] = rule.mu_plus, rule.mu_minus
    hebbian = min(rule.a_plus, rule.a_minus, rule.a3_plus, rule.a3_minus) >= 0
    lane["linear"] = hebbian and rule.mu_plus == rule.mu_minus == 0 and not rule.nearest and not rule.cost
    lane["rate_x"], lane["rate_y"] = timestep / rule.tau_x, timestep / rule.tau_y
    lane["rate_plus"], lane["rate_minus"] = timestep / rule.tau_plus, timestep / rule.tau_minus
    lane["period_plus"] = max(round(PERIOD / lane["rate_plus"]), 1)
    lane["period_minus"] = max(round(PERIOD / lane["rate_minus"]), 1)


@lean
def _ascends(words, begin):
    """Whether the targets of every row do; the rows begin at the places ``begin``, and the last one ends there."""
    for row in range(begin.size - 1):
        for q in range(np.int64(begin[row]) + 1, np.int64(begin[row + 1])):
            if target_of(words[q]) <= target_of(words[q - 1]):
                return False
    return True


def _slots(parts: Sequence[PlasticPart], lanes: np.ndarray, begin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The slots of all lanes, and the slot of each row."""
    slots, of_row, view = [], [np.empty(0, np.int32)], 0
    for index, (lane, part) in enumerate(zip(lanes, parts, strict=True)):
        delays, places = np.unique(part.delay, return_inverse=True)
        sizes = np.diff(begin[part.first_row :][: len(part.delay) + 1].astype(np.int64))
        synapses = np.bincount(places, weights=sizes, minlength=len(delays))
        of_row.append((len(slots) + places).astype(np.int32))
        lane["first_slot"], lane["last_slot"] = len(slots), len(slots) + len(delays)
        for delay, count in zip(delays, synapses, strict=True):
            lag = part.rule.dendritic_steps(int(delay))
            up = lane["up"] * math.exp(-lag * lane["rate_plus"])
            viewed = count >= _SYNAPSES_PER_VIEWED * part.n_targets
            slots.append((index, lag, up, view, part.n_targets if viewed else 0, 0, 0))
            view += slots[-1][4]
            lane["longest_lag"] = max(lane["longest_lag"], lag)
            lane["plain"] &= lag > 0
    return np.array(slots, SLOT), np.concatenate(of_row)
