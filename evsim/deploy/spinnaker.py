"""The rule set ``spinnaker1``: s16.15 neurons and 16-bit weights, scaled as sPyNNaker scales them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evsim.arithmetic.s1615 import INPUT_MAX
from evsim.chip import Chip
from evsim.deploy.chip_network import ChipNetwork, ChipPopulation, ChipProjection
from evsim.deploy.convert import convert
from evsim.deploy.spinnaker_plastic import plasticity_of
from evsim.deploy.spinnaker_plastic_check import defects
from evsim.deploy.spinnaker_scale import CONDUCTANCE_GAIN, SpinnakerScale, ring_shift
from evsim.deploy.weight_loss import WeightLoss, weight_loss
from evsim.model import NeuronModel
from evsim.network import Network, Projection
from evsim.registry import cell_model


def quantise(network: Network, chip: Chip) -> ChipNetwork:
    """The network in SpiNNaker's integers; raises nothing, since ``check`` came before."""

    def hold(projection: Projection, target: ChipPopulation) -> tuple[ChipProjection, WeightLoss]:
        held, loss = _hold(projection, target)
        return replace(held, plasticity=plasticity_of(network, projection, target.scale, held.row)), loss

    held = convert(network, chip, lambda index: scale_of(network, index), hold)
    wrong = tuple(defects(network))
    return replace(held, notes=(*held.notes, *_differences(network), *map(str, wrong)), defects=(*held.defects, *wrong))


def _differences(network: Network) -> Iterator[str]:
    """Projections whose weights do not change as PyNN, or the rule's name, says."""
    for projection in network.projections:
        plasticity = projection.plasticity
        if not plasticity or not len(projection):
            continue
        where = f"projection {projection.label!r}"
        if plasticity.weight == "AdditiveWeightDependence" and plasticity.timing != "Vogels2011Rule":
            yield (
                f"{where}: a change is A_plus or A_minus in the unit of the weight, as in sPyNNaker; PyNN says that it "
                "is that part of w_max"
            )
        if plasticity.timing == "SpikeNearestPairRule":
            yield (
                f"{where}: the target's spikes before the first one of the source potentiate, as in the firmware, as "
                "if the source had spiked at t = 0"
            )


def scale_of(network: Network, index: int) -> SpinnakerScale:
    """The scale of the weights onto population ``index``, whose model has SpiNNaker's rules."""
    model = cell_model(network.populations[index].model)
    assert isinstance(model, NeuronModel), "sources receive no weights"
    gain = CONDUCTANCE_GAIN if model.has_conductances else 1.0
    onto = [projection for projection in network.projections if projection.post == index and len(projection)]
    shifts = {row: 0 for row in model.rules["spinnaker1"].inputs.values()}
    for receptor, row in model.rules["spinnaker1"].inputs.items():
        mine = [projection for projection in onto if projection.receptor == receptor]
        shifts[row] = ring_shift(mine, network.populations[index].size, network.timestep, gain)
    return SpinnakerScale(tuple(shifts[row] for row in sorted(shifts)), gain)


@dataclass(frozen=True)
class SpinnakerHold:
    """Magnitudes in 16 bits; the receptor decides the sign.

    Attributes:
        per_unit: stored units for a unit of weight.
        sign: -1 where the receptor's weights are given as negative numbers.
    """

    per_unit: float
    sign: int

    def stored(self, weight: NDArray[np.float64]) -> NDArray[np.int32]:
        """The nearest magnitudes, at most the largest."""
        return np.minimum(np.rint(np.abs(weight) * self.per_unit), INPUT_MAX).astype(np.int32)

    def physical(self, stored: NDArray[np.int32]) -> NDArray[np.float64]:
        """With the receptor's sign."""
        return stored * (self.sign / self.per_unit)

    def saturated(self, weight: NDArray[np.float64]) -> int:
        """Those above 16 bits."""
        return int(np.count_nonzero(np.rint(np.abs(weight) * self.per_unit) > INPUT_MAX))


def _hold(projection: Projection, target: ChipPopulation) -> tuple[ChipProjection, WeightLoss]:
    scale: SpinnakerScale = target.scale
    row = target.model.rules["spinnaker1"].inputs[projection.receptor]
    sign = -1 if target.model.has_negative_weights(projection.receptor) else 1
    hold = SpinnakerHold(scale.per_unit(row), sign)
    loss = weight_loss(projection.label, target.model.weight_unit, projection.synapses, hold, 1.0 / scale.per_unit(row))
    return ChipProjection(row, projection.synapses, hold), loss
