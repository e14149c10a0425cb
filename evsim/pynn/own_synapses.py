"""Synapse types of a user's own, written in a script: what a synapse releases at a spike, or how it learns.

    from evsim.pynn.own_synapses import parameter, state, synapse_type

    @synapse_type
    class Fatigue:
        \"\"\"Each spike takes a part of what is left, and what is missing comes back with tau.\"\"\"

        part = parameter(0.5, "dimensionless", not_negative=True)
        tau = parameter(100.0, "ms", above_zero=True)
        left = state(1.0, "dimensionless")

        def release(weight, left, part, tau, interval):
            left = 1.0 - (1.0 - left) * np.exp(-interval / tau)
            return weight * part * left, left - part * left

What the decorator returns is a synapse type like those of PyNN. ``docs/own_models.md`` explains it by examples, of
synapses that learn, too (``evsim.pynn.own_learning``).
"""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
from pyNN import errors
from pyNN.standardmodels import StandardSynapseType

from evsim import registry
from evsim.errors import EvsimError, Problem
from evsim.learning_rule import FRACTION
from evsim.model import SynapseModel, arguments
from evsim.network import Network, Projection
from evsim.pynn import own_types
from evsim.pynn.declared import (
    TAKEN_BY_SYNAPSES,
    function_of,
    parameter,
    parameters_of,
    raises,
    span_of,
    state,
    states_of,
    why_not_compiled,
)
from evsim.pynn.invalid import naming
from evsim.pynn.own_learning import learning_rule, learns, source_trace, target_trace
from evsim.pynn.synapses import Column, Columns, ReleasingSynapse, same_names
from evsim.release import GIVEN, WEIGHT, Release, ReleaseRule, Span, take_up

__all__ = ["parameter", "source_trace", "state", "synapse_type", "target_trace"]


def synapse_type(declared: type) -> type[StandardSynapseType]:
    """Make a synapse type of a class that declares parameters, states and what is done at a spike; a decorator.

    The class has, besides ``parameter``s and ``state``s, the function ``release(...)``: what one synapse does when a
    spike of its source arrives. (One of a synapse that learns has ``on_pre(...)``, ``on_post(...)`` or both in its
    place; see ``evsim.pynn.own_learning``.) It asks by name for

    - ``weight``, in PyNN's unit and with its sign;
    - parameters, and the states as the spike before left them;
    - ``interval`` (ms): the time since the source's spike before; ``inf`` at its first one;
    - ``dt`` (ms): the time step;
    - ``chance``, ``chance_2``, ``chance_3``, ``chance_4``: random numbers from 0 to 1, other ones for each synapse and
      spike.

    It returns what is delivered to the cell, in the unit of the weight, and the states, in the order in which they are
    declared; without states what is delivered alone. It is compiled, and must not raise exceptions.

    It computes in double precision, in the rule set ``ideal``; a chip refuses it.

    Raises:
        EvsimError: the class lacks something, its parts do not fit together, or the function cannot be compiled.
    """
    what = f"synapse type {declared.__name__}"
    kind: type[StandardSynapseType] = _OwnSynapse
    if learns(declared):
        rule, kind = learning_rule(declared, what), _OwnLearningSynapse
    else:
        rule = _rule(declared, what)
        _try(declared, rule, what)
        _compile(rule, what)
    name = registry.free_name(declared.__name__)  # a class that is declared anew is another model
    rule_name = f"the rule of {name}"
    take_up(rule_name, rule)
    registry.register(SynapseModel(name, frozenset({"ideal"}), problems=_problems))
    made: Any = type(declared.__name__, (kind,), _members(declared, rule, name, rule_name))
    own_types.note(made)
    return made


class _OwnSynapse(ReleasingSynapse, StandardSynapseType):
    """What types of a user's own share."""

    model_name: str

    def __init__(self, weight: Any = 0.0, delay: Any = None, **parameters: Any) -> None:
        own = type(self)
        for name in parameters:
            if name not in self.default_parameters:
                raise errors.NonExistentParameterError(name, own.__name__, own.get_parameter_names())
        with naming(own.__name__, parameters):
            super().__init__(weight=weight, delay=delay, **parameters)


class _OwnLearningSynapse(_OwnSynapse):
    """What those of them share whose weights change for good."""

    def release(self, column: Column, initial: Columns, times_set: Mapping[str, int]) -> Release:
        """By the parameters of each synapse; raises InvalidParameterValueError where delays are split differently."""
        fractions = column(FRACTION)
        if len(fractions) and (fractions != fractions[0]).any():
            raise errors.InvalidParameterValueError(
                f"{type(self).__name__}: {FRACTION} differs between synapses; evsim takes one value for a projection"
            )
        return super().release(column, initial, times_set)


