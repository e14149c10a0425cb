"""The single connections that a projection hands out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyNN import common

from evsim.pynn.present_synapses import present_synapses

if TYPE_CHECKING:
    from evsim.pynn.projections import Projection


class Connection(common.Connection):
    """One synapse of a projection; its attributes (weight, delay, ...) are read from there and written there."""

    _projection: Projection
    _index: int

    def __init__(self, projection: Projection, index: int) -> None:
        object.__setattr__(self, "_projection", projection)
        object.__setattr__(self, "_index", index)

    @property
    def presynaptic_index(self) -> int:
        """The cell in ``projection.pre``."""
        return present_synapses(self._projection).pair(self._index)[0]

    @property
    def postsynaptic_index(self) -> int:
        """The cell in ``projection.post``."""
        return present_synapses(self._projection).pair(self._index)[1]

    def __getattr__(self, name: str) -> float:
        if name not in (*self._projection.names, *self._projection.synapse_type.default_initial_values):
            raise AttributeError(f"a connection of {self._projection!r} has no attribute {name!r}")
        return self._projection.value(name, self._index)

    def __setattr__(self, name: str, value: float) -> None:
        if name not in self._projection.names:
            raise AttributeError(f"a connection of {self._projection!r} has no attribute {name!r}")
        self._projection.change_one(name, self._index, value)

    def as_tuple(self, *attribute_names: str) -> tuple:
        """The values of the attributes of those names."""
        return tuple(getattr(self, name) for name in attribute_names)
