"""The linear nodes of NIR as sparse matrices on flattened signals (row-major, channels first, as PyTorch has them)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array, eye_array

from evsim.convolution import Window, convolution, pooling

Shape = tuple[int, ...]


class Operator(NamedTuple):
    """What a node makes of a signal x: ``matrix @ x + bias``, each channel ``delay`` later.

    Attributes:
        matrix: (outputs, inputs).
        shape: of the output.
        bias: (outputs,), None for none.
        delay: (outputs,) s, None for none.
    """

    matrix: csr_array
    shape: Shape
    bias: NDArray[np.float64] | None = None
    delay: NDArray[np.float64] | None = None


def operator(node: Any, shape: Shape) -> Operator:
    """The operator of a linear node for an input of a shape; raises ValueError, which says what does not fit."""
    kind = type(node).__name__
    if kind in ("Linear", "Affine"):
        return _dense(node, shape)
    if kind == "Scale":
        return Operator(csr_array(diags_array(_channels(node.scale, shape, "scale"))), shape)
    if kind in ("Conv1d", "Conv2d"):
        return _convolution(node, shape)
    if kind in ("SumPool2d", "AvgPool2d"):
        return _pool(node, shape, mean=kind == "AvgPool2d")
    if kind == "Delay":
        return Operator(_identity(shape), shape, delay=_channels(node.delay, shape, "delay"))
    if kind == "Flatten":
        return Operator(_identity(shape), _flattened(shape, int(node.start_dim), int(node.end_dim)))
    return Operator(_identity(shape), shape)


def own_shape(node: Any) -> Shape | None:
    """The shape of the input that a linear node states by its parameters; None where it states none."""
    kind = type(node).__name__
    if kind in ("Linear", "Affine"):
        return tuple(node.weight.shape[-1:])
    values = {"Scale": "scale", "Delay": "delay"}.get(kind)
    return np.shape(getattr(node, values)) if values else None


def _identity(shape: Shape) -> csr_array:
    return csr_array(eye_array(int(np.prod(shape))))


def _channels(values: np.ndarray, shape: Shape, name: str) -> NDArray[np.float64]:
    """A value for each channel, from as many or from one."""
    flat, size = np.ravel(np.asarray(values, np.float64)), int(np.prod(shape))
    if flat.size not in (1, size):
        raise ValueError(f"{name} of {flat.size} values for an input of shape {shape}")
    return np.broadcast_to(flat, size)


def _dense(node: Any, shape: Shape) -> Operator:
    weight = np.asarray(node.weight, np.float64)
    if weight.ndim != 2:
        raise ValueError(f"a weight of shape {weight.shape}; evsim takes two dimensions, (outputs, inputs)")
    if weight.shape[1] != np.prod(shape):
        raise ValueError(f"a weight for {weight.shape[1]} inputs, and an input of shape {shape}")
    bias = getattr(node, "bias", None)
    outputs = (weight.shape[0],)
    return Operator(csr_array(weight), outputs, None if bias is None else _channels(bias, outputs, "bias"))


def _flattened(shape: Shape, start: int, end: int) -> Shape:
    """Dimensions from ``start`` to ``end``, which may count from behind, as one."""
    start, end = (place + len(shape) if place < 0 else place for place in (start, end))
    start = min(start, end)
    return (*shape[:start], int(np.prod(shape[start : end + 1])), *shape[end + 1 :])


def _convolution(node: Any, shape: Shape) -> Operator:
    weight = np.asarray(node.weight, np.float64)
    kernel, groups = weight.shape[2:], int(node.groups)
    if len(shape) != weight.ndim - 1 or shape[0] != weight.shape[1] * groups:
        raise ValueError(f"a weight of shape {weight.shape} in {groups} groups, and an input of shape {shape}")
    stride, dilation = _each(node.stride, len(kernel)), _each(node.dilation, len(kernel))
    if isinstance(node.padding, str | bytes):
        same = str(node.padding) == "same"
        total = [d * (k - 1) if same else 0 for d, k in zip(dilation, kernel, strict=True)]
        before, after = [t // 2 for t in total], [t - t // 2 for t in total]
    else:
        before = after = _each(node.padding, len(kernel))
    window = Window(kernel, stride, dilation, before, after)
    matrix, outputs = _convolved(weight, shape, window, groups)
    if node.bias is None:
        return Operator(matrix, outputs)
    bias = _channels(node.bias, (len(weight),), "bias")
    return Operator(matrix, outputs, np.repeat(bias, int(np.prod(outputs[1:]))))


def _pool(node: Any, shape: Shape, mean: bool) -> Operator:
    if len(shape) != 3:
        raise ValueError(f"pooling takes (channels, height, width), and the input has shape {shape}")
    kernel, padding = tuple(_each(node.kernel_size, 2)), _each(node.padding, 2)
    window = Window(kernel, _each(node.stride, 2), [1, 1], padding, padding)
    weight = pooling(shape[0], window, 1 / int(np.prod(kernel)) if mean else 1.0)
    return Operator(*_convolved(weight, shape, window, groups=shape[0]))


def _each(value: Any, dimensions: int) -> list[int]:
    """A whole number for each dimension, from as many or from one."""
    return [int(number) for number in np.broadcast_to(np.ravel(value), dimensions)]


def _convolved(weight: np.ndarray, shape: Shape, window: Window, groups: int) -> tuple[csr_array, Shape]:
    """The matrix of ``convolution`` without weights that are 0, and the shape of its output."""
    if min(window.places(shape[1:])) < 1:
        raise ValueError(
            f"a kernel that reaches over {window.reach()}, and an input of {window.room(shape[1:])} with its padding"
        )
    matrix, outputs = convolution(weight, shape, window, groups)
    matrix.eliminate_zeros()
    return matrix, outputs
