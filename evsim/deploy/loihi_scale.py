"""Choosing the scale of a population on Loihi: how many units of its registers are a mV, and how many a unit of weight.

A population has one scale, which all projections onto it share; each projection has its own exponent. The largest
weight is given the largest mantissa, so it is held exactly, and the scale is as fine as the registers allow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evsim.arithmetic.loihi import (
    ALIGN,
    BIAS_EXPONENT_MAX,
    BIAS_MANTISSA_MAX,
    MIXED_WEIGHT_MAX,
    STATE_LIMIT,
    WEIGHT_EXPONENT_MAX,
    WEIGHT_EXPONENT_MIN,
    WEIGHT_MAX,
)

Floats = NDArray[np.float64]

# How many times farther than its known reach v may go, below rest for instance, before it is clipped. The larger room
# is given up only where weights would otherwise be cut by a shift to the right.
ROOM = (8.0, 4.0, 2.0)
# This many spikes of the largest weight may arrive in one step before u wraps.
TOGETHER = 4


@dataclass(frozen=True, eq=False)
class LoihiNeeds:
    """What a model says about its cells, so that a scale can be chosen; all (n,).

    Attributes:
        mV_per_weight: what a unit of weight adds to v in the step in which it is felt.
        reach: mV, the farthest from v_reset that v is known to come: threshold, rest or initial value.
        push: mV that the constant drive adds in one step.
        mV_per_nA: what an injected nA adds in one step.
        start: mV that the initial synaptic current adds in the first step.
    """

    mV_per_weight: Floats
    reach: Floats
    push: Floats
    mV_per_nA: Floats
    start: Floats


@dataclass(frozen=True)
class WeightRange:
    """The largest magnitude among the weights of a projection, and whether it has both signs."""

    largest: float
    mixed: bool

    @property
    def mantissa_max(self) -> int:
        """The largest mantissa that it may use."""
        return MIXED_WEIGHT_MAX if self.mixed else WEIGHT_MAX

    def exponent(self, lsb_per_weight: float) -> int:
        """The smallest exponent, hence the finest step, with which the largest weight fits."""
        if self.largest == 0:
            return 0
        needed = np.log2(self.largest * lsb_per_weight / (self.mantissa_max << ALIGN))
        # the anchor fits exactly, and must not be moved up by the rounding of the logarithm
        return int(np.clip(np.ceil(needed - 1e-9), WEIGHT_EXPONENT_MIN, WEIGHT_EXPONENT_MAX))


@dataclass(frozen=True, eq=False)
class LoihiScale:
    """The scale of one population.

    Attributes:
        lsb_per_weight: units of u for a unit of weight (nA, or mV for delta synapses).
        lsb_per_mV: (n,) units of v for a mV; differs between cells of different membranes.
    """

    lsb_per_weight: float
    lsb_per_mV: Floats

    def per_unit(self, row: int) -> float:
        """Units of u for a unit of weight, the same on every input row."""
        return self.lsb_per_weight


def choose(needs: LoihiNeeds, weights: Sequence[WeightRange], injected: Floats) -> LoihiScale:
    """The scale for a population.

    Args:
        weights: of the projections onto it.
        injected: (n,) nA, the largest magnitude of the injected current of each cell.
    """
    chosen = 1.0
    for room in ROOM:
        chosen = _anchored(_largest(needs, weights, injected, room), weights)
        if all(weight.exponent(chosen) >= 0 for weight in weights):
            break
    return LoihiScale(chosen, chosen / needs.mV_per_weight)


def _largest(needs: LoihiNeeds, weights: Sequence[WeightRange], injected: Floats, room: float) -> float:
    """The largest units per weight with which every register holds what is known to come."""
    state = STATE_LIMIT - 1
    bias = BIAS_MANTISSA_MAX << BIAS_EXPONENT_MAX
    push = np.abs(needs.push) + needs.mV_per_nA * injected
    with np.errstate(divide="ignore"):
        per_mV = np.minimum(state / (room * needs.reach), bias / push)
        per_mV = np.minimum(per_mV, state / np.abs(needs.start))
    bounds = [float((per_mV * needs.mV_per_weight).min())]
    bounds += [state / (TOGETHER * weight.largest) for weight in weights if weight.largest > 0]
    return min(bounds)


def _anchored(limit: float, weights: Sequence[WeightRange]) -> float:
    """The largest units per weight within the limit with which the largest weight is exact.

    It gets the largest mantissa; where that would be shifted to the right, a whole number of units of input instead
    (an even one where signs are mixed).
    """
    anchor = max(weights, key=lambda weight: weight.largest, default=WeightRange(0.0, False))
    if anchor.largest == 0:
        return limit
    unit = (anchor.mantissa_max << ALIGN) / anchor.largest
    exponent = min(int(np.floor(np.log2(limit / unit))), WEIGHT_EXPONENT_MAX)
    if exponent >= 0:
        return unit * 2.0**exponent
    step = (2 if anchor.mixed else 1) << ALIGN
    whole = np.floor(limit * anchor.largest / step)
    return whole * step / anchor.largest if whole else limit
