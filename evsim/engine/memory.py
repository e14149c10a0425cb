"""Laying out a chip network in the flat arrays that the loop works on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from evsim.compile import TALLY_PLACES, step_function
from evsim.deploy.chip_network import ChipNetwork, ChipPopulation
from evsim.engine.advance import Memory, Populations
from evsim.model import Cells, Rule
from evsim.rulesets import RuleSet

# Function tuples are padded to a power of two, at least this many, so that the loop is compiled for one type only.
LEAST_FUNCTIONS = 8


@dataclass(frozen=True, eq=False)
class Layout:
    """Where everything lies.

    Attributes:
        first_neuron: (all populations + 1,) global number of each population's first cell, sources included.
        first_input: (all populations,) start of each population's inputs.
        neurons: indices of the populations that are not sources, in the order of ``populations``.
        steps, receives: native functions, indexed by ``populations.model``.
    """

    first_neuron: np.ndarray
    first_input: np.ndarray
    neurons: tuple[int, ...]
    populations: Populations
    steps: tuple[Any, ...]
    receives: tuple[Any, ...]


def lay_out(chip_network: ChipNetwork) -> tuple[Layout, Memory]:
    """The layout of a network and its memory at t = 0."""
    network, rules = chip_network.network, chip_network.chip.rules
    first_neuron = np.concatenate([[0], np.cumsum([population.size for population in network.populations])]).astype(
        np.int64
    )
    neurons = tuple(
        i for i, population in enumerate(chip_network.populations) if isinstance(population, ChipPopulation)
    )
    parts = [chip_network.neurons(i) for i in neurons]
    rule_of = [part.model.rules[rules.name] for part in parts]
    distinct = list(dict.fromkeys(rule_of))
    populations = _places([part.cells for part in parts], rule_of, distinct, first_neuron[np.array(neurons, np.int64)])
    first_input = np.zeros(len(network.populations), np.int64)
    first_input[list(neurons)] = populations.inputs
    shifted = any(projection.exponent < 0 for projection in chip_network.projections)
    n_inputs = int((populations.n_inputs * populations.size).sum())
    memory = Memory(
        state=_flat([part.cells.state for part in parts], rules.number),
        parameters=_flat([part.cells.parameters for part in parts], rules.parameter),
        inputs=np.zeros(n_inputs, rules.number),
        drive=_flat([part.cells.drive for part in parts], rules.number),
        tally=np.zeros((len(neurons), TALLY_PLACES), np.int64),
        scratch=np.zeros(n_inputs if shifted else 0, np.int64),
    )
    steps = [step_function(rule.step, rules) for rule in distinct]
    receives = [step_function(rule.receive or idle, rules) for rule in distinct]
    return Layout(
        first_neuron, first_input, neurons, populations, _padded(steps, rules), _padded(receives, rules)
    ), memory


def _places(cells: list[Cells], rule_of: list[Rule], distinct: list[Rule], neuron: np.ndarray) -> Populations:
    """Where the rows of each population lie: one population behind the other in every array."""

    def numbers(values: Iterable[int]) -> np.ndarray:
        return np.array(list(values), np.int64)

    def starts(lengths: np.ndarray) -> np.ndarray:
        return np.cumsum(lengths) - lengths

    size = numbers(c.state.shape[1] for c in cells)
    n_inputs = numbers(rule.n_inputs for rule in rule_of)
    return Populations(
        size=size,
        n_state=numbers(c.state.shape[0] for c in cells),
        n_parameters=numbers(c.parameters.shape[0] for c in cells),
        n_inputs=n_inputs,
        parameter_width=numbers(c.parameters.shape[1] for c in cells),
        state=starts(numbers(c.state.size for c in cells)),
        parameters=starts(numbers(c.parameters.size for c in cells)),
        inputs=starts(n_inputs * size),
        drive=starts(size),
        neuron=neuron,
        model=numbers(distinct.index(rule) for rule in rule_of),
    )


def _flat(arrays: list[np.ndarray], number: type) -> np.ndarray:
    return np.concatenate([np.asarray(array, number).ravel() for array in arrays] or [np.empty(0, number)])


def idle(state, parameters, inputs, drive, spiked, tally):
    """A step that does nothing; fills the places of a tuple of functions."""
    return 0


def _padded(functions: list[Any], rules: RuleSet) -> tuple[Any, ...]:
    length = LEAST_FUNCTIONS
    while length < len(functions):
        length *= 2
    return tuple(functions) + (step_function(idle, rules),) * (length - len(functions))
