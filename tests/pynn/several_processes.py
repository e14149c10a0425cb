"""A PyNN script for several processes, which writes down all that it is shown: several_processes.py CASE FOLDER.

Each process writes ``FOLDER/CASE.COUNT.RANK.pkl``, a dictionary.
"""

from __future__ import annotations

import importlib
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
from pyNN.random import NumpyRNG, RandomDistribution

sim: Any = importlib.import_module("pyNN.evsim")


def shown(population: Any, gather: bool = True) -> list[dict[str, Any]]:
    """All data of a population: trains by cell, and signals, of each segment."""
    block = population.get_data(gather=gather)
    assert block.annotations["mpi_processes"] == sim.num_processes()
    return [
        {
            "trains": [(t.annotations["source_index"], np.asarray(t)) for t in segment.spiketrains],
            "signals": {s.name: (list(s.annotations["channel_ids"]), np.asarray(s)) for s in segment.analogsignals},
        }
        for segment in block.segments
    ]


def connectors(folder: Path) -> dict[str, Any]:
    """Connectors with random numbers, callbacks, distances and drawn synapses; signals, files, counts."""
    sim.setup(timestep=0.1, min_delay=0.2)
    rng = NumpyRNG(seed=42)
    vary = RandomDistribution("uniform", (14.0, 18.0), rng=rng)
    exc = sim.Population(37, sim.IF_cond_exp(tau_m=vary, i_offset=0.4), label="exc")
    inh = sim.Population(11, sim.IF_cond_exp(i_offset=lambda i: 0.1 + 0.01 * i), label="inh")
    noise = sim.Population(20, sim.SpikeSourcePoisson(rate=60.0), label="noise")
    exc.initialize(v=RandomDistribution("normal", (-63.0, 3.0), rng=rng))
    delays = RandomDistribution("uniform", (0.2, 2.5), rng=rng)
    weights = RandomDistribution("normal_clipped", (0.005, 0.002, 0.0, 0.02), rng=rng)
    columns: list[float] = []
    p1 = sim.Projection(
        exc, inh, sim.FixedProbabilityConnector(0.3, rng=rng), sim.StaticSynapse(weight=weights, delay=delays)
    )
    p2 = sim.Projection(
        inh,
        exc,
        sim.DistanceDependentProbabilityConnector("d < 9", rng=rng, callback=columns.append),
        sim.StaticSynapse(weight="0.004 + 0.0001*d", delay=0.4),
        receptor_type="inhibitory",
    )
    native = sim.NativeRNG(seed=5)
    p3 = sim.Projection(
        noise,
        exc + inh,
        sim.AllToAllConnector(),
        sim.StaticSynapse(weight=RandomDistribution("uniform", (0.0, 0.006), rng=native), delay=0.3),
    )
    p4 = sim.Projection(
        exc, exc, sim.FixedTotalNumberConnector(90, rng=rng), sim.StaticSynapse(weight=0.002, delay=1.0)
    )
    exc.record(["v", "gsyn_exc", "spikes"])
    inh.record("spikes")
    noise.sample(7, rng=rng).record("spikes")
    times: list[float] = []

    def again(t: float) -> float:
        times.append(t)
        if 20.0 <= t < 25.0:
            exc.set(i_offset=0.25)
        return t + 5.0

    sim.run(40.0, callbacks=[again])
    inh.write_data(str(folder / f"inh.{sim.num_processes()}.pkl"), gather=True)
    exc.write_data(str(folder / f"exc.{sim.num_processes()}.pkl"), "spikes", gather=False)
    result = {
        "exc": shown(exc),
        "own": shown(exc, gather=False),
        "inh": shown(inh),
        "noise": shown(noise),
        "counts": exc.get_spike_counts(),
        "own counts": exc.get_spike_counts(gather=False),
        "mean": inh.mean_spike_count(),
        "sizes": [(p.size(), p.size(gather=False), len(p), len(list(p.connections))) for p in (p1, p2, p3, p4)],
        "p1": p1.get(["weight", "delay"], format="list"),
        "p2": p2.get("weight", format="array"),
        "p3 everywhere": p3.get("weight", format="array", gather="all"),
        "p4": sorted(p4.get("delay", format="list", gather=False)),
        "tau_m": exc.get("tau_m", gather=True),
        "own tau_m": exc.get("tau_m"),
        "times": (times, bool(columns), sim.get_current_time(), sim.get_min_delay()),
    }
    p1.save("all", str(folder / f"p1.{sim.num_processes()}.txt"))
    exc.save_positions(str(folder / f"positions.{sim.num_processes()}.txt"))
    sim.end()
    return result


