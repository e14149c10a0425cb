"""The rule sets of Loihi: weights with 8-bit mantissas, 24-bit states, and what that costs.

The rule sets differ in what a projection's exponent does. Lava (``loihi2``, ``loihi2_microcode``) shifts the sum of the
weights that meet at a neuron in one step; brian2-loihi (``loihi1``) shifts each weight by itself when the network is
built. Both drop the bits below one unit of input, toward minus infinity.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evsim.arithmetic.loihi import ALIGN, SYNAPSE_LIMIT, shift_floor
from evsim.chip import Chip
from evsim.deploy import loihi_estimates, loihi_learning
from evsim.deploy.chip_network import ChipNetwork, ChipPopulation, ChipProjection
from evsim.deploy.convert import convert
from evsim.deploy.loihi_scale import LoihiScale, WeightRange, choose
from evsim.deploy.shared_weights import SharedWeights
from evsim.deploy.weight_loss import WeightLoss, weight_loss
from evsim.model import NeuronModel
from evsim.network import Network, Projection
from evsim.registry import cell_model
from evsim.synapses import Synapses

COARSE_TIMESTEP = 0.5  # ms; below it a decay per step is a small part of 4096 and is held with errors of percents


def quantise(network: Network, chip: Chip) -> ChipNetwork:
    """The network in Loihi's integers; raises nothing, since ``check`` came before."""
    held = convert(
        network,
        chip,
        lambda index: scale_of(network, index, chip),
        lambda projection, target: _hold(network, projection, target, chip),
    )
    notes = (
        *_coarse(network),
        *held.notes,
        *_divided(held),
        *_learning(held),
        *loihi_estimates.notes(held),
    )
    return replace(held, notes=notes)


def scale_of(network: Network, index: int, chip: Chip) -> LoihiScale:
    """The scale that population ``index``, whose model has Loihi's rules, gets in this network."""
    population = network.populations[index]
    model = cell_model(population.model)
    assert isinstance(model, NeuronModel), "sources have no scale"
    rule = model.rules[chip.rules.name]
    ask = rule.needs
    assert ask is not None, f"{model.name} must say what its scale on Loihi depends on"
    needs = ask(population.parameters, population.initial, network.timestep)
    if isinstance(needs, LoihiScale):
        return needs
    injected = np.zeros(population.size)
    for current in network.currents:
        if current.population == index and len(current.amplitudes):
            injected[current.cells] += np.abs(current.amplitudes).max()
    weights = [
        weight_range(
            projection.synapses,
            payload_unit(network, projection.pre, chip),
            rule.inputs[projection.receptor],
            bound_of(projection),
        )
        for projection in network.projections
        if projection.post == index
    ]
    return choose(needs, weights, injected)


def payload_unit(network: Network, index: int, chip: Chip) -> float:
    """What a payload of 1 of the spikes of population ``index`` stands for; 1 where they carry nothing."""
    population = network.populations[index]
    model = cell_model(population.model)
    if not isinstance(model, NeuronModel) or (unit := model.rules[chip.rules.name].payload_unit) is None:
        return 1.0
    return unit(population.parameters)


def bound_of(projection: Projection) -> float | None:
    """The largest magnitude that the weights of a projection may have, if they learn."""
    return abs(projection.plasticity.parameters["w_max"]) if projection.plasticity else None


def weight_range(synapses: Synapses, unit: float = 1.0, row: int = 0, bound: float | None = None) -> WeightRange:
    """The range of what a payload of 1 adds over synapses.

    Args:
        unit: what a payload of 1 stands for.
        row: the input row that it is added to.
        bound: the largest magnitude that weights which learn may have; None of others.
    """
    if not len(synapses):
        return WeightRange(0.0, False, row)
    if bound is not None:
        return WeightRange(bound * unit, False, row, bound=True)
    least, most = synapses.weights.least, synapses.weights.most
    return WeightRange(max(-least, most) * unit, least < 0 < most, row)


