"""The loop that advances a network: take in what is due, sample, step every block of neurons, publish what spiked.

Its parts are native functions that it calls by their addresses, each with one pointer to all that it works with. So the
loop is compiled for a number format once, whatever is in a network, and a part only where there is need of it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from evsim.compile import inlined, lean
from evsim.engine.exchange import complete, wait_for
from evsim.engine.intrinsics import call_at, flush_tiny, restore_tiny, ticks
from evsim.engine.memory import UNREST
from evsim.engine.places import (
    CHANGE,
    DELIVER,
    DONE,
    FULL_HISTORY,
    PLASTICITY,
    PUSH,
    RECEIVED,
    SAMPLE,
    STEP,
    STOPPED,
    WAIT,
)
from evsim.engine.receive import deliver_charges
from evsim.engine.records import sample, samples_at
from evsim.engine.serve import DELIVER_DUE, DRIVE, HAS_ROOM, NOTE, PUBLISH
from evsim.engine.share import Thread
from evsim.engine.visit import EARLY, RECEIVING, STEPPING, spend
from evsim.references import Referred


class Loop(NamedTuple):
    """A thread, and the parts of the loop; each is an address, and each takes a pointer and two numbers.

    Attributes:
        queue, deliver, visit: what queues spikes, delivers over synapses that are always the same, and visits blocks.
        here: where the thread's own words lie, which those take.
        changing: (kinds, 2) int64, what serves a kind of synapses that change, and what it is given.
        listed, coupled: the same of what arrives between time steps, and of gap junctions: (0, 2) or (1, 2).
    """

    thread: Thread | Referred
    queue: int
    deliver: int
    visit: int
    here: int
    changing: np.ndarray
    listed: np.ndarray
    coupled: np.ndarray


@lean
def call_all(parts, what, when):
    """Call parts in turn; returns whether every one returned something else than 0."""
    all_well = True
    for i in range(parts.shape[0]):
        all_well &= call_at(parts[i, 0], (parts[i, 1], np.int64(what), np.int64(when))) != 0
    return all_well


@inlined
def change_drive(thread, step):
    """Make the changes of drive up to a step."""
    share, memory = thread.share, thread.memory
    cursor = thread.progress[CHANGE]
    while cursor < share.drive_step.size and share.drive_step[cursor] <= step:
        memory.drive[share.drive_place[cursor]] = share.drive_value[cursor]
        memory.rest[share.drive_block[cursor]] = UNREST
        cursor += 1
    thread.progress[CHANGE] = cursor


@inlined
def sampled_now(thread, k):
    """Whether anything is recorded of a label."""
    return thread.timing.sampled <= k and samples_at(k, thread.samples)


@lean
def begin(loop, k, last):
    """Sample what is wanted of label k, and make what drives step k; returns whether that step is to be made."""
    thread = loop.thread
    t = ticks() if thread.profile else np.int64(0)
    if sampled_now(thread, k):
        sample(k, thread.timing.sampled, thread.memory.state, thread.samples)
        thread.work[SAMPLE] += thread.samples.place.size
        t = spend(thread, SAMPLE, t)
    if k >= last:
        return False
    change_drive(thread, k)
    call_all(loop.coupled, DRIVE, k)
    spend(thread, DELIVER, t)
    return True


@inlined
def _advance(loop, last):
    """``advance``, with tiny floats as the thread has them."""
    thread = loop.thread
    progress, timing, exchange, share = thread.progress, thread.timing, thread.exchange, thread.share
    while True:
        k = progress[STEP]
        t = ticks() if thread.profile else np.int64(0)
        ready = k - timing.slack + 1  # steps that all threads have made, then
        if not wait_for(exchange, share.thread, share.threads, ready):
            return STOPPED
        t = spend(thread, WAIT, t)
        due = k + timing.input_label
        full = call_at(loop.queue, (loop.here, ready, k))
        if full != DONE:
            return full
        if not call_all(loop.changing, HAS_ROOM, due):
            return FULL_HISTORY
        t = spend(thread, PUSH, t)
        # The input of a step comes after the sample of its label, but where there is a phase for it.
        early = not timing.two_phase
        if early:
            if not begin(loop, k, last):
                return DONE
            call_at(loop.visit, (loop.here, k, np.int64(EARLY)))
            t = ticks() if thread.profile else t
        receiving = progress[RECEIVED] <= k and (k < last or timing.two_phase)
        if receiving:
            call_at(loop.deliver, (loop.here, due, k))
            t = spend(thread, DELIVER, t)
            call_all(loop.changing, DELIVER_DUE, due)
            t = spend(thread, PLASTICITY, t)
            call_all(loop.listed, DELIVER_DUE, due)
            if thread.charges.shape[1]:
                deliver_charges(thread, due)
            t = spend(thread, DELIVER, t)
            progress[RECEIVED] = k + 1
        # Receiving and stepping one block after the other keeps it in the cache, unless the state between is wanted.
        apart = not early and receiving and (sampled_now(thread, k) or k >= last)
        if apart:
            call_at(loop.visit, (loop.here, k, np.int64(RECEIVING)))
        if not early and not begin(loop, k, last):
            return DONE
        call_at(loop.visit, (loop.here, k, np.int64(STEPPING if apart or not receiving else STEPPING | RECEIVING)))
        t = ticks() if thread.profile else t
        call_all(loop.coupled, PUBLISH, k)
        t = spend(thread, DELIVER, t)
        call_all(loop.changing, NOTE, k)
        spend(thread, PLASTICITY, t)
        progress[STEP] = k + 1
        complete(exchange, share.thread, k + 1)


@lean
def advance(loop, last):
    """Run the steps up to ``last - 1`` for one thread's share of the network.

    It goes on from where the thread's progress is, also after it returned early.

    Args:
        loop: a reference to a ``Loop``.

    Returns:
        why it returned; see ``places``.
    """
    before = flush_tiny()
    reason = _advance(loop, last)
    restore_tiny(before)
    return reason


@lean
def call_part(address, thread, first, second):
    """Call one part of the loop by itself."""
    return call_at(address, (thread, first, second))
