"""The spikes and traces that Loihi's plastic synapses keep when a network changes; see ``chip_carry``."""

from __future__ import annotations

from evsim.engine.traced_memory import BITS, Traced


def keep_traces(was: Traced, before: int, now: Traced, after: int) -> None:
    """Give a lane those of a lane before."""
    old, new = was.lanes[before], now.lanes[after]
    new["turned"] = old["turned"]
    for name in ("seen", "trace"):
        kept = was.rows[name][old["first_state"] :][: old["n_rows"]]
        now.rows[name][new["first_state"] :][: new["n_rows"]] = kept
    first, last = (was.slots["first_level"][old[end] - at] for end, at in (("first_slot", 0), ("last_slot", 1)))
    count = last - first + old["n_targets"]
    begin = now.slots["first_level"][new["first_slot"]]
    now.levels[begin : begin + count] = was.levels[first : first + count]
    count = old["n_targets"] * (old["room"] // BITS)
    now.spikes[new["first_spike"] :][:count] = was.spikes[old["first_spike"] :][:count]
