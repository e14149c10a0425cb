"""Turning spikes under way into charges, so that synapses can be replaced while a network runs.

A spike keeps the weight that its synapse had when it was sent, as in NEST.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evsim.compile import lean
from evsim.engine.deliver import ROOM, deliver_lane
from evsim.engine.queue import PAGE, Calendar, take
from evsim.engine.rows import Rows


@lean
def settle_calendar(rows, calendar, entries, buffers, charges):
    """Deliver every bucket of a calendar to the charges of its slot."""
    for slot in range(calendar.count.shape[1]):
        for lane in range(calendar.count.shape[0]):
            while calendar.count[lane, slot]:
                count = take(calendar, np.int64(lane), np.int64(slot), entries)
                deliver_lane(rows, np.int64(lane), entries[:count], buffers, charges[slot])


def settled(rows: Rows, calendars: Sequence[Calendar], charges: np.ndarray, n_inputs: int) -> np.ndarray:
    """The ring of charges (slots, n_inputs) with everything under way; the calendars are empty afterwards."""
    if not charges.shape[1]:
        charges = np.zeros((charges.shape[0], n_inputs), charges.dtype)
    buffers = (np.empty(ROOM, rows.targets.dtype), np.empty(ROOM, rows.words.dtype))
    for calendar in calendars:
        settle_calendar(rows, calendar, np.empty(PAGE * 32, np.uint64), buffers, charges)
    return charges


def lengthened(charges: np.ndarray, slots: int, step: int, always: bool) -> np.ndarray:
    """A ring of other length with the same charges, each still due at the same label from ``step`` on.

    Args:
        always: whether the ring is needed even without charges.
    """
    due = bool(charges.any())
    old = len(charges)
    ring = np.zeros((max(slots, old) if due else slots, charges.shape[1] if due or always else 0), charges.dtype)
    if due:
        for label in range(step, step + old):
            ring[label % len(ring)] = charges[label % old]
    return ring
