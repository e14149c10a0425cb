"""Laying out a chip network in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evsim.deploy.chip_network import ChipNetwork, ChipPopulation
from evsim.deploy.gap_junctions import coupling_projections
from evsim.deploy.spinnaker_split import late_populations
from evsim.engine.memory import (
    BLOCK,
    LINE,
    SLICE_MOST,
    UNREST,
    Blocks,
    Layout,
    Memory,
    Slices,
    aligned,
    parts_of,
)
from evsim.forms import Form, form_of
from evsim.loops import receive_function, step_function
from evsim.model import PAYLOAD, TALLY_PLACES, Cells, Rule
from evsim.random_bits import chance_key

INPUT_ROOM = 1 << 16  # bytes of a row of inputs that mostly stays in the first-level cache
LONG_ROW = 256  # synapses; rows are not cut into shorter ones


def count_blocks(chip_network: ChipNetwork) -> int:
    """The number of blocks of a network's neurons."""
    pairs = zip(chip_network.network.populations, chip_network.populations, strict=True)
    return sum(-(-population.size // BLOCK) for population, cells in pairs if isinstance(cells, ChipPopulation))


def lay_out(chip_network: ChipNetwork, threads: int, before: Layout | None = None) -> tuple[Layout, Memory]:
    """The layout of a network for a number of threads, and its memory at t = 0.

    Args:
        before: the layout whose neurons' state is to be kept, if there is one.
    """
    network, rules = chip_network.network, chip_network.chip.rules
    neurons = tuple(i for i, part in enumerate(chip_network.populations) if isinstance(part, ChipPopulation))
    chosen = _chosen(chip_network, neurons, before)
    distinct = list(dict.fromkeys((one.rule, one.form) for one in chosen))
    sizes = np.array([population.size for population in network.populations], np.int64)
    first_neuron = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    parts = [(at, part) for at, i in enumerate(neurons) for part in parts_of(int(sizes[i]))]
    n_slices = before.n_slices if before else threads * _slices_of_thread(chip_network, neurons, threads)
    owner, local, slice_size = _deal([part.stop - part.start for _, part in parts], threads, n_slices)
    n_rows = max((one.rule.n_inputs for one in chosen), default=1)
    slices = Slices(slice_size, np.concatenate([[0], np.cumsum(slice_size * n_rows)]).astype(np.int64))

    state, parameters, drive = (_Flat(rules.number) for _ in range(3))
    rows = [
        (
            part.stop - part.start,
            at,
            distinct.index((chosen[at].rule, chosen[at].form)),
            first_neuron[neurons[at]] + part.start,
            slice_,
            local_,
            *chosen[at].places(part, state, parameters, drive),
        )
        for (at, part), slice_, local_ in zip(parts, owner, local, strict=True)
    ]
    blocks = Blocks(*np.array(rows, np.int64).reshape(-1, len(Blocks._fields)).T.copy())
    n_states = state.size
    # a little more, because a block is handed its inputs as rows of the length of its slice
    state.add(np.zeros(int(slices.input[-1] + slice_size.max(initial=0))))

    layout = Layout(
        first_neuron=first_neuron,
        neurons=neurons,
        first_block=np.searchsorted(blocks.population, np.arange(len(neurons) + 1)).astype(np.int64),
        blocks=blocks,
        slices=slices,
        n_states=n_states,
        models=tuple(next(one.name for one in chosen if (one.rule, one.form) == loop) for loop in distinct),
        rules=tuple(one.rule for one in chosen),
        forms=tuple(one.form for one in chosen),
        steps=tuple(step_function(rule, rules, form) for rule, form in distinct),
        receives=tuple(receive_function(rule, rules, form) for rule, form in distinct if rules.records_received),
    )
    states = state.array()
    for at, one in enumerate(chosen):
        layout.scatter(at, states, one.cells.state)
    held = rules.name == "spinnaker1" and bool(late_populations(network))
    return layout, _memory(layout, states, parameters.array(), drive.array(), held)


def _memory(layout: Layout, states: np.ndarray, parameters: np.ndarray, drive: np.ndarray, held: bool) -> Memory:
    n_blocks, inputs = len(layout.blocks.size), states[layout.n_states :]
    return Memory(
        states,
        parameters,
        inputs,
        drive,
        np.zeros((n_blocks, TALLY_PLACES), np.int64),
        np.full(n_blocks, UNREST, np.int64),
        states.view(np.uint8),
        aligned(states if held else states[:0]),
        aligned(inputs if held else inputs[:0]),
    )


@dataclass
class _Chosen:
    """A population of neurons, and the loop that runs it.

    Attributes:
        key: of its random numbers; 0 where it draws none.
        common: where its parameters lie, if its cells share them and they were laid out.
    """

    name: str
    cells: Cells
    rule: Rule
    form: Form
    key: int
    common: int | None = None

    def places(self, part: slice, state: _Flat, parameters: _Flat, drive: _Flat) -> tuple[int, ...]:
        """The fields of ``Blocks`` from ``n_state`` on, of a block that is given its places."""
        of, n = self.cells, part.stop - part.start
        begin = state.add(np.zeros((of.state.shape[0], n)))
        shared = of.parameters.shape[1] == 1
        if self.common is None or not shared:
            self.common = parameters.add(of.parameters if shared else of.parameters[:, part])
        return (
            of.state.shape[0],
            of.parameters.shape[0],
            self.rule.n_inputs,
            1 if shared else n,
            begin,
            self.common,
            drive.add(of.drive[..., part]),
            begin + self.rule.states.index(PAYLOAD) * n if self.rule.is_graded else -1,
            part.start,
            self.key,
        )


def _chosen(chip_network: ChipNetwork, neurons: Sequence[int], before: Layout | None) -> list[_Chosen]:
    """Each population of neurons."""
    network, name = chip_network.network, chip_network.chip.rules.name
    fed: list[set[int]] = [set() for _ in network.populations]
    for projection, of in zip(network.projections, chip_network.projections, strict=True):
        fed[projection.post].add(of.row)
    driven = {current.population for current in network.currents}
    for index in coupling_projections(network):
        driven |= {network.projections[index].pre, network.projections[index].post}
    found = []
    for at, i in enumerate(neurons):
        of = chip_network.neurons(i)
        rule = of.model.rules[name]
        form = form_of(rule, of.cells, fed[i], i in driven, before.forms[at] if before else None)
        key = chance_key(network.seed, i) if rule.draws else 0
        found.append(_Chosen(of.model.name, of.cells, rule, form, key))
    return found


def _slices_of_thread(chip_network: ChipNetwork, neurons: Sequence[int], threads: int) -> int:
    """How many slices a thread has: enough for the inputs of each to stay in the first-level cache, if rows are long.

    What arrives is added at random places, at half the speed where those are in the second-level cache. But each slice
    has a row of its own for each spike.
    """
    network = chip_network.network
    room = sum(network.populations[i].size for i in neurons) * np.dtype(chip_network.chip.rules.number).itemsize
    synapses = squares = 0.0
    for projection in filter(len, network.projections):
        count, delays = len(projection), projection.synapses.delays
        synapses += count
        squares += count**2 / (network.populations[projection.pre].size * (delays.most - delays.least + 1))
    typical = squares / synapses if synapses else 0.0  # length of the row that a synapse is in
    return max(min(-(-room // (threads * INPUT_ROOM)), int(typical / threads / LONG_ROW)), 1)


def _deal(sizes: list[int], threads: int, n_slices: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slice and first local number of each block, and the slices' sizes.

    Blocks are dealt out in turn, so that every slice gets its share of every population. Each begins on a cache line of
    its own whatever the type of the inputs, so a slice may have a few numbers more than neurons.

    Args:
        n_slices: a multiple of the threads; there are more where a slice would be too large for its words.
    """
    numbers = LINE // 4  # of the smallest type in a line
    sizes = [-(-size // numbers) * numbers for size in sizes]
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
        self._number, self._parts, self.size = number, [], 0
        self._line = LINE // np.dtype(number).itemsize

    def add(self, array: np.ndarray) -> int:
        """Append; returns where the array begins."""
        begin = self.size
        padding = -array.size % self._line
        self._parts += [np.asarray(array, self._number).ravel(), np.zeros(padding, self._number)]
        self.size += array.size + padding
        return begin

    def array(self) -> np.ndarray:
        """Everything that was added."""
        return aligned(np.concatenate([*self._parts, np.empty(0, self._number)]))
