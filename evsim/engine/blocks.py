"""One block of neurons in one step: take its inputs, draw its noise, advance it, unless it is at rest."""

from __future__ import annotations

import numpy as np

from evsim.compile import inlined, lean
from evsim.engine.feeds import add_feed
from evsim.engine.intrinsics import call_at, span, table
from evsim.engine.memory import AT_REST, LOOK
from evsim.engine.places import FEED

PATIENCE = 16  # steps from one look to the next

RECEIVE, STEP_ALONE, WHOLE = range(3)  # what of a time step a function does


@inlined
def place_of_inputs(b, blocks, slices):
    """Where the input rows of a block begin, how many they are, and how far apart."""
    s = blocks.slice[b]
    return slices.input[s] + blocks.local[b], blocks.n_inputs[b], slices.size[s]


def draw_noise(thread, b, label):
    """Add the noise that is due at a label to the inputs of a block: a part of the loop. Returns whether any may be."""
    feeds, scratch = thread.feeds, thread.scratch
    begin, rows, width = place_of_inputs(b, thread.blocks, thread.slices)
    inputs = table(thread.memory.inputs, begin, rows, width)
    some = False
    for feed in range(feeds.first[b], feeds.first[b + 1]):
        some |= add_feed(feeds, feed, label, inputs, scratch.hashes, scratch.counts)
        thread.work[FEED] += feeds.size[feed]
    return np.int64(some)


@inlined
def any_input(inputs, n):
    """Whether there is any input for the n neurons of a block."""
    found = False
    for k in range(inputs.shape[0]):
        row = span(inputs[k], 0, n)
        for i in range(row.size):
            found |= row[i] != 0
    return found


@lean
def counted(tally):
    """What was counted as lost, all together."""
    total = np.int64(0)
    for k in range(tally.size):
        total += tally[k]
    return total


@lean
def keep(state, kept):
    """Keep a copy of some bytes; returns whether the copy before was the same."""
    difference = np.uint8(0)
    for i in range(state.size):
        difference |= state[i] ^ kept[i]
        kept[i] = state[i]
    return difference == 0


@inlined
def call(function, b, step, blocks, memory, inputs, flags, spiked):
    """Call the step or receive function at an address for one block; see ``loops.signature``."""
    n = blocks.size[b]
    state, parameters = blocks.state[b], blocks.parameters[b]
    rows, width = blocks.n_parameters[b], blocks.width[b]
    arguments = (
        table(memory.state, state, blocks.n_state[b], n),
        table(memory.parameters, parameters, rows, width),
        inputs,
        span(memory.drive, blocks.drive[b], n),
        span(flags, 0, n),
        spiked,
        memory.tally[b],
        np.uint64(blocks.key[b]),
        step,
        blocks.cell[b],
    )
    return call_at(function, arguments)


@inlined
def run_block(function, b, step, noisy, phase, blocks, slices, memory, buffers, spiked):
    """Call a function for a block, unless the block is at rest and has no input; returns what it returns, else -1.

    A block is at rest once a step had no input, spiked nothing, counted nothing and changed no bit. To find that out
    costs half a step, so it is done in one step of ``PATIENCE``.

    Args:
        noisy: whether there surely is input.
        buffers: (flags, before) of ``Scratch``.
    """
    rest = memory.rest[b]
    begin, rows, width = place_of_inputs(b, blocks, slices)
    inputs = table(memory.inputs, begin, rows, width)
    certain = noisy or blocks.key[b] != 0  # what draws random numbers is never at rest
    quiet = rest >= LOOK and not certain and (phase == STEP_ALONE or not any_input(inputs, blocks.size[b]))
    if quiet and rest == AT_REST:
        return np.int64(-1)
    flags, before = buffers
    each = memory.state_bytes.size // memory.state.size
    state = span(memory.state_bytes, blocks.state[b] * each, blocks.n_state[b] * blocks.size[b] * each)
    looking, lost = quiet and rest == LOOK, np.int64(0)
    if looking:
        keep(state, before)
        lost = counted(memory.tally[b])
    found = call(function, b, step, blocks, memory, inputs, flags, spiked)
    if looking and found == 0 and counted(memory.tally[b]) == lost and keep(state, before):
        memory.rest[b] = LOOK if phase == RECEIVE else AT_REST
    elif rest >= LOOK:
        memory.rest[b] = -PATIENCE
    elif phase != RECEIVE:
        memory.rest[b] = rest + 1
    return found
