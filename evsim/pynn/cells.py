"""Standard cell types: every one of PyNN's of which the registry has a model, and models that bring their defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from numbers import Number
from typing import Any

from pyNN import errors
from pyNN.parameters import ArrayParameter
from pyNN.standardmodels import StandardCellType, build_translations, cells

from evsim import registry
from evsim.model import NeuronModel, SourceModel
from evsim.pynn.invalid import naming
from evsim.pynn.recordables import Recordable
from evsim.pynn.seeded_cells import SEED, SeededCell


def _standard_cell(base: type[StandardCellType], model: NeuronModel | SourceModel) -> type[StandardCellType]:
    """PyNN's class with evsim's names and units, which are PyNN's own, and the variables that evsim can record."""
    members: dict[str, Any] = {
        "__doc__": base.__doc__,
        "__module__": __name__,
        "__init__": _checking_init(base),
        "default_parameters": {name: _not_whole(value) for name, value in base.default_parameters.items()},
        "translations": build_translations(*((name, name) for name in base.default_parameters)),
    }
    if isinstance(model, NeuronModel):
        members["recordable"] = Recordable(model)
        members["units"] = {**vars(base)["units"], **model.units}
        members["receptor_types"] = model.receptors
    return type(base.__name__, (base,), members)


def _not_whole(default: Any) -> Any:
    """PyNN takes the type of a parameter from its default, and cuts 2.5 to 2 where that is a whole number."""
    return float(default) if isinstance(default, int) else default


def _checking_init(base: type[StandardCellType]) -> Callable[..., None]:
    def __init__(self: StandardCellType, **parameters: Any) -> None:  # noqa: N807 - it becomes a class's own
        for name, value in parameters.items():
            if isinstance(base.default_parameters.get(name), ArrayParameter) and isinstance(value, Number):
                raise errors.InvalidParameterValueError(f"{name} of {base.__name__} is {value}; give it a list")
        with naming(base.__name__, parameters):
            base.__init__(self, **parameters)

    return __init__


def own_cell(model: NeuronModel) -> type[StandardCellType]:
    """A cell that PyNN does not have, such as one of sPyNNaker's, from what its model declares."""
    members = {
        "__doc__": f"{model.name}: {', '.join(_parameters(model, model.parameters, list))}.",
        "default_parameters": _parameters(model, model.defaults, ArrayParameter),
        "default_initial_values": {name: model.defaults[name] for name in model.states},
        "units": {**_parameters(model, model.parameters, lambda units: units[0]), **model.states},
        "conductance_based": model.has_conductances,
        "injectable": model.injectable,
    }
    base = SeededCell if SEED in model.states else StandardCellType
    kind: Any = type(model.name, (base,), members)
    return _standard_cell(kind, model)


def _parameters(model: NeuronModel, said: Mapping[str, Any], joined: Callable[[list], Any]) -> dict[str, Any]:
    """What is said of every parameter as the user sees it: that of an array is joined from what is of its elements."""
    arrays = {element: array for array, elements in model.arrays.items() for element in elements}
    names = dict.fromkeys(arrays.get(name, name) for name in model.parameters)
    return {
        name: joined([said[element] for element in model.arrays[name]]) if name in model.arrays else said[name]
        for name in names
    }


def _cell(name: str, model: Any) -> type[StandardCellType] | None:
    if isinstance(base := getattr(cells, name, None), type) and isinstance(model, NeuronModel | SourceModel):
        return _standard_cell(base, model)
    return own_cell(model) if isinstance(model, NeuronModel) and model.defaults else None


@cache
def cell_types() -> dict[str, type[StandardCellType]]:
    """Name -> standard cell type, in the order of the registry; the models are loaded at the first call."""
    found = {name: _cell(name, model) for name, model in registry.models().items()}
    return {name: cell for name, cell in found.items() if cell is not None}


def list_standard_models() -> list[str]:
    """The names of PyNN's standard cell types that evsim has: of cells, of PointNeuron, and of what that is made of."""
    return [*(name for name in cell_types() if hasattr(cells, name)), "PointNeuron", "LIF", "AdExp"]


def __getattr__(attribute: str) -> type[StandardCellType]:
    if not attribute.startswith("_") and attribute in cell_types():
        return cell_types()[attribute]
    raise AttributeError(f"module {__name__!r} has no attribute {attribute!r}")
