"""What sPyNNaker's plastic synapses cannot be, and what its firmware gets wrong about them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from evsim.arithmetic.s1615 import LARGEST, ONE, fixed
from evsim.deploy.spinnaker_plastic import ADDITIVE, DEPENDENCES, most_slots, ring_slots
from evsim.deploy.spinnaker_scale import CONDUCTANCE_GAIN
from evsim.errors import Problem
from evsim.model import NeuronModel
from evsim.network import Network, Projection
from evsim.registry import cell_model

_PAIR, _TIMES = ("SpikePairRule", "AdditiveWeightDependence"), ("SpikePairRule", "MultiplicativeWeightDependence")

# The rules for which sPyNNaker 7.4.1 ships a binary (pyNN/model_binaries/*_stdp_mad_*.aplx), as far as evsim has them.
BINARIES = {
    "IF_curr_exp": (_PAIR, _TIMES),
    "IF_cond_exp": (_PAIR,),
    "IF_curr_delta": (_PAIR,),
    "Izhikevich": (_PAIR,),
}


def plastic_problems(network: Network) -> Iterator[Problem]:
    """Every plastic projection that sPyNNaker cannot have."""
    first: dict[int, Projection] = {}
    for projection in network.projections:
        if projection.plasticity is None or not len(projection):
            continue
        same = first.setdefault(projection.post, projection)
        yield from _rule_problems(network, projection)
        yield from _range_problems(network, projection)
        if projection.plasticity != same.plasticity:
            yield Problem(
                f"projection {projection.label!r}",
                f"plastic synapses with other rules or parameters than those of projection {same.label!r}",
                "on SpiNNaker all plastic synapses onto a population have the same rules and parameters",
                "Give both the same, or project onto different populations.",
            )


def _rule_problems(network: Network, projection: Projection) -> Iterator[Problem]:
    where, plasticity = f"projection {projection.label!r}", projection.plasticity
    assert plasticity is not None
    if plasticity.dendritic_delay_fraction != 1.0:
        what = f"dendritic_delay_fraction is {plasticity.dendritic_delay_fraction:g}"
        yield Problem(where, what, "on SpiNNaker all of the delay is dendritic", "Set it to 1.")
    cell = network.populations[projection.post].model
    known = BINARIES.get(cell, ())
    if (plasticity.timing, plasticity.weight) not in known:
        listed = ", ".join(" with ".join(pair) for pair in known) or "none"
        what = f"{plasticity.timing} with {plasticity.weight} onto {cell}"
        limit = f"sPyNNaker 7.4.1 has firmware for these rules onto {cell}: {listed}"
        yield Problem(where, what, limit, "Use one of these, or another cell.")


def _range_problems(network: Network, projection: Projection) -> Iterator[Problem]:
    model, plasticity = cell_model(network.populations[projection.post].model), projection.plasticity
    assert isinstance(model, NeuronModel) and plasticity is not None
    gain = CONDUCTANCE_GAIN if model.has_conductances else 1.0
    for name in ("A_plus", "A_minus", "w_min", "w_max"):
        is_amplitude = name.startswith("A")
        scale = 1.0 if is_amplitude and DEPENDENCES.get(plasticity.weight) != ADDITIVE else gain
        value = plasticity.parameters[name]
        if abs(fixed(value * scale)) > LARGEST:
            yield Problem(
                f"projection {projection.label!r}",
                f"{name} is {value:g}",
                f"s16.15 holds numbers below {(LARGEST + 1) / ONE / scale:g}",
                f"Give a smaller {name}.",
            )


def defects(network: Network, neurons_per_core: int) -> Iterator[Problem]:
    """Plastic synapses with delays of exactly the ring buffer's size, over which nothing is delivered.

    The firmware keeps the lower bits of a delay, so a whole ring becomes 0; static synapses take that for a whole ring,
    plastic ones drop what they would deliver (seen in the executed firmware of sPyNNaker 7.4.1).
    """
    for projection in network.projections:
        if projection.plasticity is None or not len(projection):
            continue
        ring = ring_slots(network, projection.post, neurons_per_core)
        count = int(np.count_nonzero(projection.delay % ring == 0))
        if not count:
            continue
        timestep = network.timestep
        yield Problem(
            f"projection {projection.label!r}",
            f"{count} of {len(projection)} plastic synapses deliver nothing, since their delay is {ring} time steps "
            f"({ring * timestep:g} ms) or a multiple",
            f"the firmware of sPyNNaker 7.4.1 drops what is delayed by the size of the ring buffer, which is {ring} "
            "slots here, by the longest delay onto the population",
            _remedy(network, projection, ring, neurons_per_core),
        )


def _remedy(network: Network, projection: Projection, ring: int, neurons_per_core: int) -> str:
    """A longer delay of any synapse onto the population makes the ring longer, as far as its index has bits."""
    post = network.populations[projection.post]
    if ring < most_slots(post.size, neurons_per_core):
        return (
            f"Make those delays a time step shorter or longer, or give any synapse onto population {post.label!r} a "
            f"delay above {ring * network.timestep:g} ms: the ring then has {2 * ring} slots."
        )
    return "Make those delays a time step shorter or longer."
