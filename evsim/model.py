"""What a model declares: its parameters, its states, and one implementation for each rule set that can hold it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evsim.equations import Equations
from evsim.errors import Problem
from evsim.network import Network, Population, Projection
from evsim.pair_rule import PairRule
from evsim.release import Release
from evsim.rulesets import RULE_SETS

Values = Mapping[str, NDArray[np.float64]]

TALLY_PLACES = 8
SUBSTEPS = "substeps"  # the parameter row that says how many substeps a time step has
PAYLOAD = "payload"  # the state row of graded spikes
CHANCE = "chance"  # the argument that is a random number
GAP = "gap"  # the receptor of gap junctions, which every cell with a membrane has


@dataclass(frozen=True)
class Readout:
    """How a recordable variable is read from a neuron's state: ``state[row] * scale + offset``.

    Attributes:
        scale, offset: physical units per unit of the state; a number, or one for each cell.
        beside: further rows of the state that begin anew, from what ``convert`` gives, where the variable is set.
    """

    row: int
    scale: float | NDArray[np.float64] = 1.0
    offset: float | NDArray[np.float64] = 0.0
    beside: tuple[int, ...] = ()

    def physical(self, raw: np.ndarray, cells: NDArray[np.int64]) -> NDArray[np.float64]:
        """Samples (samples, cells) of the state of some cells, in physical units."""
        return np.asarray(raw * _of_cells(self.scale, cells) + _of_cells(self.offset, cells), np.float64)


def _of_cells(value: float | NDArray[np.float64], cells: NDArray[np.int64]) -> NDArray[np.float64]:
    array = np.asarray(value, np.float64)
    return array[cells] if array.ndim and len(array) > 1 else array


@dataclass(frozen=True, eq=False)
class Cells:
    """Neurons of one population in the numbers of a rule set: what its functions work on.

    Attributes:
        state: (states, n) of the rule set's number type, at t = 0.
        parameters: (parameters, n), or (parameters, 1) where every cell has the same.
        drive: (n,) of the number type; the constant input current of each cell (i_offset). (places, n) of a model with
            several ``places``.
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


def table(*rows: np.ndarray, dtype: type = np.float64) -> np.ndarray:
    """Rows of constants, (rows, n); (rows, 1) where every cell has the same, so that a step reads them once."""
    if not rows:
        return np.empty((0, 1), dtype)
    arrays = np.broadcast_arrays(*[np.atleast_1d(row) for row in rows])
    if all((row == row[:1]).all() for row in arrays):
        arrays = [row[:1] for row in arrays]
    return np.ascontiguousarray(np.stack(arrays).astype(dtype))


