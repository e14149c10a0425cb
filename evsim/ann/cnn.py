"""A small convolutional network and its training, in numpy: Adam on the cross entropy, with fixed seeds.

The layers are linear and known as matrices (``layers``), so the gradient of a convolution is that of a matrix of which
many entries are the same number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evsim.ann.layers import Ann, AvgPool, Conv2d, Dense, Floats, ReLU

CHANNELS = (8, 16)
KERNEL, PADDING, POOL = 3, (1, 1), (2, 2)
EPOCHS, BATCH, RATE = 20, 32, 1e-2
SEED = 1
BETAS, TINY = (0.9, 0.999), 1e-8  # Kingma and Ba 2015, Adam


def train_cnn(images: Floats, labels: NDArray, classes: NDArray) -> Ann:
    """Train on images (images, 1, rows, columns) whose labels are among the classes."""
    rng = np.random.default_rng(SEED)
    weights = _first_weights(rng, images.shape[2:], len(classes))
    moments = [(np.zeros_like(weight), np.zeros_like(weight)) for weight in weights]
    wanted = np.searchsorted(classes, labels)
    step = 0
    for epoch in range(EPOCHS):
        order = rng.permutation(len(images))
        rate = RATE * (1 - epoch / EPOCHS)
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            step += 1
            for weight, gradient, (mean, square) in zip(
                weights, _gradients(weights, images[chosen], wanted[chosen]), moments, strict=True
            ):
                mean += (1 - BETAS[0]) * (gradient - mean)
                square += (1 - BETAS[1]) * (gradient**2 - square)
                unbiased = mean / (1 - BETAS[0] ** step), square / (1 - BETAS[1] ** step)
                weight -= rate * unbiased[0] / (np.sqrt(unbiased[1]) + TINY)
    return _network(weights, images.shape[1:], classes)


def _first_weights(rng: np.random.Generator, size: tuple[int, ...], n_classes: int) -> list[Floats]:
    """Kernel and bias of each convolution, weights and bias of the dense layer (He et al. 2015)."""
    found, inputs = [], 1
    for channels in CHANNELS:
        fan_in = inputs * KERNEL**2
        found += [rng.normal(0, np.sqrt(2 / fan_in), (channels, inputs, KERNEL, KERNEL)), np.zeros(channels)]
        inputs = channels
    left = inputs * (size[0] // 4) * (size[1] // 4)
    return [*found, rng.normal(0, np.sqrt(1 / left), (n_classes, left)), np.zeros(n_classes)]


def _network(weights: list[Floats], shape: tuple[int, ...], classes: NDArray) -> Ann:
    pool = AvgPool(POOL, POOL)
    k1, b1, k2, b2, dense, bias = weights
    first, second = Conv2d(k1, b1, padding=PADDING), Conv2d(k2, b2, padding=PADDING)
    return Ann("CNN", shape, (first, ReLU(), pool, second, ReLU(), pool, Dense(dense, bias)), classes)


@dataclass(frozen=True, eq=False)
class _Patches:
    """What a convolution saw: (images, rows, columns, inputs * kernel)."""

    values: Floats
    kernel: Floats

    @classmethod
    def of(cls, images: Floats, kernel: Floats) -> _Patches:
        padded = np.pad(images, ((0, 0), (0, 0), *((p, p) for p in PADDING)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (1, 1, KERNEL, KERNEL))[:, :, :, :, 0, 0]
        patches = windows.transpose(0, 2, 3, 1, 4, 5)
        return cls(np.ascontiguousarray(patches).reshape(*patches.shape[:3], -1), kernel)

    def forward(self, bias: Floats) -> Floats:
        """(images, channels, rows, columns)."""
        return np.moveaxis(self.values @ self.kernel.reshape(len(self.kernel), -1).T + bias, 3, 1)

    def backward(self, slope: Floats) -> tuple[Floats, Floats, Floats]:
        """The gradients of kernel, bias and images from that of ``forward``."""
        last = np.moveaxis(slope, 1, 3)
        flat = last.reshape(-1, last.shape[3])
        kernel = (flat.T @ self.values.reshape(len(flat), -1)).reshape(self.kernel.shape)
        turned = _Patches.of(slope, self.kernel[:, :, ::-1, ::-1].swapaxes(0, 1))
        return kernel, flat.sum(axis=0), turned.forward(np.zeros(self.kernel.shape[1]))


def _pooled(values: Floats) -> Floats:
    n, channels, rows, columns = values.shape
    return values.reshape(n, channels, rows // 2, 2, columns // 2, 2).mean(axis=(3, 5))


def _spread(slope: Floats) -> Floats:
    return np.repeat(np.repeat(slope, 2, axis=2), 2, axis=3) / 4


def _gradients(weights: list[Floats], images: Floats, wanted: NDArray) -> list[Floats]:
    """Of the mean cross entropy, with respect to every weight."""
    k1, b1, k2, b2, dense, bias = weights
    patches1 = _Patches.of(images, k1)
    before1 = patches1.forward(b1)
    patches2 = _Patches.of(_pooled(np.maximum(before1, 0)), k2)
    before2 = patches2.forward(b2)
    top = _pooled(np.maximum(before2, 0))
    flat = top.reshape(len(images), -1)
    logits = flat @ dense.T + bias
    share = np.exp(logits - logits.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    share[np.arange(len(images)), wanted] -= 1
    share /= len(images)
    slope2 = _spread((share @ dense).reshape(top.shape)) * (before2 > 0)
    to_k2, to_b2, slope = patches2.backward(slope2)
    to_k1, to_b1, _ = patches1.backward(_spread(slope) * (before1 > 0))
    return [to_k1, to_b1, to_k2, to_b2, share.T @ flat, share.sum(axis=0)]
