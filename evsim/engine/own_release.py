"""Synapses that release by a law of a script's own: its function in native code, and its numbers in memory.

The law says what one synapse does at a spike (``evsim.release.ReleaseRule``). Around it a loop over a row of synapses
is written, of the form

    f(words, states, laws, order, into, count, varied, unit, key, interval, dt) -> int64

    words     (count,) uint64, see ``intrinsics.synapse_weight``
    states    (count * state variables,) float64, changed in place
    laws      (parameters,) float64, or (count * parameters,) where ``varied`` is not 0
    order     (count,) uint32, the place of each synapse in its projection
    into      (targets,) float64, added to
    unit      float64, of the weights
    key       uint64, of the random numbers of the spike
    interval  float64, ms since the source's spike before; inf at its first one
    dt        float64, ms

of which arrays are given by their addresses. It is compiled to a native function that the engine calls by its address,
so that a new law compiles nothing else. There are two copies of the loop: where all synapses have the same parameters,
what depends on these and the interval alone is computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import numba
import numpy as np
from numba import types
from numpy.typing import NDArray

from evsim.compile import LEAN, native, write_function
from evsim.engine.intrinsics import synapse_weight
from evsim.engine.rows import TARGET_BITS
from evsim.model import arguments
from evsim.random_bits import subkey, uniform
from evsim.release import CHANCES, INTERVAL, STEP, WEIGHT, Release, ReleaseRule, rule_of
from evsim.synapses import is_constant

_ARGUMENTS = "words, states, laws, order, into, count, varied, unit, key, interval, dt"
_SIGNATURE = types.int64(
    types.CPointer(types.uint64),
    types.CPointer(types.float64),
    types.CPointer(types.float64),
    types.CPointer(types.uint32),
    types.CPointer(types.float64),
    types.int64,
    types.int64,
    types.float64,
    types.uint64,
    types.float64,
    types.float64,
)


@cache
def law_function(rule: ReleaseRule) -> Any:
    """The native function of a rule of a script's own; the first call compiles, or loads from the cache.

    Raises:
        numba.core.errors.NumbaError: the law cannot be compiled.
        NameError: it uses a name that is not defined.
    """
    return native(_written(rule), _SIGNATURE)


def _written(rule: ReleaseRule) -> Callable[..., Any]:
    assert rule.law is not None, "only such rules have a function"
    text = "\n    ".join([f"def release({_ARGUMENTS}):", *_lines(rule, arguments(rule.law))]) + "\n"
    compiled = {
        name: numba.njit(forceinline=True, **LEAN)(getattr(function, "py_func", function))
        for name, function in (("law", rule.law), ("subkey", subkey), ("uniform", uniform))
    }
    return write_function(text, {"np": np, "synapse_weight": synapse_weight, "TARGET_BITS": TARGET_BITS, **compiled})


def _lines(rule: ReleaseRule, asked: tuple[str, ...]) -> Iterator[str]:
    names = {name: k for k, name in enumerate(rule.parameters)}
    used = {name: k for name, k in names.items() if name in asked}
    yield "if varied == 0:"
    yield from (f"    parameter_{name} = laws[{k}]" for name, k in used.items())
    yield "    for q in range(count):"
    yield from (f"        {line}" for line in _one(rule, asked))
    yield "else:"
    yield "    for q in range(count):"
    yield from (f"        parameter_{name} = laws[q * {len(names)} + {k}]" for name, k in used.items())
    yield from (f"        {line}" for line in _one(rule, asked))
    yield "return np.int64(0)"


def _one(rule: ReleaseRule, asked: tuple[str, ...]) -> Iterator[str]:
    """What is done for synapse q, whose parameters are known."""
    states = list(rule.initial)
    known = {WEIGHT: "synapse_weight(words[q], unit)", INTERVAL: "interval", STEP: "dt"}
    known |= {name: f"parameter_{name}" for name in rule.parameters}
    known |= {name: f"states[q * {len(states)} + {k}]" for k, name in enumerate(states)}
    known |= {name: f"uniform(own, {place})" for place, name in enumerate(CHANCES)}
    if any(name in asked for name in CHANCES):
        yield "own = subkey(key, np.uint64(order[q]))"
    found = ", ".join(["released", *(f"new_{name}" for name in states)])
    called = f"law({', '.join(known[name] for name in asked)})"
    yield f"{f'({found})' if states else found} = {called}"
    yield "into[np.int64(words[q] & TARGET_BITS)] += released"
    yield from (f"states[q * {len(states)} + {k}] = new_{name}" for k, name in enumerate(states))


# --- numbers ---------------------------------------------------------------------------------------------------------


def own_laws(release: Release) -> NDArray[np.float64]:
    """(n, parameters) of each synapse, or (1, parameters) where all have the same ones."""
    columns = [release.parameters[name] for name in rule_of(release.rule).parameters]
    columns = [column[:1] if is_constant(column) or (column == column[:1]).all() else column for column in columns]
    count = max((len(column) for column in columns), default=1)
    table = np.empty((count, len(columns)))
    for k, column in enumerate(columns):
        table[:, k] = column
    return table


def own_states(release: Release, count: int) -> NDArray[np.float64]:
    """(n, state variables) of each synapse at t = 0."""
    initial = rule_of(release.rule).initial
    table = np.empty((count, len(initial)))
    set_own_variables(table, {**initial, **release.initial}, release.rule)
    return table


def own_variables(states: NDArray[np.float64], rule: str) -> dict[str, NDArray[np.float64]]:
    """State variable -> (n,), from what ``own_states`` makes."""
    return {name: states[:, k].copy() for k, name in enumerate(rule_of(rule).initial)}


def set_own_variables(states: NDArray[np.float64], values: Mapping[str, Any], rule: str) -> None:
    """Set some of the state variables of synapses.

    Args:
        states: (n, state variables), changed in place.
        values: name -> (n,), or a number for all.
    """
    for k, name in enumerate(rule_of(rule).initial):
        if name in values:
            states[:, k] = values[name]
