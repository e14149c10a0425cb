"""STDPMechanism: plasticity by pairs of spikes, with the weight dependences of PyNN.

All of them are one formula with two exponents (Guetig et al. 2003), as in NEST's ``stdp_synapse``.
"""

from __future__ import annotations

import numpy as np

from evsim.errors import Problem
from evsim.model import PairRule, SynapseModel
from evsim.network import Network, Plasticity, Projection

TIMING_RULES = ("SpikePairRule",)

# weight dependence -> exponents of potentiation and depression; None: parameters of the rule
EXPONENTS = {
    "AdditiveWeightDependence": (0.0, 0.0),
    "MultiplicativeWeightDependence": (1.0, 1.0),
    "AdditivePotentiationMultiplicativeDepression": (0.0, 1.0),
    "GutigWeightDependence": None,
}

# A trace of so many time constants ago is e^200 smaller; sums of longer ones would leave the range of a double.
MOST_DELAY = 200.0


def pair_rule(plasticity: Plasticity) -> PairRule:
    """The rule in physical numbers; raises KeyError for a weight dependence that there is not."""
    given = plasticity.parameters
    mu_plus, mu_minus = EXPONENTS[plasticity.weight] or (given["mu_plus"], given["mu_minus"])
    return PairRule(
        tau_plus=given["tau_plus"],
        tau_minus=given["tau_minus"],
        a_plus=given["A_plus"],
        a_minus=given["A_minus"],
        w_min=given["w_min"],
        w_max=given["w_max"],
        mu_plus=mu_plus,
        mu_minus=mu_minus,
        dendritic_delay_fraction=plasticity.dendritic_delay_fraction,
    )


def problems(network: Network, projection: Projection) -> list[Problem]:
    """What cannot be about the plasticity of a projection."""
    if not len(projection):
        return []
    where, plasticity = f"projection {projection.label!r}", projection.plasticity
    if plasticity is None:
        return [Problem(where, "plastic synapses without a rule", "STDPMechanism needs one", "Give its rules.")]
    unknown = [
        Problem(where, f"the rule {name}", f"STDPMechanism has {', '.join(known)}", "Use one of these rules.")
        for name, known in ((plasticity.timing, TIMING_RULES), (plasticity.weight, tuple(EXPONENTS)))
        if name not in known
    ]
    if unknown:
        return unknown
    rule = pair_rule(plasticity)
    return [*_parameter_problems(where, rule), *_weight_problems(where, rule, projection)] or _delay_problems(
        where, rule, network, projection
    )


def _parameter_problems(where: str, rule: PairRule) -> list[Problem]:
    found = []
    for name in ("tau_plus", "tau_minus"):
        if not getattr(rule, name) > 0:
            found.append(Problem(where, f"{name} is {getattr(rule, name):g} ms", "it must be above 0", f"Set {name}."))
    bounds = f"w_min is {rule.w_min:g} and w_max is {rule.w_max:g}"
    if not abs(rule.w_min) < abs(rule.w_max):
        found.append(Problem(where, bounds, "w_max must be farther from 0", "Correct w_min or w_max."))
    elif rule.w_min * rule.w_max < 0:
        found.append(Problem(where, bounds, "both must have the same sign", "Correct w_min or w_max."))
    if not 0 <= rule.dendritic_delay_fraction <= 1:
        what = f"dendritic_delay_fraction is {rule.dendritic_delay_fraction:g}"
        found.append(Problem(where, what, "it lies between 0 and 1", "Correct it."))
    return found


def _weight_problems(where: str, rule: PairRule, projection: Projection) -> list[Problem]:
    spread = projection.synapses.weights
    if spread.odd or (spread.most <= 0 if rule.w_max < 0 else spread.least >= 0):
        return []  # the network's own check reports those that are no numbers
    wrong = np.count_nonzero(projection.weight * np.sign(rule.w_max) < 0)
    what = f"{wrong} of {len(projection)} weights have another sign than w_max ({rule.w_max:g})"
    return [Problem(where, what, "a plastic weight keeps its sign", "Correct weight or w_max.")]


def _delay_problems(where: str, rule: PairRule, network: Network, projection: Projection) -> list[Problem]:
    least, most = (int(value) for value in (projection.synapses.delays.least, projection.synapses.delays.most))
    found = []
    if rule.dendritic_steps(least) < 1:
        what = f"the dendritic part of a delay of {least * network.timestep:g} ms is below a time step"
        limit = f"dendritic_delay_fraction is {rule.dendritic_delay_fraction:g}"
        found.append(Problem(where, what, limit, "Give a longer delay, or a greater dendritic_delay_fraction."))
    longest = MOST_DELAY * min(rule.tau_plus, rule.tau_minus)
    if most * network.timestep > longest:
        what = f"a delay of {most * network.timestep:g} ms"
        limit = f"at most {MOST_DELAY:g} of the shortest time constant, {longest:g} ms"
        found.append(Problem(where, what, limit, "Give shorter delays, or longer tau_plus and tau_minus."))
    return found


MODEL = SynapseModel("STDPMechanism", frozenset({"ideal", "spinnaker1"}), pair_rule, problems)
