"""Rate coding: an activation is the number of spikes in a time, of neurons that sum up what comes and never forget.

A neuron whose input is a part y of its threshold in each step spikes in a part y of the steps, and never where y is
negative: that is a ReLU (Rueckauer et al. 2017, Frontiers in Neuroscience 11:682). The cell is IF_curr_delta with next
to no leak, since every chip has it. Biases are constant currents. The outputs have a threshold that they do not reach
and are read as voltages, so they may be negative, and after any number of steps.

Chips set v to 0 at a spike and so lose what was beyond the threshold. How much that is depends on how far a step's
input can carry v beyond it, so ``threshold`` may be raised above 1: weights become small beside it, and rates lower.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from evsim.ann.encode import bernoulli, regular
from evsim.ann.layers import Floats
from evsim.ann.spiking import TAU_M, TIMESTEP, Synaptic, neurons, sources
from evsim.ann.stages import Stage
from evsim.network import Network, Population, Probe
from evsim.rulesets import RuleSet

MODEL = "IF_curr_delta"


@dataclass(frozen=True)
class RateCode:
    """How activations become rates.

    Attributes:
        duration: time steps for which an image is shown.
        peak: spikes a step of an input of 1, at most 1.
        threshold: of the neurons (mV), where 1 mV is the effect that an activation of 1 has.
        poisson: whether inputs spike at random; else evenly spaced.
        seed: of that.
    """

    duration: int = 128
    peak: float = 1.0
    threshold: float = 2.0
    poisson: bool = False
    seed: int = 0

    @property
    def name(self) -> str:
        """For users."""
        return "rate, random spikes" if self.poisson else "rate"

    def steps(self, found: list[Stage], rules: RuleSet) -> int:
        """The time steps until the outputs are read."""
        return self.duration

    def network(
        self, found: list[Stage], inputs: Floats, first: float, rules: RuleSet, first_image: int = 0
    ) -> Network:
        """The spiking network with every image side by side; see ``evaluate.Code``.

        The network is the same for every chip.
        """
        copies = len(inputs)
        signed = signed_inputs(inputs / first, found[0].matrix)
        populations = [self.source(signed[0], first_image)]
        sizes, projections = [signed[0].shape[1]], []
        rate = self.peak
        for index, stage in enumerate(found):
            output = index == len(found) - 1
            matrix = stage.matrix if index else signed[1]
            populations.append(self._cells(stage, rate, copies, output))
            sizes.append(stage.size)
            projections += Synaptic(stage.label, index, index + 1, matrix).projections(sizes, copies)
            rate = rate / self.threshold
        return Network(TIMESTEP, tuple(populations), tuple(projections), probes=probes_of(populations))

    def source(self, values: Floats, first_image: int = 0) -> Population:
        """The inputs of all images (images, numbers) as spikes."""
        flat = values.ravel()
        if self.poisson:
            return sources("input", bernoulli(flat, self.duration, self.peak, (self.seed, first_image)))
        return sources("input", regular(flat, self.duration, self.peak))

    def _cells(self, stage: Stage, rate: float, copies: int, output: bool) -> Population:
        reach = self.duration * rate * max(1.0, float(np.abs(stage.bias).max(initial=0)))
        values = {
            "v_rest": 0.0,
            "v_reset": 0.0,
            "cm": TIMESTEP,
            "tau_m": TAU_M,
            "tau_refrac": 0.0,
            "v_thresh": 2 * reach if output else self.threshold,
            "i_offset": stage.bias * rate,
        }
        return neurons(stage.label, MODEL, stage.size, copies, values, 0.0)


def signed_inputs(values: Floats, matrix: sparse.csr_matrix) -> tuple[Floats, sparse.csr_matrix]:
    """Inputs and first matrix with a cell for either sign of each input, where there are negative ones."""
    if (values >= 0).all():
        return values, matrix
    both = np.hstack([np.maximum(values, 0), np.maximum(-values, 0)])
    return both, sparse.csr_matrix(sparse.hstack([matrix, -matrix]))


def probes_of(populations: list[Population]) -> tuple[Probe, ...]:
    """The spikes of all populations, and the voltages of the last one."""
    spikes = [Probe(k, "spikes", np.arange(p.size, dtype=np.int32)) for k, p in enumerate(populations)]
    last = len(populations) - 1
    return (*spikes, Probe(last, "v", np.arange(populations[last].size, dtype=np.int32)))
