"""Plastic synapses of Loihi's learning engine in memory, and what is known of their past; see ``traced``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evsim.arithmetic.loihi_learning import POINT
from evsim.deploy.loihi_learning import WEIGHED_SHIFT, LoihiPlasticity
from evsim.engine.lane_tables import first_of, lane_table, set_firsts

PERIOD = 256  # time steps after which all rows and traces are brought up to date, and old spikes are forgotten
BITS = 64  # of a word of spikes

LANE = np.dtype(
    [
        ("slice", np.int64),
        ("population", np.int64),  # of its targets
        ("base", np.int64),  # its first word
        ("first_row", np.int64),  # in ``Traced.begin``
        ("first_state", np.int64),  # of its first row, in ``Traced.rows``
        ("n_rows", np.int64),
        ("n_targets", np.int64),
        ("first_slot", np.int64),
        ("last_slot", np.int64),
        ("first_spike", np.int64),  # word of its first target's spikes
        ("room", np.int64),  # labels of which a target's spikes are known, a power of two
        ("turned", np.int64),  # label up to which that has been seen to
        ("kept_plus", np.float64),  # of the traces of sources and targets in a time step
        ("kept_minus", np.float64),
        ("impulse_plus", np.int64),
        ("impulse_minus", np.int64),
        ("inhibitory", np.int64),
        ("exponent", np.int64),  # of the weights
        *(
            (f"{name}_{part}", np.int64)
            for name in ("down", "up")
            for part in ("mantissa", "shift", "weighed", "offset")  # ``shift`` to the left, ``weighed`` to the right
        ),
        *((f"key_{name}", np.uint64) for name in ("sources", "targets", "weights")),
    ]
)

# a delay of a lane
SLOT = np.dtype(
    [
        ("lag", np.int64),  # the dendritic part of the delay, in steps
        ("first_level", np.int64),  # of its targets' traces, in ``Traced.levels``
    ]
)

ROW = np.dtype(
    [
        ("seen", np.int32),  # label up to which the row is up to date
        ("trace", np.int32),  # of the source at that label
        ("slot", np.int32),
    ]
)

# the trace of a target at the synapses of a slot, and the label up to which it is up to date
LEVEL = np.dtype([("seen", np.int32), ("trace", np.int32)])


class Traced(NamedTuple):
    """The plastic lanes of one thread in Loihi's numbers.

    Attributes:
        words: (synapses,) int32, signed weight in the upper and target in the lower 16 bits; may hold those of others.
        begin: (rows,) unsigned, the first word of each row relative to its lane's base; each lane has one entry more
            than rows. May hold those of other lanes too.
        rows: (rows of these lanes,) of ``ROW``.
        levels: (targets of all slots,) of ``LEVEL``.
        spikes: uint64, a bit for each target and label, at the label modulo ``room``.
        path: (longest room,) int64, for use within a call: a source's trace at label after label.
        number: (lanes of the network,) int64, the place in ``lanes`` of each of these lanes, -1 of others.
        lanes: (lanes,) of ``LANE``.
        slots: (slots,) of ``SLOT``.
    """

    words: NDArray[np.int32]
    begin: NDArray[np.unsignedinteger]
    rows: NDArray
    levels: NDArray
    spikes: NDArray[np.uint64]
    path: NDArray[np.int64]
    number: NDArray[np.int64]
    lanes: NDArray
    slots: NDArray


@dataclass(frozen=True, eq=False)
class TracedPart:
    """A lane: the synapses of a projection onto a slice of its targets.

    Attributes:
        slice, population: of its targets.
        rule: how they change.
        base: its first word.
        first_row: the place in ``begin`` of its first row.
        delay: (rows,) time steps.
        n_targets: of the slice.
    """

    slice: int
    population: int
    rule: LoihiPlasticity
    base: int
    first_row: int
    delay: np.ndarray
    n_targets: int


def lay_out_traced(
    parts: Sequence[TracedPart], words: np.ndarray, begin: np.ndarray, number: np.ndarray, step: int
) -> Traced:
    """Plastic lanes that know of no spikes yet.

    Args:
        words, begin, number: as in ``Traced``.
        step: the present time step.
    """
    lanes = lane_table(parts, LANE, ("slice", "population", "base", "first_row", "n_targets"))
    slots, rows, n_levels = [], [np.zeros(0, ROW)], 0
    for lane, part in zip(lanes, parts, strict=True):
        _set_rule(lane, part.rule)
        delays, of_row = np.unique(part.delay, return_inverse=True)
        lags = [part.rule.dendritic_steps(int(delay)) for delay in delays]
        lane["n_rows"], lane["turned"] = len(part.delay), step - step % PERIOD
        lane["first_slot"], lane["last_slot"] = len(slots), len(slots) + len(lags)
        # spikes are needed from two lags before the label at which all was brought up to date, and room is made ahead
        lane["room"] = 1 << (PERIOD + BITS + 2 * max(lags, default=0)).bit_length()
        rows.append(np.zeros(len(part.delay), ROW))
        rows[-1]["slot"], rows[-1]["seen"] = len(slots) + of_row, step - 1
        for lag in lags:
            slots.append((lag, n_levels))
            n_levels += part.n_targets
    n_words = lanes["n_targets"] * (lanes["room"] // BITS)
    set_firsts(lanes, {"first_state": "n_rows"})
    lanes["first_spike"] = first_of(n_words)
    levels = np.zeros(n_levels, LEVEL)
    levels["seen"] = step - 1
    return Traced(
        words=words,
        begin=begin,
        rows=np.concatenate(rows),
        levels=levels,
        spikes=np.zeros(int(n_words.sum()), np.uint64),
        path=np.zeros(int(lanes["room"].max(initial=0)), np.int64),
        number=number,
        lanes=lanes,
        slots=np.array(slots, SLOT),
    )


def _set_rule(lane: np.void, rule: LoihiPlasticity) -> None:
    lane["kept_plus"], lane["kept_minus"] = rule.kept
    lane["impulse_plus"], lane["impulse_minus"] = rule.up.impulse, rule.down.impulse
    lane["inhibitory"], lane["exponent"] = rule.inhibitory, rule.exponent
    for name, product in (("down", rule.down), ("up", rule.up)):
        lane[f"{name}_mantissa"], lane[f"{name}_shift"] = product.mantissa, product.exponent + POINT
        lane[f"{name}_weighed"] = WEIGHED_SHIFT if product.weighed else 0
        lane[f"{name}_offset"] = product.offset
    lane["key_sources"], lane["key_targets"], lane["key_weights"] = rule.keys
