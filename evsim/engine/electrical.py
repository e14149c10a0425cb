"""Gap junctions: a current of g * (v of the partner - v of the cell) into each of two coupled cells.

In a time step a cell takes a constant current, which is exact for what does not change within it. For junctions that is
the current at the voltages in the middle of the step: those of its start, and half of what they changed in the step
before (the method of Adams and Bashforth, of second order). Where a cell spikes it is reset, and goes on from there as
if it had stood still.

Each thread publishes what its own cells will be at, and reads that of all others as the next step begins; so threads
are never more than a step apart, and two places in turn are enough.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from evsim.compile import inlined
from evsim.engine.memory import BLOCK, UNREST


class Coupled(NamedTuple):
    """The gap junctions of one thread's cells.

    Only the blocks of neurons in which there is a junction take part; their cells are numbered block by block,
    ``BLOCK`` numbers for each.

    Attributes:
        block, slot: (blocks of the thread,) int64, which blocks take part, and where their numbers begin.
        row: (blocks,) int64, where the row of v begins in ``Memory.state``.
        scale, offset: (numbers of all threads,) float64: v = state * scale + offset, in mV.
        latest: (numbers of all threads,) float64, v at the end of the latest step, in mV; a cell is one thread's.
        lead: the same, what v will change up to the middle of the coming step.
        ahead: (2, numbers of all threads) float64, v in the middle of a step, by step modulo 2.
        cell: (n,) int64, the numbers of the thread's cells with a junction.
        drive: (n,) int64, where they have their ``Memory.drive``.
        per_nA: (n,) float64, how much a nA adds there.
        kept: (n,) float64, their drive without junctions, while a step runs.
        first: (n + 1,) int64; the junctions of a cell are first[i] to first[i + 1].
        partner: (junctions,) int32, the number of the cell at the other end.
        conductance: (junctions,) float64, uS.
    """

    block: np.ndarray
    slot: np.ndarray
    row: np.ndarray
    scale: np.ndarray
    offset: np.ndarray
    latest: np.ndarray
    lead: np.ndarray
    ahead: np.ndarray
    cell: np.ndarray
    drive: np.ndarray
    per_nA: np.ndarray
    kept: np.ndarray
    first: np.ndarray
    partner: np.ndarray
    conductance: np.ndarray


@inlined
def drive_coupled(coupled, step, memory):
    """Add the currents of a step to the drive; returns the number of junctions."""
    ahead = coupled.ahead[step % 2]
    for i in range(coupled.cell.size):
        own, total = ahead[coupled.cell[i]], 0.0
        for j in range(coupled.first[i], coupled.first[i + 1]):
            total += coupled.conductance[j] * (ahead[coupled.partner[j]] - own)
        place = coupled.drive[i]
        coupled.kept[i] = memory.drive[place]
        memory.drive[place] += total * coupled.per_nA[i]
    for at in range(coupled.block.size):
        memory.rest[coupled.block[at]] = UNREST
    return coupled.partner.size


@inlined
def publish_coupled(coupled, step, memory, blocks, exchange):
    """Take the currents of a step back, and say where the cells will be in the middle of the next one."""
    for i in range(coupled.cell.size):
        memory.drive[coupled.drive[i]] = coupled.kept[i]
    ahead, place = coupled.ahead[(step + 1) % 2], step % exchange.found.shape[0]
    for at in range(coupled.block.size):
        b, slot, row = coupled.block[at], coupled.slot[at], coupled.row[at]
        for i in range(blocks.size[b]):
            v = memory.state[row + i] * coupled.scale[slot + i] + coupled.offset[slot + i]
            coupled.lead[slot + i] = 0.5 * (v - coupled.latest[slot + i])
            coupled.latest[slot + i] = v
        for j in range(exchange.found[place, b]):
            coupled.lead[slot + exchange.spiked[place, b * BLOCK + j]] = 0.0
        for i in range(slot, slot + blocks.size[b]):
            ahead[i] = coupled.latest[i] + coupled.lead[i]
