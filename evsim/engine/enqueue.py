"""Queueing spikes: those of the steps that all threads have made, and those that sources send."""

from __future__ import annotations

import numpy as np

from evsim.compile import inlined, lean
from evsim.engine.exchange import carried, emitted
from evsim.engine.intrinsics import call_at, span
from evsim.engine.places import DONE, FULL_CALENDAR, FULL_LOG, PUSH, PUSHED, SOURCE
from evsim.engine.queue import most_pages, push, push_summed, rows_of
from evsim.engine.records import note
from evsim.engine.rows import SUMMED


@inlined
def has_room(rows, calendar, share, neurons, work):
    """Whether the calendar surely has room for the spikes of some neurons over the lanes of a thread; counts rows."""
    queued = pages = np.int64(0)
    for at in range(share.lanes.size):
        if rows.kind[share.lanes[at]] != SUMMED:
            count = rows_of(rows, share.lanes[at], neurons)
            queued += count
            pages += most_pages(count, rows.most_delay)
    if pages > calendar.free[1]:
        return False
    work[PUSH] += queued
    return True


@inlined
def queue_all(thread, neurons, payloads, label):
    """Queue the spikes of one label over the lanes of a thread; see ``push_summed`` for the payloads."""
    rows, calendar, lanes = thread.rows, thread.calendar, thread.share.lanes
    for at in range(lanes.size):
        if rows.kind[lanes[at]] != SUMMED:
            push(rows, calendar, lanes[at], neurons, label)
    if thread.summed:
        call_at(thread.summed, (thread, neurons, payloads, label))


def queue_summed(thread, neurons, payloads, label):
    """Add the spikes of one label over the lanes whose charges are summed to the ring: a part of the loop."""
    rows, lanes = thread.rows, thread.share.lanes
    for at in range(lanes.size):
        if rows.kind[lanes[at]] == SUMMED:
            push_summed(rows, lanes[at], neurons, payloads, label, thread.charges, thread.scratch.sums)
    return 0


def queue_spikes(thread, steps, label):
    """Queue the spikes of all steps before ``steps``, then those that sources send up to a label: a part of the loop.

    Thread 0 also records those of the steps. Returns DONE, or what is full.
    """
    progress, timing, share, log = thread.progress, thread.timing, thread.share, thread.log
    rows, calendar, scratch, exchange = thread.rows, thread.calendar, thread.scratch, thread.exchange
    labels, sources = thread.labels, thread.sources
    while True:
        step, cursor = progress[PUSHED], progress[SOURCE]
        stop, is_step = cursor, step < steps
        if is_step:
            now = step + timing.spike_label
            neurons = span(scratch.neurons, 0, emitted(exchange, step, thread.blocks, scratch.neurons))
            payloads = span(scratch.payloads, 0, carried(exchange, step, scratch.payloads))
        elif cursor < labels.size and labels[cursor] <= label:
            while stop < labels.size and labels[stop] == labels[cursor]:
                stop += 1
            now, neurons, payloads = labels[cursor], span(sources, cursor, stop - cursor), span(scratch.payloads, 0, 0)
        else:
            return DONE
        if neurons.size:
            if not has_room(rows, calendar, share, neurons, thread.work):
                return FULL_CALENDAR
            if is_step and share.thread == 0 and step >= timing.logged:
                if log.count[0] + neurons.size > log.label.size:
                    return FULL_LOG
                note(log, now, neurons)
            queue_all(thread, neurons, payloads, now)
        progress[PUSHED], progress[SOURCE] = step + is_step, stop


@lean
def log_steps(thread, first, until):
    """Record the spikes of the steps from ``first`` to before ``until``; returns the step at which the log is full."""
    neurons, log = thread.scratch.neurons, thread.log
    for step in range(first, until):
        found = span(neurons, 0, emitted(thread.exchange, step, thread.blocks, neurons))
        if log.count[0] + found.size > log.label.size:
            return step
        note(log, step + thread.timing.spike_label, found)
    return until
