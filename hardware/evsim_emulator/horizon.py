"""What happens to a core by itself, without its program."""

from __future__ import annotations

from evsim.compile import lean
from evsim_emulator.packets import inbox_packet


@lean
def horizon(core):
    """The next cycle at which a timer expires, a packet arrives or the slice of time ends."""
    ahead = min(core.limit, core.due[0], core.due[1])
    if core.inbox_count > 0:
        arrival = inbox_packet(core, 0).time
        if arrival > core.cycles:
            ahead = min(ahead, arrival)
    return ahead
