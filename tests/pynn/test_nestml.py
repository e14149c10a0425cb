"""The names for NESTML that scripts of pyNN.nest use: they are refused, with what there is instead."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import pytest

from evsim.errors import EvsimError
from evsim.redirect import redirected

SOURCE = "model leaky:\n    parameters:\n        w real = 1\n"


def test_a_script_of_nests_is_told_what_to_do():
    with redirected(lambda text: None):
        sim: Any = importlib.import_module("pyNN.nest")
        with pytest.raises(EvsimError, match=r"the cell type 'leaky' is described in NESTML.*docs/own_models\.md"):
            sim.nestml.nestml_cell_type("leaky", SOURCE)
        synapse = importlib.import_module("pyNN.nest.nestml").nestml_synapse_type
        with pytest.raises(EvsimError, match=r"the synapse type 'pairs' is described in NESTML.*own_models"):
            synapse("pairs", SOURCE, postsynaptic_neuron_nestml_description=SOURCE, delay_variable="d")


def test_they_are_called_as_in_pynn():
    pytest.importorskip("nest")
    theirs = importlib.import_module("pyNN.nest.nestml")
    ours: Any = importlib.import_module("pyNN.evsim").nestml
    for name in ("nestml_cell_type", "nestml_synapse_type"):
        expected = inspect.signature(getattr(theirs, name)).parameters
        found = inspect.signature(getattr(ours, name)).parameters
        assert {k: p.default for k, p in found.items()} == {k: p.default for k, p in expected.items()}
