"""Plastic synapses in sPyNNaker: their rules by its names, and their weights read back from the machine."""

from __future__ import annotations

from typing import Any

import numpy as np
import spynnaker.pyNN as sim  # noqa: N813 - the name that PyNN scripts give it
from numpy.typing import NDArray

from evsim.network import Plasticity, Projection

_OF_PAIRS = ("tau_plus", "tau_minus", "A_plus", "A_minus")
_TIMING = {"SpikePairRule": (sim.SpikePairRule, _OF_PAIRS)}
_WEIGHT = {
    "AdditiveWeightDependence": sim.AdditiveWeightDependence,
    "MultiplicativeWeightDependence": sim.MultiplicativeWeightDependence,
}


def mechanism(plasticity: Plasticity) -> Any:
    """sPyNNaker's synapse type; bounds are magnitudes there, and the receptor decides the sign."""
    given = plasticity.parameters
    timing, names = _TIMING[plasticity.timing]
    bounds = {name: abs(given[name]) for name in ("w_min", "w_max")}
    return sim.STDPMechanism(timing(**{name: given[name] for name in names}), _WEIGHT[plasticity.weight](**bounds))


def weights_of(made: Any, asked: Projection, timestep: float) -> NDArray[np.float64]:
    """The weights (n,) of a projection in evsim's order and sign.

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
    return -weights if asked.synapses.weights.least < 0 else weights
