"""Cell types of a user's own, written in a script: parameters and states with their units, and one time step.

    from evsim.pynn.own_cells import cell_type, parameter, state

    @cell_type
    class LeakyIntegrator:
        \"\"\"v' = (v_rest - v) / tau_m + i / cm, with charges (nA ms) as input.\"\"\"

        v_rest = parameter(-65.0, "mV")
        tau_m = parameter(20.0, "ms", above_zero=True)
        cm = parameter(1.0, "nF", above_zero=True)
        v = state(-65.0, "mV")

        def constants(dt, tau_m):
            return {"kept": np.exp(-dt / tau_m)}

        def step(v, kept, v_rest, cm, dt, drive, excitatory, inhibitory):
            v = v_rest + (v - v_rest) * kept + (drive * dt + excitatory + inhibitory) / cm
            fired = v >= -50.0
            return (v_rest if fired else v), fired

What the decorator returns is a cell type like those of PyNN. ``docs/own_models.md`` explains it by an example.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, overload

import numpy as np
from pyNN.standardmodels import StandardCellType

from evsim import registry
from evsim.errors import EvsimError
from evsim.model import CHANCE, Cells, NeuronModel, Readout, Rule, Values, arguments, table
from evsim.pynn import own_types
from evsim.pynn.cells import own_cell
from evsim.pynn.declared import function_of, parameter, parameters_of, state, states_of

__all__ = ["cell_type", "parameter", "state"]

DRIVE, STEP, OFFSET = "drive", "dt", "i_offset"


@overload
def cell_type(declared: type) -> type[StandardCellType]: ...
@overload
def cell_type(
    *, receptors: Sequence[str] = ..., weight_unit: str = ...
) -> Callable[[type], type[StandardCellType]]: ...
def cell_type(
    declared: type | None = None,
    *,
    receptors: Sequence[str] = ("excitatory", "inhibitory"),
    weight_unit: str = "nA",
) -> Any:
    """Make a cell type of a class that declares parameters, states and a time step; a decorator.

    The class has, besides ``parameter``s and ``state``s,

    - ``step(...)``: one time step of one neuron. It asks by name for states, parameters, constants, ``dt`` (ms),
      receptors (the sum of the weights of the spikes that are due, after which it is 0), ``drive`` (nA: the parameter
      ``i_offset``, if there is one, and what is injected) and ``chance`` (a random number from 0 to 1). It returns the
      states, in the order in which they are declared, and whether the neuron spikes. It is compiled;
      ``evsim.model.Rule`` says how to write it fast.
    - ``constants(...)``, if wanted: from ``dt`` and parameters, as arrays with a number for each cell, what a step
      need not compute anew: name -> array. It is called before a run, and where parameters change.

    It computes in double precision, in the rule set ``ideal``; a chip refuses it.

    Args:
        receptors: their names; the first one is PyNN's default.
        weight_unit: of the weights: ``"nA"``, ``"uS"`` (they are then never negative), ``"mV"`` or ``"dimensionless"``.

    Raises:
        EvsimError: the class lacks something, or its parts do not fit together.
    """

    def decorate(declared: type) -> type[StandardCellType]:
        model = _Declaration(declared, tuple(receptors), weight_unit).model()
        registry.register(model)
        members = {"model_name": model.name, "__doc__": declared.__doc__, "__module__": declared.__module__}
        made: Any = type(declared.__name__, (own_cell(model),), members)
        own_types.note(made)
        return made

    return decorate if declared is None else decorate(declared)


class _Declaration:
    """What a class declares, checked."""

    def __init__(self, declared: type, receptors: tuple[str, ...], weight_unit: str) -> None:
        self.name, self.receptors, self.weight_unit = declared.__name__, receptors, weight_unit
        self.parameters, self.states = parameters_of(declared), states_of(declared)
        self.step = function_of(declared, "step", f"cell type {self.name}")
        has_constants = "constants" in vars(declared)
        self.constants = function_of(declared, "constants", f"cell type {self.name}") if has_constants else None
        self.defaults = {key: value.default for key, value in (self.parameters | self.states).items()}
        self._check_names()
        self.asked = arguments(self.step)
        # what a step of a cell with default values may ask for
        self.tried = self._rows({key: np.full(1, value) for key, value in self.defaults.items()}, 1.0)
        self._check_step()

    def _check_names(self) -> None:
        if not self.states:
            raise EvsimError(
                f"cell type {self.name} has no state; declare at least one, such as v = state(-65.0, 'mV')"
            )
        given = [*self.parameters, *self.states, *self.receptors, DRIVE, STEP, CHANCE]
        if twice := sorted({key for key in given if given.count(key) > 1}):
            raise EvsimError(f"cell type {self.name}: {', '.join(twice)} stands for two things; rename one")
        if self.constants and (
            odd := [key for key in arguments(self.constants) if key not in (*self.parameters, STEP)]
        ):
            raise EvsimError(
                f"cell type {self.name}: constants() asks for {', '.join(odd)}; it may have dt and parameters"
            )

    def _check_step(self) -> None:
        known = {*self.states, *self.receptors, DRIVE, CHANCE, *self.tried}
        if odd := [key for key in self.asked if key not in known]:
            raise EvsimError(
                f"cell type {self.name}: step() asks for {', '.join(odd)}; there are {', '.join(sorted(known))}"
            )
        if deaf := [key for key in self.receptors if key not in self.asked]:
            raise EvsimError(f"cell type {self.name}: step() does not take what arrives at {', '.join(deaf)}")

    def _rows(self, values: Values, dt: float) -> dict[str, np.ndarray]:
        """Whatever a step may ask for that stays the same: parameters, ``dt`` and constants."""
        rows = {key: np.asarray(values[key], np.float64) for key in self.parameters} | {STEP: np.full(1, dt)}
        if self.constants is None:
            return rows
        made = self.constants(**{key: rows[key] if key != STEP else dt for key in arguments(self.constants)})
        if not isinstance(made, Mapping):
            raise EvsimError(f"cell type {self.name}: constants() gives {type(made).__name__}; give a dict of arrays")
        if twice := sorted({*made} & {*rows, *self.states, *self.receptors, DRIVE, CHANCE}):
            raise EvsimError(f"cell type {self.name}: constants() gives {', '.join(twice)}, which there is already")
        return rows | {key: np.atleast_1d(np.asarray(value, np.float64)) for key, value in made.items()}

    def model(self) -> NeuronModel:
        """The model, for the registry; raises EvsimError."""
        units = {key: value.unit for key, value in self.states.items()}
        self._try_step()
        return NeuronModel(
            name=registry.free_name(self.name),  # a class that is declared anew is another model
            parameters={key: value.unit for key, value in self.parameters.items()},
            states=units,
            recordables=units,
            weight_unit=self.weight_unit,
            rules={"ideal": self._rule()},
            receptors=self.receptors,
            above_zero=frozenset(key for key, value in self.parameters.items() if value.above_zero),
            not_negative=frozenset(key for key, value in self.parameters.items() if value.not_negative),
            defaults=self.defaults,
            injectable=DRIVE in self.asked,
        )

    def _try_step(self) -> None:
        """One step of that cell, to see that it gives what it should."""
        here = dict.fromkeys((*self.receptors, DRIVE, CHANCE), 0.0)
        here |= {key: row.item(0) for key, row in self.tried.items()}
        here |= {key: self.defaults[key] for key in self.states}
        found = self.step(**{key: here[key] for key in self.asked})
        wanted = f"{', '.join(self.states)} and whether the neuron spikes"
        if not isinstance(found, tuple) or len(found) != len(self.states) + 1:
            n = len(found) if isinstance(found, tuple) else 1
            raise EvsimError(f"cell type {self.name}: step() returns {n} values; return {wanted}")

    def _rule(self) -> Rule:
        constant = tuple(key for key in self.asked if key in self.tried)
        heard = [key for key in self.asked if key in self.receptors]
        return Rule(
            self._converter(constant),
            self.step,
            states=tuple(self.states),
            parameters=constant,
            inputs={receptor: row for row, receptor in enumerate(heard)},
        )

    def _converter(self, constant: tuple[str, ...]) -> Callable[[Values, Values, float, None], Cells]:
        def convert(values: Values, initial: Values, dt: float, scale: None) -> Cells:
            rows = self._rows(values, dt)
            state = np.array([np.array(initial[key], np.float64) for key in self.states])
            n = state.shape[1]
            return Cells(
                state=state,
                parameters=table(*(rows[key] for key in constant)),
                drive=np.array(np.broadcast_to(values.get(OFFSET, np.zeros(1)), n), np.float64),
                drive_per_nA=1.0,
                readouts={key: Readout(row) for row, key in enumerate(self.states)},
            )

        return convert
