"""One cell, integrated from event to event in steps of its own.

Between events the states of a cell follow smooth equations, which DOP853 (Hairer, Norsett and Wanner 1993; in
``scipy.integrate``) integrates with steps as long as the tolerances allow. Whether a spike is on its way that arrives
within a step need not be known when the step is made: if one comes, the step ends there after all, at the values that
the integrator's own interpolation of the seventh order gives. So what a cell does depends on its events alone, and not
on how far it was allowed to go each time.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.integrate import DOP853

from evsim.equations import Equations
from evsim.errors import BackendError
from evsim.tolerances import Tolerances
from evsim.variable.locate import first_peak, first_reaching
from evsim.variable.steps import LONGEST_FIRST, Step, integrator

SPIKES_PER_MS = 1000  # more of a cell than that within a ms are taken for an error
STEPS_PER_MS = 100_000  # likewise
JUMP = -1  # the receptor of weights that move v
LEAST_RTOL = 1e-13  # below it the integrator is limited by the rounding of its numbers


class Event(NamedTuple):
    """A spike that arrives; events at one time are sorted by what they are, so that sums are made in one order."""

    time: float
    receptor: int  # the place of its response, or JUMP
    weight: float


class Cell:
    """A cell and what is on its way to it.

    Args:
        where: its name in errors.
        equations: of its model.
        tolerances: of its integration.
        values: state variable -> initial value; those of responses may be missing, which are then 0.

    Attributes:
        recorded: whether its states are recorded.
        names: of the states, and of the variables of its responses.
        time: up to where it is final (ms).
        spikes: times (ms) that were not taken yet.
        samples: rows of time, states and responses, at the accepted steps.
    """

    def __init__(
        self,
        where: str,
        equations: Equations,
        tolerances: Tolerances,
        values: Mapping[str, float],
    ) -> None:
        self.where, self._equations, self.recorded = where, equations, False
        self._rtol = max(tolerances.rtol, LEAST_RTOL)
        self._atol = tolerances.atol * np.array(list(equations.states.values()))
        self._responses = list(equations.responses.values())
        self.names = [*equations.states, *(response.variable for response in self._responses)]
        self.time = 0.0
        self._states = [values[name] for name in equations.states]
        self._received = [[values.get(response.variable, 0.0), 0.0] for response in self._responses]
        self._origin = 0.0  # the time of ``_received``
        self._events: list[Event] = []
        self._held_until = self._quiet_until = -math.inf
        self._rising = True
        self._constants: Mapping[str, float] = {}
        self._currents: list[tuple[float, float]] = []  # from each of these times (ms) on, nA
        self._next_current = 0
        self._solver: DOP853 | None = None
        self._step: Step | None = None
        self._length = LONGEST_FIRST  # of the integrator's last step
        self.spikes: list[float] = []
        self.samples: list[tuple[float, ...]] = []
        self._spent = (-1.0, 0, 0)  # the ms that is under way, and the spikes and steps in it

    # --- what it is told ---------------------------------------------------------------------------------------------

    def configure(
        self, now: float, constants: Mapping[str, float], times: Sequence[float], currents: Sequence[float]
    ) -> None:
        """Take parameters and the injected current from now on; where they are as before, the step goes on.

        Args:
            now: up to where the cell has gone (ms).
            constants: parameter -> value.
            times, currents: from each of these times (ms, ascending) on a current (nA); 0 before the first.
        """
        changes = list(zip(times, currents, strict=True))
        past = sum(1 for time in times if time < now)
        if constants != self._constants or changes[:past] != [one for one in self._currents if one[0] < now]:
            if self._constants:
                self._settle(now)
            self._next_current = sum(1 for time in times if time <= now)
            self._take(constants, currents[self._next_current - 1] if self._next_current else 0.0)
        self._currents = changes

    def _take(self, constants: Mapping[str, float], injected: float) -> None:
        equations = self._equations
        self._constants = constants
        self._flow = equations.slopes(constants)
        self._level = equations.level(constants)
        self._taus = [constants[response.tau] for response in self._responses]
        self._refractory = constants[equations.refractory] if equations.refractory else 0.0
        self._current = constants.get("i_offset", 0.0) + injected

    def set(self, now: float, variable: str, value: float) -> None:
        """Give a state variable another value now (ms), up to where the cell has gone."""
        self._settle(now)
        if variable in self._equations.states:
            self._states[list(self._equations.states).index(variable)] = value
        else:
            self._received[self.names.index(variable) - len(self._states)] = [value, 0.0]

    def send(self, time: float, receptor: int, weight: float) -> None:
        """Let a spike arrive at a time (ms), which is not before ``time``."""
        heapq.heappush(self._events, Event(max(time, self.time), receptor, weight))

    # --- time --------------------------------------------------------------------------------------------------------

    def advance(self, stop: float) -> None:
        """Go on until ``stop`` (ms); all spikes that arrive before it are known.

        Raises:
            BackendError: the tolerances cannot be met, or the cell spikes without end.
        """
        while self.time < stop:
            if self._step is None:
                self._take_events()
                if self._spikes_at_once():
                    continue
                self._step = self._made_step()
            step, event = self._step, self._next_event()
            limit = min(event, stop)
            if step.spike is not None and step.spike <= limit:
                self._spike_in(step)
            elif step.stop <= limit:
                self._accept(step)
            elif event < stop:
                self._cut(event)
            else:
                break

    def _settle(self, time: float) -> None:
        """End the step that is under way at a time (ms) up to which the cell has gone."""
        if self._step is not None and self.time < time:
            self._cut(time)
        else:
            self._move_to(self.time)

    def sample(self, time: float) -> tuple[float, ...]:
        """Time, states and responses at a time (ms) up to which the cell has gone."""
        states = self._states if self._step is None or time <= self.time else self._step.at(time)
        return (time, *states, *self._received_at(time))

    def take_spikes(self) -> list[float]:
        """The spikes since the last time this was asked (ms)."""
        taken, self.spikes = self.spikes, []
        return taken

    # --- events ------------------------------------------------------------------------------------------------------

    def _next_event(self) -> float:
        """The time of the next event that is known (ms)."""
        current = self._currents[self._next_current][0] if self._next_current < len(self._currents) else math.inf
        arrival = self._events[0].time if self._events else math.inf
        held = self._held_until if self._held_until > self.time else math.inf
        return min(current, arrival, held)

    def _take_events(self) -> None:
        """What happens now."""
        happens = self._next_event() <= self.time
        if happens:
            self._move_to(self.time)
            if self.recorded:
                self._note()
        while self._events and self._events[0].time <= self.time:
            event = heapq.heappop(self._events)
            if event.receptor == JUMP:
                if self.time >= self._held_until:
                    self._states[0] += event.weight
            else:
                rises = self._responses[event.receptor].rises
                gain = math.e / self._taus[event.receptor] if rises else 1.0
                self._received[event.receptor][rises] += gain * event.weight
        while self._next_current < len(self._currents) and self._currents[self._next_current][0] <= self.time:
            self._current = self._constants.get("i_offset", 0.0) + self._currents[self._next_current][1]
            self._next_current += 1
        if happens and self.recorded:
            self._note()

    def _spikes_at_once(self) -> bool:
        """Spike if v is where it does already."""
        if self._is_held():
            return False
        if self._equations.quiet is None:
            if self._states[0] < self._level:
                return False
            self._spike(self._states)
            return True
        high = self._rising and self._states[0] >= self._level and self.time >= self._quiet_until
        if high and self._slopes(self.time, self._states)[0] < 0:
            self._rising = False
            self._spike(self._states)
        return False

    def _is_held(self) -> bool:
        return self.time < self._held_until

    def _spike_in(self, step: Step) -> None:
        """A spike within a step: where it resets the cell, the step ends there."""
        assert step.spike is not None
        if self._equations.quiet is None:
            states = step.at(step.spike)
            self._move_to(step.spike)
            self._spike(states)
        else:
            self._note_spike(step.spike)
            self._rising = False
            step.spike = None

    def _spike(self, states: Sequence[float]) -> None:
        """A spike now, in these states."""
        self._states = list(states)
        if self._equations.reset is not None:
            if self.recorded:
                self._note()
            self._states = list(self._equations.reset(self._constants, self._states))
            self._held_until = self.time + self._refractory
        self._note_spike(self.time)
        if self.recorded and self._equations.reset is not None:
            self._note()
        self._end_segment()

    def _note_spike(self, time: float) -> None:
        self.spikes.append(time)
        self._quiet_until = time + (self._equations.quiet or 0.0)
        self._spend(spikes=1)

    # --- steps -------------------------------------------------------------------------------------------------------

    def _made_step(self) -> Step:
        """The step from now on, wherever it leads; no event but the end of a refractory time has a part in it."""
        if self._is_held() and len(self._states) == 1:
            return Step(self._held_until, list(self._states), None)
        if self._solver is None:
            bound = self._held_until if self._is_held() else math.inf
            first = min(self._length, *(0.5 * tau for tau in self._taus), LONGEST_FIRST, bound - self.time)
            self._solver = integrator(self._slopes, self.time, self._states, bound, first, self._rtol, self._atol)
        solver = self._solver
        self._spend(steps=1)
        with np.errstate(all="ignore"):
            solver.step()
        if solver.status == "failed" or not np.isfinite(solver.y).all():
            raise BackendError(
                f"{self.where}: at {self.time:g} ms no step is short enough for rtol={self._rtol:g}; give setup() a "
                "larger rtol and atol, or look at its parameters and its input"
            )
        self._length = abs(solver.t - solver.t_old)
        step = Step(float(solver.t), solver.y.tolist(), solver)
        step.spike = None if self._is_held() else self._located(step)
        return step

    def _slopes(self, time: float, states: Sequence[float]) -> list[float]:
        values = states.tolist() if isinstance(states, np.ndarray) else list(states)
        try:
            slopes = self._flow(values, self._received_at(time), self._current)
        except OverflowError:  # a trial far too long, which the integrator then rejects
            return [math.nan] * len(values)
        if self.time < self._held_until:
            slopes[0] = 0.0
        return slopes

    def _received_at(self, time: float) -> list[float]:
        since = time - self._origin
        return [
            (g + x * since) * math.exp(-since / tau) for (g, x), tau in zip(self._received, self._taus, strict=True)
        ]

    def _located(self, step: Step) -> float | None:
        """When the cell spikes within a step (ms), or None."""
        start, highest = self.time, max(self._states[0], step.states[0])
        steepest = max(step.slopes_of_v().max(), 0.0)
        if max(highest, self._states[0] + 2.0 * (step.stop - start) * steepest) < self._level:
            return None

        def v(time: float) -> float:
            return step.at(time)[0]

        if self._equations.quiet is None:
            return first_reaching(v, start, step.stop, self._level)
        peak = first_peak(v, lambda t: self._slopes(t, step.at(t))[0], start, step.stop, self._level)
        return peak if peak is not None and peak >= self._quiet_until else None

    def _accept(self, step: Step) -> None:
        """Go to the end of a step."""
        self._step = None
        if self._equations.quiet is not None:
            self._rising = self._slopes(step.stop, step.states)[0] > 0
        moves = step.stop > self.time
        self.time, self._states = step.stop, step.states
        if self.recorded and moves:
            self._note()
        if self._held_until == self.time:
            self._move_to(self.time)

    def _cut(self, time: float) -> None:
        """End the step that is under way at a time within it."""
        assert self._step is not None
        states = self._step.at(time)
        if self._equations.quiet is not None:
            self._rising = self._slopes(time, states)[0] > 0
        self._move_to(time)
        self._states = states

    def _move_to(self, time: float) -> None:
        """Begin a new segment of smooth equations at a time."""
        self._received = [self._decayed(k, time) for k in range(len(self._received))]
        self._origin = self.time = time
        self._end_segment()

    def _decayed(self, k: int, time: float) -> list[float]:
        since = time - self._origin
        (g, x), left = self._received[k], math.exp(-since / self._taus[k])
        return [(g + x * since) * left, x * left]

    def _end_segment(self) -> None:
        self._solver = self._step = None

    def _note(self) -> None:
        sample = (self.time, *self._states, *self._received_at(self.time))
        if not self.samples or self.samples[-1] != sample:
            self.samples.append(sample)

    def _spend(self, spikes: int = 0, steps: int = 0) -> None:
        """Count; raises BackendError for a cell that does not get on."""
        ms, so_far, made = self._spent
        now = math.floor(self.time)
        self._spent = (now, spikes, steps) if now != ms else (ms, so_far + spikes, made + steps)
        for count, most, what in ((self._spent[1], SPIKES_PER_MS, "spikes"), (self._spent[2], STEPS_PER_MS, "steps")):
            if count > most:
                raise BackendError(
                    f"{self.where}: more than {most} {what} within the millisecond at {self.time:g} ms; look at its "
                    "parameters and its input, or give setup() a larger rtol and atol"
                )
