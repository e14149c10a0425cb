"""Keeping what releasing synapses have been through when a network changes while it runs.

What is under way was sent with the weights and the numbers before the change: it becomes charges, which brings every
synapse up to date with its source. From there each goes on, whatever was changed about its projection; only a state
variable that was set anew is what it was set to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evsim.engine.chip_carry import of_lane, take_in
from evsim.engine.memory import Layout
from evsim.engine.own_release import own_variables, set_own_variables
from evsim.engine.plastic_carry import Arrival
from evsim.engine.plastic_lanes import synapses_of_lanes
from evsim.engine.release import deliver_released
from evsim.engine.release_lanes import releasing_lanes, sites_of
from evsim.engine.release_memory import Releasing, kept_of, set_variables, variables
from evsim.engine.rows import Rows
from evsim.network import Network
from evsim.release import rule_of, set_anew


class Past(NamedTuple):
    """What the synapses of a projection have been through, in the order of the projection.

    Attributes:
        states: (n,) of ``STATE``; (n, state variables) by a law of a script's own.
        rows: (n,) of ``ROW``, that of each synapse.
    """

    states: np.ndarray
    rows: np.ndarray


class Releases:
    """The releasing synapses of a simulation, over which no spike has come yet.

    Args:
        owners: for each thread (slices,) whether a slice is its own.

    Attributes:
        threads: the lanes of each thread; None where there are none.
    """

    threads: list[Releasing | None]

    def __init__(self, network: Network, layout: Layout, rows: Rows, owners: Sequence[np.ndarray]) -> None:
        self._network, self._layout, self._rows = network, layout, rows
        self.threads = [releasing_lanes(network, layout, rows, owner) for owner in owners]

    def settle(self, arrivals: Sequence[Arrival], charges: np.ndarray) -> None:
        """Release what is under way into a ring of charges (slots, inputs)."""
        for arrival in arrivals:
            take_in(arrival, self._rows, of_lane(self.threads, arrival.lane), deliver_released, charges)

    def carry(self, past: Releases) -> None:
        """Go on from another network's synapses, over which nothing is under way."""
        for index, projection in enumerate(self._network.projections):
            if projection.release is None or projection.learns or not len(projection):
                continue
            before = past._past(index)
            for lane, order in self._lanes(index):
                self._set(lane, Past(before.states[order], before.rows[order]))
            self._set_anew(past, index)

    def variables(self, index: int) -> Mapping[str, NDArray[np.float64]]:
        """The state variables (n,) of a releasing projection, as the latest spikes that have arrived left them."""
        release = self._network.projections[index].release
        assert release is not None, "other synapses have none"
        states, rule = self._past(index).states, rule_of(release.rule)
        if rule.law:
            return own_variables(states, release.rule)
        found = variables(states, sites_of(release))
        return {name: found[name] for name in rule.initial}

    def _past(self, index: int) -> Past:
        parts = [(order, self._places(lane)) for lane, order in self._lanes(index)]
        whole = np.argsort(np.concatenate([order for order, _ in parts]))
        return Past(
            np.concatenate([states for _, (_, states, _) in parts])[whole],
            np.concatenate([releasing.rows[of_row] for _, (releasing, _, of_row) in parts])[whole],
        )

    def _set(self, lane: int, past: Past) -> None:
        releasing, states, of_row = self._places(lane)
        states[:] = past.states
        for name in ("last", "repeats"):  # the same in a row: all of its synapses have one source
            releasing.rows[name][of_row] = past.rows[name]

    def _set_anew(self, past: Releases, index: int) -> None:
        """Set the state variables that the script has set between the two networks."""
        before, now = past._network.projections[index].release, self._network.projections[index].release
        assert before is not None and now is not None, "a projection keeps its kind of synapse"
        count = len(self._network.projections[index])
        rest = rule_of(now.rule).initial
        changed = {
            name: now.initial.get(name, np.broadcast_to(rest[name], count))
            for name in rest
            if set_anew(before, now, name)
        }
        sites = np.broadcast_to(sites_of(now), count)
        for lane, order in self._lanes(index):
            _, states, _ = self._places(lane)
            values = {name: column[order] for name, column in changed.items()}
            if rule_of(now.rule).law:
                set_own_variables(states, values, now.rule)
            else:
                set_variables(states, values, sites[order])

    def _lanes(self, index: int) -> Iterator[tuple[int, NDArray[np.int64]]]:
        return synapses_of_lanes(self._network.projections[index], self._layout, self._rows, index)

    def _places(self, lane: int) -> tuple[Releasing, np.ndarray, NDArray[np.int64]]:
        """The lanes of the thread that has this one, its states, which may be set, and the row of each of them."""
        releasing = of_lane(self.threads, lane)
        place = int(releasing.number[lane])
        own = releasing.lanes[place]
        begin = self._rows.begin[self._rows.first[lane, 0] : self._rows.first[lane, -1] + 1].astype(np.int64)
        of_row = own["first_state"] + np.repeat(np.arange(len(begin) - 1), np.diff(begin))
        return releasing, kept_of(releasing, place, len(of_row)), of_row
