"""The timing rules of SpiNNaker's firmware: what each keeps of the spikes before, and what a spike does to a weight.

A rule is four functions, named after it:

- ``RULE_arrival(row, now, decays)``: both traces of a source after its arrival at label ``now``.
- ``RULE_spike(latest, label, decays)``: those of a target after its spike; ``latest`` is the one before.
- ``RULE_by_target(weight, row, spike, at, before, lane, decays)``: the weight (s16.15) after a spike of the target that
  is felt at label ``at``; ``before`` is the label of its spike before that one, without the delay.
- ``RULE_by_source(weight, second, latest, since, lane, decays)``: the weight after an arrival, ``since`` steps after
  the latest spike of the target is felt; ``second`` is the second trace of the source, this arrival included.

The first arrival finds one before it at label 0, with traces of 0; so does the first spike of a target.

Source: executed ``*_stdp_mad_*.aplx`` of sPyNNaker 7.4.1; its ``timing_*_impl.h`` and ``weight_*_impl.h`` for names and
structure.
"""
# ruff: noqa: D103 - what the functions of a rule do is said above

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evsim.arithmetic.s1615 import POINT
from evsim.compile import lean
from evsim.deploy.spinnaker_plastic import ADDITIVE
from evsim.deploy.spinnaker_traces import SECOND_SHIFT, TRACE_ONE, TRACE_POINT

_TO_S1615 = POINT - TRACE_POINT


class Decays(NamedTuple):
    """What is left of a trace after some steps: of source and target, and of their second traces."""

    plus: NDArray[np.int16]
    minus: NDArray[np.int16]
    x: NDArray[np.int16]
    y: NDArray[np.int16]


# --- traces ----------------------------------------------------------------------------------------------------------


@lean
def _times(trace, other):
    """The product of two traces, of which 16 bits each are taken."""
    return (np.int64(np.int16(trace)) * np.int64(np.int16(other))) >> TRACE_POINT


@lean
def decayed(trace, steps, decays):
    """A trace after some steps, cut off; nothing is left beyond the table and before the start."""
    return (trace * np.int64(decays[steps])) >> TRACE_POINT if 0 <= steps < decays.size else np.int64(0)


@lean
def with_spike(trace, steps, decays):
    """The trace after another spike, so many steps after the one before; it wraps at 16 bits."""
    return np.int64(np.int16(decayed(trace, steps, decays) + TRACE_ONE))


@lean
def _second(trace, last, now, decays):
    """The second trace of a triplet, which leaves the spike itself out; one at label 0 counts as none."""
    return _times(trace + TRACE_ONE, decayed(np.int64(TRACE_ONE), (now - last) >> SECOND_SHIFT, decays)) if last else 0


# --- weights ---------------------------------------------------------------------------------------------------------


@lean
def product(amplitude, trace):
    """s16.15 times a trace, cut off and wrapped to 32 bits."""
    return np.int64(np.int32((amplitude * (trace << _TO_S1615)) >> POINT))


@lean
def potentiated(weight, trace, lane):
    """A weight raised by a trace."""
    if lane.dependence == ADDITIVE:
        raised = np.int64(np.int32(weight + product(lane.up, trace)))
        return min(raised, lane.high)
    room = np.int64(np.int32(((lane.high - weight) * lane.up) >> POINT))
    return np.int64(np.int32(weight + product(room, trace)))


@lean
def depressed(weight, trace, lane):
    """A weight lowered by a trace."""
    if lane.dependence == ADDITIVE:
        lowered = np.int64(np.int32(weight - product(lane.down, trace)))
        return max(lowered, lane.low)
    room = np.int64(np.int32(((weight - lane.low) * lane.down) >> POINT))
    return np.int64(np.int32(weight - product(room, trace)))


# --- all pairs -------------------------------------------------------------------------------------------------------


@lean
def pair_arrival(row, now, decays):
    return with_spike(np.int64(row.trace), now - row.last, decays.plus), np.int64(0)


@lean
def pair_spike(latest, label, decays):
    return with_spike(np.int64(latest.trace), label - latest.label, decays.minus), np.int64(0)


@lean
def pair_by_target(weight, row, spike, at, before, lane, decays):
    since = at - row.last
    return potentiated(weight, decayed(np.int64(row.trace), since, decays.plus), lane) if since > 0 else weight


@lean
def pair_by_source(weight, second, latest, since, lane, decays):
    return depressed(weight, decayed(np.int64(latest.trace), since, decays.minus), lane)


# --- nearest pairs ---------------------------------------------------------------------------------------------------


@lean
def nearest_arrival(row, now, decays):
    return np.int64(0), np.int64(0)


@lean
def nearest_spike(latest, label, decays):
    return np.int64(0), np.int64(0)


# A row has no trace, so the label 0 of a source that has not spiked yet is taken for a spike; and ``before``, without
# the delay, is compared with an arrival. Both are the firmware's.
@lean
def nearest_by_target(weight, row, spike, at, before, lane, decays):
    since = at - row.last
    if since <= 0:
        return weight
    first = before <= row.last
    return potentiated(weight, decayed(np.int64(TRACE_ONE if first else 0), since, decays.plus), lane)


@lean
def nearest_by_source(weight, second, latest, since, lane, decays):
    return depressed(weight, decayed(np.int64(TRACE_ONE), since, decays.minus), lane)


# --- Vogels et al. 2011 ----------------------------------------------------------------------------------------------
# Traces are those of pairs. An arrival potentiates by what may be negative, so that w_min is no bound.


@lean
def vogels_by_target(weight, row, spike, at, before, lane, decays):
    return potentiated(weight, decayed(np.int64(row.trace), at - row.last, decays.plus), lane)


@lean
def vogels_by_source(weight, second, latest, since, lane, decays):
    return potentiated(weight, decayed(np.int64(latest.trace), since, decays.minus) - lane.alpha, lane)


# --- triplets --------------------------------------------------------------------------------------------------------
# Pfister and Gerstner 2006, with the traces r1, o1 and the slow ones r2, o2, which leave out the spike that reads them.


@lean
def triplet_arrival(row, now, decays):
    trace, _ = pair_arrival(row, now, decays)
    return trace, np.int64(_second(np.int64(row.second), np.int64(row.last), now, decays.x))


@lean
def triplet_spike(latest, label, decays):
    trace, _ = pair_spike(latest, label, decays)
    return trace, np.int64(_second(np.int64(latest.second), np.int64(latest.label), label, decays.y))


@lean
def triplet_by_target(weight, row, spike, at, before, lane, decays):
    trace = decayed(np.int64(row.trace), at - row.last, decays.plus)
    change = product(lane.up, trace) + product(lane.up_triplet, _times(trace, spike.second))
    return min(np.int64(np.int32(weight + change)), lane.high)


@lean
def triplet_by_source(weight, second, latest, since, lane, decays):
    trace = decayed(np.int64(latest.trace), since, decays.minus)
    change = product(lane.down, trace) + product(lane.down_triplet, _times(trace, second))
    return max(np.int64(np.int32(weight - change)), lane.low)
