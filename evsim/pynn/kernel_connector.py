"""KernelConnector, which sPyNNaker has beside PyNN's connectors.

Source of its signature and of what it connects: sPyNNaker 7.4.1, ``connectors/kernel_connector.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyNN import connectors, errors
from pyNN.random import RandomDistribution

from evsim.pynn.list_connectors import FromListConnector

Shape = Sequence[int]  # rows, columns


class KernelConnector(connectors.Connector):
    """Connects cells that lie in two sheets by a kernel of weights or delays, the same at every place.

    A sheet is a population whose cell ``row * columns + column`` lies at (row, column). The cell at the post-synaptic
    place p lies at ``start + step * p`` of the pre-synaptic sheet; the middle of the kernel is put there.

    Args:
        shape_pre, shape_post, shape_kernel: rows and columns.
        weight_kernel, delay_kernel: (rows, columns) of the kernel, or one number, or a distribution from which each
            element of the kernel is drawn; None: as the synapse type says. Weights must be of the receptor's sign.
        shape_common: has no effect; sPyNNaker takes it.
        pre_sample_steps_in_post, pre_start_coords_in_post: of the pre-synaptic cells only each so many from the start
            on are connected, in rows and columns.
        post_sample_steps_in_pre, post_start_coords_in_pre: step and start of the post-synaptic places, in the
            pre-synaptic sheet.
        safe, callback: as for the other connectors.
        space, verbose: have no effect; sPyNNaker takes them.

    Raises:
        InvalidDimensionsError: a kernel has another shape than ``shape_kernel``.
        InvalidParameterValueError: rows and columns are not two whole numbers in their range.
    """

    parameter_names = ("shape_pre", "shape_post", "shape_kernel", "weight_kernel", "delay_kernel")

    def __init__(
        self,
        shape_pre: Shape,
        shape_post: Shape,
        shape_kernel: Shape,
        weight_kernel: Any = None,
        delay_kernel: Any = None,
        shape_common: Shape | None = None,
        pre_sample_steps_in_post: Shape | None = None,
        pre_start_coords_in_post: Shape | None = None,
        post_sample_steps_in_pre: Shape | None = None,
        post_start_coords_in_pre: Shape | None = None,
        safe: bool = True,
        space: Any = None,
        verbose: bool = False,
        callback=None,
    ) -> None:
        super().__init__(safe=safe, callback=callback)
        self.shape_pre = _two("shape_pre", shape_pre, least=1)
        self.shape_post = _two("shape_post", shape_post, least=1)
        self.shape_kernel = _two("shape_kernel", shape_kernel, least=1)
        self.weight_kernel = self._kernel("weight_kernel", weight_kernel)
        self.delay_kernel = self._kernel("delay_kernel", delay_kernel)
        self._pre_step = _two("pre_sample_steps_in_post", pre_sample_steps_in_post or (1, 1), least=1)
        self._pre_start = _two("pre_start_coords_in_post", pre_start_coords_in_post or (0, 0), least=0)
        self._post_step = _two("post_sample_steps_in_pre", post_sample_steps_in_pre or (1, 1), least=1)
        self._post_start = _two("post_start_coords_in_pre", post_start_coords_in_pre or (0, 0), least=0)

    def _kernel(self, name: str, given: Any) -> NDArray[np.float64] | None:
        if given is None:
            return None
        if isinstance(given, RandomDistribution):
            given = np.reshape(given.next(int(np.prod(self.shape_kernel))), self.shape_kernel)
        values = np.full(self.shape_kernel, given) if np.isscalar(given) else np.asarray(given, float)
        if values.shape != self.shape_kernel:
            raise errors.InvalidDimensionsError(
                f"KernelConnector: {name} has the shape {values.shape}; shape_kernel is {self.shape_kernel}"
            )
        return values

    def connect(self, projection) -> None:
        """Connect; raises InvalidDimensionsError where a population is not as large as its sheet."""
        for which, end, shape in (("pre", projection.pre, self.shape_pre), ("post", projection.post, self.shape_post)):
            if end.size != np.prod(shape):
                raise errors.InvalidDimensionsError(
                    f"projection {projection.label!r}: shape_{which} of its KernelConnector is {shape}, which is "
                    f"{np.prod(shape)} cells; {end.label!r} has {end.size}"
                )
        (row, kernel_row, target_row), (column, kernel_column, target_column) = self._along(0), self._along(1)
        source = np.add.outer(row * self.shape_pre[1], column)
        target = np.add.outer(target_row * self.shape_post[1], target_column)
        kernels = {"weight": self.weight_kernel, "delay": self.delay_kernel}
        given = {name: kernel for name, kernel in kernels.items() if kernel is not None}
        values = [kernel[np.ix_(kernel_row, kernel_column)].ravel() for kernel in given.values()]
        rows = np.column_stack([source.ravel(), target.ravel(), *values])
        FromListConnector(rows, tuple(given), safe=self.safe, callback=self.callback).connect(projection)

    def _along(self, axis: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """What meets along rows or columns: places of sources, elements of the kernel, places of targets; (k,) each."""
        size, start, step = self.shape_kernel[axis], self._pre_start[axis], self._pre_step[axis]
        sources = np.arange(self.shape_pre[axis])
        targets = np.arange(self.shape_post[axis])
        centre = self._post_start[axis] + targets * self._post_step[axis]
        centre = -((start - centre) // step)  # rounded up
        element = size // 2 - (centre[np.newaxis, :] - sources[:, np.newaxis])
        meets = (element >= 0) & (element < size) & ((sources - start) % step == 0)[:, np.newaxis]
        source, target = np.nonzero(meets)
        return source, element[meets], target


def _two(name: str, given: Shape, least: int) -> tuple[int, int]:
    if len(np.atleast_1d(given)) == 2 and all(isinstance(n, int | np.integer) and n >= least for n in given):
        return int(given[0]), int(given[1])
    raise errors.InvalidParameterValueError(
        f"KernelConnector: {name} is {given!r}; it must be two whole numbers from {least} on, for rows and columns"
    )
