"""A PyNN script of a network that is divided among processes: divided_networks.py CASE THREADS CHIP FOLDER."""

from __future__ import annotations

import importlib
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
from pyNN.random import NumpyRNG, RandomDistribution

sim: Any = importlib.import_module("pyNN.evsim")


def data(population: Any) -> list[Any]:
    """Spikes and signals, gathered."""
    segments = population.get_data().segments
    return [
        [np.asarray(train) for segment in segments for train in segment.spiketrains],
        [np.asarray(signal) for segment in segments for signal in segment.analogsignals],
    ]


def balanced(threads: int, chip: str) -> dict[str, Any]:
    """Two populations of several blocks, with all kinds of lanes, changed as it runs."""
    sim.setup(timestep=1.0, threads=threads, chip=chip)
    rng = NumpyRNG(seed=1)
    exc = sim.Population(1500, sim.IF_curr_exp(tau_refrac=2.0), label="exc")
    inh = sim.Population(700, sim.IF_curr_exp(tau_refrac=2.0), label="inh")
    noise = sim.Population(300, sim.SpikeSourcePoisson(rate=30.0))
    exc.initialize(v=RandomDistribution("uniform", (-65.0, -52.0), rng=rng))
    weights = RandomDistribution("uniform", (0.1, 0.3), rng=rng)
    delays = RandomDistribution("uniform_int", (2, 7), rng=rng)
    sparse = sim.FixedProbabilityConnector(0.03, rng=rng)
    sim.Projection(exc, exc, sparse, sim.StaticSynapse(weight=weights, delay=delays))
    sim.Projection(exc, inh, sparse, sim.StaticSynapse(weight=0.2, delay=2.0))
    sim.Projection(inh, exc, sparse, sim.StaticSynapse(weight=-0.8, delay=3.0), receptor_type="inhibitory")
    drive = sim.Projection(noise, exc, sparse, sim.StaticSynapse(weight=1.6, delay=1.0))
    sim.Projection(noise, inh, sparse, sim.StaticSynapse(weight=1.0, delay=2.0))
    exc.record("spikes")
    inh.record("spikes")
    exc[490:520].record("v")
    inh[::60].record("v", sampling_interval=4.0)
    source = sim.DCSource(amplitude=0.2, start=20.0, stop=70.0)
    source.inject_into(exc[400:900])
    sim.run(60.0)
    exc[100:800].set(tau_m=15.0)
    sim.run(25.0)
    drive.set(weight=1.2)
    sim.run(30.0)
    first = data(exc), data(inh)
    sim.reset()
    sim.run(40.0)
    return {"first": first, "second": (data(exc), data(inh)), "counts": exc.get_spike_counts()}


def learning(threads: int, chip: str) -> dict[str, Any]:
    """Plastic synapses within a population of several blocks."""
    sim.setup(timestep=1.0, threads=threads, chip=chip)
    native = sim.NativeRNG(seed=4)
    noise = sim.Population(200, sim.SpikeSourcePoisson(rate=40.0))
    cells = sim.Population(1100, sim.IF_curr_exp(tau_refrac=2.0))
    sim.Projection(
        noise, cells, sim.FixedProbabilityConnector(0.05, rng=native), sim.StaticSynapse(weight=1.3, delay=1.0)
    )
    timing = sim.SpikePairRule(tau_plus=20.0, tau_minus=20.0, A_plus=0.02, A_minus=0.021)
    rule = sim.STDPMechanism(
        timing_dependence=timing,
        weight_dependence=sim.AdditiveWeightDependence(w_min=0.0, w_max=0.5),
        weight=RandomDistribution("uniform", (0.1, 0.3), rng=native),
        delay=3.0,
    )
    plastic = sim.Projection(cells, cells, sim.FixedProbabilityConnector(0.02, rng=NumpyRNG(seed=6)), rule)
    cells.record("spikes")
    sim.run(80.0)
    if sim.rank() == sim.num_processes() - 1:  # one alone may ask what was learned
        assert len({connection.weight for connection in plastic[:50]}) > 1
    sim.run(20.0)
    learned = plastic.get("weight", format="list", with_address=False)
    for connection in plastic.connections:  # those of this process
        if connection.presynaptic_index < 8:
            connection.delay = 2.0
    sim.run(40.0)
    return {"learned": learned, "last": plastic.get("weight", format="list"), "cells": data(cells)}


CASES = {case.__name__: case for case in (balanced, learning)}

if __name__ == "__main__":
    name, threads, chip, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3], Path(sys.argv[4])
    told = CASES[name](threads, chip)
    sim.end()
    if sim.rank() == 0:
        (folder / f"{name}.{threads}.{chip}.{sim.num_processes()}.pkl").write_bytes(pickle.dumps(told))
