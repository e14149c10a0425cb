"""STDPMechanism through PyNN's API, in SpiNNaker's numbers."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

from evsim.errors import CheckError

sim: Any = importlib.import_module("pyNN.evsim")  # whose cell types are made when they are asked for


def build(delay: float = 1.0, **parameters):
    """A source onto a neuron that fires once, between the source's spikes at 10 ms and at 40 ms."""
    sim.setup(timestep=1.0, chip="spinnaker1")
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[10.0, 40.0]))
    kick = sim.Population(1, sim.SpikeSourceArray(spike_times=[18.0]))
    cell = sim.Population(1, sim.IF_curr_exp(tau_m=10.0, cm=0.1, tau_refrac=60.0), initial_values={"v": -65.0})
    cell.record("spikes")
    timing = sim.SpikePairRule(tau_plus=16.0, tau_minus=32.0, A_plus=0.5, A_minus=0.25)
    weight = sim.AdditiveWeightDependence(w_min=0.0, w_max=3.0)
    rule = sim.STDPMechanism(timing, weight, weight=0.5, delay=delay, **parameters)
    sim.Projection(kick, cell, sim.AllToAllConnector(), sim.StaticSynapse(weight=3.0, delay=1.0))
    return cell, sim.Projection(source, cell, sim.AllToAllConnector(), rule, label="learns")


def weight_of(projection) -> float:
    return float(np.asarray(projection.get("weight", format="array")).item())


def test_get_gives_the_weights_of_the_synaptic_matrix():
    cell, projection = build()
    assert weight_of(projection) == 0.5
    sim.run(40.0)
    assert weight_of(projection) == 0.5  # nothing has arrived since the neuron spiked
    sim.run(10.0)
    (train,) = cell.get_data().segments[0].spiketrains
    (spike,) = (float(time) for time in train)
    # sPyNNaker's amplitudes are in nA; traces have 11 bits, and the weight 16 in all
    expected = 0.5 + 0.5 * np.exp(-(spike + 1 - 10) / 16) - 0.25 * np.exp(-(40 - spike - 1) / 32)
    step = 2.0**-12  # of weights in a ring buffer that is shifted by 3 bits, since 3 + 3 nA may come at once
    assert weight_of(projection) == pytest.approx(expected, abs=2 * step)
    assert (weight_of(projection) / step).is_integer()


def test_a_delay_of_the_ring_is_warned_of_before_it_runs():
    build(delay=2.0)
    with pytest.warns(UserWarning, match="'learns': 1 of 1 plastic synapses deliver nothing"):
        sim.run(1.0)


def test_what_the_firmware_lacks_is_refused_before_it_runs():
    build(delay=3.0, dendritic_delay_fraction=0.5)
    with pytest.raises(CheckError, match=r"'learns': dendritic_delay_fraction is 0\.5; on SpiNNaker all of the delay"):
        sim.run(1.0)
