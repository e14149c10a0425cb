"""What a cell can record where a script runs: the variables that it has in every rule set that computes.

sPyNNaker's delta and Izhikevich cells, for one, hold currents of synapses, which are nothing in ``ideal``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from pyNN import errors

from evsim import registry
from evsim.chip import load_chip
from evsim.errors import EvsimError
from evsim.model import NeuronModel
from evsim.pynn import simulator
from evsim.pynn.graph import model_name

if TYPE_CHECKING:
    from evsim.pynn.populations import Population


class UnrecordableError(EvsimError, errors.RecordingError):
    """A variable that the cells of a population do not have where the script runs."""

    def __init__(self, text: str, variable: str, cell_type: Any) -> None:
        errors.RecordingError.__init__(self, variable, cell_type)
        self.text = text

    def __str__(self) -> str:
        return self.text


class Recordable:
    """PyNN's attribute ``recordable`` of a cell type: spikes, and what there is in every rule set that computes."""

    def __init__(self, model: NeuronModel) -> None:
        self._model = model

    def __get__(self, cell: Any, owner: type | None = None) -> list[str]:
        found = [self._model.recordables_in(rules) for rules in _rule_sets()]
        return ["spikes", *(name for name in found[0] if all(name in others for others in found))]


def refuse_unrecordable(population: Population, variables: Sequence[str]) -> None:
    """Raise UnrecordableError for the first of some variables that the cells of a population do not have."""
    for variable in variables:
        if not population.can_record(variable):
            raise UnrecordableError(_refusal(population, variable), variable, population.celltype)


def _refusal(population: Population, variable: str) -> str:
    model = registry.cell_model(model_name(population.celltype))
    have: list[str] = population.celltype.recordable
    where, said, elsewhere = population.label, "", ""
    if isinstance(model, NeuronModel):
        own = population.name_in(variable, model.units)
        lacking = [rules for rules in _rule_sets() if own not in model.recordables_in(rules)]
        holding = [rules for rules in model.rules if own in model.recordables_in(rules)]
        said = f" in {' and '.join(lacking)}"
        elsewhere = f"; {', '.join(holding)} has it" if holding else ""
    return (
        f"population {where!r}: {model.name} has no {variable!r} to be recorded{said}; record one of "
        f"{', '.join(have)}{elsewhere}"
    )


def _rule_sets() -> list[str]:
    """Those of the targets, each once."""
    return list(dict.fromkeys(_rules_of(target.chip or "ideal") for target in simulator.state.targets))


@cache
def _rules_of(chip: str) -> str:
    return load_chip(chip).rules.name
