"""The rule set ``ideal``: float64 throughout, nothing is lost."""

from __future__ import annotations

from evsim.chip import Chip
from evsim.deploy.chip_network import ChipNetwork, ChipPopulation, ChipProjection
from evsim.deploy.convert import convert
from evsim.network import Network, Projection


def quantise(network: Network, chip: Chip) -> ChipNetwork:
    """The network in float64; weights keep their values and are not copied."""
    return convert(network, chip, lambda index: None, _hold)


def _hold(projection: Projection, target: ChipPopulation) -> tuple[ChipProjection, None]:
    return ChipProjection(target.model.rules["ideal"].inputs[projection.receptor], projection.weight), None
