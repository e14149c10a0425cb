"""Writing the loop over neurons around the scalar functions of a model's rule.

``evsim.model.Rule`` describes what a model gives; here is what the engine calls. Both functions have the form

    f(state, parameters, inputs, drive, flags, spiked, tally, key, step, first) -> int64

    state       (states, n)            number type, changed in place
    parameters  (parameters, n or 1)   number type, read only
    inputs      (input rows, n or more)  number type, taken: the sum of the weights due in this step; 0 afterwards
    drive       (n,)                   number type, read only: constant and injected current; where the model has
                                       several places for it, the rows of the others follow in memory
    flags       (n,)                   int32, overwritten; of no use to the caller
    spiked      (n or more,)           int32, filled with the indices of the neurons that spiked, ascending
    tally       (8,)                   int64, counters of what the arithmetic lost, added to
    key         uint64                 of the population's random numbers
    step        int64                  number of the time step
    first       int64                  number of the first of the neurons in its population

with the number type of the rule set; all arrays are C-contiguous and none overlap. A step returns the number of spikes,
``receive`` 0. Where a rule has a ``receive``, its step leaves the inputs alone. The last three arguments are for rules
that take ``chance``: a function of the three and of the neuron's place alone, whichever thread runs the loop.

The loop is Python source, written to a file whose name is a digest of the text and of everything that it calls. It is
compiled to one native function pointer of a fixed type, so the engine's loop is compiled once and runs any model. There
are two copies of it, for parameters that all neurons share and for those of each, both free of branches, so that LLVM
makes vectors of them. An exception inside cannot reach the user: a scalar function must raise none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import numba
import numpy as np
from numba import types

from evsim.compile import LEAN, native, write_function
from evsim.model import CHANCE, SUBSTEPS, Rule, arguments
from evsim.random_bits import subkey, uniform
from evsim.row_access import READ_ONLY, get, put
from evsim.rulesets import RuleSet

_FLAGS = ("fired", "hard")
_ARGUMENTS = "state, parameters, inputs, drive, flags, spiked, tally, key, step, first"


@cache
def step_function(rule: Rule, rules: RuleSet) -> Any:
    """The native step of a rule; the first call with it compiles, or loads from the cache."""
    return native(rule.neuron if rule.whole else written_step(rule), signature(rules), rules.name)


@cache
def receive_function(rule: Rule, rules: RuleSet) -> Any:
    """The native ``receive`` of a rule; where it has none, one that does nothing."""
    if rule.receive is None:
        return idle_function(rules)
    return native(written_receive(rule), signature(rules), rules.name)


@cache
def idle_function(rules: RuleSet) -> Any:
    """A native step that does nothing."""
    return native(_written(["return np.int64(0)"], {}), signature(rules), rules.name)


@cache
def signature(rules: RuleSet) -> Any:
    """The numba type of the native functions of a rule set."""
    number = numba.from_dtype(np.dtype(rules.number))
    return types.int64(
        types.Array(number, 2, "C"),
        types.Array(number, 2, "C"),
        types.Array(number, 2, "C"),
        types.Array(number, 1, "C"),
        types.Array(types.int32, 1, "C"),
        types.Array(types.int32, 1, "C"),
        types.Array(types.int64, 1, "C"),
        types.uint64,
        types.int64,
        types.int64,
    )


@numba.njit(**LEAN)
def compact(flags, into):
    """Write the ascending indices of the flags that are not 0; returns how many there are."""
    count = 0
    whole = flags.size // 16 * 16
    for first in range(0, whole, 16):
        some = flags[first : first + 16]
        any_flag = np.int32(0)
        for k in range(16):
            any_flag |= some[k]
        if any_flag:
            for k in range(16):
                into[count] = first + k
                count += some[k] != 0
    for n in range(whole, flags.size):
        into[count] = n
        count += flags[n] != 0
    return count


# --- writing the loops -----------------------------------------------------------------------------------------------


def written_step(rule: Rule) -> Callable:
    """A rule's step as a plain function."""
    taken = () if rule.receive else rule.input_names
    lines = [
        *_head(rule, taken),
        *(_substeps(rule) if rule.substep else ()),
        *_loops(rule, "neuron", rule.neuron, ["fired", *_lost(rule)], taken),
        *_count_lost(rule),
        "return compact(flags, spiked) if flagged else np.int64(0)",
    ]
    return _written(lines, {"neuron": rule.neuron, "substep": rule.substep, "hard_substep": rule.hard_substep})


def written_receive(rule: Rule) -> Callable:
    """A rule's ``receive``, for the neurons of a population, as a plain function."""
    assert rule.receive is not None, "this rule has none"
    lines = [
        *_head(rule, rule.input_names),
        *_loops(rule, "receive", rule.receive, _lost(rule), rule.input_names),
        *_count_lost(rule),
        "return np.int64(0)",
    ]
    return _written(lines, {"receive": rule.receive})


def _written(lines: Iterable[str], functions: Mapping[str, Callable | None]) -> Callable:
    text = "\n    ".join([f"def step({_ARGUMENTS}):", *lines]) + "\n"
    compiled = {
        name: numba.njit(forceinline=True, **LEAN)(getattr(function, "py_func", function))
        for name, function in {**functions, "subkey": subkey, "uniform": uniform}.items()
        if function is not None
    }
    return write_function(text, {"np": np, "get": get, "put": put, "compact": compact, **compiled})


