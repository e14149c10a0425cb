"""What Loihi's learning engine cannot do of what plastic projections ask for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from evsim.arithmetic.loihi import WEIGHT_MAX
from evsim.arithmetic.loihi_learning import EXPONENT_MAX, EXPONENT_MIN, MANTISSA_MAX, TRACE_MAX
from evsim.chip import Chip
from evsim.deploy.loihi import bound_of, scale_of, weight_range
from evsim.deploy.loihi_learning import pair_rule_of, tau_steps, wanted
from evsim.errors import Problem
from evsim.model import NeuronModel, PairRule
from evsim.network import Network, Projection
from evsim.registry import cell_model

TIMING = "SpikePairRule"
DEPENDENCES = (
    "AdditiveWeightDependence",
    "MultiplicativeWeightDependence",
    "AdditivePotentiationMultiplicativeDepression",
)
ELSEWHERE = "run on reference:ideal or reference:spinnaker1, if they have it"


def learning_problems(network: Network, chip: Chip) -> Iterator[Problem]:
    """Every plastic projection whose rule, amplitudes or weights the learning engine does not hold."""
    for projection in network.projections:
        if projection.plasticity is None or not len(projection):
            continue
        lacking = list(_rule_problems(projection, chip))
        yield from lacking
        if not lacking:
            rule = pair_rule_of(projection)
            yield from _tau_problems(projection, rule, network.timestep, chip)
            yield from _amplitude_problems(projection, rule, chip)
            yield from _bound_problems(network, projection, rule, chip)


def _rule_problems(projection: Projection, chip: Chip) -> Iterator[Problem]:
    where, plasticity = f"projection {projection.label!r}", projection.plasticity
    assert plasticity is not None
    if plasticity.timing != TIMING:
        limit = f"the learning rules of {chip.name} are sums of products of one trace at each end: {TIMING}"
        yield Problem(where, f"the rule {plasticity.timing}", limit, f"Use it, or {ELSEWHERE}.")
    if plasticity.weight not in DEPENDENCES:
        limit = f"a product on {chip.name} has the weight as a factor once or not at all: {', '.join(DEPENDENCES)}"
        yield Problem(where, f"the rule {plasticity.weight}", limit, f"Use one of these, or {ELSEWHERE}.")


def _tau_problems(projection: Projection, rule: PairRule, timestep: float, chip: Chip) -> Iterator[Problem]:
    most = chip.limit("trace_tau") or np.inf
    for name, tau in (("tau_plus", rule.tau_plus), ("tau_minus", rule.tau_minus)):
        if not 1 <= tau_steps(tau, timestep) <= most:
            other = "longer" if tau > timestep else "shorter"
            yield Problem(
                f"projection {projection.label!r}",
                f"{name} is {tau:g} ms, {tau / timestep:g} time steps",
                f"a trace of {chip.name} decays in 1 to {most:g} whole steps, which are {timestep:g} to "
                f"{most * timestep:g} ms",
                f"Give another {name}, or a {other} timestep.",
            )


def _amplitude_problems(projection: Projection, rule: PairRule, chip: Chip) -> Iterator[Problem]:
    least, most = 2.0**EXPONENT_MIN, MANTISSA_MAX * 2.0**EXPONENT_MAX * TRACE_MAX
    for name, amplitude, mu in (("A_plus", rule.a_plus, rule.mu_plus), ("A_minus", rule.a_minus, rule.mu_minus)):
        unit = wanted(1.0, mu)
        if amplitude and not least <= wanted(amplitude, mu) <= most:
            yield Problem(
                f"projection {projection.label!r}",
                f"{name} is {amplitude:g}",
                f"{chip.name} resolves magnitudes from {least / unit:.2g} to {most / unit:.4g}, by a mantissa of "
                f"{MANTISSA_MAX}, an exponent of {EXPONENT_MIN} to {EXPONENT_MAX} and an impulse of 1 to {TRACE_MAX}",
                f"Give another {name}, or 0.",
            )


def _bound_problems(network: Network, projection: Projection, rule: PairRule, chip: Chip) -> Iterator[Problem]:
    where = f"projection {projection.label!r}"
    if rule.w_min != 0:
        limit = f"the learning engine of {chip.name} keeps weights between 0 and their largest mantissa"
        yield Problem(where, f"w_min is {rule.w_min:g}", limit, f"Set w_min to 0, or {ELSEWHERE}.")
    model = cell_model(network.populations[projection.post].model)
    assert isinstance(model, NeuronModel)
    row = model.rules[chip.rules.name].inputs[projection.receptor]
    per_unit = scale_of(network, projection.post, chip).per_unit(row)
    within = weight_range(projection.synapses, row=row, bound=bound_of(projection))
    exponent = within.exponent(per_unit)
    mantissa = within.largest * within.mantissas(per_unit, exponent)
    units = mantissa * 2.0**exponent
    if round(units) < WEIGHT_MAX:
        yield Problem(
            where,
            f"w_max of {rule.w_max:g} {model.weight_unit} is {units:.3g} units of input",
            f"at least {WEIGHT_MAX} on {chip.name}, where every step of a plastic weight must be felt by itself",
            "Make w_max larger, or what makes the scale coarse smaller: other weights, currents, voltages.",
        )
    elif round(mantissa) != WEIGHT_MAX:
        yield Problem(
            where,
            f"w_max is {rule.w_max:g} {model.weight_unit}, and a weight could grow to "
            f"{rule.w_max * WEIGHT_MAX / mantissa:.4g}",
            f"the learning engine of {chip.name} ends at the mantissa {WEIGHT_MAX}, in the scale that all projections "
            "onto a population share",
            "Make w_max of all plastic projections onto the population equal, or powers of two apart, or give each a "
            "population of its own.",
        )
