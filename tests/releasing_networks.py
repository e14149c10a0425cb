"""Small networks of synapses that release a part of their weight, for tests of the engine."""

from __future__ import annotations

from typing import Any

import numpy as np

from builders import array_source, cells
from evsim.chip import load_chip
from evsim.deploy.quantise import quantise
from evsim.engine.simulation import Simulation
from evsim.network import Network, Probe, Projection
from evsim.release import Release
from evsim.synapses import Listed

DT = 0.5
SYNAPSE = {
    "TsodyksMarkram": "TsodyksMarkramSynapse",
    "MultiQuantal": "MultiQuantalSynapse",
    "Bernoulli": "SimpleStochasticSynapse",
}
DYNAMICS = {"U": 0.4, "tau_rec": 120.0, "tau_facil": 60.0}
LAWS = {"TsodyksMarkram": DYNAMICS, "MultiQuantal": {**DYNAMICS, "n": 4.0}, "Bernoulli": {"p": 0.5}}
N_SOURCES, N_CELLS, N_SYNAPSES, STEPS = 12, 5, 60, 600


def release(rule: str, count: int, parameters: dict[str, Any], initial: dict[str, float] | None = None) -> Release:
    """With the same number for all synapses, or one for each."""
    states = {name: np.broadcast_to(float(value), count) for name, value in (initial or {}).items()}
    columns = {name: np.broadcast_to(np.asarray(values, float), count) for name, values in parameters.items()}
    return Release(rule, columns, states)


def synapses(rng: np.random.Generator, delays: list[int], n_pre: int = N_SOURCES, n_post: int = N_CELLS) -> Listed:
    """Random pairs, some of them more than once."""
    pairs = rng.integers(0, n_pre, N_SYNAPSES), rng.integers(0, n_post, N_SYNAPSES)
    source, target = (end.astype(np.int32) for end in pairs)
    return Listed(source, target, rng.uniform(0.001, 0.02, N_SYNAPSES), rng.choice(delays, N_SYNAPSES).astype(np.int32))


def trains(rng: np.random.Generator, rate: float = 40.0) -> list[np.ndarray]:
    """On the grid, now and then two spikes at once."""
    count = rng.poisson(rate * STEPS * DT / 1000, N_SOURCES)
    return [np.sort(rng.integers(1, STEPS - 50, n)) * DT for n in count]


def network(given: Release, delays: list[int], tau_syn=4.0, seed: int = 1) -> Network:
    """Sources onto cells that never fire, whose conductance is recorded: a sum of exponentials."""
    rng = np.random.default_rng(seed)
    target = cells(N_CELLS, model="IF_cond_exp", v_thresh=1e6, e_rev_E=0.0, e_rev_I=-80.0, tau_syn_E=tau_syn)
    probes = (Probe(1, "gsyn_exc", np.arange(N_CELLS, dtype=np.int32)),)
    return Network(DT, (array_source(trains(rng)), target), (connection(given, synapses(rng, delays)),), probes=probes)


def connection(given: Release, between: Listed, pre: int = 0, post: int = 1) -> Projection:
    return Projection("releasing", pre, post, "excitatory", SYNAPSE[given.rule], between, release=given)


def simulation(net: Network, threads: int = 1) -> Simulation:
    return Simulation(quantise(net, load_chip("ideal")), threads)


def conductance(sim: Simulation) -> np.ndarray:
    """(samples, cells)"""
    return sim.recordings().signals[0].values
