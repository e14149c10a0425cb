"""The spikes of the latest steps, written by the threads that own their neurons and read by all."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from evsim.compile import inlined
from evsim.engine.intrinsics import breathe, give_way, load_acquire, store_release
from evsim.engine.memory import BLOCK, LINE, Layout

APART = LINE // 8  # int64 in a cache line: the threads' flags lie in lines of their own
PATIENCE = 2000  # looks at a flag before the core is given to whoever else wants it
SLACK_MOST = 4  # steps that threads may be apart


class Exchange(NamedTuple):
    """A ring of the spikes of the latest steps.

    Attributes:
        done: (threads * APART,) int64, the steps that each thread has completed.
        stop: (1,) int64, not 0 where the threads shall stop.
        found: (ring, blocks) int32, spikes of each block; place = step modulo ring.
        spiked: (ring, blocks * BLOCK) int32, which of the block's neurons they are, ascending.
        payload: (ring, blocks * BLOCK) of the rule set's number type, what each of them carries: 1 where spikes are not
            graded; (ring, 0) where none are.
    """

    done: np.ndarray
    stop: np.ndarray
    found: np.ndarray
    spiked: np.ndarray
    payload: np.ndarray


def new_exchange(threads: int, layout: Layout, slack: int, step: int, number: type) -> Exchange:
    """An exchange for threads that all have completed ``step`` steps, in a rule set's number type.

    A thread that is ahead writes while one that is behind reads what it wrote ``2 * slack`` steps ago.
    """
    ring, n_blocks = 2 * slack + 1, len(layout.blocks.size)
    return Exchange(
        np.full(threads * APART, step, np.int64),
        np.zeros(1, np.int64),
        np.zeros((ring, n_blocks), np.int32),
        np.empty((ring, n_blocks * BLOCK), np.int32),
        np.ones((ring, n_blocks * BLOCK if layout.has_payloads else 0), number),
    )


@inlined
def wait_for(exchange, thread, threads, steps):
    """Wait until every other thread has completed so many steps; returns whether all is well."""
    for other in range(threads):
        if other == thread:
            continue
        looks = np.int64(0)
        while load_acquire(exchange.done, other * APART) < steps:
            if load_acquire(exchange.stop, np.int64(0)):
                return False
            looks += 1
            if looks > PATIENCE:
                give_way()
            else:
                breathe()
    return load_acquire(exchange.stop, np.int64(0)) == 0


@inlined
def complete(exchange, thread, steps):
    """Say that a thread has completed so many steps, and that their spikes can be read."""
    store_release(exchange.done, thread * APART, steps)


@inlined
def emitted(exchange, step, blocks, into):
    """The global numbers of the neurons that spiked in a step, ascending, and how many they are."""
    place = step % exchange.found.shape[0]
    found, spiked = exchange.found[place], exchange.spiked[place]
    count = np.int64(0)
    for b in range(found.size):
        first = blocks.neuron[b]
        for j in range(found[b]):
            into[count] = first + spiked[b * BLOCK + j]
            count += 1
    return count


@inlined
def carried(exchange, step, into):
    """The payloads of what ``emitted`` gives, and how many they are: none where no spikes are graded."""
    place = step % exchange.found.shape[0]
    found, payload = exchange.found[place], exchange.payload[place]
    count = np.int64(0)
    if payload.size:
        for b in range(found.size):
            for j in range(found[b]):
                into[count] = payload[b * BLOCK + j]
                count += 1
    return count
