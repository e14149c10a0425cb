"""Population and PopulationView."""
# ruff: noqa: D101 - classes that PyNN documents keep its words

from __future__ import annotations

import reprlib
from collections.abc import Collection
from typing import Any

import numpy as np
from pyNN import common, errors
from pyNN.models import BaseCellType
from pyNN.parameters import ArrayParameter, LazyArray, ParameterSpace, simplify
from pyNN.standardmodels import StandardCellType

from evsim import network, registry
from evsim.model import NeuronModel
from evsim.pynn import estimate, placement, simulator
from evsim.pynn.array_parameters import refuse_malformed
from evsim.pynn.assemblies import Assembly
from evsim.pynn.data_files import write_at_end
from evsim.pynn.graph import model_name
from evsim.pynn.invalid import InvalidValueError, naming
from evsim.pynn.multicompartment import MultiCompartmentNeuron
from evsim.pynn.presence import local_cells, on_the_whole
from evsim.pynn.recording import Recorder
from evsim.pynn.sites import present


class _Cells:
    """What a population and a view of it have in common: both work on the population's own arrays."""

    celltype: StandardCellType
    size: int
    label: str
    all_cells: np.ndarray

    def _root(self) -> Population:
        raise NotImplementedError

    def _places(self) -> slice | np.ndarray:
        """Where the cells are in the population at the root."""
        raise NotImplementedError

    # --- what of it is on this process -------------------------------------------------------------------------------

    @property
    def _mask_local(self) -> np.ndarray:
        """(size,) which cells are local; PyNN's own classes set it, and cells would not follow ``whole``."""
        root, state = self._root(), simulator.state
        return local_cells(int(root.first_id), root.size, state.mpi_rank, state.num_processes)[self._places()]

    @_mask_local.setter
    def _mask_local(self, _: np.ndarray) -> None: ...

    @property
    def local_cells(self) -> np.ndarray:
        """The cells on this process."""
        return self.all_cells[self._mask_local]

    @local_cells.setter
    def local_cells(self, _: np.ndarray) -> None: ...

    def is_local(self, id) -> bool:
        """Whether a cell is on this process."""
        return simulator.state.is_here(id)

    def get(self, parameter_names, gather=False, simplify=True):
        """The values of parameters, of the local cells; of all, on process 0, where they are gathered."""
        with simulator.state.gathered(gather):
            return super().get(parameter_names, False, simplify)  # type: ignore[misc]

    def save_positions(self, file) -> None:
        """Write the positions of all cells to a file, once."""
        if simulator.state.mpi_rank == 0:
            super().save_positions(file)  # type: ignore[misc]

    # --- recording and changing --------------------------------------------------------------------------------------

    def _get_view(self, selector, label=None) -> PopulationView:
        return PopulationView(self, selector, label)

    def record(self, variables, to_file=None, sampling_interval=None, locations=None) -> None:
        """Record variables of all cells; ``to_file`` is the name of a file for ``end()`` to write, or a Neo IO."""
        wanted = [variables] if isinstance(variables, str) else variables or ()
        if network.REWIRING in wanted and self is not self._root():
            raise InvalidValueError(
                f"view {self.label!r}: what comes and goes of synapses is recorded of a whole population; record "
                f"{network.REWIRING!r} of {self._root().label!r}"
            )
        super().record(variables, None, sampling_interval, locations)  # type: ignore[misc]
        write_at_end(self, variables, to_file)  # PyNN takes names only

    @on_the_whole
    def set(self, **parameters) -> None:
        """Set parameters of all cells; raises InvalidParameterValueError or InvalidDimensionsError."""
        with naming(f"population {self._root().label!r}", parameters):
            super().set(**parameters)  # type: ignore[misc]

    @on_the_whole
    def initialize(self, **initial_values) -> None:
        """Set initial values of all cells; raises InvalidParameterValueError."""
        with naming(f"population {self._root().label!r}", initial_values):
            super().initialize(**initial_values)  # type: ignore[misc]

    def inject(self, current_source, location=None) -> None:
        """Inject a current into all cells, at a location if one is named; see ``inject_into`` of a current source."""
        current_source.inject_into(self, location)

    def own_name(self, variable: str) -> str:
        """The model's name of a variable, which sPyNNaker calls gsyn where it is a current, too."""
        return self.name_in(variable, self.celltype.recordable)

    def name_in(self, variable: str, known: Collection[str]) -> str:
        """``own_name`` among the variables of some rule sets; what sPyNNaker says of two currents is their sum."""
        is_own = variable in known or not self._root().says_gsyn_of_currents
        current = variable.replace("gsyn_", "isyn_")
        return variable if is_own or f"{current}2" in known or current not in known else current

    def can_record(self, variable: str, location=None) -> bool:
        """Whether a variable can be recorded; what comes and goes of synapses, of whole populations of neurons."""
        if variable == network.REWIRING:
            neurons = isinstance(registry.cell_model(model_name(self.celltype)), NeuronModel)
            return neurons and location is None
        return self.celltype.can_record(self.own_name(variable), location)

    def find_units(self, variable) -> str:
        """The unit of a variable."""
        return self.celltype.units[self.own_name(variable.name)]  # type: ignore[attr-defined]

    def _get_parameters(self, *names: str) -> ParameterSpace:
        return self._get_native_parameters(*names)  # evsim's names and units are PyNN's

    def _get_native_parameters(self, *names: str) -> ParameterSpace:
        values, places = self._root().values, self._places()
        if unknown := [name for name in names if name not in values]:
            raise errors.NonExistentParameterError(unknown[0], type(self.celltype).__name__, list(values))
        local, size = slice(None), self.size
        if simulator.state.num_processes > 1:
            local, size = self._mask_local, self.local_size  # type: ignore[attr-defined]
        chosen = {name: values[name][places][local] for name in names}
        found = {name: simplify(column) if size else column for name, column in chosen.items()}
        return ParameterSpace(found, self.celltype.get_schema(), shape=(size,))

    def _set_parameters(self, parameter_space: ParameterSpace) -> None:
        parameter_space.shape = (self.size,)
        for name, value in parameter_space.items():
            try:
                values = _evaluated(value, self.size)
            except ValueError as error:
                raise errors.InvalidParameterValueError(f"{name} of {type(self.celltype).__name__}: {error}") from None
            self._root().change_value(name, self._places(), values)

    def _set_initial_value_array(self, variable: str, initial_values: LazyArray) -> None:
        values = _evaluated(initial_values, self.size)
        self._refuse_derived(variable, values)
        if not initial_values.is_homogeneous:  # random values are drawn once, or they could not be read again
            initial_values.base_value, initial_values.operations = values, []
        self._root().change_initial(variable, self._places(), values)

    def _refuse_derived(self, variable: str, values: np.ndarray) -> None:
        """Refuse to set what a cell type has no state of its own for, such as v_t and i_eta of GIF_cond_exp."""
        model = registry.cell_model(model_name(self.celltype))
        default = self.celltype.default_initial_values.get(variable)
        if not isinstance(model, NeuronModel) or variable in model.states or default is None:
            return
        parameter = model.begins.get(variable)
        begins = self._root().values[parameter][self._places()] if parameter else np.full(self.size, default)
        wrong = np.flatnonzero((values != begins) & (values != default))  # the default is what PyNN gives unasked
        if len(wrong):
            value, known = values[wrong[0]], begins[wrong[0]]
            said = f"{value:g}" if np.isfinite(value) else f"{value:g}, not a finite number"
            raise errors.InvalidParameterValueError(
                f"population {self._root().label!r}: the initial {variable} is {said}; in {model.name} it follows from "
                f"the spikes and begins at {known:g}" + (f", which is {parameter}" if parameter else "")
            )

    def _set_cell_initial_value(self, id, variable: str, value: float) -> None:
        index = self.id_to_index(id)  # type: ignore[attr-defined]
        self._get_view(slice(index, index + 1)).initialize(**{variable: value})


