"""Small networks whose synapses come and go, and a plain transcription of their law in Python."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from builders import cells, plasticity
from evsim.chip import load_chip
from evsim.deploy.quantise import quantise
from evsim.engine.simulation import Simulation
from evsim.network import REWIRING, Network, Plasticity, Population, Probe, Projection, Trains
from evsim.random_bits import derived, subkey, uniform
from evsim.structure import RANDOM, Structure
from evsim.synapses import Listed

DT = 0.5
N_SOURCES, N_CELLS = 12, 9
CELL: dict[str, Any] = {"tau_refrac": 1.0, "tau_syn_E": 3.0, "tau_syn_I": 3.0}


def structure(**changes: Any) -> Structure:
    """Fast, so that in a short run all places are looked at many times."""
    usual = Structure(
        f_rew=4000.0,
        s_max=6,
        selection=RANDOM,
        buffer=3,
        grid=(3, 3),
        p_form_forward=0.9,
        sigma_form_forward=1.5,
        p_form_lateral=0.7,
        sigma_form_lateral=1.0,
        threshold=0.3,
        prob_elim_depressed=0.3,
        prob_elim_potentiated=0.1,
        initial_weight=0.2,
        initial_delay=(2, 7),
    )
    return Structure(**{**vars(usual), **changes})


def listed(rows: list[tuple]) -> Listed:
    """Of (source, target, weight, delay in steps)."""
    source, target, weight, delay = np.array(rows, float).reshape(-1, 4).T
    return Listed(source.astype(np.int32), target.astype(np.int32), weight.copy(), delay.astype(np.int32))


def network(
    how: Structure,
    rule: Plasticity | None = None,
    seconds: float = 1.0,
    n_cells: int = N_CELLS,
    n_sources: int = N_SOURCES,
    receptor: str = "excitatory",
    sign: float = 1.0,
    rate: float = 25.0,
    of_drive: float | None = None,
    each: int = 2,
) -> Network:
    """Sources and neurons that a drive keeps firing; both project onto the neurons by synapses that come and go.

    Args:
        rate: of sources, Hz.
        of_drive: that of the drive, where it is another one.
        each: the synapses of a neuron at the start.
    """
    rng = np.random.default_rng(8)
    steps = round(seconds * 1000 / DT)
    drive, given = (
        [np.sort(rng.integers(0, steps, rng.poisson(of_each * seconds))) * DT for _ in range(count)]
        for count, of_each in ((n_cells, rate if of_drive is None else of_drive), (n_sources, rate))
    )
    own = np.arange(n_cells, dtype=np.int32)
    kick = Listed(own, own, np.full(n_cells, 12.0), np.full(n_cells, 2, np.int32))
    rows = [(i % n_sources, i % n_cells, sign * 0.1 * (1 + i % 7), 1 + i % 5) for i in range(each * n_cells)]
    name = "StructuralMechanismSTDP" if rule else "StructuralMechanismStatic"
    populations = (
        Population("sources", "SpikeSourceArray", n_sources, {}, trains=Trains.from_lists(given)),
        Population("drive", "SpikeSourceArray", n_cells, {}, trains=Trains.from_lists(drive)),
        cells(n_cells, "neurons", **CELL),
    )
    projections = (
        Projection("forward", 0, 2, receptor, name, listed(rows), rule, structure=how),
        Projection("kick", 1, 2, "excitatory", "StaticSynapse", kick),
        Projection("lateral", 2, 2, receptor, name, listed([]), rule, structure=how),
    )
    probes = (Probe(2, "spikes", own), Probe(2, "isyn_inh", own), Probe(2, "isyn_exc", own), Probe(2, REWIRING, own))
    return Network(DT, populations, projections, probes=probes, seed=3)


def pairs(**changes: Any) -> Plasticity:
    """STDP by pairs that changes weights a lot."""
    return plasticity(**{"A_plus": 0.2, "A_minus": 0.15, "w_max": 1.0, **changes})


def simulation(net: Network, threads: int = 1) -> Simulation:
    return Simulation(quantise(net, load_chip("ideal")), threads)


def rewirings(sim: Simulation) -> list[tuple]:
    """(label, projection, source, target, made)"""
    (found,) = sim.recordings().rewirings
    labels = np.rint(found.times / DT).astype(int)
    columns = (labels, found.projections, found.sources, found.targets, found.made)
    return list(zip(*(column.tolist() for column in columns), strict=True))


# --- the law, written down -------------------------------------------------------------------------------------------


@dataclass
class Synapse:
    """One that is there."""

    projection: int
    source: int
    delay: int
    weight: float
    since: int  # the first label whose spikes of the target matter to it
    settled: int = -1  # the label of the spike of its source up to which they have changed it


@dataclass
class Law:
    """A run of the law for one population, label by label.

    Attributes:
        spikes: projection -> label -> the cells that spike.
        posts: cell -> its labels.
    """

    net: Network
    spikes: dict[int, dict[int, list[int]]]
    posts: list[np.ndarray]
    events: list[tuple] = field(default_factory=list)
    arrived: dict[tuple[int, int], float] = field(default_factory=dict)  # (label, cell) -> charge

    def __post_init__(self) -> None:
        self.projections = [k for k, p in enumerate(self.net.projections) if p.structure]
        first = self.net.projections[self.projections[0]]
        assert first.structure is not None
        self.how, self.post = first.structure, first.post
        self.size = self.net.populations[self.post].size
        self.places: list[list[Synapse | None]] = [[None] * self.how.s_max for _ in range(self.size)]
        for k in self.projections:
            p = self.net.projections[k]
            for source, target, weight, delay in zip(p.source, p.target, p.weight, p.delay, strict=True):
                free = self.places[target].index(None)
                self.places[target][free] = Synapse(k, int(source), int(delay), float(weight), -(10**6))
        self.heard: list[list[tuple[int, int]]] = [[], []]
        self.past: dict[tuple[int, int], list[int]] = {}

    def run(self, labels: int) -> None:
        for label in range(labels):
            self._rewire(label)
            self._send(label)

    def _rewire(self, label: int) -> None:
        rate = self.how.f_rew * DT / 1000
        of_population = derived(derived(np.uint64(0x57A7C), self.net.seed), self.post)
        key = np.uint64(subkey(of_population, np.uint64(label)))
        for number in range(math.floor((label + 1) * rate + 1e-9) - math.floor(label * rate + 1e-9)):
            own = np.uint64(subkey(key, np.uint64(number)))
            draw = [uniform(own, np.int64(k)) for k in range(7)]
            cell, place = int(draw[0] * self.size), int(draw[1] * self.how.s_max)
            there = self.places[cell][place]
            if there is None:
                self._make(label, cell, place, draw)
            else:
                chance = self.how.prob_elim_potentiated
                if abs(there.weight) < self.how.threshold:
                    chance = self.how.prob_elim_depressed
                if draw[4] < chance:
                    self.places[cell][place] = None
                    self.events.append((label, there.projection, there.source, cell, False))

    def _make(self, label: int, cell: int, place: int, draw: list[float]) -> None:
        if self.how.selection == RANDOM:
            k = self.projections[int(draw[3] * len(self.projections))]
            source = int(draw[2] * self.net.populations[self.net.projections[k].pre].size)
        else:
            heard = self.heard[(label - 1) % 2]
            if not heard:
                return
            k, source = heard[int(draw[2] * len(heard))]
        here = [other for other in self.places[cell] if other and (other.projection, other.source) == (k, source)]
        if here and not self.how.with_replacement:
            return
        lateral = self.net.projections[k].pre == self.post
        peak = self.how.p_form_lateral if lateral else self.how.p_form_forward
        sigma = self.how.sigma_form_lateral if lateral else self.how.sigma_form_forward
        if draw[5] < peak * math.exp(-squared_distance(source, cell, self.how.grid) / (2 * sigma**2)):
            least, most = self.how.initial_delay
            delay = least + int(draw[6] * (most - least))
            self.places[cell][place] = Synapse(k, source, delay, self.how.initial_weight, label, label - 1)
            self.events.append((label, k, source, cell, True))

    def _send(self, label: int) -> None:
        spiked = [(k, source) for k in self.projections for source in self.spikes[k].get(label, [])]
        if spiked:
            self.heard[label % 2] = spiked[: self.how.buffer]
        for k, source in spiked:
            for cell, places in enumerate(self.places):
                for there in places:
                    if there and (there.projection, there.source) == (k, source):
                        if self.net.projections[k].plasticity:
                            self._learn(there, cell, label)
                        due = label + there.delay, cell
                        self.arrived[due] = self.arrived.get(due, 0.0) + there.weight
            self.past.setdefault((k, source), []).append(label)

    def _learn(self, there: Synapse, cell: int, label: int) -> None:
        """By each event in turn, with traces summed anew."""
        rule = self.net.projections[there.projection].plasticity
        assert rule is not None
        p = rule.parameters
        sign, mu = math.copysign(1.0, there.weight or self.how.initial_weight), 0.0
        if rule.weight == "MultiplicativeWeightDependence":
            mu = 1.0
        low, high, weight = p["w_min"], p["w_max"], abs(there.weight)
        span = (high - low) if mu else high
        felt = self.posts[cell] + there.delay
        past = np.array(self.past.get((there.projection, there.source), []))
        for at in felt[(felt > there.settled) & (felt >= there.since) & (felt <= label)]:
            trace = np.exp((past[past < at] - at) * DT / p["tau_plus"]).sum()
            weight += p["A_plus"] * trace * span * ((high - weight) / (high - low)) ** mu
            weight = min(max(weight, low), high)
        trace = np.exp((felt[felt < label] - label) * DT / p["tau_minus"]).sum()
        weight -= p["A_minus"] * trace * span * ((weight - low) / (high - low)) ** mu
        there.weight, there.settled = sign * max(weight, low), label

    def synapses(self, projection: int) -> list[tuple]:
        """(source, target, delay, weight) of those that a projection has, in order."""
        return sorted(
            (there.source, cell, there.delay, there.weight)
            for cell, places in enumerate(self.places)
            for there in places
            if there and there.projection == projection
        )


def squared_distance(source: int, cell: int, grid: tuple[int, int]) -> int:
    """Of two cells on a grid whose edges meet."""
    x, y = grid
    ends = [(number // x if x > 1 else 0, number % y) for number in (source, cell)]
    apart = [abs(one - other) for one, other in zip(*ends, strict=True)]
    return sum((d - side if d > side // 2 else d) ** 2 for d, side in zip(apart, grid, strict=True))


def law_of(net: Network, sim: Simulation, labels: int) -> Law:
    """The law, run for the spikes that a simulation has recorded."""
    found = next(part for part in sim.recordings().spikes if part.population == 2)
    posts = [np.rint(found.times[found.neurons == i] / DT).astype(int) for i in range(net.populations[2].size)]
    trains = net.populations[0].trains
    assert trains is not None
    sources = [np.rint(trains.of(i) / DT).astype(int) for i in range(net.populations[0].size)]
    law = Law(net, {0: by_label(sources), 2: by_label(posts)}, posts)
    law.run(labels)
    return law


def by_label(trains: list[np.ndarray]) -> dict[int, list[int]]:
    """Label -> the cells that spike, ascending."""
    found: dict[int, list[int]] = {}
    for cell, labels in enumerate(trains):
        for label in labels.tolist():
            found.setdefault(label, []).append(cell)
    return found
