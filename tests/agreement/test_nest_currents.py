"""Current sources against those of pyNN.nest: the same current, felt in the same time step."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

pytest.importorskip("nest")

SOURCES = {
    "DCSource": {"amplitude": 0.5, "start": 5.0, "stop": 40.0},
    "StepCurrentSource": {"times": [2.0, 10.0, 12.3, 30.0], "amplitudes": [0.4, 0.6, -0.2, 0.2]},
    "ACSource": {"amplitude": 0.2, "offset": 0.1, "frequency": 50.0, "phase": 30.0, "start": 5.0, "stop": 45.0},
}


def run(name: str) -> tuple[np.ndarray, np.ndarray]:
    """v (labels, cells) and the currents (labels, sources); all sources go into the last two cells."""
    sim = importlib.import_module(f"pyNN.{name}")
    sim.setup(timestep=0.1, min_delay=0.1)
    cells = sim.Population(5, sim.IF_curr_exp(v_thresh=1e5, tau_m=10.0, cm=0.5))
    sources = [getattr(sim, kind)(**parameters) for kind, parameters in SOURCES.items()]
    for cell, source in zip(cells, sources, strict=False):
        source.inject_into([cell])
        source.inject_into(cells[3:5])
        source.record()
    cells.record("v")
    sim.run(30.0)
    sim.run(20.0)
    v = np.array(cells.get_data().segments[0].filter(name="v")[0])
    currents = np.hstack([np.array(source.get_data())[:501] for source in sources])
    sim.end()
    return v, currents


@pytest.mark.filterwarnings("ignore")
def test_currents_and_their_effect_are_those_of_nest(capfd):
    ours, theirs = run("evsim"), run("nest")
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.shape == other.shape and np.ptp(mine, axis=0).min() > 0.3
        np.testing.assert_allclose(mine, other, rtol=0, atol=1e-10)
    np.testing.assert_array_equal(ours[0][:, 3], ours[0][:, 4])
