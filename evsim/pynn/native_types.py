"""Types by evsim's own names for its models, as others have them: ``native_cell_type("IFCurrExpCa2Adaptive")``.

evsim's names and units of parameters are PyNN's, so these are the same types as the standard ones; here are those
that PyNN has no name for, too.
"""

from __future__ import annotations

from pyNN.standardmodels import StandardCellType, StandardCurrentSource, StandardSynapseType

from evsim.errors import UnknownNameError
from evsim.pynn import cells, electrodes, synapses


def native_cell_type(model_name: str) -> type[StandardCellType]:
    """The cell type of evsim's model of that name; raises UnknownNameError."""
    return _named("cell type", model_name, cells.cell_types())


def native_synapse_type(model_name: str) -> type[StandardSynapseType]:
    """The synapse type of that name; raises UnknownNameError."""
    return _named("synapse type", model_name, _of_kind(synapses, StandardSynapseType))


def native_electrode_type(model_name: str) -> type[StandardCurrentSource]:
    """The current source of that name; raises UnknownNameError."""
    return _named("current source", model_name, _of_kind(electrodes, StandardCurrentSource))


def _of_kind(module, kind: type) -> dict[str, type]:
    """The types of a kind that a module offers, without the bases that they share."""
    types = {name: found for name, found in vars(module).items() if isinstance(found, type)}
    return {
        name: found
        for name, found in types.items()
        if issubclass(found, kind) and not any(found in other.__mro__[1:] for other in types.values())
    }


def _named(what: str, name: str, known: dict[str, type]) -> type:
    if name not in known:
        raise UnknownNameError(what, name, known)
    return known[name]
