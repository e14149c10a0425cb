"""Poisson-distributed counts: how often each cell spikes in a time step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from evsim.compile import inlined, kernel
from evsim.poisson.keys import twice
from evsim.random_bits import bits_at

BLOCK = 1024  # cells that are drawn at once: their hashes and counts stay in the first-level cache
_LANES = 6  # thresholds that one pass over a block compares with
_STRIDE = 0x9E3779B1  # between the counters of neighbouring pairs
_SIGNED = 0x80010002  # in the second key, it changes the highest bit of both halves of every hash, and nothing else
_NEGLIGIBLE = 1e-18  # a probability that no run is long enough to see


class CountTables(NamedTuple):
    """Tables that turn 16 uniform bits into a Poisson-distributed count, one row for each mean.

    Of the 65536 values that 16 bits have, floor(65536 p(k)) stand for the count k. The values that are left, a few in
    a row of the table, stand for "draw again, from what rounding down has left of the distribution": the outcome has
    exactly the probabilities p(k), the far tail included (the table method of Marsaglia 1963).

    Attributes:
        thresholds: (means, width) uint16; of each row the first ``n_thresholds`` are used, ascending. A value that
            reaches the first j of them stands for the count ``least + j``; one that reaches all of them is drawn again.
        n_thresholds: (means,) int64, multiples of 6.
        least: (means,) int64; below 0 where a row begins with thresholds of 0, which every value reaches.
        rest: (means, counts) float64, the cumulative distribution of what is drawn again, from the count 0 on.
    """

    thresholds: np.ndarray
    n_thresholds: np.ndarray
    least: np.ndarray
    rest: np.ndarray


def count_tables(means: Sequence[float]) -> CountTables:
    """Tables for Poisson distributions of some means, each above 0."""
    rows = [_count_table(mean) for mean in means]
    width = max((len(thresholds) for thresholds, _, _ in rows), default=0)
    longest = max((len(rest) for _, _, rest in rows), default=0)
    tables = CountTables(
        np.zeros((len(rows), width), np.uint16),
        np.array([len(thresholds) for thresholds, _, _ in rows], np.int64),
        np.array([least for _, least, _ in rows], np.int64),
        np.ones((len(rows), longest)),
    )
    for row, (thresholds, _, rest) in enumerate(rows):
        tables.thresholds[row, : len(thresholds)] = thresholds
        tables.rest[row, : len(rest)] = rest
    return tables


def _count_table(mean: float) -> tuple[np.ndarray, int, np.ndarray]:
    """The thresholds, the count below them all, and the rest of one mean."""
    expected = 65536 * probabilities(mean)
    whole = np.floor(expected)
    used = np.flatnonzero(whole)
    first, last = (int(used[0]), int(used[-1])) if len(used) else (0, 0)
    thresholds = np.cumsum(whole)[first : last + 1]
    padding = -len(thresholds) % _LANES
    rest = np.cumsum(expected - whole)
    return np.append(np.zeros(padding), thresholds), first - padding, rest / rest[-1]


def probabilities(mean: float) -> np.ndarray:
    """The Poisson probabilities of 0, 1, 2 ... up to a count that is never seen."""
    found = []
    count = 0
    while count <= mean or found[-1] > _NEGLIGIBLE:
        found.append(math.exp(count * math.log(mean) - mean - math.lgamma(count + 1)))
        count += 1
    return np.array(found)


@kernel
def step_keys(key, step):
    """The two 32-bit keys of one time step of a process."""
    bits = bits_at(key, step)
    return np.uint32(bits), np.uint32(bits >> np.uint64(32))


@kernel
def hash_pairs(key0, key1, first, hashes):
    """32 bits for each pair of cells: two rounds of multiply and shift, with a key before each of them.

    Each half is 32768 less than the 16 uniform bits that it stands for, as a signed number.
    """
    key1 = np.uint32(key1 ^ np.uint32(_SIGNED))
    counter = np.uint32(first * np.uint32(_STRIDE) + key0)
    for j in range(hashes.size):
        z = np.uint32(np.uint32(counter ^ (counter >> np.uint32(16))) * np.uint32(0x7FEB352D)) ^ key1
        z = np.uint32(np.uint32(z ^ (z >> np.uint32(15))) * np.uint32(0x846CA68B))
        hashes[j] = z ^ (z >> np.uint32(16))
        counter = np.uint32(counter + np.uint32(_STRIDE))


@kernel
def is_in(value, counts):
    """Whether a value is among some counts; written so that many are compared at once."""
    found = False
    for i in range(counts.size):
        found |= counts[i] == value
    return found


@kernel
def quantile(cumulative, uniform):
    """The least count whose cumulative probability is above a uniform number."""
    count = 0
    while cumulative[count] <= uniform:
        count += 1
    return np.uint16(count)


@kernel
def draw_again(rest, key0, key1, first_cell, again, counts):
    """Draw the counts whose 16 bits did not decide them."""
    key = (np.uint64(key1) << np.uint64(32)) | np.uint64(key0)
    for begin in range(0, counts.size, 64):
        part = counts[begin : begin + 64]
        if is_in(again, part):
            for i in range(part.size):
                if part[i] == again:
                    bits = bits_at(key, first_cell + begin + i) >> np.uint64(11)
                    part[i] = quantile(rest, np.float64(np.int64(bits)) * (1.0 / 9007199254740992.0))


@inlined
def as_signed(uniform):
    """16 uniform bits as ``hash_pairs`` writes them."""
    return np.int16(np.int64(uniform) - 32768)


@inlined
def above(uniform, a, b, c):
    """How many of three thresholds are above a number; 16 bits wide throughout, to count for many cells at once."""
    return np.uint16(np.uint16(uniform < a) + np.uint16(np.uint16(uniform < b) + np.uint16(uniform < c)))


@kernel
def count_first(uniform, thresholds, most, counts):
    """Set each count to ``most``, less the number of the first thresholds that are above; returns the highest bits."""
    a, b, c = as_signed(thresholds[0]), as_signed(thresholds[1]), as_signed(thresholds[2])
    d, e, f = as_signed(thresholds[3]), as_signed(thresholds[4]), as_signed(thresholds[5])
    highest = np.int16(-32768)
    for i in range(counts.size):
        counts[i] = np.uint16(most - np.uint16(above(uniform[i], a, b, c) + above(uniform[i], d, e, f)))
        highest = max(highest, uniform[i])
    return highest


@kernel
def count_more(uniform, thresholds, counts):
    """Take the number of the next thresholds that are above from each count."""
    a, b, c = as_signed(thresholds[0]), as_signed(thresholds[1]), as_signed(thresholds[2])
    d, e, f = as_signed(thresholds[3]), as_signed(thresholds[4]), as_signed(thresholds[5])
    for i in range(counts.size):
        counts[i] = np.uint16(counts[i] - np.uint16(above(uniform[i], a, b, c) + above(uniform[i], d, e, f)))


@inlined
def count_block(tables, row, key0, key1, first_cell, hashes, counts):
    """Draw the number of spikes of each cell of a block in one time step.

    It is inlined because tables are many arrays, and to pass them takes as long as to draw a hundred cells.

    Args:
        row: of ``tables``.
        key0, key1: what ``step_keys`` gave.
        first_cell: number, within its population, of the cell of ``counts[0]``; even, because two cells share a hash.
        hashes: (at least half as many as cells, rounded up,) uint32; scratch.
        counts: (cells,) uint16, overwritten; about ``BLOCK`` cells are the quickest.
    """
    hash_pairs(key0, key1, np.uint32(first_cell // 2), hashes[: (counts.size + 1) // 2])
    uniform = hashes.view(np.int16)[: counts.size]
    thresholds = tables.thresholds[row][: tables.n_thresholds[row]]
    again = np.uint16(tables.least[row] + thresholds.size)
    highest = count_first(uniform, thresholds, again, counts)
    for j in range(_LANES, thresholds.size, _LANES):
        count_more(uniform, thresholds[j:], counts)
    if highest >= as_signed(thresholds[-1]):
        draw_again(tables.rest[row], key0, key1, first_cell, again, counts)


@kernel
def expand_block(counts, first_cell, cell):
    """Write each cell as often as it spikes; ``cell`` has room for four entries more. Returns the number of spikes."""
    n_spikes = np.int64(0)
    for i in range(counts.size):
        # Four entries whatever the count is: a branch on a random number costs more than writing too much.
        for k in range(4):
            cell[n_spikes + k] = first_cell + i
        for k in range(4, counts[i]):
            cell[n_spikes + k] = first_cell + i
        n_spikes += np.int64(counts[i])
    return n_spikes


@kernel
def fill(array, value):
    """Set every entry."""
    for i in range(array.size):
        array[i] = value


@kernel
def total(counts):
    """The sum of the counts of a block."""
    result = np.int64(0)
    for i in range(counts.size):
        result += np.int64(counts[i])
    return result


@kernel
def expand_counts(tables, row, key, first, last, size, expected):
    """The spikes labelled ``first`` to ``last`` of a population, as (label, cell) with one entry for each spike.

    Args:
        expected: about how many there will be; more room is made when it is needed.
    """
    label, cell = np.empty(expected, np.int64), np.empty(expected, np.int64)
    counts, hashes = np.empty(BLOCK, np.uint16), np.empty(BLOCK // 2, np.uint32)
    n_spikes = np.int64(0)
    for step in range(first, last + 1):
        key0, key1 = step_keys(key, step)
        for begin in range(0, size, BLOCK):
            block = counts[: min(BLOCK, size - begin)]
            count_block(tables, row, key0, key1, begin, hashes, block)
            while n_spikes + total(block) + 4 > label.size:
                label, cell = twice(label), twice(cell)
            found = expand_block(block, begin, cell[n_spikes:])
            fill(label[n_spikes : n_spikes + found], step)
            n_spikes += found
    return label[:n_spikes], cell[:n_spikes]
