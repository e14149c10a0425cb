"""Populations and projections of converted networks: the same for every image of a batch, which lie side by side.

The unit of v is that of the activations: a neuron whose input is 1 mV a step stands for an activation of 1. ``cm`` is
1 nF and the time step 1 ms, so a current in nA is what it adds to v in a step, in mV.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from evsim.ann.layers import Floats
from evsim.network import Population, Projection, Trains, frozen
from evsim.synapses import Listed

TIMESTEP = 1.0  # ms
# Next to no leak, and such that chips hold the effect of a current to 2 in 10,000: Loihi loses 1 of 4096 in a step, and
# SpiNNaker 8 of 32768, where a shorter one would be rounded to 9.
TAU_M = 4096.6  # ms


@dataclass(frozen=True, eq=False)
class Synaptic:
    """Synapses of one image: the weights (targets, sources) from one population to another."""

    label: str
    pre: int
    post: int
    matrix: sparse.csr_matrix

    def projections(self, sizes: list[int], copies: int) -> list[Projection]:
        """Those of each sign, for images side by side: chips hold a sign and an exponent for each of the two."""
        entries = sparse.coo_matrix(self.matrix)
        found = []
        for receptor, mine in (("excitatory", entries.data > 0), ("inhibitory", entries.data < 0)):
            count = int(np.count_nonzero(mine))
            if not count:
                continue
            source, target, weight = entries.col[mine], entries.row[mine], entries.data[mine]
            image = np.repeat(np.arange(copies), count)
            synapses = Listed(
                (np.tile(source, copies) + image * sizes[self.pre]).astype(np.int32),
                (np.tile(target, copies) + image * sizes[self.post]).astype(np.int32),
                np.tile(weight, copies),
                np.broadcast_to(np.int32(1), count * copies),
            )
            label = f"{self.label} ({receptor})"
            found.append(Projection(label, self.pre, self.post, receptor, "StaticSynapse", synapses))
        return found


def neurons(label: str, model: str, size: int, copies: int, values: dict[str, Floats | float], v: float) -> Population:
    """Neurons of all images from the parameters of one image's, (n,) or one number for all."""
    parameters = {name: _repeated(value, size, copies) for name, value in values.items()}
    initial = {"v": _repeated(v, size, copies)}
    if model == "IF_curr_exp":
        initial |= {name: _repeated(0.0, size, copies) for name in ("isyn_exc", "isyn_inh")}
    return Population(label, model, size * copies, parameters, initial)


def _repeated(value: Floats | float, size: int, copies: int) -> np.ndarray:
    if np.ndim(value):
        return frozen(np.tile(np.asarray(value, np.float64), copies))
    return frozen(np.broadcast_to(np.float64(value), size * copies))


def sources(label: str, steps: list[np.ndarray]) -> Population:
    """A SpikeSourceArray; ``steps`` are the time steps of each cell's spikes."""
    trains = Trains.from_lists([np.asarray(own, np.float64) * TIMESTEP for own in steps])
    return Population(label, "SpikeSourceArray", len(steps), {}, trains=trains)
