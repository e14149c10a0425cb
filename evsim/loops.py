"""Writing the loop over neurons around the scalar functions of a model's rule.

``evsim.model.Rule`` describes what a model gives; here is what the engine calls. Both functions have the form

    f(state, parameters, inputs, drive, flags, spiked, tally, key, step, first) -> int64

    state       (states, n)            number type, changed in place; ``Form`` says what lies elsewhere
    parameters  (parameters, n or 1)   number type, read only
    inputs      (input rows, n or more)  number type, taken: the sum of the weights due in this step; 0 afterwards.
                                       Or states to which they are added; see ``Form.summed``
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
compiled to one native function pointer of a fixed type, so the engine's loop is compiled once and runs any model. It is
written for a ``Form``, what is known of a population, and is free of branches, so that LLVM makes vectors of it. An
exception inside cannot reach the user: a scalar function must raise none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import numba
import numpy as np
from numba import types

from evsim.compile import LEAN, native, write_function
from evsim.forms import Form
from evsim.model import CHANCE, SUBSTEPS, Rule, arguments
from evsim.random_bits import subkey, uniform
from evsim.row_access import READ_ONLY, get, get_short, put, put_short, use_wide_vectors
from evsim.rulesets import RuleSet

_FLAGS = ("fired", "hard")
_HARD = 2  # the flag of a neuron whose only substep is hard
_ARGUMENTS = "state, parameters, inputs, drive, flags, spiked, tally, key, step, first"


@cache
def step_function(rule: Rule, rules: RuleSet, form: Form) -> Any:
    """The native step of a rule; the first call with it compiles, or loads from the cache."""
    return native(rule.neuron if rule.whole else written_step(rule, form), signature(rules), rules.name)


@cache
def receive_function(rule: Rule, rules: RuleSet, form: Form) -> Any:
    """The native ``receive`` of a rule; where it has none, one that does nothing."""
    if rule.receive is None:
        return idle_function(rules)
    return native(written_receive(rule, form), signature(rules), rules.name)


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


def written_step(rule: Rule, form: Form) -> Callable:
    """A rule's step as a plain function."""
    return _Loops(rule, form).step()


def written_receive(rule: Rule, form: Form) -> Callable:
    """A rule's ``receive``, for the neurons of a population, as a plain function."""
    assert rule.receive is not None, "this rule has none"
    return _Loops(rule, form).receive()


def _written(lines: Iterable[str], functions: Mapping[str, Callable | None]) -> Callable:
    text = "\n    ".join([f"def step({_ARGUMENTS}):", "use_wide_vectors()", *lines]) + "\n"
    compiled = {
        name: numba.njit(forceinline=True, **LEAN)(getattr(function, "py_func", function))
        for name, function in {**functions, "subkey": subkey, "uniform": uniform}.items()
        if function is not None
    }
    return write_function(text, {"np": np, "compact": compact, **_ACCESS, **compiled})


_ACCESS = {f.__name__: f for f in (get, put, get_short, put_short, use_wide_vectors)}


def _indented(lines: Iterable[str], by: int = 1) -> list[str]:
    return ["    " * by + line for line in lines]


