"""Networks to which populations and projections are added in the middle of a run.

A session cannot grow. So a new one, which has the new parts from t = 0 on, runs through everything again up to now; by
promise it comes to the same state. Until now the new synapses weigh nothing and learn nothing, and the new neurons are
heard by nobody; then they are given their weights and their initial values, and synapses that release a part of their
weight, or learn by a rule of the script's own, are at rest. Where the new projections are the first that give dopamine
to a population, its plastic synapses go on from the weights that they have learned, and learn by dopamine from what is
sent from then on. What was recorded is not recorded again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from evsim.errors import EvsimError
from evsim.model import NeuronModel
from evsim.network import Network, Plasticity, Population, Projection, frozen
from evsim.registry import cell_model, learning_release
from evsim.release import Release, rule_of

HELD_MOST = 512e6  # bytes of the synapses of earlier networks that are kept for this
SYNAPSE = 12  # bytes of one: weight and delay


class History:
    """The networks that a session was given since t = 0, each from a time step on."""

    def __init__(self, network: Network) -> None:
        self._given = [(0, network)]
        self._held = 0

    def add(self, step: int, network: Network) -> None:
        """Note a changed network; where too much has to be kept for it, nothing is kept any more."""
        if not self._given:
            return
        before = {id(part) for part in self._given[-1][1].projections}
        self._held += SYNAPSE * sum(len(part) for part in network.projections if id(part) not in before)
        if self._held > HELD_MOST:
            self._given = []
        elif self._given[-1][0] == step > 0:
            self._given[-1] = step, network
        else:
            self._given.append((step, network))

    def foreshadowing(self, grown: Network) -> Iterator[tuple[int, Network]]:
        """The same networks with the new parts of a later one, as yet without effect; raises EvsimError if not kept."""
        if not self._given:
            raise EvsimError(
                "populations or projections were created in the middle of a run in which more than "
                f"{HELD_MOST / 1e6:g} MB of synapses were changed, too much to go through it again with them; create "
                "them before, or call reset() first"
            )
        for step, network in self._given:
            yield step, _foreshadowing(network, grown)


def _foreshadowing(network: Network, grown: Network) -> Network:
    populations = map(_unset, grown.populations[len(network.populations) :])
    projections = (_without_effect(part, grown) for part in grown.projections[len(network.projections) :])
    return replace(
        network,
        populations=(*network.populations, *populations),
        projections=(*network.projections, *projections),
        probes=(),
    )


def _unset(population: Population) -> Population:
    """A population whose initial values are to be set later, and so count as set anew then."""
    return replace(population, times_set={})


def _without_effect(projection: Projection, grown: Network) -> Projection:
    if projection.structure:
        raise EvsimError(
            f"the synapses of projection {projection.label!r} come and go, and it was created in the middle of a run; "
            "create it before, or call reset() first"
        )
    nothing = frozen(np.broadcast_to(0.0, len(projection)))
    still = projection.synapses.stored().replaced(weight=nothing)
    if projection.modulation:  # by which the plastic synapses that there are would learn otherwise from the beginning
        target = cell_model(grown.populations[projection.post].model)
        assert isinstance(target, NeuronModel), "dopamine is for neurons"
        receptor = target.receptors[0]
        return replace(projection, synapse="StaticSynapse", synapses=still, receptor=receptor, modulation=None)
    if projection.learns and (projection.release or learning_release(projection)):  # which might make some of nothing
        return replace(projection, synapse="StaticSynapse", synapses=still, plasticity=None, release=None)
    return replace(
        projection,
        synapses=still,
        plasticity=projection.plasticity and _without_changes(projection.plasticity),
        release=projection.release and _unset_release(projection.release),
    )


def _unset_release(release: Release) -> Release:
    """The same rule, of which every initial value counts as set anew later."""
    return replace(release, times_set=dict.fromkeys(rule_of(release.rule).initial, -1))


def _without_changes(plasticity: Plasticity) -> Plasticity:
    """The same rules, with no amplitude: all of them are called A_plus, A3_minus and the like."""
    still = {name: 0.0 if name.startswith("A") else value for name, value in plasticity.parameters.items()}
    return replace(plasticity, parameters=still)
