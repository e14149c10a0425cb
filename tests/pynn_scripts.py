"""Random PyNN scripts of what sPyNNaker and evsim have in common; see ``build``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from pyNN.random import NumpyRNG, RandomDistribution

CURRENT = {"IF_curr_exp", "IF_curr_alpha", "IF_curr_delta"}
CELLS = (*sorted(CURRENT), "IF_cond_exp", "Izhikevich")
BOUNDS = {
    "v_rest": (-68.0, -62.0),
    "cm": (0.3, 1.2),
    "tau_m": (8.0, 25.0),
    "tau_refrac": (0.5, 3.0),
    "tau_syn_E": (2.0, 8.0),
    "tau_syn_I": (2.0, 8.0),
    "i_offset": (0.0, 1.0),
    "v_thresh": (-55.0, -48.0),
    "a": (0.01, 0.1),
    "d": (2.0, 8.0),
}


@dataclass
class Script:
    """A script as it runs: what it may still change.

    Attributes:
        cells: populations of neurons.
        sources: populations that emit spikes.
    """

    cells: list[Any]
    sources: list[Any]


def build(sim: Any, rng: np.random.Generator, duration: float) -> Script:
    """One or two sources and one or two populations, connected and recorded in random ways."""
    script = Script([], [])
    for _ in range(rng.integers(1, 3)):
        script.sources.append(_source(sim, rng, duration))
    for _ in range(rng.integers(1, 3)):
        script.cells.append(_population(sim, rng))
    for post in script.cells:
        rule = _rule(sim, rng) if rng.random() < 0.5 else None
        for pre in (*script.sources, *script.cells):
            if rng.random() < 0.7:
                _project(sim, rng, pre, post, rule)
    return script


def change(rng: np.random.Generator, script: Script) -> None:
    """What a user changes between two runs."""
    for cells in script.cells:
        if rng.random() < 0.5:
            cells.initialize(v=float(rng.uniform(-70, -60)))
        if rng.random() < 0.5:
            cells.set(i_offset=float(rng.uniform(0.0, 1.5)))


def _source(sim: Any, rng: np.random.Generator, duration: float) -> Any:
    size = int(rng.integers(2, 9))
    if rng.random() < 0.3:
        return sim.Population(size, sim.SpikeSourcePoisson(rate=float(rng.uniform(20, 120))))
    trains = [np.sort(rng.choice(np.arange(1.0, duration), rng.integers(1, 12), replace=False)) for _ in range(size)]
    return sim.Population(size, sim.SpikeSourceArray(spike_times=[train.tolist() for train in trains]))


def _population(sim: Any, rng: np.random.Generator) -> Any:
    kind = getattr(sim, str(rng.choice(CELLS)))
    size = int(rng.integers(2, 13))
    named = [name for name in kind.default_parameters if name in BOUNDS and rng.random() < 0.6]
    cells = sim.Population(size, kind(**{name: _value(rng, *BOUNDS[name], size) for name in named}))
    cells.initialize(v=_value(rng, -70.0, -58.0, size))
    if rng.random() < 0.4:
        cells[: max(size // 2, 1)].set(i_offset=float(rng.uniform(0.2, 1.2)))
    cells.record("spikes")
    interval = float(rng.choice([1.0, 2.0])) * sim.get_time_step()
    (cells if rng.random() < 0.5 else cells[1:]).record("v", sampling_interval=interval)
    return cells


def _value(rng: np.random.Generator, low: float, high: float, size: int) -> Any:
    """A number, a number for each cell, or a distribution."""
    which = rng.integers(3)
    if which == 0:
        return float(rng.uniform(low, high))
    if which == 1:
        return rng.uniform(low, high, size).tolist()
    return RandomDistribution("uniform", (low, high), rng=NumpyRNG(int(rng.integers(1 << 30))))


def _rule(sim: Any, rng: np.random.Generator) -> Any:
    """The rule of all plastic synapses onto a population; sPyNNaker's amplitudes are in the unit of the weight."""
    timing = sim.SpikePairRule(tau_plus=15.0, tau_minus=25.0, A_plus=0.05, A_minus=0.04)
    bounds = {"w_min": 0.0, "w_max": 4.0}
    if rng.random() < 0.5:
        return timing, sim.MultiplicativeWeightDependence(**bounds)
    return timing, sim.AdditiveWeightDependence(**bounds)


def _project(sim: Any, rng: np.random.Generator, pre: Any, post: Any, rule: Any) -> None:
    kind = type(post.celltype).__name__
    receptor = str(rng.choice(["excitatory", "inhibitory"]))
    sign = -1.0 if receptor == "inhibitory" and kind != "IF_cond_exp" else 1.0
    scale = 0.02 if kind == "IF_cond_exp" else 1.0
    low, high = sorted((sign * scale * 0.2, sign * scale * 2.5))
    uniform = RandomDistribution("uniform", (low, high), rng=NumpyRNG(int(rng.integers(1 << 30))))
    weight = uniform if rng.random() < 0.5 else float(rng.uniform(low, high))
    delay = float(rng.integers(1, 9)) * sim.get_time_step()
    if rule is not None and receptor == "excitatory" and kind in CURRENT and rng.random() < 0.6:
        timing, dependence = rule
        synapse = sim.STDPMechanism(timing, dependence, weight=weight, delay=delay)
    else:
        synapse = sim.StaticSynapse(weight=weight, delay=delay)
    view = rng.random() < 0.3 and pre is not post
    sim.Projection(pre[1:] if view else pre, post, _connector(sim, rng), synapse, receptor_type=receptor)


def _connector(sim: Any, rng: np.random.Generator) -> Any:
    seeded = NumpyRNG(int(rng.integers(1 << 30)))
    makers = (
        lambda: sim.AllToAllConnector(),
        lambda: sim.OneToOneConnector(),
        lambda: sim.FixedProbabilityConnector(float(rng.uniform(0.2, 0.8)), rng=seeded),
        lambda: sim.FixedNumberPreConnector(int(rng.integers(1, 4)), rng=seeded, with_replacement=True),
        lambda: sim.FixedNumberPostConnector(int(rng.integers(1, 4)), rng=seeded, with_replacement=True),
        lambda: sim.FixedTotalNumberConnector(int(rng.integers(1, 20)), rng=seeded),
        lambda: sim.DistanceDependentProbabilityConnector("exp(-d / 3.0)", rng=seeded),
    )
    return makers[rng.integers(len(makers))]()
