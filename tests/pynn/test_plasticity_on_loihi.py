"""STDPMechanism through PyNN's API, in the numbers of Loihi's learning engine."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

from evsim.errors import CheckError

sim: Any = importlib.import_module("pyNN.evsim")  # whose cell types are made when they are asked for

W_MAX = 3.0


def build(chip: str, timing: Any = None):
    """A source onto a neuron that fires once, 8 ms after the source's only spike has reached the synapse."""
    sim.setup(timestep=1.0, chip=chip)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[10.0]))
    kick = sim.Population(1, sim.SpikeSourceArray(spike_times=[16.0]))
    cell = sim.Population(1, sim.IF_curr_delta(tau_m=5.0, tau_refrac=60.0), initial_values={"v": -65.0})
    cell.record("spikes")
    timing = timing or sim.SpikePairRule(tau_plus=16.0, tau_minus=32.0, A_plus=0.1, A_minus=0.05)
    weight = sim.AdditiveWeightDependence(w_min=0.0, w_max=W_MAX)
    rule = sim.STDPMechanism(timing, weight, dendritic_delay_fraction=0.0, weight=1.5, delay=1.0)
    sim.Projection(kick, cell, sim.AllToAllConnector(), sim.StaticSynapse(weight=30.0, delay=1.0))
    return cell, sim.Projection(source, cell, sim.AllToAllConnector(), rule, label="learns")


def weight_of(projection) -> float:
    return float(np.asarray(projection.get("weight", format="array")).item())


def test_get_gives_the_weights_as_they_are_by_now():
    cell, projection = build("loihi2_learning")
    assert weight_of(projection) == 1.5
    sim.run(40.0)
    (train,) = cell.get_data().segments[0].spiketrains
    (spike,) = (float(time) for time in train)
    step = W_MAX / 255
    # the trace of about 20 is rounded at each of 7 steps, and the weight once
    assert weight_of(projection) == pytest.approx(1.5 + 0.1 * W_MAX * np.exp(-(spike - 11) / 16), abs=8 * step)
    assert weight_of(projection) > 1.5 + 5 * step
    assert weight_of(projection) / step == pytest.approx(round(weight_of(projection) / step))


@pytest.mark.parametrize("chip", ["loihi1", "loihi2"])
def test_a_chip_without_learning_is_refused_before_it_runs(chip: str):
    build(chip)
    with pytest.raises(CheckError, match=r"'learns': the synapse STDPMechanism.*loihi2_learning"):
        sim.run(1.0)
