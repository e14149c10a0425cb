"""How much of its weight a synapse releases at a spike: rules of short-term plasticity and of chance, in PyNN's terms.

All of them depend on the spikes of the source alone. Between two spikes an interval h apart, and at a spike:

    TsodyksMarkram  Of a synapse's resources x are available, y are active and z = 1 - x - y have to recover: y decays
                    to z with tau_psc, the time constant of the target's response, and z to x with tau_rec. The use u
                    decays with tau_facil, and at a spike becomes u + U * (1 - u); then u * x of the weight is released,
                    and moves from x to y (Tsodyks, Uziel and Markram 2000, J. Neurosci. 20 RC50, as NEST's
                    ``tsodyks_synapse``).
    MultiQuantal    Of n sites a are available, or all where a is more. Each other one recovers with probability
                    1 - exp(-h / tau_rec). At a spike each available site releases the n-th part of the weight with
                    probability u, which is as above (Fuhrmann et al. 2002, J. Neurophysiol. 87; as NEST's
                    ``quantal_stp_synapse``).
    Bernoulli       The whole weight is released with probability p.

A time constant of 0 is one of which nothing is left after any interval.

A script may bring rules of its own, each with a function of one synapse (``evsim.pynn.own_synapses``); those by which
synapses learn are in ``evsim.learning_rule``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evsim.synapses import is_constant, take

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Span:
    """The numbers that a parameter may be, which are finite.

    Attributes:
        unit: ``"ms"``, or empty.
        whole: whether they are integers.
        beyond: whether they are all greater than ``least``.
    """

    least: float = -math.inf
    most: float = math.inf
    unit: str = ""
    whole: bool = False
    beyond: bool = False

    def __str__(self) -> str:
        """What they may be, to follow "it must be"."""
        unit = f" {self.unit}" if self.unit else ""
        if self.whole and math.isinf(self.most):
            return f"a whole number of at least {self.least:g}"
        if self.whole:
            return f"a whole number from {self.least:g} to {self.most:g}"
        if math.isinf(self.least):
            return "a finite number"
        if math.isinf(self.most):
            return f"finite and {'above' if self.beyond else 'at least'} {self.least:g}{unit}"
        return f"from {self.least:g} to {self.most:g}{unit}"

    def fault(self, name: str, values: Floats) -> tuple[str, str] | None:
        """What is wrong with some of the values (n,) of a parameter, and what they must be; None if nothing is."""
        each = len(values) if is_constant(values) else 1
        known = values[:1] if is_constant(values) else values
        with np.errstate(invalid="ignore"):
            good = np.isfinite(known) & (known >= self.least) & (known <= self.most)
            good &= (known == np.rint(known)) | (not self.whole)
            good &= (known > self.least) | (not self.beyond)
        if good.all():
            return None
        count, unit = each * int(np.count_nonzero(~good)), f" {self.unit}" if self.unit else ""
        return f"{name} is {known[~good][0]:g}{unit} in {count} of {len(values)} synapses", f"it must be {self}"


MOST_SITES = 1e5  # of a synapse: for each, a number is drawn at every spike
_CHANCE = Span(0.0, 1.0)
_TAU = Span(0.0, unit="ms")
_STATES = {"u": _CHANCE, "x": _CHANCE, "y": _CHANCE, "a": Span(0.0, whole=True)}
_DYNAMICS = {"U": _CHANCE, "tau_rec": _TAU, "tau_facil": _TAU}


# What the function of a rule of a script's own may ask for besides state variables and parameters: the weight, the time
# since the source's spike before (ms; inf at its first one), the time step (ms), and numbers drawn from 0 to 1.
WEIGHT, INTERVAL, STEP = "weight", "interval", "dt"
CHANCES = ("chance", "chance_2", "chance_3", "chance_4")
GIVEN = (WEIGHT, INTERVAL, STEP, *CHANCES)


@dataclass(frozen=True, eq=False)
class ReleaseRule:
    """What a rule asks for.

    Attributes:
        parameters: name -> what it may be.
        initial: state variable -> what it is at rest.
        law: of a rule of a script's own: ``law(...) -> (released, *states)``, what a synapse delivers at a spike and
            its state variables then, in their order; ``released`` alone where there are none. It asks for what it needs
            by the names of its arguments: ``GIVEN``, parameters, state variables. It is compiled by numba.
    """

    parameters: Mapping[str, Span]
    initial: Mapping[str, float] = field(default_factory=dict)
    law: Callable[..., Any] | None = None

    @property
    def learns(self) -> bool:
        """Whether weights change for good (``evsim.learning_rule``)."""
        return False

    def state_faults(self, states: Mapping[str, Floats]) -> Iterator[tuple[str, str]]:
        """What is wrong with values of state variables; those that are not given have their defaults."""
        for name, values in states.items():
            if fault := (Span() if self.law else _STATES[name]).fault(name, values):
                yield fault
        if self.law is None and {"x", "y"} & states.keys():
            x, y = (np.asarray(states.get(name, self.initial[name])) for name in ("x", "y"))
            if (most := float(np.max(x + y, initial=0.0))) > 1 + 1e-12:
                yield f"x + y is {most:g}", "available and active resources are at most 1 together"


RULES: dict[str, ReleaseRule] = {
    "TsodyksMarkram": ReleaseRule(_DYNAMICS, {"u": 0.0, "x": 1.0, "y": 0.0}),
    "MultiQuantal": ReleaseRule({**_DYNAMICS, "n": Span(1.0, MOST_SITES, whole=True)}, {"u": 0.0, "a": math.inf}),
    "Bernoulli": ReleaseRule({"p": _CHANCE}),
}
_of_scripts: dict[str, ReleaseRule] = {}


def take_up(name: str, rule: ReleaseRule) -> None:
    """Take up a rule that a script brings, under a name that no other rule has."""
    assert name not in RULES and name not in _of_scripts, f"there is a rule named {name!r} already"
    _of_scripts[name] = rule


def rule_of(name: str) -> ReleaseRule:
    """The rule of that name: one of ``RULES``, or one of a script's own."""
    return _of_scripts[name] if name in _of_scripts else RULES[name]


