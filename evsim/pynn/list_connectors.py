"""Connections that are listed one by one."""
# ruff: noqa: D101 - classes that PyNN documents keep its words

from __future__ import annotations

import reprlib

import numpy as np
from pyNN import connectors, errors

from evsim.pynn.drawing import listed


class FromListConnector(connectors.FromListConnector):
    __doc__ = connectors.FromListConnector.__doc__

    def __init__(self, conn_list, column_names=None, location_selector=None, safe=True, callback=None) -> None:
        try:
            rows = np.array(conn_list, float)
        except (TypeError, ValueError) as error:
            raise errors.InvalidDimensionsError(
                f"{type(self).__name__}: {reprlib.repr(conn_list)} is no list of rows of equally many numbers ({error})"
            ) from None
        if rows.size and (rows.ndim != 2 or rows.shape[1] < 2):
            raise errors.InvalidDimensionsError(
                f"{type(self).__name__}: connections of the shape {rows.shape}; give a list of rows (pre, post, ...)"
            )
        super().__init__(conn_list, column_names, location_selector, safe, callback)

    def connect(self, projection) -> None:
        """Connect.

        Raises:
            ConnectionError: a cell does not exist, which PyNN would leave out or take amiss.
            InvalidParameterValueError: the synapses have no parameter of a column's name.
        """
        known = projection.synapse_type.get_parameter_names()
        if unknown := [name for name in self.column_names if name not in known]:
            raise errors.InvalidParameterValueError(
                f"projection {projection.label!r}: its connection list has a column {unknown[0]!r}; "
                f"{type(projection.synapse_type).__name__} has {', '.join(known)}"
            )
        _refuse_strangers(self.conn_list, projection)
        if (connections := listed(self, projection)) is None:
            connectors.FromListConnector.connect(self, projection)
        else:
            projection.take(connections)


class FromFileConnector(FromListConnector, connectors.FromFileConnector):
    __doc__ = connectors.FromFileConnector.__doc__

    def __init__(self, file, distributed=False, location_selector=None, safe=True, callback=None) -> None:
        connectors.FromFileConnector.__init__(self, file, distributed, location_selector, safe, callback)

    def connect(self, projection) -> None:
        """Read the file and connect; raises ConnectionError for a cell that does not exist."""
        if self.distributed:
            self.file.rename(f"{self.file.name}.{projection._simulator.state.processes.rank}")
        columns = self.file.get_metadata().get("columns", ("weight", "delay"))
        self.column_names = [name for name in columns if name not in ("i", "j")]
        self.conn_list = np.atleast_2d(self.file.read())  # a file of one row is read as a row
        FromListConnector.connect(self, projection)


def _refuse_strangers(rows: np.ndarray, projection) -> None:
    if not rows.size:
        return
    for column, end, which in ((0, projection.pre, "pre"), (1, projection.post, "post")):
        cells = rows[:, column]
        outside = cells[~((cells >= 0) & (cells < end.size) & (cells == np.floor(cells)))]
        if len(outside):
            raise errors.ConnectionError(
                f"projection {projection.label!r}: {len(outside)} {which}synaptic cells of the connection list are out "
                f"of range (such as {outside[0]:g}); {end.label!r} has cells 0 to {end.size - 1}"
            )
