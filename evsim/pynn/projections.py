"""Projection, and the single connections that it hands out."""
# ruff: noqa: D101 - classes that PyNN documents keep its words

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pyNN import common, errors
from pyNN.parameters import ParameterSpace
from pyNN.space import Space

from evsim import network
from evsim.errors import EvsimError
from evsim.pynn import simulator
from evsim.pynn.columns import Columns, on_grid
from evsim.pynn.synapses import StaticSynapse
from evsim.synapses import is_constant


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
        return int(self._projection.sources[self._index])

    @property
    def postsynaptic_index(self) -> int:
        """The cell in ``projection.post``."""
        return int(self._projection.targets[self._index])

    def __getattr__(self, name: str) -> float:
        if name not in self._projection.attributes:
            raise AttributeError(f"a connection of {self._projection!r} has no attribute {name!r}")
        return float(self._projection.column(name)[self._index])

    def __setattr__(self, name: str, value: float) -> None:
        if name not in self._projection.attributes:
            raise AttributeError(f"a connection of {self._projection!r} has no attribute {name!r}")
        self._projection.change_one(name, self._index, value)

    def as_tuple(self, *attribute_names: str) -> tuple:
        """The values of the attributes of those names."""
        return tuple(getattr(self, name) for name in attribute_names)


class Projection(common.Projection):
    __doc__ = common.Projection.__doc__
    _simulator = simulator
    _static_synapse_class = StaticSynapse

    def __init__(
        self,
        presynaptic_neurons,
        postsynaptic_neurons,
        connector,
        synapse_type=None,
        source=None,
        receptor_type=None,
        space=Space(),  # noqa: B008 - PyNN's signature
        label: str | None = None,
    ) -> None:
        _refuse_old("presynaptic", presynaptic_neurons)
        _refuse_old("postsynaptic", postsynaptic_neurons)
        if not getattr(postsynaptic_neurons, "receptor_types", True):
            raise errors.ConnectionError(
                f"{postsynaptic_neurons.label!r} is made of spike sources, which take no input"
            )
        super().__init__(
            presynaptic_neurons, postsynaptic_neurons, connector, synapse_type, source, receptor_type, space, label
        )
        self.parts: tuple[network.Projection, ...] | None = None  # as it is in the network, if that is still valid
        self._own: set[str] = set()
        self._collected: Columns | None = Columns()
        connector.connect(self)
        self.sources, self.targets, self.attributes = self._collected.join(self.synapse_type.get_native_names())
        self._collected = None
        self.attributes["delay"] = _on_grid(self.attributes["delay"])
        simulator.state.projections.append(self)
        simulator.state.changed()

    def _convergent_connect(
        self, presynaptic_indices, postsynaptic_index, location_selector=None, **connection_parameters
    ) -> None:
        """Take over the synapses onto one cell, from a connector."""
        if location_selector is not None:
            raise NotImplementedError("evsim has point neurons only, so a connector cannot select a location")
        assert self._collected is not None, "connectors connect while the projection is created"
        self._collected.add(presynaptic_indices, postsynaptic_index, connection_parameters)

    def __len__(self) -> int:
        return len(self.sources)

    def __getitem__(self, i):
        if isinstance(i, slice):
            return [Connection(self, index) for index in range(*i.indices(len(self)))]
        if not -len(self) <= i < len(self):
            raise IndexError(f"connection {i} of a projection with {len(self)} connections")
        return Connection(self, i % len(self))

    @property
    def connections(self) -> Iterator[Connection]:
        """The connections, in the order in which they were created."""
        return iter(self)

    def column(self, name: str) -> np.ndarray:
        """One attribute of every synapse, in PyNN's units; to be read only."""
        return self.attributes[name]

    @property
    def shortest_delay(self) -> float:
        """In ms."""
        return float(_values(self.attributes["delay"]).min())

    @property
    def longest_delay(self) -> float:
        """In ms."""
        return float(_values(self.attributes["delay"]).max())

    # --- changing ----------------------------------------------------------------------------------------------------

    def change_one(self, name: str, index: int, value: float) -> None:
        """Set an attribute of one synapse."""
        if name not in self._own_columns() or is_constant(self.attributes[name]):
            self._replace(name, np.array(self.attributes[name]))
        self.attributes[name][index] = on_grid(value, simulator.state.dt) if name == "delay" else value

    def _set_attributes(self, parameter_space: ParameterSpace) -> None:
        for name, lazy in parameter_space.items():
            values = lazy.evaluate(simplify=True)
            if np.ndim(values):
                column = np.array(values[self.sources, self.targets], np.float64)
            else:
                column = np.broadcast_to(np.float64(values), len(self))
            self._replace(name, _on_grid(column) if name == "delay" else column)

    def _own_columns(self) -> set[str]:
        """The columns that no network holds a view of; a network that was built keeps the numbers it was built with."""
        if self.parts is not None:
            self._own.clear()
        return self._own

    def _replace(self, name: str, column: np.ndarray) -> None:
        self._own_columns().add(name)
        self.attributes[name] = column
        self.parts = None
        simulator.state.changed()

    def _set_initial_value_array(self, variable: str, initial_value) -> None:
        raise errors.NonExistentParameterError(
            variable, type(self.synapse_type).__name__, list(self.synapse_type.default_initial_values)
        )

    def _value_list_to_array(self, attributes: dict) -> dict:
        """Lists of one value for each connection as matrices; the matrix of connections is made only for them."""
        if any(isinstance(value, list) or np.ndim(value) == 1 for value in attributes.values()):
            return super()._value_list_to_array(attributes)
        return attributes

    # --- reading -----------------------------------------------------------------------------------------------------

    def _get_attributes_as_list(self, names: list[str]) -> list[tuple]:
        columns = {"presynaptic_index": self.sources, "postsynaptic_index": self.targets, **self.attributes}
        return list(zip(*(columns[name].tolist() for name in names), strict=True))

    def _get_attributes_as_arrays(self, names: list[str], multiple_synapses: str = "sum") -> list[np.ndarray]:
        return [self._matrix(self.attributes[name], multiple_synapses) for name in names]

    def _matrix(self, column: np.ndarray, multiple_synapses: str) -> np.ndarray:
        """An attribute as (pre, post), NaN where there is no connection; several of one pair are combined."""
        matrix = np.full(self.shape, np.nan)
        if multiple_synapses in ("first", "last"):
            order = np.arange(len(self))[:: -1 if multiple_synapses == "last" else 1]
            pairs = self.sources[order].astype(np.int64) * self.shape[1] + self.targets[order]
            pair, place = np.unique(pairs, return_index=True)
            matrix.flat[pair] = column[order[place]]
        else:
            combine, neutral = {
                "sum": (np.add, 0.0),
                "min": (np.minimum, np.inf),
                "max": (np.maximum, -np.inf),
            }[multiple_synapses]
            matrix[self.sources, self.targets] = neutral
            combine.at(matrix, (self.sources, self.targets), column)
        return matrix


def _refuse_old(which: str, end) -> None:
    """Populations of a network that was replaced by a later ``setup()`` cannot be connected any more."""
    for part in getattr(end, "populations", [end]):
        root = getattr(part, "grandparent", part)
        if isinstance(root, common.Population) and root not in simulator.state.populations:
            raise EvsimError(
                f"the {which} population {root.label!r} was created before the last setup(); create it again after it"
            )


def _on_grid(delay: np.ndarray) -> np.ndarray:
    values = on_grid(_values(delay), simulator.state.dt)
    return np.broadcast_to(values[0], delay.shape) if is_constant(delay) else values


def _values(column: np.ndarray) -> np.ndarray:
    return column[:1] if is_constant(column) else column
