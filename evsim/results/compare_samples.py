"""Compare recorded variables: membrane potentials in mV, and the integers of a chip bit by bit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evsim.results.align import Samples, Segment
from evsim.results.pair import Difference, RawDifference, VoltageDifference

Runs = Sequence[tuple[Segment, Segment]]


class Matched(NamedTuple):
    """The samples of one variable that two targets both have, at equal labels and of equal cells.

    Attributes:
        labels: (s,); cells: (c,); a, b: (s, c) values; raw_a, raw_b: (s, c) integers, or None.
    """

    segment: Segment
    population: str
    variable: str
    unit: str
    labels: NDArray[np.int64]
    cells: NDArray[np.int64]
    a: np.ndarray
    b: np.ndarray
    raw_a: np.ndarray | None
    raw_b: np.ndarray | None


def matched(runs: Runs) -> Iterator[Matched]:
    """Every recorded variable that both have samples of."""
    for x, y in runs:
        for key in x.samples:
            if key in y.samples:
                found = match(x, x.samples[key], y.samples[key])
                if found.a.size:
                    yield found


def match(segment: Segment, p: Samples, q: Samples) -> Matched:
    """Two tables of one variable, where both have a sample."""
    labels, row_p, row_q = np.intersect1d(p.labels, q.labels, return_indices=True)
    cells, column_p, column_q = np.intersect1d(p.cells, q.cells, return_indices=True)
    at_p, at_q = np.ix_(row_p, column_p), np.ix_(row_q, column_q)
    raw_p = None if p.raw is None else p.raw[at_p]
    raw_q = None if q.raw is None else q.raw[at_q]
    return Matched(
        segment, p.population, p.variable, p.unit, labels, cells, p.values[at_p], q.values[at_q], raw_p, raw_q
    )


def voltage_difference(runs: Runs, first: Difference | None) -> VoltageDifference | None:
    """The recorded ``v`` of two targets; ``first`` is the first spike that differs between them."""
    found = [(pair, np.abs(pair.a - pair.b)) for pair in matched(runs) if pair.variable == "v"]
    if not found:
        return None
    pair, dv = max(found, key=lambda entry: float(entry[1].max()))
    row, column = np.unravel_index(int(np.argmax(dv)), dv.shape)
    samples = sum(entry.size for _, entry in found)
    return VoltageDifference(
        largest=float(dv[row, column]),
        segment=pair.segment.number,
        time=float(pair.labels[row] * pair.segment.timestep),
        population=pair.population,
        neuron=int(pair.cells[column]),
        before_difference=max(float(entry[_early(pair, first)].max(initial=0.0)) for pair, entry in found),
        rms=float(sum(np.sum(entry**2) for _, entry in found) / samples) ** 0.5,
        samples=samples,
    )


def _early(pair: Matched, first: Difference | None) -> NDArray[np.bool_]:
    """Which rows come before the first spike that differs."""
    if first is None or pair.segment.number < first.segment:
        return np.ones(len(pair.labels), bool)
    if pair.segment.number > first.segment:
        return np.zeros(len(pair.labels), bool)
    return pair.labels * pair.segment.timestep < first.time


def raw_difference(runs: Runs) -> RawDifference | None:
    """The integers of two targets of one rule set; None where there are none."""
    found = [pair for pair in matched(runs) if pair.raw_a is not None and pair.raw_b is not None]
    if not found:
        return None
    return RawDifference(
        sum(pair.a.size for pair in found),
        sum(int(np.count_nonzero(np.not_equal(pair.raw_a, pair.raw_b))) for pair in found),  # pyright: ignore[reportArgumentType,reportCallIssue]
    )
