"""The loops that put synapses into their places: a counting sort by source neuron, then by delay for each neuron."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evsim.compile import kernel, lean


@lean
def count_sources(source, target, slice_of, lanes):
    """Add 1 to ``lanes[slice of the target, source]`` for each synapse."""
    if lanes.shape[0] == 1:
        counts = lanes[0]
        for k in range(source.size):
            counts[source[k]] += 1
    else:
        for k in range(source.size):
            lanes[slice_of[target[k]], source[k]] += 1


def starts_of_rows(cursor: NDArray[np.int64], base: NDArray[np.int64]) -> None:
    """Counts (lanes, neurons) become places: each neuron's synapses behind those of the neuron before it."""
    for counts, begin in zip(cursor, base, strict=True):
        np.subtract(begin + np.cumsum(counts), counts, out=counts)


@lean
def store_chunk(source, target, values, delay, slice_of, local, cursor, into, delays, delay_base):
    """Put each synapse where its neuron's cursor stands, and move the cursor on."""
    for k in range(source.size):
        to = target[k]
        s, g = np.int64(slice_of[to]), source[k]
        at = cursor[s, g]
        cursor[s, g] = at + 1
        if values.size:
            into[at] = values[k] | local[to]
        else:
            into[at] = local[to]
        if delay.size:
            delays[at - delay_base] = delay[k]


def even_delay_rows(ends: NDArray[np.int64], delay: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One row for each neuron that has synapses; as ``sort_by_delay``."""
    starts = np.concatenate([[0], ends])
    filled = np.diff(starts) > 0
    begin = np.append(starts[:-1][filled], starts[-1]).astype(np.uint32)
    delays = np.full(len(begin), delay, np.int32)
    delays[-1] = 0
    return filled.astype(np.int64), begin, delays


@lean
def _sort_one(own, when, place, sorted_items):
    """Sort one neuron's items by delay; returns the number of different delays. ``place`` is zeros before and after."""
    least, most = np.int64(when[0]), np.int64(when[0])
    for k in range(when.size):
        d = np.int64(when[k])
        place[d + 1] += 1
        least, most = min(least, d), max(most, d)
    different = np.int64(0)
    for d in range(least, most + 1):
        different += place[d + 1] > 0
        place[d + 1] += place[d]
    for k in range(when.size):
        d = np.int64(when[k])
        sorted_items[place[d]] = own[k]
        place[d] += 1
    for k in range(own.size):
        own[k] = sorted_items[k]
    # place[d] is now where delay d ends
    at = np.int64(0)
    for d in range(least, most + 1):
        stop = place[d]
        while at < stop:
            when[at] = d
            at += 1
    for d in range(least, most + 2):
        place[d] = 0
    return different


@kernel
def _row_bounds(ends, delays, rows):
    """Where each row begins, and its delay; ``delays`` are sorted within each neuron."""
    begin = np.empty(rows + 1, np.uint32)
    row_delay = np.empty(rows + 1, np.int32)
    row = np.int64(0)
    start = np.int64(0)
    for g in range(ends.size):
        own = delays[start : ends[g]]
        for k in range(own.size):
            if k == 0 or own[k] != own[k - 1]:
                begin[row] = start + k
                row_delay[row] = own[k]
                row += 1
        start = ends[g]
    begin[rows] = start
    row_delay[rows] = 0
    return begin, row_delay


@kernel
def sort_by_delay(ends, delays, items):
    """Sort each neuron's items by delay (stable), in place, and find the rows.

    Args:
        ends: (neurons,) where each neuron's items end.

    Returns:
        (neurons,) how many rows each neuron has; (rows + 1,) where each row begins, and its delay.
    """
    counts = np.zeros(ends.size, np.int64)
    longest = np.int64(0)
    most = np.int64(0)
    start = np.int64(0)
    for k in range(delays.size):
        most = max(most, np.int64(delays[k]))
    for g in range(ends.size):
        longest = max(longest, ends[g] - start)
        start = ends[g]
    place = np.zeros(most + 2, np.int64)
    sorted_items = np.empty(longest, items.dtype)
    rows = np.int64(0)
    start = np.int64(0)
    for g in range(ends.size):
        own, when = items[start : ends[g]], delays[start : ends[g]]
        if own.size:
            counts[g] = _sort_one(own, when, place, sorted_items)
        rows += counts[g]
        start = ends[g]
    return counts, *_row_bounds(ends, delays, rows)
