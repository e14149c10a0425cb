"""Random networks for SpiNNaker, of everything that can be said to it; see ``random_network``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

import builders as nets
from evsim import registry
from evsim.chip import load_chip
from evsim.deploy.check import check
from evsim.deploy.spinnaker_cores import cores_of
from evsim.deploy.spinnaker_split import RULES
from evsim.deploy.spinnaker_traces import TIMINGS
from evsim.model import NeuronModel
from evsim.network import Current, Network, Plasticity, Population, Probe, Projection, Trains
from evsim.sources import is_source
from evsim_spinnaker.cells import CELLS

WEIGHTS = {"tiny": (0.001, 0.02), "usual": (0.1, 3.0), "strong": (2.0, 40.0), "equal": (1.25, 1.25)}
CONDUCTANCE = 0.02  # of a current's weight (nA), in uS
AMPLITUDES = ("A_plus", "A_minus", "A3_plus", "A3_minus")
REMEMBERED = 15  # spikes of a neuron that its core knows of
LONGEST_DELAYS = (1, 2, 4, 7, 8, 16, 50)
PARAMETERS = {
    "v_rest": (-70, -60),
    "cm": (0.2, 1.5),
    "tau_m": (5, 30),
    "tau_refrac": (0.1, 4),
    "tau_syn_E": (1.5, 10),
    "tau_syn_E2": (1.5, 10),
    "tau_syn_I": (1.5, 10),
    "i_offset": (-0.5, 1.5),
    "v_reset": (-75, -65),
    "v_thresh": (-55, -45),
    "e_rev_E": (-10, 10),
    "e_rev_I": (-90, -70),
    "a": (0.01, 0.1),
    "b": (0.15, 0.26),
    "c": (-70, -50),
    "d": (0.5, 8),
    "tau_ca2": (20, 100),
    "i_alpha": (0.01, 0.5),
    "scaling_factor": (0.2, 2),
}
# of others 0 to 3
STATES = {
    **{"v": (-70, -50), "u": (-15, 0)},
    **dict.fromkeys(("gsyn_exc", "gsyn_exc1", "gsyn_exc2", "gsyn_inh"), (0, 0.05)),
}
# Cells that do the same however a run is cut; those with generators do not (docs/firmware.md).
LASTING = sorted(name for name, cell in CELLS.items() if "seed0" not in cell.initial)


@dataclass(frozen=True)
class Draw:
    """What is drawn.

    Attributes:
        steps: up to which sources spike and currents change.
        sizes: bounds of a population's size.
        populations: at most so many of neurons.
        changes: whether the network is to be changed while it runs.
    """

    timestep: float
    steps: int
    sizes: tuple[int, int] = (1, 14)
    populations: int = 3
    changes: bool = False


def random_network(rng: np.random.Generator, draw: Draw) -> Network:
    """Sources and populations, connected at random with one another and themselves, that SpiNNaker can hold."""
    while True:
        sources = [_source(rng, draw, f"source {k}") for k in range(int(rng.integers(1, 3)))]
        cells = [_cells(rng, draw, f"cells {k}") for k in range(int(rng.integers(1, draw.populations + 1)))]
        populations = (*sources, *cells)
        projections = _projections(rng, populations, len(sources))
        currents = tuple(_currents(rng, draw, populations))
        network = Network(draw.timestep, populations, projections, currents, tuple(_probes(rng, populations)))
        if not (check(network, load_chip("spinnaker1")) or _is_undecided(network, draw)):
            return network


def _is_undecided(network: Network, draw: Draw) -> bool:
    """Whether cycles may decide what a plastic projection does (docs/firmware.md).

    It is which of two is first: a neuron's spike, or one of the same step from a core of other neurons. That matters
    over a whole ring, and where the neuron spikes more often than its core remembers.
    """
    between = [
        p
        for p in network.projections
        if p.plasticity and len(p) and p.pre != p.post and not is_source(network.populations[p.pre])
    ]
    over_a_ring = any((p.delay % cores_of(network, p.post).ring == 0).any() for p in between)
    if over_a_ring or (between and draw.changes):
        return True
    return any(_most_spikes(network, p.post, draw.steps) > REMEMBERED for p in between)


def _most_spikes(network: Network, index: int, steps: int) -> int:
    """The spikes of the neuron of a population that has the most."""
    every = np.arange(network.populations[index].size, dtype=np.int32)
    (spikes,) = nets.run(replace(network, probes=(Probe(index, "spikes", every),)), steps, "spinnaker1").spikes
    return int(np.bincount(spikes.neurons, minlength=1).max())


def _source(rng: np.random.Generator, draw: Draw, label: str) -> Population:
    size = int(rng.integers(1, 12))
    if rng.random() < 0.7:
        return nets.array_source([random_train(rng, draw) for _ in range(size)], label)
    rate, start = float(rng.choice([40.0, 200.0, 900.0])), float(rng.choice([0.0, 7.0]))
    noise = nets.poisson(size, rate, label, start, duration=float(rng.choice([20.0, 1e10])))
    if rng.random() < 0.5:  # as many single spikes, or as a count for each step
        return replace(noise, parameters={**noise.parameters, "rate": rng.uniform(0, rate, size)})
    return noise


def random_train(rng: np.random.Generator, draw: Draw) -> np.ndarray:
    """Spike times (ms)."""
    return np.flatnonzero(rng.random(draw.steps) < rng.uniform(0.02, 0.3)) * draw.timestep


def _cells(rng: np.random.Generator, draw: Draw, label: str) -> Population:
    size = int(rng.integers(*draw.sizes))
    values = {name: random_parameter(rng, name, size) for name in PARAMETERS}
    return nets.cells(size, label, str(rng.choice(LASTING)), v=float(rng.uniform(-70, -55)), **values)


def random_parameter(rng: np.random.Generator, name: str, size: int) -> np.ndarray:
    """A value for each cell, or one for all."""
    low, high = PARAMETERS[name]
    return rng.uniform(low, high, size if rng.random() < 0.7 else 1)


def _projections(rng: np.random.Generator, populations: Sequence[Population], first: int) -> tuple[Projection, ...]:
    rules: dict[int, Plasticity] = {}  # one for each population
    made = []
    for k in range(int(rng.integers(1, 3 + len(populations)))):
        pre, post = int(rng.integers(len(populations))), int(rng.integers(first, len(populations)))
        projection = _static(rng, populations, pre, post, f"projection {k}")
        if rng.random() < 0.4:
            rule = rules.setdefault(post, _rule(rng, RULES[int(rng.integers(len(RULES)))], projection))
            projection = _plastic(projection, rule)
        made.append(projection)
    return tuple(made)


def _static(rng: np.random.Generator, populations: Sequence[Population], pre: int, post: int, label: str) -> Projection:
    receptor = str(rng.choice(["excitatory", "inhibitory"]))
    model = registry.cell_model(populations[post].model)
    assert isinstance(model, NeuronModel)
    unit = CONDUCTANCE if model.has_conductances else -1.0 if receptor == "inhibitory" else 1.0
    weights = sorted(unit * bound for bound in WEIGHTS[str(rng.choice(list(WEIGHTS)))])
    sizes = populations[pre].size, populations[post].size
    count, longest = int(rng.integers(1, max(40, 3 * sizes[1]))), int(rng.choice(LONGEST_DELAYS))
    return nets.connect(pre, post, nets.random_rows(rng, *sizes, count, weights, longest), receptor, label)


def _rule(rng: np.random.Generator, names: tuple[str, str], projection: Projection) -> Plasticity:
    spread = projection.synapses.weights
    largest = max(abs(spread.least), abs(spread.most))
    amplitude = 0.2 * (largest if names[1] == "AdditiveWeightDependence" else 1.0)
    values = {name: float(rng.uniform(2, 40)) for name in dict.fromkeys(TIMINGS[names[0]][1])}
    values |= {name: float(rng.uniform(0, amplitude)) for name in AMPLITUDES[: 4 if "Triplet" in names[1] else 2]}
    if names[0] == "Vogels2011Rule":
        values["alpha"] = float(rng.uniform(0, 0.5))
    values |= {"w_min": float(rng.choice([0.0, 0.2])) * largest, "w_max": largest * float(rng.uniform(1, 1.5))}
    return Plasticity(*names, values)


def _plastic(projection: Projection, rule: Plasticity) -> Projection:
    sign = -1.0 if projection.synapses.weights.least < 0 else 1.0
    low, high = (rule.parameters[name] for name in ("w_min", "w_max"))
    synapses = projection.synapses.replaced(weight=sign * np.clip(np.abs(projection.weight), low, high))
    signed = replace(rule, parameters={**rule.parameters, "w_min": sign * low, "w_max": sign * high})
    return replace(projection, synapse="STDPMechanism", synapses=synapses, plasticity=signed)


def _currents(rng: np.random.Generator, draw: Draw, populations: Sequence[Population]):
    for index, population in enumerate(populations):
        if is_source(population) or rng.random() < 0.7:
            continue
        for k in range(int(rng.integers(1, 3))):
            count = int(rng.choice([1, 2, 30]))
            times = np.sort(rng.choice(draw.steps, count, replace=False)) * np.float64(draw.timestep)
            cells = np.flatnonzero(rng.random(population.size) < 0.6).astype(np.int32)
            if len(cells):
                yield Current(f"current {index}.{k}", index, cells, times, rng.uniform(-1, 3, count))


def _probes(rng: np.random.Generator, populations: Sequence[Population]):
    for index, population in enumerate(populations):
        everybody = np.arange(population.size, dtype=np.int32)
        yield Probe(index, "spikes", everybody)
        for variable in () if is_source(population) else CELLS[population.model].recorded:
            if rng.random() < 0.6:
                yield Probe(index, variable, everybody)
            else:
                some = np.flatnonzero(rng.random(population.size) < 0.5).astype(np.int32)
                yield Probe(index, variable, some if len(some) else everybody, int(rng.integers(1, 6)))


def changed(rng: np.random.Generator, network: Network, draw: Draw) -> Network:
    """The network with other trains, rates, parameters, states and currents, as one that runs can become."""
    populations = tuple(p if rng.random() < 0.4 else _changed_population(rng, p, draw) for p in network.populations)
    currents = tuple(
        replace(current, amplitudes=current.amplitudes * rng.uniform(0, 2)) if rng.random() < 0.5 else current
        for current in network.currents
    )
    return replace(network, populations=populations, currents=currents)


def _changed_population(rng: np.random.Generator, old: Population, draw: Draw) -> Population:
    if old.trains is not None:
        return replace(old, trains=Trains.from_lists([random_train(rng, draw) for _ in range(old.size)]))
    if is_source(old):
        return replace(old, parameters={**old.parameters, "rate": np.full(old.size, rng.uniform(1, 800))})
    name = str(rng.choice(sorted(set(old.parameters) & set(PARAMETERS))))
    value = np.broadcast_to(random_parameter(rng, name, old.size), old.size)
    state = str(rng.choice(sorted(old.initial)))
    low, high = STATES.get(state, (0, 3))
    times = old.times_set.get(state, np.zeros(old.size, np.int32)) + np.int32(1)
    return replace(
        old,
        parameters={**old.parameters, name: value},
        initial={**old.initial, state: rng.uniform(low, high, old.size)},
        times_set={**old.times_set, state: times},
    )


def side_by_side(networks: Sequence[Network]) -> Network:
    """One network of several that have the same time step."""
    populations, projections, currents, probes = [], [], [], []
    for k, network in enumerate(networks):
        offset = len(populations)
        populations += [replace(p, label=f"network {k}, {p.label}") for p in network.populations]
        projections += [replace(p, pre=p.pre + offset, post=p.post + offset) for p in network.projections]
        currents += [replace(c, population=c.population + offset) for c in network.currents]
        probes += [replace(probe, population=probe.population + offset) for probe in network.probes]
    parts = map(tuple, (populations, projections, currents, probes))
    return Network(networks[0].timestep, *parts, seed=len(networks))
