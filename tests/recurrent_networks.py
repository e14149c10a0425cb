"""Networks with sPyNNaker's RecurrentRule, and the same law written out for one synapse."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from evsim.engine.ruled_lanes import DOMAIN
from evsim.pynn import graph, simulator
from evsim.random_bits import derived, uniform

sim: Any = importlib.import_module("pyNN.evsim")  # whose cell types are made when they are asked for

DT = 0.5
Draw = Callable[[str, int, int, int, int], float]


def trains(cells) -> list[np.ndarray]:
    """In steps, cell by cell."""
    segment = cells.get_data("spikes").segments[-1]
    return [np.rint(np.asarray(train) / DT).astype(int) for train in segment.spiketrains]


def pushed(times: Sequence, threads: int = 1, seed: int = 4):
    """Cells that spike a time step after they are pushed."""
    sim.setup(timestep=DT, rng_seed=seed, threads=threads)
    pushes = sim.Population(len(times), sim.SpikeSourceArray(spike_times=[*times]))
    cells = sim.Population(len(times), sim.IF_curr_delta(tau_m=1.0, tau_refrac=0.0))
    sim.Projection(pushes, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=1e3, delay=DT))
    cells.record("spikes")
    return cells


def connected(times: Sequence, cells, dependence: Any = None, connector: Any = None, **given):
    """Sources, and synapses with the rule from them onto cells."""
    mechanism = {name: given.pop(name) for name in ("weight", "delay", "dendritic_delay_fraction") if name in given}
    sources = sim.Population(len(times), sim.SpikeSourceArray(spike_times=[*times]))
    rule = sim.extra_models.RecurrentRule(**given)
    dependence = dependence or sim.MultiplicativeWeightDependence(w_min=0.0, w_max=1.0)
    synapse = sim.STDPMechanism(rule, dependence, **{"weight": 0.5, "delay": DT, **mechanism})
    return sim.Projection(sources, cells, connector or sim.AllToAllConnector(), synapse)


def weights(projection) -> np.ndarray:
    """(pre, post)"""
    return np.asarray(projection.get("weight", format="array"))


def some_spikes(count: int, cells: int, end: int, random: np.random.Generator) -> list[np.ndarray]:
    return [np.sort(random.choice(np.arange(4, end), count, replace=False)) * DT for _ in range(cells)]


class Synapse:
    """The functions of the firmware's sources, one synapse, with windows that are given."""

    def __init__(self, limits: tuple[int, int], change: tuple[Callable, Callable], weight: float) -> None:
        self.below, self.above = limits
        self.raised, self.lowered = change
        self.weight, self.count = weight, 0
        self.last_pre = self.last_post = -(10**9)
        self.state = "idle"
        self.pre_window = self.post_window = self.window = 0.0

    def up(self) -> None:
        self.count += 1
        if self.count == self.above:
            self.count, self.weight = 0, self.raised(self.weight)

    def down(self) -> None:
        self.count -= 1
        if self.count == self.below:
            self.count, self.weight = 0, self.lowered(self.weight)

    def dual_post(self, at: int, window: float) -> None:
        if at > self.last_pre and (at - self.last_pre) * DT < self.pre_window:
            self.up()
        self.last_post, self.post_window = at, window

    def dual_pre(self, at: int, window: float) -> None:
        if (at - self.last_post) * DT < self.post_window:
            self.down()
        self.last_pre, self.pre_window = at, window

    def single_post(self, at: int, window: float) -> None:
        if self.state == "idle":
            self.state, self.window = "post open", window
        elif self.state == "post open":
            if (at - self.last_post) * DT < self.window:
                self.state = "idle"
            else:
                self.window = window
        elif at == self.last_pre:
            self.state = "idle"
        elif (at - self.last_pre) * DT < self.window:
            self.up()
            self.state = "idle"
        else:
            self.state, self.window = "post open", window
        self.last_post = at

    def single_pre(self, at: int, window: float) -> None:
        if self.state == "idle":
            self.state, self.window = "pre open", window
        elif self.state == "pre open":
            if (at - self.last_pre) * DT < self.window:
                self.state = "idle"
            else:
                self.window = window
        elif (at - self.last_post) * DT < self.window:
            self.down()
            self.state = "idle"
        else:
            self.state, self.window = "pre open", window
        self.last_pre = at


def drawn(dual: bool, shape: tuple[int, int], order: np.ndarray) -> Draw:
    """The numbers that evsim draws: of a spike and its cell, or of a spike and the place of the synapse."""
    index = len(graph.build(simulator.state).projections) - 1
    key = derived(derived(DOMAIN, graph.build(simulator.state).seed), index)

    def draw(side: str, i: int, j: int, fired: int, arrived: int) -> float:
        after = int(side == "post")
        label = fired if dual and after else arrived
        place = (i, j)[after] if dual else order[i, j]
        return float(uniform(derived(derived(key, (label << 17) + after), int(place)), 0))

    return draw


def by_hand(
    spikes: tuple[list, list], steps: tuple[int, int], now: int, dual: bool, means, make: Callable[[], Synapse], draw
):
    """(pre, post) weights, and the synapses.

    Args:
        spikes: of sources and targets, in steps.
        steps: of the delay before and behind the synapse.
    """
    found = np.empty((len(spikes[0]), len(spikes[1])))
    before, behind = steps
    for i, j in np.ndindex(found.shape):
        events = [(int(s) + before, "pre", int(s)) for s in spikes[0][i]]
        events += [(int(p) + behind, "post", int(p)) for p in spikes[1][j]]
        synapse = make()
        met = [event for event in events if event[0] <= now - behind]
        for at, side, fired in sorted(met, key=lambda event: (event[0], (event[1] == "pre") == (behind > 0))):
            mean = means[side == "post"]
            window = -mean * np.log(1 - draw(side, i, j, fired, at))
            getattr(synapse, f"{'dual' if dual else 'single'}_{side}")(at, window)
        found[i, j] = synapse.weight
    return found
