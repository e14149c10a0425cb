"""What a trained feed-forward network is: layers of a few kinds, with their numbers, whoever trained it.

Activations of an image are flat, in the order of (channels, rows, columns). A layer that is linear is held as the
sparse matrix that it is, so that its entries are at once the multiplications of the network and the synapses of a
spiking one. What a convolution multiplies with its padding is not counted as either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from evsim.convolution import Window, convolution, pooling
from evsim.errors import EvsimError

Floats = NDArray[np.float64]
Shape: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Dense:
    """``y = weights x + bias``.

    Attributes:
        weights: (outputs, inputs).
        bias: (outputs,).
    """

    weights: Floats
    bias: Floats

    def matrix(self, shape: Shape) -> tuple[sparse.csr_matrix, Floats, Shape]:
        """The matrix (outputs, inputs), the bias and the shape of what comes out; raises ValueError for ``shape``."""
        if int(np.prod(shape)) != self.weights.shape[1]:
            raise ValueError(f"it takes {self.weights.shape[1]} numbers and is given {_said(shape)}")
        return sparse.csr_matrix(self.weights), self.bias, (len(self.weights),)


@dataclass(frozen=True, eq=False)
class Conv2d:
    """A cross-correlation with zeros around the image, as frameworks define a convolution.

    Attributes:
        kernel: (outputs, inputs, rows, columns), channels first.
        bias: (outputs,).
        stride, padding: of rows and columns.
    """

    kernel: Floats
    bias: Floats
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)

    def matrix(self, shape: Shape) -> tuple[sparse.csr_matrix, Floats, Shape]:
        """The matrix (outputs, inputs), the bias and the shape of what comes out; raises ValueError for ``shape``."""
        channels = self.kernel.shape[1]
        if len(shape) != 3 or shape[0] != channels:
            raise ValueError(f"it takes images of {channels} channels and is given {_said(shape)}")
        window = _window(shape, self.kernel.shape[2:], self.stride, self.padding)
        matrix, out = convolution(self.kernel, shape, window)
        return sparse.csr_matrix(matrix), np.repeat(self.bias, int(np.prod(out[1:]))), out


@dataclass(frozen=True)
class AvgPool:
    """The mean of each window of an image, by channel; zeros of the padding count.

    Attributes:
        size, stride, padding: of rows and columns.
    """

    size: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int] = (0, 0)

    def matrix(self, shape: Shape) -> tuple[sparse.csr_matrix, Floats, Shape]:
        """The matrix (outputs, inputs), no bias and the shape of what comes out; raises ValueError for ``shape``."""
        if len(shape) != 3:
            raise ValueError(f"it takes images with channels and is given {_said(shape)}")
        window = _window(shape, self.size, self.stride, self.padding)
        weight = pooling(shape[0], window, 1 / (self.size[0] * self.size[1]))
        matrix, out = convolution(weight, shape, window, groups=shape[0])
        return sparse.csr_matrix(matrix), np.zeros(int(np.prod(out))), out


@dataclass(frozen=True)
class ReLU:
    """``y = max(x, 0)``."""


@dataclass(frozen=True)
class Identity:
    """Hands on what it gets, as a Flatten does here, or a Dropout after training; keeps others' indices."""


Linear: TypeAlias = Dense | Conv2d | AvgPool
Layer: TypeAlias = Linear | ReLU | Identity


@dataclass(frozen=True, eq=False)
class Ann:
    """A trained network that tells classes apart: the class is that of the largest of its outputs.

    Attributes:
        shape: of an input, ``(features,)`` or ``(channels, rows, columns)``.
        layers: in order.
        classes: (outputs,) the label of each output; one output alone says the second of two by being positive.
    """

    name: str
    shape: Shape
    layers: tuple[Layer, ...]
    classes: NDArray

    def __post_init__(self) -> None:
        shape = self.shape
        for index, layer in enumerate(self.layers):
            if isinstance(layer, ReLU | Identity):
                continue
            try:
                shape = layer.matrix(shape)[2]
            except ValueError as error:
                raise EvsimError(f"layer {index} of {self.name} ({type(layer).__name__}): {error}") from error
        outputs = max(int(np.prod(shape)), 2)
        if outputs != len(self.classes):
            raise EvsimError(
                f"{self.name} has {outputs} outputs and {len(self.classes)} classes; give a label for each"
            )

    def inputs(self, images: np.ndarray, what: str = "images") -> Floats:
        """Images as flat inputs (images, numbers); raises EvsimError for others than ``shape``."""
        images = np.asarray(images)
        flat = (int(np.prod(self.shape)),)
        bare = self.shape[1:] if len(self.shape) == 3 and self.shape[0] == 1 else self.shape
        if images.shape[1:] not in (self.shape, flat, bare) or not len(images):
            raise EvsimError(
                f"{what} have the shape {images.shape}; {self.name} takes one or more, (images, "
                f"{', '.join(map(str, self.shape))})"
            )
        values = images.reshape(len(images), -1).astype(np.float64)
        if bad := int(np.count_nonzero(~np.isfinite(values))):
            raise EvsimError(f"{bad} of {values.size} numbers of the {what} are not finite; all must be")
        return values

    def outputs(self, images: Floats) -> Floats:
        """(images, outputs) of flat inputs (images, numbers)."""
        values, shape = images, self.shape
        for layer in self.layers:
            if isinstance(layer, ReLU):
                values = np.maximum(values, 0)
            elif not isinstance(layer, Identity):
                matrix, bias, shape = layer.matrix(shape)
                values = np.asarray((matrix @ values.T).T) + bias
        return values

    def last(self, outputs: Floats) -> Floats:
        """Outputs that a spiking network, which does not rectify them, gives; rectified where this one does."""
        kinds = [type(layer) for layer in self.layers if not isinstance(layer, Identity)]
        return np.maximum(outputs, 0) if kinds and kinds[-1] is ReLU else outputs

    def choose(self, outputs: Floats) -> NDArray:
        """The label for each row of outputs."""
        index = (outputs[:, 0] > 0).astype(int) if outputs.shape[1] == 1 else outputs.argmax(axis=1)
        return self.classes[index]


def accuracy(chosen: NDArray, labels: NDArray) -> float:
    """The share of labels that are right."""
    return float(np.mean(np.asarray(chosen) == np.asarray(labels)))


def _window(shape: Shape, size: Sequence[int], stride: Sequence[int], padding: Sequence[int]) -> Window:
    """A window over the images of a shape; raises ValueError where they are too small for it."""
    window = Window(size, stride, (1, 1), padding, padding)
    if min(window.places(shape[1:])) < 1:
        raise ValueError(f"its window of {_said(size)} is larger than the image, {_said(shape)}")
    return window


def _said(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))
