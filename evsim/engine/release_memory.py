"""Synapses that release a part of their weight, in memory, and what is left of their past; see ``release``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evsim.engine.lane_tables import begins, joined, lane_table

TSODYKS_MARKRAM, MULTI_QUANTAL, BERNOULLI, OWN = range(4)

LANE = np.dtype(
    [
        ("rule", np.int64),
        ("base", np.int64),  # its first word
        ("first_row", np.int64),  # in ``Releasing.begin``
        ("first_state", np.int64),  # of its first row, in ``Releasing.rows``
        ("first_synapse", np.int64),  # in ``Releasing.order``
        ("first_kept", np.int64),  # what is kept of its first synapse, in ``Releasing.states`` or ``own_states``
        ("first_law", np.int64),  # in ``Releasing.laws`` or ``own_laws``
        ("varied", np.int64),  # whether each synapse has numbers of its own, and not all the same
        ("unit", np.float64),  # of the weights in the words
        ("key", np.uint64),  # of the random numbers
        ("timestep", np.float64),  # ms
        ("law", np.int64),  # of a rule of a script's own: the address of its native function (``own_release``)
        ("n_states", np.int64),  # how many numbers that keeps of a synapse
        ("n_parameters", np.int64),
    ]
)

ROW = np.dtype(
    [
        ("last", np.int64),  # the label of the source's latest spike that has arrived; 0 before the first
        ("repeats", np.int32),  # spikes of that label before the latest one; by own rules -1 before the first
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
        states: (synapses of lanes without a law of their own,) of ``STATE``.
        order: (synapses of these lanes,) uint32, the place of each in its projection.
        laws: of ``LAW``, for each lane one, or one for each synapse.
        own_states: of lanes with such a law, the state variables of each synapse, one synapse after the other.
        own_laws: likewise the parameters, of each lane or of each synapse.
        number: (lanes of the network,) int64, the place in ``lanes`` of each of these lanes, -1 of others.
        lanes: (lanes,) of ``LANE``.
    """

    words: NDArray[np.uint64]
    begin: NDArray[np.unsignedinteger]
    rows: NDArray
    states: NDArray
    order: NDArray[np.uint32]
    laws: NDArray
    own_states: NDArray[np.float64]
    own_laws: NDArray[np.float64]
    number: NDArray[np.int64]
    lanes: NDArray


@dataclass(frozen=True, eq=False)
class ReleasingPart:
    """A lane: the synapses of a projection onto a slice of its targets.

    Attributes:
        rule, unit, key, timestep, law: as in ``LANE``.
        base: its first word.
        first_row: the place in ``begin`` of its first row.
        delay: (rows,) time steps.
        order: (synapses,) the place of each in its projection.
        laws: (1,) or (synapses,) of ``LAW``; (1 or synapses, parameters) float64 where ``rule`` is ``OWN``.
        states: (synapses,) of ``STATE``, at t = 0; (synapses, state variables) float64 where ``rule`` is ``OWN``.
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
    timestep: float
    law: int = 0


def kept_of(releasing: Releasing, place: int, count: int) -> np.ndarray:
    """What is kept of the synapses of a lane, to be read and written: as ``ReleasingPart.states``.

    Args:
        place: of the lane in ``lanes``.
        count: how many synapses it has.
    """
    lane = releasing.lanes[place]
    first, width = int(lane["first_kept"]), int(lane["n_states"])
    if lane["rule"] == OWN:
        return releasing.own_states[first : first + count * width].reshape(count, width)
    return releasing.states[first : first + count]


def variables(states: np.ndarray, sites: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """The state variables (n,) by the names of ``evsim.release``; ``set_variables`` is the inverse."""
    use, active, spent = (states[name] for name in ("use", "active", "spent"))
    return {"u": use.copy(), "x": 1 - active - spent, "y": active.copy(), "a": sites - spent}


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
    lanes = lane_table(parts, LANE, ("rule", "unit", "key", "base", "first_row", "timestep", "law"))
    for lane, part in zip(lanes, parts, strict=True):
        lane["varied"] = len(part.laws) > 1
        if part.rule == OWN:
            lane["n_states"], lane["n_parameters"] = part.states.shape[1], part.laws.shape[1]
    lanes["first_state"] = begins(parts, "delay")
    lanes["first_synapse"] = begins(parts, "order")
    own = lanes["rule"] == OWN
    apart = [part for part in parts if part.rule == OWN], [part for part in parts if part.rule != OWN]
    for chosen, some in zip((own, ~own), apart, strict=True):
        lanes["first_kept"][chosen] = begins(some, "states")
        lanes["first_law"][chosen] = begins(some, "laws")
    rows = np.zeros(sum(len(part.delay) for part in parts), ROW)
    rows["delay"] = joined(parts, "delay", np.int32)
    rows["repeats"] = np.repeat(np.where(own, -1, 0), [len(part.delay) for part in parts])
    return Releasing(
        words=words,
        begin=begin,
        rows=rows,
        states=joined(apart[1], "states", STATE),
        order=joined(parts, "order", np.uint32),
        laws=joined(apart[1], "laws", LAW),
        own_states=joined(apart[0], "states", np.float64),
        own_laws=joined(apart[0], "laws", np.float64),
        number=number,
        lanes=lanes,
    )
