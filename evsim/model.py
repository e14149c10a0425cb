"""What a model declares: its parameters, its states, and one implementation for each rule set that can hold it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Readout:
    """How a recordable variable is read from a neuron's state: ``state[row] * scale + offset``.

    Attributes:
        scale, offset: physical units per unit of the state; a number, or one for each cell.
    """

    row: int
    scale: float | NDArray[np.float64] = 1.0
    offset: float | NDArray[np.float64] = 0.0

    def physical(self, raw: np.ndarray, cells: NDArray[np.int64]) -> NDArray[np.float64]:
        """Samples (samples, cells) of the state of some cells, in physical units."""
        return np.asarray(raw * _of_cells(self.scale, cells) + _of_cells(self.offset, cells), np.float64)


def _of_cells(value: float | NDArray[np.float64], cells: NDArray[np.int64]) -> NDArray[np.float64]:
    array = np.asarray(value, np.float64)
    return array[cells] if array.ndim and len(array) > 1 else array


@dataclass(frozen=True, eq=False)
class Cells:
    """Neurons of one population in the numbers of a rule set: what a step function works on.

    Attributes:
        state: (states, n) of the rule set's number type, at t = 0.
        parameters: (parameters, n), or (parameters, 1) where every cell has the same.
        drive: (n,) of the number type; the constant input current of each cell (i_offset).
        drive_per_nA: (n,) or scalar; how much an injected nA adds to ``drive``.
        readouts: recordable variable -> how to read it.
        effective: parameter -> (n,) in physical units, the values that the chip really holds; only those that differ
            from what was asked for because of quantisation need be given.
    """

    state: np.ndarray
    parameters: np.ndarray
    drive: np.ndarray
    drive_per_nA: float | np.ndarray
    readouts: Mapping[str, Readout]
    effective: Values = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Rule:
    """A neuron model in the arithmetic of one rule set.

    Attributes:
        convert: ``convert(values, initial, dt, scale) -> Cells``: physical parameters and initial values, the time
            step (ms) and the scale that the rule set chose for this population (None in ``ideal``).
        step: a plain function that the engine compiles, ``step(state, parameters, inputs, drive, spiked, tally)``:
            advances every cell of a population by one time step, writes the indices of those that spiked into
            ``spiked`` and returns their number; see ``evsim.compile`` for the types.
        receive: for rule sets that record between the arrival of input and the update (``RuleSet.records_received``):
            a function of the same form as ``step`` that adds ``inputs`` to the state (its return value is not used).
            It runs at the start of step k; then the state is sampled for label k; then ``step`` runs and ignores
            ``inputs``. None elsewhere: there ``step`` uses ``inputs`` itself.
        inputs: receptor -> row of ``inputs``; two receptors may share a row. The engine clears the rows.
        tallies: what each place of ``tally`` counts.
        needs: ``needs(values, initial, dt)``: for rule sets that choose a scale for each population, what the choice
            depends on; None elsewhere.
        note: a sentence for users about what this rule does otherwise than ``ideal``, apart from its numbers.
    """

    convert: Callable[[Values, Values, float, Any], Cells]
    step: Callable[..., int]
    inputs: Mapping[str, int]
    tallies: tuple[str, ...] = ()
    receive: Callable[..., int] | None = None
    needs: Callable[[Values, Values, float], Any] | None = None
    note: str = ""

    @property
    def n_inputs(self) -> int:
        """The number of input rows."""
        return max(self.inputs.values()) + 1


@dataclass(frozen=True, eq=False)
class NeuronModel:
    """A point neuron.

    Attributes:
        name: PyNN's name of it.
        parameters: name -> unit.
        states: state variable with an initial value -> unit.
        recordables: variable other than spikes -> unit.
        weight_unit: ``"nA"``, ``"uS"`` or ``"mV"``.
        rules: rule set -> implementation.
        above_zero, not_negative: the parameters that must be; the other ones may have any sign.
    """

    name: str
    parameters: Mapping[str, str]
    states: Mapping[str, str]
    recordables: Mapping[str, str]
    weight_unit: str
    rules: Mapping[str, Rule]
    receptors: tuple[str, ...] = ("excitatory", "inhibitory")
    above_zero: frozenset[str] = frozenset()
    not_negative: frozenset[str] = frozenset()

    @property
    def has_conductances(self) -> bool:
        """Whether a weight is a conductance, which is never negative; the reversal potential decides the sign."""
        return self.weight_unit == "uS"


@dataclass(frozen=True, eq=False)
class SourceModel:
    """A population that only emits spikes; every backend is given the same drawn trains.

    Attributes:
        draw: which generator of ``evsim.sources`` makes its spikes: ``"given"`` or ``"poisson"``.
        above_zero, not_negative: as those of ``NeuronModel``.
    """

    name: str
    parameters: Mapping[str, str]
    draw: str
    above_zero: frozenset[str] = frozenset()
    not_negative: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False)
class SynapseModel:
    """A kind of synapse, and the rule sets that have it."""

    name: str
    rules: frozenset[str]


Model = NeuronModel | SourceModel | SynapseModel


def in_rules(model: Model, rules: str) -> bool:
    """Whether a rule set has a model; spike sources are the same in all of them."""
    return isinstance(model, SourceModel) or rules in model.rules
