"""What the module offers, and that ``pyNN.evsim`` is the same module."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys
import warnings

import pyNN.random
import pyNN.space
import pyNN.standardmodels.cells
import pytest
from pyNN import common, connectors
from pyNN.utility import get_simulator

import evsim.pynn
from evsim import registry
from evsim.errors import UnknownNameError
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
    models = {name for name, model in registry.models().items() if isinstance(model, (NeuronModel, SourceModel))}
    pynns = {name for name in models if hasattr(pyNN.standardmodels.cells, name)}
    assert set(sim.list_standard_models()) == pynns | {"PointNeuron", "LIF", "AdExp"}
    assert all(isinstance(getattr(sim, name), type) for name in sim.list_standard_models())
    for name in pynns:
        declared = registry.cell_model(name)
        cell_type = getattr(sim, name)
        arrays = getattr(declared, "arrays", {})  # PyNN has one parameter for several of the model's
        parameters = {element for name in cell_type.default_parameters for element in arrays.get(name, [name])}
        assert parameters == set(declared.parameters)
        if isinstance(declared, NeuronModel):
            assert cell_type.recordable == ["spikes", *declared.recordables]
            assert set(declared.states) <= set(cell_type.default_initial_values)


def test_native_types_go_by_evsims_names(sim):
    assert sim.native_cell_type("IF_curr_exp") is sim.IF_curr_exp
    assert sim.native_cell_type("IFCurrExpCa2Adaptive")().parameter_space["tau_ca2"].base_value > 0
    assert sim.native_synapse_type("STDPMechanism") is sim.STDPMechanism
    assert sim.native_electrode_type("DCSource") is sim.DCSource
    for ask, near in (
        (sim.native_cell_type, "IF_curr_exp"),
        (sim.native_synapse_type, "StaticSynapse"),
        (sim.native_electrode_type, "ACSource"),
    ):
        with pytest.raises(UnknownNameError, match=f"did you mean {near!r}"):
            ask(near + "s")


def test_nothing_of_its_own_workings_is_offered(sim):
    assert not {"Any", "annotations", "cells", "graph", "mended"} & set(sim.__all__)
    assert {"Population", "IF_curr_exp", "KernelConnector", "extra_models", "errors", "simulator"} <= set(sim.__all__)


def test_placement_is_ignored_and_it_is_said(sim):
    for name in ("set_number_of_neurons_per_core", "set_number_of_synapse_cores", "set_allow_delay_extensions"):
        monkey = sim.placement.ignored(name)
        with pytest.warns(UserWarning, match=rf"{name}\(\) is about placement"):
            monkey(sim.IF_curr_exp, 64)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            monkey(sim.IF_curr_exp, 32)  # once is enough
        assert callable(getattr(sim, name))
    with pytest.warns(UserWarning, match="population 'cells': additional_parameters, seed is for a SpiNNaker machine"):
        cells = sim.Population(2, sim.IF_curr_exp(), label="cells", seed=3, additional_parameters={"seed": 1})
    assert callable(cells.add_placement_constraint)
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        sim.Population(2, sim.IF_curr_exp(), colour="red")


def test_what_spinnaker_scripts_use(sim):
    sim.setup(timestep=1.0)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[0.0, 5.0]))
    cells = sim.Population(2, sim.IF_curr_exp())
    late = sim.StaticSynapse(weight=1.0, delay=144.0)
    sim.Projection(source, cells, sim.AllToAllConnector(), late, receptor_type="excitatory")
    source.record("all")
    cells.record("all")
    sim.run(160.0)
    assert source.get_data().segments[0].spiketrains[0].magnitude.tolist() == [0.0, 5.0]
    names = [signal.name for signal in cells.get_data().segments[0].analogsignals]
    assert names == ["v", "isyn_exc", "isyn_inh"]
    assert cells.get_data("isyn_exc").segments[0].analogsignals[0].max() > 0


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


def test_a_model_that_is_missing_says_which_there_are(sim, monkeypatch):
    with pytest.raises(AttributeError, match=r"no model of PyNN's HH_traub_or_none|has no attribute"):
        sim.HH_traub_or_none  # noqa: B018
    monkeypatch.setattr("pyNN.standardmodels.cells.NewCell", type("NewCell", (), {}), raising=False)
    with pytest.raises(AttributeError, match=r"no model of PyNN's NewCell; it has .*IF_curr_exp"):
        sim.NewCell  # noqa: B018


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
