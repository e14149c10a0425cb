"""What a class of a script declares when it becomes a cell or synapse type: parameters, states and functions."""

from __future__ import annotations

import dis
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any

from evsim.errors import EvsimError
from evsim.release import Span

TAKEN_BY_SYNAPSES = ("delay", "presynaptic_index", "postsynaptic_index")  # what else PyNN knows of a synapse


@dataclass(frozen=True)
class _Declared:
    default: float
    unit: str


@dataclass(frozen=True)
class Parameter(_Declared):
    """A parameter, and what its values must be."""

    above_zero: bool
    not_negative: bool


class State(_Declared):
    """A state variable."""


def parameter(default: float, unit: str, *, above_zero: bool = False, not_negative: bool = False) -> Any:
    """A parameter, which may differ from cell to cell, or from synapse to synapse.

    Args:
        default: of those that are made without it.
        unit: as PyNN writes units: ``"mV"``, ``"ms"``, ``"nA"``, ``"uS"``, ``"nF"``, ``"dimensionless"``.
        above_zero, not_negative: what else a value must be to be taken.
    """
    return Parameter(float(default), unit, above_zero, not_negative)


def state(default: float, unit: str) -> Any:
    """A state variable, which has an initial value and is changed by each step of a cell, or spike over a synapse."""
    return State(float(default), unit)


@dataclass(frozen=True)
class DeclaredTrace:
    """A trace of the spikes of one side of a synapse, and the parameter with its time constant."""

    side: str
    tau: Any


def traces_of(declared: type) -> dict[str, DeclaredTrace]:
    """Name -> trace of a class, in their order."""
    return {key: value for key, value in vars(declared).items() if isinstance(value, DeclaredTrace)}


def parameters_of(declared: type) -> dict[str, Parameter]:
    """Name -> parameter of a class, in their order."""
    return {key: value for key, value in vars(declared).items() if isinstance(value, Parameter)}


def states_of(declared: type) -> dict[str, State]:
    """Name -> state of a class, in their order."""
    return {key: value for key, value in vars(declared).items() if isinstance(value, State)}


def function_of(declared: type, name: str, what: str) -> Callable[..., Any]:
    """A function of a class, ready to be compiled; raises EvsimError about ``what``, the class, if it has none."""
    member = vars(declared).get(name)
    member = getattr(member, "__func__", member)
    if not isinstance(found := getattr(member, "py_func", member), FunctionType):
        raise EvsimError(f"{what} has no function {name!r}; define it in the class")
    # What is compiled is cached with the name of its module, which numba imports where it loads it again.
    there = FunctionType(found.__code__, found.__globals__, found.__name__, found.__defaults__, found.__closure__)
    there.__module__ = __name__
    return there


def raises(function: Callable[..., Any]) -> bool:
    """Whether there is a ``raise`` or an ``assert`` in a function."""
    return any(instruction.opname == "RAISE_VARARGS" for instruction in dis.get_instructions(function))


def span_of(declared: Parameter) -> Span:
    """What a parameter of a synapse may be."""
    unit = "" if declared.unit == "dimensionless" else declared.unit
    if declared.above_zero or declared.not_negative:
        return Span(0.0, unit=unit, beyond=declared.above_zero)
    return Span(unit=unit)


def why_not_compiled(text: str, functions: Iterable[Callable[..., Any]]) -> str:
    """What numba says, without where in numba it was found out, and the line of these functions that it is about."""
    lines = (line.strip() for line in text.splitlines())
    reason = next((line for line in lines if line and not line.startswith(("Failed in", "- "))), text)
    files = {Path(function.__code__.co_filename).name for function in functions}  # type: ignore[attr-defined]
    places = re.findall(r'File "([^"]+)", line (\d+)', text)
    there = [f"{Path(file).name}, line {line}" for file, line in places if Path(file).name in files]
    return f"{reason} ({there[0]})" if there else reason