class PopulationView(_Cells, common.PopulationView):
    __doc__ = common.PopulationView.__doc__
    _simulator = simulator
    _assembly_class = Assembly

    def _root(self) -> Population:
        return self.grandparent

    def _places(self) -> np.ndarray:
        return self.index_in_grandparent(np.arange(self.size))

    @property
    def initial_values(self) -> dict[str, LazyArray]:
        """The initial values of the cells of this view; a copy, which ``initialize`` changes at the source."""
        places = self._places()
        return {name: LazyArray(values[places]) for name, values in self._root().initial.items()}


class Population(_Cells, common.Population):
    __doc__ = common.Population.__doc__
    _simulator = simulator
    _recorder_class = Recorder
    _assembly_class = Assembly
    says_gsyn_of_currents = False  # as sPyNNaker does

    def __init__(
        self,
        size,
        cellclass,
        cellparams=None,
        structure=None,
        initial_values: Any = None,
        label: str | None = None,
        **placement_words: Any,
    ) -> None:
        placement.leave_out(placement_words, label)
        _refuse_size(size, label)
        _refuse_cells(cellclass, cellparams, label)
        self.values: dict[str, np.ndarray] = {}  # parameter -> (size,) array, which may be one value broadcast
        self.initial: dict[str, np.ndarray] = {}  # the same for state variables
        self.times_set: dict[str, np.ndarray] = {}  # how often each of them was set
        self.part: network.Population | None = None  # as it is in the network, if that is still valid
        if isinstance(cellclass, type) and cellparams is None:
            cellparams = {}
        with simulator.state.whole():
            super().__init__(size, cellclass, cellparams, structure, initial_values or {}, label)
        if isinstance(self.celltype, MultiCompartmentNeuron):
            self.synapses_present = present(self.celltype, self.size, len(simulator.state.populations))
        simulator.state.populations.append(self)
        simulator.state.changed()

    add_placement_constraint, set_constraint, set_max_atoms_per_core = map(placement.ignored, placement.METHODS)

    def _root(self) -> Population:
        return self

    def _places(self) -> slice:
        return slice(None)

    def _create_cells(self) -> None:
        state = simulator.state
        estimate.refuse_cells(self.label, self.size, state, self.celltype)
        self._refuse_shapes()
        first = state.id_counter
        state.id_counter += self.size
        kind = type("ID", (simulator.ID,), {"parent": self, "__module__": simulator.__name__})
        if state.processes.count > 1:
            kind.local = property(state.is_here)  # type: ignore[assignment]
        self.all_cells = np.empty(self.size, object)
        self.all_cells[:] = list(map(kind, range(first, first + self.size)))
        parameters = self.celltype.native_parameters
        parameters.shape = (self.size,)
        values = {name: _evaluated(value, self.size) for name, value in parameters.items()}
        refuse_malformed(self.label, registry.cell_model(model_name(self.celltype)), values)
        self.values = values

    def _refuse_shapes(self) -> None:
        for name, value in self.celltype.parameter_space.items():
            if value.shape not in (None, (self.size,)):
                raise errors.InvalidDimensionsError(
                    f"population {self.label!r}: {name} has the shape {value.shape}; there are {self.size} cells"
                )

    def change_value(self, name: str, places: slice | np.ndarray, values: np.ndarray) -> None:
        """Set a parameter of some cells."""
        changed = {**self.values, name: _changed(self.values[name], places, values)}
        refuse_malformed(self.label, registry.cell_model(model_name(self.celltype)), changed)
        self.values = changed
        self._forget_part()

    def change_initial(self, variable: str, places: slice | np.ndarray, values: np.ndarray) -> None:
        """Set a state variable of some cells: its value now, and again after each reset."""
        known = {**_settling(self.celltype), **self.celltype.default_initial_values}
        if variable not in known:
            raise errors.NonExistentParameterError(variable, type(self.celltype).__name__, list(known))
        before = self.initial.get(variable)
        if before is None:  # a default may be a distribution, of which all cells get their values first
            before = values if isinstance(places, slice) else _broadcast(known[variable], self.size)
        self.initial[variable] = _changed(before, places, values)
        counts = np.array(self.times_set.get(variable, np.zeros(self.size, np.int32)))
        counts[places] += 1
        self.times_set[variable] = counts
        if not isinstance(places, slice):
            self.initial_values[variable] = LazyArray(self.initial[variable])
        self._forget_part()

    def have_initial(self, variable: str) -> None:
        """Have a value of a state variable for each cell; what it is where none was set."""
        known = {**_settling(self.celltype), **self.celltype.default_initial_values}
        self.initial.setdefault(variable, _broadcast(known[variable], self.size))
        self.times_set.setdefault(variable, np.zeros(self.size, np.int32))

    def changed(self) -> None:
        """Say that the tables were changed from outside."""
        for variable, values in self.initial.items():
            self.initial_values[variable] = LazyArray(values)
        self._forget_part()

    def _forget_part(self) -> None:
        self.part = None
        simulator.state.changed()


