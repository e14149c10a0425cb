"""The gap junctions of a network: from projections to ``electrical``, and from one network to a changed one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evsim.deploy.chip_network import ChipNetwork
from evsim.deploy.gap_junctions import coupling_projections
from evsim.engine.electrical import Coupled
from evsim.engine.memory import BLOCK, Layout, Memory
from evsim.network import Projection, set_anew


class GapJunctions:
    """The gap junctions of a simulation.

    Args:
        owners: for each thread (slices,) whether a slice is its own.

    Attributes:
        threads: those of each thread's cells; None where the network has none.
    """

    threads: list[Coupled | None]

    def __init__(self, chip_network: ChipNetwork, layout: Layout, owners: Sequence[NDArray[np.bool_]]) -> None:
        self._net, self._layout = chip_network, layout
        coupling = [chip_network.network.projections[index] for index in coupling_projections(chip_network.network)]
        self.threads = [None] * len(owners)
        self._blocks = np.empty(0, np.int64)
        if not coupling:
            return
        cell, partner, conductance = self._junctions(coupling)
        self._number(np.unique(cell // BLOCK))
        self._latest, self._lead = np.zeros(len(self._blocks) * BLOCK), np.zeros(len(self._blocks) * BLOCK)
        self._ahead = np.zeros((2, len(self._latest)))
        order = np.argsort(cell, kind="stable")  # so that the sum of a cell's currents has one order
        cell, partner, conductance = cell[order], partner[order], conductance[order]
        for thread, owner in enumerate(owners):
            mine = owner[layout.blocks.slice[cell // BLOCK]]
            self.threads[thread] = self._coupled(owner, cell[mine], partner[mine], conductance[mine])

    def _junctions(self, coupling: list[Projection]) -> tuple[NDArray, NDArray, NDArray]:
        """Each end of each junction: the cell, its partner, both as block * BLOCK + place, and the conductance."""
        ends: list[tuple[NDArray, NDArray, NDArray]] = []
        for projection in coupling:
            source, target = (
                self._places(projection.pre, projection.source),
                self._places(projection.post, projection.target),
            )
            weight = np.asarray(projection.weight)
            ends += [(target, source, weight), (source, target, weight)]
        cell, partner, weight = (np.concatenate(parts) for parts in zip(*ends, strict=True))
        return cell, partner, weight

    def _places(self, population: int, cells: np.ndarray) -> NDArray[np.int64]:
        first = int(self._layout.first_block[self._layout.neurons.index(population)])
        return first * BLOCK + cells.astype(np.int64)  # all blocks of a population but its last are full

    def _number(self, taking_part: NDArray[np.int64]) -> None:
        """Number the cells of the blocks that take part, and note how their voltage is read."""
        blocks = self._layout.blocks
        self._blocks = taking_part
        self._slot = np.full(len(blocks.size), -1, np.int64)
        self._slot[taking_part] = np.arange(len(taking_part)) * BLOCK
        self._row = np.zeros(len(blocks.size), np.int64)
        self._scale, self._offset, self._per_nA = (np.zeros(len(taking_part) * BLOCK) for _ in range(3))
        for b in taking_part:
            cells = self._net.neurons(self._layout.neurons[blocks.population[b]]).cells
            readout, n, begin = cells.readouts["v"], int(blocks.size[b]), int(blocks.cell[b])
            self._row[b] = blocks.state[b] + readout.row * n
            numbers = slice(self._slot[b], self._slot[b] + n)
            for column, values in (
                (self._scale, readout.scale),
                (self._offset, readout.offset),
                (self._per_nA, cells.drive_per_nA),
            ):
                column[numbers] = np.broadcast_to(values, cells.state.shape[1])[begin : begin + n]

    def _coupled(self, owner: NDArray[np.bool_], cell: NDArray, partner: NDArray, conductance: NDArray) -> Coupled:
        """The junctions of a thread's cells, which are in the order of the cells."""
        blocks = self._layout.blocks
        mine = self._blocks[owner[blocks.slice[self._blocks]]]
        own, begin = np.unique(cell, return_index=True)
        number = self._slot[own // BLOCK] + own % BLOCK
        return Coupled(
            block=mine,
            slot=self._slot[mine],
            row=self._row[mine],
            scale=self._scale,
            offset=self._offset,
            latest=self._latest,
            lead=self._lead,
            ahead=self._ahead,
            cell=number,
            drive=(blocks.drive[own // BLOCK] + own % BLOCK).astype(np.int64),
            per_nA=self._per_nA[number],
            kept=np.zeros(len(own)),
            first=np.append(begin, len(cell)).astype(np.int64),
            partner=(self._slot[partner // BLOCK] + partner % BLOCK).astype(np.int32),
            conductance=np.ascontiguousarray(conductance, np.float64),
        )

    def begin(self, memory: Memory, step: int) -> None:
        """Start from the present state, in which nothing moves."""
        for b in self._blocks:
            n, row, slot = int(self._layout.blocks.size[b]), self._row[b], self._slot[b]
            numbers = slice(slot, slot + n)
            self._latest[numbers] = memory.state[row : row + n] * self._scale[numbers] + self._offset[numbers]
        if len(self._blocks):
            self._ahead[step % 2] = self._latest + self._lead

    def carry(self, past: GapJunctions, memory: Memory, step: int) -> None:
        """Go on from another network's junctions between the same cells; a voltage that was set anew stands still."""
        if len(self._blocks):
            self._lead[:] = past._lead
        for b in self._blocks:
            at, first = self._layout.blocks.population[b], int(self._layout.blocks.cell[b])
            index = self._layout.neurons[at]
            anew = set_anew(past._net.network.populations[index], self._net.network.populations[index], "v")
            anew = anew[first : first + int(self._layout.blocks.size[b])]
            self._lead[self._slot[b] : self._slot[b] + len(anew)][anew] = 0.0
        self.begin(memory, step)
