"""pyNN.nest's names for models in NESTML, which evsim does not have; each says what there is instead.

pyNN.nest has PyNESTML write C++ for NEST and compile it in ``setup()``. What comes out are NEST's modules, and of the
model itself nothing is left that a chip's rules or another engine could compute with.
"""

from __future__ import annotations

from typing import Any, NoReturn

from evsim.errors import EvsimError


def nestml_cell_type(name: str, nestml_description: Any) -> NoReturn:
    """Raise EvsimError: NESTML is compiled for NEST alone."""
    _refuse(
        f"the cell type {name!r}",
        "write the model as a class with parameters, states and one step (docs/own_models.md)",
    )


def nestml_synapse_type(
    synapse_name: str,
    nestml_description: Any,
    postsynaptic_neuron_nestml_description: Any = None,
    weight_variable: str = "w",
    delay_variable: str | None = None,
) -> NoReturn:
    """Raise EvsimError: NESTML is compiled for NEST alone."""
    _refuse(
        f"the synapse type {synapse_name!r}",
        "write it as a class with parameters, states and what is released (docs/own_models.md), or use STDPMechanism",
    )


def _refuse(what: str, instead: str) -> NoReturn:
    raise EvsimError(f"{what} is described in NESTML, which PyNESTML compiles for NEST alone; in evsim, {instead}")
