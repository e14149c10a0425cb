"""Dopamine: a third factor, by which the weights of plastic synapses follow what pairs of spikes only propose.

A pair of spikes changes a synapse's eligibility c, and not its weight w, by the same amount as it would change the
weight without dopamine. Where that depends on the weight, it depends on c in its place, as in sPyNNaker's firmware:
pairs that are multiplicative add a_plus * (w_max - c) or take away a_minus * (c - w_min), with the bounds of their own
rule. Spikes of reward (or of punishment) raise (or lower) the dopamine d of their target by their weight. Between them

    dc/dt = -c / tau_c,    dd/dt = -d / tau_d,    dw/dt = c * (d - baseline)    with time in ms, w_min <= w <= w_max

(Izhikevich 2007, Cereb. Cortex 17:2443; as sPyNNaker's ``Neuromodulation``, and as NEST's ``stdp_dopamine_synapse``
where each spike of dopamine weighs 1 / tau_d).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

REWARD, PUNISHMENT = "reward", "punishment"  # receptors


@dataclass(frozen=True)
class Modulation:
    """How dopamine turns eligibility into changes of weights.

    Attributes:
        tau_c, tau_d: time constants of eligibility and of dopamine, ms.
        w_min, w_max: bounds of the weights that change, as magnitudes in their unit.
        baseline: the dopamine at which nothing changes; in the unit of the weights of reward.
    """

    tau_c: float
    tau_d: float
    w_min: float
    w_max: float
    baseline: float = 0.0

    def faults(self) -> Iterator[tuple[str, str]]:
        """What is wrong with the numbers, and what they must be."""
        for name in ("tau_c", "tau_d"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                yield f"{name} is {value:g} ms", "it must be finite and above 0"
        if not (math.isfinite(self.w_max) and 0 <= self.w_min < self.w_max):
            yield f"w_min is {self.w_min:g} and w_max is {self.w_max:g}", "both must be finite, and 0 <= w_min < w_max"
        if not math.isfinite(self.baseline):
            yield f"baseline is {self.baseline:g}", "it must be finite"