def _settling(celltype: StandardCellType) -> dict[str, float]:
    """The variables that need no initial value, which then have none."""
    model = registry.cell_model(model_name(celltype))
    return dict.fromkeys(model.settling if isinstance(model, NeuronModel) else (), np.nan)


def _refuse_cells(cellclass: Any, cellparams: Any, label: str | None) -> None:
    where = f"population {label!r}" if label else "a population"
    is_made = isinstance(cellclass, BaseCellType)
    if not is_made and not (isinstance(cellclass, type) and issubclass(cellclass, BaseCellType)):
        raise InvalidValueError(f"{where} was given {cellclass!r} as cells; give it a cell type, such as IF_curr_exp()")
    if is_made and cellparams is not None:
        raise InvalidValueError(
            f"{where} was given {reprlib.repr(cellparams)} beside a cell type that has its parameters; give them to "
            f"{type(cellclass).__name__}(...)"
        )


def _refuse_size(size: Any, label: str | None) -> None:
    counts = size if isinstance(size, tuple) else (size,)
    if not all(isinstance(count, int | np.integer) and count > 0 for count in counts) or len(counts) not in (1, 2, 3):
        raise errors.InvalidParameterValueError(
            f"population {label!r}: a size of {size!r}; it must be a whole number from 1 on, or a tuple of up to 3 such"
        )


def _evaluated(lazy: LazyArray, size: int) -> np.ndarray:
    """The values as an array (size,); one that is the same for all stays one value in memory."""
    values = lazy.evaluate(simplify=lazy.is_homogeneous)
    return values if isinstance(values, np.ndarray) and values.ndim else _broadcast(values, size)


def _broadcast(value, size: int) -> np.ndarray:
    single = np.empty((), object if isinstance(value, ArrayParameter) else np.float64)
    single[()] = value
    return np.broadcast_to(single, size)


def _changed(before: np.ndarray, places: slice | np.ndarray, values: np.ndarray) -> np.ndarray:
    """A new array: the one before belongs to a network that may be running."""
    if isinstance(places, slice):
        return values
    after = np.array(before)
    after[places] = values
    return after
