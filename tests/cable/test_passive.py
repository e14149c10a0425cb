"""Passive cables, by the closed forms of cable theory (Rall 1959, 1977; Jack, Noble and Tsien 1975)."""

from __future__ import annotations

import numpy as np
import pytest

from cable_cells import E_LEAK, LEAK, RA, cable, cylinder, run, traces
from evsim.cable.compartments import cut
from evsim.cable.model import Receptor
from evsim.cable.sections import Section

CM2 = 1e-8  # cm2 in a um2


def length_constant(diameter: float) -> float:
    """sqrt(d / 4 Ra g), in um."""
    return 1e4 * np.sqrt(diameter * 1e-4 / (4 * RA * LEAK))


def infinite_conductance(diameter: float) -> float:
    """Of a cable without end (uS): pi/2 d^(3/2) sqrt(g / Ra)."""
    return 1e6 * np.pi / 2 * (diameter * 1e-4) ** 1.5 * np.sqrt(LEAK / RA)


def steady(of, probes, place, amplitude=0.01):
    """The potentials above rest, long after a current has begun."""
    found = traces(run(of, 400.0, 0.5, probes, currents=[(place, amplitude, 0.0, 1e9)]))
    return np.array([found[name][-1] - E_LEAK for name in probes])


def centres(of):
    return [name for name in of.names if name]


def test_attenuation_along_a_sealed_cable():
    """V(x) / I = cosh((l - x) / lambda) / (G_inf sinh(l / lambda)), with the error falling with the square."""
    length, diameter = 1500.0, 2.0
    errors = []
    for d_lambda in (0.3, 0.1, 0.0334):
        of = cable([cylinder("dendrite", length, diameter)], d_lambda=d_lambda)
        count = len(of.tree)
        x = (np.arange(count) + 0.5) / count * length
        found = steady(of, [f"{name}.v" for name in centres(of)], centres(of)[0])
        l = length_constant(diameter)  # noqa: E741 - the theory's letter is lambda
        # the current goes into the middle of the first compartment, from which both ends are reached
        behind, ahead = x[0], length - x[0]
        conductance = infinite_conductance(diameter) * (np.tanh(behind / l) + np.tanh(ahead / l))
        expected = 0.01 / conductance * np.cosh((length - x) / l) / np.cosh(ahead / l)
        errors.append((count, np.abs(found / expected - 1).max()))
    counts, worst = np.array(errors).T
    assert worst[-1] < 1e-4
    order = np.log(worst[:-1] / worst[1:]) / np.log(counts[1:] / counts[:-1])
    np.testing.assert_allclose(order, 2.0, atol=0.15)


def test_the_input_resistance_of_a_branched_tree_is_that_of_its_cable():
    """Rall's equivalent cylinder: daughters of d^(3/2) that add up to the parent's, of the same electrotonic length."""
    parent, thick = 4.0, 3.0
    thin = (parent**1.5 - thick**1.5) ** (2 / 3)
    lengths = [0.5 * length_constant(d) for d in (parent, thick, thin)]
    tree = cable(
        [
            cylinder("trunk", lengths[0], parent),
            cylinder("thick", lengths[1], thick, 0),
            cylinder("thin", lengths[2], thin, 0),
        ],
        d_lambda=0.02,
    )
    whole = cable([cylinder("trunk", 2 * lengths[0], parent)], d_lambda=0.02)
    first = [centres(of)[0] for of in (tree, whole)]
    found = [steady(of, [f"{name}.v"], name)[0] for of, name in zip((tree, whole), first, strict=True)]
    x = lengths[0] / tree.tree.count[0] / 2 / length_constant(parent)  # the middle of the first compartment
    exact = 0.01 / (infinite_conductance(parent) * (np.tanh(x) + np.tanh(1.0 - x)))
    np.testing.assert_allclose(found, exact, rtol=2e-4)


def test_steady_state_does_not_depend_on_where_the_root_is():
    """The transfer resistance from one tip to another is the same both ways."""
    sections = [
        cylinder("soma", 20.0, 20.0),
        cylinder("a", 400.0, 2.0, 0),
        cylinder("b", 300.0, 1.0, 0, along=0.0),
        cylinder("c", 200.0, 1.0, 1, along=0.5),
    ]
    of = cable(sections)
    tips = [f"{[n for n in centres(of) if n.startswith(letter)][-1]}" for letter in "bc"]
    there = steady(of, [f"{tips[1]}.v"], tips[0])[0]
    back = steady(of, [f"{tips[0]}.v"], tips[1])[0]
    assert there == pytest.approx(back, rel=1e-9)
    turned = [
        cylinder("c", 200.0, 1.0),
        cylinder("a", 200.0, 2.0, 0, along=0.0),
    ]
    assert cable(turned).tree.parent[0] == 0  # a root that something is attached to at its beginning


