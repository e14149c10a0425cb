"""Neurons of compartments through PyNN's API."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from pyNN import errors

from compartment_cells import Segments, ball_and_stick, cell_class, parameters, segment
from evsim.errors import EvsimError
from evsim.pynn.invalid import InvalidNetworkError

DT = 0.025
GUIDE = Path(__file__).parents[2] / "docs" / "multicompartment.md"


@pytest.fixture
def sim(sim):
    sim.setup(timestep=DT)
    return sim


def population(sim, size=1, initial=None, **changed):
    cell = cell_class(sim)(**parameters(sim, **changed))
    return sim.Population(size, cell, initial_values=initial or {"v": -60.0}, label="neurons")


def signals(cells, *args, **kwargs):
    segment = cells.get_data(*args, **kwargs).segments[0]
    return {signal.name: np.asarray(signal) for signal in segment.analogsignals}


def test_a_current_at_a_location_acts_there(sim):
    cells = population(sim, 2, {"v": [-60.0, -70.0]})
    current = sim.DCSource(amplitude=0.1, start=5.0, stop=15.0)
    current.inject_into(cells[0:1], location="soma")
    cells[1].inject(current, location="dendrite")
    cells.record(["na.m", "na.h", "kdr.n"], locations="soma")
    cells.record("v", locations=["soma", "dendrite"])
    sim.run(15.0)
    found = signals(cells)
    assert set(found) == {"soma.v", "dendrite.v", "soma.na.m", "soma.na.h", "soma.kdr.n"}
    assert found["soma.v"][0].tolist() == found["dendrite.v"][0].tolist() == [-60.0, -70.0]
    change = {name: found[f"{name}.v"][-1] - found[f"{name}.v"][round(5.0 / DT)] for name in ("soma", "dendrite")}
    assert change["dendrite"][1] > change["dendrite"][0] + 5.0


def test_without_a_location_it_is_the_soma(sim):
    """Of recording, injecting, and of what a spike is."""
    cells = population(sim, 2)
    source = sim.DCSource(amplitude=0.1, start=1.0, stop=9.0)
    cells[:1].inject(source)
    cells[1:].inject(source, location=sim.morphology.centre(sim.morphology.soma()))
    cells.record(["v", "spikes"])
    cells.record("v", locations="soma")
    sim.run(10.0)
    found = signals(cells)
    np.testing.assert_array_equal(found["v"], found["soma.v"])
    np.testing.assert_array_equal(found["v"][:, 0], found["v"][:, 1])
    (first, second) = (np.array(train) for train in cells.get_data().segments[0].spiketrains)
    crossing = np.flatnonzero((found["v"][1:, 0] > 10.0) & (found["v"][:-1, 0] <= 10.0)) + 1
    np.testing.assert_allclose(first, crossing * DT)
    assert first.tolist() == second.tolist() and len(first) == 1


def test_a_synapse_acts_where_it_is(sim):
    cells = population(sim, 3, na={"conductance_density": 0.0})
    source = sim.Population(2, sim.SpikeSourceArray(spike_times=[[2.0], [2.0, 4.0]]))
    near = sim.Projection(
        source,
        cells,
        sim.FromListConnector([(0, 0), (1, 1)]),
        sim.StaticSynapse(weight=0.003, delay=0.5),
        receptor_type="AMPA",
    )
    cells.record("AMPA.gsyn", locations="dendrite")
    cells.record("v", locations=["soma", "dendrite"])
    sim.run(10.0)
    found = signals(cells)
    time = np.arange(len(found["soma.v"])) * DT

    def conductance(arrival):
        return np.where(time > arrival - DT / 2, 0.003 * np.exp(-(time - arrival) / 2.0), 0.0)

    np.testing.assert_allclose(found["dendrite.AMPA.gsyn"][:, 0], conductance(2.5), atol=1e-9)
    np.testing.assert_allclose(found["dendrite.AMPA.gsyn"][:, 1], conductance(2.5) + conductance(4.5), atol=1e-9)
    assert not found["dendrite.AMPA.gsyn"][:, 2].any()
    rise = found["dendrite.v"].max(0) - found["soma.v"].max(0)
    assert rise[0] > 5.0 and rise[1] > rise[0]
    assert near.get("weight", format="list", with_address=False) == [0.003, 0.003]


def test_selectors_choose_among_the_synapses(sim):
    """One in each section that is selected; ``random_section`` one for each target; the same at each run."""
    soma = segment("soma", 0, 20.0, 20.0)
    branches = [segment(f"b{k}", k, 100.0, 1.0, soma) for k in (1, 2, 3)]
    groups = {"apical_dendrite": [1, 2], "basal_dendrite": [3]}
    places = sim.morphology
    chosen = []
    for _ in range(2):
        sim.setup(timestep=DT, rng_seed=5)
        cells = population(
            sim,
            40,
            morphology=Segments([soma, *branches], groups),
            AMPA={"locations": places.random_placement(places.uniform("all", 0.05))},
        )
        source = sim.Population(3, sim.SpikeSourceArray(spike_times=[1.0]))
        counts = {}
        for name, selector in {
            "all": "all",
            "label": "b2",
            "apical": places.apical_dendrites(),
            "dendrites": places.dendrites(),
            "random": places.random_section(places.apical_dendrites()),
        }.items():
            to = sim.Projection(
                source,
                cells,
                sim.AllToAllConnector(location_selector=selector),
                sim.StaticSynapse(weight=0.001),
                receptor_type="AMPA",
            )
            counts[name] = len(to)
            where = [to.sites.names[number] for number in to.sites.numbers]
        assert counts == {"all": 480, "label": 120, "apical": 240, "dendrites": 360, "random": 120}
        assert {name.partition("(")[0] for name in where} == {"b1", "b2"}
        assert all(len(set(where[k : k + 3])) == 1 for k in range(0, 120, 3))
        chosen.append(where)
    assert chosen[0] == chosen[1]


def test_a_thin_placement_leaves_cells_without_synapses(sim):
    """0.001 a um on 500 um: half of the cells have one on the dendrite."""
    places = sim.morphology
    cells = population(sim, 400, AMPA={"locations": places.random_placement(places.uniform("dendrite", 0.001))})
    has = cells.synapses_present["AMPA"]
    assert has.shape == (400, 1)
    assert has.mean() == pytest.approx(0.5, abs=0.1)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0]))
    with pytest.raises(errors.ConnectionError, match=r"cell \d+ of population 'neurons' has no 'AMPA' synapse"):
        sim.Projection(source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.001), receptor_type="AMPA")


def test_a_location_that_stands_for_several_places(sim):
    cells = population(sim)
    cells.record("v", locations=sim.morphology.at_distances(sim.morphology.with_label("dendrite"), [0.1, 0.9]))
    cells.record("v", locations=sim.morphology.centre(sim.morphology.soma()))
    cells.record("v", locations=sim.morphology.centre(sim.morphology.with_label("dendrite")))
    sim.DCSource(amplitude=0.3, start=0.0).inject_into(cells, location="dendrite")
    sim.run(5.0)
    found = {name: values[-1, 0] for name, values in signals(cells).items()}
    assert list(found) == ["d-0.1.v", "d-0.9.v", "centre.v", "centre (2).v"]
    assert found["centre (2).v"] > max(found["d-0.1.v"], found["d-0.9.v"]) > found["centre.v"]


def test_data_by_name_location_and_after_a_reset(sim):
    cells = population(sim)
    cells.record("v", locations=["soma", "dendrite"])
    cells.record("na.m", locations="soma", sampling_interval=DT)
    sim.run(1.0)
    assert set(signals(cells, "v")) == {"soma.v", "dendrite.v"}
    assert set(signals(cells, "v", locations="dendrite")) == {"dendrite.v"}
    before = signals(cells)
    sim.reset()
    sim.run(1.0)
    first, second = cells.get_data("v").segments
    assert {signal.name for signal in first.analogsignals} == {"soma.v", "dendrite.v"}
    for signal in second.analogsignals:
        np.testing.assert_array_equal(np.asarray(signal), before[signal.name])


def test_parameters_and_states_of_cells_may_differ_and_change(sim):
    cells = population(
        sim, 2, pas={"conductance_density": 0.001, "e_rev": [-60.0, -70.0]}, na={"conductance_density": 0}
    )
    cells.record("v")
    sim.run(100.0)
    early = signals(cells)["v"][-1]
    assert early[0] > early[1] + 3.0
    cells.set(**{"pas.e_rev": -65.0})
    sim.run(100.0)
    late = signals(cells)["v"][-1]
    assert late[0] == pytest.approx(late[1], abs=1e-3)
    assert cells.get("pas.e_rev") == -65.0
    cells.initialize(v=-50.0)
    sim.run(DT)
    assert signals(cells)["v"][-1] == pytest.approx([-50.0, -50.0], abs=1.0)


def test_gates_can_be_given_a_value(sim):
    cells = population(sim, initial={"v": -60.0, "na.h": 0.125})
    cells.record(["na.m", "na.h"], locations="soma")
    sim.run(DT)
    opens, closes = 0.1 * 20 / (np.exp(2.0) - 1), 4 * np.exp(-5.0 / 18)
    assert signals(cells)["soma.na.h"][0, 0] == 0.125
    assert signals(cells)["soma.na.m"][0, 0] == pytest.approx(opens / (opens + closes))


def test_plastic_synapses_learn_at_each_place(sim):
    """A spike of the soma after one of the source: the weight grows where the synapse is, as on points."""
    cells = population(sim, 1)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[4.0, 18.0]))  # the second one brings it up to date
    stdp = sim.STDPMechanism(
        sim.SpikePairRule(tau_plus=20.0, tau_minus=20.0, A_plus=0.5, A_minus=0.0),
        sim.AdditiveWeightDependence(w_min=0.0, w_max=0.002),
        weight=0.0005,
        delay=0.5,
    )
    plastic = sim.Projection(source, cells, sim.AllToAllConnector(location_selector="all"), stdp, receptor_type="AMPA")
    sim.DCSource(amplitude=0.5, start=5.0, stop=10.0).inject_into(cells)
    cells.record("spikes")
    sim.run(20.0)
    (spike,) = np.array(cells.get_data().segments[0].spiketrains[0])
    (weight,) = plastic.get("weight", format="list", with_address=False)
    assert weight == pytest.approx(0.0005 + 0.5 * 0.002 * np.exp(-(spike - 4.0) / 20.0), rel=0.03)


def test_releasing_synapses_open_by_what_they_release(sim):
    """The first spike releases U of the weight."""
    cells = population(sim, 1)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[2.0]))
    synapse = sim.TsodyksMarkramSynapse(U=0.25, tau_rec=100.0, tau_facil=0.0, weight=0.004, delay=0.5)
    connector = sim.AllToAllConnector(location_selector="dendrite")
    sim.Projection(source, cells, connector, synapse, receptor_type="AMPA")
    cells.record("AMPA.gsyn", locations="dendrite")
    sim.run(5.0)
    assert signals(cells)["dendrite.AMPA.gsyn"].max() == pytest.approx(0.001)


def test_dopamine_reaches_a_cell_as_a_whole(sim):
    """What a synapse at a place learns is proportional to the dose that the cell is given."""
    cells = population(sim, 3)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[4.0]))
    reward = sim.Population(3, sim.SpikeSourceArray(spike_times=[11.0]))
    stdp = sim.STDPMechanism(
        sim.SpikePairRule(A_plus=0.5, A_minus=0.0), sim.AdditiveWeightDependence(w_max=0.002), weight=0.0005, delay=0.5
    )
    plastic = sim.Projection(source, cells, sim.AllToAllConnector(location_selector="all"), stdp, receptor_type="AMPA")
    dopamine = sim.extra_models.Neuromodulation(weight=np.diag([0.0, 0.01, 0.02]), tau_c=100.0, tau_d=5.0, w_max=0.002)
    sim.Projection(reward, cells, sim.OneToOneConnector(), dopamine, receptor_type="reward")
    sim.DCSource(amplitude=0.5, start=5.0, stop=10.0).inject_into(cells)
    sim.run(30.0)
    none, one, two = np.array(plastic.get("weight", format="list", with_address=False)) - 0.0005
    assert none == 0.0 < one
    assert two == pytest.approx(2 * one, rel=1e-9)


def test_a_gap_junction_has_no_place_among_compartments(sim):
    cells = population(sim, 2)
    sim.Projection(cells[:1], cells[1:], sim.OneToOneConnector(), sim.ElectricalSynapse(weight=0.001), label="gap")
    with pytest.raises(InvalidNetworkError, match=r"projection 'gap': a gap junction .* compartments"):
        sim.run(1.0)


def test_a_projection_onto_an_assembly_and_a_view(sim):
    one, two = population(sim, 2), population(sim, 3)
    source = sim.Population(2, sim.SpikeSourceArray(spike_times=[1.0]))
    to = sim.Projection(
        source,
        one[1:] + two,
        sim.AllToAllConnector(location_selector="dendrite"),
        sim.StaticSynapse(weight=0.001),
        receptor_type="AMPA",
    )
    assert len(to) == 8
    for cells in (one, two):
        cells.record("AMPA.gsyn", locations="dendrite")
    sim.run(3.0)
    assert [signals(cells)["dendrite.AMPA.gsyn"].any(0).tolist() for cells in (one, two)] == [[False, True], [True] * 3]


def test_an_electrode_and_a_synapse_may_come_while_it_runs(sim):
    """As if they had been there from the beginning."""
    found = []
    for late in (False, True):
        sim.setup(timestep=DT)
        cells = population(sim, 2)
        source = sim.Population(1, sim.SpikeSourceArray(spike_times=[6.0]))
        cells.record("v", locations=["soma", "dendrite"])
        current = sim.DCSource(amplitude=0.05, start=4.0)

        def add(source=source, cells=cells, current=current):
            sim.Projection(
                source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.002), receptor_type="AMPA"
            )
            current.inject_into(cells[1:], location="dendrite")

        if not late:
            add()
        sim.run(2.0)
        if late:
            add()
        sim.run(8.0)
        found.append(signals(cells))
    for name, values in found[0].items():
        np.testing.assert_array_equal(found[1][name], values)
    assert np.ptp(found[0]["dendrite.v"][-1]) > 1.0


def test_memory_is_counted_before_it_is_taken(sim, monkeypatch):
    monkeypatch.setenv("EVSIM_MEMORY_LIMIT", "0.1")
    with pytest.raises(EvsimError, match=r"population 'neurons': 100000 cells need .* GB"):
        population(sim, 100_000)


def test_scripts_for_neuron_run(monkeypatch):
    """Its module of morphologies is found under the redirected name, too."""
    from evsim.redirect import redirected

    told = []
    with redirected(told.append):
        from pyNN.neuron.morphology import uniform  # type: ignore[import-not-found]

        assert uniform("soma", 1.0).value_in(ball_and_stick(), 0) == 1.0
        assert uniform.__module__ == "evsim.pynn.morphology"
    assert len(told) == 1


def test_a_class_can_be_instantiated_again(sim):
    """PyNN's classes for NEURON put the instances of channels into the class."""
    cell = cell_class(sim)
    first, second = (cell(**parameters(sim, Ra=Ra)) for Ra in (100.0, 300.0))
    assert cell.ion_channels["na"] is sim.NaChannel
    populations = [sim.Population(1, kind, initial_values={"v": -60.0}) for kind in (first, second)]
    source = sim.DCSource(amplitude=0.1, start=0.0)
    for cells in populations:
        source.inject_into(cells, location="dendrite")
        cells.record("v", locations="dendrite")
    sim.run(5.0)
    a, b = (signals(cells)["dendrite.v"][-1, 0] for cells in populations)
    assert b > a + 1.0


