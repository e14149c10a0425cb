"""PyNN's connectors, mended where they fail, connect something else or lose connections in silence."""
# ruff: noqa: D101 - classes that PyNN documents keep its words

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from pyNN import connectors, errors
from pyNN.parameters import LazyArray

from evsim.pynn.convolution_connector import ConvolutionConnector
from evsim.pynn.kernel_connector import KernelConnector
from evsim.pynn.list_connectors import FromFileConnector, FromListConnector
from evsim.pynn.mended import NEVER_MUTUAL, Mended, connect_by_source
from evsim.pynn.numbered_connectors import FixedNumberPostConnector, FixedNumberPreConnector, FixedTotalNumberConnector
from evsim.pynn.pool_dense_connector import PoolDenseConnector

__all__ = [
    "AllToAllConnector",
    "ArrayConnector",
    "CSAConnector",
    "CloneConnector",
    "ConvolutionConnector",
    "DisplacementDependentProbabilityConnector",
    "DistanceDependentProbabilityConnector",
    "FixedNumberPostConnector",
    "FixedNumberPreConnector",
    "FixedProbabilityConnector",
    "FixedTotalNumberConnector",
    "FromFileConnector",
    "FromListConnector",
    "IndexBasedProbabilityConnector",
    "KernelConnector",
    "OneToOneConnector",
    "PoolDenseConnector",
    "SmallWorldConnector",
]


class AllToAllConnector(Mended, connectors.AllToAllConnector):
    __doc__ = connectors.AllToAllConnector.__doc__

    def __init__(
        self, allow_self_connections: bool | str = True, location_selector=None, safe: bool = True, callback=None
    ) -> None:
        self._check(allow_self_connections=allow_self_connections)
        super().__init__(bool(allow_self_connections), location_selector, safe, callback)
        self.allow_self_connections = allow_self_connections  # "NoMutual" PyNN refuses, and then would know how to do


class FixedProbabilityConnector(Mended, connectors.FixedProbabilityConnector):
    __doc__ = connectors.FixedProbabilityConnector.__doc__


class DistanceDependentProbabilityConnector(Mended, connectors.DistanceDependentProbabilityConnector):
    __doc__ = connectors.DistanceDependentProbabilityConnector.__doc__

    def __init__(
        self,
        d_expression: str | Callable,
        allow_self_connections: bool | str = True,
        location_selector=None,
        rng=None,
        safe: bool = True,
        callback=None,
    ) -> None:
        # PyNN takes functions, too, and then evaluates their names as an expression
        expression = "0" if callable(d_expression) else d_expression
        try:
            super().__init__(expression, allow_self_connections, location_selector, rng, safe, callback)
        except (NameError, SyntaxError, TypeError) as error:
            raise errors.InvalidParameterValueError(
                f"{type(self).__name__}: d_expression is {d_expression!r}; it must be an expression or a function of "
                f"the distance d that gives a probability ({error!r})"
            ) from None
        self.d_expression = d_expression
        # applied to numbers and not, as PyNN does, to a lazy array, which numpy's functions do not know
        self.distance_function = LazyArray(d_expression if callable(d_expression) else self.distance_function)


class IndexBasedProbabilityConnector(Mended, connectors.IndexBasedProbabilityConnector):
    __doc__ = connectors.IndexBasedProbabilityConnector.__doc__


class DisplacementDependentProbabilityConnector(Mended, connectors.DisplacementDependentProbabilityConnector):
    __doc__ = connectors.DisplacementDependentProbabilityConnector.__doc__


class OneToOneConnector(Mended, connectors.OneToOneConnector):
    __doc__ = connectors.OneToOneConnector.__doc__


class CSAConnector(Mended, connectors.CSAConnector):
    __doc__ = connectors.CSAConnector.__doc__

    def connect(self, projection) -> None:
        """Connect; the two values of a set that has them are weight and delay."""
        csa = connectors.csa
        if csa.arity(self.cset) != 2:
            connectors.CSAConnector.connect(self, projection)
            return
        # PyNN hands over cells where their places are asked for
        n_pre, n_post = projection.shape
        finite = csa.cross((0, n_pre - 1), (0, n_post - 1)) * self.cset
        FromListConnector([tuple(row) for row in finite], safe=self.safe, callback=self.callback).connect(projection)


class CloneConnector(Mended, connectors.CloneConnector):
    __doc__ = connectors.CloneConnector.__doc__


class ArrayConnector(Mended, connectors.ArrayConnector):
    __doc__ = connectors.ArrayConnector.__doc__

    def connect(self, projection) -> None:
        """Connect; raises InvalidDimensionsError or ConnectionError for a matrix of another shape or kind."""
        matrix = np.asarray(self.array)
        where = f"projection {projection.label!r}: the matrix of its ArrayConnector"
        if matrix.shape != projection.shape:
            raise errors.InvalidDimensionsError(f"{where} has the shape {matrix.shape}; it must be {projection.shape}")
        if not np.isin(matrix, (0, 1)).all():
            odd = matrix[~np.isin(matrix, (0, 1))][0]
            raise errors.ConnectionError(f"{where} has the value {odd!r}; all must be True or False")
        # PyNN takes a column of whole numbers for the places of the sources
        self._connect_with_map(projection, LazyArray(matrix.astype(bool), projection.shape))


class SmallWorldConnector(Mended, connectors.SmallWorldConnector, connectors.MapConnector):
    """Cells connected to those nearby, some of them to any other cell instead (after Watts and Strogatz 1998).

    Each cell is connected to all cells that are nearer than ``degree``, or to some of these; each of its synapses then
    goes with the probability ``rewiring`` to a cell that is drawn from all of them. Two may go to the same cell.

    Args:
        degree: distance within which cells are connected, in the unit of their positions.
        rewiring: probability of rewiring each synapse.
        allow_self_connections: whether a cell of a population that is connected to itself may be its own target.
        n_connections: how many of the cells nearby each cell is connected to, drawn at random; None: to all.
        location_selector, rng, safe, callback: as for the other connectors.
    """

    domains = NEVER_MUTUAL
    rng: Any  # a NumpyRNG or its like

    def __init__(
        self,
        degree: float,
        rewiring: float,
        allow_self_connections: bool = True,
        n_connections: int | None = None,
        location_selector=None,
        rng=None,
        safe: bool = True,
        callback=None,
    ) -> None:
        super().__init__(
            degree, rewiring, allow_self_connections, n_connections, location_selector, rng, safe, callback
        )
        self.degree = degree

    def connect(self, projection) -> None:
        """Connect, one pre-synaptic cell after the other."""
        distances: Any = self._generate_distance_map(projection)
        post = projection.post.all_cells
        targets = []
        for source, cell in enumerate(projection.pre.all_cells):
            candidates = np.arange(len(post)) if self.allow_self_connections else np.flatnonzero(post != cell)
            near = candidates[np.atleast_1d(distances[source, :])[candidates] < self.degree]
            if self.n_connections is not None:
                near = self.rng.permutation(near)[: self.n_connections]
            rewired = np.atleast_1d(self.rng.next(len(near))) < self.rewiring
            anywhere = {"low": 0, "high": len(candidates)}
            drawn = self.rng.next(int(rewired.sum()), "uniform_int", anywhere, mask=None)
            near[rewired] = candidates[drawn.astype(np.int64)]  # of none, PyNN makes an array of floats
            targets.append(near)
        source = np.repeat(np.arange(len(targets)), [len(near) for near in targets])
        connect_by_source(self, projection, source, np.concatenate([*targets, np.empty(0, np.int64)]).astype(np.int64))
