"""Setting the attributes and state variables of a projection's synapses, while it has them in a network or not."""

from __future__ import annotations

import numpy as np
from pyNN import errors
from pyNN.parameters import LazyArray, ParameterSpace

from evsim import network
from evsim.network import frozen
from evsim.pynn import simulator
from evsim.pynn.columns import in_steps, on_grid, with_sign
from evsim.pynn.invalid import naming
from evsim.pynn.presence import on_the_whole
from evsim.pynn.present_synapses import refuse_change
from evsim.pynn.present_weights import present_weights
from evsim.pynn.read_out import ReadOut
from evsim.pynn.signs import Signs, sign_of
from evsim.pynn.sites import Sites
from evsim.synapses import Synapses


class Settable(ReadOut):
    """The part of a projection that changes its synapses.

    Attributes:
        takes_magnitudes: whether the sign of a weight is the receptor's, and left out where it is read.
        synapses: their ends, weights and delays, as they were set.
        parts: the projection as it is in the network, if that is still valid.
    """

    takes_magnitudes = False
    synapses: Synapses
    sites: Sites | Signs | None
    parts: tuple[network.Projection, ...] | None
    _delay: np.ndarray | None  # in ms, where the time steps do not tell it digit for digit
    _others: dict[str, np.ndarray]  # the parameters beside weight and delay

    def _begin(self) -> None:
        """Nothing was set, and the projection is in no network."""
        self.parts = None
        self._last_parts: tuple[network.Projection, ...] | None = None  # as it was in the network before
        self._writable: dict[str, np.ndarray] = {}  # the columns that no network holds a view of
        self._initial: dict[str, np.ndarray] = {}  # state variable -> initial values that were set
        self._times_set: dict[str, int] = {}

    @on_the_whole
    def set(self, **attributes) -> None:
        """Set attributes of all synapses; raises InvalidParameterValueError or InvalidDimensionsError."""
        with naming(f"projection {self.label!r}", attributes):
            super().set(**attributes)

    def change_one(self, name: str, index: int, value: float) -> None:
        """Set a parameter of one synapse."""
        refuse_change(self, name)
        with naming(f"projection {self.label!r}, connection {index}", {name: value}):
            value = float(value)
        column = self._own(name, self.column(name))
        if name == "delay":
            self._keep_weights()
            steps = self._own("steps", self.synapses.delay)
            column[index] = on_grid(value, simulator.state.dt)
            steps[index] = in_steps(column[[index]], simulator.state.dt)[0][0]
            self._delay, self.synapses = column, self.synapses.replaced(delay=frozen(steps))
            self._forget_parts()
        else:
            self.synapse_type.refuse(self.label, name, np.array([value], np.float64))
            column[index] = value
            self._replace(name, column)

    def _own(self, name: str, column: np.ndarray) -> np.ndarray:
        """The column as an array that no network holds a view of; a network that was built keeps its numbers."""
        if self.parts is not None:
            self._writable.clear()
        if name not in self._writable:
            self._writable[name] = np.array(column)
        return self._writable[name]

    def _set_attributes(self, parameter_space: ParameterSpace) -> None:
        for name, lazy in parameter_space.items():
            refuse_change(self, name)
            column = self._evaluated(lazy)
            self.synapse_type.refuse(self.label, name, column)
            self._writable.clear()
            self._replace(name, column)

    def _evaluated(self, matrix: LazyArray) -> np.ndarray:
        """The values (n,) of the synapses, from those of all pairs."""
        values = matrix.evaluate(simplify=True)
        if np.ndim(values):
            return np.array(values[self.sources, self.targets], np.float64)
        return np.broadcast_to(np.float64(values), len(self.synapses))

    def _replace(self, name: str, column: np.ndarray) -> None:
        if name != "weight":
            self._keep_weights()
        if name == "weight":
            if self.sites is not None:
                self.sites.refuse(column)
            column = with_sign(column, self._sign()) if self.takes_magnitudes else column
            self.synapses = self.synapses.replaced(weight=frozen(column))
        elif name == "delay":
            steps, self._delay = in_steps(column, simulator.state.dt)
            self.synapses = self.synapses.replaced(delay=frozen(steps))
        else:
            self._others[name] = column
        self._forget_parts()

    def _sign(self) -> int:
        """The sign that the receptor asks of weights."""
        return sign_of(str(self.receptor_type), self.post.conductance_based)

    def _keep_weights(self) -> None:
        """Before something else changes: go on from the weights that plastic synapses have by now."""
        if (present := present_weights(self)) is not None:
            self.synapses = self.synapses.replaced(weight=frozen(present))

    @on_the_whole
    def initialize(self, **initial_values) -> None:
        """Set state variables of the synapses; while a network runs, what they are now.

        Args:
            initial_values: in any of the forms that ``set`` takes.

        Raises:
            NonExistentParameterError: the synapses have no such variable.
            InvalidParameterValueError: a value is not one that it can have.
        """
        known = self.synapse_type.default_initial_values
        if unknown := initial_values.keys() - known.keys():
            raise errors.NonExistentParameterError(unknown.pop(), type(self.synapse_type).__name__, list(known))
        space = ParameterSpace(self._value_list_to_array(initial_values), dict.fromkeys(known, float), self.shape)
        matrices = dict(self._handle_distance_expressions(space).items())
        columns = {name: frozen(self._evaluated(matrix)) for name, matrix in matrices.items()}
        initial = {**self._initial, **columns}
        release = self.synapse_type.release(self.column, initial, {})
        for fault in release.faults() if release else ():
            raise errors.InvalidParameterValueError(f"projection {self.label!r}: {'; '.join(fault)}")
        self._keep_weights()
        self._initial = initial
        self._times_set |= {name: self._times_set.get(name, 0) + 1 for name in columns}
        self.initial_values |= matrices
        self._forget_parts()

    def _value_list_to_array(self, attributes: dict) -> dict:
        """Lists of one value for each connection as matrices; the matrix of connections is made only for them."""
        if any(isinstance(value, list) or np.ndim(value) == 1 for value in attributes.values()):
            return super()._value_list_to_array(attributes)
        return attributes

    def initial_state(self, name: str) -> np.ndarray:
        """What a state variable of every synapse (n,) was set to; to be read only."""
        rest = self.synapse_type.default_initial_values[name]
        return self._initial.get(name, np.broadcast_to(np.float64(rest), len(self.synapses)))

    def times_set(self, name: str) -> int:
        """How often a state variable was set."""
        return self._times_set.get(name, 0)

    def take_values(self, initial: dict, times_set: dict, columns: dict[str, np.ndarray]) -> None:
        """Have these parameters (n,) of the same synapses, and state variables, which were so often set."""
        self._writable.clear()
        weight = columns.pop("weight")
        steps, self._delay = in_steps(columns.pop("delay"), simulator.state.dt)
        self.synapses = self.synapses.replaced(weight=frozen(weight), delay=frozen(steps))
        self._others, self._initial, self._times_set = columns, initial, times_set
        self._forget_parts()

    def _forget_parts(self) -> None:
        if self.synapse_type.default_initial_values:  # others need not stay in memory
            self._last_parts = self.parts or self._last_parts
        self.parts = None
        simulator.state.changed()
