"""The synapses of a network that learn by rules in functions: from rows to ``ruled_memory``, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from evsim.engine.chip_carry import of_lane
from evsim.engine.memory import Layout
from evsim.engine.own_learning import decays_of, learning_function, order_of, width_of
from evsim.engine.own_release import own_laws, own_states, own_variables
from evsim.engine.plastic_lanes import synapses_of_lanes
from evsim.engine.rows import RULED, Rows, lanes_of
from evsim.engine.ruled import present
from evsim.engine.ruled_memory import Ruled, RuledPart, enlarged, kept_of, lay_out_ruled
from evsim.errors import BackendError
from evsim.learning_rule import FRACTION, LearningRule, dendritic_steps
from evsim.network import Network, Projection
from evsim.random_bits import derived
from evsim.registry import learning_release
from evsim.release import Release, rule_of

DOMAIN = np.uint64(0x4C4541524E)  # sets these keys apart from other ones of the same seed


def learning_rule_of(release: Release) -> LearningRule:
    """The rule by which synapses learn."""
    rule = rule_of(release.rule)
    assert isinstance(rule, LearningRule), "other synapses are in lanes of other kinds"
    return rule


def learned_by(projection: Projection) -> Release:
    """How the synapses of a projection learn that has such a rule."""
    release = projection.release or learning_release(projection)
    assert release is not None, "checked before it runs"
    return release


class RuledSynapses:
    """The synapses of a simulation that learn by rules of a script's own, over which no spike has come yet.

    Args:
        owners: for each thread (slices,) whether a slice is its own.

    Attributes:
        network, rows: as given.
        lanes: projection -> its lanes, each with the place in the projection (synapses,) of each of its synapses.
        threads: the lanes of each thread; None where the network has none.
    """

    threads: list[Ruled | None]

    def __init__(self, network: Network, layout: Layout, rows: Rows, owners: Sequence[NDArray[np.bool_]]) -> None:
        self.network, self.rows, self._layout = network, rows, layout
        self.lanes = {
            int(index): dict(synapses_of_lanes(network.projections[index], layout, rows, index))
            for index in np.unique(rows.projection[rows.kind == RULED])
        }
        parts: dict[int, RuledPart] = {}
        for index in self.lanes:
            parts |= self._parts(index)
        self.threads = [self._of_thread(owner, parts) for owner in owners]

    def _of_thread(self, owner: NDArray[np.bool_], parts: Mapping[int, RuledPart]) -> Ruled | None:
        if (found := lanes_of(self.rows, RULED, owner)) is None:
            return None
        lanes, number = found
        return lay_out_ruled([parts[int(lane)] for lane in lanes], self.rows.words, self.rows.begin, number)

    def _parts(self, index: int) -> dict[int, RuledPart]:
        """The lanes of a projection, by their numbers."""
        rows, projection, network = self.rows, self.network.projections[index], self.network
        release = learned_by(projection)
        rule, count = learning_rule_of(release), len(projection)
        laws, states, weight = own_laws(release), own_states(release, count), np.asarray(projection.weight)
        decays = decays_of(rule, laws, network.timestep)
        fraction = float(release.parameters[FRACTION][0])
        found = {}
        for lane, order in self.lanes[index].items():
            first, last = int(rows.first[lane, 0]), int(rows.first[lane, -1])
            kept = np.zeros((len(order), width_of(rule)))
            kept[:, 0], kept[:, 1 : 1 + states.shape[1]], kept[:, -1] = weight[order], states[order], -np.inf
            found[lane] = RuledPart(
                slice=int(rows.slice[lane]),
                population=self._layout.neurons.index(projection.post),
                target_first=rule.target_first,
                law=learning_function(rule).address,
                key=derived(derived(DOMAIN, network.seed), index),
                timestep=network.timestep,
                kept=kept,
                laws=laws if len(laws) == 1 else laws[order],
                decays=decays,
                order=order_of(rule, projection, order),
                base=int(rows.base[lane]),
                first_row=first,
                lag=np.array([dendritic_steps(fraction, int(delay)) for delay in rows.delay[first:last]], np.int64),
                n_targets=int(rows.width[lane]),
            )
        return found

    def has(self, index: int) -> bool:
        """Whether a projection is one of these."""
        return index in self.lanes

    def enlarge(self, thread: int) -> None:
        """Make room for the histories of a thread's lanes."""
        if (ruled := self.threads[thread]) is not None:
            self.threads[thread] = enlarged(ruled)

    def refuse_faults(self) -> None:
        """Raise BackendError where a rule has made weights, or parts released, that are no finite numbers."""
        for index, lanes in self.lanes.items():
            ruled = [(of_lane(self.threads, lane), lane) for lane in lanes]
            if faults := sum(int(thread.lanes[thread.number[lane]]["faults"]) for thread, lane in ruled):
                projection = self.network.projections[index]
                raise BackendError(
                    f"projection {projection.label!r}: at {faults} spikes over a synapse, the rule of "
                    f"{projection.synapse} made its weight, or what it releases, no finite number; correct its "
                    "functions or parameters, and call reset()"
                )

    # --- reading -----------------------------------------------------------------------------------------------------

    def weights(self, index: int, step: int) -> NDArray[np.float64]:
        """The weights (n,) of a projection at a step, in the network's order and unit."""
        return self.table(index, step)[:, 0].copy()

    def variables(self, index: int, step: int) -> Mapping[str, NDArray[np.float64]]:
        """State variable -> (n,) of a projection at a step."""
        release = learned_by(self.network.projections[index])
        return own_variables(self.table(index, step)[:, 1:], release.rule)

    def table(self, index: int, step: int) -> NDArray[np.float64]:
        """(n, width) what is kept of each synapse of a projection, as nothing that is still to be felt changes it."""
        release = learned_by(self.network.projections[index])
        found = np.empty((len(self.network.projections[index]), width_of(learning_rule_of(release))))
        for lane, order in self.lanes[index].items():
            found[order] = self.of_lane(lane, step)
        return found

    def of_lane(self, lane: int, step: int) -> NDArray[np.float64]:
        """(synapses, width) the same of a lane, in the order of its words."""
        ruled = of_lane(self.threads, lane)
        place = int(ruled.number[lane])
        kept = kept_of(ruled, place).copy()
        trial = ruled._replace(lanes=ruled.lanes.copy())  # what is found to be wrong counts when it happens
        present(trial, place, np.int64(step + 1), kept.reshape(-1))
        return kept