def _members(declared: type, rule: ReleaseRule, name: str, rule_name: str) -> dict[str, Any]:
    defaults = {key: value.default for key, value in parameters_of(declared).items()}
    if rule.learns:
        defaults = {FRACTION: 1.0, **defaults}
    return {
        "__doc__": declared.__doc__,
        "__module__": declared.__module__,
        "__qualname__": declared.__qualname__,
        "default_parameters": {WEIGHT: 0.0, "delay": None, **defaults},
        "default_initial_values": dict(rule.initial),
        "translations": same_names(WEIGHT, "delay", *defaults),
        "model_name": name,
        "rule": rule_name,
    }


def _problems(network: Network, projection: Projection, rules: str) -> list[Problem]:
    """What cannot be about the parameters of such a projection."""
    where, release = f"projection {projection.label!r}", projection.release
    if release is None or release.rule != f"the rule of {projection.synapse}":
        what = "no rule of release" if release is None else release.rule
        limit = f"{projection.synapse} releases by a rule of its own"
        return [Problem(where, what, limit, "Give its parameters.")]
    faults = list(release.faults())
    if not faults and release.learns and np.ptp(release.parameters[FRACTION]):
        faults.append((f"{FRACTION} differs between synapses", "it must be one for all"))
    return [Problem(where, what, limit, "Correct it.") for what, limit in faults]


# --- what a class declares -------------------------------------------------------------------------------------------


def _rule(declared: type, what: str) -> ReleaseRule:
    parameters, states = parameters_of(declared), states_of(declared)
    law = function_of(declared, "release", what)
    if raises(law):
        raise EvsimError(f"{what}: release() raises exceptions, which reach nobody as a network runs; leave them out")
    if twice := sorted({*parameters, *states} & {*GIVEN, *TAKEN_BY_SYNAPSES}):
        raise EvsimError(f"{what}: {', '.join(twice)} stands for two things; rename one")
    known = {*GIVEN, *parameters, *states}
    if odd := [key for key in arguments(law) if key not in known]:
        raise EvsimError(f"{what}: release() asks for {', '.join(odd)}; there are {', '.join(sorted(known))}")
    spans = {key: span_of(value) for key, value in parameters.items()}
    initial = {key: value.default for key, value in states.items()}
    rule = ReleaseRule(spans, initial, law)
    for key, value in (parameters | states).items():
        if fault := spans.get(key, Span()).fault(key, np.full(1, value.default)):
            raise EvsimError(f"{what}: the default {key} is {value.default:g}; {fault[1]}")
    return rule


def _try(declared: type, rule: ReleaseRule, what: str) -> None:
    """One spike over a synapse with default values, to see that what comes back is what should."""
    assert rule.law is not None, "just declared"
    values = {**dict.fromkeys(GIVEN, 0.5), WEIGHT: 1.0, **rule.initial}
    values |= {key: value.default for key, value in parameters_of(declared).items()}
    try:
        found = rule.law(**{key: values[key] for key in arguments(rule.law)})
    except Exception:
        return  # numbers behave otherwise where they are compiled (1 / 0 is inf), and what is wrong is said there
    names = ["what is released", *rule.initial]
    given = list(found) if isinstance(found, tuple) else [found]
    if len(given) != len(names) or (isinstance(found, tuple) and not rule.initial):
        wanted = ", ".join(names) if rule.initial else "what is released alone, and no tuple"
        count = f"{len(given)} value{'s' if len(given) > 1 else ''}"
        raise EvsimError(f"{what}: release() returns {count}; return {wanted}")
    for name, value in zip(names, given, strict=True):
        if not isinstance(value, (Real, np.bool_)):
            raise EvsimError(f"{what}: release() returns {value!r} for {name}; return a number")


def _compile(rule: ReleaseRule, what: str) -> None:
    from evsim.engine.own_release import law_function  # loads numba, which an import of the API does without

    try:
        law_function(rule)
    except Exception as error:  # numba's own, and any that Python raises where numba looks up what is used
        assert rule.law is not None, "just declared"
        reason = why_not_compiled(str(error), [rule.law])
        raise EvsimError(f"{what}: release() cannot be compiled: {reason}") from error