def test_the_time_step_may_be_of_second_order(sim):
    ends = {}
    for second_order in (False, True):
        for dt in (0.1, 0.05, 0.0125):
            sim.setup(timestep=dt)
            cell = cell_class(sim, second_order=second_order)(**parameters(sim, na={"conductance_density": 0.0}))
            cells = sim.Population(1, cell, initial_values={"v": -50.0})
            cells.record("v")
            sim.run(4.0)
            ends[second_order, dt] = signals(cells)["v"][-1, 0]
    for second_order, ratio in ((False, 2.0), (True, 4.0)):
        one, two, fine = (ends[second_order, dt] for dt in (0.1, 0.05, 0.0125))
        # against a step of an eighth: (8^p - 1) / (4^p - 1) of the errors
        p = np.log2(ratio)
        assert abs((one - fine) / (two - fine)) == pytest.approx((8**p - 1) / (4**p - 1), rel=0.15)


def test_the_guides_example_does_what_the_guide_says(capsys):
    pytest.importorskip("neuroml")
    pytest.importorskip("morphio")
    guide = GUIDE.read_text()
    (script,) = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    (said,) = re.findall(r"What it prints:\n\n((?:    .*\n)+)", guide)
    exec(compile(script, str(GUIDE), "exec"), {"__name__": "not_a_module"})
    assert capsys.readouterr().out == said.replace("    ", "")
