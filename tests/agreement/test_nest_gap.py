"""Gap junctions against NEST 3.10's, which iterates until all voltages of a time step agree (waveform relaxation).

Cells are Hodgkin and Huxley's in Traub and Miles's version, PyNN's HH_cond_exp; NEST couples them as
``hh_cond_beta_gap_traub``, whose synapses differ and are not used.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

nest = pytest.importorskip("nest")

DURATION = 60.0  # ms
OFFSETS = [0.3, 0.0, 0.1]  # nA; the second cell spikes by its junctions alone
JUNCTIONS = [(0, 1, 0.02), (1, 2, 0.035)]  # uS
GATES = {"m": 0.0169, "h": 0.9975, "n": 0.0289}  # about those of rest


def theirs(timestep: float) -> np.ndarray:
    """(samples, cells) mV, from the end of the first step on."""
    nest.ResetKernel()
    nest.set_verbosity("M_ERROR")
    nest.resolution = timestep
    nest.wfr_tol, nest.wfr_max_iterations = 1e-9, 30
    conductances = {"g_Na": 20000.0, "g_K": 6000.0, "g_L": 10.0}
    start = {"V_m": -65.0, "Act_m": GATES["m"], "Inact_h": GATES["h"], "Act_n": GATES["n"]}
    reversals = {"E_Na": 50.0, "E_K": -90.0, "E_L": -65.0, "V_T": -63.0}
    cells = nest.Create("hh_cond_beta_gap_traub", 3, {"C_m": 200.0, **conductances, **reversals, **start})
    cells.I_e = [1000.0 * offset for offset in OFFSETS]
    symmetric = {"rule": "one_to_one", "make_symmetric": True}
    for i, j, g in JUNCTIONS:
        nest.Connect(cells[i], cells[j], symmetric, {"synapse_model": "gap_junction", "weight": 1000.0 * g})
    meter = nest.Create("multimeter", params={"record_from": ["V_m"], "interval": timestep})
    nest.Connect(meter, cells)
    nest.Simulate(DURATION + timestep)
    events = meter.events
    order = np.lexsort((events["senders"], np.round(events["times"] / timestep)))
    return events["V_m"][order].reshape(-1, 3)


def ours(timestep: float) -> np.ndarray:
    """The same."""
    sim: Any = importlib.import_module("pyNN.evsim")
    sim.setup(timestep=timestep)
    reversals = {"e_rev_Na": 50.0, "e_rev_K": -90.0, "e_rev_leak": -65.0, "v_offset": -63.0}
    kind = sim.HH_cond_exp(cm=0.2, gbar_Na=20.0, gbar_K=6.0, g_leak=0.01, i_offset=OFFSETS, **reversals)
    cells = sim.Population(3, kind, initial_values={"v": -65.0, **GATES})
    connector = sim.FromListConnector(JUNCTIONS, column_names=["weight"])
    sim.Projection(cells, cells, connector, sim.ElectricalSynapse())
    cells.record("v")
    sim.run(DURATION)
    return np.array(cells.get_data().segments[0].analogsignals[0].magnitude)[1:]


def upstrokes(v: np.ndarray, timestep: float) -> list[np.ndarray]:
    """When each cell's voltage passes 0 mV upwards, in ms."""
    found = []
    for column in v.T:
        before = np.flatnonzero((column[:-1] < 0) & (column[1:] >= 0))
        part = column[before] / (column[before] - column[before + 1])
        found.append((before + part + 1) * timestep)
    return found


@pytest.mark.filterwarnings("ignore")
def test_coupled_cells_of_hodgkin_and_huxley_spike_when_nests_do():
    exact = upstrokes(theirs(0.01), 0.01)
    assert [len(times) for times in exact] == [3, 1, 1]
    error = {}
    for timestep in (0.1, 0.025):
        found = upstrokes(ours(timestep), timestep)
        error[timestep] = max(np.abs(a - b).max() for a, b in zip(found, exact, strict=True))
    assert error[0.1] < 0.05 and error[0.025] < 0.005
