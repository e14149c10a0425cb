"""ConvolutionConnector, which sPyNNaker has beside PyNN's connectors.

Source of its signature: sPyNNaker 7.4.1, ``connectors/convolution_connector.py``. Which cell gets which weight, from
which cell, is what its firmware made of kernels of odd sizes with strides of 1 when it was executed; what that does
otherwise than sPyNNaker says, docs/firmware.md tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyNN import errors
from pyNN.random import RandomDistribution

from evsim.pynn.grids import Found, Given, GridConnector, Shape, drawn, numbers, pair, pool

OWNER = "ConvolutionConnector"


class ConvolutionConnector(GridConnector):
    """Connects two grids by a kernel of weights, the same at every place: a convolution.

    Both populations have a ``Grid2D`` structure; all shapes are along x and along y, and the cell at (x, y) has the
    number ``x + y * columns``. Along each dimension the cell p of the source is connected to the cell t of the target
    by the element k of the kernel's size K with ``p // pool_stride + padding = t * stride + K - 1 - k``. So the kernel
    is turned round, as in mathematics and not as in most machine learning: of whole windows the input of the target is
    ``scipy.signal.convolve2d(spikes, kernel, "valid")``, with spikes in an array [y, x]. Where pooled cells are left
    over, those behind the last whole pool count as one more, which only padding lets the kernel reach.

    Positive weights reach one receptor, negative ones another, and elements of 0 connect nothing. Needs synapses of
    the type ``Convolution``. ``Projection.get("weight")`` gives weights with their signs.

    Args:
        kernel_weights: an array [y, x]; a flat list, or one number, for a ``kernel_shape``; or a
            ``RandomDistribution``, from which each element is drawn, once. If it is not square, then its shape is still
            taken to be along x and along y, and its elements, in their order in memory, go along x first: sPyNNaker has
            it so.
        kernel_shape: one number for a square one, or two.
        strides: how far the kernel goes from one target to the next; one number or two.
        padding: how many places without spikes are put on either side of the source; True: 1, and False: none.
        pool_shape: how many cells along x and along y are averaged before, by dividing the weights by their number.
        pool_stride: how far apart such areas begin; as ``pool_shape``, if not given. What is averaged are the cells
            of one step, even where the area is larger.
        positive_receptor_type, negative_receptor_type: those that positive and negative weights reach.
        safe, callback: as for the other connectors.
        verbose, filter_edges: have no effect; sPyNNaker takes them.

    Raises:
        InvalidDimensionsError: the kernel does not have ``kernel_shape``, or none is given where one is needed.
        InvalidParameterValueError: a shape is not of whole numbers in its range, or a weight is not finite.
    """

    goes_with = "Convolution"
    parameter_names = ("kernel_weights", "strides", "padding", "pool_shape", "pool_stride")

    def __init__(
        self,
        kernel_weights: Any,
        kernel_shape: Given = None,
        strides: Given = None,
        padding: Given = None,
        pool_shape: Given = None,
        pool_stride: Given = None,
        positive_receptor_type: str = "excitatory",
        negative_receptor_type: str = "inhibitory",
        safe: bool = True,
        verbose: bool = False,
        callback: Any = None,
        filter_edges: bool = True,
    ) -> None:
        super().__init__(positive_receptor_type, negative_receptor_type, safe, callback)
        self.pool_shape, self.pool_stride = pool(OWNER, pool_shape, pool_stride)
        self.strides = (1, 1) if strides is None else pair(OWNER, "strides", strides, least=1)
        self.padding = (0, 0) if padding is None else pair(OWNER, "padding", padding, least=0)
        self.kernel_weights = _kernel(kernel_weights, kernel_shape) / np.prod(self.pool_shape or 1)

    def get_post_shape(self, shape: Sequence[int]) -> Shape:
        """The shape of the target of a source of a shape, along x and along y."""
        pre = pair(OWNER, "the shape of the source", shape, least=1)
        along = zip(pre, self.pool_stride or (1, 1), self.kernel_weights.shape, self.padding, self.strides, strict=True)
        n_x, n_y = (max((n // pool - (k - 1) + 2 * pad) // stride, 1) for n, pool, k, pad, stride in along)
        return n_x, n_y

    def count(self, shape: tuple[int, int]) -> float:
        """The number of synapses between so many cells, about: as many onto each as the kernel has elements."""
        return float(shape[1] * self.kernel_weights.size * np.prod(self.pool_stride or 1))

    def connect(self, projection: Any) -> None:
        """Connect; raises InvalidDimensionsError where an end is no grid, or the target not of the right shape."""
        pre, post = self.shape_of(projection, "pre"), self.shape_of(projection, "post")
        if post != (expected := self.get_post_shape(pre)):
            raise errors.InvalidDimensionsError(
                f"projection {projection.label!r}: its {OWNER} makes of {pre}, the shape of {projection.pre.label!r}, "
                f"{expected}, and {projection.post.label!r} has {post}; take what get_post_shape({pre}) says, "
                "cells along x first"
            )
        if self.strides != (1, 1) or not all(k % 2 for k in self.kernel_weights.shape):
            self.warn_of_firmware(projection, "strides above 1 or a kernel of even size")
        (x, kernel_x, to_x), (y, kernel_y, to_y) = (self._along(axis, pre[axis], post[axis]) for axis in (0, 1))
        kernel = self.kernel_weights.reshape(self.kernel_weights.shape[::-1])
        self.hand_over(
            projection,
            Found(
                np.add.outer(y * pre[0], x).ravel(),
                np.add.outer(to_y * post[0], to_x).ravel(),
                kernel[np.ix_(kernel_y, kernel_x)].ravel(),
            ),
        )

    def _along(self, axis: int, n_pre: int, n_post: int) -> tuple[NDArray[np.int64], ...]:
        """What meets along a dimension: places of sources, elements of the kernel, places of targets; (k,) each."""
        size, pool = self.kernel_weights.shape[axis], (self.pool_stride or (1, 1))[axis]
        place = np.arange(n_pre)[:, np.newaxis] // pool + self.padding[axis]
        element = size - 1 - (place - np.arange(n_post) * self.strides[axis])
        source, target = np.nonzero((element >= 0) & (element < size))
        return source, element[source, target], target


def _kernel(given: Any, shape: Given) -> NDArray[np.float64]:
    if isinstance(given, RandomDistribution):
        return drawn(OWNER, "kernel_weights", given, _shape(shape))
    values = numbers(OWNER, "kernel_weights", given)
    if values.ndim == 0:
        return np.full(_shape(shape), float(values))
    if values.ndim == 1 and values.size == np.prod(_shape(shape)):
        return values.reshape(_shape(shape))
    if values.ndim != 2 or not values.size or (shape is not None and values.shape != _shape(shape)):
        wanted = "that of a kernel, along x and along y" if shape is None else f"{_shape(shape)}, its kernel_shape"
        raise errors.InvalidDimensionsError(
            f"{OWNER}: kernel_weights has the shape {values.shape}; it must be {wanted}"
        )
    return values


def _shape(given: Given) -> Shape:
    if given is None:
        raise errors.InvalidDimensionsError(
            f"{OWNER}: kernel_weights is no array of rows; give kernel_shape, the cells along x and along y"
        )
    return pair(OWNER, "kernel_shape", given, least=1)
