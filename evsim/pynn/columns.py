"""The connections of a projection as arrays: from the columns that PyNN's connectors hand over, and back to ms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evsim.network import frozen
from evsim.synapses import CHUNK, LONGEST_DELAY, ByTarget, Listed, Synapses, index_type, is_constant

DIGITS = 12  # of a delay in ms: enough for any time step, and few enough to drop the rounding error of steps x dt


class Draws:
    """Values that are drawn in parts, so that they need not all be there at once; to be gone through once."""

    def __init__(self, parts: Iterable[np.ndarray], count: int) -> None:
        self.parts, self._count = parts, count

    def all(self) -> NDArray[np.float64]:
        """(n,) all values."""
        values, end = np.empty(self._count), 0
        for part in self.parts:
            start, end = end, end + len(part)
            values[start:end] = part
        return values


Parameters = Mapping[str, float | np.ndarray | Draws]  # one number, or one for each synapse


class Connections(NamedTuple):
    """All connections of a projection.

    Attributes:
        synapses: between the cells of its two ends, with delays in time steps.
        delay: (n,) ms, where the time steps do not give back the delays digit for digit; else None.
        others: parameters beside weight and delay, (n,) each.
    """

    synapses: Synapses
    delay: NDArray[np.float64] | None
    others: dict[str, np.ndarray]


class Columns:
    """Collects the columns of a connection matrix, one post-synaptic cell at a time."""

    def __init__(self) -> None:
        self._sources: list[np.ndarray] = []
        self._targets: list[int] = []
        self._values: dict[str, list] = {}

    def add(self, sources, target: int, parameters: Parameters) -> None:
        """The synapses onto one cell; a parameter is one number, or one for each source."""
        self._sources.append(np.atleast_1d(sources))
        self._targets.append(target)
        for name, value in parameters.items():
            self._values.setdefault(name, []).append(value)

    def join(self, names: list[str], shape: tuple[int, int], dt: float) -> Connections:
        """Every synapse in the order in which they came.

        Args:
            names: the parameters of the synapses, for the case that there is none.
            shape: of the projection.
            dt: time step (ms).
        """
        counts = np.array([len(sources) for sources in self._sources], np.int64)
        parameters = {name: _join(values, counts) for name, values in self._values.items()}
        if not self._sources:
            parameters = {name: np.empty(0) for name in names}
        source = np.concatenate([*self._sources, []], dtype=index_type(shape[0]), casting="unsafe")
        targets = np.array(self._targets, np.int64)
        if not (np.diff(targets) >= 0).all():
            steps, exact = in_steps(parameters.pop("delay", np.broadcast_to(dt, int(counts.sum()))), dt)
            target = np.repeat(targets.astype(np.int32), counts)
            synapses = Listed(source, target, frozen(parameters.pop("weight")), frozen(steps))
            return Connections(synapses, exact, parameters)
        each = np.bincount(targets, counts, shape[1]).astype(np.int64)
        return by_target(np.concatenate([[0], np.cumsum(each)]), source, parameters, dt)


def by_target(first: NDArray[np.int64], source: np.ndarray, parameters: Parameters, dt: float) -> Connections:
    """Connections in the order of their targets: those onto cell i are ``first[i]`` to ``first[i + 1]``."""
    count = len(source)
    parameters = {"delay": dt, **parameters}  # gap junctions have none; the network's projections all have
    columns = {name: _column(value, count) for name, value in parameters.items() if name != "delay"}
    delay = parameters["delay"]
    steps, exact = drawn_steps(delay, count, dt) if isinstance(delay, Draws) else in_steps(_column(delay, count), dt)
    synapses = ByTarget(first, frozen(source), frozen(columns.pop("weight")), frozen(steps))
    return Connections(synapses, exact, columns)


def _column(value: float | np.ndarray | Draws, count: int) -> np.ndarray:
    return value.all() if isinstance(value, Draws) else np.broadcast_to(np.asarray(value, np.float64), count)


def _join(values: list, counts: np.ndarray) -> np.ndarray:
    total = int(counts.sum())
    if not any(isinstance(value, np.ndarray) and value.ndim for value in values):
        numbers = np.array(values, np.float64)
        if (numbers == numbers[0]).all():
            return np.broadcast_to(numbers[0], total)
        return np.repeat(numbers, counts)
    arrays = [np.broadcast_to(value, count) for value, count in zip(values, counts, strict=True)]
    return np.concatenate(arrays, dtype=np.float64)


def with_sign(column: np.ndarray, sign: int) -> np.ndarray:
    """The magnitudes of values (n,), times a sign; a constant column stays one value."""
    if is_constant(column):
        return np.broadcast_to(sign * np.abs(column[0]), column.shape)
    return sign * np.abs(column)


# --- delays ----------------------------------------------------------------------------------------------------------


def on_grid(delay, dt: float) -> np.ndarray:
    """Delays (ms) rounded to the time step; those on it already keep the number that was given, digit for digit."""
    rounded = np.rint(np.asarray(delay) / dt) * dt
    return np.where(np.isclose(delay, rounded, rtol=0.0, atol=1e-6 * dt, equal_nan=True), delay, rounded)


def in_ms(steps, dt: float) -> np.ndarray:
    """Delays in time steps as ms."""
    return np.round(np.asarray(steps) * dt, DIGITS)


def in_steps(delay: NDArray[np.float64], dt: float) -> tuple[NDArray[np.int32], NDArray[np.float64] | None]:
    """Delays (ms) in time steps, and again in ms where the time steps do not tell them digit for digit.

    A delay that is no finite number, which the check of the network reports, becomes a step.
    """
    if is_constant(delay):
        steps, exact = in_steps(np.array(delay[:1]), dt)
        return np.broadcast_to(steps[0], delay.shape), None if exact is None else np.broadcast_to(exact[0], delay.shape)
    steps, told = np.empty(len(delay), np.int32), True
    for start in range(0, len(delay), CHUNK):
        part = delay[start : start + CHUNK]
        steps[start : start + CHUNK] = _whole(part, dt)
        difference = np.abs(in_ms(steps[start : start + CHUNK], dt) - on_grid(part, dt))
        told = told and bool((difference < 10.0**-DIGITS).all())
    return steps, None if told else on_grid(delay, dt)


def drawn_steps(delay: Draws, count: int, dt: float) -> tuple[NDArray[np.int32], NDArray[np.float64] | None]:
    """Delays (ms) that are drawn, in time steps; and in ms if there is one that is no finite number."""
    steps, odd, end = np.empty(count, np.int32), {}, 0
    for part in delay.parts:
        start, end = end, end + len(part)
        steps[start:end] = _whole(part, dt)
        odd |= {start + int(place): part[place] for place in np.flatnonzero(~np.isfinite(part))}
    if not odd:
        return steps, None
    exact = in_ms(steps, dt)
    exact[list(odd)] = list(odd.values())
    return steps, exact


def _whole(delay: np.ndarray, dt: float) -> np.ndarray:
    return np.nan_to_num(np.rint(delay / dt), nan=1.0, posinf=1.0, neginf=1.0).clip(-(2**31), LONGEST_DELAY)
