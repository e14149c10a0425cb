"""What any simulator's PyNN back end does, really done: the module's functions, and how a network behaves.

The rows are those of PyNN 0.13's back ends (nest, neuron, brian2, arbor, mock), of sPyNNaker 7.4.1 and of pynn_genn.
"""

from __future__ import annotations

import numpy as np
import pytest

from driven_cells import data_of, driven, signal, sim

# --- module ----------------------------------------------------------------------------------------------------------


def test_the_procedural_interface():
    sim.setup(timestep=0.1)
    cells = sim.create(sim.IF_curr_exp, {"tau_m": 10.0}, n=3)
    source = sim.create(sim.SpikeSourceArray, {"spike_times": [1.0]})
    projection = sim.connect(source, cells, weight=0.5, delay=0.5)
    sim.record("v", cells, "unused.pkl")
    sim.record_v(cells, "unused.pkl")
    sim.set(cells, tau_m=12.0)
    sim.initialize(cells, v=-66.0)
    sim.simulator.state.write_on_end = []
    sim.run_for(2.0)
    sim.run_until(3.0)
    assert sim.get_current_time() == pytest.approx(3.0) and len(projection) == 3
    assert signal(cells, "v")[0].tolist() == [-66.0] * 3 and cells.get("tau_m") == 12.0
    other = sim.create(sim.IF_cond_exp)
    sim.record_gsyn(other, "unused.pkl")
    sim.simulator.state.write_on_end = []
    sim.reset()
    assert sim.get_current_time() == 0.0
    sim.end()


def test_one_of_several_processes_is_shown_its_part():
    """As pyNN.mock takes the words; scripts that MPI starts are in test_several_processes."""
    assert sim.setup(timestep=0.1, rank=1, num_processes=3) == sim.rank() == 1
    assert sim.num_processes() == 3
    cells = sim.Population(7, sim.IF_curr_exp(i_offset=1.0))
    projection = sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1))
    cells.record("spikes")
    sim.run(30.0)
    assert [int(cell) % 3 for cell in cells] == [1] * cells.local_size == [1] * 3
    assert len(projection) == projection.size(gather=False) == 21 and projection.size() == 49
    assert len(cells.get_spike_counts()) == len(cells.get_data().segments[0].spiketrains) == 3
    assert cells.get_data().annotations["mpi_processes"] == 3
    sim.setup(timestep=0.1)
    assert (sim.rank(), sim.num_processes()) == (0, 1)


def test_a_variable_time_step():
    """pyNN.neuron's words; test_variable_step looks at the numbers."""
    sim.setup(timestep=0.1, use_cvode=True, rtol=1e-6, atol=1e-6)
    cells = sim.Population(2, sim.IF_cond_exp(i_offset=1.0))
    cells.record(["spikes", "v"])
    sim.run(50.0)
    segment = data_of(cells)
    assert len(segment.irregularlysampledsignals) == 2 and not segment.analogsignals
    steps = np.diff(segment.irregularlysampledsignals[0].times.magnitude)
    assert steps.max() > 0.1 and len(segment.spiketrains[0]) >= 1
    sim.setup(timestep=0.1, use_cvode=False)
    assert not sim.simulator.state.record_sample_times


def test_native_types():
    assert sim.native_cell_type("IF_curr_exp") is sim.IF_curr_exp
    assert sim.native_synapse_type("StaticSynapse") is sim.StaticSynapse
    assert sim.native_electrode_type("DCSource") is sim.DCSource
    assert sim.ExpPSR is sim.CondExpPostSynapticResponse
    assert sim.AlphaPSR is sim.CondAlphaPostSynapticResponse and sim.BetaPSR is sim.CondBetaPostSynapticResponse


DISTRIBUTIONS = {
    "uniform": (0.1, 0.2),
    "uniform_int": (1, 5),
    "normal": (0.5, 0.01),
    "lognormal": (0.1, 0.1),
    "exponential": (0.2,),
    "gamma": (2.0, 0.1),
    "binomial": (5, 0.5),
    "poisson": (3.0,),
    "vonmises": (0.5, 2.0),
    "normal_clipped": (0.5, 0.1, 0.3, 0.7),
    "normal_clipped_to_boundary": (0.5, 0.1, 0.3, 0.7),
}


@pytest.mark.parametrize("rng", ["NumpyRNG", "NativeRNG"])
@pytest.mark.parametrize("law", DISTRIBUTIONS)
def test_random_distributions(law: str, rng: str):
    sim.setup(timestep=0.1)
    drawn = sim.RandomDistribution(law, DISTRIBUTIONS[law], rng=getattr(sim, rng)(seed=5))
    cells = sim.Population(20, sim.IF_curr_exp(i_offset=drawn))
    weight = sim.RandomDistribution(law, DISTRIBUTIONS[law], rng=getattr(sim, rng)(seed=6))
    projection = sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.0, delay=1.0))
    projection.set(weight=weight)
    assert len(set(cells.get("i_offset"))) > 2
    assert len(np.unique(projection.get("weight", format="array"))) > 2