@dataclass(frozen=True, eq=False)
class Rule:
    """A neuron model in the arithmetic of one rule set.

    The arithmetic is given for *one* neuron, by functions of numbers; evsim writes the loop over neurons around them,
    which the compiler turns into vector instructions. A leaky integrator with a jump for every spike, for example::

        def neuron(v, kept, per_drive, v_thresh, v_reset, jump, drive):
            v = kept * v + per_drive * drive + jump
            fired = v >= v_thresh
            return (v_reset if fired else v), fired

        Rule(
            convert,
            neuron,
            states=("v",),
            parameters=("kept", "per_drive", "v_thresh", "v_reset"),
            inputs={"excitatory": 0, "inhibitory": 0},
        )

    A function asks for what it needs by the names of its arguments: rows of the state, of the parameters, ``drive``.
    Any other argument is a row of input, the first one row 0. It returns all rows of the state, in their order.

    What happens at random is decided by the argument ``chance`` of ``neuron``: a float64 uniform in [0, 1), another one
    for each neuron and step, which depends on the network's seed, the population, the cell and the step alone::

        fired = chance < 1.0 - exp(-rate * dt)

    The functions are compiled by numba. They should be free of branches: ``a if condition else b`` of two computed
    values is one instruction, as are ``&`` and ``|`` of conditions; an ``if`` with work in it or a call of a library
    function such as ``exp`` makes the loop ten times slower. Functions that they call must be decorated with
    ``numba.extending.register_jitable``. Floats are float64; where the order of rounding is not fixed by another
    simulator, ``evsim.arithmetic.fused.fma`` is quicker than a product and a sum. Integers come as 64-bit ones; of what
    is stored in a row of 32 bits the low 32 are kept. Sums and products of 32 bits are several times as quick by the
    functions of ``evsim.arithmetic.registers``. None of them may raise exceptions.

    Attributes:
        convert: ``convert(values, initial, dt, scale) -> Cells``: physical parameters and initial values, the time
            step (ms) and the scale that the rule set chose for this population (None in ``ideal``).
        neuron: ``neuron(...) -> (*state, fired, *lost)``: one time step of a neuron. ``fired`` is whether it spikes;
            ``lost`` is a number or a condition for each of ``tallies``.
        states, parameters: the names of the rows that ``convert`` makes, in their order.
        inputs: receptor -> row of input, which holds the sum of the weights that are due; two receptors may share a
            row. The engine clears the rows.
        tallies: what the arithmetic loses that is counted, e.g. ``("saturated", "wrapped")``; at most 8.
        receive: for rule sets that record between the arrival of input and the update (``RuleSet.records_received``):
            ``receive(...) -> (*state, *lost)``, which adds the input to the state. It runs at the start of step k; then
            the state is sampled for label k; then ``neuron`` runs, which gets no input. None elsewhere.
        substep: where a step is made of several: ``substep(...) -> (*state, hard)``, called for every neuron as often
            as the parameter named ``substeps`` says, which is the same in all cells; then comes ``neuron``. It gets no
            input. Where ``hard`` is true its result is not used.
        hard_substep: ``hard_substep(...) -> (*state,)``: the substep where ``substep`` found it hard; called for one
            neuron after another, so branches cost little here.
        payload_unit: where spikes are graded: ``payload_unit(values)`` says what a payload of 1 stands for. The state
            named ``payload`` then holds the number that a spike found in this step carries: what the weights of its
            synapses are multiplied by. None where a spike is a spike.
        needs: ``needs(values, initial, dt)``: for rule sets that choose a scale for each population, what the choice
            depends on; None elsewhere.
        note: a sentence for users about what this rule does otherwise than ``ideal``, apart from its numbers.
        defects: ``defects(where, values, dt)``: where the chip's own firmware does otherwise than it should with these
            parameters and this time step; such a network can run, and does the same. ``where`` names the population.
        limits: parameter -> the least and the largest value that the arithmetic can compute with, where there are such.
        sums: state -> the row of input that is added to it at the end of a step, and of no other use; a state that is 0
            stays so without input. Where all rows of input are such, what is due is added to the states themselves.
        counters: state that counts steps down -> the parameter that it counts from; its numbers are whole and not
            negative, and no variable is read from it. Of rule sets in floating point. The functions are given both as
            16-bit integers where they fit: ``arithmetic.counters.count_down`` keeps to these.
        derive: ``derive(state, parameters) -> state``: the rows (states, n), with those that follow from others made
            anew, after states or parameters were set in the middle of a run; None where there are no such rows.
        recordables: what ``readouts`` has beside the model's ``recordables``: variable -> unit.
        arrive: ``arrive(receptor, values, dt, left) -> (early, late)``, in ``ideal``: of an input that comes within a
            time step, ``left`` ms (n,) before its end, the parts of its weight that are taken at the step's beginning
            and at its end in its place; ``values`` are those of the n targets. None where both are in proportion.
        whole: whether ``neuron`` is no function of one neuron, but the loop over all of them, in the form that
            ``evsim.loops`` describes. Rows of state and parameters then need no names, and there is no other function.
        equations: of ``ideal``: what these functions solve step by step, for those who choose their own steps
            (``evsim.variable``); None where that cannot be said, as of models that draw or that are made of steps.

    Raises:
        TypeError: the functions ask for other rows than there are, or a part of the rule is missing.
    """

    convert: Callable[[Values, Values, float, Any], Cells]
    neuron: Callable[..., Any]
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    inputs: Mapping[str, int]
    tallies: tuple[str, ...] = ()
    receive: Callable[..., tuple] | None = None
    substep: Callable[..., tuple] | None = None
    hard_substep: Callable[..., tuple] | None = None
    payload_unit: Callable[[Values], float] | None = None
    needs: Callable[[Values, Values, float], Any] | None = None
    note: str = ""
    defects: Callable[[str, Values, float], Iterable[Problem]] | None = None
    limits: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    derive: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None
    recordables: Mapping[str, str] = field(default_factory=dict)
    arrive: Callable[[str, Values, float, NDArray[np.float64]], tuple[np.ndarray, np.ndarray]] | None = None
    whole: bool = False
    sums: Mapping[str, str] = field(default_factory=dict)
    counters: Mapping[str, str] = field(default_factory=dict)
    equations: Equations | None = None

    def __post_init__(self) -> None:
        if self.whole:
            return
        if (self.substep is None) != (self.hard_substep is None):
            raise TypeError(f"rule of {full_name(self.neuron)}: give both of substep and hard_substep, or none of them")
        if self.substep and SUBSTEPS not in self.parameters:
            raise TypeError(f"rule of {full_name(self.neuron)}: substeps need a parameter named {SUBSTEPS!r}")
        if self.is_graded != (PAYLOAD in self.states):
            raise TypeError(f"rule of {full_name(self.neuron)}: payload_unit goes with a state {PAYLOAD!r}")
        if len(self.tallies) > TALLY_PLACES:
            raise TypeError(f"rule of {full_name(self.neuron)}: {len(self.tallies)} tallies; at most {TALLY_PLACES}")
        takes_input = self.receive or self.neuron
        for function in (self.neuron, self.receive, self.substep, self.hard_substep):
            rows = self.n_inputs if function is takes_input else 0
            if function is not None and len(found := self._other_arguments(function)) != rows:
                raise TypeError(
                    f"{full_name(function)} takes {rows} rows of input, but {len(found)} of its arguments "
                    f"({', '.join(found)}) are neither drive nor one of the states ({', '.join(self.states)}) or "
                    f"parameters ({', '.join(self.parameters)})"
                )

    @property
    def n_inputs(self) -> int:
        """The number of input rows."""
        return max(self.inputs.values(), default=0) + 1

    @property
    def draws(self) -> bool:
        """Whether a step draws random numbers."""
        return CHANCE in arguments(self.neuron)

    @property
    def is_graded(self) -> bool:
        """Whether the neuron's spikes carry a number."""
        return self.payload_unit is not None

    @cached_property
    def input_names(self) -> tuple[str, ...]:
        """The names of the input rows in the function that takes them."""
        return self._other_arguments(self.receive or self.neuron)

    def _other_arguments(self, function: Callable) -> tuple[str, ...]:
        known = {*self.states, *self.parameters, "drive"} | ({CHANCE} if function is self.neuron else set())
        return tuple(name for name in arguments(function) if name not in known)

    def cells(self, values: Values, initial: Values, dt: float, scale: Any) -> Cells:
        """What ``convert`` gives, with the number of its rows checked; raises TypeError if it is another."""
        cells = self.convert(values, initial, dt, scale)
        if self.whole:
            return cells
        for rows, names in ((cells.state, self.states), (cells.parameters, self.parameters)):
            if len(rows) != len(names):
                raise TypeError(f"{full_name(self.convert)} makes {len(rows)} rows of {', '.join(names)}")
        return cells


