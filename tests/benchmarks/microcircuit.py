"""W3: the cortical microcircuit of Potjans and Diesmann (2014), Cereb. Cortex 24:785-806."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from workload import Workload

FULL_SIZES = (20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948)  # L2/3E, L2/3I, L4E, L4I, L5E, L5I, L6E, L6I
PROBABILITIES = (  # of at least one synapse: rows are targets, columns sources
    (0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0),
    (0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0),
    (0.0077, 0.0059, 0.0497, 0.135, 0.0067, 0.0003, 0.0453, 0.0),
    (0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0),
    (0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0),
    (0.0548, 0.0269, 0.0257, 0.0022, 0.06, 0.3158, 0.0086, 0.0),
    (0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252),
    (0.0364, 0.001, 0.0034, 0.0005, 0.0277, 0.008, 0.0658, 0.1443),
)
EXTERNAL_INPUTS = (1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100)
FULL_RATES = (0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829)  # Hz, of the whole model
LAYERS = range(8)


@dataclass(frozen=True)
class Microcircuit(Workload):
    """The microcircuit at a tenth of its size.

    Numbers of neurons and of inputs are both reduced to ``share``; weights grow by 1 / sqrt(share), and a constant
    current makes up for the mean input that is missing (van Albada et al. 2015, PLoS Comput. Biol. 11:e1004490).
    """

    full_share: float = 0.1
    tau_m: float = 10.0
    cm: float = 0.25
    v_rest: float = -65.0
    v_thresh: float = -50.0
    v_reset: float = -65.0
    tau_refrac: float = 2.0
    tau_syn: float = 0.5
    v_mean: float = -58.0  # of the initial potentials
    v_sd: float = 10.0
    full_weight: float = 0.0878
    g: float = 4.0
    weight_rel_sd: float = 0.1
    delay_exc: float = 1.5
    delay_inh: float = 0.75
    delay_rel_sd: float = 0.5
    max_delay: float = 6.4
    external_rate: float = 8.0
    external_delay: float = 1.5

    @property
    def share(self) -> float:
        return self.full_share * self.scale

    @cached_property
    def sizes(self) -> list[int]:
        return [round(size * self.share) for size in FULL_SIZES]

    def _full_number(self, target: int, source: int) -> float:
        """Synapses of one projection of the whole model, from the probability that a pair has at least one."""
        pairs = float(FULL_SIZES[target] * FULL_SIZES[source])
        return math.log(1 - PROBABILITIES[target][source]) / math.log((pairs - 1) / pairs)

    @cached_property
    def numbers(self) -> list[list[int]]:
        """Synapses of each projection, by target and source."""
        return [[round(self._full_number(i, j) * self.share**2) for j in LAYERS] for i in LAYERS]

    def _full_mean(self, target: int, source: int) -> float:
        sign = 1.0 if source % 2 == 0 else -self.g
        return sign * self.full_weight * (2.0 if (target, source) == (0, 2) else 1.0)

    def weight(self, target: int, source: int) -> float:
        """Mean weight (nA), negative from inhibitory neurons; from L4E to L2/3E it is twice that of the others."""
        return self._full_mean(target, source) / math.sqrt(self.share)

    def delay(self, source: int) -> float:
        """Mean delay (ms)."""
        return self.delay_exc if source % 2 == 0 else self.delay_inh

    @property
    def external_weight(self) -> float:
        return self.full_weight / math.sqrt(self.share)

    def external_inputs(self, target: int) -> float:
        """Independent external trains of 8 Hz onto each neuron."""
        return EXTERNAL_INPUTS[target] * self.share

    def offset(self, target: int) -> float:
        """Constant current (nA) that replaces the mean of the input that the smaller network does not give."""
        current = self.full_weight * EXTERNAL_INPUTS[target] * self.external_rate
        for source in LAYERS:
            inputs = self.numbers[target][source] / self.share**2 / FULL_SIZES[target]
            current += self._full_mean(target, source) * inputs * FULL_RATES[source]
        return 1e-3 * self.tau_syn * (1 - math.sqrt(self.share)) * current

    @property
    def neurons(self) -> int:
        return sum(self.sizes)

    @property
    def synapses(self) -> int:
        return sum(map(sum, self.numbers))

    def events(self, spikes: Sequence[int]) -> float:
        return sum(spikes[j] * sum(self.numbers[i][j] for i in LAYERS) / self.sizes[j] for j in LAYERS)