@dataclass(frozen=True)
class LoihiHold:
    """Mantissas with a common exponent.

    Attributes:
        per_unit: units of input for a unit of weight.
        exponent: of the mantissas.
        step, most: mantissas are multiples of ``step``, of a magnitude of at most ``most``.
        shifted: whether the shifted weight is stored, as on loihi1, and not the mantissa.
    """

    per_unit: float
    exponent: int
    step: int
    most: int
    shifted: bool

    def stored(self, weight: NDArray[np.float64]) -> NDArray[np.int32]:
        """The nearest mantissas, or on loihi1 what one of them adds by itself."""
        mantissa = np.clip(self._whole(weight), -self.most, self.most).astype(np.int32)
        return self._alone(mantissa).astype(np.int32) if self.shifted else mantissa

    def physical(self, stored: NDArray[np.int32]) -> NDArray[np.float64]:
        """In the projection's unit."""
        return np.asarray(stored if self.shifted else self._alone(stored), np.float64) / self.per_unit

    def saturated(self, weight: NDArray[np.float64]) -> int:
        """Those beyond the largest mantissa, and on loihi1 those beyond the largest shifted weight."""
        whole = self._whole(weight)
        beyond = np.count_nonzero(np.abs(whole) > self.most)
        if self.shifted:
            mantissa = np.clip(whole, -self.most, self.most).astype(np.int64)
            beyond += np.count_nonzero(np.abs(shift_floor(mantissa, self.exponent)) > SYNAPSE_LIMIT)
        return int(beyond)

    def _whole(self, weight: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.rint(weight * (self.per_unit / 2.0**self.exponent / self.step)) * float(self.step)

    def _alone(self, mantissa: NDArray[np.int32]) -> NDArray[np.int64]:
        """What one spike by itself adds, in units of input."""
        alone = shift_floor(mantissa.astype(np.int64), self.exponent)
        return np.clip(alone, -SYNAPSE_LIMIT, SYNAPSE_LIMIT) if self.shifted else alone


def _hold(
    network: Network, projection: Projection, target: ChipPopulation, chip: Chip
) -> tuple[ChipProjection, WeightLoss]:
    scale: LoihiScale = target.scale
    rules = chip.rules.name
    row = target.model.rules[rules].inputs[projection.receptor]
    share = scale.share(row)
    differing = bool((share < 1).any())
    synapses = SharedWeights(projection.synapses, share) if differing else projection.synapses
    payload = payload_unit(network, projection.pre, chip)
    within = weight_range(synapses, payload, bound=bound_of(projection))
    exponent = within.exponent(scale.per_unit(row))
    per_unit = scale.per_unit(row) * payload / (1 << ALIGN)  # units of input for a unit of weight and a payload of 1
    if rules == "loihi1":
        exponent = max(exponent, 0)  # a finer mantissa would be cut to whole units of input anyway
    step = 2 if within.mixed else 1
    hold = LoihiHold(per_unit, exponent, step, within.mantissa_max, shifted=rules == "loihi1")
    plasticity = loihi_learning.plasticity_of(network, projection, exponent)
    held = ChipProjection(row, synapses, hold, 0 if hold.shifted or plasticity else exponent, plasticity)
    lsb = max(step * 2.0**exponent, 1.0) / per_unit / float(share.min())
    unit = target.model.weight_unit
    return held, weight_loss(projection.label, unit, synapses, hold, lsb, share if differing else None)


def _coarse(network: Network) -> Iterator[str]:
    if network.timestep < COARSE_TIMESTEP:
        yield (
            f"a time step of {network.timestep:g} ms is short for Loihi, whose decays are whole parts of 4096 a step: "
            "time constants are held with the errors listed; 0.5 ms or more is finer"
        )


def _learning(held: ChipNetwork) -> Iterator[str]:
    for projection, on_chip in zip(held.network.projections, held.projections, strict=True):
        if on_chip.plasticity is not None and len(projection):
            yield from loihi_learning.notes(held.network, projection, on_chip.plasticity)


def _divided(held: ChipNetwork) -> Iterator[str]:
    for projection, on_chip in zip(held.network.projections, held.projections, strict=True):
        if on_chip.exponent < 0:
            yield (
                f"projection {projection.label!r}: its exponent is {on_chip.exponent}, so the sum of the weights that "
                f"meet in one step is divided by {2**-on_chip.exponent} and rounded down; larger weights or a longer "
                "time step avoid it"
            )
