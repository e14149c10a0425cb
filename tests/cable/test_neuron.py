"""NEURON 9 on the same compartments: it is the truth for what a time step does."""

from __future__ import annotations

import numpy as np
import pytest

from cable_cells import E_LEAK, LEAK, RA, cable, cylinder, run, traces
from evsim.cable.model import Channel, Receptor
from evsim.cable.sections import ROOT, Section

neuron = pytest.importorskip("neuron")
h = neuron.h

DT = 0.025


def tree() -> list[Section]:
    """A soma, a tapering trunk that branches, a branch at its middle, and one at the beginning of the soma."""
    taper = np.array([[0.0, 4.0], [60.0, 3.0], [200.0, 2.0]])
    return [
        cylinder("soma", 20.0, 18.0),
        Section("trunk", taper, 0),
        cylinder("left", 150.0, 1.5, 1),
        cylinder("right", 250.0, 1.0, 1),
        cylinder("side", 100.0, 0.8, 1, along=0.5),
        cylinder("axon", 300.0, 1.0, 0, along=0.0),
    ]


@pytest.fixture
def twin():
    """Makes the same sections in NEURON: with a leak, and Hodgkin and Huxley's channels at their share."""
    h.load_file("stdrun.hoc")
    h.celsius, h.dt, h.usetable_hh = 6.3, DT, 0  # NEURON's tables of rates are coarser than its arithmetic
    made = []

    def make(of, sections, share=None):
        for number, section in enumerate(sections):
            there = h.Section(name=f"{section.name}_{len(made)}")
            there.pt3dclear()
            for x, diameter in section.points:
                h.pt3dadd(x, 0, 0, diameter, sec=there)
            there.nseg, there.Ra, there.cm = int(of.tree.count[number]), RA, 1.0
            there.insert("pas")
            there.g_pas, there.e_pas = LEAK, E_LEAK
            if share is not None and share[number] > 0:
                there.insert("hh")
                there.gl_hh, there.gnabar_hh, there.gkbar_hh = 0.0, 0.12 * share[number], 0.036 * share[number]
                there.ena, there.ek = 50.0, -77.0
            if section.parent != ROOT:
                there.connect(made[section.parent](section.along), 0)
            made.append(there)
        return made

    yield make
    h.secondorder = 0
    made.clear()


def advance(time: float, v: float = E_LEAK) -> None:
    h.finitialize(v)
    for _ in range(round(time / DT)):
        h.fadvance()


def hodgkin_huxley(share):
    return [Channel("na", "sodium", 0.12 * share), Channel("kdr", "potassium", 0.036 * share)]


def test_compartments_are_neurons(twin):
    sections = tree()
    of = cable(sections)
    there = twin(of, sections)
    for number, section in enumerate(there):
        first, count = int(of.tree.first[number]), int(of.tree.count[number])
        areas = [segment.area() for segment in section]
        np.testing.assert_allclose(of.tree.area[first : first + count], areas, rtol=1e-6)
        resistance = [segment.ri() for segment in section]
        np.testing.assert_allclose(1 / of.tree.axial[first : first + count][1:], resistance[1:], rtol=1e-6)


@pytest.mark.parametrize("second_order", [False, True])
def test_a_second_of_spikes(twin, second_order):
    """Spikes within a step over 1 s, and potentials to a few microvolts between them."""
    sections = tree()
    share = np.array([2.0, 1.0, 1.0, 1.0, 0.0, 1.0])
    of = cable(sections, hodgkin_huxley(share), second_order=second_order)
    there = twin(of, sections, share)
    h.secondorder = 2 if second_order else 0
    clamp = h.IClamp(there[1](0.5))
    clamp.delay, clamp.dur, clamp.amp = 20.0, 1e9, 0.6
    detector = h.NetCon(there[0](0.5)._ref_v, None, sec=there[0])
    spikes = h.Vector()
    detector.record(spikes)
    soma, tip = (h.Vector().record(section(0.5)._ref_v) for section in (there[0], there[2]))
    advance(1000.0, -60.0)
    places = [of.names[of.tree.at(number, 0.5)] for number in (1, 2)]
    found = run(of, 1000.0, DT, ["v", f"{places[1]}.v"], currents=[(places[0], 0.6, 20.0, 1e9)], v=-60.0)
    ours = found.spikes[0].times
    assert len(ours) > 50
    assert len(ours) == len(spikes)
    late = np.abs(ours - np.array(spikes)).max()
    assert late <= DT * 1.001
    early = slice(0, round(60.0 / DT))
    for vector, name in ((soma, "v"), (tip, f"{places[1]}.v")):
        np.testing.assert_allclose(traces(found)[name][early], np.array(vector)[early], atol=0.02)


def test_synapses_on_a_dendrite(twin):
    """ExpSyn and NetCon: an event is felt from the time step on that begins with it."""
    sections = tree()
    bare = cable(sections)
    node = bare.tree.at(2, 0.5)
    of = cable(sections, receptors=[Receptor("AMPA", ("tau_syn",), False, True, (node,))])
    there = twin(of, sections)
    synapse = h.ExpSyn(there[2](0.5))
    synapse.tau, synapse.e = 2.0, 0.0
    times = np.array([5.0, 7.5, 7.5 + DT, 20.0])
    connection = h.NetCon(None, synapse)
    connection.weight[0], connection.delay = 0.003, 0.0
    soma, dendrite = (h.Vector().record(section(0.5)._ref_v) for section in (there[0], there[2]))
    h.finitialize(E_LEAK)
    for time in times:
        connection.event(time)
    for _ in range(round(40.0 / DT)):
        h.fadvance()
    place = of.names[node]
    parameters = {"AMPA.tau_syn": 2.0, "AMPA.e_syn": 0.0}
    spikes = [(f"{place}.AMPA", 0.003, times - DT)]
    found = traces(run(of, 40.0, DT, ["v", f"{place}.v"], spikes=spikes, parameters=parameters))
    for vector, name in ((soma, "v"), (dendrite, f"{place}.v")):
        np.testing.assert_allclose(found[name], np.array(vector)[: len(found[name])], atol=1e-5)
    assert found["v"].max() > E_LEAK + 3.0
