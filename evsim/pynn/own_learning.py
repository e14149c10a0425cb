"""Synapses of a user's own that learn: what a class with ``on_pre``, ``on_post`` or both declares.

    from evsim.pynn.own_synapses import parameter, source_trace, synapse_type, target_trace

    @synapse_type
    class Pairs:
        \"\"\"Pairs of spikes, all of which count.\"\"\"

        tau_plus = parameter(20.0, "ms", above_zero=True)
        tau_minus = parameter(20.0, "ms", above_zero=True)
        up = parameter(0.01, "nA")
        down = parameter(0.012, "nA")
        w_max = parameter(1.0, "nA")
        pre = source_trace(tau_plus)
        post = target_trace(tau_minus)

        def on_pre(weight, post, down):
            return max(weight - down * post, 0.0)

        def on_post(weight, pre, up, w_max):
            return min(weight + up * pre, w_max)

Both ask by name for

- ``weight``, in PyNN's unit and with its sign; parameters; states; traces, without the spike itself;
- ``since_pre``, ``since_post`` (ms): the time since the spike of the source, and of the target, before; ``inf`` where
  there was none; ``interval``: that since the later of both;
- ``dt`` (ms): the time step;
- ``chance``, ``chance_2``, ``chance_3``, ``chance_4``: random numbers from 0 to 1, other ones for each synapse and
  spike.

They return the weight and the states, in the order in which they are declared; without states the weight alone.
``on_pre`` may return what is released before these; else that is the new weight. ``evsim.learning_rule`` says in which
order spikes are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any

import numpy as np

from evsim.errors import EvsimError
from evsim.learning_rule import FRACTION, GIVEN, SOURCE, TARGET, LearningRule, Trace
from evsim.model import arguments
from evsim.pynn.declared import (
    TAKEN_BY_SYNAPSES,
    DeclaredTrace,
    Parameter,
    function_of,
    parameters_of,
    raises,
    span_of,
    states_of,
    traces_of,
    why_not_compiled,
)
from evsim.release import Span

Law = Callable[..., Any]

_NAMES = ("on_pre", "on_post")


def source_trace(tau: Any) -> Any:
    """A trace of the source's spikes: it decays with ``tau``, a parameter of the class, and rises by 1 at each."""
    return DeclaredTrace(SOURCE, tau)


def target_trace(tau: Any) -> Any:
    """A trace of the target's spikes, likewise."""
    return DeclaredTrace(TARGET, tau)


def learns(declared: type) -> bool:
    """Whether a class says how its synapses learn."""
    return any(name in vars(declared) for name in _NAMES)


def learning_rule(declared: type, what: str) -> LearningRule:
    """The rule that a class declares, compiled.

    Args:
        what: names the class where something is wrong.

    Raises:
        EvsimError: the class's parts do not fit together, or a function cannot be compiled.
    """
    if "release" in vars(declared):
        raise EvsimError(f"{what} has release() and on_pre() or on_post(); let on_pre() return what is released")
    laws = {name: function_of(declared, name, what) for name in _NAMES if name in vars(declared)}
    parameters, states, traces = parameters_of(declared), states_of(declared), traces_of(declared)
    _refuse_names({*parameters, *states, *traces}, laws, what)
    spans = {key: span_of(value) for key, value in parameters.items()}
    for key, value in (parameters | states).items():
        if fault := spans.get(key, Span()).fault(key, np.full(1, value.default)):
            raise EvsimError(f"{what}: the default {key} is {value.default:g}; {fault[1]}")
    rule = LearningRule(
        {FRACTION: Span(0.0, 1.0), **spans},
        {key: value.default for key, value in states.items()},
        traces={key: Trace(value.side, _tau(key, value, parameters, what)) for key, value in traces.items()},
        releases=_results(declared, laws, what),
        on_pre=laws.get("on_pre"),
        on_post=laws.get("on_post"),
    )
    _compile(rule, what)
    return rule