def arguments(function: Callable) -> tuple[str, ...]:
    """The names of a function's arguments."""
    return tuple(inspect.signature(function).parameters)


def full_name(function: Callable) -> str:
    """The module and name of a function."""
    return f"{function.__module__}.{function.__name__}"


def kind_of(receptor: str) -> str:
    """The kind of a receptor, whose name may begin with a place: ``"AMPA"`` for ``"dendrite(0.5).AMPA"``."""
    return receptor.rpartition(".")[2]


@dataclass(frozen=True, eq=False)
class NeuronModel:
    """A neuron: a point, or one of several ``places``.

    Attributes:
        name: PyNN's name of it.
        parameters: name -> unit.
        states: state variable with an initial value -> unit.
        recordables: variable other than spikes -> unit, of all rule sets; a rule may have more (``recordables_in``).
        weight_unit: ``"nA"``, ``"uS"``, ``"mV"`` or ``"dimensionless"``.
        rules: rule set -> implementation; a rule set that has the neurons of another one need not be given.
        above_zero, not_negative: the parameters that must be; the other ones may have any sign.
        defaults: of a cell that PyNN does not have: parameter or state variable -> default, one for each of them.
        injectable: whether it has a membrane, into which a current can be injected.
        arrays: parameter that users give as an array -> the names of its elements among ``parameters``.
        begins: recordable that is no state but follows from the spikes -> the parameter that it begins as.
        places: where a current can be injected -> row of ``Cells.drive``; ``""`` is where it goes if nothing is said.
        settling: those of ``states`` that need no initial value, because they begin where they settle.
        problems: ``problems(where, population)``: what else cannot be about its parameters; ``where`` names it.
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
    defaults: Mapping[str, float] = field(default_factory=dict)
    injectable: bool = True
    arrays: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    begins: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, int] = field(default_factory=lambda: {"": 0})
    settling: frozenset[str] = frozenset()
    problems: Callable[[str, Population], Iterable[Problem]] | None = None

    def __post_init__(self) -> None:
        borrowed = {r.name: self.rules[r.neurons_of] for r in RULE_SETS.values() if r.neurons_of in self.rules}
        object.__setattr__(self, "rules", {**self.rules, **borrowed})

    def recordables_in(self, rules: str) -> dict[str, str]:
        """Variable other than spikes -> unit, of what can be recorded in a rule set."""
        more = self.rules[rules].recordables if rules in self.rules else {}
        return {**self.recordables, **more}

    @property
    def units(self) -> dict[str, str]:
        """Variable other than spikes -> unit, of what can be recorded in any rule set."""
        return {name: unit for rules in self.rules for name, unit in self.recordables_in(rules).items()}

    @property
    def has_conductances(self) -> bool:
        """Whether a weight is a conductance, which is never negative; the reversal potential decides the sign."""
        return self.weight_unit == "uS"

    def has_negative_weights(self, receptor: str) -> bool:
        """Whether the weights of a receptor are negative where they are not 0: those of an inhibitory current."""
        return kind_of(receptor) == "inhibitory" and not self.has_conductances

    def response_time(self, receptor: str) -> str | None:
        """The parameter with the time constant (ms) by which a receptor's response decays; None of an instant one."""
        standard = {"excitatory": "tau_syn_E", "inhibitory": "tau_syn_I", "excitatory2": "tau_syn_E2"}.get(receptor)
        names = (standard, f"{kind_of(receptor)}.tau_syn", f"{kind_of(receptor)}.tau_decay")
        return next((name for name in names if name in self.parameters), None)


