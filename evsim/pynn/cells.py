"""Standard cell types: every one of PyNN's of which the registry has a model."""

from __future__ import annotations

from functools import cache
from typing import Any

from pyNN.standardmodels import StandardCellType, build_translations, cells

from evsim import registry
from evsim.model import NeuronModel, SourceModel


def _standard_cell(base: type[StandardCellType], model: NeuronModel | SourceModel) -> type[StandardCellType]:
    """PyNN's class with evsim's names and units, which are PyNN's own, and the variables that evsim can record."""
    members: dict[str, Any] = {
        "__doc__": base.__doc__,
        "__module__": __name__,
        "translations": build_translations(*((name, name) for name in base.default_parameters)),
    }
    if isinstance(model, NeuronModel):
        members["recordable"] = ["spikes", *model.recordables]
        members["units"] = {**vars(base)["units"], **model.recordables}
        members["receptor_types"] = model.receptors
    return type(base.__name__, (base,), members)


@cache
def cell_types() -> dict[str, type[StandardCellType]]:
    """Name -> standard cell type, in the order of the registry; the models are loaded at the first call."""
    return {
        name: _standard_cell(base, model)
        for name, model in registry.models().items()
        if isinstance(model, NeuronModel | SourceModel) and isinstance(base := getattr(cells, name, None), type)
    }


def list_standard_models() -> list[str]:
    """The names of the standard cell types that evsim has."""
    return list(cell_types())


def __getattr__(attribute: str) -> type[StandardCellType]:
    if not attribute.startswith("_") and attribute in cell_types():
        return cell_types()[attribute]
    raise AttributeError(f"module {__name__!r} has no attribute {attribute!r}")
