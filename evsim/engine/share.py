"""What one thread of the loop is given: the rules of time, its part of the network, and buffers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from evsim.engine.deliver import ROOM
from evsim.engine.exchange import Exchange
from evsim.engine.feeds import Feeds
from evsim.engine.memory import BLOCK, Blocks, Layout, Memory, Slices, aligned
from evsim.engine.queue import PAGE, Calendar
from evsim.engine.records import Log, Samples
from evsim.engine.rows import Rows


class Timing(NamedTuple):
    """What a rule set says about labels, and where recording stands.

    Attributes:
        spike_label, input_label, two_phase: of the rule set; ``two_phase`` where it samples between receiving and
            stepping.
        slack: steps after which the spikes of a step are queued at the latest.
        sampled: the number of labels that were sampled.
        logged: the number of steps whose spikes were recorded.
    """

    spike_label: int
    input_label: int
    two_phase: bool
    slack: int
    sampled: int
    logged: int


class Share(NamedTuple):
    """What one thread owns.

    Attributes:
        thread, threads: which of how many.
        blocks, lanes: (n,) int64, indices; those blocks come first that step before they are given what is due
            (``Form.summed``), of which there are ``early``.
        drive_step, drive_place, drive_block, drive_value: changes of drive in order of step: from that step on,
            ``Memory.drive[place]``, which belongs to that block, is the value.
    """

    thread: int
    threads: int
    blocks: np.ndarray
    early: int
    lanes: np.ndarray
    drive_step: np.ndarray
    drive_place: np.ndarray
    drive_block: np.ndarray
    drive_value: np.ndarray


class Scratch(NamedTuple):
    """Buffers of one thread.

    Attributes:
        neurons: int32, all that may spike in one step.
        entries: uint64, a part of a bucket.
        targets, words: of the types of ``Rows``; rows that are copied together.
        hashes, counts: uint32 and uint16, draws for a block.
        flags: int32, of a block's neurons.
        before: uint8, the longest state of a block.
        sums: zeros, as many as neurons of a slice: int64 where numbers are integers.
        payloads: of the rule set's number type, as many as ``neurons``; empty where no spikes are graded.
    """

    neurons: np.ndarray
    entries: np.ndarray
    targets: np.ndarray
    words: np.ndarray
    hashes: np.ndarray
    counts: np.ndarray
    flags: np.ndarray
    before: np.ndarray
    sums: np.ndarray
    payloads: np.ndarray


def new_scratch(layout: Layout, rows: Rows) -> Scratch:
    """Buffers for a network."""
    blocks, number = layout.blocks, rows.weight.dtype
    most = len(blocks.size) * BLOCK
    return Scratch(
        np.empty(most, np.int32),
        np.empty(32 * PAGE, np.uint64),
        np.empty(ROOM, rows.targets.dtype),
        np.empty(ROOM, rows.words.dtype),
        aligned(np.empty(BLOCK // 2, np.uint32)),
        aligned(np.empty(BLOCK, np.uint16)),
        aligned(np.empty(BLOCK, np.int32)),
        np.empty(int((blocks.size * blocks.n_state).max(initial=0)) * 8, np.uint8),
        np.zeros(int(layout.slices.size.max(initial=0)), np.int64 if number.kind == "i" else number),
        np.empty(most if layout.has_payloads else 0, number),
    )


class Thread(NamedTuple):
    """All that one thread of the loop works with.

    Attributes:
        progress: how far it is; see ``places``.
        slices: where the inputs of slices lie.
        steps, receives: int64, addresses of native functions, by model.
        charges: (slots, inputs) ring of charges; (slots, 0) where there are none.
        labels, sources: spikes of sources up to the last label, sorted by label: labels and global numbers.
        profile: whether to take times.
        spent: those times, in ticks; see ``places``.
        work: the counts of events, which are taken in any case.
        summed, noise: addresses of the parts that queue over lanes whose charges are summed, and that draw noise; 0
            where there is no need of them. See ``parts.referred``.
    """

    progress: np.ndarray
    timing: Timing
    share: Share
    blocks: Blocks
    slices: Slices
    memory: Memory
    feeds: Feeds
    steps: np.ndarray
    receives: np.ndarray
    rows: Rows
    calendar: Calendar
    charges: np.ndarray
    scratch: Scratch
    exchange: Exchange
    labels: np.ndarray
    sources: np.ndarray
    samples: Samples
    log: Log
    profile: bool
    spent: np.ndarray
    work: np.ndarray
    summed: int = 0
    noise: int = 0
