"""Neurons that receive late: what is set between two runs comes before the input of the step that follows.

A run ends with the input of its last label received, since the sample there holds it. On SpiNNaker that is so of
neurons that share a core with their synapses; those on cores of their own fetch it as the next step begins
(``spinnaker_split.late_populations``). Their state and inputs are held as they are before, and a change goes on from
there.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from evsim.compile import inlined, kernel
from evsim.deploy.chip_network import ChipNetwork
from evsim.deploy.spinnaker_split import late_populations
from evsim.engine.blocks import call, place_of_inputs
from evsim.engine.changes import rescale_charges
from evsim.engine.intrinsics import span, table
from evsim.engine.memory import BLOCK, Layout, Memory, addresses


@inlined
def hold(b, blocks, slices, memory):
    """Keep the state and the inputs of a block."""
    begin = blocks.state[b]
    state = span(memory.state, begin, blocks.n_state[b] * blocks.size[b])
    held = span(memory.held_state, begin, state.size)
    for i in range(state.size):
        held[i] = state[i]
    begin, rows, width = place_of_inputs(b, blocks, slices)
    inputs = span(memory.inputs, begin, rows * width)
    held = span(memory.held_inputs, begin, inputs.size)
    for row in range(rows):
        for i in range(blocks.size[b]):
            held[row * width + i] = inputs[row * width + i]


@kernel
def _receive(chosen, receives, blocks, slices, memory, flags, spiked):
    """Let some blocks receive what is in ``memory.inputs``; whatever the step, as no ``receive`` draws by chance."""
    for at in range(chosen.size):
        b = chosen[at]
        begin, rows, width = place_of_inputs(b, blocks, slices)
        inputs = table(memory.inputs, begin, rows, width)
        call(receives[blocks.model[b]], b, np.int64(0), blocks, memory, inputs, flags, spiked)


def take_back(chip_network: ChipNetwork, layout: Layout, memory: Memory) -> None:
    """Let neurons that receive late be as they were before the input of the latest label."""
    for _, state in _late_blocks(chip_network, layout, memory):
        memory.state[state] = memory.held_state[state]


def receive_again(old: ChipNetwork, new: ChipNetwork, layout: Layout, held: NDArray, memory: Memory) -> None:
    """Let them receive that input.

    Args:
        old, new: the network before and after a change.
        held: the input, ``Memory.held_inputs`` of the old one.
        memory: of the new one, with what was set.
    """
    late = list(_late_blocks(old, layout, memory))
    if not late:
        return
    memory.held_inputs[:] = held
    rescale_charges(old, new, layout, memory.held_inputs[np.newaxis])
    for _, state in late:
        memory.held_state[state] = memory.state[state]
    chosen = np.array([block for block, _ in late])
    # the inputs of all other blocks are 0 now, and theirs become so as they are received; it was counted before what
    # was lost
    received = memory._replace(inputs=memory.held_inputs.copy(), tally=np.zeros_like(memory.tally))
    _receive(
        *(chosen, addresses(layout.receives), layout.blocks, layout.slices, received),
        *(np.empty(BLOCK, np.int32), np.empty(BLOCK, np.int32)),
    )


def _late_blocks(chip_network: ChipNetwork, layout: Layout, memory: Memory) -> Iterator[tuple[int, slice]]:
    """The blocks of neurons that receive late, and where their state lies."""
    if not memory.held_state.size:
        return
    for index in sorted(late_populations(chip_network.network)):
        for block in layout.blocks_of(layout.neurons.index(index)):
            begin = int(layout.blocks.state[block])
            size = int(layout.blocks.n_state[block] * layout.blocks.size[block])
            yield block, slice(begin, begin + size)
