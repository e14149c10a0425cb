"""The event queue: rows of synapses in buckets by lane and by the time step in which they are due (a calendar queue).

A bucket is a list of pages of entries; an entry is where a row begins and how long it is. A bucket is delivered in the
order in which it was filled, which the network alone fixes, so that a sum of floating-point weights is the same in
every run. Charges that were already summed, because a chip shifts the sum of a step's spikes or because weights changed
while spikes were under way, wait in a ring beside the queue.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from evsim.compile import inlined, lean
from evsim.engine.intrinsics import prefetch, shift_right, span, synapse_weight
from evsim.engine.rows import NUMBERED, STRUCTURAL, SUMMED, Rows

PAGE = 32  # entries
LENGTH_BITS = 24  # of an entry; the rest is where the row begins
LENGTH_MASK = (1 << LENGTH_BITS) - 1
AHEAD = 4  # spikes whose rows are asked for before they are queued


class Calendar(NamedTuple):
    """The buckets of the lanes of one thread.

    Attributes:
        entries: (pages, PAGE) uint64, ``begin << LENGTH_BITS | length`` of rows; from NUMBERED lanes on the number of
            the row within the lane.
        link: (pages,) int32, the page after this one in its bucket, or the next free page.
        free: (2,) int64, the first free page and how many there are.
        head, tail: (lanes, slots) int32, first and last page of each bucket; slot = due label modulo slots.
        count: (lanes, slots) int32, entries.
    """

    entries: np.ndarray
    link: np.ndarray
    free: np.ndarray
    head: np.ndarray
    tail: np.ndarray
    count: np.ndarray


def empty_calendar(n_lanes: int, slots: int, pages: int = 256) -> Calendar:
    """A queue without events.

    Args:
        slots: more than any delay in steps, by what the labels of a spike may differ from the present step.
    """
    link = np.arange(1, pages + 1, dtype=np.int32)
    zeros = [np.zeros((n_lanes, slots), np.int32) for _ in range(3)]
    return Calendar(np.empty((pages, PAGE), np.uint64), link, np.array([0, pages], np.int64), *zeros)


def grown(calendar: Calendar) -> Calendar:
    """The calendar with twice as many pages."""
    old = len(calendar.link)
    link = np.concatenate([calendar.link, np.arange(old + 1, 2 * old + 1, dtype=np.int32)])
    link[-1] = calendar.free[0]
    entries = np.concatenate([calendar.entries, np.empty_like(calendar.entries)])
    return calendar._replace(entries=entries, link=link, free=np.array([old, calendar.free[1] + old], np.int64))


@inlined
def rows_of(rows, lane, neurons):
    """How many rows of a lane the spikes of some neurons would queue."""
    first = rows.first[lane]
    for k in range(min(neurons.size, 8)):
        prefetch(first, np.int64(neurons[k]))
    count = np.int64(0)
    for k in range(neurons.size):
        if k + 8 < neurons.size:
            prefetch(first, np.int64(neurons[k + 8]))
        count += first[neurons[k] + 1] - first[neurons[k]]
    return count


@inlined
def most_pages(entries, most_delay):
    """How many pages some entries of a label in a lane can begin: a bucket of c more begins ceil(c / PAGE) at most."""
    return entries // PAGE + min(entries, np.int64(most_delay) + 1)


@inlined
def append(entries, link, free, head, tail, count, slot, entry):
    """Add an entry to a bucket of one lane, whose ``head``, ``tail`` and ``count`` (slots,) these are."""
    at = np.int64(count[slot]) % PAGE
    if at == 0:
        page = np.int32(free[0])
        free[0] = link[page]
        free[1] -= 1
        if count[slot] == 0:
            head[slot] = page
        else:
            link[tail[slot]] = page
        tail[slot] = page
    entries[tail[slot], at] = entry
    count[slot] += 1


@inlined
def push(rows, calendar, lane, neurons, label):
    """Queue the rows of one lane of spikes of one label; the calendar must have room (``most_pages``)."""
    first, begins, delays, base = rows.first[lane], rows.begin, rows.delay, rows.base[lane]
    entries, link, free = calendar.entries, calendar.link, calendar.free
    head, tail, count = calendar.head[lane], calendar.tail[lane], calendar.count[lane]
    slots = np.int64(count.size)
    now = label % slots
    numbers = rows.kind[lane] >= NUMBERED
    for k in range(-AHEAD, neurons.size):
        if k + AHEAD < neurons.size:
            prefetch(begins, first[neurons[k + AHEAD]])
            prefetch(delays, first[neurons[k + AHEAD]])
        if k < 0:
            continue
        for row in range(first[neurons[k]], first[neurons[k] + 1]):
            slot = now + delays[row]
            if slot >= slots:
                slot -= slots
            begin = np.int64(begins[row])
            length = np.int64(begins[row + 1]) - begin
            where = row - first[0] if numbers else ((base + begin) << LENGTH_BITS) | length
            append(entries, link, free, head, tail, count, slot, np.uint64(where))


@lean
def put(calendar, lane, slot, entries):
    """Add entries to a bucket; the calendar must have a free page for each PAGE of them, and one more."""
    head, tail, count = calendar.head[lane], calendar.tail[lane], calendar.count[lane]
    for k in range(entries.size):
        append(calendar.entries, calendar.link, calendar.free, head, tail, count, slot, entries[k])


@inlined
def take(calendar, lane, slot, into):
    """Move the first entries of a bucket, as many as there is room for, to an array; returns how many.

    Room must be for whole pages, and a bucket must be emptied before anything is added to it.
    """
    page = calendar.head[lane, slot]
    left = np.int64(calendar.count[lane, slot])
    moved = np.int64(0)
    while left > 0 and moved < into.size:
        entries = calendar.entries[page]
        n = min(left, np.int64(PAGE))
        for k in range(n):
            into[moved + k] = entries[k]
        moved += n
        left -= n
        following = calendar.link[page]
        calendar.link[page] = np.int32(calendar.free[0])
        calendar.free[0] = page
        calendar.free[1] += 1
        page = following
    calendar.head[lane, slot] = page
    calendar.count[lane, slot] = left
    return moved


@inlined
def _add_summed(rows, lane, neurons, payloads, delay, charges, scratch):
    into = span(charges, rows.input[lane], rows.width[lane])
    shift, unit = rows.shift[lane], rows.weight[lane]
    for add in (True, False):
        for k in range(neurons.size):
            payload = payloads[k] if payloads.size else payloads.dtype.type(1)
            for row in range(rows.first[lane, neurons[k]], rows.first[lane, neurons[k] + 1]):
                if rows.delay[row] == delay:
                    length = np.int64(rows.begin[row + 1]) - np.int64(rows.begin[row])
                    words = span(rows.words, rows.base[lane] + rows.begin[row], length)
                    for j in range(words.size):
                        i = np.int64(words[j]) & 0xFFFF
                        if add:
                            scratch[i] += synapse_weight(words[j], unit) * payload
                        else:
                            into[i] += shift_right(scratch[i], shift)
                            scratch[i] = 0


@inlined
def push_summed(rows, lane, neurons, payloads, label, charges, scratch):
    """Add the spikes of one label over a lane of graded spikes or of a negative exponent to the ring of charges.

    Lava's Dense and DelayDense shift what the spikes of one emission step add up to, for each delay by itself (floor).

    Args:
        neurons: global numbers of the neurons that spiked.
        payloads: what each spike's weights are multiplied by; empty for 1.
        charges: (slots, inputs) ring of charges.
        scratch: (at least the lane's width,) zeros, int64 where weights are integers; zeros again afterwards.
    """
    from_, to = np.int64(1 << 40), np.int64(-1)
    for k in range(neurons.size):
        for row in range(rows.first[lane, neurons[k]], rows.first[lane, neurons[k] + 1]):
            from_, to = min(from_, np.int64(rows.delay[row])), max(to, np.int64(rows.delay[row]))
    for delay in range(from_, to + 1):
        _add_summed(rows, lane, neurons, payloads, delay, charges[(label + delay) % charges.shape[0]], scratch)


def slots_for(most_delay: int) -> int:
    """Enough slots for every delay (steps); a label is at most two steps ahead of the step in which it is queued."""
    return most_delay + 3


def has_summed(rows: Rows) -> bool:
    """Whether some lane needs the ring of charges."""
    return bool(np.isin(rows.kind, (SUMMED, STRUCTURAL)).any())
