"""The event queue: rows of synapses in buckets by the time step in which they are due (a calendar queue).

A bucket is delivered in the order in which it was filled, which the network alone fixes, so that a sum of
floating-point weights is the same in every run. Charges that were already summed, because a chip shifts the sum of a
step's spikes or because weights changed while spikes were under way, wait in a ring beside the queue.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from evsim.compile import kernel
from evsim.engine.rows import Rows, stable_order


class Queue(NamedTuple):
    """Events under way.

    Attributes:
        rows: (slots, capacity) int32, the rows due in each slot; slot = due step modulo slots.
        filled: (slots,) int64, number of rows in each bucket.
        ring: (slots, all inputs) number type, charges due in each slot; (slots, 0) while there are none.
    """

    rows: np.ndarray
    filled: np.ndarray
    ring: np.ndarray


def empty_queue(rows: Rows, n_inputs: int, number: type) -> Queue:
    """A queue that is long enough for the longest delay of ``rows``."""
    slots = (int(rows.delay.max()) if len(rows.delay) else 0) + 2
    ring = np.zeros((slots, n_inputs if (rows.exponent < 0).any() else 0), number)
    return Queue(np.empty((slots, 64), np.int32), np.zeros(slots, np.int64), ring)


@kernel
def push(rows, queue_rows, filled, neuron, label):
    """Queue the rows of a spike; returns the buckets, which are longer if one was full."""
    slots = filled.size
    for row in range(rows.first[neuron], rows.first[neuron + 1]):
        if rows.exponent[row] < 0:
            continue
        slot = (label + rows.delay[row]) % slots
        at = filled[slot]
        if at == queue_rows.shape[1]:
            queue_rows = _longer(queue_rows)
        queue_rows[slot, at] = row
        filled[slot] = at + 1
    return queue_rows


@kernel
def _longer(queue_rows):
    # Loops: assigning to a slice makes numba compile the text of a shape error, which takes seconds.
    longer = np.empty((queue_rows.shape[0], 2 * queue_rows.shape[1]), np.int32)
    for slot in range(queue_rows.shape[0]):
        for at in range(queue_rows.shape[1]):
            longer[slot, at] = queue_rows[slot, at]
    return longer


@kernel
def deliver(rows, queue_rows, filled, slot, inputs):
    """Add the weights of every row in a bucket to the inputs and empty the bucket."""
    for k in range(filled[slot]):
        row = queue_rows[slot, k]
        into = inputs[rows.input[row] : rows.input[row] + rows.width[row]]
        targets = rows.target[rows.begin[row] : rows.end[row]]
        weights = rows.weight[rows.begin[row] : rows.end[row]]
        for j in range(targets.size):
            into[targets[j]] += weights[j]
    filled[slot] = 0


@kernel
def deliver_ring(ring, slot, inputs):
    """Add the charges of a slot to the inputs and clear them."""
    if ring.shape[1]:
        charges = ring[slot]
        for i in range(charges.size):
            inputs[i] += charges[i]
            charges[i] = 0


@kernel
def push_shifted(rows, ring, neurons, label, scratch):
    """Queue the spikes of one step over the projections of a negative exponent: sum by target, then shift the sum.

    Lava's Dense and DelayDense shift what the spikes of one emission step add up to, for each delay by itself (floor).

    Args:
        neurons: global numbers of the neurons that spiked in this step.
        scratch: (all inputs,) int64 zeros; zeros again afterwards.
    """
    count = 0
    for k in range(neurons.size):
        for row in range(rows.first[neurons[k]], rows.first[neurons[k] + 1]):
            count += rows.exponent[row] < 0
    chosen = np.empty(count, np.int64)
    group = np.empty(count, np.int64)
    order = np.empty(count, np.int64)
    count = 0
    n_groups = 0
    for k in range(neurons.size):
        for row in range(rows.first[neurons[k]], rows.first[neurons[k] + 1]):
            if rows.exponent[row] < 0:
                chosen[count] = row
                group[count] = rows.group[row]
                order[count] = count
                n_groups = max(n_groups, rows.group[row] + 1)
                count += 1
    order = stable_order(group, n_groups, order)
    start = 0
    while start < count:
        stop = start
        while stop < count and group[order[stop]] == group[order[start]]:
            stop += 1
        _add_group(rows, ring, chosen, order, start, stop, label, scratch)
        start = stop


@kernel
def _add_group(rows, ring, chosen, order, start, stop, label, scratch):
    lead = chosen[order[start]]
    shift = -rows.exponent[lead]
    base = rows.input[lead]
    slot = (label + rows.delay[lead]) % ring.shape[0]
    for k in range(start, stop):
        row = chosen[order[k]]
        for j in range(rows.begin[row], rows.end[row]):
            scratch[base + rows.target[j]] += np.int64(rows.weight[j])
    for k in range(start, stop):
        row = chosen[order[k]]
        for j in range(rows.begin[row], rows.end[row]):
            i = base + rows.target[j]
            ring[slot, i] += scratch[i] >> shift
            scratch[i] = 0


def settle(rows: Rows, queue: Queue, n_inputs: int, number: type) -> Queue:
    """Turn every row under way into charges in the ring, so that the rows can be replaced.

    A spike keeps the weight that its synapse had when it was sent, as in NEST.
    """
    if not queue.filled.any():
        return queue
    ring = queue.ring if queue.ring.shape[1] else np.zeros((len(queue.filled), n_inputs), number)
    for slot in range(len(queue.filled)):
        deliver(rows, queue.rows, queue.filled, slot, ring[slot])
    return Queue(queue.rows, queue.filled, ring)


def lengthen(queue: Queue, rows: Rows, step: int, n_inputs: int, number: type) -> Queue:
    """A queue for new ``rows`` with the charges of a settled one, each still due in the same step from ``step`` on."""
    fresh = empty_queue(rows, n_inputs, number)
    slots = len(fresh.filled)
    if not queue.ring.any():
        return fresh
    old_slots = len(queue.filled)
    slots = max(slots, old_slots)
    ring = np.zeros((slots, n_inputs), number)
    for due in range(step, step + old_slots):
        ring[due % slots] = queue.ring[due % old_slots]
    return Queue(np.empty((slots, 64), np.int32), np.zeros(slots, np.int64), ring)
