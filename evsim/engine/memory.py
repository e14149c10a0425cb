"""The flat arrays that the loop works on, and where everything lies in them.

Neurons lie in blocks, as on a chip's cores: at most ``BLOCK`` neurons of one population whose state stays in the
first-level cache while they are stepped. Blocks are dealt out to slices; a slice owns the synapses onto its neurons,
and a thread owns whole slices, so nothing is written by two threads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from evsim.forms import Form, counter_rows, pack, summed_rows, unpack
from evsim.model import Rule

# Neurons of a block: a multiple of 32, of which noise is drawn. No power of two, since rows that are 4096 bytes apart
# share a few sets of the first-level cache.
BLOCK = 480
LINE = 64  # bytes of a cache line
SLICE_MOST = 1 << 16  # neurons of a slice; a synaptic word has 16 bits for its target

# An entry of ``Memory.rest``: a step without input would change nothing; the next step is to find out whether that is
# so; or below 0, that many steps later.
AT_REST, LOOK, UNREST = 1, 0, -1


class Blocks(NamedTuple):
    """One entry for each block, in the order of the neurons; places are in the flat arrays of ``Memory``.

    Attributes:
        size: number of neurons.
        population: index among the populations of neurons.
        model: which of the step functions it runs.
        neuron: global number of the first neuron.
        slice, local: the slice that owns it, and the number of the first neuron there.
        n_state, n_parameters, n_inputs: rows.
        width: 1 where every cell of the population has the same parameters, else the size.
        state, parameters, drive: where the block's rows begin.
        payload: where the row of the state begins that holds what graded spikes carry; -1 where they carry nothing.
        cell: number of the first neuron in its population.
        key: of the population's random numbers, the bits of a uint64; 0 where its model draws none.
    """

    size: np.ndarray
    population: np.ndarray
    model: np.ndarray
    neuron: np.ndarray
    slice: np.ndarray
    local: np.ndarray
    n_state: np.ndarray
    n_parameters: np.ndarray
    n_inputs: np.ndarray
    width: np.ndarray
    state: np.ndarray
    parameters: np.ndarray
    drive: np.ndarray
    payload: np.ndarray
    cell: np.ndarray
    key: np.ndarray


class Slices(NamedTuple):
    """Where the inputs of each slice lie.

    Attributes:
        size: (slices,) neurons.
        input: (slices + 1,) where the inputs of each slice begin; a row there is ``size`` long.
    """

    size: np.ndarray
    input: np.ndarray


class Memory(NamedTuple):
    """The numbers of all neurons, flat.

    Attributes:
        state: block by block; behind that, ``inputs``.
        inputs: slice by slice, in each slice input row by input row, in each row the slice's neurons. Some rows hold
            states (``Form.summed``).
        tally: (blocks, places) int64; a block is one thread's, so no count is lost.
        rest: (blocks,) whether a step without input would change nothing: AT_REST, LOOK or less.
        state_bytes: the same as ``state``, as bytes.
        held_state, held_inputs: as ``state`` and ``inputs`` were before the latest sample; of size 0 where no neurons
            receive late (``held``).
    """

    state: np.ndarray
    parameters: np.ndarray
    inputs: np.ndarray
    drive: np.ndarray
    tally: np.ndarray
    rest: np.ndarray
    state_bytes: np.ndarray
    held_state: np.ndarray
    held_inputs: np.ndarray


@dataclass(frozen=True, eq=False)
class Layout:
    """Where everything lies.

    Attributes:
        first_neuron: (all populations + 1,) global number of each population's first cell, sources included.
        neurons: indices of the populations that are not sources.
        first_block: (populations of neurons + 1,) the first block of each of them.
        slices: where the inputs of each slice lie.
        n_states: how many numbers of ``Memory.state`` are states; the inputs follow.
        models: names of models, indexed by ``blocks.model``.
        rules, forms: of each population of neurons.
        steps, receives: native functions, indexed by ``blocks.model``; ``receives`` is empty where a step takes in what
            is due by itself.
        mine: (slices,) which slices this process simulates; None where it is all of them.
    """

    first_neuron: np.ndarray
    neurons: tuple[int, ...]
    first_block: np.ndarray
    blocks: Blocks
    slices: Slices
    n_states: int
    models: tuple[str, ...]
    rules: tuple[Rule, ...]
    forms: tuple[Form, ...]
    steps: tuple[Any, ...]
    receives: tuple[Any, ...]
    mine: np.ndarray | None = None

    @property
    def has_payloads(self) -> bool:
        """Whether some neurons send graded spikes."""
        return bool((self.blocks.payload >= 0).any())

    @property
    def n_slices(self) -> int:
        """The number of slices."""
        return len(self.slices.size)

    def blocks_of(self, at: int) -> range:
        """The blocks of the population ``neurons[at]``."""
        return range(int(self.first_block[at]), int(self.first_block[at + 1]))

    def state_places(self, at: int, row: int, cells: np.ndarray) -> np.ndarray:
        """Where a state row of some cells of the population ``neurons[at]`` lies in ``Memory.state``."""
        if (summed := summed_rows(self.rules[at], self.forms[at])) and row in summed:
            return self.n_states + self.input_places(at, summed[row])[cells]
        block = int(self.first_block[at]) + cells // BLOCK
        return self.blocks.state[block] + row * self.blocks.size[block] + cells % BLOCK

    def local_places(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Slice (uint16) and number within the slice (uint16) of every cell of population ``index``."""
        blocks = list(self.blocks_of(self.neurons.index(index)))
        size = self.blocks.size[blocks]
        within = np.arange(int(size.sum())) - np.repeat(np.cumsum(size) - size, size)
        local = np.repeat(self.blocks.local[blocks], size) + within
        return np.repeat(self.blocks.slice[blocks], size).astype(np.uint16), local.astype(np.uint16)

    def input_places(self, at: int, row: int) -> np.ndarray:
        """(n,) where an input row of each cell of the population ``neurons[at]`` lies in ``Memory.inputs``."""
        blocks = np.array(self.blocks_of(at))
        owner = self.blocks.slice[blocks]
        begin = self.slices.input[owner] + row * self.slices.size[owner] + self.blocks.local[blocks]
        return np.concatenate([np.arange(b, b + n) for b, n in zip(begin, self.blocks.size[blocks], strict=True)])

    def gather(self, at: int, flat: np.ndarray, rows: int, size: int) -> np.ndarray:
        """A copy of the state of the population ``neurons[at]`` as (rows, size)."""
        result = np.empty((rows, size), flat.dtype)
        summed = summed_rows(self.rules[at], self.forms[at])
        for block, part in zip(self.blocks_of(at), parts_of(size), strict=True):
            n = part.stop - part.start
            begin = int(self.blocks.state[block])
            result[:, part] = unpack(flat[begin : begin + rows * n].reshape(rows, n), self._counter_rows(at))
        for row, input_row in summed.items():
            result[row] = flat[self.n_states + self.input_places(at, input_row)]
        return result

    def scatter(self, at: int, flat: np.ndarray, values: np.ndarray) -> None:
        """The inverse of ``gather``."""
        for block, part in zip(self.blocks_of(at), parts_of(values.shape[1]), strict=True):
            begin = int(self.blocks.state[block])
            flat[begin : begin + values[:, part].size] = pack(values[:, part], self._counter_rows(at)).ravel()
        for row, input_row in summed_rows(self.rules[at], self.forms[at]).items():
            flat[self.n_states + self.input_places(at, input_row)] = values[row]

    @property
    def summed(self) -> np.ndarray:
        """(blocks,) whether the states of a block lie in the inputs (``Form.summed``)."""
        return np.array([form.summed for form in self.forms], bool)[self.blocks.population]

    def _counter_rows(self, at: int) -> tuple[int, ...]:
        return counter_rows(self.rules[at], self.forms[at])


def addresses(functions: Sequence[Any]) -> np.ndarray:
    """Where native functions lie, int64."""
    return np.array([function.address for function in functions], np.int64)


def aligned_room(size: int, number: type | np.dtype) -> np.ndarray:
    """Room for so many numbers that begins on a cache line, which numpy does not promise: vectors that lie across two
    lines take twice as long."""
    length = size * np.dtype(number).itemsize
    room = np.empty(length + LINE, np.uint8)
    begin = -room.ctypes.data % LINE
    return room[begin : begin + length].view(number)


def aligned(array: np.ndarray) -> np.ndarray:
    """A copy of a flat array that begins on a cache line."""
    copy = aligned_room(array.size, array.dtype)
    copy[:] = array
    return copy


def parts_of(size: int) -> Iterator[slice]:
    """The blocks of a population of this size, as ranges of its cells."""
    return (slice(start, min(start + BLOCK, size)) for start in range(0, size, BLOCK))
