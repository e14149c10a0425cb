"""TsodyksMarkramSynapse against NEST 3.10's ``tsodyks_synapse``: one PyNN script, run by pyNN.nest and by evsim.

PyNN gives NEST's synapses the time constant of the response of each target, as evsim does. Nobody spikes but the
sources, so what is compared is the voltage that all released weights add up to.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

pytest.importorskip("nest")

N_SOURCES, N_CELLS, DURATION = 6, 4, 400
COLUMNS = ["weight", "delay", "U", "tau_rec", "tau_facil"]


def rows(rng: np.random.Generator, sign: float) -> list[tuple]:
    """A list for FromListConnector: some of the pairs, each with numbers of its own."""
    pairs = [(i, j) for i in range(N_SOURCES) for j in range(N_CELLS) if rng.random() < 0.6]
    columns = (
        sign * rng.uniform(0.01, 0.05, len(pairs)),
        rng.choice([0.2, 1.0, 3.7], len(pairs)),
        rng.uniform(0.05, 0.9, len(pairs)),
        rng.uniform(20.0, 400.0, len(pairs)),
        rng.choice([0.0, 30.0, 300.0], len(pairs)),
    )
    return [(*pair, *map(float, values)) for pair, values in zip(pairs, zip(*columns, strict=True), strict=True)]


def voltages(simulator: str, cell: str, start: dict[str, float]) -> np.ndarray:
    """(samples, cells)"""
    sim: Any = importlib.import_module(f"pyNN.{simulator}")
    sim.setup(timestep=0.1, min_delay=0.1, max_delay=10.0)
    rng = np.random.default_rng(2)
    trains = [np.unique(rng.integers(20, 10 * DURATION, 20)) / 10.0 for _ in range(N_SOURCES)]
    sources = sim.Population(N_SOURCES, sim.SpikeSourceArray(spike_times=[list(train) for train in trains]))
    own = {"tau_syn_E": [2.0, 5.0, 3.0, 8.0], "tau_syn_I": [4.0, 2.5, 6.0, 3.0]}
    cells = sim.Population(N_CELLS, getattr(sim, cell)(v_thresh=1e3, tau_m=20.0, cm=1.0, **own))
    cells.initialize(v=-65.0)
    cells.record("v")
    for receptor, sign in (("excitatory", 1.0), ("inhibitory", 1.0 if "cond" in cell else -1.0)):
        connector = sim.FromListConnector(rows(rng, sign), column_names=COLUMNS)
        projection = sim.Projection(sources, cells, connector, sim.TsodyksMarkramSynapse(), receptor_type=receptor)
        for name, value in start.items():
            projection.initialize(**{name: value})
    sim.run(DURATION)
    found = np.array(cells.get_data().segments[0].analogsignals[0].magnitude)
    sim.end()
    return found


# a current of exponentials is exact on both sides; NEST integrates conductances with an error of 1e-6 a step or less
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("cell", "tolerance"), [("IF_curr_exp", 1e-9), ("IF_curr_alpha", 1e-9), ("IF_cond_exp", 1e-6)])
@pytest.mark.parametrize("start", [{}, {"x": 0.3, "y": 0.2, "u": 0.7}], ids=["from rest", "from a state"])
def test_voltages_are_those_of_nest(cell: str, tolerance: float, start: dict[str, float]):
    theirs, ours = voltages("nest", cell, start), voltages("evsim", cell, start)
    assert (np.ptp(ours, axis=0) > 0.05).all()
    assert np.abs(ours - theirs).max() < tolerance
