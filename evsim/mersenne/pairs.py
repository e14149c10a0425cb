"""Connecting every pair of cells with one probability, by the numbers of ``RandomState.uniform(0, 1)``."""

from __future__ import annotations

import itertools
import math
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from evsim.compile import lean
from evsim.mersenne.jump import jumped
from evsim.mersenne.stream import Stream
from evsim.mersenne.words import BLOCK, BUFFER, advance, tempered

# A uniform number is (27 bits of one word, 26 bits of the next) / 2**53. The first word alone decides but for a tie.
BITS, LOW_BITS = 53, 26
DROPPED = np.uint32(5)  # bits of the first word that are not used
LOW_DROPPED = np.uint32(6)
NEVER = np.uint32(0xFFFFFFFF)  # a first word above every limit
MOST = 1 - 2.0**-27  # probability below which NEVER is one
SIGMAS = 6  # room for so many standard deviations of the number of synapses beyond the expected one
PAIRS_OF_THREAD = 1 << 25  # that a thread has at least: the way to its first random number takes 10 ms
GROUP = 64  # pairs that are looked at together; most groups of a sparse projection hold no synapse


@lean
def first_words(pairs, high):
    """The random number of every other word, into ``high`` of half the size."""
    for i in range(high.size):
        high[i] = tempered(pairs[2 * i])


@lean
def mark_groups(groups, limit, marks):
    """Which groups, the rows of a table, have a number up to the limit."""
    for row in range(marks.size):
        found = np.uint32(0)
        for i in range(GROUP):
            found |= np.uint32(groups[row, i] <= limit)
        marks[row] = found


@lean
def settle_ties(pairs, high, least, most, low_limit):
    """Replace the first words that tie with the limit, and whose second word is above its own, by NEVER."""
    ties = np.uint32(0)
    for i in range(high.size):
        ties |= np.uint32((high[i] >= least) & (high[i] <= most))
    if ties:
        for i in range(high.size):
            if least <= high[i] <= most and (tempered(pairs[2 * i + 1]) >> LOW_DROPPED) > low_limit:
                high[i] = NEVER


@lean
def append_below(high, limit, start, source, n):
    """Append to ``source`` the numbers ``start + i`` of the words up to the limit; returns how many there are now."""
    place = np.uint64(n)
    for i in range(high.size):
        source[place] = start + i
        place += np.uint64(high[i] <= limit)
    return np.int64(place)


@lean
def leave_out(high, one, several):
    """Make sure that one place, if there is such a place, and several from the first on are not below a limit."""
    if 0 <= one < high.size:
        high[one] = NEVER
    earlier = high[: max(np.int64(0), min(high.size, several))]
    for i in range(earlier.size):
        earlier[i] = NEVER


@lean
def append_sources(
    words, place, groups, buffer, marks, threshold, left_out, only_later, targets, n_sources, first, source
):
    """The sources of some targets, from ``first[targets[0]]`` on.

    Args:
        groups, buffer, marks: room for the first words of as many pairs as ``words`` holds, as a table of groups and as
            a row, and for a mark for each group.
        threshold: the greatest whole number that a uniform number times 2**53 can be for its pair to be connected.
        left_out: (all targets,) int32, a source that is not connected, or -1.
        only_later: whether only the sources after the target's own index are connected.
        targets: (2,) the first, and the one after the last.

    Returns:
        The target to go on with: ``source`` might not have room for all sources of it.
    """
    limit = np.uint32(((threshold >> LOW_BITS) << DROPPED) | 31)
    tie, low_limit = np.uint32(limit - 31), np.uint32(threshold & ((1 << LOW_BITS) - 1))
    at, n = place[0], first[targets[0]]
    for target in range(targets[0], targets[1]):
        if n + n_sources >= source.size:
            place[0] = at
            return target
        begin = np.int64(0)
        while begin < n_sources:
            if words.size - at < 2:
                advance(words)
                at -= words.size - BLOCK
            count = min((words.size - at) >> 1, n_sources - begin, buffer.size)
            first_words(words[at : at + 2 * count], buffer[:count])
            leave_out(buffer[:count], left_out[target] - begin, target + 1 - begin if only_later else np.int64(0))
            used = marks[: (count + GROUP - 1) // GROUP]
            mark_groups(groups, limit, used)
            for row in range(used.size):
                if used[row]:
                    start = row * GROUP
                    high = buffer[start : min(start + GROUP, count)]
                    settle_ties(words[at + 2 * start : at + 2 * count], high, tie, limit, low_limit)
                    n = append_below(high, limit, begin + start, source, n)
            at += 2 * count
            begin += count
        first[target + 1] = n
    place[0] = at
    return targets[1]


def sources_of_pairs(
    random: np.random.RandomState,
    probability: float,
    n_sources: int,
    left_out: NDArray[np.int32],
    only_later: bool,
    dtype: type,
) -> tuple[NDArray[np.int64], np.ndarray]:
    """Connect each pair where ``random.uniform(0, 1)``, drawn for all sources of target 0, 1, ..., is below a number.

    Args:
        random: is not changed.
        probability: above 0 and below ``MOST``.
        left_out: (targets,) a source of each target that is not connected whatever its number, or -1.
        only_later: connect only sources whose index is above the target's.
        dtype: unsigned integers that can hold a source.

    Returns:
        first: (targets + 1,) the sources of target i are ``source[first[i] : first[i + 1]]``, ascending.
        source: (synapses,).
    """

    def of_some(targets: range) -> tuple[NDArray[np.int64], np.ndarray]:
        """The same for some of the targets."""
        stream = Stream(jumped(random, 2 * n_sources * targets.start) if targets.start else random)
        threshold = math.ceil(probability * 2.0**BITS) - 1
        source = np.empty(_room(n_sources, len(targets), probability), dtype)
        first = np.zeros(len(left_out) + 1, np.int64)
        groups = np.empty((BUFFER // 2 // GROUP, GROUP), np.uint32)
        room = groups, groups.reshape(-1), np.empty(len(groups), np.uint32)
        at = targets.start
        while True:
            ahead = np.array([at, targets.stop])
            at = append_sources(
                stream.words, stream.place, *room, threshold, left_out, only_later, ahead, n_sources, first, source
            )
            if at == targets.stop:
                first = first[targets.start : targets.stop + 1]
                return first, source[: first[-1]]
            source = np.concatenate([source, np.empty(len(source) // 8 + n_sources, dtype)])

    stretches = _stretches(n_sources, len(left_out))
    if len(stretches) == 1:
        return of_some(stretches[0])
    with ThreadPoolExecutor(len(stretches)) as pool:
        firsts, sources = zip(*pool.map(of_some, stretches), strict=True)
    counts = np.concatenate([np.diff(first) for first in firsts])
    return np.concatenate([[0], np.cumsum(counts)]), np.concatenate(sources)


def _room(n_sources: int, n_targets: int, probability: float) -> int:
    """Places for what is likely to be connected, and for one more target; pages that stay untouched cost nothing."""
    pairs = n_sources * n_targets
    spread = math.sqrt(pairs * probability * (1 - probability))
    return int(pairs * probability + SIGMAS * spread) + n_sources + 1


def _stretches(n_sources: int, n_targets: int) -> list[range]:
    """The targets, divided among threads: as many as there are cores, each with enough to do."""
    count = max(min(len(os.sched_getaffinity(0)), n_sources * n_targets // PAIRS_OF_THREAD), 1)
    bounds = [n_targets * place // count for place in range(count + 1)]
    return [range(*pair) for pair in itertools.pairwise(bounds)]
