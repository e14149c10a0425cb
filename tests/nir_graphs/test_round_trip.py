"""Random networks, written as NIR and read again, spike as they did before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from builders import array_source, cells, connect, poisson, random_rows, record_all
from evsim.backend import Target
from evsim.network import Network, Population, Projection
from evsim.nir.request import GraphRun

pytest.importorskip("nir")
STEPS = 150


def random_neurons(rng: np.random.Generator, label: str) -> Population:
    size, model = int(rng.integers(1, 7)), str(rng.choice(["IF_curr_exp", "IF_curr_delta"]))
    tau_syn = rng.uniform(2, 8, size)
    values = {
        "tau_refrac": 0.0,
        "tau_m": rng.uniform(5, 30, size),
        "cm": rng.uniform(0.3, 2, size),
        "i_offset": rng.uniform(0, 0.3, size),
        "v_reset": -68.0,
        "tau_syn_E": tau_syn,
        "tau_syn_I": tau_syn if rng.random() < 0.5 else rng.uniform(2, 8, size),
    }
    return cells(size, label, model, v=-68.0, **values)


def random_projection(rng: np.random.Generator, populations: list[Population], label: str) -> Projection:
    pre, post = int(rng.integers(0, len(populations))), int(rng.integers(2, len(populations)))
    most, inhibitory = 12.0 if populations[post].model == "IF_curr_delta" else 4.0, rng.random() < 0.35
    weights = (-most / 2, 0.0) if inhibitory else (0.0, most)
    count, delay = int(rng.integers(0, 15)), int(rng.integers(1, 6))
    rows = random_rows(rng, populations[pre].size, populations[post].size, count, weights, 1)
    rows = [(source, target, weight, delay) for source, target, weight, _ in rows]
    return connect(pre, post, rows, "inhibitory" if inhibitory else "excitatory", label)


def random_network(seed: int) -> Network:
    """Two sources, one to four populations of either model, projections with autapses and multapses."""
    rng = np.random.default_rng(seed)
    timestep = float(rng.choice([0.1, 0.5, 1.0]))
    trains = [np.sort(rng.choice(np.arange(1, STEPS), 20, replace=False)) * timestep for _ in range(rng.integers(1, 6))]
    populations = [array_source(trains, "in"), poisson(int(rng.integers(1, 4)), float(rng.uniform(20, 300)), "a/noise")]
    populations += [random_neurons(rng, f"p/{number}") for number in range(rng.integers(1, 5))]
    projections = tuple(random_projection(rng, populations, f"c{number % 3}") for number in range(rng.integers(2, 9)))
    probes = tuple(probe for probe in record_all(populations, "spikes", "v") if probe.population > 1)
    return Network(timestep, tuple(populations), projections, (), probes, seed)


def test_random_networks_spike_as_before(tmp_path, nets):
    from evsim.nir.export import export
    from evsim.nir.package import write_graph
    from evsim.nir.sources import spikes_of_sources
    from evsim.nir.spikes import write_arrays
    from evsim.script import run_script

    graph, spikes, output = (tmp_path / name for name in ("net.nir", "in.npz", "out.npz"))
    total = 0
    for seed in range(20):
        network = random_network(seed)
        made, duration = export(network, with_spikes=True), STEPS * network.timestep
        assert made.losses == []
        write_graph(Path(graph), made.graph)
        write_arrays(spikes, spikes_of_sources(network, made.inputs, duration))
        given = GraphRun(duration=duration, input=spikes, output=output)
        run_script(graph, [], {"reference": Target("reference", "ideal")}, tell=print, graph_run=given)
        again, before = np.load(output), nets.run(network, STEPS)
        names = [f"{population.label.replace('/', '_')} output" for population in network.populations]
        for found in before.spikes:
            steps, neurons = np.nonzero(again[names[found.population]])
            assert np.array_equal(np.rint(found.times / network.timestep).astype(int) - 1, steps), seed
            assert np.array_equal(found.neurons, neurons), seed
            total += len(steps)
        for signal in before.signals:
            assert np.abs(again[f"{names[signal.population]}.v"] - signal.values[1:]).max() < 1e-9, seed
    assert total > 500
