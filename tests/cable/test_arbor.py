"""Arbor 0.12 on the same cells, cut finely: another simulator's equations, morphologies and integration."""

from __future__ import annotations

import numpy as np
import pytest

from cable_cells import E_LEAK, LEAK, RA, cable, cylinder, run, traces
from evsim.cable.model import Channel
from evsim.cable.sections import Section

arbor = pytest.importorskip("arbor")
U = arbor.units

DT = 0.001  # ms, of Arbor, whose error falls with the first power of it
FINE = 0.02  # of a length constant: evsim's compartments
PIECES = 101  # of each of Arbor's branches


def soma_and_dendrite() -> list[Section]:
    return [cylinder("soma", 20.0, 20.0), cylinder("dendrite", 400.0, 2.0, 0)]


def twin(sections: list[Section], active: bool):
    """The same cylinders, one behind the other, with a leak; and Hodgkin and Huxley's channels on the first."""
    tree, last, x = arbor.segment_tree(), arbor.mnpos, 0.0
    for tag, section in enumerate(sections, 1):
        (_, diameter), (length, _) = section.points
        ends = (arbor.mpoint(x, 0, 0, diameter / 2), arbor.mpoint(x + length, 0, 0, diameter / 2))
        last, x = tree.append(last, *ends, tag=tag), x + length
    labels = arbor.label_dict({str(tag): f"(tag {tag})" for tag in range(1, len(sections) + 1)})
    decor = arbor.decor()
    decor.set_property(Vm=E_LEAK * U.mV, cm=0.01 * U.F / U.m2, rL=RA * U.Ohm * U.cm, tempK=(273.15 + 6.3) * U.Kelvin)
    decor.set_ion("na", rev_pot=50.0 * U.mV)
    decor.set_ion("k", rev_pot=-77.0 * U.mV)
    decor.paint("(all)", arbor.density(f"pas/e={E_LEAK}", {"g": LEAK}))
    if active:
        decor.paint('"1"', arbor.density("hh", {"gnabar": 0.12, "gkbar": 0.036, "gl": 0.0}))
    return tree, labels, decor


def arbors(sections: list[Section], current, duration: float, places, active: bool):
    """Times (ms), potentials (mV) at places such as ``(tag, along)``, and spikes."""
    tree, labels, decor = twin(sections, active)
    amplitude, start, stop = current
    decor.place(at(sections, 1, 0.5), arbor.i_clamp(start * U.ms, (stop - start) * U.ms, amplitude * U.nA))
    decor.place(at(sections, 1, 0.5), arbor.threshold_detector(10.0 * U.mV), "detector")
    cell = arbor.cable_cell(tree, decor, labels, arbor.cv_policy_fixed_per_branch(PIECES))
    model = arbor.single_cell_model(cell)
    for k, (tag, along) in enumerate(places):
        model.probe("voltage", at(sections, tag, along), tag=f"v{k}", frequency=40 * U.kHz)
    model.run(tfinal=duration * U.ms, dt=DT * U.ms)
    by_place = [np.asarray(trace.value) for trace in model.traces]
    return np.asarray(model.traces[0].time), by_place, np.asarray(model.spikes)


def at(sections: list[Section], tag: int, along: float) -> str:
    """A location on the one branch that all cylinders make."""
    lengths = [float(section.points[-1, 0]) for section in sections]
    return f"(location 0 {(sum(lengths[: tag - 1]) + along * lengths[tag - 1]) / sum(lengths):.9f})"


def evsims(sections: list[Section], current, duration: float, places, channels=()):
    of = cable(sections, channels, d_lambda=FINE, second_order=True)
    sites = [of.names[of.tree.at(tag - 1, along)] for tag, along in places]
    amplitude, start, stop = current
    names = [
        "v" if of.tree.at(tag - 1, along) == of.source else f"{site}.v"
        for (tag, along), site in zip(places, sites, strict=True)
    ]
    found = run(of, duration, 0.025, names, currents=[(sites[0], amplitude, start, stop)])
    return [traces(found)[name] for name in names], found.spikes[0].times


PLACES = [(1, 0.5), (2, 0.5)]


def test_a_passive_cable():
    """A soma with a dendrite, charged for 30 ms and let go."""
    sections = soma_and_dendrite()
    times, theirs, _ = arbors(sections, (0.2, 5.0, 35.0), 60.0, PLACES, active=False)
    ours, _ = evsims(sections, (0.2, 5.0, 35.0), 60.0, PLACES)
    for found, expected in zip(ours, theirs, strict=True):
        assert np.ptp(expected) > 10.0
        steps = np.arange(len(found)) * 0.025
        np.testing.assert_allclose(np.interp(times, steps, found), expected, atol=0.02)


def test_spikes_of_an_active_soma_with_a_passive_dendrite():
    sections = soma_and_dendrite()
    share = np.array([1.0, 0.0])
    channels = [Channel("na", "sodium", 0.12 * share), Channel("kdr", "potassium", 0.036 * share)]
    _, theirs, expected = arbors(sections, (0.4, 5.0, 95.0), 100.0, PLACES, active=True)
    ours, found = evsims(sections, (0.4, 5.0, 95.0), 100.0, PLACES, channels)
    assert len(found) == len(expected) > 4
    np.testing.assert_allclose(found, expected, atol=0.05)  # two of evsim's steps, which add up over 95 ms
    for one, other in zip(ours, theirs, strict=True):
        assert one.max() == pytest.approx(other.max(), abs=0.5)
