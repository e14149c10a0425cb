"""Latency coding: an activation is how early a neuron spikes, once, in its layer's window.

The mapping is exact but for the length of a time step (Stanojevic et al. 2023, Neural Networks 168, 74-88). A spike at
step s of a window of W steps that ends at step E says x = (E - s) / W, and adds a current that lasts: until E that
makes w x of the target's voltage. Whatever x was, all inputs have spiked by then, so the slope is known; a clock turns
it into one of 1 in W steps, and the neuron reaches its threshold of 1 after W (1 - y) steps: its spike says y in the
next window. The clock also

* adds the bias, as one more input that is always 1;
* lifts v, which begins below its rest, into reach of the threshold when the window of the inputs ends, so that no sum
  of a few inputs makes a neuron spike too early;
* pushes the neurons that have not spiked at the end of their own window over the threshold: they say 0.

The cell is IF_curr_exp with currents and a voltage that hardly decay and a refractory period that outlasts the run. The
outputs only sum up, and are read as voltages when the last window ends. Each neuron spikes exactly once, so an image
takes as many synaptic events as there are synapses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from evsim.ann.encode import first_spike
from evsim.ann.layers import Floats
from evsim.ann.rate import probes_of, signed_inputs
from evsim.ann.spiking import TAU_M, TIMESTEP, Synaptic, neurons, sources
from evsim.ann.stages import Stage
from evsim.network import Network, Population
from evsim.rulesets import RuleSet

MODEL = "IF_curr_exp"
# ms. SpiNNaker multiplies a weight by tau (1 - exp(-1 / tau)), whose factors it holds coarsely: from 4077 on the
# product is beyond 1 and wraps to almost 0, and far below it is a part of 1.
TAU_SYN = 4076.0
LIFT = 3.0  # by so much, in activations of 1, v begins below its rest
FORCE = 4.0  # and by so much v is pushed in a step when the window has ended
ALWAYS, RAMP, UP, DOWN, END = range(5)  # the cells of a clock


@dataclass(frozen=True)
class LatencyCode:
    """How activations become times.

    Attributes:
        window: W, time steps.
    """

    window: int = 16

    @property
    def name(self) -> str:
        """For users."""
        return "latency"

    def steps(self, found: list[Stage], rules: RuleSet) -> int:
        """The time steps until the outputs are read."""
        return self._ends(len(found), rules)[-1]

    def network(
        self, found: list[Stage], inputs: Floats, first: float, rules: RuleSet, first_image: int = 0
    ) -> Network:
        """The spiking network with every image side by side; see ``evaluate.Code``.

        Chips differ in how many steps lie between a spike and what it does, so the clocks do.
        """
        copies, ends = len(inputs), self._ends(len(found), rules)
        values, matrix = signed_inputs(inputs / first, found[0].matrix)
        populations = [sources("input", [np.array([step]) for step in first_spike(values.ravel(), self.window)])]
        sizes, synaptic, before = [values.shape[1]], [], 0
        for index, (stage, end) in enumerate(zip(found, ends, strict=True)):
            output = index == len(found) - 1
            weights = matrix if index == 0 else stage.matrix
            clock, here = len(populations), len(populations) + 1
            populations += [self._clock(index, end, copies), self._cells(stage, weights, ends[-1] - end, end, copies)]
            sizes += [END + 1, stage.size]
            synaptic.append(Synaptic(stage.label, before, here, sparse.csr_matrix(weights / self.window)))
            slopes, pushes = self._clock_weights(stage, weights, output)
            synaptic.append(Synaptic(f"{stage.label} from its clock, slopes", clock, here, slopes))
            synaptic.append(Synaptic(f"{stage.label} from its clock, pushes", clock, here, pushes))
            before = here
        projections = [part for one in synaptic for part in one.projections(sizes, copies)]
        return Network(TIMESTEP, tuple(populations), tuple(projections), probes=probes_of(populations))

    def _ends(self, count: int, rules: RuleSet) -> list[int]:
        """For each stage the time label at which its inputs have all been felt.

        A spike of a source is felt two labels later; between neurons the rule sets that label a spike by the step in
        which it is found need a label less.
        """
        return [self.window + 1 + index * (self.window + rules.spike_label) for index in range(count)]

    def _cells(self, stage: Stage, weights: sparse.csr_matrix, left: int, end: int, copies: int) -> Population:
        """The neurons of a stage; those of the last one, after whose ``end`` no steps are left, are the outputs."""
        output = left == 0
        kept = np.exp(-TIMESTEP / TAU_M)
        values: dict[str, Floats | float] = {
            "v_rest": 0.0,
            "v_reset": 0.0,
            "cm": TIMESTEP,
            "tau_m": TAU_M,
            "tau_refrac": 0.0 if output else (left + 1) * TIMESTEP,
            "tau_syn_E": TAU_SYN,
            "tau_syn_I": TAU_SYN,
            "i_offset": 0.0,
            "v_thresh": _bound(stage, weights) if output else 1.0,
        }
        # half a step's rise makes the first step at or beyond the threshold the nearest one
        v = 0.0 if output else (0.5 / self.window - LIFT) / kept**end
        return neurons(stage.label, MODEL, stage.size, copies, values, v)

    def _clock(self, index: int, end: int, copies: int) -> Population:
        spikes = {ALWAYS: end - 1 - self.window, RAMP: end - 1, UP: end - 2, DOWN: end - 1, END: end + self.window - 2}
        own = [np.array([spikes[cell]]) for cell in range(END + 1)]
        return sources(f"clock {index}", own * copies)

    def _clock_weights(self, stage: Stage, weights: sparse.csr_matrix, output: bool) -> tuple[sparse.csr_matrix, ...]:
        """What a clock adds to the slope, and what it pushes for one step or from then on."""
        slopes = np.zeros((stage.size, END + 1))
        slopes[:, ALWAYS] = stage.bias / self.window
        pushes = np.zeros_like(slopes)
        if not output:
            total = np.asarray(weights.sum(axis=1)).ravel() + stage.bias
            decayed = LIFT * -np.expm1(-TIMESTEP / TAU_SYN)  # of the lift, in the step before it is taken back
            slopes[:, RAMP] = (1 - total) / self.window + decayed
            pushes[:, [UP, DOWN, END]] = LIFT, -LIFT, FORCE
        return sparse.csr_matrix(slopes), sparse.csr_matrix(pushes)


def _bound(stage: Stage, weights: sparse.csr_matrix) -> float:
    """A voltage that no output reaches, whatever its inputs, which are 1 at most."""
    return 1.0 + float((np.asarray(weights.maximum(0).sum(axis=1)).ravel() + np.maximum(stage.bias, 0)).max())
