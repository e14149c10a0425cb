"""Declarations of synapse types that learn, and do not fit together."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evsim.errors import EvsimError
from evsim.pynn.own_synapses import parameter, source_trace, state, synapse_type, target_trace

TAU = parameter(20.0, "ms", above_zero=True)


def _weight(weight):
    return weight


def _two(weight):
    return weight, weight


def _three(weight):
    return weight, weight, weight


def _tuple(weight):
    return (weight,)


def _asks_too_much(weight, tau_n):
    return weight


def _of_no_numbers(weight):
    return "much"


def _raises(weight):
    assert weight > 0
    return weight


def _cannot_be_compiled(weight):
    found = {"a": weight}.popitem()
    return found[1] + len(np.array([found]))


def _divides(weight):
    return 1 / (weight - 1), weight, weight


def _uses_nothing(weight):
    return weight * missing  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"on_pre": _weight, "release": _weight}, "has release() and on_pre() or on_post(); let on_pre() return what"),
        ({"on_pre": 3.0}, "synapse type Mine has no function 'on_pre'; define it in the class"),
        (
            {"on_post": _asks_too_much, "tau": TAU, "pre": source_trace(TAU)},
            "on_post() asks for tau_n; there are chance, chance_2, chance_3, chance_4, dt, interval, pre, since_post, "
            "since_pre, tau, weight",
        ),
        ({"on_pre": _three}, "on_pre() returns 3 values; return weight alone, and no tuple, or what is released, w"),
        ({"on_post": _two}, "on_post() returns 2 values; return weight alone, and no tuple"),
        ({"on_post": _tuple}, "on_post() returns 1 value; return weight alone, and no tuple"),
        ({"on_post": _weight, "x": state(0.0, "")}, "on_post() returns 1 value; return weight, x"),
        ({"on_pre": _weight, "x": state(0.0, "")}, "1 value; return weight, x, or what is released, weight, x"),
        ({"on_pre": _divides}, "on_pre() returns 3 values; return weight alone"),
        ({"on_pre": _of_no_numbers}, "on_pre() returns 'much'; return numbers"),
        ({"on_post": _raises}, "synapse type Mine: on_post() raises exceptions, which reach nobody as a network runs"),
        ({"on_post": _cannot_be_compiled}, "synapse type Mine: on_post() cannot be compiled: "),
        ({"on_post": _uses_nothing}, "cannot be compiled: "),
        ({"on_pre": _weight, "delay": parameter(1.0, "ms")}, "delay stands for two things; rename one"),
        ({"on_pre": _weight, "since_pre": state(1.0, "ms")}, "since_pre stands for two things; rename one"),
        (
            {"on_pre": _weight, "dendritic_delay_fraction": parameter(1.0, "")},
            "dendritic_delay_fraction stands for two things; rename one",
        ),
        ({"on_pre": _weight, "tau": TAU, "interval": target_trace(TAU)}, "interval stands for two things; rename one"),
        ({"on_pre": _weight, "pre": source_trace(20.0)}, "the time constant of pre is 20.0; give a parameter of the"),
        ({"on_pre": _weight, "pre": source_trace(TAU)}, "the time constant of pre is Parameter("),
        (
            {"on_pre": _weight, "tau": (tau := parameter(1.0, "ms")), "pre": source_trace(tau)},
            "the time constant of pre is tau; declare it with above_zero=True",
        ),
        ({"on_pre": _weight, "x": state(np.nan, "")}, "the default x is nan; it must be a finite number"),
        (
            {"on_pre": _weight, "tau": parameter(0.0, "ms", above_zero=True)},
            "synapse type Mine: the default tau is 0; it must be finite and above 0 ms",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused_where_it_is_declared(members: dict[str, Any], message: str):
    with pytest.raises(EvsimError, match=re.escape(message)):
        synapse_type(type("Mine", (), members))


@pytest.mark.parametrize("name", ["on_pre", "on_post", "release"])
def test_the_line_that_cannot_be_compiled_is_named(name: str):
    lines, first = inspect.getsourcelines(_cannot_be_compiled)
    with pytest.raises(EvsimError) as refused:
        synapse_type(type("Mine", (), {name: _cannot_be_compiled}))
    reason = str(refused.value).partition("compiled: ")[2]
    assert 10 < len(reason) < 300 and "Failed in" not in reason and "\n" not in reason
    places = [int(line) for line in re.findall(rf"\({re.escape(Path(__file__).name)}, line (\d+)\)", reason)]
    assert len(places) == 1 and first <= places[0] < first + len(lines)
