"""A convolution as the sparse matrix that it is, on flattened signals (row-major, channels first, as PyTorch has them).

What it multiplies with its padding is no entry of the matrix.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array, csr_array


class Window(NamedTuple):
    """How a kernel goes over its input; an entry for each dimension of space."""

    kernel: Sequence[int]
    stride: Sequence[int]
    dilation: Sequence[int]
    before: Sequence[int]  # zeros that are put before and after the input
    after: Sequence[int]

    def reach(self) -> tuple[int, ...]:
        """How far the kernel extends."""
        return tuple(d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel, strict=True))

    def room(self, space: Sequence[int]) -> tuple[int, ...]:
        """The extent of an input with its padding."""
        return tuple(n + b + a for n, b, a in zip(space, self.before, self.after, strict=True))

    def places(self, space: Sequence[int]) -> tuple[int, ...]:
        """How many places the kernel takes over an input; below 1 where that is too small for it."""
        return tuple((n - r) // s + 1 for n, r, s in zip(self.room(space), self.reach(), self.stride, strict=True))


def convolution(
    weight: np.ndarray, shape: Sequence[int], window: Window, groups: int = 1
) -> tuple[csr_array, tuple[int, ...]]:
    """A convolution (the cross-correlation of frameworks) as a matrix (outputs, inputs), and the shape of its output.

    Weights that are 0 are entries, too.

    Args:
        weight: (outputs, inputs / groups, *kernel).
        shape: of the input, (inputs, *space); the window has at least one place over it.
    """
    space, places = shape[1:], window.places(shape[1:])
    n_out, n_in = int(np.prod(places)), int(np.prod(space))
    out_channel = np.arange(len(weight))[:, None, None]
    in_channel = out_channel // (len(weight) // groups) * weight.shape[1] + np.arange(weight.shape[1])[:, None]
    rows, columns, values = [], [], []
    for offset in np.ndindex(*window.kernel):
        steps = zip(places, window.stride, offset, window.dilation, window.before, strict=True)
        at = np.meshgrid(*(np.arange(n) * s + k * d - b for n, s, k, d, b in steps), indexing="ij")
        inside = np.all([(a >= 0) & (a < n) for a, n in zip(at, space, strict=True)], axis=0)
        source = np.ravel_multi_index([a[inside] for a in at], space)
        row, column = out_channel * n_out + np.flatnonzero(inside), in_channel * n_in + source
        row, column, value = np.broadcast_arrays(row, column, weight[(..., *offset)][..., None])
        for found, part in ((rows, row), (columns, column), (values, value)):
            found.append(part.ravel())
    entries = np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))
    return csr_array(coo_array(entries, shape=(len(weight) * n_out, shape[0] * n_in))), (len(weight), *places)


def pooling(channels: int, window: Window, share: float) -> np.ndarray:
    """Weights of ``convolution`` in as many groups as channels, which sum ``share`` of each window up."""
    return np.full((channels, 1, *window.kernel), share)