def _indented(lines: Iterable[str], by: int = 1) -> list[str]:
    return ["    " * by + line for line in lines]


def _lost(rule: Rule) -> list[str]:
    return [f"lost_{name}" for name in rule.tallies]


def _head(rule: Rule, inputs: Sequence[str]) -> Iterator[str]:
    yield from (f"state_{name} = state[{k}]" for k, name in enumerate(rule.states))
    yield from (f"input_{name} = inputs[{k}]" for k, name in enumerate(inputs))
    yield from (f"{counter} = np.int32(0)" for counter in ("flagged", *_lost(rule)))
    if rule.draws:
        yield "chances = subkey(key, np.uint64(step))"


def _count_lost(rule: Rule) -> Iterator[str]:
    yield from (f"tally[{k}] += {counter}" for k, counter in enumerate(_lost(rule)))


def _loops(
    rule: Rule, name: str, function: Callable, results: Sequence[str], taken: Sequence[str] = ()
) -> Iterator[str]:
    """The loop over neurons that share their parameters, and the one over neurons that do not."""
    used = [(k, row) for k, row in enumerate(rule.parameters) if row in arguments(function)]
    yield "if parameters.shape[1] == 1:"
    yield from (f"    parameter_{row} = parameters[{k}, 0]" for k, row in used)
    yield from _indented(_loop(rule, name, function, results, taken, "parameter_{}"))
    yield "else:"
    yield from (f"    parameter_{row} = parameters[{k}]" for k, row in used)
    yield from _indented(_loop(rule, name, function, results, taken, _get("parameter_{}", rule)))


def _place(rule: Rule, scope: int) -> str:
    """The last arguments of ``get`` and ``put``. States have the first scopes, then come flags and inputs."""
    return f"n, {scope}, {len(rule.states) + 1 + len(rule.input_names)}"


def _get(row: str, rule: Rule, scope: int = READ_ONLY) -> str:
    return f"get({row}, {_place(rule, scope)})"


def _input_scope(rule: Rule, name: str) -> int:
    return len(rule.states) + 1 + rule.input_names.index(name)


def _call(rule: Rule, name: str, function: Callable, results: Sequence[str], parameter: str) -> str:
    """The call of a scalar function for neuron n, with its results in new_* and is_*."""
    known = {row: f"old_{row}" for row in rule.states}
    known |= {row: parameter.format(row) for row in rule.parameters}
    known |= {row: _get(f"input_{row}", rule, _input_scope(rule, row)) for row in rule.input_names}
    known |= {"drive": _get("drive", rule), CHANCE: "uniform(chances, first + n)"}
    found = [*(f"new_{row}" for row in rule.states), *(f"is_{result}" for result in results)]
    return f"({', '.join(found)},) = {name}({', '.join(known[row] for row in arguments(function))})"


def _loop(
    rule: Rule, name: str, function: Callable, results: Sequence[str], taken: Sequence[str], parameter: str
) -> Iterator[str]:
    """One loop; the flag of a neuron is whether it fired, or whether its substep is hard and must be left out.

    The flags are stored first: LLVM makes a masked store of the first one in a loop where it can (a state that is kept
    while refractory), and AMD's processors need a dozen cycles for that.
    """
    yield "for n in range(drive.size):"
    yield from (f"    old_{row} = {_get(f'state_{row}', rule, k)}" for k, row in enumerate(rule.states))
    yield f"    {_call(rule, name, function, results, parameter)}"
    for result in results:
        if result in _FLAGS:
            yield f"    put(flags, {_place(rule, len(rule.states))}, is_{result})"
            yield f"    flagged = np.int32(flagged | is_{result})"
        else:
            yield f"    {result} = np.int32({result} + is_{result})"
    for k, row in enumerate(rule.states):
        new = f"old_{row} if is_hard else new_{row}" if "hard" in results else f"new_{row}"
        yield f"    put(state_{row}, {_place(rule, k)}, {new})"
    yield from (f"    put(input_{row}, {_place(rule, _input_scope(rule, row))}, 0)" for row in taken)


def _substeps(rule: Rule) -> Iterator[str]:
    """The loop over substeps; the neurons that the vectorised loop leaves out are done one by one."""
    assert rule.substep is not None and rule.hard_substep is not None, "this rule has none"
    parameter = {row: f"parameters[{k}, p]" for k, row in enumerate(rule.parameters)}
    yield f"for _ in range(int(parameters[{rule.parameters.index(SUBSTEPS)}, 0])):"
    yield "    flagged = np.int32(0)"
    yield from _indented(_loops(rule, "substep", rule.substep, ["hard"]))
    yield "    if flagged:"
    yield "        for n in range(drive.size):"
    yield "            if flags[n] != 0:"
    yield "                p = 0 if parameters.shape[1] == 1 else n"
    yield from _indented((f"old_{row} = state_{row}[n]" for row in rule.states), 4)
    yield from _indented((f"one_{row} = {parameter[row]}" for row in rule.parameters), 4)
    yield "                " + _call(rule, "hard_substep", rule.hard_substep, [], "one_{}")
    yield from _indented((f"put(state_{row}, {_place(rule, k)}, new_{row})" for k, row in enumerate(rule.states)), 4)
    yield "flagged = np.int32(0)"
