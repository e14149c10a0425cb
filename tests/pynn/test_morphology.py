"""Morphologies, selections of their sections, and what is distributed over them."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from pyNN import errors

from compartment_cells import Segments, ball_and_stick, cell_class, parameters, point, segment
from evsim.errors import MissingPartError
from evsim.pynn.neurites import neurites

SWC = """\
# a soma of three points, a basal dendrite, an apical one that branches, an axon
1 1 0 0 0 8 -1
2 1 0 -8 0 8 1
3 1 0 8 0 8 1
4 3 0 -10 0 1.0 1
5 3 0 -60 0 0.5 4
6 4 0 10 0 1.5 1
7 4 0 100 0 1.0 6
8 4 40 160 0 0.5 7
9 4 -40 170 0 0.4 7
10 2 10 0 0 0.5 1
11 2 200 0 0 0.4 10
"""


@pytest.fixture
def swc(tmp_path):
    path = tmp_path / "cell.swc"
    path.write_text(SWC)
    return str(path)


def branched() -> Segments:
    soma = segment("soma", 10, 20.0, 20.0)
    trunk = segment("trunk", 20, 100.0, 3.0, soma)
    tips = [segment("tip", 30, 50.0, 1.0, trunk), segment("tip", 40, 80.0, 2.0, trunk)]
    axon = segment("axon", 50, 200.0, 1.0, soma)
    return Segments([soma, trunk, *tips, axon], {"apical_dendrite": [1, 2, 3]})


def test_sections_of_segments():
    found = neurites(branched())
    assert [section.name for section in found.sections] == ["soma", "trunk", "tip", "tip", "axon"]
    assert [section.parent for section in found.sections] == [-1, 0, 1, 1, 0]
    assert found.distance.tolist() == [0.0, 20.0, 120.0, 120.0, 20.0]
    assert {name: sections.tolist() for name, sections in found.labels.items()} == {
        "soma": [0],
        "trunk": [1],
        "tip": [2, 3],
        "axon": [4],
        "apical_dendrite": [1, 2, 3],
    }


def test_a_segment_may_refer_to_its_parent_and_begin_at_its_end():
    """As in NeuroML's files."""
    soma = segment("soma", 0, 20.0, 20.0)
    dendrite = segment("dendrite", 1, 100.0, 2.0)
    dendrite.proximal, dendrite.parent = None, type("SegmentParent", (), {"segments": 0, "fraction_along": 1.0})()
    spine = segment("spine", 2, 1.0, 0.5)
    spine.parent = type("SegmentParent", (), {"segments": 1, "fraction_along": 0.25})()
    found = neurites(Segments([soma, dendrite, spine])).sections
    assert found[1].points.tolist() == [[0.0, 20.0], [80.0, 2.0]]
    assert (found[2].parent, found[2].along) == (1, 0.25)


def test_selections(sim):
    places, cell = sim.morphology, branched()
    assert places.with_label("tip", "axon")(cell).tolist() == [2, 3, 4]
    assert places.with_label("all")(cell).tolist() == [0, 1, 2, 3, 4]
    assert places.apical_dendrites()(cell).tolist() == places.dendrites()(cell).tolist() == [1, 2, 3]
    assert places.apical_dendrites()(cell, filter_by_section=[3, 4]).tolist() == [3]
    assert places.axon()(cell).tolist() == [4]
    assert places.soma()(cell).tolist() == [0]
    assert int(places.random_section(places.apical_dendrites())(cell)[0]) in (1, 2, 3)
    for missing in (places.basal_dendrites(), places.with_label("spine")):
        with pytest.raises(errors.InvalidParameterValueError, match="apical_dendrite, axon, soma, tip, trunk"):
            missing(cell)


def test_distributions(sim):
    places, cell = sim.morphology, branched()

    def values(distribution):
        return [distribution.value_in(cell, index) for index in range(5)]

    assert values(places.uniform("apical_dendrite", 0.5)) == [0.0, 0.5, 0.5, 0.5, 0.0]
    assert values(places.uniform("soma", 2.0, absence=None)) == [2.0, None, None, None, None]
    assert values(places.by_distance("all", lambda d: d / 10)) == [0.0, 2.0, 12.0, 12.0, 2.0]
    assert values(places.by_diameter("all", lambda d: 2 * d)) == [40.0, 6.0, 2.0, 4.0, 2.0]
    either = places.any(places.uniform("trunk", 1.0, absence=None), places.uniform("all", 7.0), absence=None)
    assert values(either)[:2] == [7.0, 1.0]