@dataclass(frozen=True, eq=False)
class SourceModel:
    """A population that only emits spikes; every backend is given the same drawn trains.

    Attributes:
        draw: which generator of ``evsim.sources`` makes its spikes, such as ``"given"`` or ``"poisson"``.
        above_zero, not_negative: as those of ``NeuronModel``.
        problems: ``problems(where, population)``: what else cannot be about its parameters; ``where`` names it.
        sequences: the parameters of which each cell has several numbers (``Population.sequences``).
        ordered: those parameters that are times in order.
    """

    name: str
    parameters: Mapping[str, str]
    draw: str
    above_zero: frozenset[str] = frozenset()
    not_negative: frozenset[str] = frozenset()
    problems: Callable[[str, Population], Iterable[Problem]] | None = None
    sequences: tuple[str, ...] = ()
    ordered: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class SynapseModel:
    """A kind of synapse, and the rule sets that have it.

    Attributes:
        pair_rule: of plastic synapses: their rule in physical numbers, if it is one of pairs; else raises KeyError.
        problems: ``problems(network, projection, rules)``: what cannot be about such a projection in a rule set.
        electrical: whether it conducts a current between the membranes of its two cells, and no spikes; its weight is
            a conductance (uS), and its delay has no meaning.
        receptors: those that it has whatever the cell, where it adds to no input of it.
        learned: of plastic synapses: how they learn, where that is by a rule of ``evsim.learning_rule``, in ``ideal``
            alone; None where by pairs.
    """

    name: str
    rules: frozenset[str]
    pair_rule: Callable[[Projection], PairRule] | None = None
    problems: Callable[[Network, Projection, str], list[Problem]] | None = None
    electrical: bool = False
    receptors: tuple[str, ...] = ()
    learned: Callable[[Projection], Release | None] | None = None


Model = NeuronModel | SourceModel | SynapseModel


def in_rules(model: Model, rules: str) -> bool:
    """Whether a rule set has a model; spike sources are the same in all of them."""
    return isinstance(model, SourceModel) or rules in model.rules
