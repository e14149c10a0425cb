"""Channels and synapses, by equations written here from their papers and solved by scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from cable_cells import E_LEAK, LEAK, cable, cylinder, run, traces
from evsim.cable.model import Channel, Receptor

NA, K = (0.12, 50.0), (0.036, -77.0)  # S/cm2, mV
RATES = {  # Hodgkin and Huxley (1952), with rest at -65 mV: opening and closing, 1/ms
    "m": (lambda v: 0.1 * (v + 40) / (1 - np.exp(-(v + 40) / 10)), lambda v: 4 * np.exp(-(v + 65) / 18)),
    "h": (lambda v: 0.07 * np.exp(-(v + 65) / 20), lambda v: 1 / (1 + np.exp(-(v + 35) / 10))),
    "n": (lambda v: 0.01 * (v + 55) / (1 - np.exp(-(v + 55) / 10)), lambda v: 0.125 * np.exp(-(v + 65) / 80)),
}


def active(second_order: bool, receptors=()):
    """A soma with channels on a dendrite of three compartments, which has fewer of them."""
    sections = [cylinder("soma", 20.0, 20.0), cylinder("dendrite", 150.0, 2.0, 0)]
    share = np.array([1.0, 0.3])
    channels = [Channel("na", "sodium", NA[0] * share), Channel("kdr", "potassium", K[0] * share)]
    return cable(sections, channels, receptors, d_lambda=0.05, second_order=second_order), share


def equations(of, share, current):
    """dy/dt of potential and gates of all compartments, with the junction eliminated."""
    tree = of.tree
    inner = np.flatnonzero(tree.area > 0)
    g = np.zeros((len(tree), len(tree)))
    for c in range(1, len(tree)):
        p = tree.parent[c]
        g[[c, p], [p, c]] += tree.axial[c]
    laplace = np.diag(g.sum(1)) - g
    outer = np.flatnonzero(tree.area == 0)
    kept = laplace[np.ix_(inner, inner)]
    if len(outer):
        across = laplace[np.ix_(inner, outer)]
        kept = kept - across @ np.linalg.solve(laplace[np.ix_(outer, outer)], across.T)
    area = tree.area[inner] * 1e-8  # cm2
    density = share[tree.section[inner]]
    drive = np.zeros(len(inner))

    def slopes(t, y):
        v, m, h, n = y.reshape(4, -1)
        drive[0] = current(t)
        ionic = (  # uA/cm2 = 1e3 S/cm2 mV 1e-3 A
            1e3 * (LEAK * (E_LEAK - v) + density * (NA[0] * m**3 * h * (NA[1] - v) + K[0] * n**4 * (K[1] - v)))
        )
        dv = ionic + (drive - kept @ v) * 1e-3 / area  # nA = 1e-3 uA, over 1 uF/cm2
        gates = [RATES[x][0](v) * (1 - y_) - RATES[x][1](v) * y_ for x, y_ in zip("mhn", (m, h, n), strict=True)]
        return np.concatenate([dv, *gates])

    return slopes, len(inner)


def solved(of, share, current, time, at):
    slopes, count = equations(of, share, current)
    v = np.full(count, E_LEAK)
    gates = [RATES[x][0](v) / (RATES[x][0](v) + RATES[x][1](v)) for x in "mhn"]
    begin = np.concatenate([v, *gates])
    found = solve_ivp(slopes, (0.0, time), begin, "LSODA", at, rtol=1e-9, atol=1e-9, max_step=0.5)
    return found.y.reshape(4, count, -1)


@pytest.mark.parametrize("second_order", [False, True])
def test_spikes_are_those_of_the_equations_and_the_error_has_its_order(second_order):
    of, share = active(second_order)
    place = "soma(0.5)"
    errors = []
    steps = (0.02, 0.01, 0.005)
    at = np.arange(0.0, 12.0001, 0.1)
    v = solved(of, share, lambda t: 0.3, 12.0, at)[0]
    assert (v[0] > 0).any() and (v[-1] > -30).any()  # it spikes, and the dendrite feels it
    for dt in steps:
        found = traces(run(of, 12.0, dt, ["v", "dendrite(0.5).v"], currents=[(place, 0.3, 0.0, 1e9)]))
        every = round(0.1 / dt)
        errors.append(np.abs(found["v"][::every] - v[0]).max())
    order = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(order, 2.0 if second_order else 1.0, atol=0.25)
    assert errors[-1] < (0.05 if second_order else 2.5)  # mV, on the steep flank of a spike


def test_gates_in_the_dendrite_are_recorded():
    of, share = active(second_order=False)
    names = ["dendrite(0.5).na.m", "dendrite(0.5).kdr.n", "soma(0.5).na.h"]
    found = traces(run(of, 10.0, 0.0025, names, currents=[("", 0.3, 0.0, 1e9)]))
    _, m, h, n = solved(of, share, lambda t: 0.3, 10.0, np.arange(0.0, 10.0001, 0.1))
    middle = 1 + int(of.tree.count[1]) // 2  # without the junction
    for name, expected in zip(names, (m[middle], n[middle], h[0]), strict=True):
        np.testing.assert_allclose(found[name][::40], expected, atol=0.02)


def test_gates_begin_where_they_settle_or_where_they_are_told():
    of, _ = active(second_order=False)
    names = ["soma(0.5).na.m", "soma(0.5).na.h", "dendrite(0.5).kdr.n"]
    found = traces(run(of, 0.1, 0.1, names, v=-50.0, initial={"na.h": 0.25}))
    m, n = (RATES[x][0](-50.0) / (RATES[x][0](-50.0) + RATES[x][1](-50.0)) for x in "mn")
    assert [found[name][0] for name in names] == pytest.approx([m, 0.25, n], rel=1e-12)


@pytest.mark.parametrize(
    ("taus", "rises", "shape"),
    [
        ({"tau_syn": 3.0}, False, lambda t: np.exp(-t / 3)),
        ({"tau_syn": 3.0}, True, lambda t: t / 3 * np.exp(1 - t / 3)),
        ({"tau_decay": 4.0, "tau_rise": 1.0}, True, lambda t: np.exp(-t / 4) - np.exp(-t)),
    ],
)
@pytest.mark.parametrize("second_order", [False, True])
def test_a_conductance_is_its_closed_form_and_acts_where_it_is(taus, rises, shape, second_order):
    dt, weight = 0.02, 0.002
    sections = [cylinder("soma", 20.0, 20.0), cylinder("dendrite", 150.0, 2.0, 0)]
    node = cable(sections).tree.at(1, 0.5)
    of = cable(sections, receptors=[Receptor("AMPA", tuple(taus), rises, True, (node,))], second_order=second_order)
    place = of.names[node]
    parameters = {f"AMPA.{name}": tau for name, tau in taus.items()} | {"AMPA.e_syn": 0.0}
    probes = [f"{place}.AMPA.gsyn", f"{place}.v", "v"]
    found = traces(run(of, 30.0, dt, probes, spikes=[(f"{place}.AMPA", weight, [5.0])], parameters=parameters))
    late = 0.5 * dt if second_order else 0.0  # conductances are those of the middles of steps
    time = np.arange(len(found["v"])) * dt - 5.0 - dt
    peak = shape(np.arange(0, 20, 1e-4)).max()
    expected = np.where(time > -dt / 2, weight * shape(np.maximum(time + late, 0.0)) / peak, 0.0)
    np.testing.assert_allclose(found[probes[0]], expected, atol=1e-6 * weight)
    assert found[f"{place}.v"].max() > found["v"].max() > E_LEAK + 1.0


def test_a_conductance_drives_the_potential_as_the_equations_say():
    """The response to an alpha conductance, by scipy, on two compartments."""
    weight, tau = 0.01, 2.0
    sections = [cylinder("soma", 20.0, 20.0), cylinder("dendrite", 50.0, 2.0, 0)]
    node = cable(sections, d_lambda=10.0).tree.at(1, 0.5)
    receptor = Receptor("GABA", ("tau_syn",), True, True, (node,))
    of = cable(sections, receptors=[receptor], d_lambda=10.0, second_order=True)
    place = of.names[node]
    parameters = {"GABA.tau_syn": tau, "GABA.e_syn": -90.0}
    spikes = [(f"{place}.GABA", weight, [1.99, 6.0])]
    found = traces(run(of, 25.0, 0.01, ["v", f"{place}.v"], spikes=spikes, parameters=parameters))
    area = of.tree.area[of.tree.area > 0] * 1e-8
    coupling = 1 / (1 / of.tree.axial[1:]).sum()
    arrivals = (2.0, 6.01)

    def slopes(t, v):
        g = sum(weight * (t - a) / tau * np.exp(1 - (t - a) / tau) for a in arrivals if t > a)
        flow = coupling * (v[::-1] - v) + np.array([0.0, g * (-90.0 - v[1])])
        return 1e3 * LEAK * (E_LEAK - v) + flow * 1e-3 / area

    at = np.arange(0.0, 25.0001, 0.5)
    v = solve_ivp(slopes, (0, 25), [E_LEAK] * 2, "LSODA", at, rtol=1e-9, atol=1e-9, max_step=0.1).y
    np.testing.assert_allclose(found["v"][::50], v[0], atol=2e-3)
    np.testing.assert_allclose(found[f"{place}.v"][::50], v[1], atol=2e-3)
    assert v[0].min() < E_LEAK - 2.0


def test_threads_blocks_and_pieces_do_not_change_anything():
    of, _ = active(second_order=False, receptors=())
    probes = ["v", "dendrite(0.5).v"]
    one, three = (
        run(of, 5.0, 0.025, probes, currents=[("", 0.3, 0.0, 1e9)], cells=1000, threads=threads) for threads in (1, 3)
    )
    for a, b in zip(one.signals, three.signals, strict=True):
        assert np.array_equal(a.values, b.values)
        assert (a.values == a.values[:, :1]).all()
    assert len(one.spikes[0].times) == 1000 == len(three.spikes[0].times)


def test_cells_with_parameters_of_their_own_are_as_if_alone():
    of, _ = active(second_order=False)
    e_leak = np.linspace(-70.0, -55.0, 7)
    together = run(of, 10.0, 0.025, ["v"], cells=7, parameters={"pas.e_rev": e_leak})  # type: ignore[dict-item]
    for k, e in enumerate(e_leak):
        alone = run(of, 10.0, 0.025, ["v"], parameters={"pas.e_rev": e})
        np.testing.assert_array_equal(together.signals[0].values[:, k], alone.signals[0].values[:, 0])