def test_locations(sim):
    places, cell = sim.morphology, branched()

    def where(locations):
        return [(place.label, place.section, place.along) for place in locations.places(cell)]

    assert where(places.LabelledLocations("soma", "tip")) == [("soma", 0, 0.5), ("tip-0", 2, 0.5), ("tip-1", 3, 0.5)]
    assert where(places.centre(places.apical_dendrites())) == [("centre", 2, 0.5)]
    assert where(places.at_distances("axon", [0.0, 1.0])) == [("d-0.0", 4, 0.0), ("d-1.0", 4, 1.0)]
    thin = places.random_placement(places.uniform("tip", 0.01)).places(cell)
    assert [(place.section, place.chance) for place in thin] == [(2, 0.5), (3, 0.8)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: [segment("soma", 0, 0.0, 20.0)], "section 'soma' .* length of 0 um"),
        (lambda s: [segment("soma", 0, 20.0, -1.0)], "section 'soma' .* diameter of -1 um"),
        (lambda s: [segment("soma", 0, np.nan, 1.0)], "section 'soma' .* not a finite number"),
        (lambda s: [s, segment("other", 1, 5.0, 1.0)], "2 sections that have no parent"),
        (lambda s: [s, segment("soma", 0, 5.0, 1.0, s)], "same id"),
        (lambda s: [s, segment("dendrite", 1, 5.0, 1.0, segment("lost", 7, 1.0, 1.0))], "'dendrite' has the parent 7"),
        (lambda s: [], "without any section"),
    ],
)
def test_a_morphology_that_cannot_be(sim, change, words):
    soma = segment("soma", 0, 20.0, 20.0)
    with pytest.raises(errors.InvalidParameterValueError, match=words):
        neurites(Segments(change(soma)))


def test_sections_in_a_circle_are_refused(sim):
    soma, a, b = segment("soma", 0, 20.0, 20.0), segment("a", 1, 5.0, 1.0), segment("b", 2, 5.0, 1.0)
    a.parent, b.parent = b, a
    with pytest.raises(errors.InvalidParameterValueError, match=r"section 'a' .* is not connected to 'soma'"):
        neurites(Segments([soma, a, b]))


def test_a_cell_without_a_soma_has_none_to_ask_for(sim):
    cable = Segments([segment("cable", 0, 100.0, 1.0)])
    kind = cell_class(sim, ion_channels={"pas": sim.PassiveLeak}, post_synaptic_entities={})
    cells = sim.Population(1, kind(morphology=cable, pas={"conductance_density": 0.001}), initial_values={"v": -50.0})
    with pytest.raises(errors.InvalidParameterValueError, match=r"labelled 'soma'; it has cable"):
        cells.record("v", locations="soma")
    with pytest.raises(errors.InvalidParameterValueError, match=r"labelled 'soma'; it has cable"):
        sim.Population(1, cell_class(sim)(**parameters(sim, morphology=cable)))
    cells.record("v")
    sim.run(100.0)
    (signal,) = cells.get_data().segments[0].analogsignals
    assert float(signal[-1, 0]) == pytest.approx(-65.0, abs=1e-3)


def test_compartments_are_as_many_as_pynn_gives_neuron(sim):
    """1 + 2 int((0.999 + L / (0.1 lambda_100)) / 2), lambda_100 = 1e5 sqrt(d / (4 pi 100 Ra cm))."""
    cell = cell_class(sim)(**parameters(sim))
    constant = 1e5 * np.sqrt(2.0 / (4 * np.pi * 100 * 500.0))
    assert cell.tree.count.tolist() == [1, 1 + 2 * int((0.999 + 500.0 / (0.1 * constant)) / 2)]
    finer = cell_class(sim, d_lambda=0.05)(**parameters(sim))
    assert finer.tree.count[1] == pytest.approx(2 * cell.tree.count[1], abs=2)
    assert cell.segment_names == ["soma", "dendrite"]


