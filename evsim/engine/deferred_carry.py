"""The spikes and traces that SpiNNaker's plastic synapses keep when a network changes; see ``chip_carry``."""

from __future__ import annotations

import numpy as np

from evsim.engine.deferred_memory import Deferred


def keep_events(was: Deferred, before: int, now: Deferred, after: int) -> None:
    """Give a lane those of a lane before."""
    old, new = was.lanes[before], now.lanes[after]
    for name in ("last", "trace", "second", "arrivals"):
        kept = was.rows[name][old["first_state"] :][: old["n_rows"]]
        now.rows[name][new["first_state"] :][: new["n_rows"]] = kept
    count = was.count[old["first_target"] :][: old["n_targets"]]
    now.count[new["first_target"] :][: new["n_targets"]] = count
    target = np.arange(len(count))
    for back in range(1, int(min(old["room"], new["room"])) + 1):
        spike, mine = count - back, count >= back
        there = old["first_event"] + target * old["room"] + spike % old["room"]
        here = new["first_event"] + target * new["room"] + spike % new["room"]
        now.events[here[mine]] = was.events[there[mine]]
