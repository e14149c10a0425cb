"""The synapses of a simulation that come and go, from the start on and through changes of its network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evsim.deploy.chip_network import ChipNetwork
from evsim.engine.memory import Layout
from evsim.engine.plastic_carry import Arrival
from evsim.engine.rows import STRUCTURAL, Rows
from evsim.engine.structural_lanes import structural_lanes, structural_projections
from evsim.engine.structural_memory import EVENT, Structural
from evsim.engine.structural_present import Present, present_of
from evsim.errors import BackendError


class ComingAndGoing:
    """Such synapses as they are at t = 0.

    Args:
        owners: for each thread (slices,) whether a slice is its own.

    Attributes:
        threads: those of each thread; None where there are none.
    """

    threads: list[Structural | None]

    def __init__(self, chip_network: ChipNetwork, layout: Layout, rows: Rows, owners: Sequence[np.ndarray]) -> None:
        self._network, self._rows = chip_network.network, rows
        self.threads = [structural_lanes(chip_network, layout, rows, owner) for owner in owners]

    def enlarge(self, thread: int) -> None:
        """Make room for what comes and goes in a step."""
        structural = self.threads[thread]
        if structural is not None and structural.count[0] + structural.most[0] > len(structural.events):
            more = np.zeros(len(structural.events) + int(structural.most[0]), EVENT)
            self.threads[thread] = structural._replace(events=np.concatenate([structural.events, more]))

    def take_events(self) -> np.ndarray:
        """What came and went since this was last called, of ``EVENT``, in the order of time."""
        found = [np.zeros(0, EVENT)]
        for structural in self.threads:
            if structural is not None:
                found.append(structural.events[: structural.count[0]].copy())
                structural.count[0] = 0
        events = np.concatenate(found)
        return events[np.lexsort((events["number"], events["label"]))]

    def present(self, index: int) -> Present:
        """The synapses that such a projection has by now."""
        return present_of(self.threads, index, self._network.projections[index])

    def carry(self, past: ComingAndGoing, arrivals: Sequence[Arrival]) -> list[Arrival]:
        """Go on from another network's synapses.

        Args:
            arrivals: the spikes that have not been sent over them yet.

        Returns:
            the same for these lanes.

        Raises:
            BackendError: such a projection was changed.
        """
        before, now = (structural_projections(network) for network in (past._network, self._network))
        for index in sorted({*before, *now}):
            if past._network.projections[index] is not self._network.projections[index]:
                raise BackendError(
                    f"projection {self._network.projections[index].label!r}, whose synapses come and go, was changed "
                    "while the network runs; set its parameters before run(), or call reset() first"
                )
        self.threads = [
            was if was is None or now is None else was._replace(lanes=_moved(was, now), number=now.number)
            for was, now in zip(past.threads, self.threads, strict=True)
        ]
        return [arrival._replace(lane=self._lane(past, arrival.lane)) for arrival in arrivals]

    def _lane(self, past: ComingAndGoing, lane: int) -> int:
        """The lane that one of the network before is now."""
        same = self._rows.kind == STRUCTURAL
        same &= self._rows.projection == past._rows.projection[lane]
        same &= self._rows.slice == past._rows.slice[lane]
        return int(np.flatnonzero(same)[0])


def _moved(was: Structural, now: Structural) -> np.ndarray:
    """The lanes as they were, with their inputs where they are now."""
    lanes = was.lanes.copy()
    lanes["input"] = now.lanes["input"]
    return lanes
