"""Synapses that come and go while a network runs, with weights that change or do not; see ``evsim.structure``."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from evsim.errors import Problem
from evsim.model import NeuronModel, SynapseModel
from evsim.network import Network, Projection
from evsim.registry import models
from evsim.structure import LOOKS_MOST
from evsim_models import stdp

PLASTIC = "StructuralMechanismSTDP"
FRACTION = 1.0  # the part of the delay behind the synapse: a spike arrives there as it is sent, as in sPyNNaker


def problems(network: Network, projection: Projection, rules: str) -> list[Problem]:
    """What cannot be about a structural projection."""
    where, structure = f"projection {projection.label!r}", projection.structure
    if structure is None:
        what, limit = f"{projection.synapse} without rules", "it needs those of selection, formation and elimination"
        return [Problem(where, what, limit, "Give its rules.")]
    found = [Problem(where, what, limit, "Correct it.") for what, limit in structure.faults()]
    if (looks := structure.f_rew * network.timestep / 1000) > LOOKS_MOST:
        what = f"f_rew is {structure.f_rew:g} Hz, which is {looks:g} in a time step"
        found.append(Problem(where, what, f"at most {LOOKS_MOST:g} in a time step", "Give a smaller f_rew."))
    if projection.synapse == PLASTIC:
        found += [*stdp.problems(network, projection, rules), *_rule_problems(where, projection)]
    return found or [
        *_competing(where, network, projection),
        *_weight_problems(where, network, projection),
        *_crowded(where, network, projection),
    ]


def _rule_problems(where: str, projection: Projection) -> Iterator[Problem]:
    plasticity = projection.plasticity
    if plasticity is None:
        yield Problem(where, "plastic synapses without a rule", f"{PLASTIC} needs one", "Give its rules.")
        return
    if plasticity.timing != "SpikePairRule":
        limit = "synapses that come and go learn by SpikePairRule"
        yield Problem(where, f"the rule {plasticity.timing}", limit, "Use it, or STDPMechanism.")
    fraction = plasticity.dendritic_delay_fraction
    if fraction != FRACTION:
        what = f"dendritic_delay_fraction is {fraction:g}"
        yield Problem(where, what, "it is 1 where synapses come and go", "Leave it out, or use STDPMechanism.")


def _competing(where: str, network: Network, projection: Projection) -> Iterator[Problem]:
    """What several such projections onto a population must agree on."""
    structure = projection.structure
    assert structure is not None
    others = [other for other in network.projections if other.structure and other.post == projection.post]
    first, target = others[0], network.populations[projection.post].label
    assert first.structure is not None
    if first is not projection and first.structure.shared != structure.shared:
        yield Problem(
            where,
            f"f_rew, s_max and selection are {structure.shared}",
            f"those of {first.label!r} onto the same population {target!r} are {first.structure.shared}",
            "Give both the same.",
        )
    same = [other for other in others if other.pre == projection.pre]
    if same[0] is not projection:
        source = network.populations[projection.pre].label
        yield Problem(
            where,
            f"a further projection from {source!r} to {target!r} whose synapses come and go",
            "there is one for a pair of populations, as in sPyNNaker",
            f"Put its synapses into {same[0].label!r}.",
        )
    learning = [other for other in others if other.plasticity]
    if projection.plasticity and learning[0].plasticity != projection.plasticity:
        yield Problem(
            where,
            f"a rule of plasticity that is not that of {learning[0].label!r} onto the same population {target!r}",
            "synapses onto a population that come and go learn by one rule, as in sPyNNaker",
            "Give both the same.",
        )
    if projection.plasticity and any(o.modulation and o.post == projection.post for o in network.projections):
        limit = "synapses that come and go do not learn by dopamine"
        yield Problem(where, f"dopamine for population {target!r}", limit, "Use STDPMechanism.")


def _weight_problems(where: str, network: Network, projection: Projection) -> Iterator[Problem]:
    """Weights, those of synapses that are made included, that cannot be together or for the target."""
    if projection.synapses.weights.odd:
        return  # the network's own check reports those that are no numbers
    yield from _mixed_signs(where, projection)
    structure, target = projection.structure, network.populations[projection.post]
    model = models().get(target.model)
    assert structure is not None
    if isinstance(model, NeuronModel) and model.has_conductances and structure.initial_weight < 0:
        what = f"initial_weight is {structure.initial_weight:g} uS"
        yield Problem(where, what, f"{model.name} has conductances, which are never negative", "Correct it.")


def _mixed_signs(where: str, projection: Projection) -> Iterator[Problem]:
    structure, spread = projection.structure, projection.synapses.weights
    assert structure is not None
    low, high = (spread.least, spread.most) if len(projection) else (0.0, 0.0)
    if min(low, structure.initial_weight) < 0 < max(high, structure.initial_weight):
        what = f"initial_weight is {structure.initial_weight:g} beside weights from {low:g} to {high:g}"
        yield Problem(where, what, "they have the same sign", "Correct initial_weight or weight.")


def _crowded(where: str, network: Network, projection: Projection) -> Iterator[Problem]:
    """Neurons that begin with more synapses than they have places; said of the first of their projections."""
    structure = projection.structure
    assert structure is not None
    mine = [other for other in network.projections if other.structure and other.post == projection.post]
    if mine[0] is not projection:
        return
    size = network.populations[projection.post].size
    targets = [other.target[(other.target >= 0) & (other.target < size)] for other in mine]
    counts = np.sum([np.bincount(target, minlength=size) for target in targets], axis=0)
    if (crowded := counts > structure.s_max).any():
        label = network.populations[projection.post].label
        yield Problem(
            where,
            f"{counts.max()} synapses onto a neuron of population {label!r} at the start "
            f"(too many in {np.count_nonzero(crowded)} of {size})",
            f"s_max is {structure.s_max}",
            "Connect fewer, or give a greater s_max.",
        )


MODELS = (
    SynapseModel("StructuralMechanismStatic", frozenset({"ideal"}), problems=problems),
    SynapseModel(PLASTIC, frozenset({"ideal"}), stdp.pair_rule, problems),
)