def learning(folder: Path) -> dict[str, Any]:
    """Plastic and releasing synapses, changes in the middle, a reset, and what one process asks for by itself."""
    sim.setup(timestep=1.0)
    source = sim.Population(30, sim.SpikeSourcePoisson(rate=40.0))
    cells = sim.Population(13, sim.IF_curr_exp(tau_refrac=2.0))
    rule = sim.STDPMechanism(
        timing_dependence=sim.SpikePairRule(A_plus=0.01, A_minus=0.012),
        weight_dependence=sim.AdditiveWeightDependence(w_min=0.0, w_max=2.0),
        weight=0.8,
        delay=1.0,
    )
    plastic = sim.Projection(source, cells, sim.AllToAllConnector(), rule)
    releasing = sim.Projection(
        cells, cells, sim.FixedNumberPreConnector(3, rng=NumpyRNG(seed=3)), sim.TsodyksMarkramSynapse(weight=0.5, U=0.3)
    )
    cells.record(["spikes", "v"])
    sim.run(150.0)
    alone = plastic[0].weight if sim.rank() == sim.num_processes() - 1 else None
    sim.run_until(200.0)
    before = plastic.get("weight", format="array")
    for cell in cells:  # those of this process
        cell.tau_m = 18.0 + 0.1 * cells.id_to_index(cell)
        cell.set_initial_value("v", -60.0 - 0.1 * cells.id_to_index(cell))
    for connection in plastic.connections:
        if connection.presynaptic_index == 4:
            connection.weight = 0.1 * connection.postsynaptic_index
    step = sim.StepCurrentSource(times=[210.0, 240.0], amplitudes=[0.4, 0.0])
    for cell in cells:
        if cells.id_to_index(cell) % 3 == 0:
            cell.inject(step)
    sim.run(100.0)
    after = plastic.get("weight", format="array")
    sim.reset()
    cells.set(v_thresh=-52.0)
    sim.run(60.0)
    return {
        "alone": alone is None or 0.0 <= alone <= 2.0,
        "before": before,
        "after": after,
        "tau_m": cells.get("tau_m", gather=True),
        "delay": releasing.get("delay", format="list"),
        "cells": shown(cells),
        "at last": plastic.get("weight", format="list"),
    }


def unlike(folder: Path) -> dict[str, Any]:
    """Generators without a seed, and with one for each process: each process makes its own part."""
    sim.setup(timestep=1.0)
    cells = sim.Population(9, sim.IF_curr_exp(tau_m=RandomDistribution("uniform", (10.0, 20.0))))
    source = sim.Population(9, sim.SpikeSourceArray(spike_times=[2.0, 5.0]))
    rng = NumpyRNG(seed=8, parallel_safe=False)
    weights = RandomDistribution("uniform", (1.0, 4.0), rng=rng)
    projection = sim.Projection(source, cells, sim.FixedProbabilityConnector(0.6), sim.StaticSynapse(weight=weights))
    (cells[:4] + cells[6:]).record("v")
    here = projection.get("weight", format="list", gather=False)
    sim.run(30.0)
    return {
        "here": here,
        "there": projection.get("weight", format="list", gather="all"),
        "tau_m": cells.get("tau_m", gather=True),
        "cells": shown(cells),
    }


CASES = {case.__name__: case for case in (connectors, learning, unlike)}

if __name__ == "__main__":
    name, folder = sys.argv[1], Path(sys.argv[2])
    told = CASES[name](folder)
    told |= {"rank": sim.rank(), "count": sim.num_processes()}
    (folder / f"{name}.{sim.num_processes()}.{sim.rank()}.pkl").write_bytes(pickle.dumps(told))