def test_segments_of_libneuroml(sim):
    neuroml = pytest.importorskip("neuroml")
    pytest.importorskip("morphio")

    def at(x, diameter):
        return neuroml.Point3DWithDiam(x=x, y=0, z=0, diameter=diameter)

    soma = neuroml.Segment(proximal=at(0, 18.8), distal=at(18.8, 18.8), name="soma", id=0)
    dendrite = neuroml.Segment(proximal=at(0, 2), distal=at(-500, 2), name="dendrite", parent=soma, id=1)
    given = sim.morphology.NeuroMLMorphology(neuroml.Morphology(segments=(soma, dendrite)))
    found, expected = neurites(given), neurites(ball_and_stick())
    for a, b in zip(found.sections, expected.sections, strict=True):
        assert (a.name, a.points.tolist(), a.parent, a.along) == (b.name, b.points.tolist(), b.parent, b.along)


def test_files_by_morphio(sim, swc):
    """A file has radii; the soma is a sphere of 8 um."""
    pytest.importorskip("morphio")
    found = neurites(sim.morphology.load_morphology(swc, use_library="morphio"))
    soma, *rest = found.sections
    assert np.pi * soma.diameter * soma.length == pytest.approx(4 * np.pi * 8.0**2, rel=1e-5)
    assert [section.groups for section in rest] == [
        ("basal_dendrite",),
        *[("apical_dendrite",)] * 3,
        ("axon",),
    ]
    assert [section.parent for section in rest] == [0, 0, 2, 2, 0]
    assert rest[1].points == pytest.approx(np.array([[0.0, 3.0], [90.0, 2.0]]))


def test_files_by_libneuroml(sim, swc):
    """Whose fourth column is a radius, and is taken for a diameter by PyNN's backends."""
    pytest.importorskip("neuroml")
    pytest.importorskip("morphio")
    with pytest.warns(FutureWarning):
        given = sim.morphology.load_morphology(swc)
    with pytest.warns(UserWarning, match="taken for diameters"):
        found = neurites(given)
    assert [len(sections) for sections in (found.labels[name] for name in ("soma", "apical_dendrite", "axon"))] == [
        1,
        4,
        2,
    ]
    assert found.sections[0].length == 16.0
    assert [section.parent for section in found.sections] == [-1, 0, 1, 0, 3, 4, 4, 0, 7]


def test_a_network_of_neurons_from_a_file(sim, swc):
    """PyNN's own test of NEURON (test_mc_network), on a smaller cell."""
    pytest.importorskip("morphio")
    places = sim.morphology
    sim.setup(timestep=0.025)
    kind = cell_class(sim)
    cell = kind(
        **parameters(
            sim,
            morphology=places.load_morphology(swc, use_library="morphio"),
            kdr={"conductance_density": places.by_distance(places.apical_dendrites(), lambda d: 0.05 * d / 200.0)},
            AMPA={"locations": places.random_placement(places.uniform("all", 0.05)), "e_syn": 0.0, "tau_syn": 2.0},
        )
    )
    cells = sim.Population(2, cell, initial_values={"v": -60.0})
    inputs = sim.Population(100, sim.SpikeSourcePoisson(rate=1000.0))
    cells[:1].record("v", locations=places.centre(places.soma()))
    cells[:1].record("v", locations=places.centre(places.apical_dendrites()))
    selector = places.random_section(places.apical_dendrites())
    to = sim.Projection(
        inputs,
        cells,
        sim.AllToAllConnector(location_selector=selector),
        sim.StaticSynapse(weight=0.0005, delay=0.5),
        receptor_type="AMPA",
    )
    assert len(to) == 200
    sim.run(10.0)
    found = {signal.name: np.asarray(signal) for signal in cells.get_data().segments[0].analogsignals}
    assert set(found) == {"centre.v", "centre (2).v"}
    assert all(np.isfinite(v).all() and v.max() > -50.0 for v in found.values())


@pytest.mark.parametrize(("library", "missing"), [("neuroml", "neuroml"), ("morphio", "morphio")])
def test_a_package_that_is_not_installed_is_named_with_its_extra(sim, swc, monkeypatch, library, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.setattr("pyNN.morphology.have_neuroml", False)
    with pytest.raises(MissingPartError, match=r"evsim\[morphology\]"):
        sim.morphology.load_morphology(swc, use_library=library)
    with pytest.raises(MissingPartError, match=r"evsim\[morphology\]"):
        sim.morphology.NeuroMLMorphology(None)


def test_cones(sim):
    """The two ends of a segment may differ in diameter."""
    cone = segment("soma", 0, 10.0, 4.0)
    cone.distal = point(10.0, 2.0)
    assert neurites(Segments([cone])).sections[0].diameter == 3.0
