"""A network as stages of neurons: what lies between one rectification and the next is one matrix.

Spikes cannot say a negative number, so linear layers that follow each other without a ReLU are multiplied into one. An
AvgPool is multiplied into what follows, too: that makes more synapses than neurons of its own would, but each layer of
neurons loses something, and these would only add.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from evsim.ann.layers import Ann, Floats, Identity, ReLU
from evsim.errors import EvsimError


@dataclass(frozen=True, eq=False)
class Stage:
    """``y = max(matrix x + bias, 0)``, without the rectification in the last one of a network.

    Attributes:
        label: the layers in it, by kind and index.
        matrix: (outputs, inputs).
        bias: (outputs,).
        scale: what an activation of 1 in the spiking network stands for.
    """

    label: str
    matrix: sparse.csr_matrix
    bias: Floats
    scale: float = 1.0

    @property
    def size(self) -> int:
        """The number of outputs."""
        return len(self.bias)


def stages(ann: Ann) -> list[Stage]:
    """The stages of a network; raises EvsimError for one without a linear layer."""
    found: list[Stage] = []
    shape, matrix, bias, names = ann.shape, None, np.zeros(0), []
    for index, layer in enumerate(ann.layers):
        if isinstance(layer, Identity):
            continue
        if isinstance(layer, ReLU):
            if matrix is not None:
                found.append(Stage(" + ".join(names), matrix, bias))
            matrix, names = None, []
            continue
        own, shift, shape = layer.matrix(shape)
        names.append(f"{index} {type(layer).__name__}")
        bias = shift if matrix is None else own @ bias + shift
        matrix = own if matrix is None else sparse.csr_matrix(own @ matrix)
    if matrix is not None:
        found.append(Stage(" + ".join(names), matrix, bias))
    if not found:
        raise EvsimError(f"{ann.name} has no layer with weights; there is nothing to convert")
    return found


def activations(found: list[Stage], inputs: Floats) -> list[Floats]:
    """What each stage gives (images, outputs) for flat inputs, the last one without its rectification."""
    values = [inputs]
    for stage in found:
        before = values[-1] if len(values) == 1 else np.maximum(values[-1], 0)
        values.append(np.asarray((stage.matrix @ before.T).T) + stage.bias)
    return [np.maximum(value, 0) for value in values[1:-1]] + values[-1:]


def balanced(found: list[Stage], inputs: Floats, percentile: float) -> tuple[float, list[Stage]]:
    """The stages with weights and biases for activations between 0 and about 1 (Rueckauer et al. 2017, Frontiers in
    Neuroscience 11:682), and what an input of 1 stands for.

    Args:
        inputs: (images, numbers) to see how large activations are; none of the images to be judged by.
        percentile: of the activations above 0, the one that becomes 1. Larger ones are cut off there.
    """
    first = before = float(np.abs(inputs).max()) or 1.0
    scaled = []
    for stage, values in zip(found, activations(found, inputs), strict=True):
        above = np.abs(values[values != 0])
        scale = float(np.percentile(above, percentile)) if len(above) else 1.0
        matrix = sparse.csr_matrix(stage.matrix * (before / scale))
        scaled.append(Stage(stage.label, matrix, stage.bias / scale, scale))
        before = scale
    return first, scaled
