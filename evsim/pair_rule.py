"""How pairs and triplets of spikes change a weight, in physical numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class PairRule:
    """Plasticity by pairs of spikes: amplitude times exp(-interval / tau), times a power of the room that is left.

    With span = w_max - w_min, a potentiation is a_plus * span * ((w_max - w) / span) ** mu_plus and a depression
    a_minus * span * ((w - w_min) / span) ** mu_minus (Guetig et al. 2003); where the exponent is 0, they are the
    amplitude times w_max. Weights stay between w_min and w_max. Spikes that meet at the synapse make no pair.

    A third spike adds to a pair (Pfister and Gerstner 2006): to a_plus, at a spike of the target, a3_plus times
    exp(-interval / tau_y) for each of its spikes before, and to a_minus, at one of the source, a3_minus times
    exp(-interval / tau_x) for each of the source's before.

    Attributes:
        tau_plus, tau_minus: ms.
        a_plus, a_minus: dimensionless.
        w_min, w_max: in the unit of the weight.
        dendritic_delay_fraction: the part of the delay that lies between synapse and soma.
        nearest: whether a spike of the source makes a pair only with the target's latest before it and its first
            after it, and with the latter only if it is the source's latest before that.
        cost: the amplitude of a depression by each spike of the source, alone.
        a3_plus, a3_minus: dimensionless.
        tau_x, tau_y: ms.
    """

    tau_plus: float
    tau_minus: float
    a_plus: float
    a_minus: float
    w_min: float
    w_max: float
    mu_plus: float = 0.0
    mu_minus: float = 0.0
    dendritic_delay_fraction: float = 1.0
    nearest: bool = False
    cost: float = 0.0
    a3_plus: float = 0.0
    a3_minus: float = 0.0
    tau_x: float = math.inf
    tau_y: float = math.inf

    @property
    def has_triplets(self) -> bool:
        """Whether a third spike matters."""
        return self.a3_plus != 0 or self.a3_minus != 0

    def dendritic_steps(self, delay: int) -> int:
        """The dendritic part of a delay, both in time steps."""
        return round(self.dendritic_delay_fraction * delay)
