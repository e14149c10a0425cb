"""Taking in what is due at a label over synapses that are always the same, and what was summed before."""

from __future__ import annotations

from evsim.compile import inlined
from evsim.engine.blocks import place_of_inputs
from evsim.engine.deliver import deliver_lane
from evsim.engine.intrinsics import span
from evsim.engine.places import DELIVER
from evsim.engine.queue import take
from evsim.engine.rows import NUMBERED


def deliver_due(thread, label, _):
    """Add everything that is due at a label to the inputs: a part of the loop."""
    rows, calendar, scratch, lanes = thread.rows, thread.calendar, thread.scratch, thread.share.lanes
    flat, work = thread.memory.inputs, thread.work
    slot = label % calendar.count.shape[1]
    for at in range(lanes.size):
        lane = lanes[at]
        while calendar.count[lane, slot] and rows.kind[lane] < NUMBERED:
            entries = span(scratch.entries, 0, take(calendar, lane, slot, scratch.entries))
            work[DELIVER] += deliver_lane(rows, lane, entries, (scratch.targets, scratch.words), flat)
    return 0


@inlined
def deliver_charges(thread, label):
    """Add the charges that are due at a label to the inputs of a thread's neurons, and clear them."""
    mine, blocks, flat = thread.share.blocks, thread.blocks, thread.memory.inputs
    row = thread.charges[label % thread.charges.shape[0]]
    for at in range(mine.size):
        b = mine[at]
        first, rows, width = place_of_inputs(b, blocks, thread.slices)
        for k in range(rows):
            begin = first + k * width
            due, into = span(row, begin, blocks.size[b]), span(flat, begin, blocks.size[b])
            for i in range(due.size):
                into[i] += due[i]
                due[i] = 0
