"""A network divided among processes: each simulates slices of its own, and all hear of each other's spikes.

To the threads of a process all other processes are one more thread, which writes its spikes into the same ring and says
how far it is (``exchange``). What it writes comes through MPI, from all processes at once, every ``slack`` steps: as
many as the shortest delay allows. So nothing is summed in another order than in one process.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from evsim.compile import lean
from evsim.deploy.chip_network import ChipNetwork
from evsim.deploy.gap_junctions import coupling_projections
from evsim.engine.exchange import APART, Exchange, complete
from evsim.engine.intrinsics import load_acquire
from evsim.engine.lay_out import count_blocks
from evsim.engine.memory import BLOCK, Blocks, Layout
from evsim.processes import Processes
from evsim.registry import learning_release

WINDOW_MOST = 64  # steps between two messages
PATIENCE = 200  # looks at the own threads before the core is given away for longer
PAUSE = 2e-5  # seconds between looks, then


@lean
def is_at(exchange, threads, steps):
    """Whether so many threads have all completed so many steps."""
    behind = 0
    for thread in range(threads):
        behind += load_acquire(exchange.done, thread * APART) < steps
    return behind == 0


@lean
def say_done(exchange, thread, steps):
    """Say that a thread has completed so many steps."""
    complete(exchange, thread, steps)


@lean
def pack(exchange, blocks, first, until, packed, payloads):
    """Copy the spikes of some blocks in some steps: how many each has in each step, then which; returns the length."""
    ring, size = exchange.found.shape[0], np.int64(0)
    length = blocks.size * (until - first)
    for step in range(first, until):
        place = step % ring
        for at in range(blocks.size):
            b = blocks[at]
            found = exchange.found[place, b]
            packed[(step - first) * blocks.size + at] = found
            for j in range(found):
                packed[length] = exchange.spiked[place, b * BLOCK + j]
                length += 1
                if payloads.size:
                    payloads[size] = exchange.payload[place, b * BLOCK + j]
                    size += 1
    return length


@lean
def unpack(exchange, blocks, first, until, packed, payloads):
    """The reverse; returns the length of what was read."""
    ring, size = exchange.found.shape[0], np.int64(0)
    length = blocks.size * (until - first)
    for step in range(first, until):
        place = step % ring
        for at in range(blocks.size):
            b = blocks[at]
            found = packed[(step - first) * blocks.size + at]
            exchange.found[place, b] = found
            for j in range(found):
                exchange.spiked[place, b * BLOCK + j] = packed[length]
                length += 1
                if payloads.size:
                    exchange.payload[place, b * BLOCK + j] = payloads[size]
                    size += 1
    return length


def is_divisible(chip_network: ChipNetwork, count: int) -> bool:
    """Whether a network is divided among so many processes.

    A smaller one has too few blocks. Gap junctions would have voltages exchanged in every step; of synapses that
    release, learn by dopamine or by rules of a script's own, or come and go, it is not done. Such networks each process
    simulates as a whole.
    """
    network = chip_network.network
    others = any(
        part.release or part.modulation or part.structure or learning_release(part) for part in network.projections
    )
    return count_blocks(chip_network) >= count > 1 and not others and not coupling_projections(network)


class Division:
    """What this process has of a network, and its messages.

    Args:
        parts: how many threads all processes have together, dealt out to them in turn.
    """

    def __init__(self, processes: Processes, parts: int) -> None:
        self.processes, self.parts = processes, parts

    @property
    def threads(self) -> range:
        """The threads of this process, by their numbers among all."""
        return range(self.processes.rank, self.parts, self.processes.count)

    def owners(self, n_slices: int) -> list[NDArray[np.bool_]]:
        """For each thread of this process (slices,) whether a slice is its own."""
        parts = np.arange(n_slices) % self.parts
        return [parts == thread for thread in self.threads]

    def thread_of(self, own_slice: int) -> int:
        """The number, among the threads of this process, of the one that has a slice of its own."""
        return own_slice % self.parts // self.processes.count

    def slices(self, n_slices: int) -> NDArray[np.bool_]:
        """(slices,) whether a slice is simulated by this process."""
        return self.process_of(np.arange(n_slices)) == self.processes.rank

    def process_of(self, slices: NDArray[np.int64]) -> NDArray[np.int64]:
        """The processes that simulate some slices."""
        return slices % self.parts % self.processes.count

    def deliver_spikes(self, exchange: Exchange, blocks: Blocks, steps: tuple[int, int], slack: int) -> None:
        """Exchange spikes while the threads of this process make some steps, and are waited for by each other.

        Args:
            steps: the first, and that before which it ends.
            slack: steps after which the spikes of a step are queued at the latest.
        """
        own, (at, last) = len(self.threads), steps
        process = self.process_of(blocks.slice)
        blocks_of = [np.flatnonzero(process == rank) for rank in range(self.processes.count)]
        mine = blocks_of[self.processes.rank]
        room = len(mine) * slack * (BLOCK + 1)
        packed = np.empty(room, np.int32)
        payloads = np.empty(room if exchange.payload.size else 0, exchange.payload.dtype)
        while at < last:
            until = min(at + slack, last)
            if not _waited(lambda steps=until: bool(is_at(exchange, own, np.int64(steps))), exchange.stop):
                return
            length = pack(exchange, mine, at, until, packed, payloads)
            said = self.processes.all_rows(packed[:length])
            graded = payloads[: length - len(mine) * (until - at)]
            with_them = self.processes.all_rows(graded) if len(payloads) else None
            for rank, theirs in enumerate(blocks_of):
                counted = len(theirs) * (until - at)
                spikes = int(said[:counted].sum())
                if rank != self.processes.rank:
                    carried = payloads[:0] if with_them is None else with_them
                    unpack(exchange, theirs, at, until, said, carried)
                said = said[counted + spikes :]
                with_them = None if with_them is None else with_them[spikes:]
            say_done(exchange, own, until)
            at = until

    def merge(self, values: np.ndarray) -> None:
        """Put numbers together, bit for bit, of which each process has its own and else zeros; in place."""
        if values.size:
            self.processes.sum(values.view(f"i{values.dtype.itemsize}"))

    def of_own(self, layout: Layout, post: int, targets: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Values of synapses (n,), with zeros where the target is another process's."""
        slice_of, _ = layout.local_places(post)
        return np.where(self.slices(layout.n_slices)[slice_of[targets]], values, 0.0)


def _waited(there: Callable[[], bool], stop: np.ndarray) -> bool:
    """Wait for the threads of this process; returns whether all is well."""
    looks = 0
    while not there():
        if stop[0]:
            return False
        looks += 1
        if looks < PATIENCE:
            os.sched_yield()
        else:
            time.sleep(PAUSE)
    return True
