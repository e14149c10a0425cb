"""Synapses that release a part of their weight, in memory, and what is left of their past; see ``release``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LANE = np.dtype(
    [
        ("rule", np.int64),
        ("base", np.int64),  # its first word
        ("first_row", np.int64),  # in ``Releasing.begin``
        ("first_state", np.int64),  # of its first row, in ``Releasing.rows``
        ("first_synapse", np.int64),  # in ``Releasing.states`` and ``order``
        ("first_law", np.int64),
        ("varied", np.int64),  # whether each synapse has numbers of its own, and not all the same
        ("unit", np.float64),  # of the weights in the words
        ("key", np.uint64),  # of the random numbers
    ]
)

ROW = np.dtype(
    [
        ("last", np.int64),  # the label of the source's latest spike that has arrived; 0 before the first
        ("repeats", np.int32),  # spikes of that label before the latest one
        ("delay", np.int32),  # steps
    ]
)

# of a synapse at its source's latest spike
STATE = np.dtype(
    [
        ("use", np.float64),
        ("active", np.float64),  # resources
        ("spent", np.float64),  # resources, or a number of sites, that have to recover
    ]
)

LAW = np.dtype(
    [
        ("use", np.float64),  # that of a synapse at rest, U or p
        ("tau_rec", np.float64),  # time constants in steps
        ("tau_facil", np.float64),
        ("tau_psc", np.float64),
        ("sites", np.int64),
    ]
)


class Releasing(NamedTuple):
    """The releasing lanes of one thread.

    Attributes:
        words: (synapses,) uint64, see ``intrinsics.synapse_weight``; may hold those of other lanes too.
        begin: (rows,) unsigned, the first word of each row relative to its lane's base; each lane has one entry more
            than rows. May hold those of other lanes too.
        rows: (rows of these lanes,) of ``ROW``.
        states: (synapses of these lanes,) of ``STATE``.
        order: (synapses of these lanes,) uint32, the place of each in its projection.
        laws: of ``LAW``, for each lane one, or one for each synapse.
        number: (lanes of the network,) int64, the place in ``lanes`` of each of these lanes, -1 of others.
        lanes: (lanes,) of ``LANE``.
    """

    words: NDArray[np.uint64]
    begin: NDArray[np.unsignedinteger]
    rows: NDArray
    states: NDArray
    order: NDArray[np.uint32]
    laws: NDArray
    number: NDArray[np.int64]
    lanes: NDArray


@dataclass(frozen=True, eq=False)
class ReleasingPart:
    """A lane: the synapses of a projection onto a slice of its targets.

    Attributes:
        rule, unit, key: as in ``LANE``.
        base: its first word.
        first_row: the place in ``begin`` of its first row.
        delay: (rows,) time steps.
        order: (synapses,) the place of each in its projection.
        laws: (1,) or (synapses,) of ``LAW``.
        states: (synapses,) of ``STATE``, at t = 0.
    """

    rule: int
    unit: float
    key: np.uint64
    base: int
    first_row: int
    delay: np.ndarray
    order: np.ndarray
    laws: np.ndarray
    states: np.ndarray


def set_variables(states: np.ndarray, values: Mapping[str, NDArray[np.float64]], sites: NDArray[np.float64]) -> None:
    """Set state variables of synapses.

    Args:
        states: (n,) of ``STATE``, changed in place.
        values: (n,) of some of those that ``evsim.release`` names; resources that are neither available (x) nor active
            (y), and sites that are not available (a), are spent.
        sites: (n,) or (1,) how many each has.
    """
    if "u" in values:
        states["use"] = values["u"]
    if "x" in values or "y" in values:
        available = values.get("x", 1 - states["active"] - states["spent"])
        states["active"] = values.get("y", states["active"])
        states["spent"] = np.maximum(1 - available - states["active"], 0)
    if "a" in values:
        states["spent"] = np.maximum(sites - values["a"], 0)


def lay_out_releasing(
    parts: Sequence[ReleasingPart], words: np.ndarray, begin: np.ndarray, number: np.ndarray
) -> Releasing:
    """Releasing lanes over which no spike has come yet.

    Args:
        words, begin, number: as in ``Releasing``.
    """
    lanes = np.zeros(len(parts), LANE)
    for lane, part in zip(lanes, parts, strict=True):
        for name in ("rule", "unit", "key", "base", "first_row"):
            lane[name] = getattr(part, name)
        lane["varied"] = len(part.laws) > 1
    for name, of_part in (("first_state", "delay"), ("first_synapse", "states"), ("first_law", "laws")):
        counts = np.array([len(getattr(part, of_part)) for part in parts], np.int64)
        lanes[name] = np.cumsum(counts) - counts
    rows = np.zeros(sum(len(part.delay) for part in parts), ROW)
    rows["delay"] = np.concatenate([part.delay for part in parts] or [[]])
    return Releasing(
        words=words,
        begin=begin,
        rows=rows,
        states=np.concatenate([part.states for part in parts] or [np.zeros(0, STATE)]),
        order=np.concatenate([part.order for part in parts] or [np.zeros(0)]).astype(np.uint32),
        laws=np.concatenate([part.laws for part in parts] or [np.zeros(0, LAW)]),
        number=number,
        lanes=lanes,
    )
