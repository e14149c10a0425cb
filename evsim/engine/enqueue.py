"""Queueing spikes: those of the steps that all threads have made, and those that sources send."""

from __future__ import annotations

import numpy as np

from evsim.compile import inlined, lean
from evsim.engine.exchange import carried, emitted
from evsim.engine.places import DONE, FULL_CALENDAR, FULL_LOG, PUSH, PUSHED, SOURCE
from evsim.engine.queue import push, push_summed, rows_of
from evsim.engine.records import note
from evsim.engine.rows import SUMMED


@inlined
def has_room(rows, calendar, share, neurons, work):
    """Whether the calendar surely has room for the spikes of some neurons over the lanes of a thread; counts rows."""
    needed = np.int64(0)
    for at in range(share.lanes.size):
        if rows.kind[share.lanes[at]] != SUMMED:
            needed += rows_of(rows, share.lanes[at], neurons)
    if needed > calendar.free[1]:
        return False
    work[PUSH] += needed
    return True


@inlined
def queue_all(rows, calendar, share, neurons, payloads, label, charges, sums):
    """Queue the spikes of one label over the lanes of a thread; see ``push_summed`` for the payloads."""
    for at in range(share.lanes.size):
        lane = share.lanes[at]
        if rows.kind[lane] == SUMMED:
            push_summed(rows, lane, neurons, payloads, label, charges, sums)
        else:
            push(rows, calendar, lane, neurons, label)


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
            neurons = scratch.neurons[: emitted(exchange, step, thread.blocks, scratch.neurons)]
            payloads = scratch.payloads[: carried(exchange, step, scratch.payloads)]
        elif cursor < labels.size and labels[cursor] <= label:
            while stop < labels.size and labels[stop] == labels[cursor]:
                stop += 1
            now, neurons, payloads = labels[cursor], sources[cursor:stop], scratch.payloads[:0]
        else:
            return DONE
        if neurons.size:
            if not has_room(rows, calendar, share, neurons, thread.work):
                return FULL_CALENDAR
            if is_step and share.thread == 0 and step >= timing.logged:
                if log.count[0] + neurons.size > log.label.size:
                    return FULL_LOG
                note(log, now, neurons)
            queue_all(rows, calendar, share, neurons, payloads, now, thread.charges, scratch.sums)
        progress[PUSHED], progress[SOURCE] = step + is_step, stop


@lean
def log_steps(first, until, spike_label, exchange, blocks, neurons, log):
    """Record the spikes of the steps from ``first`` to before ``until``; returns the step at which the log is full."""
    for step in range(first, until):
        found = neurons[: emitted(exchange, step, blocks, neurons)]
        if log.count[0] + found.size > log.label.size:
            return step
        note(log, step + spike_label, found)
    return until
