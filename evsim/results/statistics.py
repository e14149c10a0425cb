"""Statistics of spike trains that have been brought onto one time axis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evsim.results.align import SpikeTable

CORRELATION_BIN = 5.0  # ms, the bin in which spikes are counted for correlations
MOST_BINS = 20_000_000  # a count table for correlations is never larger; the bin grows instead


def rates(table: SpikeTable, duration: float) -> NDArray[np.float64]:
    """(cells,) the rate of each recorded cell (Hz) over a duration (ms)."""
    if not duration:
        return np.zeros(len(table.cells))
    return np.bincount(table.neurons, minlength=table.size)[table.cells] * 1000.0 / duration


def isi_cvs(table: SpikeTable) -> NDArray[np.float64]:
    """The coefficient of variation of the inter-spike intervals of each neuron with at least three spikes.

    CV = std(ISI) / mean(ISI), with the standard deviation over all intervals of the neuron (divisor n): 0 for a clock,
    1 for a Poisson process (Softky and Koch 1993).
    """
    order = np.lexsort((table.steps, table.neurons))
    neurons, intervals = table.neurons[order], np.diff(table.steps[order])
    same = neurons[1:] == neurons[:-1]
    neurons, intervals = neurons[1:][same], intervals[same].astype(float)
    count = np.bincount(neurons, minlength=table.size)
    total = np.bincount(neurons, intervals, table.size)
    squares = np.bincount(neurons, intervals**2, table.size)
    chosen = (count >= 2) & (total > 0)
    mean = total[chosen] / count[chosen]
    variance = np.maximum(squares[chosen] / count[chosen] - mean**2, 0.0)
    return np.sqrt(variance) / mean


def bin_steps(timestep: float, steps: int, cells: int) -> int:
    """How many time steps a bin for correlations has: CORRELATION_BIN, more where the table would be too large."""
    wanted = max(round(CORRELATION_BIN / timestep), 1)
    return max(wanted, -(-steps * max(cells, 1) // MOST_BINS))


def counts(table: SpikeTable, first: int, steps: int, width: int) -> NDArray[np.float64]:
    """(cells, bins) number of spikes of each recorded cell in bins of ``width`` steps from step ``first`` on."""
    bins = -(-steps // width)
    inside = (table.steps >= first) & (table.steps < first + steps)
    row = np.searchsorted(table.cells, table.neurons[inside])
    place = row * bins + (table.steps[inside] - first) // width
    return np.bincount(place, minlength=len(table.cells) * bins).reshape(len(table.cells), bins).astype(float)


def correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float | None:
    """Pearson's correlation of two count tables over all cells and bins; None where either is constant."""
    x, y = a.ravel() - a.mean() if a.size else a, b.ravel() - b.mean() if b.size else b
    scale = float(np.sqrt(np.dot(x.ravel(), x.ravel()) * np.dot(y.ravel(), y.ravel())))
    if scale == 0.0:
        return None
    return float(np.clip(np.dot(x.ravel(), y.ravel()) / scale, -1.0, 1.0))
