"""Random PyNN scripts: through evsim's front end, on the reference and on the executed firmware; zero LSB."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from evsim.backend import Target
from evsim.pynn.sessions import Conductor
from pynn_scripts import build, change

PER_BATCH = 12  # scripts that share one simulation


class Pairing(Conductor):
    """Gives a script both targets as one session, which compares before anything is dropped."""

    def __init__(self, both) -> None:
        self.pairs: list = []
        self._both = both

    def start(self, network, targets, index):
        self.pairs.append(self._both(network))
        return self.pairs[-1]


@pytest.fixture
def paired(both):
    """``pyNN.evsim`` on both targets, and the conductor that has the pairs."""
    sim = importlib.import_module("pyNN.evsim")
    state = sim.simulator.state
    state.release()

    def begin(timestep: float):
        state.choose([Target("reference", "spinnaker1")])
        state.conductor = Pairing(both)
        sim.setup(timestep=timestep, min_delay=timestep)
        return sim, state.conductor

    yield begin
    state.release()
    state.clear()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:defects of the chip")  # some delays are those of the ring
@pytest.mark.parametrize(("timestep", "seed"), [(1.0, 21), (0.5, 22), (0.1, 23)])
def test_random_scripts_agree_in_every_spike_sample_and_weight(paired, timestep, seed):
    sim, conductor = paired(timestep)
    rng = np.random.default_rng(seed)
    scripts = [build(sim, rng, 180 * timestep) for _ in range(PER_BATCH)]
    sim.run(70 * timestep)
    for script in scripts:
        change(rng, script)
    sim.run(110 * timestep)
    (pair,) = conductor.pairs
    pair.compare()
    assert pair.spikes > 5 * PER_BATCH  # or there was little to compare
