"""Visiting every block of neurons of a thread in a time step."""

from __future__ import annotations

import numpy as np

from evsim.compile import inlined, lean
from evsim.engine.blocks import RECEIVE, STEP_ALONE, WHOLE, run_block
from evsim.engine.held import hold
from evsim.engine.intrinsics import call_at, span, ticks
from evsim.engine.memory import BLOCK
from evsim.engine.places import FEED, UPDATE

RECEIVING, STEPPING, EARLY = 1, 2, 4  # what is done with each block, added up


@lean
def spend(thread, place, since):
    """Add the time since ``since`` to a place; returns the time now. Called so often that LLVM is left to inline it."""
    if not thread.profile:
        return since
    now = ticks()
    thread.spent[place] += now - since
    return now


@inlined
def copy_payloads(state, begin, spiked, payload, b):
    """Publish what the spikes of a block carry, which lies in its state from ``begin`` on."""
    for j in range(spiked.size):
        payload[b * BLOCK + j] = state[begin + spiked[j]]


def visit_blocks(thread, k, what):
    """Let every block take in what is due, or step it and publish its spikes, or one after the other.

    A part of the loop. Where a rule set has no phase of receiving, a step takes in what is due by itself, or what is
    due is added to its state after it.

    Args:
        k: the step.
        what: RECEIVING, STEPPING, or both, of the blocks that are not early; or all of the early ones, by EARLY.
    """
    timing, blocks, slices, memory = thread.timing, thread.blocks, thread.slices, thread.memory
    scratch, exchange, share, work = thread.scratch, thread.exchange, thread.share, thread.work
    buffers = scratch.flags, scratch.before
    early = what & EARLY != 0
    receiving, stepping = what & RECEIVING != 0, early or what & STEPPING != 0
    phase = STEP_ALONE if timing.two_phase else WHOLE
    place, due = k % exchange.found.shape[0], k + timing.input_label
    t = ticks() if thread.profile else np.int64(0)
    # Forwards and backwards by turns, so that a step begins with the blocks that are still in the cache.
    first, count = (0, share.early) if early else (share.early, share.blocks.size - share.early)
    for each in range(count):
        b = share.blocks[first + (count - 1 - each if k & 1 else each)]
        spiked = span(exchange.spiked[place], b * BLOCK, blocks.size[b])
        noisy = receiving and thread.noise != 0 and call_at(thread.noise, (thread, b, due)) != 0
        t = spend(thread, FEED, t)
        model = blocks.model[b]
        # One call for either, because it is compiled where it stands.
        for steps_now in range(0 if receiving and timing.two_phase else 1, 2 if stepping else 1):
            if not steps_now and memory.held_state.size and not stepping:
                hold(b, blocks, slices, memory)
            function, done = (thread.steps[model], phase) if steps_now else (thread.receives[model], RECEIVE)
            found = run_block(function, b, k, noisy, done, blocks, slices, memory, buffers, spiked)
            if steps_now:
                work[UPDATE + model] += blocks.size[b] if found >= 0 else 0
                found = max(found, 0)
                exchange.found[place, b] = found
                if blocks.payload[b] >= 0:
                    copy_payloads(memory.state, blocks.payload[b], span(spiked, 0, found), exchange.payload[place], b)
            t = spend(thread, UPDATE + model if steps_now else FEED, t)
        if early and thread.noise != 0:
            call_at(thread.noise, (thread, b, due))
            t = spend(thread, FEED, t)
    return 0
