"""What projections ask for that cannot be."""

from __future__ import annotations

import numpy as np

from evsim.chip import Chip
from evsim.deploy.check_cells import known_cell_model
from evsim.errors import Problem, UnknownNameError
from evsim.model import NeuronModel, SourceModel
from evsim.network import Network, Projection
from evsim.registry import is_electrical, own_receptors, synapse_models


def kind_problems(network: Network, projection: Projection, chip: Chip) -> list[Problem]:
    """A synapse that the chip lacks, a target without synapses, a receptor that the target does not have."""
    where = f"projection {projection.label!r}"
    problems = _synapse_problems(network, projection, chip)
    if own := own_receptors(projection):
        if projection.receptor not in own:
            what, limit = f"the receptor {projection.receptor!r}", f"{projection.synapse} has {', '.join(own)}"
            problems.append(Problem(where, what, limit, "Correct receptor_type."))
        return problems
    post = network.populations[projection.post]
    target = known_cell_model(post)
    if isinstance(target, SourceModel):
        what, limit = f"synapses onto population {post.label!r}", f"{post.model} emits spikes and receives none"
        problems.append(Problem(where, what, limit, "Project onto neurons."))
    elif target is not None and projection.receptor not in (receptors := _receptors(target, chip)):
        what, limit = f"the receptor {projection.receptor!r}", f"{post.model} has {', '.join(receptors)}"
        problems.append(Problem(where, what, limit, "Correct receptor_type."))
    return problems


def _receptors(target: NeuronModel, chip: Chip) -> list[str]:
    rule = target.rules.get(chip.rules.name)
    return list(rule.inputs if rule else target.receptors)


def _synapse_problems(network: Network, projection: Projection, chip: Chip) -> list[Problem]:
    where, name = f"projection {projection.label!r}", projection.synapse
    kinds = synapse_models()
    if name not in kinds:
        unknown = UnknownNameError("synapse model", name, kinds)
        return [Problem(where, f"the synapse {name!r}", str(unknown), "Use one of these synapses.")]
    ends = (projection.pre, projection.post) if chip.rules.family == "loihi" else (projection.pre,)
    changing = projection.plasticity or projection.release or projection.structure
    if changing and (graded := [index for index in ends if _is_graded(network, index, chip)]):
        cells, kind = network.populations[graded[0]], _kind_of(projection)
        what = f"{kind} synapses {'from' if graded[0] == projection.pre else 'onto'} population {cells.label!r}"
        limit = f"{cells.model} sends graded spikes, from which no synapse learns or recovers"
        return [Problem(where, what, limit, "Make the synapses static.")]
    if chip.rules.name in kinds[name].rules:
        problems = kinds[name].problems
        return problems(network, projection, chip.rules.name) if problems else []
    instead = sorted(key for key, m in kinds.items() if chip.rules.name in m.rules)
    limit = f"{chip.name} ({chip.rules.name}) does not have it; {', '.join(sorted(kinds[name].rules))} can hold it"
    remedy = f"Choose one of those, or a synapse that {chip.name} has: {', '.join(instead)}."
    return [Problem(where, f"the synapse {name}", limit, remedy)]


def _kind_of(projection: Projection) -> str:
    if projection.structure:
        return "structural"
    return "plastic" if projection.learns else "releasing"


def _is_graded(network: Network, index: int, chip: Chip) -> bool:
    source = known_cell_model(network.populations[index])
    rule = source.rules.get(chip.rules.name) if isinstance(source, NeuronModel) else None
    return rule is not None and rule.is_graded


def value_problems(network: Network, projection: Projection, chip: Chip) -> list[Problem]:
    """Delays beyond the chip's, and weights of a sign that cannot be."""
    if len(projection) == 0 or is_electrical(projection):
        return []
    delays = _delay_problems(network, projection, chip)
    return delays if own_receptors(projection) else [*delays, *_sign_problems(network, projection, chip)]


def _delay_problems(network: Network, projection: Projection, chip: Chip) -> list[Problem]:
    longest = chip.limit("max_delay")
    if longest is None or (most := int(projection.synapses.delays.most)) <= longest:
        return []
    timestep = network.timestep
    count = int(np.count_nonzero(projection.delay > longest))
    what = f"{count} of {len(projection)} delays are too long, the longest of {most} steps ({most * timestep:g} ms)"
    limit = f"at most {longest:g} steps on {chip.name}, which is {longest * timestep:g} ms"
    return [Problem(f"projection {projection.label!r}", what, limit, "Give a shorter delay or a longer timestep.")]


def _sign_problems(network: Network, projection: Projection, chip: Chip) -> list[Problem]:
    """Conductances are never negative; other weights have their receptor's sign where the chip stores none."""
    target = known_cell_model(network.populations[projection.post])
    if not isinstance(target, NeuronModel):
        return []
    if chip.rules.signed_weights and not target.has_conductances:
        return []
    inhibitory = target.has_negative_weights(projection.receptor)
    spread = projection.synapses.weights
    if not spread.odd and (spread.most <= 0 if inhibitory else spread.least >= 0):
        return []
    weight = projection.weight
    wrong = weight > 0 if inhibitory else weight < 0
    if not wrong.any():
        return []
    extreme = np.nanmax(weight) if inhibitory else np.nanmin(weight)
    sign, wanted = ("positive", "0 or negative") if inhibitory else ("negative", "0 or positive")
    count = int(np.count_nonzero(wrong))
    what = f"{count} of {len(weight)} weights are {sign}, up to {extreme:g} {target.weight_unit}"
    limit = f"{projection.receptor} weights of {target.name} are {wanted} on {chip.name}"
    remedy = "Correct the sign of weight or the receptor_type."
    return [Problem(f"projection {projection.label!r}", what, limit, remedy)]
