"""What quantisation costs each projection and each parameter, and what to do where it costs a synapse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evsim.chip import Chip
from evsim.deploy.chip_network import ParameterLoss
from evsim.deploy.quantise import quantise
from evsim.deploy.weight_loss import WeightLoss
from evsim.errors import CheckError, Problem, joined
from evsim.network import Network


@dataclass(frozen=True)
class ChipLosses:
    """The losses of one network on one chip, and where the chip's own firmware does otherwise than it should."""

    chip: str
    weights: tuple[WeightLoss, ...]
    parameters: tuple[ParameterLoss, ...]
    notes: tuple[str, ...]
    defects: tuple[Problem, ...] = ()


def chip_losses(network: Network, chips: Sequence[Chip]) -> list[ChipLosses]:
    """The losses on each chip that computes in integers, each chip once.

    Raises:
        CheckError: with every problem of the network on every one of the chips.
    """
    integer = {chip.name: chip for chip in chips if chip.rules.is_exact}
    found: list[ChipLosses] = []
    refusals: list[CheckError] = []
    for name, chip in integer.items():
        try:
            on_chip = quantise(network, chip)
        except CheckError as error:
            refusals.append(error)
        else:
            losses = on_chip.weight_losses, on_chip.parameter_losses
            found.append(ChipLosses(name, *losses, on_chip.notes, on_chip.defects))
    if refusals:
        raise joined(refusals)
    return found


def lost_weights(losses: Sequence[ChipLosses]) -> int:
    """How many weights became 0 or saturated, over all chips."""
    return sum(loss.lost for entry in losses for loss in entry.weights)


def warning(losses: Sequence[ChipLosses]) -> str | None:
    """One text on every projection that loses synapses on a chip, by quantisation or by a defect of its firmware, with
    the amount and the remedy; None if none does."""
    return "\n".join([*_quantisation(losses), *_defects(losses)]) or None


def _defects(losses: Sequence[ChipLosses]) -> list[str]:
    lines = [f"  - {entry.chip}: {defect}" for entry in losses for defect in entry.defects]
    return ["defects of the chip's firmware change what this network does:", *lines] if lines else []


def _quantisation(losses: Sequence[ChipLosses]) -> list[str]:
    lines = [
        f"  - {entry.chip}: projection {loss.projection!r}: {_amount(loss)}"
        for entry in losses
        for loss in entry.weights
        if loss.lost
    ]
    if not lines:
        return []
    zeroed = any(loss.zeroed for entry in losses for loss in entry.weights)
    saturated = any(loss.saturated for entry in losses for loss in entry.weights)
    remedies = []
    if zeroed:
        remedies.append(
            "A weight below half a step becomes 0: split the projection so that its weak and its strong synapses have "
            "a projection each, or lower the largest weight onto that population."
        )
    if saturated:
        remedies.append("A weight above the largest saturates: lower it, or raise the threshold of its targets.")
    return ["quantisation changes what these projections do:", *lines, *remedies]


def _amount(loss: WeightLoss) -> str:
    parts = []
    if loss.zeroed:
        parts.append(f"{loss.zeroed} of {loss.count} weights become 0 (one step is {loss.lsb:.3g} {loss.unit})")
    if loss.saturated:
        parts.append(f"{loss.saturated} of {loss.count} saturate (the largest is {loss.max_weight:.3g} {loss.unit})")
    return " and ".join(parts)
