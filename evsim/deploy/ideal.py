"""The rule set ``ideal``: float64 throughout, nothing is lost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evsim.chip import Chip
from evsim.deploy.chip_network import ChipNetwork, ChipPopulation, ChipProjection
from evsim.deploy.convert import convert
from evsim.network import Network, Projection
from evsim.registry import own_receptors


@dataclass(frozen=True)
class IdealHold:
    """Weights as they are."""

    def stored(self, weight: NDArray[np.float64]) -> NDArray[np.float64]:
        """The weights."""
        return weight

    def physical(self, stored: NDArray[np.float64]) -> NDArray[np.float64]:
        """The weights."""
        return stored

    def saturated(self, weight: NDArray[np.float64]) -> int:
        """None."""
        return 0


def quantise(network: Network, chip: Chip) -> ChipNetwork:
    """The network in float64."""
    return convert(network, chip, lambda index: None, _hold)


def _hold(projection: Projection, target: ChipPopulation) -> tuple[ChipProjection, None]:
    # gap junctions and dopamine add to no input
    row = 0 if own_receptors(projection) else target.model.rules["ideal"].inputs[projection.receptor]
    return ChipProjection(row, projection.synapses, IdealHold()), None