@pytest.mark.parametrize("second_order", [False, True])
def test_the_time_constant(second_order):
    """A compact cell relaxes by exp(-t / tau), tau = cm / g = 10 ms; the error is of the order that is claimed."""
    tau = 1e-3 / LEAK  # ms: 1 uF/cm2 over S/cm2
    errors = []
    for dt in (0.5, 0.25, 0.125):
        of = cable([cylinder("soma", 20.0, 20.0)], second_order=second_order)
        v = traces(run(of, 2 * tau, dt, ["v"], v=E_LEAK + 10.0))["v"]
        time = np.arange(len(v)) * dt
        errors.append(np.abs(v - E_LEAK - 10.0 * np.exp(-time / tau)).max())
    order = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(order, 2.0 if second_order else 1.0, atol=0.05)


def test_a_step_of_current_charges_a_sealed_cable_as_its_series_says():
    """V(0, t) - V(0, inf) is a sum of exp(-t / tau_n), tau_n = tau / (1 + (n pi / L)^2) (Rall 1969)."""
    diameter, tau = 2.0, 1e-3 / LEAK
    l = length_constant(diameter)  # noqa: E741
    length = 1.2 * l
    of = cable([cylinder("dendrite", length, diameter)], d_lambda=0.01, second_order=True)
    x = 0.5 / of.tree.count[0] * length
    first = centres(of)[0]
    v = traces(run(of, 20.0, 0.025, [f"{first}.v"], currents=[(first, 0.01, 0.0, 1e9)]))[f"{first}.v"] - E_LEAK
    time = np.arange(len(v)) * 0.025
    n = np.arange(2000)[:, None]
    rates = (1 + (n * np.pi / 1.2) ** 2) / tau
    shapes = np.where(n == 0, 1.0, 2.0) * np.cos(n * np.pi * x / length) ** 2
    capacitance = 1e3 * np.pi * diameter * length * CM2  # nF
    series = 0.01 / capacitance * (shapes * (1 - np.exp(-rates * time)) / rates).sum(0)
    late = time > 2.0  # before, Crank and Nicolson's steps swing about it in so short compartments
    np.testing.assert_allclose(v[late], series[late], rtol=3e-3)


def test_a_synaptic_charge_spreads_and_none_is_lost():
    """Of a current synapse, the integral of the leak's current is the charge w tau."""
    sections = [cylinder("soma", 20.0, 20.0), cylinder("dendrite", 600.0, 2.0, 0)]
    bare = cable(sections)
    node = bare.tree.at(1, 0.9)
    receptor = Receptor("AMPA", ("tau_syn",), False, False, (node,))
    of = cable(sections, receptors=[receptor])
    place = of.names[node]
    found = traces(
        run(
            of,
            300.0,
            0.05,
            [f"{name}.v" for name in centres(of)],
            spikes=[(f"{place}.AMPA", 0.1, [1.0])],
            parameters={"AMPA.tau_syn": 2.0},
        )
    )
    g = 1e6 * LEAK * CM2 * of.tree.area  # uS
    leaked = sum(g[k] * (found[f"{name}.v"] - E_LEAK).sum() * 0.05 for k, name in enumerate(of.names) if name)
    assert leaked == pytest.approx(0.1 * 2.0, rel=0.02)  # the step sees the conductance of its beginning


def test_areas_and_resistances_of_frusta():
    """A cone in many compartments: its area, and the resistance through it, are exact whatever their number."""
    points = np.array([[0.0, 1.0], [100.0, 5.0]])
    slant = np.hypot(100.0, 2.0)
    for d_lambda in (1.0, 0.01):
        tree = cut([Section("cone", points)], [1.0], RA, d_lambda)
        assert tree.area.sum() == pytest.approx(np.pi * 3.0 * slant)
        tree = cut([Section("cone", points), cylinder("next", 10.0, 1.0, 0)], [1.0, 1.0], RA, d_lambda)
        through = (1 / tree.axial[1 : tree.count[0] + 1]).sum()  # from the first middle to the end
        begin = 1.0 + 4.0 * 0.5 / tree.count[0]
        exact = RA * 1e-2 * 4 / np.pi * (1 / begin - 1 / 5.0) / (4.0 / 100.0)
        assert through == pytest.approx(exact)


def test_a_step_in_the_diameter_adds_a_ring():
    points = np.array([[0.0, 1.0], [10.0, 1.0], [10.0, 3.0], [20.0, 3.0]])
    tree = cut([Section("stair", points)], [1.0], RA)
    assert tree.area.sum() == pytest.approx(np.pi * (10.0 + 30.0) + np.pi * (1.5**2 - 0.5**2))
