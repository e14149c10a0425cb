"""The traces of STDP on SpiNNaker: which a rule has, and the tables by which sPyNNaker 7.4.1 lets them decay."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

TRACE_POINT = 11  # bits after the point of a trace: STDP_FIXED_POINT_ONE of sPyNNaker
TRACE_ONE = 1 << TRACE_POINT

SECOND_SHIFT = 2  # the second traces of triplets are looked up in units of 4 steps

PAIR, NEAREST, VOGELS, TRIPLET = range(4)  # numbers of the rules in ``evsim.engine.deferred``

# rule on spike times -> its number; the time constants of its tables of decay: of source and target, then second traces
TIMINGS = {
    "SpikePairRule": (PAIR, ("tau_plus", "tau_minus")),
    "SpikeNearestPairRule": (NEAREST, ("tau_plus", "tau_minus")),
    "Vogels2011Rule": (VOGELS, ("tau", "tau")),
    "PfisterSpikeTriplet": (TRIPLET, ("tau_plus", "tau_minus", "tau_x", "tau_y")),
}


def decay_tables(taus: Sequence[float], timestep: float) -> list[NDArray[np.int16]]:
    """Those of a rule's time constants (ms), in the order of ``TIMINGS``."""
    return [decay_table(tau, timestep, _shift(k)) for k, tau in enumerate(taus)]


def _shift(place: int) -> int:
    return 0 if place < 2 else SECOND_SHIFT


def decay_table(tau: float, timestep: float, shift: int = 0) -> NDArray[np.int16]:
    """What is left of a trace, in parts of ``TRACE_ONE``; 0 after the last (``get_exp_lut_array``).

    Args:
        tau, timestep: ms.
        shift: entries are 2^shift steps apart.
    """
    steps = np.arange(_table_size(tau, timestep, shift)) << shift
    return np.floor(np.exp(steps * -(timestep / float(tau))) * TRACE_ONE).astype(np.int16)


def _table_size(tau: float, timestep: float, shift: int) -> int:
    pairs, rest = divmod(math.log(TRACE_ONE) / (timestep / float(tau)) / (1 << shift), 2)
    return (int(pairs) + (rest > 0)) * 2


def table_bytes(taus: Sequence[float], timestep: float) -> int:
    """What these tables take, each of 16-bit numbers behind a word."""
    return sum(4 + 2 * _table_size(tau, timestep, _shift(k)) for k, tau in enumerate(taus))
