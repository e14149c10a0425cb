"""Declarations of synapse types that do not fit together."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from evsim.errors import EvsimError
from evsim.pynn.own_synapses import parameter, state, synapse_type


def _asks_too_much(weight, tau_n):
    return weight


def _returns_one(weight, left):
    return weight


def _returns_a_tuple(weight):
    return (weight,)


def _cannot_be_compiled(weight, left):
    return float(str(weight)) + len({"a": left}.popitem()), left


def _of_no_numbers(weight, left):
    return weight, "much"


def _raises(weight, left):
    assert weight > 0
    return weight, left


def _uses_nothing(weight, left):
    return weight * missing, left  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, "synapse type Mine has no function 'release'; define it in the class"),
        (
            {"release": _asks_too_much, "left": state(1.0, ""), "tau": parameter(3.0, "ms")},
            "release() asks for tau_n; there are chance, chance_2, chance_3, chance_4, dt, interval, left, tau, weight",
        ),
        ({"release": _returns_one, "left": state(1.0, "")}, "returns 1 value; return what is released, left"),
        ({"release": _returns_a_tuple}, "returns 1 value; return what is released alone, and no tuple"),
        ({"release": _cannot_be_compiled, "left": state(1.0, "")}, "synapse type Mine: release() cannot be compiled: "),
        ({"release": _of_no_numbers, "left": state(1.0, "")}, "release() returns 'much' for left; return a number"),
        ({"release": _uses_nothing, "left": state(1.0, "")}, "be compiled: _uses_nothing uses missing, which is"),
        ({"release": _raises, "left": state(1.0, "")}, "synapse type Mine: release() raises exceptions, which reach n"),
        ({"release": _returns_one, "delay": parameter(1.0, "ms")}, "delay stands for two things; rename one"),
        ({"release": _returns_one, "chance": state(1.0, "")}, "chance stands for two things; rename one"),
        (
            {"release": _returns_a_tuple, "tau": parameter(0.0, "ms", above_zero=True)},
            "synapse type Mine: the default tau is 0; it must be finite and above 0 ms",
        ),
        ({"release": _returns_a_tuple, "x": state(np.nan, "")}, "the default x is nan; it must be a finite number"),
    ],
)
def test_what_does_not_fit_together_is_refused_where_it_is_declared(members: dict[str, Any], message: str):
    with pytest.raises(EvsimError, match=re.escape(message)) as refused:
        synapse_type(type("Mine", (), members))
    if "compiled" in message:
        reason = str(refused.value).partition("compiled: ")[2]
        assert 10 < len(reason) < 200 and "Failed in" not in reason and "\n" not in reason
