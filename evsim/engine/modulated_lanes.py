"""The plastic lanes under dopamine of a network: from rows to ``modulated_memory``, back to weights, and changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from evsim.engine.chip_carry import of_lane
from evsim.engine.lane_tables import hand_over
from evsim.engine.memory import Layout
from evsim.engine.modulated import bring_all, present
from evsim.engine.modulated_history import forget_doses
from evsim.engine.modulated_memory import (
    DOSING,
    Modulated,
    ModulatedPart,
    enlarged,
    lay_out_modulated,
    with_room,
)
from evsim.engine.plastic_carry import Arrival, add_as_charges, alike
from evsim.engine.plastic_lanes import pair_rule_of, synapses_of_lanes, words_of_lane
from evsim.engine.rows import DOSING as DOSING_KIND
from evsim.engine.rows import MODULATED, Rows, lanes_of
from evsim.modulation import PUNISHMENT, Modulation
from evsim.network import Network


def modulation_of(network: Network, population: int) -> Modulation | None:
    """What dopamine does to the plastic synapses onto a population; None where it is given none."""
    found = (p.modulation for p in network.projections if p.post == population and p.modulation)
    return next(found, None)


class UnderDopamine:
    """The plastic synapses of a simulation that learn by dopamine, over which no spike has come yet.

    Args:
        owners: for each thread (slices,) whether a slice is its own.
        step: the present time step.

    Attributes:
        threads: the lanes of each thread; None where the network has none.
    """

    threads: list[Modulated | None]

    def __init__(
        self, network: Network, layout: Layout, rows: Rows, owners: Sequence[NDArray[np.bool_]], step: int
    ) -> None:
        self._network, self._layout, self._rows = network, layout, rows
        self._places = {  # lane -> the place in its projection of each of its synapses
            lane: places
            for index in np.unique(rows.projection[rows.kind == MODULATED])
            for lane, places in synapses_of_lanes(network.projections[index], layout, rows, index)
        }
        some = np.isin(rows.kind, (MODULATED, DOSING_KIND)).any()
        self.threads = [self._of_thread(owner, step) if some else None for owner in owners]

    def _of_thread(self, owner: NDArray[np.bool_], step: int) -> Modulated:
        rows = self._rows
        none = np.zeros(0, np.int64), np.full(len(rows.kind), -1)
        lanes, number = lanes_of(rows, MODULATED, owner) or none
        dosing, number_of_dosing = lanes_of(rows, DOSING_KIND, owner) or none
        number = np.maximum(number, number_of_dosing)
        parts = [self._part(int(lane)) for lane in lanes]
        table = np.array([self._dosing(int(lane)) for lane in dosing], DOSING)
        return lay_out_modulated(parts, table, rows.words, rows.begin, number, self._network.timestep, step)

    def _dosing(self, lane: int) -> tuple:
        rows, projection = self._rows, self._network.projections[self._rows.projection[lane]]
        sign = -1.0 if projection.receptor == PUNISHMENT else 1.0
        population = self._layout.neurons.index(projection.post)
        return rows.slice[lane], population, rows.base[lane], rows.first[lane, 0], sign * rows.weight[lane]

    def _part(self, lane: int) -> ModulatedPart:
        rows, index = self._rows, int(self._rows.projection[lane])
        projection = self._network.projections[index]
        modulation = modulation_of(self._network, projection.post)
        assert modulation is not None, "other plastic lanes are not of this kind"
        first, last = int(rows.first[lane, 0]), int(rows.first[lane, -1])
        return ModulatedPart(
            slice=int(rows.slice[lane]),
            population=self._layout.neurons.index(projection.post),
            rule=pair_rule_of(projection),
            modulation=modulation,
            weight=np.asarray(projection.weight)[self._places[lane]],
            base=int(rows.base[lane]),
            first_row=first,
            delay=rows.delay[first:last],
            n_targets=int(rows.width[lane]),
        )

    def enlarge(self, thread: int) -> None:
        """Make room for the histories of a thread's lanes."""
        if (modulated := self.threads[thread]) is not None:
            self.threads[thread] = enlarged(modulated)

    def has(self, index: int) -> bool:
        """Whether a projection is one of these."""
        lanes = self._rows.projection == index
        return bool((self._rows.kind[lanes] == MODULATED).any())

    def weights(self, index: int, step: int) -> NDArray[np.float64]:
        """The weights (n,) of such a projection at a step, in the network's order and unit."""
        found = np.empty(len(self._network.projections[index]))
        for lane in np.flatnonzero(self._rows.projection == index):
            found[self._places[lane]] = self._present(int(lane), step)
        return found

    def _present(self, lane: int, step: int) -> NDArray[np.float64]:
        weights = np.empty(len(words_of_lane(self._rows, lane)))
        modulated = of_lane(self.threads, lane)
        present(modulated, modulated.number[lane], np.int64(step), weights)
        return weights

    # --- changes of a network that runs ------------------------------------------------------------------------------

    def carry(self, past: UnderDopamine, arrivals: Sequence[Arrival], charges: np.ndarray, step: int) -> list[Arrival]:
        """Go on from another network's lanes where they are as they were.

        A projection that is connected alike, by the same rule on pairs, keeps eligibility, traces, dopamine and the
        spikes under way; unless something about it was set anew it keeps its weights, too.

        Args:
            arrivals: what is under way over the lanes before.
            charges: (slots, inputs) ring, to which is added what can no longer be under way.

        Returns:
            what is under way over these lanes.
        """
        same = dict(self._same_lanes(past))
        for arrival in arrivals:
            if arrival.lane not in same and past._rows.kind[arrival.lane] == MODULATED:
                weights = past._present(arrival.lane, step)
                add_as_charges(arrival, past._rows, weights.__getitem__, charges)
        for before, lane in same.items():
            if self._rows.kind[lane] == MODULATED:
                self._keep(past, before, lane, step)
        return [arrival._replace(lane=same[arrival.lane]) for arrival in arrivals if arrival.lane in same]

    def take_over(self, index: int, weights: NDArray[np.float64]) -> None:
        """Let the synapses of a projection go on from weights (n,) that they learned without dopamine."""
        for lane in np.flatnonzero(self._rows.projection == index).tolist():
            modulated = of_lane(self.threads, lane)
            own = modulated.lanes[modulated.number[lane]]
            synapses = modulated.synapses[own["first_synapse"] :][: own["n_synapses"]]
            synapses["weight"] = np.abs(weights[self._places[lane]])

    def _same_lanes(self, past: UnderDopamine) -> Iterator[tuple[int, int]]:
        """The lanes that are connected alike, by the same rule: the lane before, the same lane now."""
        rows, old = self._rows, past._rows
        for lane in np.flatnonzero(np.isin(rows.kind, (MODULATED, DOSING_KIND))).tolist():
            index = int(rows.projection[lane])
            for before in np.flatnonzero((old.projection == index) & (old.slice == rows.slice[lane])).tolist():
                if (
                    old.kind[before] == rows.kind[lane]
                    and self._is_same(past, index)
                    and alike(old, before, rows, lane)
                ):
                    yield before, lane

    def _is_same(self, past: UnderDopamine, index: int) -> bool:
        was, now = past._network.projections[index], self._network.projections[index]
        return was.plasticity == now.plasticity

    def _keep(self, past: UnderDopamine, before: int, lane: int, step: int) -> None:
        """Give a lane what another one has been through; weights that were set are those of this step."""
        index, thread = int(self._rows.projection[lane]), self._thread_of(lane)
        old, new = of_lane(past.threads, before), self.threads[thread]
        assert new is not None, "it has this lane"
        was, at = old.lanes[old.number[before]], int(new.number[lane])
        kept = past._network.projections[index] is self._network.projections[index]
        post = self._network.projections[index].post
        as_before = modulation_of(past._network, post) == modulation_of(self._network, post)
        if not (kept and as_before):
            bring_all(old, old.number[before], np.int64(step))
        if not as_before:
            forget_doses(old, old.number[before], np.int64(step))
        now = new.lanes[at]
        columns = [lanes.synapses if kept else lanes.synapses["eligibility"] for lanes in (old, new)]
        for was_of, now_of, fields in (
            (old.rows, new.rows, ("first_state", "n_rows")),
            (old.spiked, new.spiked, ("first_target", "n_targets")),
            (old.dosed, new.dosed, ("first_target", "n_targets")),
            (*columns, ("first_synapse", "n_synapses")),
        ):
            hand_over(was_of, was, now_of, now, fields)
        self.threads[thread] = _with_histories(new, at, old, int(old.number[before]))

    def _thread_of(self, lane: int) -> int:
        return next(k for k, lanes in enumerate(self.threads) if lanes is not None and lanes.number[lane] >= 0)


def _with_histories(new: Modulated, at: int, old: Modulated, before: int) -> Modulated:
    """Lanes one of which takes over the histories of another."""
    lanes = new.lanes.copy()
    lanes["capacity"][at] = old.lanes["capacity"][before]
    made = with_room(new, lanes)
    for was, now, count in ((old.posts, made.posts, "n_posts"), (old.doses, made.doses, "n_doses")):
        lanes[count][at] = old.lanes[count][before]
        hand_over(was, old.lanes[before], now, lanes[at], ("first_event", count))
    return made
