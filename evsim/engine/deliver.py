"""Delivery: adding the rows that are due to the inputs of neurons.

Synapses are read once and in order, inputs are changed at random places, so what counts is that the processor never
waits for the beginning of a row: rows are asked for ahead of time, and short ones are first copied together, so that
one long loop without mispredicted branches adds them.
"""

from __future__ import annotations

import numpy as np

from evsim.compile import inlined, lean
from evsim.engine.intrinsics import copy_line, prefetch, span, synapse_weight
from evsim.engine.queue import LENGTH_BITS, LENGTH_MASK
from evsim.engine.rows import EVEN

AHEAD = 16  # rows whose first cache lines are asked for before they are read
FULL = 2048  # synapses that are copied together before they are added
ROOM = 2 * FULL + 64  # of a buffer


@inlined
def add(items, weight, into):
    """Add each synapse's weight at its target; ``weight`` is that of all where items are mere targets."""
    for j in range(items.size):
        item = items[j]
        into[np.int64(item) & 0xFFFF] += synapse_weight(item, weight)


@inlined
def unpacked(entry):
    """Where a row begins and how long it is."""
    return np.int64(entry >> np.uint64(LENGTH_BITS)), np.int64(entry & np.uint64(LENGTH_MASK))


@inlined
def ask(items, entry, most, line):
    """Ask for the cache lines, of ``line`` items each, of a row's first ``most`` synapses."""
    begin, length = unpacked(entry)
    j = np.int64(0)
    while j < min(length, most):
        prefetch(items, begin + j)
        j += line


@inlined
def copy_lines(items, begin, buffer, at, length, line):
    """Copy ``length`` items, and up to a cache line beyond them: no remainder loop, so no mispredicted branch."""
    j = np.int64(0)
    while j < length:
        copy_line(items, begin + j, buffer, at + j)
        j += line


@lean
def _each(items, entries, weight, into, line):
    """Add row by row; the next row is asked for while one is added."""
    events = np.int64(0)
    for q in range(entries.size):
        if q + 1 < entries.size:
            ask(items, entries[q + 1], 64 * line, line)
        begin, length = unpacked(entries[q])
        add(span(items, begin, length), weight, into)
        events += length
    return events


@lean
def _gather(items, entries, buffer, weight, into, line):
    """Copy rows together and add them when the buffer is full."""
    events = np.int64(0)
    filled = np.int64(0)
    for q in range(min(entries.size, AHEAD)):
        ask(items, entries[q], 8 * line, line)
    for q in range(entries.size):
        if q + AHEAD < entries.size:
            ask(items, entries[q + AHEAD], 8 * line, line)
        begin, length = unpacked(entries[q])
        events += length
        while length > 0:
            part = min(length, np.int64(FULL))
            copy_lines(items, begin, buffer, filled, part, line)
            filled += part
            begin += part
            length -= part
            if filled >= FULL:
                add(span(buffer, 0, filled), weight, into)
                filled = np.int64(0)
    add(span(buffer, 0, filled), weight, into)
    return events


@inlined
def deliver_lane(rows, lane, entries, buffers, inputs):
    """Add rows of one lane to its inputs; returns the number of synapses.

    Args:
        buffers: arrays of the types of ``rows.targets`` and ``rows.words``, ``ROOM`` long.
    """
    into = span(inputs, rows.input[lane], rows.width[lane])
    targets, words = buffers
    per_line = np.int64(64) // words.itemsize
    weight = rows.weight[lane]
    if rows.kind[lane] == EVEN:
        if rows.gathers[lane]:
            return _gather(rows.targets, entries, targets, weight, into, np.int64(32))
        return _each(rows.targets, entries, weight, into, np.int64(32))
    if rows.gathers[lane]:
        return _gather(rows.words, entries, words, weight, into, per_line)
    return _each(rows.words, entries, weight, into, per_line)
