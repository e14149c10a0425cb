"""Numbers between 0 and 1 as spikes of sources."""

from __future__ import annotations

import numpy as np

from evsim.ann.layers import Floats


def regular(values: Floats, steps: int, peak: float) -> list[np.ndarray]:
    """The time steps at which each cell spikes: evenly spaced, ``value * peak`` spikes a step, to the nearest number.

    The first one comes after half an interval, so that a cell is never ahead of its rate by more than half a spike.

    Args:
        values: (cells,) 0 to 1; a larger one counts as 1.
        peak: spikes a step for a value of 1, at most 1.
    """
    at = np.arange(1, steps + 1)
    total = np.floor(np.clip(values, 0, 1)[:, None] * (peak * at) + 0.5)
    return _where(np.diff(total, axis=1, prepend=0) > 0)


def bernoulli(values: Floats, steps: int, peak: float, seed: int | tuple[int, ...]) -> list[np.ndarray]:
    """Likewise, with a spike in each step by chance, as a Poisson process has in short steps."""
    chance = np.random.default_rng(seed).random((len(values), steps))
    return _where(chance < np.clip(values, 0, 1)[:, None] * peak)


def first_spike(values: Floats, window: int) -> np.ndarray:
    """(cells,) the one time step at which each cell spikes: the larger its value, the earlier; 0 comes after ``window``
    steps."""
    return window - np.rint(np.clip(values, 0, 1) * window).astype(np.int64)


def _where(spikes: np.ndarray) -> list[np.ndarray]:
    cells, steps = np.nonzero(spikes)
    return np.split(steps, np.searchsorted(cells, np.arange(1, len(spikes))))
