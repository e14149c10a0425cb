"""Builders of small networks, for all tests."""

from __future__ import annotations

import numpy as np

from evsim import registry
from evsim.backend import Target
from evsim.model import NeuronModel
from evsim.network import Network, Plasticity, Population, Probe, Projection, Trains
from evsim.random_bits import chance_key, subkey, uniform
from evsim.synapses import Listed

ADDITIVE = "AdditiveWeightDependence"
IF_CURR_EXP = {
    "v_rest": -65.0,
    "cm": 1.0,
    "tau_m": 20.0,
    "tau_refrac": 2.0,
    "tau_syn_E": 5.0,
    "tau_syn_I": 5.0,
    "i_offset": 0.0,
    "v_reset": -65.0,
    "v_thresh": -50.0,
}


def cells(size: int, label: str = "cells", model: str = "IF_curr_exp", v: float = -65.0, **changed) -> Population:
    """Neurons; parameters that are not given are those of ``IF_CURR_EXP``, as far as the model has them."""
    declared = registry.cell_model(model)
    assert isinstance(declared, NeuronModel)
    values = {**declared.defaults, **IF_CURR_EXP, **changed}
    parameters = {name: np.broadcast_to(np.asarray(values[name], float), size) for name in declared.parameters}
    initial = {name: np.zeros(size) for name in declared.states} | {"v": np.full(size, v)}
    return Population(label, model, size, parameters, initial)


def poisson(size: int, rate: float, label: str = "noise", start: float = 0.0, duration: float = 1e10) -> Population:
    """A SpikeSourcePoisson."""
    values = {"rate": rate, "start": start, "duration": duration}
    return Population(
        label, "SpikeSourcePoisson", size, {k: np.broadcast_to(float(v), size) for k, v in values.items()}
    )


def array_source(trains: list, label: str = "input") -> Population:
    """A SpikeSourceArray of the given spike times (ms)."""
    return Population(
        label, "SpikeSourceArray", len(trains), {}, trains=Trains.from_lists([np.array(t) for t in trains])
    )


def connect(pre: int, post: int, rows: list, receptor: str = "excitatory", label: str | None = None) -> Projection:
    """Synapses from rows of (source, target, weight, delay in steps)."""
    table = np.array(rows, float).reshape(-1, 4)
    source, target, delay = (np.ascontiguousarray(table[:, k].astype(np.int32)) for k in (0, 1, 3))
    name = label or f"{pre} to {post} {receptor}"
    return Projection(name, pre, post, receptor, "StaticSynapse", Listed(source, target, table[:, 2].copy(), delay))


def random_rows(rng: np.random.Generator, n_pre: int, n_post: int, count: int, weights, max_delay: int) -> list:
    """Random synapses with weights between two bounds; autapses and multapses may occur."""
    return list(
        zip(
            rng.integers(0, n_pre, count),
            rng.integers(0, n_post, count),
            rng.uniform(weights[0], weights[1], count),
            rng.integers(1, max_delay + 1, count),
            strict=True,
        )
    )


def plasticity(weight: str = ADDITIVE, fraction: float = 1.0, **changes: float) -> Plasticity:
    """STDP by pairs; ``changes`` are parameters of the rule."""
    parameters = {
        "tau_plus": 15.0,
        "tau_minus": 20.0,
        "A_plus": 0.03,
        "A_minus": 0.02,
        "w_min": 0.0,
        "w_max": 2.0,
        "mu_plus": 0.4,
        "mu_minus": 0.6,
    }
    return Plasticity("SpikePairRule", weight, {**parameters, **changes}, fraction)


def record_all(populations, *variables: str) -> tuple[Probe, ...]:
    """Probes for the variables (``"spikes"`` for every population, others for neurons)."""
    probes = []
    for index, population in enumerate(populations):
        neurons = isinstance(registry.cell_model(population.model), NeuronModel)
        probes += [
            Probe(index, variable, np.arange(population.size, dtype=np.int32))
            for variable in variables
            if variable == "spikes" or neurons
        ]
    return tuple(probes)


def chances(seed: int, index: int, step: int, size: int) -> np.ndarray:
    """The random numbers (size,) of the neurons of population ``index`` in a step."""
    key = np.uint64(subkey(np.uint64(chance_key(seed, index) & (2**64 - 1)), np.uint64(step)))
    return np.array([uniform(key, np.int64(cell)) for cell in range(size)])


def run(network: Network, steps: int, chip: str = "ideal", backend: str = "reference", pieces=None):
    """Recordings of a run, optionally cut into pieces."""
    session = registry.backend(backend).start(network, Target(backend, chip))
    try:
        for piece in pieces or [steps]:
            session.run(piece)
        return session.recordings()
    finally:
        session.close()