@dataclass(frozen=True, eq=False)
class Release:
    """How much of their weights the synapses of a projection release; by some rules of scripts, how these learn, too.

    Attributes:
        rule: the name of one of ``RULES``, or of one of a script's own.
        parameters: name -> (n,) float64 in the order of the synapses; may be broadcast from one value.
        initial: state variable -> (n,) float64: what it was at the source's latest spike, and before the first one at
            t = 0; one that is not given has its default.
        times_set: state variable -> how often the script has set its initial values. In a running network a higher
            number than before makes them the state now, even if they are the same.
    """

    rule: str
    parameters: Mapping[str, Floats]
    initial: Mapping[str, Floats] = field(default_factory=dict)
    times_set: Mapping[str, int] = field(default_factory=dict)

    def of(self, chosen: NDArray[np.bool_]) -> Release:
        """That of some of the synapses; ``chosen`` is (n,)."""
        parameters, initial = (
            {name: take(column, chosen) for name, column in columns.items()}
            for columns in (self.parameters, self.initial)
        )
        return replace(self, parameters=parameters, initial=initial)

    @property
    def learns(self) -> bool:
        """Whether it is a rule by which weights change for good; of a rule that is not known here, no."""
        return self.rule in _of_scripts and _of_scripts[self.rule].learns

    def faults(self) -> Iterator[tuple[str, str]]:
        """What is wrong with the numbers of a known rule, and what they must be."""
        rule = rule_of(self.rule)
        for name, span in rule.parameters.items():
            if name not in self.parameters:
                yield f"{name} is missing", f"it must be {span}"
            elif fault := span.fault(name, self.parameters[name]):
                yield fault
        yield from rule.state_faults(self.initial)


def set_anew(before: Release, now: Release, variable: str) -> bool:
    """Whether the initial values of a state variable were set between two versions of a projection that runs."""
    return now.times_set.get(variable, 0) != before.times_set.get(variable, 0)
