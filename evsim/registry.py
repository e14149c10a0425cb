"""Finding models, backends and commands: they announce themselves by entry points, and the core names none of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.metadata import entry_points
from itertools import count
from typing import Any

from evsim.backend import Backend, Target
from evsim.errors import EvsimError, UnknownNameError
from evsim.model import Model, NeuronModel, SourceModel, SynapseModel
from evsim.network import Projection
from evsim.release import Release


@cache
def models() -> dict[str, Model]:
    """Name -> model, of every package with an entry point in ``evsim.models`` (its ``MODELS``)."""
    found: dict[str, Model] = {}
    for entry in entry_points(group="evsim.models"):
        for model in entry.load().MODELS:
            if model.name in found:
                raise EvsimError(f"two packages bring a model named {model.name!r}; the second is {entry.value!r}")
            found[model.name] = model
    return found


@cache
def families() -> dict[str, Callable[[str], Model]]:
    """Name of a family -> what makes a model of it from a name ``FAMILY:...``, of the same packages (``FAMILIES``)."""
    found: dict[str, Callable[[str], Model]] = {}
    for entry in entry_points(group="evsim.models"):
        found |= getattr(entry.load(), "FAMILIES", {})
    return found


@cache
def examples() -> dict[str, Model]:
    """Name of a family -> a model of it, for lists of what there is (``EXAMPLES``, names of models by family)."""
    names: dict[str, str] = {}
    for entry in entry_points(group="evsim.models"):
        names |= getattr(entry.load(), "EXAMPLES", {})
    return {family: families()[family](name) for family, name in names.items()}


_of_scripts: dict[str, Model] = {}


def register(model: Model) -> None:
    """Take up a model that a script brings; raises EvsimError if there is one of that name."""
    if not is_free(model.name):
        raise EvsimError(f"there is a model named {model.name!r} already; give yours another name")
    _of_scripts[model.name] = model


def is_free(name: str) -> bool:
    """Whether no model has that name."""
    return not any(name in known for known in (models(), families(), _of_scripts))


def free_name(name: str) -> str:
    """The name, or if a model has it already the first of ``name (2)``, ``name (3)``, ... that none has."""
    names = (name if number == 1 else f"{name} ({number})" for number in count(1))
    return next(filter(is_free, names))


def model(name: str) -> Model:
    """The model of that name; raises UnknownNameError."""
    if name in _of_scripts:
        return _of_scripts[name]
    family, colon, _ = name.partition(":")
    if colon and family in families():
        return families()[family](name)
    try:
        return models()[name]
    except KeyError:
        raise UnknownNameError("model", name, models()) from None


def cell_model(name: str) -> NeuronModel | SourceModel:
    """The neuron or source model of that name; raises UnknownNameError."""
    found = model(name)
    if isinstance(found, SynapseModel):
        raise UnknownNameError(
            "cell model", name, [key for key, m in models().items() if not isinstance(m, SynapseModel)]
        )
    return found


def synapse_models() -> dict[str, SynapseModel]:
    """Name -> kind of synapse, of those that packages bring and of those that a script does."""
    known = {**models(), **_of_scripts}
    return {name: found for name, found in known.items() if isinstance(found, SynapseModel)}


def is_electrical(projection: Projection) -> bool:
    """Whether a projection is one of gap junctions."""
    found = models().get(projection.synapse)
    return isinstance(found, SynapseModel) and found.electrical


def own_receptors(projection: Projection) -> tuple[str, ...]:
    """The receptors that a projection's kind of synapse has whatever the cell; none of the usual ones."""
    found = models().get(projection.synapse)
    return found.receptors if isinstance(found, SynapseModel) else ()


def learning_release(projection: Projection) -> Release | None:
    """How a plastic projection learns, where that is by a rule of ``evsim.learning_rule`` that a model brings."""
    found = models().get(projection.synapse) if projection.plasticity else None
    return found.learned(projection) if isinstance(found, SynapseModel) and found.learned else None


def backend_names() -> list[str]:
    """The installed backends; the reference comes first."""
    names = {entry.name for entry in entry_points(group="evsim.backends")}
    return sorted(names, key=lambda name: (name != "reference", name))


def backend(name: str) -> Backend:
    """A new instance of the backend of that name; raises UnknownNameError."""
    for entry in entry_points(group="evsim.backends"):
        if entry.name == name:
            return entry.load()()
    raise UnknownNameError("backend", name, backend_names())


def commands() -> list[Callable[[Any], None]]:
    """What adapters add to the command line: functions like ``evsim.commands.run.add``."""
    return [entry.load() for entry in sorted(entry_points(group="evsim.commands"), key=lambda entry: entry.name)]


def parse_target(text: str) -> Target:
    """``BACKEND[:WORD]`` as the command line has it, e.g. ``reference:loihi2``; raises UnknownNameError."""
    name, _, word = text.partition(":")
    return backend(name).target(word or None)
