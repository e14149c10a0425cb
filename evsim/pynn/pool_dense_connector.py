"""PoolDenseConnector, which sPyNNaker has beside PyNN's connectors.

Source of its signature: sPyNNaker 7.4.1, ``connectors/pool_dense_connector.py``. Which cell gets which weight is what
its firmware made of pools that fill the grid when it was executed; what that does otherwise, docs/firmware.md tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyNN import errors
from pyNN.random import RandomDistribution

from evsim.pynn.grids import Found, Given, GridConnector, Shape, drawn, numbers, pair, pool

OWNER = "PoolDenseConnector"


class PoolDenseConnector(GridConnector):
    """Connects a grid, averaged over pools, to all cells of a population: a dense layer behind a pooling one.

    The source has a ``Grid2D`` structure; all shapes are along x and along y, and the cell at (x, y) has the number
    ``x + y * columns``. It is in the pool (x // stride, y // stride); cells behind the last whole pool are connected to
    nothing. Positive weights reach one receptor, negative ones another, and weights of 0 connect nothing. Needs
    synapses of the type ``PoolDense``. ``Projection.get("weight")`` gives weights with their signs.

    Args:
        weights: (pools along x, pools along y, targets), an array or a list of as many numbers in that order, with
            the targets in the order of their numbers; or one number for all; or a ``RandomDistribution``, from which
            each of these is drawn when it connects.
        pool_shape: how many cells along x and along y are averaged, by dividing the weights by their number; one number
            or two; None: none are.
        pool_stride: how far apart pools begin; as ``pool_shape``, if not given. What is averaged are the cells of one
            step, even where the pool is larger.
        positive_receptor_type, negative_receptor_type: those that positive and negative weights reach.
        safe, callback: as for the other connectors.
        verbose: has no effect; sPyNNaker takes it.

    Raises:
        InvalidDimensionsError: the weights are no array of numbers.
        InvalidParameterValueError: a shape is not of whole numbers from 1 on, or a weight is not finite.
    """

    goes_with = "PoolDense"
    parameter_names = ("weights", "pool_shape", "pool_stride")

    def __init__(
        self,
        weights: Any,
        pool_shape: Given = None,
        pool_stride: Given = None,
        positive_receptor_type: str = "excitatory",
        negative_receptor_type: str = "inhibitory",
        safe: bool = True,
        verbose: bool = False,
        callback: Any = None,
    ) -> None:
        super().__init__(positive_receptor_type, negative_receptor_type, safe, callback)
        self.pool_shape, self.pool_stride = pool(OWNER, pool_shape, pool_stride)
        is_drawn = isinstance(weights, RandomDistribution)
        self.weights: Any = weights if is_drawn else numbers(OWNER, "weights", weights)

    @classmethod
    def get_post_pool_shape(
        cls, pre_shape: Sequence[int], pool_shape: Given = None, pool_stride: Given = None
    ) -> Shape:
        """How many pools a source of a shape has, along x and along y."""
        n_x, n_y = pair(OWNER, "the shape of the source", pre_shape, least=1)
        if pool_shape is None:
            return n_x, n_y
        step = pair(OWNER, "pool_stride", pool_shape if pool_stride is None else pool_stride, least=1)
        return n_x // step[0], n_y // step[1]

    def count(self, shape: tuple[int, int]) -> float:
        """The number of synapses between so many cells, at most: all pairs."""
        return float(shape[0]) * shape[1]

    def connect(self, projection: Any) -> None:
        """Connect; raises InvalidDimensionsError where the source is no grid, or there are more or fewer weights."""
        pre = self.shape_of(projection, "pre")
        pools = self.get_post_pool_shape(pre, self.pool_shape, self.pool_stride)
        weights = self._weights(projection, pre, pools) / np.prod(self.pool_shape or 1)
        number = np.arange(projection.pre.size)
        step = self.pool_stride or (1, 1)
        x, y = number % pre[0] // step[0], number // pre[0] // step[1]
        if step[0] != step[1] or any(n % s for n, s in zip(pre, step, strict=True)):
            self.warn_of_firmware(projection, "strides that differ or do not divide the grid")
        inside = (x < pools[0]) & (y < pools[1])
        source, x, y, n_post = number[inside], x[inside], y[inside], projection.post.size
        self.hand_over(
            projection, Found(np.repeat(source, n_post), np.tile(np.arange(n_post), len(source)), weights[x, y].ravel())
        )

    def _weights(self, projection: Any, pre: Shape, pools: Shape) -> NDArray[np.float64]:
        """(pools along x, pools along y, targets)."""
        shape = (*pools, projection.post.size)
        if isinstance(self.weights, RandomDistribution):
            return drawn(OWNER, "weights", self.weights, shape)
        if self.weights.ndim == 0:
            return np.full(shape, float(self.weights))
        if self.weights.size != np.prod(shape):
            raise errors.InvalidDimensionsError(
                f"projection {projection.label!r}: its {OWNER} has {self.weights.size} weights; from {pre}, the shape "
                f"of {projection.pre.label!r}, in {pools[0]} x {pools[1]} pools to the {projection.post.size} cells of "
                f"{projection.post.label!r} it needs {np.prod(shape)}, or one for all"
            )
        return self.weights.reshape(shape)
