"""Synapses as PyNN's connectors hand them over, one post-synaptic cell at a time, joined once into arrays."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from evsim.network import Ints


class Columns:
    """Collects the columns of a connection matrix."""

    def __init__(self) -> None:
        self._sources: list[np.ndarray] = []
        self._targets: list[int] = []
        self._values: dict[str, list] = {}

    def add(self, sources, target: int, parameters: Mapping[str, float | np.ndarray]) -> None:
        """The synapses onto one cell; a parameter is one number, or one for each source."""
        self._sources.append(np.atleast_1d(sources))
        self._targets.append(target)
        for name, value in parameters.items():
            self._values.setdefault(name, []).append(value)

    def join(self, names: list[str]) -> tuple[Ints, Ints, dict[str, np.ndarray]]:
        """Source, target and the parameters of those names, of every synapse in the order in which they came.

        A parameter that is the same number everywhere stays one number in memory.
        """
        counts = np.array([len(sources) for sources in self._sources], np.int64)
        if not self._sources:
            nothing = np.empty(0, np.int32)
            return nothing, nothing, {name: np.empty(0) for name in names}
        source = np.concatenate(self._sources, dtype=np.int32, casting="unsafe")
        target = np.repeat(np.array(self._targets, np.int32), counts)
        return source, target, {name: _join(values, counts) for name, values in self._values.items()}


def _join(values: list, counts: np.ndarray) -> np.ndarray:
    total = int(counts.sum())
    if not any(isinstance(value, np.ndarray) and value.ndim for value in values):
        numbers = np.array(values, np.float64)
        if (numbers == numbers[0]).all():
            return np.broadcast_to(numbers[0], total)
        return np.repeat(numbers, counts)
    arrays = [np.broadcast_to(value, count) for value, count in zip(values, counts, strict=True)]
    return np.concatenate(arrays, dtype=np.float64)


def on_grid(delay, dt: float) -> np.ndarray:
    """Delays (ms) rounded to the time step; those on it already keep the number that was given, digit for digit."""
    rounded = np.rint(np.asarray(delay) / dt) * dt
    return np.where(np.isclose(delay, rounded, rtol=0.0, atol=1e-6 * dt, equal_nan=True), delay, rounded)
