"""Cells made of a membrane and receptors: from their equations, the rule for ``ideal``.

The conductances of a substep are known beforehand, as no membrane acts back on them, so that only the membrane's own
equations are integrated: by the classical Runge-Kutta method with the exact conductances at the start, the middle and
the end of a substep, and where that does not do, by ``hard_substep``: an exponential midpoint method with as many steps
as it needs, in which nothing blows up however strong conductances are, and which finds the moment of a spike.

Both are written as text, because the loop around a rule needs functions with an argument for each row.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numba.extending import register_jitable

from evsim.arithmetic.fused import fma
from evsim.model import CHANCE, SUBSTEPS, Cells, Readout, Rule, Values, arguments, table
from evsim_models.common import Floats
from evsim_models.receptors import Receptor, moved_part
from evsim_models.written import written

SHORTEST_SUBSTEP, SUBSTEPS_OF_TAU = 0.02, 5  # ms; of the shortest time constant of the receptors
LARGEST_RELAXATION = 0.5  # of the membrane in one substep of the Runge-Kutta method
LARGEST_TURN = 0.5  # mV; by how much the voltage's slope may change what a substep adds to it
LEAST_STEP = 2.0**-11  # of a substep; a spike is that exact in time
TOLERANCE = 1e-7  # mV in each of its steps
FASTEST_GROWTH = -30.0


@dataclass(frozen=True, eq=False)
class Membrane:
    """The equations of a membrane, in mV, ms, nA, uS and nF.

    Attributes:
        states: what is integrated; the first one is ``v``.
        flow: ``flow(*states, conductance, pull, ..., drive) -> (*slopes, *rates)``, with rows of the parameters by
            their names: the slope of each state, and the rate by which it would relax if all others stood still.
            ``pull`` is the sum of the receptors' conductances times their reversal potentials, and of currents.
        rows: ``rows(values, dt)``: what the rows ``parameters`` hold, each (n,) or one for all.
        finish: ``finish(*states, *kept, ...) -> (*states, *kept, fired)``: the end of a time step. It may take
            ``chance``, a random number.
        longest: the longest substep (ms).
        spike: ``spike(*states, ...) -> (*states,)``: what a spike within a time step leaves; None where ``finish``
            alone looks for spikes. It also makes ``spiked`` 1, and ``refractory`` one more than ``refractory_steps`` if
            those are any: the rest of this time step does not count.
        limit: the row of the parameters that v spikes at, where there is such a ``spike``.
        kept: rows of the state that only ``finish`` changes, and ``begins`` the states or parameters that they begin
            as; others begin at 0. While a row ``refractory`` is above 0, v is held; a row ``peak`` is raised to v after
            every substep.
        scales: state -> its unit in these units.
    """

    states: tuple[str, ...]
    parameters: tuple[str, ...]
    rows: Callable[[Values, float], Sequence[Any]]
    flow: Callable[..., tuple]
    finish: Callable[..., tuple]
    longest: float
    spike: Callable[..., tuple] | None = None
    limit: str = ""
    kept: tuple[str, ...] = ("refractory",)
    begins: Mapping[str, str] = field(default_factory=dict)
    scales: Mapping[str, float] = field(default_factory=dict)


def composed(membrane: Membrane, receptors: Sequence[Receptor]) -> Rule:
    """The rule of such a cell in ``ideal``."""
    text = _Text(membrane, receptors)

    def convert(values: Values, initial: Values, dt: float, scale: None) -> Cells:
        return _cells(membrane, receptors, values, initial, dt)

    by_name = {receptor.name: receptor for receptor in receptors}

    def arrive(receptor: str, values: Values, dt: float, left: Floats) -> tuple[Floats, Floats]:
        return by_name[receptor].shares(values, dt, left)

    return Rule(
        convert,
        text.function("neuron", text.neuron()),
        states=text.states,
        parameters=text.parameters,
        inputs={receptor.name: k for k, receptor in enumerate(r for r in receptors if not r.own)},
        substep=text.function("substep", text.substep()),
        hard_substep=text.function("hard_substep", text.hard_substep()),
        arrive=arrive,
    )


def _cells(membrane: Membrane, receptors: Sequence[Receptor], values: Values, initial: Values, dt: float) -> Cells:
    shortest = min((values[tau].min() for receptor in receptors for tau in receptor.taus), default=membrane.longest)
    longest = np.clip(shortest / SUBSTEPS_OF_TAU, SHORTEST_SUBSTEP, max(membrane.longest, SHORTEST_SUBSTEP))
    substeps = np.ceil(dt / longest - 1e-9)
    h = dt / substeps
    own = [row for receptor in receptors for row in receptor.rows(values, h)]
    parameters = table(*membrane.rows(values, dt), *own, h, substeps)
    zero = np.zeros(len(initial["v"]))
    state = [initial[name] * membrane.scales.get(name, 1.0) for name in membrane.states]
    state += [{**values, **initial}.get(membrane.begins.get(name, ""), zero) for name in membrane.kept]
    rows = enumerate((*membrane.states, *membrane.kept))
    readouts = {name: Readout(k, 1 / membrane.scales.get(name, 1.0)) for k, name in rows}
    for receptor in receptors:
        readouts[receptor.variable] = Readout(len(state))
        state += [initial.get(receptor.variable, zero), zero][: len(receptor.states)]
    drive = values.get("i_offset", zero)
    return Cells(np.stack(np.broadcast_arrays(*state)), parameters, drive, 1.0, readouts)


@register_jitable
def relaxed_part(x):
    """(1 - exp(-x)) / x, the mean of exp(-x t) for t from 0 to 1; where v runs away, that of the fastest growth."""
    if abs(x) < 1e-5:
        return 1.0 - 0.5 * x
    x = max(x, FASTEST_GROWTH)
    return -math.expm1(-x) / x


class _Text:
    """The functions of a rule as text; see ``composed``."""

    def __init__(self, membrane: Membrane, receptors: Sequence[Receptor]) -> None:
        self.membrane, self.receptors = membrane, receptors
        self.states = (*membrane.states, *membrane.kept, *(name for r in receptors for name in r.states))
        self.parameters = (
            *membrane.parameters,
            *(name for r in receptors for name in r.parameters),
            "length",
            SUBSTEPS,
        )
        functions = {"flow": membrane.flow, "finish": membrane.finish}
        if membrane.spike:
            functions["spike"] = membrane.spike
        self._arguments = {name: arguments(function) for name, function in functions.items()}
        self._names: dict[str, Any] = {"fma": fma, "math": math, "relaxed_part": relaxed_part, "moved_part": moved_part}
        self._names |= {name: register_jitable(function) for name, function in functions.items()}

    def function(self, name: str, lines: Iterable[str]) -> Callable[..., tuple]:
        """The function of that name with these statements, which takes the rows that they use."""
        body = list(lines)
        words = set(re.findall(r"\w+", " ".join(body)))
        inputs = [r.input for r in self.receptors if not r.own]
        rows = [*self.states, *(row for row in (*self.parameters, *inputs, "drive", CHANCE) if row in words)]
        return written(name, rows, body, self._names)

    def _call(self, function: str, given: dict[str, str]) -> str:
        return f"{function}({', '.join(given.get(name, name) for name in self._arguments[function])})"

    def _flow(self, at: str, conductances: str, into: str, rates: str = "_") -> str:
        """The slopes of the states marked ``at``, in names that begin with ``into``."""
        states = self.membrane.states
        total = " + ".join(f"g_{r.short}{conductances}" for r in self.receptors if r.reversal) or "0.0"
        pulls = (r.pull + conductances for r in self.receptors)
        pull = " + ".join(pulls) or "0.0"
        given = {"conductance": total, "pull": pull, **{name: name + at for name in states}}
        found = [into + name for name in states] + [rates + name for name in states]
        return f"{', '.join(found)} = {self._call('flow', given)}"

    def _free(self, name: str, otherwise: str = "0.0") -> Iterator[str]:
        """v does not move while it is held."""
        if "refractory" in self.membrane.kept:
            yield f"{name} = {otherwise} if refractory > 0 else {name}"

    def _raise_peak(self, v: str) -> Iterator[str]:
        if "peak" in self.membrane.kept:
            yield f"peak = max(peak, {v})"

    def substep(self) -> Iterator[str]:
        """A step of the classical Runge-Kutta method."""
        states, receptors = self.membrane.states, self.receptors
        yield "half = 0.5 * length"
        for receptor in receptors:
            yield from receptor.later("_1", "")
            yield from receptor.later("_2", "_1")
        for k, (conductances, time) in enumerate((("", "half"), ("_1", "half"), ("_1", "length")), 1):
            yield self._flow("" if k == 1 else f"_at{k}", conductances, f"k{k}_", "rate_" if k == 1 else "_")
            yield from self._free(f"k{k}_v")
            yield from (f"{name}_at{k + 1} = fma({time}, k{k}_{name}, {name})" for name in states)
        yield self._flow("_at4", "_2", "k4_")
        yield from self._free("k4_v")
        for name in states:
            yield f"new_{name} = fma(length / 6.0, k1_{name} + 2.0 * (k2_{name} + k3_{name}) + k4_{name}, {name})"
        yield from self._raise_peak("new_v")
        hard = [f"(length * rate_v > {LARGEST_RELAXATION})", f"(abs(k4_v - k1_v) * length > {LARGEST_TURN})"]
        if self.membrane.limit:
            hard.append(f"(new_v >= {self.membrane.limit})")
        moves = " & (refractory <= 0)" if "refractory" in self.membrane.kept else ""
        yield f"hard = ({' | '.join(hard)}){moves}"
        yield f"return {self._results('new_', '_2')}, hard"

    def _results(self, prefix: str, suffix: str) -> str:
        moved = [prefix + name for name in self.membrane.states]
        return ", ".join([*moved, *self.membrane.kept, *(name + suffix for r in self.receptors for name in r.states)])

    def hard_substep(self) -> Iterator[str]:
        """Steps of the midpoint method, whole and in halves, until the two agree."""
        membrane, states = self.membrane, self.membrane.states
        yield "passed, step = 0.0, length"
        yield f"while passed < length * (1 - {LEAST_STEP} / 2):"
        yield "    step = min(step, length - passed)"
        for line in self._trial():
            yield "    " + line
        yield "    error = abs(right_v - whole_v) / 3.0"
        again = f"(error > {TOLERANCE})"
        if membrane.limit:
            yield f"    reached = (refractory <= 0) & (spiked == 0.0) & (right_v >= {membrane.limit})"
            again = f"({again} | reached)"
        yield f"    if {again} & (step > length * {LEAST_STEP}):"
        yield "        step = 0.5 * step"
        yield "        continue"
        yield "    passed += step"
        yield from (f"    {name} = (4.0 * right_{name} - whole_{name}) / 3.0" for name in states)
        yield from (f"    {name} = {name}_4" for r in self.receptors for name in r.states)
        if membrane.limit:
            yield "    if reached:"
            yield f"        {', '.join(states)}, = {self._call('spike', {})}"
            yield "        spiked, refractory = 1.0, refractory_steps + 1.0 if refractory_steps > 0 else 0.0"
        yield f"    step = 2.0 * step if error < {TOLERANCE / 16} else step"
        yield from self._raise_peak("v")
        yield f"return {self._results('', '')}"

    def _trial(self) -> Iterator[str]:
        """One step, in the names ``whole_*``, and the same as two, in ``left_*`` and ``right_*``."""
        yield "quarter = 0.25 * step"
        for receptor in self.receptors:
            yield from receptor.constants("_q", "quarter")
            for k in range(4):
                yield from receptor.later(f"_{k + 1}", f"_{k}" if k else "", "_q")
        yield from self._midpoint("", "", "_2", "step", "whole_")
        yield from self._midpoint("", "", "_1", "0.5 * step", "left_")
        yield from self._midpoint("left_", "_2", "_3", "0.5 * step", "right_")

    def _midpoint(self, start: str, first: str, middle: str, time: str, into: str) -> Iterator[str]:
        """A step from states that begin with ``start``: to its middle, and with the slopes and rates of there."""
        states = self.membrane.states
        yield from (f"{name}_at = {start}{name}" for name in states)
        yield self._flow("_at", first, "slope_", "rate_")
        yield from self._free("slope_v")
        for name in states:
            part = f"relaxed_part(0.5 * {time} * rate_{name})"
            yield f"{name}_at = {name}_at + 0.5 * {time} * slope_{name} * {part}"
        yield self._flow("_at", middle, "slope_", "rate_")
        for name in states:
            frozen = f"(slope_{name} + rate_{name} * ({name}_at - {start}{name}))"
            yield f"{into}{name} = {start}{name} + {time} * {frozen} * relaxed_part({time} * rate_{name})"
        yield from self._free(f"{into}v", f"{start}v")

    def neuron(self) -> Iterator[str]:
        """The end of a time step: spikes, what they make by themselves, and then the input that is due there."""
        moved = (*self.membrane.states, *self.membrane.kept)
        yield f"{', '.join(moved)}, fired = {self._call('finish', {})}"
        for r in self.receptors:
            added = f"{r.input} if fired else 0.0" if r.own else r.input
            yield f"{r.states[-1]} = fma(gain_{r.short}, {added}, {r.states[-1]})"
        yield f"return {', '.join(self.states)}, fired"
