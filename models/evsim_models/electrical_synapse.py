"""ElectricalSynapse: a gap junction, whose conductance (uS) lets a current flow between two membranes, either way."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from evsim.errors import Problem, UnknownNameError
from evsim.model import GAP, NeuronModel, SynapseModel
from evsim.network import Network, Projection
from evsim.registry import cell_model


def problems(network: Network, projection: Projection, rules: str) -> list[Problem]:
    """What cannot be about a projection of gap junctions."""
    where = f"projection {projection.label!r}"
    found = list(_weight_problems(where, projection))
    for end in dict.fromkeys((projection.pre, projection.post)):
        found += _end_problems(where, network, end, rules)
    return found


def _weight_problems(where: str, projection: Projection) -> Iterator[Problem]:
    least = projection.synapses.weights.least
    if len(projection) and least < 0:
        count = int(np.count_nonzero(projection.weight < 0))
        what = f"{count} of {len(projection)} conductances are negative (the least is {least:g} uS)"
        yield Problem(where, what, "the conductance of a gap junction is at least 0 uS", "Correct weight.")


def _end_problems(where: str, network: Network, end: int, rules: str) -> Iterator[Problem]:
    """A cell without a voltage, with several, or one that takes no current."""
    population = network.populations[end]
    try:
        model = cell_model(population.model)
    except UnknownNameError:
        return  # which the check of populations reports
    what = f"a gap junction at population {population.label!r}"
    if not isinstance(model, NeuronModel):
        yield Problem(where, what, f"{model.name} has no membrane", "Couple neurons.")
    elif not model.injectable:
        yield Problem(
            where, what, f"{model.name} takes no current", "Couple cells into which a current can be injected."
        )
    elif rules in model.rules and model.recordables.get("v") != "mV":
        yield Problem(where, what, f"{model.name} has no voltage v in mV", "Couple cells that have one.")
    elif rules in model.rules and model.rules[rules].whole:
        yield Problem(where, what, "its cells have compartments, of which none can be named for it", "Couple points.")


MODEL = SynapseModel("ElectricalSynapse", frozenset({"ideal"}), problems=problems, electrical=True, receptors=(GAP,))
