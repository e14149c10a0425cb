"""Choosing cells by the bounded integers and the shuffle of ``RandomState``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evsim.compile import kernel
from evsim.mersenne.stream import Stream
from evsim.mersenne.words import BLOCK, advance, temper

# A number below a bound is drawn by cutting a word to as many bits as the bound has, again and again until it is below.


@kernel
def renew(words, numbers):
    """Make the words that follow a used-up buffer; returns the index of the first."""
    advance(words)
    temper(words, numbers)
    return np.int64(BLOCK)


@kernel
def bits_of(most):
    """The least number of the form 2**k - 1 that is not below ``most``."""
    mask = np.int64(1)
    while mask < most:
        mask = 2 * mask + 1
    return mask


@kernel
def fill_below(words, numbers, place, bound, out):
    """Fill ``out`` with ``randint(0, bound)``."""
    at, n, most = place[0], np.uint64(0), np.uint32(bound - 1)
    mask = np.uint32(bits_of(most))
    if most == 0:
        out[:] = 0  # numpy takes no word for it
        return
    while n < np.uint64(out.size):
        if at == numbers.size:
            at = renew(words, numbers)
        ready = numbers[at : at + min(numbers.size - at, out.size - np.int64(n))]
        for i in range(ready.size):
            value = ready[i] & mask
            out[n] = value
            n += np.uint64(value <= most)
        at += ready.size
    place[0] = at


@kernel
def one_below(words, numbers, at, mask, most):
    """A number up to ``most``, for which 0 takes no word; returns it and the index of the next word."""
    value = np.uint32(0)
    while most:
        if at == numbers.size:
            at = renew(words, numbers)
        value = numbers[at] & mask
        at += 1
        if value <= most:
            break
    return value, at


@kernel
def fill_pairs(words, numbers, place, bounds, source, target):
    """Fill with ``randint(0, bounds[0])`` and ``randint(0, bounds[1])`` in turn."""
    at = place[0]
    most_source, most_target = np.uint32(bounds[0] - 1), np.uint32(bounds[1] - 1)
    mask_source, mask_target = np.uint32(bits_of(most_source)), np.uint32(bits_of(most_target))
    for i in range(source.size):
        source[i], at = one_below(words, numbers, at, mask_source, most_source)
        target[i], at = one_below(words, numbers, at, mask_target, most_target)
    place[0] = at


@kernel
def shuffle(words, numbers, at, cells):
    """``RandomState.shuffle`` of (n,) cells, in place; returns the index of the next number."""
    i = np.int64(cells.size - 1)
    mask = np.int64(bits_of(i))
    while i > 0:
        least = (mask >> 1) + 1  # the indices from here to ``mask`` are drawn with the same number of bits
        while i >= least:
            if at == numbers.size:
                at = renew(words, numbers)
            ready = numbers[at : at + min(numbers.size - at, i - least + 1)]
            for k in range(ready.size):  # without a branch: a number that is too great swaps a cell with itself
                drawn = np.int64(ready[k] & mask)
                accepted = drawn <= i
                other = drawn if accepted else i
                cells[np.uint64(i)], cells[np.uint64(other)] = cells[np.uint64(other)], cells[np.uint64(i)]
                i -= np.int64(accepted)
            at += ready.size
        mask >>= 1
    return at


@kernel
def fill_permuted(words, numbers, place, counts, left_out, n_cells, out):
    """Rows of ``counts[i]`` cells: all of them in order as often as they fit, then some of a permutation of them."""
    at, n = place[0], np.int64(0)
    cells = np.empty(n_cells, out.dtype)
    for row in range(counts.size):
        size = np.int64(0)
        for cell in range(n_cells):
            if cell != left_out[row]:
                cells[size] = cell
                size += 1
        remainder = counts[row] % size
        for _ in range(counts[row] // size):
            part = out[n : n + size]
            for i in range(part.size):
                part[i] = cells[i]
            n += size
        if remainder:
            at = shuffle(words, numbers, at, cells[:size])
            part = out[n : n + remainder]
            for i in range(part.size):
                part[i] = cells[i]
            n += remainder
    place[0] = at


@kernel
def sort_by_target(source, target, next_place, sorted_source):
    """Put each source in the next place of its target; ``next_place`` (targets,) is moved on."""
    for i in range(target.size):
        sorted_source[next_place[target[i]]] = source[i]
        next_place[target[i]] += 1


def below(random: np.random.RandomState, bound: int, count: int, dtype: type) -> np.ndarray:
    """``random.randint(0, bound, count)``."""
    stream, out = Stream(random), np.empty(count, dtype)
    fill_below(stream.words, stream.numbers, stream.place, bound, out)
    stream.close()
    return out


def pairs_below(
    random: np.random.RandomState, bounds: tuple[int, int], count: int, dtype: type
) -> tuple[np.ndarray, NDArray[np.int32]]:
    """``random.randint(0, bounds[0])`` and ``random.randint(0, bounds[1])`` in turn: (count,) of each."""
    stream = Stream(random)
    source, target = np.empty(count, dtype), np.empty(count, np.int32)
    fill_pairs(stream.words, stream.numbers, stream.place, np.array(bounds), source, target)
    stream.close()
    return source, target


def permuted(
    random: np.random.RandomState, counts: NDArray[np.int64], left_out: NDArray[np.int32], n_cells: int, dtype: type
) -> np.ndarray:
    """Cells chosen without replacement, row after row.

    A row begins with all cells in order, as often as they fit; the rest are the first of ``random.permutation``.

    Args:
        counts: (rows,) how many cells.
        left_out: (rows,) a cell that is not chosen, or -1.
    """
    stream, out = Stream(random), np.empty(int(counts.sum()), dtype)
    fill_permuted(stream.words, stream.numbers, stream.place, counts, left_out, n_cells, out)
    stream.close()
    return out


def by_target(source: np.ndarray, target: np.ndarray, n_targets: int) -> tuple[NDArray[np.int64], np.ndarray]:
    """The sources sorted by target, those of one target in the order they had: ``first`` (targets + 1,) and sources."""
    first = np.zeros(n_targets + 1, np.int64)
    np.cumsum(np.bincount(target, minlength=n_targets), out=first[1:])
    found = np.empty_like(source)
    sort_by_target(source, target, first[:-1].copy(), found)
    return first, found
