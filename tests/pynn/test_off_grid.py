"""``setup(spike_precision="off_grid")``: spikes of a SpikeSourceArray between time steps."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import numpy as np
import pytest

from compartment_cells import cell_class, parameters
from evsim.chip import load_chip
from evsim.deploy.quantise import quantise
from evsim.network_file import fingerprint, load, save
from evsim.pynn import graph, simulator
from evsim.pynn.invalid import InvalidValueError

sim: Any = importlib.import_module("pyNN.evsim")  # whose cell types are made when they are asked for

TIMES = [1.234, 3.71, 9.99]


def chain(synapse: Any = None, precision: str = "off_grid", cell: Any = None, **named):
    sim.setup(timestep=0.1, spike_precision=precision, **named)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=TIMES))
    cells = sim.Population(1, cell or sim.IF_curr_exp(tau_syn_E=2.0, tau_syn_I=2.0), initial_values={"v": -65.0})
    synapse = synapse or sim.StaticSynapse(weight=0.5, delay=0.5)
    projection = sim.Projection(source, cells, sim.AllToAllConnector(), synapse, label="in")
    source.record("spikes")
    cells.record(["v", "isyn_exc"] if cell is None else ["v"])
    return source, cells, projection


def signal(cells, name: str) -> np.ndarray:
    (found,) = (s for s in cells.get_data().segments[-1].analogsignals if s.name == name)
    return np.asarray(found.magnitude)[:, 0]


def test_currents_decay_from_the_very_times_and_these_are_recorded():
    source, cells, _ = chain()
    sim.run(20.0)
    (train,) = source.get_data().segments[0].spiketrains
    assert np.asarray(train).tolist() == TIMES
    found, label = signal(cells, "isyn_exc"), np.arange(201) * 0.1
    since = label[:, None] - np.array(TIMES) - 0.5
    expected = 0.5 * np.where(since > 0, np.exp(-since / 2.0), 0.0).sum(axis=1)
    just_before = ((since < 0) & (since > -0.1)).any(axis=1)  # the early part of an input is there already
    np.testing.assert_allclose(found[~just_before], expected[~just_before], atol=1e-13)
    assert (found[just_before] > expected[just_before]).all() and just_before.sum() == 3


def test_a_jump_of_the_voltage_comes_neither_early_nor_late():
    _, cells, _ = chain(cell=sim.IF_curr_delta(tau_m=10.0), synapse=sim.StaticSynapse(weight=2.0, delay=0.5))
    sim.run(20.0)
    since = np.arange(201)[:, None] * 0.1 - np.array(TIMES) - 0.5
    expected = -65.0 + 2.0 * np.where(since > 0, np.exp(-since / 10.0), 0.0).sum(axis=1)
    np.testing.assert_allclose(signal(cells, "v"), expected, atol=1e-12)


def test_on_grid_is_what_there_is_without_a_word():
    found = []
    for named in ({}, {"precision": "on_grid"}):
        _, cells, _ = chain(**{"precision": "on_grid", **named})
        sim.run(20.0)
        found.append(signal(cells, "v"))
    np.testing.assert_array_equal(*found)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[0.1 * round(t / 0.1) for t in TIMES]))
    cells = sim.Population(1, sim.IF_curr_exp(tau_syn_E=2.0), initial_values={"v": -65.0})
    sim.Projection(source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.5, delay=0.5))
    cells.record("v")
    sim.reset()
    sim.run(20.0)
    np.testing.assert_array_equal(signal(cells, "v"), found[0])


def test_a_wrong_word_is_refused():
    with pytest.raises(InvalidValueError, match="spike_precision='exact'; it must be 'on_grid' or 'off_grid'"):
        sim.setup(spike_precision="exact")


def test_chips_round_and_it_is_said():
    with pytest.warns(UserWarning, match=r"reference:loihi2 has no time between its steps.* at most 0.05 ms"):
        chain(chip="loihi2")
    held = quantise(graph.build(simulator.state), load_chip("loihi2"))
    assert any("nearest time step" in note for note in held.notes)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        chain(chip="ideal")
        chain(precision="on_grid", chip="loihi2")
    assert not quantise(graph.build(simulator.state), load_chip("ideal")).notes


SYNAPSES = {
    "plastic": lambda: sim.STDPMechanism(
        sim.SpikePairRule(20.0, 20.0, 0.01, 0.01), sim.AdditiveWeightDependence(0.0, 1.0), weight=0.5, delay=0.5
    ),
    "releasing": lambda: sim.TsodyksMarkramSynapse(weight=0.5, delay=0.5, U=0.5, tau_rec=100.0, tau_facil=0.0),
}


@pytest.mark.parametrize("name", SYNAPSES)
def test_synapses_that_change_take_spikes_at_the_nearest_step_and_it_is_noted(name: str):
    found = []
    for precision in ("off_grid", "on_grid"):
        _, cells, _ = chain(SYNAPSES[name](), precision)
        held = quantise(graph.build(simulator.state), load_chip("ideal"))
        assert [note for note in held.notes if "its synapses change" in note] == (
            ["projection 'in': given spikes take effect at the nearest time step, for its synapses change with them"]
            if precision == "off_grid"
            else []
        )
        sim.run(20.0)
        found.append(signal(cells, "v"))
    np.testing.assert_array_equal(*found)


COMPOSED = {
    "LIF": lambda: sim.PointNeuron(sim.LIF(), AMPA=sim.CurrExpPostSynapticResponse(tau_syn=2.0)),
    "AdExp": lambda: sim.PointNeuron(sim.AdExp(), AMPA=sim.CondBetaPostSynapticResponse(tau_rise=0.5, tau_decay=3.0)),
    "HH_cond_exp": lambda: sim.HH_cond_exp(),
    "IF_facets_hardware1": lambda: sim.IF_facets_hardware1(),
    "Izhikevich": lambda: sim.Izhikevich(),
    "IF_curr_dual_exp": lambda: sim.IF_curr_dual_exp(),
}


@pytest.mark.parametrize("name", COMPOSED)
def test_any_cell_is_nearer_to_what_short_steps_give(name: str):
    """The same times are on the grid of steps of 0.002 ms."""
    found = {}
    for dt, precision in ((0.002, "on_grid"), (0.1, "off_grid"), (0.1, "on_grid")):
        sim.setup(timestep=dt, spike_precision=precision)
        source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.234, 3.726]))
        cells = sim.Population(1, COMPOSED[name]())
        weight = 0.5 if name in ("LIF", "Izhikevich", "IF_curr_dual_exp") else 0.002
        receptor = "AMPA" if name in ("LIF", "AdExp") else "excitatory"
        synapse = sim.StaticSynapse(weight=weight, delay=0.5)
        sim.Projection(source, cells, sim.AllToAllConnector(), synapse, receptor_type=receptor)
        cells.record("v", sampling_interval=0.1)
        sim.run(8.0)
        found[dt, precision] = signal(cells, "v")
    exact = found[0.002, "on_grid"]
    off, on = (np.abs(found[0.1, word] - exact)[50:].max() for word in ("off_grid", "on_grid"))
    assert off < 0.2 * on


def test_synapses_on_dendrites_are_nearer_to_what_short_steps_give():
    found = {}
    for dt, precision in ((0.002, "on_grid"), (0.1, "off_grid"), (0.1, "on_grid")):
        sim.setup(timestep=dt, spike_precision=precision)
        source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.234, 3.726]))
        kind = cell_class(sim)(**parameters(sim, na={"conductance_density": sim.morphology.uniform("soma", 0.0)}))
        cells = sim.Population(1, kind)
        anywhere = sim.AllToAllConnector(location_selector="all")
        synapse = sim.StaticSynapse(weight=0.001, delay=0.5)
        sim.Projection(source, cells, anywhere, synapse, receptor_type="AMPA")
        cells.record("AMPA.gsyn", locations="dendrite", sampling_interval=0.1)
        sim.run(8.0)
        (recorded,) = cells.get_data().segments[-1].analogsignals
        found[dt, precision] = np.asarray(recorded.magnitude)[:, 0]
    exact = found[0.002, "on_grid"]
    off, on = (np.abs(found[0.1, word] - exact)[50:].max() for word in ("off_grid", "on_grid"))
    assert exact.max() > 5e-4 and off < 1e-9 < 0.001 * on / exact.max()


def test_a_saved_network_says_so(tmp_path):
    chain()
    network = graph.build(simulator.state)
    save(network, tmp_path / "net.npz")
    again = load(tmp_path / "net.npz")
    assert again.off_grid and fingerprint(again) == fingerprint(network)
    chain(precision="on_grid")
    assert fingerprint(graph.build(simulator.state)) != fingerprint(network)


def test_populations_may_be_added_and_reset_repeats():
    source, cells, _ = chain()
    sim.run(5.0)
    late = sim.Population(1, sim.IF_curr_exp(tau_syn_E=2.0), initial_values={"v": -65.0})
    late.record("v")
    sim.Projection(source, late, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.5, delay=0.5))
    sim.run(15.0)
    first = signal(cells, "v")
    assert signal(late, "v")[-1] > -64.9
    sim.reset()
    sim.run(20.0)
    np.testing.assert_array_equal(signal(cells, "v"), first)
    np.testing.assert_array_equal(signal(late, "v"), first)
