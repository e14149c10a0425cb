"""STDPMechanism: plasticity by the rules of PyNN and of sPyNNaker; that of ``recurrent_rule`` is one in functions.

The weight dependences of pairs are one formula with two exponents (Guetig et al. 2003), as in NEST's ``stdp_synapse``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from evsim.errors import Problem
from evsim.model import SynapseModel
from evsim.network import Network, Plasticity, Projection
from evsim.pair_rule import PairRule
from evsim.release import Release
from evsim_models import recurrent_rule

# rule on spike times -> its time constants (ms)
TIMING_RULES = {
    "SpikePairRule": ("tau_plus", "tau_minus"),
    "SpikeNearestPairRule": ("tau_plus", "tau_minus"),
    "Vogels2011Rule": ("tau",),
    "PfisterSpikeTriplet": ("tau_plus", "tau_minus", "tau_x", "tau_y"),
    recurrent_rule.TIMING: recurrent_rule.WINDOWS,
}

# weight dependence -> exponents of potentiation and depression; None: parameters of the rule
EXPONENTS = {
    "AdditiveWeightDependence": (0.0, 0.0),
    "MultiplicativeWeightDependence": (1.0, 1.0),
    "AdditivePotentiationMultiplicativeDepression": (0.0, 1.0),
    "GutigWeightDependence": None,
}
ADDITIVE = "AdditiveWeightDependence"
OF_TRIPLETS = "WeightDependenceAdditiveTriplet"

# A trace of so many time constants ago is e^200 smaller; sums of longer ones would leave the range of a double.
MOST_DELAY = 200.0


def pair_rule(projection: Projection) -> PairRule:
    """The rule in physical numbers.

    Bounds of the other sign than the weights' are magnitudes, as in sPyNNaker. Amplitudes are parts of w_max, except
    that of Vogels et al. (2011), a learning rate in the unit of the weight.
    """
    plasticity = projection.plasticity
    assert plasticity is not None
    given = plasticity.parameters
    least, most = _bounds(projection, plasticity)
    is_symmetric = plasticity.timing == "Vogels2011Rule"
    rule = PairRule(
        tau_plus=given["tau" if is_symmetric else "tau_plus"],
        tau_minus=given["tau" if is_symmetric else "tau_minus"],
        a_plus=given["A_plus"],
        a_minus=given.get("A_minus", 0.0),
        w_min=least,
        w_max=most,
        dendritic_delay_fraction=plasticity.dendritic_delay_fraction,
        nearest=plasticity.timing == "SpikeNearestPairRule",
    )
    if is_symmetric:
        rate = given["A_plus"] / abs(given["w_max"])
        return replace(rule, a_plus=rate, a_minus=-rate, cost=given["alpha"] * rate)
    if plasticity.timing == "PfisterSpikeTriplet":
        slow = {name: given[name] for name in ("tau_x", "tau_y")}
        return replace(rule, a3_plus=given["A3_plus"], a3_minus=given["A3_minus"], **slow)
    mu_plus, mu_minus = _exponents(plasticity)
    return replace(rule, mu_plus=mu_plus, mu_minus=mu_minus)


def _bounds(projection: Projection, plasticity: Plasticity) -> tuple[float, float]:
    """w_min and w_max with the sign of the weights."""
    least, most, spread = plasticity.parameters["w_min"], plasticity.parameters["w_max"], projection.synapses.weights
    sign = -1.0 if spread.least < 0 < most or spread.most > 0 > most else 1.0
    return sign * least, sign * most


def _exponents(plasticity: Plasticity) -> tuple[float, float]:
    """Of potentiation and of depression."""
    given = plasticity.parameters
    return EXPONENTS[plasticity.weight] or (given["mu_plus"], given["mu_minus"])


def learned(projection: Projection) -> Release | None:
    """How the synapses learn where that is by no pairs; amplitudes are parts of w_max as in ``pair_rule``."""
    plasticity = projection.plasticity
    if plasticity is None or plasticity.timing != recurrent_rule.TIMING:
        return None
    names = ("mu_plus", "mu_minus", "w_min", "w_max")
    values = (*_exponents(plasticity), *_bounds(projection, plasticity))
    return recurrent_rule.learned(plasticity, len(projection), dict(zip(names, values, strict=True)))


def problems(network: Network, projection: Projection, rules: str) -> list[Problem]:
    """What cannot be about the plasticity of a projection in a rule set."""
    if not len(projection):
        return []
    where, plasticity = f"projection {projection.label!r}", projection.plasticity
    if plasticity is None:
        return [Problem(where, "plastic synapses without a rule", "STDPMechanism needs one", "Give its rules.")]
    unknown = [
        Problem(where, f"the rule {name}", f"STDPMechanism has {', '.join(known)}", "Use one of these rules.")
        for name, known in ((plasticity.timing, TIMING_RULES), (plasticity.weight, (*EXPONENTS, OF_TRIPLETS)))
        if name not in known
    ]
    if found := unknown or list(_rule_problems(where, plasticity)):
        return found
    found = [*_parameter_problems(where, plasticity), *_weight_problems(where, projection)]
    if plasticity.timing == recurrent_rule.TIMING:
        return [*found, *recurrent_rule.problems(where, plasticity)]
    if rules == "ideal" and not found:
        return list(_delay_problems(where, pair_rule(projection), network, projection))
    return found


def _rule_problems(where: str, plasticity: Plasticity) -> Iterator[Problem]:
    """Rules that do not go together."""
    what = f"{plasticity.timing} with {plasticity.weight}"
    if (plasticity.timing == "PfisterSpikeTriplet") != (plasticity.weight == OF_TRIPLETS):
        yield Problem(where, what, f"PfisterSpikeTriplet and {OF_TRIPLETS} need each other", "Use both or neither.")
    elif plasticity.timing == "Vogels2011Rule" and plasticity.weight != ADDITIVE:
        limit = "changes by Vogels2011Rule do not depend on the weight"
        yield Problem(where, what, limit, f"Use {ADDITIVE}.")


def _parameter_problems(where: str, plasticity: Plasticity) -> Iterator[Problem]:
    given = plasticity.parameters
    for name in (name for name, value in given.items() if not np.isfinite(value)):
        yield Problem(where, f"{name} is {given[name]:g}", "all must be finite", f"Set {name}.")
    for name in TIMING_RULES[plasticity.timing]:
        if not given[name] > 0:
            yield Problem(where, f"{name} is {given[name]:g} ms", "it must be above 0", f"Set {name}.")
    least, most = given["w_min"], given["w_max"]
    bounds = f"w_min is {least:g} and w_max is {most:g}"
    if not abs(least) < abs(most):
        yield Problem(where, bounds, "w_max must be farther from 0", "Correct w_min or w_max.")
    elif least * most < 0:
        yield Problem(where, bounds, "both must have the same sign", "Correct w_min or w_max.")
    if not 0 <= plasticity.dendritic_delay_fraction <= 1:
        what = f"dendritic_delay_fraction is {plasticity.dendritic_delay_fraction:g}"
        yield Problem(where, what, "it lies between 0 and 1", "Correct it.")


def _weight_problems(where: str, projection: Projection) -> Iterator[Problem]:
    """Weights of both signs; which sign a receptor asks for is checked with those of static synapses."""
    spread = projection.synapses.weights
    if spread.odd or not spread.least < 0 < spread.most:
        return  # the network's own check reports those that are no numbers
    wrong = np.count_nonzero(projection.weight < 0)
    what = f"{wrong} of {len(projection)} weights are negative and others positive"
    yield Problem(where, what, "plastic weights have one sign, which they keep", "Correct weight.")


def _delay_problems(where: str, rule: PairRule, network: Network, projection: Projection) -> Iterator[Problem]:
    most = int(projection.synapses.delays.most)
    longest = MOST_DELAY * min(rule.tau_plus, rule.tau_minus)
    if most * network.timestep > longest:
        what = f"a delay of {most * network.timestep:g} ms"
        limit = f"at most {MOST_DELAY:g} of the shortest time constant, {longest:g} ms"
        yield Problem(where, what, limit, "Give shorter delays, or longer time constants.")


MODEL = SynapseModel(
    "STDPMechanism", frozenset({"ideal", "spinnaker1", "loihi2_learning"}), pair_rule, problems, learned=learned
)
