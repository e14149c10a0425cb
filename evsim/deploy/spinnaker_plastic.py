"""STDP in the numbers of SpiNNaker: what sPyNNaker 7.4.1 writes for the firmware, and how delays are split.

sPyNNaker differs from PyNN in one thing that no precision removes: the amplitudes of an additive rule are changes of
the weight in its own unit, not parts of w_max (``WeightDependenceAdditive.write_parameters``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evsim.arithmetic.s1615 import fixed
from evsim.deploy.spinnaker_scale import SpinnakerScale
from evsim.network import Network, Plasticity

TRACE_POINT = 11  # bits after the point of a trace: STDP_FIXED_POINT_ONE of sPyNNaker
TRACE_ONE = 1 << TRACE_POINT

RING_BITS = 14  # of a ring buffer's index: cell, receptor and delay (MAX_RING_BUFFER_BITS of sPyNNaker)
RECEPTOR_BITS = 1

ADDITIVE, MULTIPLICATIVE = range(2)
DEPENDENCES = {"AdditiveWeightDependence": ADDITIVE, "MultiplicativeWeightDependence": MULTIPLICATIVE}


@dataclass(frozen=True)
class SpinnakerPlasticity:
    """The rule of a plastic projection, in s16.15 of the weight's unit on the chip.

    Attributes:
        dependence: on the weight, one of ``DEPENDENCES``.
        tau_plus, tau_minus: ms.
        up, down: amplitudes.
        low, high: bounds of the weight.
        shift: of the ring buffer, by which a stored weight is shifted to become s16.15.
        ring: slots of the ring buffer; longer delays are reached through a delay extension.
        neurons_per_core: they are updated, and send their spikes, in the order of their numbers.
    """

    dependence: int
    tau_plus: float
    tau_minus: float
    up: int
    down: int
    low: int
    high: int
    shift: int
    ring: int
    neurons_per_core: int


def plasticity_of(
    plasticity: Plasticity, scale: SpinnakerScale, row: int, ring: int, neurons_per_core: int
) -> SpinnakerPlasticity:
    """The rule of a projection onto an input row of a population, which ``check`` has found to be one of SpiNNaker's.

    Args:
        ring: slots of the population's ring buffer.
    """
    given = plasticity.parameters
    dependence = DEPENDENCES[plasticity.weight]
    gain = scale.gain if dependence == ADDITIVE else 1.0
    return SpinnakerPlasticity(
        dependence,
        given["tau_plus"],
        given["tau_minus"],
        int(fixed(given["A_plus"] * gain)),
        int(fixed(given["A_minus"] * gain)),
        int(fixed(abs(given["w_min"]) * scale.gain)),
        int(fixed(abs(given["w_max"]) * scale.gain)),
        scale.shifts[row],
        ring,
        neurons_per_core,
    )


def decay_table(tau: float, timestep: float) -> NDArray[np.int16]:
    """What is left of a trace after 0, 1, ... steps, in parts of ``TRACE_ONE``; 0 after the last (get_exp_lut_array).

    Args:
        tau, timestep: ms.
    """
    rate = timestep / float(tau)
    pairs, rest = divmod(math.log(TRACE_ONE) / rate, 2)
    size = (int(pairs) + (rest > 0)) * 2
    return np.floor(np.exp(np.arange(size) * -rate) * TRACE_ONE).astype(np.int16)


def ring_slots(network: Network, index: int, neurons_per_core: int) -> int:
    """The slots of the ring buffers of population ``index``, a power of two: for its longest delay, as far as they go.

    Source: ``PopulationVertex.max_delay_steps_incoming`` of sPyNNaker 7.4.1.
    """
    onto = [projection for projection in network.projections if projection.post == index and len(projection)]
    longest = max((int(projection.synapses.delays.most) for projection in onto), default=0)
    return min(1 << _bits(longest), most_slots(network.populations[index].size, neurons_per_core))


def most_slots(size: int, neurons_per_core: int) -> int:
    """The slots that the ring buffers of a population of this size can have."""
    return 1 << (RING_BITS - RECEPTOR_BITS - _bits(min(size, neurons_per_core)))


def _bits(count: int) -> int:
    """Bits for so many different values; 1 for one, none for none (``get_n_bits``)."""
    return max((count - 1).bit_length(), 1) if count else 0
