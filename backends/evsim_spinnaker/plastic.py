"""Plastic synapses in sPyNNaker: their rules by its names, and their weights read back from the machine."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np
import spynnaker.pyNN as sim  # noqa: N813 - the name that PyNN scripts give it
from numpy.typing import NDArray

from evsim.network import Plasticity, Projection

_NAMES = {  # evsim's name of a rule -> sPyNNaker's
    "SpikePairRule": sim.SpikePairRule,
    "SpikeNearestPairRule": sim.extra_models.SpikeNearestPairRule,
    "Vogels2011Rule": sim.extra_models.Vogels2011Rule,
    "PfisterSpikeTriplet": sim.extra_models.PfisterSpikeTriplet,
    "AdditiveWeightDependence": sim.AdditiveWeightDependence,
    "MultiplicativeWeightDependence": sim.MultiplicativeWeightDependence,
    "WeightDependenceAdditiveTriplet": sim.extra_models.WeightDependenceAdditiveTriplet,
}


def mechanism(plasticity: Plasticity) -> Any:
    """sPyNNaker's synapse type; bounds are magnitudes there, and the receptor decides the sign."""
    given = {name: abs(v) if name in ("w_min", "w_max") else v for name, v in plasticity.parameters.items()}
    rules = (_NAMES[plasticity.timing], _NAMES[plasticity.weight])
    return sim.STDPMechanism(*(rule(**_taken_by(rule, given)) for rule in rules))


def _taken_by(rule: type, given: Mapping[str, float]) -> dict[str, float]:
    """The parameters that a rule of sPyNNaker takes."""
    taken = inspect.signature(rule).parameters
    return {name: value for name, value in given.items() if name in taken}


def weights_of(made: Any, asked: Projection, timestep: float) -> NDArray[np.float64]:
    """The weights (n,) of a projection in evsim's order; they are magnitudes.

    Synapses between the same cells with the same delay are taken in the order in which each side has them.

    Args:
        made: the projection in sPyNNaker.
        timestep: ms.
    """
    columns = np.array(made.get(["weight", "delay"], "list", with_address=True), np.float64).T
    source, target, weight, delay = columns
    found = np.lexsort((np.rint(delay / timestep), target, source))
    order = np.lexsort((asked.delay, asked.target, asked.source))
    weights = np.empty(len(asked))
    weights[order] = weight[found]
    return weights
