"""The synapses of a simulation that are not always the same.

They learn, release a part of their weight, learn by dopamine or by rules of a script's own, or come and go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evsim.deploy.chip_network import ChipNetwork
from evsim.engine.learning import Learning
from evsim.engine.memory import Layout
from evsim.engine.modulated_lanes import UnderDopamine
from evsim.engine.plastic_carry import Arrival, take_arrivals
from evsim.engine.queue import Calendar
from evsim.engine.release_carry import Releases
from evsim.engine.rows import DOSING, MODULATED, PLASTIC, RELEASING, RULED, STRUCTURAL, Rows
from evsim.engine.ruled_carry import carry_ruled
from evsim.engine.ruled_lanes import RuledSynapses
from evsim.engine.structural_carry import ComingAndGoing
from evsim.engine.structural_present import Present

UnderWay = Mapping[int, list[Arrival]]  # kind of lanes -> what is under way over them


class ChangingSynapses:
    """Such synapses, over which no spike has come yet.

    Args:
        owners: for each thread (slices,) whether a slice is its own.
        step: the present one.
    """

    def __init__(
        self,
        chip_network: ChipNetwork,
        layout: Layout,
        rows: Rows,
        owners: Sequence[NDArray[np.bool_]],
        step: int,
    ) -> None:
        network = chip_network.network
        self._rows, self._projections = rows, network.projections
        self._learning = Learning(chip_network, layout, rows, owners, step)
        self._releases = Releases(network, layout, rows, owners)
        self._dopamine = UnderDopamine(network, layout, rows, owners, step)
        self._structural = ComingAndGoing(chip_network, layout, rows, owners)
        self._ruled = RuledSynapses(network, layout, rows, owners)

    def of_thread(self, thread: int) -> tuple[Any, ...]:
        """A thread's lanes of each kind, as ``advance`` takes them; None for those that there are not."""
        learning = self._learning
        return (
            learning.plastic[thread],
            learning.deferred[thread],
            learning.traced[thread],
            self._releases.threads[thread],
            self._dopamine.threads[thread],
            self._structural.threads[thread],
            self._ruled.threads[thread],
        )

    def enlarge(self, thread: int) -> None:
        """Make room for the history of a thread's lanes."""
        self._learning.enlarge(thread)
        self._dopamine.enlarge(thread)
        self._structural.enlarge(thread)
        self._ruled.enlarge(thread)

    def refuse_faults(self) -> None:
        """Raise BackendError where a rule of a script's own has made what is no finite number."""
        self._ruled.refuse_faults()

    def weights(self, index: int, arrivals: Sequence[Arrival], step: int) -> NDArray[np.float64]:
        """The present weights (n,) of a plastic projection, in the network's order and unit.

        Args:
            arrivals: what is under way over plastic synapses, to be counted as arrived.
        """
        if self._dopamine.has(index):
            return self._dopamine.weights(index, step)
        if self._ruled.has(index):
            return self._ruled.weights(index, step)
        return self._learning.weights(index, arrivals, step)

    def synapse_states(self, index: int, step: int) -> Mapping[str, NDArray[np.float64]]:
        """The state variables (n,) of a releasing projection, or of one that learns by a rule of a script's own."""
        if self._ruled.has(index):
            return self._ruled.variables(index, step)
        return self._releases.variables(index)

    def synapses(self, index: int) -> Present:
        """The present synapses of a projection whose synapses come and go."""
        return self._structural.present(index)

    def rewirings(self) -> np.ndarray:
        """What came and went since this was last asked, of ``structural_memory.EVENT``."""
        return self._structural.take_events()

    # --- going on with a changed network -----------------------------------------------------------------------------

    def under_way(self, calendars: Sequence[Calendar], step: int) -> UnderWay:
        """What is under way, which is taken out of the calendars."""
        kinds = (PLASTIC, RELEASING, MODULATED, DOSING, STRUCTURAL, RULED)
        return {kind: take_arrivals(self._rows, kind, calendars, step) for kind in kinds}

    def settle(self, under_way: UnderWay, charges: np.ndarray) -> None:
        """Release what is under way into a ring of charges (slots, inputs)."""
        self._releases.settle(under_way[RELEASING], charges)

    def carry(self, past: ChangingSynapses, under_way: UnderWay, charges: np.ndarray, step: int) -> list[Arrival]:
        """Go on where another network's synapses were, and add what cannot be under way here to the ring of charges.

        Args:
            past: after ``settle``.

        Returns:
            what is to be queued again.
        """
        self._releases.carry(past._releases)
        for index, (was, now) in enumerate(zip(past._projections, self._projections, strict=True)):
            if was is now and self._dopamine.has(index) and not past._dopamine.has(index):
                self._dopamine.take_over(index, past._learning.settled_weights(index, step))
        doses = [*under_way[MODULATED], *under_way[DOSING]]
        return [
            *self._learning.carry(past._learning, under_way[PLASTIC], charges, step),
            *self._dopamine.carry(past._dopamine, doses, charges, step),
            *self._structural.carry(past._structural, under_way[STRUCTURAL]),
            *carry_ruled(past._ruled, self._ruled, under_way[RULED], charges, step),
        ]
