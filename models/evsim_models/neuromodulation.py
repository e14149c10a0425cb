"""Neuromodulation: synapses of reward and punishment, by which plastic ones learn; see ``evsim.modulation``."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from evsim.errors import Problem
from evsim.model import SynapseModel
from evsim.modulation import PUNISHMENT, REWARD
from evsim.network import Network, Projection

# The rules on spike times that go with dopamine, each with its weight dependences, in which eligibility takes the place
# of the weight: those of sPyNNaker's firmware, and one between two of them.
RULES = {
    "SpikePairRule": (
        "AdditiveWeightDependence",
        "MultiplicativeWeightDependence",
        "AdditivePotentiationMultiplicativeDepression",
    ),
    "Vogels2011Rule": ("AdditiveWeightDependence",),
}


def problems(network: Network, projection: Projection, rules: str) -> list[Problem]:
    """What cannot be about a projection that gives dopamine."""
    where, modulation = f"projection {projection.label!r}", projection.modulation
    if modulation is None:
        return [Problem(where, "dopamine without a rule", "Neuromodulation needs one", "Give its parameters.")]
    found = [Problem(where, what, limit, "Correct it.") for what, limit in modulation.faults()]
    return [*found, *_amount_problems(where, projection), *_company_problems(where, network, projection)]


def _amount_problems(where: str, projection: Projection) -> Iterator[Problem]:
    least = projection.synapses.weights.least
    if len(projection) and least < 0:
        count = int(np.count_nonzero(projection.weight < 0))
        what = f"{count} of {len(projection)} weights are negative (the least is {least:g})"
        yield Problem(where, what, "they must be at least 0", f"Use receptor_type {PUNISHMENT!r} to lower dopamine.")


def _company_problems(where: str, network: Network, projection: Projection) -> Iterator[Problem]:
    """Other dopamine onto the same population, and the plastic synapses there."""
    label = network.populations[projection.post].label
    onto = [other for other in network.projections if other.post == projection.post]
    unlike = [other.label for other in onto if other.modulation not in (None, projection.modulation)]
    if unlike:
        what = f"other parameters than those of projection {unlike[0]!r} onto the same population {label!r}"
        yield Problem(where, what, "dopamine has one effect in a population", "Give both the same.")
    plastic = [(other, other.plasticity) for other in onto if other.plasticity]
    if not plastic:
        what = f"dopamine for population {label!r}"
        yield Problem(where, what, "it has no plastic synapses", "Project onto it with an STDPMechanism.")
    for other, rule in plastic:
        if rule.weight not in RULES.get(rule.timing, ()):
            what = f"{rule.timing} with {rule.weight}, onto population {label!r}, which is given dopamine"
            limit = "dopamine goes with " + "; ".join(f"{name} and {', '.join(RULES[name])}" for name in RULES)
            yield Problem(f"projection {other.label!r}", what, limit, "Use these.")


MODEL = SynapseModel("Neuromodulation", frozenset({"ideal"}), problems=problems, receptors=(REWARD, PUNISHMENT))
