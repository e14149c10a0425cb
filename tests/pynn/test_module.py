"""What the module offers, and that ``pyNN.evsim`` is the same module."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys

import pyNN.random
import pyNN.space
import pyNN.standardmodels.cells
import pytest
from pyNN import common, connectors
from pyNN.utility import get_simulator

import evsim.pynn
from evsim import registry
from evsim.model import NeuronModel, SourceModel


def test_the_alias_is_the_module_and_so_are_all_submodules():
    alias = importlib.import_module("pyNN.evsim")
    assert alias is evsim.pynn
    for found in pkgutil.iter_modules(evsim.pynn.__path__):
        ours = importlib.import_module(f"evsim.pynn.{found.name}")
        assert importlib.import_module(f"pyNN.evsim.{found.name}") is ours


def test_get_simulator_finds_it(monkeypatch):
    monkeypatch.setattr("sys.argv", ["script.py", "evsim"])
    sim, _ = get_simulator()
    assert sim is evsim.pynn


def test_standard_models_are_those_of_the_registry(sim):
    cells = {name for name, model in registry.models().items() if isinstance(model, (NeuronModel, SourceModel))}
    assert set(sim.list_standard_models()) == {name for name in cells if hasattr(pyNN.standardmodels.cells, name)}
    for name in sim.list_standard_models():
        declared = registry.cell_model(name)
        cell_type = getattr(sim, name)
        assert set(cell_type.default_parameters) == set(declared.parameters)
        if isinstance(declared, NeuronModel):
            assert cell_type.recordable == ["spikes", *declared.recordables]
            assert set(declared.states) <= set(cell_type.default_initial_values)


def test_every_connector_of_pynn_is_there(sim):
    for name, connector in vars(connectors).items():
        if inspect.isclass(connector) and name.endswith("Connector") and connector.__module__ == connectors.__name__:
            if name in ("Connector", "MapConnector", "FixedNumberConnector"):  # bases
                continue
            assert issubclass(getattr(sim, name), connector)


NAMES = """
    setup end run run_until run_for reset initialize get_current_time get_time_step get_min_delay get_max_delay
    num_processes rank create connect record record_v record_gsyn set list_standard_models Population PopulationView
    Assembly Projection Network NativeRNG NumpyRNG GSLRNG RandomDistribution Space Line Grid2D Grid3D RandomStructure
    Cuboid Sphere StandardCellType simulator random space errors name DCSource ACSource StepCurrentSource
    NoisyCurrentSource StaticSynapse
"""


@pytest.mark.parametrize("name", NAMES.split())
def test_names_that_scripts_use(sim, name):
    assert hasattr(sim, name)


def test_random_and_space_are_pynns(sim):
    assert sim.random is pyNN.random
    assert sim.space is pyNN.space


def test_a_model_that_is_missing_says_which_there_are(sim):
    with pytest.raises(AttributeError, match=r"no model of PyNN's HH_traub_or_none|has no attribute"):
        sim.HH_traub_or_none  # noqa: B018
    with pytest.raises(AttributeError, match=r"no model of PyNN's SpikeSourceInhGamma; it has .*IF_curr_exp"):
        sim.SpikeSourceInhGamma  # noqa: B018


def test_state_queries(sim):
    assert sim.setup(timestep=0.25, min_delay=0.5, max_delay=8.0, spike_precision="off_grid", threads=4) == 0
    assert (sim.get_time_step(), sim.get_min_delay(), sim.get_max_delay()) == (0.25, 0.5, 8.0)
    assert (sim.rank(), sim.num_processes(), sim.get_current_time()) == (0, 1, 0.0)
    assert sim.name == sim.simulator.name == "evsim"


def test_automatic_delay_limits_are_those_of_the_network(sim):
    sim.setup(timestep=0.1)
    assert sim.get_min_delay() == 0.1
    cells = sim.Population(2, sim.IF_curr_exp())
    for delay in (0.7, 2.5):
        sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1, delay=delay))
    assert (sim.get_min_delay(), sim.get_max_delay()) == (0.7, 2.5)


@pytest.mark.filterwarnings("ignore:Passing celltype class:DeprecationWarning")
def test_a_cell_type_may_be_given_as_a_class_without_parameters(sim):
    cells = sim.Population(3, sim.IF_curr_exp)
    assert cells.get("tau_m") == 20.0
    assert isinstance(cells, common.Population)


@pytest.mark.parametrize("first", ["pyNN.evsim", "evsim.pynn"])
def test_either_name_may_be_imported_first(first):
    # In a fresh interpreter: here evsim.pynn is loaded already, which hides an alias that does not load it.
    code = (
        f"import {first}, pyNN.evsim, evsim.pynn, pyNN.evsim.simulator, pyNN.utility\n"
        "assert pyNN.evsim.setup is evsim.pynn.setup\n"
        "assert pyNN.evsim.simulator.state is evsim.pynn.simulator.state"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
