"""STDP in the numbers of SpiNNaker: what sPyNNaker 7.4.1 writes for the firmware, and how delays are split.

sPyNNaker differs from PyNN in one thing that no precision removes: the amplitudes of an additive rule are changes of
the weight in its own unit, not parts of w_max (``WeightDependenceAdditive.write_parameters``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evsim.arithmetic.s1615 import fixed
from evsim.deploy.spinnaker_cores import cores_of
from evsim.deploy.spinnaker_scale import SpinnakerScale
from evsim.deploy.spinnaker_split import are_overtaken, entries_before, entries_of_spikes, is_split
from evsim.deploy.spinnaker_traces import TIMINGS, TRACE_ONE, decay_tables
from evsim.network import Network, Plasticity, Projection

ADDITIVE, MULTIPLICATIVE = range(2)
DEPENDENCES = {
    "AdditiveWeightDependence": ADDITIVE,
    "MultiplicativeWeightDependence": MULTIPLICATIVE,
    "WeightDependenceAdditiveTriplet": ADDITIVE,
}


@dataclass(frozen=True, eq=False)
class SpinnakerPlasticity:
    """The rule of a plastic projection, in s16.15 of the weight's unit on the chip.

    Attributes:
        timing: the rule on spike times, one of ``TIMINGS``.
        dependence: on the weight, one of ``DEPENDENCES``.
        taus: ms, of the traces of source and target, then of their second ones.
        up, down: amplitudes.
        up_triplet, down_triplet: amplitudes of triplets.
        alpha: what a spike of the source costs by the rule of Vogels, in parts of ``TRACE_ONE``.
        low, high: bounds of the weight.
        shift: of the ring buffer, by which a stored weight is shifted to become s16.15.
        ring: slots of the ring buffer; longer delays are reached through a delay extension.
        neurons_per_core, sources_per_core: neurons of a core are updated, and send their spikes, in the order of their
            numbers.
        split: whether the synapses have a core of their own.
        entries: (targets,) how often each of their spikes is entered into their history.
        own: how many of the entries of a source's own spike are made before its synapses of this projection change.
        overtaken: whether a row is read again for a spike that comes once more in a time step before its changes are
            written: a row of the source itself, and one of a delay extension.
    """

    timing: int
    dependence: int
    taus: tuple[float, ...]
    up: int
    down: int
    up_triplet: int
    down_triplet: int
    alpha: int
    low: int
    high: int
    shift: int
    ring: int
    neurons_per_core: int
    sources_per_core: int
    split: bool
    entries: NDArray[np.int16]
    own: int
    overtaken: tuple[bool, bool]

    def decay_tables(self, timestep: float) -> list[NDArray[np.int16]]:
        """What is left of each trace after 0, 1, ... steps, of second ones after 0, 4, ...; timestep in ms."""
        return decay_tables(self.taus, timestep)


def plasticity_of(
    network: Network, projection: Projection, scale: SpinnakerScale, row: int
) -> SpinnakerPlasticity | None:
    """The rule of a projection onto an input row of a population, which ``check`` has found to be one of SpiNNaker's.

    Returns:
        None if its synapses are static.
    """
    plasticity = projection.plasticity
    if plasticity is None:
        return None
    given = plasticity.parameters
    cores = cores_of(network, projection.post)
    timing, taus = TIMINGS[plasticity.timing]
    unit = amplitude_unit(plasticity, scale.gain)

    def held(name: str, scaled: float) -> int:
        return int(fixed(given.get(name, 0.0) * scaled))

    return SpinnakerPlasticity(
        timing=timing,
        dependence=DEPENDENCES[plasticity.weight],
        taus=tuple(given[name] for name in taus),
        up=held("A_plus", unit),
        down=held("A_minus", unit),
        up_triplet=held("A3_plus", unit),
        down_triplet=held("A3_minus", unit),
        alpha=round(given.get("alpha", 0.0) * TRACE_ONE),
        low=int(fixed(abs(given["w_min"]) * scale.gain)),
        high=int(fixed(abs(given["w_max"]) * scale.gain)),
        shift=scale.shifts[row],
        ring=cores.ring,
        neurons_per_core=cores.neurons,
        sources_per_core=cores_of(network, projection.pre).neurons,
        split=is_split(network, projection.post),
        entries=entries_of_spikes(network, projection.post, cores.ring, cores.neurons),
        own=entries_before(network, projection, cores.ring),
        overtaken=are_overtaken(network, projection, cores.ring),
    )


def amplitude_unit(plasticity: Plasticity, gain: float) -> float:
    """What the amplitudes are multiplied by before they are written: only those of triplets are parts of w_max.

    Args:
        gain: what weights are multiplied by.
    """
    if plasticity.weight == "WeightDependenceAdditiveTriplet":
        return abs(plasticity.parameters["w_max"]) * gain
    return gain if DEPENDENCES[plasticity.weight] == ADDITIVE else 1.0
