"""The plastic synapses of a simulation, in whichever numbers the rule set has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evsim.deploy.chip_network import ChipNetwork
from evsim.engine.chip_carry import ChipPast, carry_lanes, of_lane, take_in
from evsim.engine.deferred import deliver_deferred
from evsim.engine.deferred_carry import keep_events
from evsim.engine.deferred_lanes import arrived, deferred_lanes, weights_after
from evsim.engine.deferred_memory import Deferred
from evsim.engine.memory import Layout
from evsim.engine.plastic_carry import Arrival, Past, add_as_charges, carry_over
from evsim.engine.plastic_lanes import plastic_lanes, present_weights, unit_of_weights, words_of_lane
from evsim.engine.plastic_memory import Plastic, enlarged
from evsim.engine.plastic_words import unpack
from evsim.engine.plasticity import settle_all
from evsim.engine.rows import Rows
from evsim.engine.traced import deliver_traced
from evsim.engine.traced_carry import keep_traces
from evsim.engine.traced_lanes import reached, traced_lanes, weights_at
from evsim.engine.traced_memory import Traced


class Learning:
    """Plastic lanes that know of no spikes yet.

    Args:
        owners: for each thread (slices,) whether a slice is its own.
        step: the present time step.

    Attributes:
        plastic: the lanes of each thread in floating point; None where there are none.
        deferred: those in SpiNNaker's numbers.
        traced: those in Loihi's.
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
        self._family = chip_network.chip.rules.family
        self.plastic: list[Plastic | None] = [None] * len(owners)
        self.deferred: list[Deferred | None] = [None] * len(owners)
        self.traced: list[Traced | None] = [None] * len(owners)
        for thread, owner in enumerate(owners):
            if self._family == "spinnaker":
                self.deferred[thread] = deferred_lanes(chip_network, layout, rows, owner)
            elif self._family == "loihi":
                self.traced[thread] = traced_lanes(chip_network, layout, rows, owner, step)
            else:
                self.plastic[thread] = plastic_lanes(chip_network.network, layout, rows, owner, step)

    def enlarge(self, thread: int) -> None:
        """Make room for the history of a thread's lanes."""
        if (plastic := self.plastic[thread]) is not None:
            self.plastic[thread] = enlarged(plastic)

    def weights(self, index: int, arrivals: Sequence[Arrival], step: int) -> NDArray[np.float64]:
        """The present weights (n,) of a plastic projection, in the network's order and unit.

        Args:
            arrivals: what is under way.
            step: the present time step.
        """
        if self._family == "ideal":
            return present_weights(self._net.network, self._layout, self._rows, index)
        there = [self._split(arrival, step)[0] for arrival in arrivals]
        if self._family == "loihi":
            return weights_at(self._net, self._layout, self._rows, self.traced, there, index, step)
        return weights_after(self._net, self._layout, self._rows, self.deferred, there, index)

    def settled_weights(self, index: int, step: int) -> NDArray[np.float64]:
        """Those weights in floating point, once the spikes of targets that no spike of a source has found have done
        their part; it is not to be run any further."""
        for lane in np.flatnonzero(self._rows.projection == index).tolist():
            plastic = of_lane(self.plastic, lane)
            settle_all(plastic, plastic.number[lane], np.int64(step))
        return self.weights(index, [], step)

    def carry(self, past: Learning, arrivals: Sequence[Arrival], charges: np.ndarray, step: int) -> list[Arrival]:
        """Go on from another network's lanes where they are as they were.

        Args:
            arrivals: what is under way over the lanes before.
            charges: (slots, inputs) ring, to which is added what can no longer be under way.

        Returns:
            what is under way over these lanes.
        """
        if self._family != "ideal":
            arrivals = [past._take_in(arrival, charges, step) for arrival in arrivals]
        same = self._carry_lanes(past)
        for arrival in arrivals:
            if arrival.lane not in same:
                past._add(arrival, charges)
        return [arrival._replace(lane=same[arrival.lane]) for arrival in arrivals if arrival.lane in same]

    def _carry_lanes(self, past: Learning) -> dict[int, int]:
        """Give the lanes that are as they were what they have been through: the lane before -> the same lane now."""
        if self._family != "ideal":
            keep = keep_traces if self._family == "loihi" else keep_events
            before = ChipPast(past._net, past._rows, past._threads())
            return carry_lanes(before, self._net, self._rows, self._threads(), keep)
        return carry_over(
            Past(past._net.network, past._rows, past.plastic), self._net.network, self._rows, self.plastic
        )

    def _add(self, arrival: Arrival, charges: np.ndarray) -> None:
        """Add what is under way to the ring of charges (slots, inputs), with the weights as they are."""
        index, words = int(self._rows.projection[arrival.lane]), words_of_lane(self._rows, arrival.lane)
        unit = unit_of_weights(self._net.network.projections[index]) if self._family == "ideal" else 0.0
        exponent = self._net.projections[index].plasticity.exponent if self._family == "loihi" else 0

        def weights(mine: slice) -> np.ndarray:
            if self._family == "ideal":
                return unpack(words[mine], unit)
            return (words[mine].astype(np.int64) >> 16) << exponent

        add_as_charges(arrival, self._rows, weights, charges)

    def _take_in(self, arrival: Arrival, charges: np.ndarray, step: int) -> Arrival:
        """Take in what has arrived on the core of its target; returns what has not."""
        there, rest = self._split(arrival, step)
        deliver = deliver_traced if self._family == "loihi" else deliver_deferred
        take_in(there, self._rows, of_lane(self._threads(), arrival.lane), deliver, charges)
        return rest

    def _split(self, arrival: Arrival, step: int) -> tuple[Arrival, Arrival]:
        split = reached if self._family == "loihi" else arrived
        return split(of_lane(self._threads(), arrival.lane), arrival, step)

    def _threads(self) -> Sequence[Any]:
        """The lanes of each thread in the chip's numbers."""
        return self.traced if self._family == "loihi" else self.deferred