class _Loops:
    """The source of the functions of a rule."""

    def __init__(self, rule: Rule, form: Form) -> None:
        self._rule, self._form = rule, form
        self._lost = [f"lost_{name}" for name in rule.tallies]
        self._row_of = rule.sums if form.summed else {}
        self._counters = rule.counters if form.short else {}
        self._counted = set(self._counters.values())  # parameters

    def step(self) -> Callable:
        rule = self._rule
        used = () if rule.receive else rule.input_names
        taken = () if self._form.summed else used
        if rule.substep and self._form.once:
            loops = self._only_substep(taken)
        else:
            substeps = self._substeps() if rule.substep else ()
            loops = (*substeps, *self._loop("neuron", rule.neuron, ["fired", *self._lost], taken))
        lines = [
            *self._head(used),
            *loops,
            *self._count_lost(),
            "return compact(flags, spiked) if flagged else np.int64(0)",
        ]
        return _written(lines, {"neuron": rule.neuron, "substep": rule.substep, "hard_substep": rule.hard_substep})

    def receive(self) -> Callable:
        receive = self._rule.receive
        assert receive is not None
        lines = [
            *self._head(self._rule.input_names),
            *self._loop("receive", receive, self._lost, self._rule.input_names),
            *self._count_lost(),
            "return np.int64(0)",
        ]
        return _written(lines, {"receive": receive})

    def _head(self, inputs: Sequence[str]) -> Iterator[str]:
        yield from (f"state_{name} = state[{k}]" for k, name in enumerate(self._rule.states))
        yield from (f"input_{name} = inputs[{k}]" for k, name in enumerate(inputs))
        for k, name in enumerate(self._rule.parameters):
            row = f"parameters[{k}{', 0' if self._form.shared else ''}]"
            yield f"parameter_{name} = {f'np.int16({row})' if self._form.shared and name in self._counted else row}"
        if self._form.steady:
            yield "steady = drive[0]"
        yield from (f"{counter} = np.int32(0)" for counter in ("flagged", *self._lost))
        if self._rule.draws:
            yield "chances = subkey(key, np.uint64(step))"

    def _count_lost(self) -> Iterator[str]:
        yield from (f"tally[{k}] += {counter}" for k, counter in enumerate(self._lost))

    def _get(self, row: str, scope: int = READ_ONLY) -> str:
        return f"get({row}, {self._place(scope)})"

    def _place(self, scope: int) -> str:
        """The last arguments of ``get`` and ``put``. States have the first scopes, then come flags and inputs."""
        return f"n, {scope}, {len(self._rule.states) + 1 + len(self._rule.input_names)}"

    def _input_scope(self, name: str) -> int:
        return len(self._rule.states) + 1 + self._rule.input_names.index(name)

    def _get_state(self, name: str, scope: int) -> str:
        if name in self._row_of:
            return self._get_summed(self._row_of[name])
        return f"get{'_short' if name in self._counters else ''}(state_{name}, {self._place(scope)})"

    def _put_states(self, new: str = "new_{}") -> Iterator[str]:
        for k, name in enumerate(self._rule.states):
            short = "_short" if name in self._counters else ""
            row, scope = f"state_{name}", k
            if name in self._row_of:
                row, scope = f"input_{self._row_of[name]}", self._input_scope(self._row_of[name])
            if self._row_of.get(name) not in self._form.silent:
                yield f"put{short}({row}, {self._place(scope)}, {new.format(name)})"

    def _get_summed(self, name: str) -> str:
        return "0.0" if name in self._form.silent else self._get_row(name)

    def _get_input(self, name: str) -> str:
        """What is added at the end of the step, which is done elsewhere where it is added to a state itself.

        -0.0 changes no number that it is added to, as 0.0 does -0.0, so the addition is left out.
        """
        return "-0.0" if self._form.summed else self._get_row(name)

    def _get_row(self, name: str) -> str:
        return self._get(f"input_{name}", self._input_scope(name))

    def _parameter(self, name: str) -> str:
        if self._form.shared:
            return f"parameter_{name}"
        value = self._get(f"parameter_{name}")
        return f"np.int16({value})" if name in self._counted else value

    def _call(
        self,
        name: str,
        function: Callable,
        results: Sequence[str],
        parameter: Callable[[str], str],
        state: str = "old",
    ) -> str:
        """The call of a function for neuron n with the state in old_* or new_*, its results in new_* and is_*."""
        rule = self._rule
        known = {row: f"{state}_{row}" for row in rule.states}
        known |= {row: parameter(row) for row in rule.parameters}
        known |= {row: self._get_input(row) for row in rule.input_names}
        known |= {"drive": "steady" if self._form.steady else self._get("drive"), CHANCE: "uniform(chances, first + n)"}
        found = [*(f"new_{row}" for row in rule.states), *(f"is_{result}" for result in results)]
        return f"({', '.join(found)},) = {name}({', '.join(known[row] for row in arguments(function))})"

    def _loop(self, name: str, function: Callable, results: Sequence[str], taken: Sequence[str] = ()) -> Iterator[str]:
        """A loop over neurons; the flag of one is whether it fired, or whether its substep is hard and is left out.

        The flags are stored first: LLVM makes a masked store of the first one in a loop where it can (a state that is
        kept while refractory), and AMD's processors need a dozen cycles for that.
        """
        yield "for n in range(drive.size):"
        yield from (f"    old_{row} = {self._get_state(row, k)}" for k, row in enumerate(self._rule.states))
        yield f"    {self._call(name, function, results, self._parameter)}"
        for result in results:
            if result in _FLAGS:
                yield from _indented(self._put_flag(f"is_{result}"))
            else:
                yield f"    {result} = np.int32({result} + is_{result})"
        new = "old_{0} if is_hard else new_{0}" if "hard" in results else "new_{}"
        yield from _indented(self._put_states(new))
        yield from _indented(self._take(taken))

    def _put_flag(self, flag: str) -> Iterator[str]:
        yield f"put(flags, {self._place(len(self._rule.states))}, {flag})"
        yield f"flagged = np.int32(flagged | {flag})"

    def _take(self, names: Sequence[str], left: str = "0") -> Iterator[str]:
        for name in names:
            yield f"put(input_{name}, {self._place(self._input_scope(name))}, {left.format(self._get_row(name))})"

    def _only_substep(self, taken: Sequence[str]) -> Iterator[str]:
        """The only substep and the end of the step in one loop over neurons, and then those that it leaves out."""
        rule = self._rule
        assert rule.substep is not None, "this rule has none"
        results = ["fired", *self._lost]
        yield "for n in range(drive.size):"
        yield from (f"    old_{row} = {self._get_state(row, k)}" for k, row in enumerate(rule.states))
        yield "    " + self._call("substep", rule.substep, ["hard"], self._parameter)
        yield "    " + self._call("neuron", rule.neuron, results, self._parameter, "new")
        yield f"    flag = np.int32({_HARD}) if is_hard else np.int32(is_fired)"
        yield from _indented(self._put_flag("flag"))
        yield from (f"    {lost} = np.int32({lost} + (0 if is_hard else is_{lost}))" for lost in self._lost)
        yield from _indented(self._put_states("old_{0} if is_hard else new_{0}"))
        yield from _indented(self._take(taken, "{} if is_hard else 0.0"))
        end = [
            self._call("neuron", rule.neuron, results, "one_{}".format, "new"),
            "flags[n] = is_fired",
            *(f"{lost} = np.int32({lost} + is_{lost})" for lost in self._lost),
            *self._put_states(),
            *self._take(taken),
        ]
        yield from self._hard_ones(_HARD, end)

    def _hard_ones(self, flag: int, then: Iterable[str]) -> Iterator[str]:
        """The substep of each neuron with that flag, one by one, and what follows it."""
        rule = self._rule
        assert rule.hard_substep is not None, "this rule has none"
        yield f"if flagged & {flag}:"
        yield "    for n in range(drive.size):"
        yield f"        if flags[n] == {flag}:"
        yield from _indented((f"old_{row} = {self._get_state(row, k)}" for k, row in enumerate(rule.states)), 3)
        yield from _indented((f"one_{row} = {self._parameter(row)}" for row in rule.parameters), 3)
        yield from _indented([self._call("hard_substep", rule.hard_substep, [], "one_{}".format), *then], 3)

    def _substeps(self) -> Iterator[str]:
        """The loop over substeps; the neurons that the vectorised loop leaves out are done one by one."""
        rule = self._rule
        assert rule.substep is not None, "this rule has none"
        yield f"for _ in range(int(parameters[{rule.parameters.index(SUBSTEPS)}, 0])):"
        yield "    flagged = np.int32(0)"
        yield from _indented(self._loop("substep", rule.substep, ["hard"]))
        yield from _indented(self._hard_ones(1, self._put_states()))
        yield "flagged = np.int32(0)"
