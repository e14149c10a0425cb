"""Keeping what synapses with rules of a script's own have been through when a network changes while it runs.

Whatever was changed about a projection, each synapse goes on with the state variables, traces and spikes of before;
only what was set anew is what it was set to. What is set counts from where no spike under way would have it otherwise,
which is also where weights are read.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evsim.engine.chip_carry import of_lane
from evsim.engine.lane_tables import hand_over
from evsim.engine.own_release import set_own_variables
from evsim.engine.plastic_carry import Arrival, add_as_charges, alike
from evsim.engine.ruled import bring_all
from evsim.engine.ruled_lanes import RuledSynapses, learned_by, learning_rule_of
from evsim.engine.ruled_memory import EVENT, Ruled, kept_of, with_room
from evsim.release import set_anew


def carry_ruled(
    past: RuledSynapses, now: RuledSynapses, arrivals: Sequence[Arrival], charges: np.ndarray, step: int
) -> list[Arrival]:
    """Go on where another network's synapses were.

    Where delays were changed, what is under way becomes charges, and teaches nothing.

    Args:
        arrivals: what is under way over the lanes before.
        charges: (slots, inputs) ring, to which is added what can no longer be under way.

    Returns:
        what is under way over the lanes now.
    """
    same = {
        before: lane
        for index in now.lanes.keys() & past.lanes.keys()
        for before, lane in zip(past.lanes[index], now.lanes[index], strict=True)
        if alike(past.rows, before, now.rows, lane)
    }
    for arrival in arrivals:
        if arrival.lane not in same:
            weights = past.of_lane(arrival.lane, step)[:, 0]
            add_as_charges(arrival, past.rows, weights.__getitem__, charges)
    for index in now.lanes.keys() & past.lanes.keys():
        table = past.table(index, step)
        _set_anew(table, past, now, index)
        lasts = _lasts(past, index)
        for before, lane in zip(past.lanes[index], now.lanes[index], strict=True):
            _keep(past, now, lane, table, lasts)
            if before in same:
                _keep_history(past, before, now, lane, step)
    return [arrival._replace(lane=same[arrival.lane]) for arrival in arrivals if arrival.lane in same]


def _set_anew(table: NDArray[np.float64], past: RuledSynapses, now: RuledSynapses, index: int) -> None:
    """Set in a table (n, width) of a projection what the script has set between the two networks."""
    was, projection = past.network.projections[index], now.network.projections[index]
    before, release = learned_by(was), learned_by(projection)
    if was is not projection:
        table[:, 0] = projection.weight
    rest = learning_rule_of(release).initial
    values = {name: release.initial.get(name, value) for name, value in rest.items() if set_anew(before, release, name)}
    set_own_variables(table[:, 1:], values, release.rule)


def _rows_of(synapses: RuledSynapses, lane: int) -> tuple[Ruled, NDArray[np.int64]]:
    """The lanes of the thread that has this one, and the row there of each of its synapses."""
    ruled, rows = of_lane(synapses.threads, lane), synapses.rows
    begin = rows.begin[rows.first[lane, 0] : rows.first[lane, -1] + 1].astype(np.int64)
    first = ruled.lanes[ruled.number[lane]]["first_state"]
    return ruled, first + np.repeat(np.arange(len(begin) - 1), np.diff(begin))


def _lasts(past: RuledSynapses, index: int) -> np.ndarray:
    """(n, 2) the label of the latest arrivals at each synapse of a projection, and how many were before the latest."""
    found = np.empty((len(past.network.projections[index]), 2))
    for lane, order in past.lanes[index].items():
        ruled, of_row = _rows_of(past, lane)
        found[order, 0], found[order, 1] = ruled.rows["last"][of_row], ruled.rows["repeats"][of_row]
    return found


def _keep(past: RuledSynapses, now: RuledSynapses, lane: int, table: np.ndarray, lasts: np.ndarray) -> None:
    order = now.lanes[int(now.rows.projection[lane])][lane]
    ruled, of_row = _rows_of(now, lane)
    kept_of(ruled, int(ruled.number[lane]))[:] = table[order]
    # the same in a row: all of its synapses have one source
    ruled.rows["last"][of_row], ruled.rows["repeats"][of_row] = lasts[order, 0], lasts[order, 1].astype(np.int64)


def _keep_history(past: RuledSynapses, before: int, now: RuledSynapses, lane: int, step: int) -> None:
    """Give a lane the spikes that the synapses of another one have not met."""
    thread = next(k for k, lanes in enumerate(now.threads) if lanes is not None and lanes.number[lane] >= 0)
    old, new = of_lane(past.threads, before), now.threads[thread]
    assert new is not None, "it has this lane"
    bring_all(old, old.number[before], np.int64(step + 1))
    was, at = old.lanes[old.number[before]], int(new.number[lane])
    lanes = new.lanes.copy()
    lanes["capacity"][at] = was["capacity"]
    new = with_room(new, lanes)
    new.lanes[at]["n_events"] = was["n_events"]
    events = [each.events.reshape(-1, EVENT) for each in (old, new)]
    hand_over(events[0], was, events[1], new.lanes[at], ("first_event", "n_events"))
    hand_over(old.spiked, was, new.spiked, new.lanes[at], ("first_target", "n_targets"))
    rows = [lanes.rows["seen"] for lanes in (old, new)]
    hand_over(rows[0], was, rows[1], new.lanes[at], ("first_state", "n_rows"))
    now.threads[thread] = new
