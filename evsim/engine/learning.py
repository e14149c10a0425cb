"""The plastic synapses of a simulation, in whichever numbers the rule set has them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evsim.deploy.chip_network import ChipNetwork
from evsim.engine.deferred_carry import DeferredPast, add_weights, carry_deferred, take_in
from evsim.engine.deferred_lanes import arrived, deferred_lanes, weights_after
from evsim.engine.deferred_memory import Deferred
from evsim.engine.memory import Layout
from evsim.engine.plastic_carry import Arrival, Past, add_as_charges, carry_over
from evsim.engine.plastic_lanes import plastic_lanes, present_weights
from evsim.engine.plastic_memory import Plastic, enlarged
from evsim.engine.rows import Rows


class Learning:
    """Plastic lanes that know of no spikes yet.

    Args:
        owners: for each thread (slices,) whether a slice is its own.
        step: the present time step.

    Attributes:
        plastic: the lanes of each thread in floating point; None where there are none.
        deferred: those in SpiNNaker's numbers.
    """

    def __init__(
        self,
        chip_network: ChipNetwork,
        layout: Layout,
        rows: Rows,
        owners: Sequence[NDArray[np.bool_]],
        step: int,
    ) -> None:
        self._net, self._layout, self._rows = chip_network, layout, rows
        self._is_exact = chip_network.chip.rules.is_exact
        self.plastic: list[Plastic | None] = [None] * len(owners)
        self.deferred: list[Deferred | None] = [None] * len(owners)
        for thread, owner in enumerate(owners):
            if self._is_exact:
                self.deferred[thread] = deferred_lanes(chip_network, layout, rows, owner)
            else:
                self.plastic[thread] = plastic_lanes(chip_network.network, layout, rows, owner, step)

    def enlarge(self, thread: int) -> None:
        """Make room for the history of a thread's lanes."""
        self.plastic[thread] = enlarged(self.plastic[thread])

    def weights(self, index: int, arrivals: Sequence[Arrival], step: int) -> NDArray[np.float64]:
        """The present weights (n,) of a plastic projection, in the network's order and unit.

        Args:
            arrivals: what is under way.
            step: the present time step.
        """
        if not self._is_exact:
            return present_weights(self._net.network, self._layout, self._rows, index)
        there = [self._split(arrival, step)[0] for arrival in arrivals]
        return weights_after(self._net, self._layout, self._rows, self.deferred, there, index)

    def carry(self, past: Learning, arrivals: Sequence[Arrival], charges: np.ndarray, step: int) -> list[Arrival]:
        """Go on from another network's lanes where they are as they were.

        Args:
            arrivals: what is under way over the lanes before.
            charges: (slots, inputs) ring, to which is added what can no longer be under way.

        Returns:
            what is under way over these lanes.
        """
        if self._is_exact:
            arrivals = [past._take_in(arrival, charges, step) for arrival in arrivals]
            before = DeferredPast(past._net, past._rows, past.deferred)
            same = carry_deferred(before, self._net, self._rows, self.deferred)
        else:
            before = Past(past._net.network, past._rows, past.plastic)
            same = carry_over(before, self._net.network, self._rows, self.plastic)
        for arrival in arrivals:
            if arrival.lane not in same and self._is_exact:
                add_weights(arrival, past._rows, charges)
            elif arrival.lane not in same:
                add_as_charges(arrival, past._net.network, past._rows, charges)
        return [arrival._replace(lane=same[arrival.lane]) for arrival in arrivals if arrival.lane in same]

    def _take_in(self, arrival: Arrival, charges: np.ndarray, step: int) -> Arrival:
        """Take in what has arrived on the core of its target; returns what has not."""
        there, rest = self._split(arrival, step)
        take_in(there, self._rows, self._of_lane(arrival.lane), charges)
        return rest

    def _split(self, arrival: Arrival, step: int) -> tuple[Arrival, Arrival]:
        return arrived(self._of_lane(arrival.lane), arrival, step)

    def _of_lane(self, lane: int) -> Deferred:
        (found,) = (thread for thread in self.deferred if thread is not None and thread.number[lane] >= 0)
        return found
