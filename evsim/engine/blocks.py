"""One block of neurons in one step: take its inputs, draw its noise, advance it, unless it is at rest."""

from __future__ import annotations

import numpy as np

from evsim.compile import inlined
from evsim.engine.feeds import add_feed
from evsim.engine.places import FEED, UPDATE


@inlined
def place_of_inputs(b, blocks, layout):
    """Where the input rows of a block begin, how many they are, and how far apart."""
    first, width = layout
    s = blocks.slice[b]
    return first[s] + blocks.local[b], blocks.n_inputs[b], width[s]


@inlined
def draw_noise(b, label, blocks, layout, memory, feeds, draws, work):
    """Add the noise that is due at a label to the inputs of a block; returns whether there may be any."""
    begin, rows, width = place_of_inputs(b, blocks, layout)
    inputs = memory.inputs[begin : begin + rows * width].reshape((rows, width))
    hashes, counts = draws
    some = False
    for feed in range(feeds.first[b], feeds.first[b + 1]):
        some |= add_feed(feeds, feed, label, inputs, hashes, counts)
        work[FEED] += feeds.size[feed]
    return some


@inlined
def any_input(inputs, n):
    """Whether there is any input for the n neurons of a block."""
    found = False
    for k in range(inputs.shape[0]):
        row = inputs[k][:n]
        for i in range(row.size):
            found |= row[i] != 0
    return found


@inlined
def clear(inputs, n):
    """Set the inputs of the n neurons of a block to 0."""
    for k in range(inputs.shape[0]):
        row = inputs[k][:n]
        for i in range(row.size):
            row[i] = 0


@inlined
def call(function, b, blocks, memory, inputs, spiked):
    """Call a step or receive function for one block."""
    n = blocks.size[b]
    state, parameters = blocks.state[b], blocks.parameters[b]
    rows, width = blocks.n_parameters[b], blocks.width[b]
    return function(
        memory.state[state : state + blocks.n_state[b] * n].reshape((blocks.n_state[b], n)),
        memory.parameters[parameters : parameters + rows * width].reshape((rows, width)),
        inputs,
        memory.drive[blocks.drive[b] : blocks.drive[b] + n],
        spiked,
        memory.tally[b],
    )


@inlined
def receive_block(b, noisy, receives, blocks, layout, memory, spiked):
    """Let a block take in what is due, unless it is at rest and nothing is due.

    Args:
        noisy: whether there surely is input.
    """
    begin, rows, width = place_of_inputs(b, blocks, layout)
    inputs = memory.inputs[begin : begin + rows * width].reshape((rows, width))
    if memory.settled[b] and not noisy and not any_input(inputs, blocks.size[b]):
        return
    unchanged = call(receives[blocks.model[b]], b, blocks, memory, inputs, spiked) < 0
    memory.settled[b] &= np.int64(unchanged)
    clear(inputs, blocks.size[b])


@inlined
def step_block(b, noisy, steps, blocks, layout, memory, received, spiked, work):
    """Step a block, unless it is at rest and has no inputs; returns the number of spikes.

    Args:
        noisy: whether there surely is input.
        received: whether the block has taken in what is due already; it has no inputs then.
    """
    begin, rows, width = place_of_inputs(b, blocks, layout)
    inputs = memory.inputs[begin : begin + rows * width].reshape((rows, width))
    if memory.settled[b] and not noisy and (received or not any_input(inputs, blocks.size[b])):
        return np.int64(0)
    found = call(steps[blocks.model[b]], b, blocks, memory, inputs, spiked)
    work[UPDATE + blocks.model[b]] += blocks.size[b]
    memory.settled[b] = found < 0
    if not received:
        clear(inputs, blocks.size[b])
    return max(found, np.int64(0))
