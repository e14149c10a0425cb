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


def order_of_list(projection: Projection) -> NDArray[np.int64]:
    """The order (n,) in which sPyNNaker is given the synapses of a projection: by source, then by target.

    In any other order it would make rows too short for some, and lose synapses onto populations of several cores:
    ``FromListConnector`` counts them in the given order where it means the sorted one (``__numpy_group``).
    """
    return np.lexsort((projection.target, projection.source))


def weights_of(made: Any, asked: Projection, timestep: float) -> NDArray[np.float64]:
    """The weights (n,) of a projection in evsim's order, once it was mapped; they are magnitudes.

    Args:
        made: the projection in sPyNNaker.
        timestep: ms.
    """
    columns = np.array(made.get(["weight", "delay"], "list", with_address=True), np.float64).T
    source, target, weight, delay = columns
    found = np.lexsort((np.rint(delay / timestep), target, source))
    order = np.lexsort((_place_among_alike(made, asked), asked.delay, asked.target, asked.source))
    weights = np.empty(len(asked))
    weights[order] = weight[found]
    return weights


def _place_among_alike(made: Any, asked: Projection) -> NDArray[np.int64]:
    """In which order (n,) the matrix has synapses of the same cells and delay.

    It is the one into which a FromListConnector brings them core by core, by a sort that keeps no order among equals
    (``_split_connections``); the same sort of the same numbers does the same again.
    """
    slices = made.post._vertex.splitter.get_in_coming_slices()
    core = np.zeros(made.post.size, np.uint32)
    for index, part in enumerate(slices):
        core[part.get_raster_ids()] = index
    given, place = order_of_list(asked), np.empty(len(asked), np.int64)
    place[given[np.argsort(core[asked.target[given]])]] = np.arange(len(asked))
    return place
