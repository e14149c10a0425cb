"""Networks with plastic synapses in Loihi's numbers, and Lava's learning engine as Lava itself uses it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import builders
from evsim.network import Network, Plasticity, Projection

CHIP = "loihi2_learning"
DEPENDENCES = (
    "AdditiveWeightDependence",
    "MultiplicativeWeightDependence",
    "AdditivePotentiationMultiplicativeDepression",
)
PAIRS = {"tau_plus": 20.0, "tau_minus": 17.0, "A_plus": 0.02, "A_minus": 0.015, "w_min": 0.0}


def plastic(
    projection: Projection, w_max: float, fraction: float = 1.0, weight: str = DEPENDENCES[0], **changed: Any
) -> Projection:
    """The same synapses, learning from pairs of spikes."""
    rule = Plasticity("SpikePairRule", weight, {**PAIRS, "w_max": w_max, **changed}, fraction)
    return replace(projection, synapse="STDPMechanism", plasticity=rule)


def network(
    n_pre: int = 20, n_post: int = 10, seed: int = 1, delays: int = 5, fraction: float = 1.0, **changed: Any
) -> Network:
    """Poisson noise onto neurons that also fire by themselves; half of the pairs are connected."""
    rng = np.random.default_rng(seed)
    populations = (builders.poisson(n_pre, 40.0), builders.cells(n_post, i_offset=0.6))
    chosen = np.argwhere(rng.random((n_pre, n_post)) < 0.5)
    rows = [(i, j, rng.uniform(0.5, 2.5), rng.integers(1, delays + 1)) for i, j in chosen]
    projection = plastic(builders.connect(0, 1, rows, label="learns"), 3.0, fraction, **changed)
    return Network(1.0, populations, (projection,), (), builders.record_all(populations, "spikes", "v"), seed)


def random_network(seed: int, steps: int) -> Network:
    """Four plastic projections and a static one: from sources and recurrent, of either sign, of any rule."""
    rng = np.random.default_rng(seed)
    n, m, dt = 8, 12, float(rng.choice([1.0, 0.5, 0.1]))
    trains = [np.sort(rng.integers(0, steps, steps // 10)) * dt for _ in range(n)]  # some spike twice in a step
    cells = builders.cells(m, tau_refrac=rng.integers(0, 3) * dt, i_offset=rng.uniform(0, 1.2, m))
    populations = (builders.array_source(trains), builders.poisson(6, 100 / dt), cells)
    longest = int(rng.choice([1, 5, 63]))

    def some(pre: int, low: float, high: float, label: str) -> Projection:
        rows = builders.random_rows(rng, populations[pre].size, m, 50, (low, high), longest)
        return builders.connect(pre, 2, rows, "excitatory" if high > 0 else "inhibitory", label)

    def learning(pre: int, low: float, high: float, label: str) -> Projection:
        taus = dict(zip(("tau_plus", "tau_minus"), rng.integers(2, 60, 2) * dt, strict=True))
        amplitudes = dict(zip(("A_plus", "A_minus"), rng.uniform(0.005, 0.2, 2), strict=True))
        fraction, weight = float(rng.choice([0, 0.3, 0.5, 1])), str(rng.choice(DEPENDENCES))
        return plastic(some(pre, low, high, label), max(-low, high), fraction, weight, **taus, **amplitudes)

    projections = (
        learning(0, 0.0, 4.0, "given"),
        learning(1, 0.0, 4.0, "noise"),
        learning(2, -2.0, -0.1, "inhibition"),
        learning(2, 0.0, 2.0, "excitation"),
        some(1, -3.0, 1.0, "static"),
    )
    return Network(dt, populations, projections, (), builders.record_all(populations, "spikes", "v"), seed)
