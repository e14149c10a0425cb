"""Laying out a chip network in the flat arrays that the loop works on.

Neurons lie in blocks, as on a chip's cores: at most ``BLOCK`` neurons of one population whose state stays in the
first-level cache while they are stepped. Blocks are dealt out to slices; a slice owns the synapses onto its neurons,
and a thread owns whole slices, so nothing is written by two threads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from evsim.deploy.chip_network import ChipNetwork, ChipPopulation
from evsim.deploy.spinnaker_split import late_populations
from evsim.loops import receive_function, step_function
from evsim.model import PAYLOAD, TALLY_PLACES
from evsim.random_bits import chance_key

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
        inputs: slice by slice, in each slice input row by input row, in each row the slice's neurons.
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
        models: names of models, indexed by ``blocks.model``.
        steps, receives: native functions, indexed by ``blocks.model``; ``receives`` is empty where a step takes in what
            is due by itself.
    """

    first_neuron: np.ndarray
    neurons: tuple[int, ...]
    first_block: np.ndarray
    blocks: Blocks
    slices: Slices
    models: tuple[str, ...]
    steps: tuple[Any, ...]
    receives: tuple[Any, ...]

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
        for block, part in zip(self.blocks_of(at), _parts(size), strict=True):
            n = part.stop - part.start
            begin = int(self.blocks.state[block])
            result[:, part] = flat[begin : begin + rows * n].reshape(rows, n)
        return result

    def scatter(self, at: int, flat: np.ndarray, values: np.ndarray) -> None:
        """The inverse of ``gather``."""
        for block, part in zip(self.blocks_of(at), _parts(values.shape[1]), strict=True):
            begin = int(self.blocks.state[block])
            flat[begin : begin + values[:, part].size] = values[:, part].ravel()


def count_blocks(chip_network: ChipNetwork) -> int:
    """The number of blocks of a network's neurons."""
    pairs = zip(chip_network.network.populations, chip_network.populations, strict=True)
    return sum(-(-population.size // BLOCK) for population, cells in pairs if isinstance(cells, ChipPopulation))


def lay_out(chip_network: ChipNetwork, threads: int) -> tuple[Layout, Memory]:
    """The layout of a network for a number of threads, and its memory at t = 0."""
    network, rules = chip_network.network, chip_network.chip.rules
    sizes = np.array([population.size for population in network.populations], np.int64)
    first_neuron = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    neurons = tuple(
        i for i, population in enumerate(chip_network.populations) if isinstance(population, ChipPopulation)
    )
    cells = [chip_network.neurons(i) for i in neurons]
    rule_of = [part.model.rules[rules.name] for part in cells]
    distinct = list(dict.fromkeys(rule_of))
    parts = [(at, part) for at, i in enumerate(neurons) for part in _parts(int(sizes[i]))]
    owner, local, slice_size = _deal([part.stop - part.start for _, part in parts], threads)
    n_rows = max((rule.n_inputs for rule in rule_of), default=1)
    state, parameters, drive = (_Flat(rules.number) for _ in range(3))
    table = []
    shared: dict[int, int] = {}  # population -> where its common parameters lie
    for (at, part), slice_, local_ in zip(parts, owner, local, strict=True):
        of = cells[at].cells
        uniform = of.parameters.shape[1] == 1
        if not uniform or at not in shared:
            shared[at] = parameters.add(of.parameters if uniform else of.parameters[:, part])
        n, rule = part.stop - part.start, rule_of[at]
        begin = state.add(of.state[:, part])
        table.append(
            (
                n,
                at,
                distinct.index(rule),
                first_neuron[neurons[at]] + part.start,
                slice_,
                local_,
                of.state.shape[0],
                of.parameters.shape[0],
                rule.n_inputs,
                1 if uniform else n,
                begin,
                shared[at],
                drive.add(of.drive[..., part]),
                begin + rule.states.index(PAYLOAD) * n if rule.is_graded else -1,
                part.start,
                chance_key(network.seed, neurons[at]) if rule.draws else 0,
            )
        )
    blocks = Blocks(*np.array(table, np.int64).reshape(-1, len(Blocks._fields)).T.copy())
    slice_input = np.concatenate([[0], np.cumsum(slice_size * n_rows)]).astype(np.int64)
    states = state.array()
    # a little more, because a block is handed its inputs as rows of the length of its slice
    inputs = aligned(np.zeros(int(slice_input[-1] + slice_size.max(initial=0)), rules.number))
    held = rules.name == "spinnaker1" and bool(late_populations(network))
    memory = Memory(
        states,
        parameters.array(),
        inputs,
        drive.array(),
        np.zeros((len(parts), TALLY_PLACES), np.int64),
        np.full(len(parts), UNREST, np.int64),
        states.view(np.uint8),
        aligned(states if held else states[:0]),
        aligned(inputs if held else inputs[:0]),
    )
    first_block = np.searchsorted(blocks.population, np.arange(len(neurons) + 1)).astype(np.int64)
    steps = [step_function(rule, rules) for rule in distinct]
    receives = [receive_function(rule, rules) for rule in distinct] if rules.records_received else []
    models = tuple(cells[rule_of.index(rule)].model.name for rule in distinct)
    slices = Slices(slice_size, slice_input)
    return Layout(first_neuron, neurons, first_block, blocks, slices, models, tuple(steps), tuple(receives)), memory


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


def _parts(size: int) -> Iterator[slice]:
    """The blocks of a population of this size, as ranges of its cells."""
    return (slice(start, min(start + BLOCK, size)) for start in range(0, size, BLOCK))


def _deal(sizes: list[int], threads: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slice and first local number of each block, and the slices' sizes.

    Blocks are dealt out in turn, so that every slice gets its share of every population. Each begins on a cache line of
    its own whatever the type of the inputs, so a slice may have a few numbers more than neurons.
    """
    numbers = LINE // 4  # of the smallest type in a line
    sizes = [-(-size // numbers) * numbers for size in sizes]
    n_slices = max(threads, 1)
    while True:
        owner = np.arange(len(sizes)) % n_slices
        slice_size = np.bincount(owner, weights=sizes, minlength=n_slices).astype(np.int64)
        if slice_size.max(initial=0) <= SLICE_MOST:
            break
        n_slices += threads
    local = np.zeros(len(sizes), np.int64)
    for slice_ in range(n_slices):
        mine = np.flatnonzero(owner == slice_)
        own = np.array(sizes, np.int64)[mine]
        local[mine] = np.cumsum(own) - own
    return owner, local, slice_size


class _Flat:
    """Arrays joined into one, each beginning on a cache line of its own."""

    def __init__(self, number: type) -> None:
        self._number, self._parts, self._size = number, [], 0
        self._line = LINE // np.dtype(number).itemsize

    def add(self, array: np.ndarray) -> int:
        """Append; returns where the array begins."""
        begin = self._size
        padding = -array.size % self._line
        self._parts += [np.asarray(array, self._number).ravel(), np.zeros(padding, self._number)]
        self._size += array.size + padding
        return begin

    def array(self) -> np.ndarray:
        """Everything that was added."""
        return aligned(np.concatenate([*self._parts, np.empty(0, self._number)]))
