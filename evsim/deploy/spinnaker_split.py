"""The cores on which sPyNNaker 7.4.1 puts a population, as far as they change what its plastic synapses do.

Neurons and synapses share a core, or sPyNNaker gives them a core each: below a time step of 1 ms, and where it ships no
binary of both for the cell and its rules (``PopulationVertex.use_combined_core``).

A core of synapses hears of its neurons' spikes as of any others, and enters each into the history of its neuron. Where
the population projects onto itself the firmware enters it once for each row of synapses that it fetches for the spike:
twice where two projections lead back, never where the neuron has no row, and never on a core that has no synapse of its
own neurons onto each other, for no spike of theirs is sent there (``docs/firmware.md``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evsim.network import Network, Projection

_ADDITIVE, _MULTIPLICATIVE = "AdditiveWeightDependence", "MultiplicativeWeightDependence"
_PAIR, _NEAREST = ("SpikePairRule", _ADDITIVE), ("SpikeNearestPairRule", _ADDITIVE)

# Rules on spike times and on weights for which there is a binary of synapses alone (synapses_stdp_mad_*.aplx).
RULES = (
    _PAIR,
    ("SpikePairRule", _MULTIPLICATIVE),
    _NEAREST,
    ("SpikeNearestPairRule", _MULTIPLICATIVE),
    ("Vogels2011Rule", _ADDITIVE),
    ("PfisterSpikeTriplet", "WeightDependenceAdditiveTriplet"),
)

# Cells of which there is one binary alone: of neurons and static synapses (CELL.aplx).
STATIC_ALONE = frozenset({"IFCurrDeltaFixedProb", "StocExp", "StocExpStable"})

# Cell -> rules for which there is one of neurons and synapses (CELL_stdp_mad_*.aplx); all have one of
# neurons alone.
COMBINED = {
    "IF_curr_exp": RULES,
    "IF_cond_exp": (_PAIR, _NEAREST),
    "IF_curr_alpha": (_PAIR,),
    "IF_curr_delta": (_PAIR, _NEAREST),
    "IF_curr_dual_exp": (),
    "IFCurrExpCa2Adaptive": (_PAIR,),
    "Izhikevich": (_PAIR,),
    "Izhikevich_cond": (_PAIR,),
    "Izhikevich_cond_dual": (_PAIR,),
    "IFCurrDeltaCa2Adaptive": (),
    "IF_curr_exp_sEMD": (),
    **dict.fromkeys(STATIC_ALONE, ()),
}

LEAST_COMBINED_TIMESTEP = 1.0  # ms


def is_split(network: Network, index: int) -> bool:
    """Whether population ``index``, onto which there are plastic synapses, has its synapses on a core of their own."""
    rules = {
        (p.plasticity.timing, p.plasticity.weight) for p in network.projections if p.post == index and p.plasticity
    }
    return network.timestep < LEAST_COMBINED_TIMESTEP or not rules.issubset(COMBINED[network.populations[index].model])


def late_populations(network: Network) -> set[int]:
    """The populations that fetch their input from another core as a time step begins, so that what is set between two
    runs comes before it. On a shared core the input of the next step is in the state when a run ends.
    """
    learning = {p.post for p in network.projections if p.plasticity and len(p)}
    return {index for index in learning if is_split(network, index)}


def entries_of_spikes(network: Network, index: int, ring: int, neurons_per_core: int) -> NDArray[np.int16]:
    """How often the firmware enters a spike of each neuron (size,) of population ``index`` into its history.

    Args:
        ring: slots of the population's ring buffer; what is delayed for longer comes from elsewhere.
    """
    size = network.populations[index].size
    loops = _loops(network, index)
    if not loops or not is_split(network, index):
        return np.ones(size, np.int16)
    near = _near(loops, ring)
    core = np.arange(size) // neurons_per_core
    hears, has_row = np.zeros(core[-1] + 1, bool), np.zeros(size, bool)
    for p in near:
        source, target = p.source, p.target
        on_core = core[source] == core[target]
        hears[core[source[on_core]]] = True  # sPyNNaker sends spikes from core to core where a list has synapses
        has_row[source[on_core & (p.delay <= ring)]] = True
    # a row without synapses is passed over, except that plastic rows are never without their past
    has_row |= any(p.plasticity for p in near)
    return (hears[core] & has_row) * np.int16(len(near))


def entries_before(network: Network, projection: Projection, ring: int) -> int:
    """How many entries of a spike the firmware has made when it comes to its row of a projection: one for each row of
    the population's projections onto itself, in their order.
    """
    near = _near(_loops(network, projection.post), ring)
    return next((k + 1 for k, other in enumerate(near) if other is projection), len(near) + 1)


def are_overtaken(network: Network, projection: Projection, ring: int) -> tuple[bool, bool]:
    """Whether a row of a projection is read again before its changes are written, when a spike comes twice in a time
    step: where the core fetches the next row before it works on the last, and no other for this spike. Those of the
    source itself, and those of a delay extension.
    """
    if not is_split(network, projection.post):
        return False, False
    beside = [p for p in network.projections if p.pre == projection.pre and p.post == projection.post and len(p)]
    return len(_near(beside, ring)) == 1, sum(p.synapses.delays.most > ring for p in beside) == 1


def _loops(network: Network, index: int) -> list[Projection]:
    """The projections of a population onto itself."""
    return [p for p in network.projections if p.pre == p.post == index and len(p)]


def _near(loops: Sequence[Projection], ring: int) -> list[Projection]:
    """Those that have rows for the population's own spikes, and not only for those of a delay extension."""
    return [p for p in loops if p.synapses.delays.least <= ring]
