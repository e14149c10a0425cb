"""Choosing the scale of a population on Loihi: how many units of its registers are a mV, and how many a unit of weight.

A population has one scale of voltage, which all projections onto it share; each projection has its own exponent. The
largest weight is given the largest mantissa, so it is held exactly, and the scale is as fine as the registers allow.

A unit of weight is as many units of u as it adds to v, in mV, times the units of a mV. The latter are chosen for each
cell such that a unit of weight is the same number of units of u in all of them. Of two currents, that goes for the one
of the largest weight; the ratio of the two differs from cell to cell if the cells do, and then a weight of the other
receptor is held as the share that its target needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
    """What a model says about its cells, so that a scale can be chosen; (n,), or (rows, n) with one for each input row.

    Attributes:
        mV_per_weight: (rows, n) what a unit of weight adds to v in the step in which it is felt.
        reach: mV, the farthest from v_reset that v is known to come: threshold, rest or initial value.
        push: mV that the constant drive adds in one step.
        mV_per_nA: what an injected nA adds in one step.
        start: (rows, n) mV that the initial synaptic current adds in the first step.
    """

    mV_per_weight: Floats
    reach: Floats
    push: Floats
    mV_per_nA: Floats
    start: Floats


@dataclass(frozen=True)
class WeightRange:
    """The weights of a projection: the largest magnitude, whether both signs occur, and the input row they add to.

    Attributes:
        bound: whether weights may grow up to the largest, so that it must be the largest mantissa.
    """

    largest: float
    mixed: bool
    row: int = 0
    bound: bool = False

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

    def mantissas(self, lsb_per_weight: float, exponent: int) -> float:
        """Mantissas for a unit of weight."""
        return lsb_per_weight / 2.0 ** (exponent + ALIGN)


NO_WEIGHT = WeightRange(0.0, False)


@dataclass(frozen=True, eq=False)
class LoihiScale:
    """The scale of one population.

    Attributes:
        lsb_per_weight: (rows, n) units of u for a unit of weight (nA, or mV for delta synapses) in each cell.
        lsb_per_mV: (n,) units of v for a mV; differs between cells of different membranes.
    """

    lsb_per_weight: Floats
    lsb_per_mV: Floats

    def per_unit(self, row: int) -> float:
        """Units of u for a unit of weight of a projection onto an input row, in the cell where they are the most."""
        return float(self.lsb_per_weight[row].max())

    def share(self, row: int) -> Floats:
        """(n,) what a unit of weight is held as for each cell, in units of weight; at most 1."""
        return self.lsb_per_weight[row] / self.per_unit(row)

    def lsb_per_current(self, row: int) -> Floats:
        """(n,) units of u with which a unit of weight has its full effect in each cell."""
        return self.lsb_per_weight[row]

    def rescaling(self, before: LoihiScale, row: int) -> Floats:
        """(n,) what turns units of an input row of an earlier scale into those of this one."""
        return self.lsb_per_weight[row] / before.lsb_per_weight[row]


def choose(needs: LoihiNeeds, weights: Sequence[WeightRange], injected: Floats) -> LoihiScale:
    """The scale for a population.

    Args:
        weights: of the projections onto it.
        injected: (n,) nA, the largest magnitude of the injected current of each cell.
    """
    effect = needs.mV_per_weight
    anchor = _anchor(weights, effect.max(axis=1)).row
    ratio = effect / effect[anchor]
    most = ratio.max(axis=1)
    weights = [replace(weight, largest=weight.largest * most[weight.row]) for weight in weights]
    chosen = 1.0
    for room in ROOM:
        chosen = _anchored(_largest(needs, effect[anchor], weights, injected, room), weights)
        if all(weight.exponent(chosen) >= 0 for weight in weights):
            break
    return LoihiScale(chosen * ratio, chosen / effect[anchor])


def _largest(needs: LoihiNeeds, effect: Floats, weights: Sequence[WeightRange], injected: Floats, room: float) -> float:
    """The largest units per weight with which every register holds what is known to come.

    Args:
        effect: (n,) mV that a unit of weight adds; all weights are in this unit.
    """
    state = STATE_LIMIT - 1
    bias = BIAS_MANTISSA_MAX << BIAS_EXPONENT_MAX
    push = np.abs(needs.push) + needs.mV_per_nA * injected
    with np.errstate(divide="ignore"):
        per_mV = np.minimum(state / (room * needs.reach), bias / push)
        per_mV = np.minimum(per_mV, state / np.abs(needs.start).max(axis=0))
    bounds = [float((per_mV * effect).min())]
    bounds += [state / (TOGETHER * weight.largest) for weight in weights if weight.largest > 0]
    return min(bounds)


def _anchor(weights: Sequence[WeightRange], effect: Floats) -> WeightRange:
    """The weights of which the largest is to be exact: those that learn, and otherwise those of the largest effect.

    Args:
        effect: (rows,) of a unit of weight.
    """
    return max(weights, key=lambda weight: (weight.bound, weight.largest * effect[weight.row]), default=NO_WEIGHT)


def _anchored(limit: float, weights: Sequence[WeightRange]) -> float:
    """The largest units per weight within the limit with which the largest weight is exact.

    It gets the largest mantissa; where that would be shifted to the right, a whole number of units of input instead
    (an even one where signs are mixed).
    """
    anchor = _anchor(weights, np.ones(max((weight.row for weight in weights), default=0) + 1))
    if anchor.largest == 0:
        return limit
    unit = (anchor.mantissa_max << ALIGN) / anchor.largest
    exponent = min(int(np.floor(np.log2(limit / unit))), WEIGHT_EXPONENT_MAX)
    if exponent >= 0:
        return unit * 2.0**exponent
    step = (2 if anchor.mixed else 1) << ALIGN
    whole = np.floor(limit * anchor.largest / step)
    return whole * step / anchor.largest if whole else limit
