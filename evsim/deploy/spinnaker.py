"""The rule set ``spinnaker1``: s16.15 neurons and 16-bit weights, scaled as sPyNNaker scales them."""

from __future__ import annotations

import numpy as np

from evsim.arithmetic.s1615 import INPUT_MAX
from evsim.chip import Chip
from evsim.deploy.chip_network import ChipNetwork, ChipPopulation, ChipProjection, WeightLoss, weight_loss
from evsim.deploy.convert import convert
from evsim.deploy.spinnaker_scale import CONDUCTANCE_GAIN, SpinnakerScale, ring_shift
from evsim.model import NeuronModel
from evsim.network import Network, Projection
from evsim.registry import cell_model


def quantise(network: Network, chip: Chip) -> ChipNetwork:
    """The network in SpiNNaker's integers; raises nothing, since ``check`` came before."""
    return convert(network, chip, lambda index: scale_of(network, index), _hold)


def scale_of(network: Network, index: int) -> SpinnakerScale:
    """The scale of the weights onto population ``index``, whose model has SpiNNaker's rules."""
    model = cell_model(network.populations[index].model)
    assert isinstance(model, NeuronModel), "sources receive no weights"
    gain = CONDUCTANCE_GAIN if model.has_conductances else 1.0
    onto = [projection for projection in network.projections if projection.post == index and len(projection)]
    shifts = {row: 0 for row in model.rules["spinnaker1"].inputs.values()}
    for receptor, row in model.rules["spinnaker1"].inputs.items():
        mine = [projection for projection in onto if projection.receptor == receptor]
        shifts[row] = ring_shift(mine, network.timestep, gain)
    return SpinnakerScale((shifts[0], shifts[1]), gain)


def _hold(projection: Projection, target: ChipPopulation) -> tuple[ChipProjection, WeightLoss]:
    scale: SpinnakerScale = target.scale
    row = target.model.rules["spinnaker1"].inputs[projection.receptor]
    per_unit = scale.per_unit(row)
    stored = np.rint(np.abs(projection.weight) * per_unit)
    saturated = int(np.count_nonzero(stored > INPUT_MAX))
    stored = np.minimum(stored, INPUT_MAX).astype(np.int32)
    held = np.copysign(stored / per_unit, projection.weight)
    unit = target.model.weight_unit
    loss = weight_loss(projection.label, unit, projection.weight, held, 1.0 / per_unit, saturated)
    return ChipProjection(row, stored), loss