def _refuse_names(own: set[str], laws: dict[str, Law], what: str) -> None:
    if twice := sorted(own & {*GIVEN, *TAKEN_BY_SYNAPSES, FRACTION}):
        raise EvsimError(f"{what}: {', '.join(twice)} stands for two things; rename one")
    known = {*GIVEN, *own}
    for name, law in laws.items():
        if raises(law):
            raise EvsimError(
                f"{what}: {name}() raises exceptions, which reach nobody as a network runs; leave them out"
            )
        if odd := [key for key in arguments(law) if key not in known]:
            raise EvsimError(f"{what}: {name}() asks for {', '.join(odd)}; there are {', '.join(sorted(known))}")


def _tau(name: str, trace: DeclaredTrace, parameters: dict[str, Parameter], what: str) -> str:
    """The name of the parameter with the time constant of a trace."""
    found = next((key for key, value in parameters.items() if value is trace.tau), None)
    if found is None:
        raise EvsimError(f"{what}: the time constant of {name} is {trace.tau!r}; give a parameter of the class, in ms")
    if not parameters[found].above_zero:
        raise EvsimError(f"{what}: the time constant of {name} is {found}; declare it with above_zero=True")
    return found


# --- what functions return -------------------------------------------------------------------------------------------


def _results(declared: type, laws: dict[str, Law], what: str) -> bool:
    """Whether ``on_pre`` says what is released; raises EvsimError where a function returns something else."""
    states, releases = list(states_of(declared)), False
    for name, law in laws.items():
        forms = [["weight", *states]]
        if name == "on_pre":
            forms.append(["what is released", "weight", *states])
        count, is_tuple = _count(declared, law, f"{what}: {name}()")
        if count not in map(len, forms) or (count == 1 and is_tuple):
            wanted = ", or ".join(", ".join(form) if len(form) > 1 else "weight alone, and no tuple" for form in forms)
            raise EvsimError(f"{what}: {name}() returns {count} value{'s' if count > 1 else ''}; return {wanted}")
        releases |= name == "on_pre" and count == len(states) + 2
    return releases


def _count(declared: type, law: Law, what: str) -> tuple[int, bool]:
    """How many values a function returns, and whether that is a tuple: tried out with default values."""
    values: dict[str, float] = {**dict.fromkeys([*GIVEN, *traces_of(declared)], 0.5), "weight": 1.0}
    values |= {key: value.default for key, value in (parameters_of(declared) | states_of(declared)).items()}
    try:
        found = law(**{key: values[key] for key in arguments(law)})
    except Exception:  # numbers behave otherwise where they are compiled (1 / 0 is inf)
        return _compiled_count(law, what)
    given = list(found) if isinstance(found, tuple) else [found]
    for value in given:
        if not isinstance(value, (Real, np.bool_)):
            raise EvsimError(f"{what} returns {value!r}; return numbers")
    return len(given), isinstance(found, tuple)


def _compiled_count(law: Law, what: str) -> tuple[int, bool]:
    """The same of the compiled function."""
    import numba  # which an import of the API does without
    from numba import types

    signature = (types.float64,) * len(arguments(law))
    try:
        compiled: Any = numba.njit(law, error_model="numpy")
        compiled.compile(signature)
    except Exception as error:
        raise EvsimError(f"{what} cannot be compiled: {why_not_compiled(str(error), [law])}") from error
    found = compiled.overloads[signature].signature.return_type
    is_tuple = isinstance(found, types.BaseTuple)
    return (len(found) if is_tuple else 1), is_tuple


def _compile(rule: LearningRule, what: str) -> None:
    from evsim.engine.own_learning import learning_function  # loads numba, which an import of the API does without

    laws: Sequence[Law] = [law for law in (rule.on_pre, rule.on_post) if law]
    try:
        learning_function(rule)
    except Exception as error:  # numba's own, and any that Python raises where numba looks up what is used
        names = " or ".join(f"{name}()" for name in _NAMES if getattr(rule, name))
        raise EvsimError(f"{what}: {names} cannot be compiled: {why_not_compiled(str(error), laws)}") from error