STRUCTURES = {
    "Line": lambda: sim.Line(dx=2.0),
    "Grid2D": lambda: sim.Grid2D(aspect_ratio=2.0),
    "Grid3D": lambda: sim.Grid3D(),
    "a cuboid": lambda: sim.RandomStructure(sim.Cuboid(1, 2, 3), rng=sim.NumpyRNG(1)),
    "a sphere": lambda: sim.RandomStructure(sim.Sphere(4.0), rng=sim.NumpyRNG(1)),
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_space(name: str):
    sim.setup(timestep=0.1)
    cells = sim.Population(8, sim.IF_curr_exp(), structure=STRUCTURES[name]())
    assert cells.positions.shape == (3, 8)
    space = sim.Space(axes="xy", periodic_boundaries=((0, 20), (0, 20), None), scale_factor=2.0)
    rule = sim.DistanceDependentProbabilityConnector("1.0")
    projection = sim.Projection(cells, cells, rule, sim.StaticSynapse(weight="0.1*d", delay=0.5), space=space)
    assert np.ptp(projection.get("weight", format="array")) > 0
    for module in (sim, sim.space):
        assert all(hasattr(module, n) for n in ("Line", "Grid2D", "Grid3D", "RandomStructure", "Cuboid", "Sphere"))


# --- behaviour -------------------------------------------------------------------------------------------------------


def test_reset_repeats_a_run():
    sim.setup(timestep=0.1)
    _, cells, _ = driven(sim.IF_cond_exp(), 0.05)
    cells.record("v")
    sim.run(5.0)
    sim.reset()
    sim.run(5.0)
    first, second = (s.analogsignals[0].magnitude for s in cells.get_data().segments)
    np.testing.assert_array_equal(first, second)


def test_callbacks_may_change_the_network():
    sim.setup(timestep=0.1)
    _, cells, projection = driven(sim.IF_curr_exp(), 0.1)
    cells.record("v")
    called = []

    def change(time: float) -> float:
        called.append(time)
        cells.set(i_offset=0.1 * len(called))
        projection.set(weight=0.2)
        return time + 2.0

    sim.run(6.0, callbacks=[change])
    assert len(called) >= 3 and signal(cells, "v")[-1, 0] > -65.0


def test_populations_and_projections_may_be_added_after_a_run():
    sim.setup(timestep=0.1)
    source, _, _ = driven(sim.IF_curr_exp())
    sim.run(2.0)
    late = sim.Population(2, sim.IF_curr_exp())
    late.record("v")
    sim.Projection(source, late, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.0, delay=0.5))
    sim.run(4.0)
    assert np.ptp(signal(late, "v")) > 0.01


def test_views_and_assemblies_at_both_ends():
    sim.setup(timestep=0.1)
    source = sim.Population(4, sim.SpikeSourceArray(spike_times=[1.0]))
    a, b = (sim.Population(3, sim.IF_curr_exp()) for _ in range(2))
    both = sim.Assembly(a, b)
    both.record("v")
    view = both[1:5]
    view.initialize(v=-66.0)
    a[0:2].set(tau_m=12.0)
    projection = sim.Projection(source[1:], both, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.5, delay=0.5))
    projection.set(weight=0.4)
    connection = next(iter(projection.connections))
    connection.weight = 0.3
    projection[1].delay = 1.0
    assert projection.get("weight", format="array").shape == (3, 6)
    assert sorted(set(np.asarray(projection.get("weight", format="list", with_address=False)).tolist())) == [0.3, 0.4]
    sim.run(5.0)
    assert both.get_data().segments[0].analogsignals[0].shape == (51, 6)
    assert a[1:].get_data().segments[0].analogsignals[0].shape == (51, 2)


def test_sources_are_changed_between_runs():
    sim.setup(timestep=0.1)
    given = sim.Population(2, sim.SpikeSourceArray(spike_times=[1.0]))
    drawn = sim.Population(2, sim.SpikeSourcePoisson(rate=[0.0, 1000.0]))
    for source in (given, drawn):
        source.record("spikes")
    sim.run(10.0)
    given.set(spike_times=[12.0, 14.0])
    drawn.set(rate=[1000.0, 0.0])
    sim.run(20.0)
    assert [np.asarray(train).tolist() for train in data_of(given).spiketrains] == [[1.0, 12.0, 14.0]] * 2
    off, on = (np.asarray(train) for train in data_of(drawn).spiketrains)
    assert off.min() > 10.0 and len(off) > 5 and on.max() <= 10.1


def test_sampling_intervals():
    sim.setup(timestep=0.1)
    cells = sim.Population(2, sim.IF_curr_exp())
    cells.record("v", sampling_interval=0.5)
    sim.run(5.0)
    assert signal(cells, "v").shape == (11, 2)


@pytest.mark.parametrize("ending", ["pkl", "mat", "nwb", "nix"])
def test_data_files(ending: str, tmp_path):
    pytest.importorskip({"mat": "scipy", "nwb": "pynwb", "nix": "nixio"}.get(ending, "neo"))
    sim.setup(timestep=0.1)
    _, cells, _ = driven(sim.IF_curr_exp())
    cells.record("v")
    sim.run(2.0)
    path = tmp_path / f"data.{ending}"
    cells.write_data(str(path), annotations={"by": "test"})
    assert path.stat().st_size > 0
    sim.end()


def test_sonata_goes_out_and_comes_back(tmp_path):
    from pyNN.serialization import export_to_sonata, import_from_sonata

    pytest.importorskip("h5py")
    sim.setup(timestep=0.1)
    _, cells, projection = driven(sim.IF_curr_exp())
    cells.label, projection.label = "cells", "prj"
    network = sim.Network(projection.pre, cells, projection)
    export_to_sonata(network, str(tmp_path / "net"))
    sim.setup(timestep=0.1)
    again = import_from_sonata(str(tmp_path / "net" / "circuit_config.json"), sim)
    assert len(list(again.projections)) == 1
    sim.run(1.0)


def test_descriptions_and_annotations():
    sim.setup(timestep=0.1)
    source, cells, projection = driven(sim.IF_curr_exp())
    cells.annotate(layer="4")
    assert cells.annotations["layer"] == "4"
    for thing in (source, cells, cells[:1], cells + source, projection):
        assert len(thing.describe()) > 20
    network = sim.Network(source, cells, projection)
    assert network.count_connections() == 4
