"""Spikes that arrive between time steps, against NEST 3.10's neurons that take them so (``*_ps``), below threshold."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

nest = pytest.importorskip("nest")
sim: Any = importlib.import_module("pyNN.evsim")

DURATION, DELAYS = 60.0, (0.5, 0.7, 1.0, 3.3)
CELL = {"tau_m": 15.0, "cm": 0.25, "tau_refrac": 2.0, "v_rest": -65.0, "v_reset": -65.0, "v_thresh": 1e3}
THEIRS = {"tau_m": 15.0, "C_m": 250.0, "t_ref": 2.0, "E_L": -65.0, "V_reset": -65.0, "V_th": 1e3, "V_m": -65.0}
SYNAPSES = {"tau_syn_E": 2.0, "tau_syn_I": 6.0}, {"tau_syn_ex": 2.0, "tau_syn_in": 6.0}

MODELS = {
    "IF_curr_exp": ("iaf_psc_exp_ps", SYNAPSES, 1000.0),
    "IF_curr_alpha": ("iaf_psc_alpha_ps", SYNAPSES, 1000.0),
    "IF_curr_delta": ("iaf_psc_delta_ps", ({}, {}), 1.0),
}


def trains() -> list[list[float]]:
    """Of a source for each delay; times on the grid, too."""
    rng = np.random.default_rng(7)
    return [[*np.sort(rng.uniform(1.0, 50.0, 12)).tolist(), 52.0, 53.3] for _ in DELAYS]


def ours(cell: str, own: dict, dt: float, precision: str) -> np.ndarray:
    sim.setup(timestep=dt, spike_precision=precision)
    source = sim.Population(len(DELAYS), sim.SpikeSourceArray(spike_times=trains()))
    cells = sim.Population(2, getattr(sim, cell)(**CELL, **own), initial_values={"v": -65.0})
    for target, (receptor, sign) in enumerate((("excitatory", 1.0), ("inhibitory", -1.0))):
        rows = [(k, target, sign * 0.1 * (k + 1), delay) for k, delay in enumerate(DELAYS)]
        sim.Projection(source, cells, sim.FromListConnector(rows), sim.StaticSynapse(), receptor_type=receptor)
    cells.record("v")
    sim.run(DURATION)
    return np.asarray(cells.get_data().segments[0].analogsignals[0].magnitude)[1:-1]


def theirs(model: str, own: dict, dt: float, unit: float) -> np.ndarray:
    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.resolution = dt
    cells = nest.Create(model, 2, params={**THEIRS, **own})
    meter = nest.Create("multimeter", params={"record_from": ["V_m"], "interval": dt})
    nest.Connect(meter, cells)
    for k, (times, delay) in enumerate(zip(trains(), DELAYS, strict=True)):
        source = nest.Create("spike_generator", params={"spike_times": times, "precise_times": True})
        for target, sign in ((0, 1.0), (1, -1.0)):
            weight = sign * 0.1 * (k + 1) * unit
            nest.Connect(source, cells[target], syn_spec={"weight": weight, "delay": delay})
    nest.Simulate(DURATION + 2.0)  # a multimeter tells of its last samples later
    events, count = meter.events, round(DURATION / dt) - 1
    return np.array([events["V_m"][events["senders"] == cell.global_id][:count] for cell in cells]).T


@pytest.mark.parametrize(("cell", "dt", "tolerance"), [("IF_curr_exp", 0.1, 1e-11), ("IF_curr_delta", 0.1, 1e-11)])
def test_linear_cells_are_those_of_nest(cell: str, dt: float, tolerance: float):
    model, (own, other), unit = MODELS[cell]
    expected = theirs(model, other, dt, unit)
    assert np.ptp(expected) > 1.0
    np.testing.assert_allclose(ours(cell, own, dt, "off_grid"), expected, atol=tolerance)
    assert np.abs(ours(cell, own, dt, "on_grid") - expected).max() > 1e-3


def test_currents_that_rise_are_right_to_the_second_order():
    """Of the difference that rounding to the grid makes, a few hundredths are left, and a quarter for half the step."""
    model, (own, other), unit = MODELS["IF_curr_alpha"]
    left = {}
    for dt in (0.1, 0.05):
        expected = theirs(model, other, dt, unit)
        left[dt] = np.abs(ours("IF_curr_alpha", own, dt, "off_grid") - expected).max()
        rounded = np.abs(ours("IF_curr_alpha", own, dt, "on_grid") - expected).max()
        assert left[dt] < 0.15 * rounded
    assert left[0.05] < 0.35 * left[0.1]
