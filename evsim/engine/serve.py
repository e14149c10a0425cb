"""What the loop asks of synapses that change, of spikes between time steps, and of gap junctions: a part for each.

Such a part returns 0 where the histories of its lanes have no room for a step; of what else it returns nothing is made.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from evsim.compile import inlined
from evsim.engine.deferred import deliver_deferred, note_spikes
from evsim.engine.electrical import drive_coupled, publish_coupled
from evsim.engine.memory import BLOCK
from evsim.engine.modulated import deliver_modulated, turn_modulated
from evsim.engine.modulated_history import deliver_doses, has_room_for_doses, note_modulated
from evsim.engine.off_grid import deliver_listed
from evsim.engine.places import DELIVER, PLASTICITY
from evsim.engine.plastic_history import has_room_for_all, note_posts
from evsim.engine.plasticity import deliver_plastic, turn
from evsim.engine.queue import take
from evsim.engine.release import deliver_released
from evsim.engine.rows import DOSING, MODULATED, PLASTIC, RELEASING, RULED, STRUCTURAL
from evsim.engine.ruled import deliver_ruled, has_room_for_events, note_ruled, turn_ruled
from evsim.engine.share import Thread
from evsim.engine.structural import has_room_for_changes, rewire, send_structural
from evsim.engine.structural_learning import note_targets
from evsim.engine.traced import deliver_traced, note_traced, turn_traced
from evsim.references import Referred

# What is asked: whether the histories have room for a step; to deliver what is due at a label, after bringing synapses
# up to date; to take note of the spikes of the thread's own neurons of a step.
HAS_ROOM, DELIVER_DUE, NOTE = range(3)
# of gap junctions: to drive their cells in a step, and to publish where these are after it
DRIVE, PUBLISH = range(2)


class Served(NamedTuple):
    """What such a part is given.

    Attributes:
        lanes: a thread's lanes of that kind (``Plastic`` and its like), what arrives between time steps
            (``Listed``), or its gap junctions (``Coupled``).
        thread: everything else that the thread works with.
    """

    lanes: Any
    thread: Thread | Referred


@inlined
def deliver_changing(label, kind, served, deliver):
    """Add what is due at a label over synapses that change.

    Args:
        kind: of the lanes, from NUMBERED on.
        deliver: what delivers over such a lane.
    """
    lanes, thread = served.lanes, served.thread
    rows, calendar, entries, mine = thread.rows, thread.calendar, thread.scratch.entries, thread.share.lanes
    slot = label % calendar.count.shape[1]
    for at in range(mine.size):
        lane = mine[at]
        while calendar.count[lane, slot] and rows.kind[lane] == kind:
            due = entries[: take(calendar, lane, slot, entries)]
            into = thread.memory.inputs[rows.input[lane] : rows.input[lane] + rows.width[lane]]
            thread.work[PLASTICITY] += deliver(lanes, lanes.number[lane], due, label, into)


@inlined
def note_own(step, served, note):
    """Let lanes know of the spikes of a thread's own neurons in a step.

    Args:
        note: what tells them of a block's spikes.
    """
    thread = served.thread
    blocks, exchange, mine = thread.blocks, thread.exchange, thread.share.blocks
    place, label = step % exchange.found.shape[0], step + thread.timing.spike_label
    for at in range(mine.size):
        b = mine[at]
        spiked = exchange.spiked[place, b * BLOCK : b * BLOCK + exchange.found[place, b]]
        note(served.lanes, blocks.slice[b], blocks.population[b], blocks.local[b], spiked, label)


def serve_plastic(served, what, when):
    """Plastic lanes in floating point."""
    if what == HAS_ROOM:
        return 1 if has_room_for_all(served.lanes) else 0
    if what == DELIVER_DUE:
        turn(served.lanes, when)
        deliver_changing(when, PLASTIC, served, deliver_plastic)
    else:
        note_own(when, served, note_posts)
    return 1


def serve_deferred(served, what, when):
    """Plastic lanes in SpiNNaker's numbers."""
    if what == DELIVER_DUE:
        deliver_changing(when, PLASTIC, served, deliver_deferred)
    elif what == NOTE:
        note_own(when, served, note_spikes)
    return 1


def serve_traced(served, what, when):
    """Plastic lanes in Loihi's numbers."""
    if what == DELIVER_DUE:
        turn_traced(served.lanes, when)
        deliver_changing(when, PLASTIC, served, deliver_traced)
    elif what == NOTE:
        note_own(when, served, note_traced)
    return 1


def serve_releasing(served, what, when):
    """Lanes of synapses that release a part of their weight."""
    if what == DELIVER_DUE:
        deliver_changing(when, RELEASING, served, deliver_released)
    return 1


def serve_modulated(served, what, when):
    """Lanes that learn by dopamine, and those that give it."""
    if what == HAS_ROOM:
        return 1 if has_room_for_doses(served.lanes) else 0
    if what == DELIVER_DUE:
        turn_modulated(served.lanes, when)
        deliver_changing(when, DOSING, served, deliver_doses)
        deliver_changing(when, MODULATED, served, deliver_modulated)
    else:
        note_own(when, served, note_modulated)
    return 1


@inlined
def send_all(label, served):
    """Send what came a label ago over synapses that come and go."""
    lanes, thread = served.lanes, served.thread
    rows, calendar, entries, mine = thread.rows, thread.calendar, thread.scratch.entries, thread.share.lanes
    slot = (label + 1) % calendar.count.shape[1]
    for at in range(mine.size):
        lane = mine[at]
        while calendar.count[lane, slot] and rows.kind[lane] == STRUCTURAL:
            due = entries[: take(calendar, lane, slot, entries)]
            thread.work[PLASTICITY] += send_structural(lanes, lanes.number[lane], due, label, thread.charges)


def serve_structural(served, what, when):
    """Lanes whose synapses come and go; of a label that is due it is the one before whose spikes are sent."""
    if what == HAS_ROOM:
        return 1 if has_room_for_changes(served.lanes) else 0
    if what == DELIVER_DUE:
        rewire(served.lanes, when - 1)
        send_all(when - 1, served)
    else:
        note_own(when, served, note_targets)
    return 1


def serve_ruled(served, what, when):
    """Lanes that learn by rules of a script's own."""
    if what == HAS_ROOM:
        return 1 if has_room_for_events(served.lanes) else 0
    if what == DELIVER_DUE:
        turn_ruled(served.lanes, when)
        deliver_changing(when, RULED, served, deliver_ruled)
    else:
        note_own(when, served, note_ruled)
    return 1


def serve_listed(served, _, label):
    """What arrives between time steps."""
    thread = served.thread
    thread.work[DELIVER] += deliver_listed(served.lanes, label, thread.memory.inputs)
    return 0


def serve_coupled(served, what, step):
    """Gap junctions."""
    thread = served.thread
    if what == DRIVE:
        thread.work[DELIVER] += drive_coupled(served.lanes, step, thread.memory)
    else:
        publish_coupled(served.lanes, step, thread.memory, thread.blocks, thread.exchange)
    return 0
