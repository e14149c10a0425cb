"""PyNN's connectors, mended where they fail or lose connections in silence."""
# ruff: noqa: D101 - classes that PyNN documents keep its words

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from pyNN import connectors, errors

from evsim.pynn.drawing import listed


class _AnyNumpy:
    """Columns of a connection map with one pre-synaptic cell as arrays, too.

    PyNN 0.13 calls ``nonzero()`` on a single number there, which numpy refuses from 2.1 on.
    """

    def _standard_connect(self, projection, connection_map_generator: Callable, distance_map=None) -> None:
        def columns(*mask) -> Iterator:
            for column in connection_map_generator(*mask):
                yield column if column is True else np.atleast_1d(column)

        super()._standard_connect(projection, columns, distance_map)  # type: ignore[misc]


class AllToAllConnector(_AnyNumpy, connectors.AllToAllConnector):
    __doc__ = connectors.AllToAllConnector.__doc__


class FixedProbabilityConnector(_AnyNumpy, connectors.FixedProbabilityConnector):
    __doc__ = connectors.FixedProbabilityConnector.__doc__


class DistanceDependentProbabilityConnector(_AnyNumpy, connectors.DistanceDependentProbabilityConnector):
    __doc__ = connectors.DistanceDependentProbabilityConnector.__doc__


class IndexBasedProbabilityConnector(_AnyNumpy, connectors.IndexBasedProbabilityConnector):
    __doc__ = connectors.IndexBasedProbabilityConnector.__doc__


class DisplacementDependentProbabilityConnector(_AnyNumpy, connectors.DisplacementDependentProbabilityConnector):
    __doc__ = connectors.DisplacementDependentProbabilityConnector.__doc__


class FixedNumberPreConnector(_AnyNumpy, connectors.FixedNumberPreConnector):
    __doc__ = connectors.FixedNumberPreConnector.__doc__


class FixedNumberPostConnector(_AnyNumpy, connectors.FixedNumberPostConnector):
    __doc__ = connectors.FixedNumberPostConnector.__doc__


class FixedTotalNumberConnector(_AnyNumpy, connectors.FixedTotalNumberConnector):
    __doc__ = connectors.FixedTotalNumberConnector.__doc__


class OneToOneConnector(_AnyNumpy, connectors.OneToOneConnector):
    __doc__ = connectors.OneToOneConnector.__doc__


class CSAConnector(_AnyNumpy, connectors.CSAConnector):
    __doc__ = connectors.CSAConnector.__doc__


class CloneConnector(_AnyNumpy, connectors.CloneConnector):
    __doc__ = connectors.CloneConnector.__doc__


class ArrayConnector(_AnyNumpy, connectors.ArrayConnector):
    __doc__ = connectors.ArrayConnector.__doc__


class SmallWorldConnector(connectors.SmallWorldConnector):
    __doc__ = connectors.SmallWorldConnector.__doc__


class FromListConnector(connectors.FromListConnector):
    __doc__ = connectors.FromListConnector.__doc__

    def connect(self, projection) -> None:
        """Connect; raises ConnectionError for a cell that does not exist, which PyNN would leave out or take amiss."""
        _refuse_strangers(self.conn_list, projection)
        if (connections := listed(self, projection)) is None:
            connectors.FromListConnector.connect(self, projection)
        else:
            projection.take(connections)


class FromFileConnector(FromListConnector, connectors.FromFileConnector):
    __doc__ = connectors.FromFileConnector.__doc__

    def connect(self, projection) -> None:
        """Read the file and connect; raises ConnectionError for a cell that does not exist."""
        if self.distributed:
            self.file.rename(f"{self.file.name}.{projection._simulator.state.mpi_rank}")
        columns = self.file.get_metadata().get("columns", ("weight", "delay"))
        self.column_names = [name for name in columns if name not in ("i", "j")]
        self.conn_list = np.atleast_2d(self.file.read())  # a file of one row is read as a row
        FromListConnector.connect(self, projection)


def _refuse_strangers(rows: np.ndarray, projection) -> None:
    if not rows.size:
        return
    for column, end, which in ((0, projection.pre, "pre"), (1, projection.post, "post")):
        outside = rows[(rows[:, column] < 0) | (rows[:, column] >= end.size), column]
        if len(outside):
            raise errors.ConnectionError(
                f"projection {projection.label!r}: {len(outside)} {which}synaptic cells of the connection list are out "
                f"of range (such as {outside[0]:g}); {end.label!r} has cells 0 to {end.size - 1}"
            )
