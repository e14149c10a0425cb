"""A network on the boards of SpiNNaker: cores, memory, keys, routes; in order, or by who talks with whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evsim.chip import Chip
from evsim.errors import CheckError
from evsim.network import Network
from evsim.placing import partition
from evsim.placing.board import Chip as Place
from evsim.placing.board import Machine
from evsim.placing.placer import in_order
from evsim.placing.routes import COLOURS, KeyRange, Routes, keys_of, routes_of
from evsim.placing.spinnaker_cores import DELAY, NEURONS, SOURCE, SYNAPSES, SpinnakerCores, cores_of
from evsim.placing.traffic import Flow, spinnaker_flows


@dataclass(frozen=True, eq=False)
class OnSpinnaker:
    """Where a network lies, and what that takes.

    Attributes:
        steps: time steps for which memory is planned.
        places: chip of each core.
        simple: spikes times hops with the cores in order.
        metis: the same as METIS places them; None where it was not asked.
    """

    network: Network
    cores: SpinnakerCores
    machine: Machine
    steps: int
    places: list[Place]
    flows: list[Flow]
    routes: Routes
    simple: int
    metis: int | None = None

    @property
    def boards(self) -> int:
        """Boards that hold some core."""
        return len({self.machine.board_of[place] for place in self.places})

    def synapses(self) -> NDArray[np.int64]:
        """(cores,) synapses that each core works on; of several for one slice the first has them."""
        found = np.zeros(len(self.cores.cores), np.int64)
        first: dict[tuple[int, int], int] = {}
        for number, core in enumerate(self.cores.cores):
            if core.kind == SYNAPSES or (core.kind == NEURONS and (core.population, core.first) not in first):
                before = first.get((core.population, core.first))
                if before is None or self.cores.cores[before].kind == NEURONS:
                    first[core.population, core.first] = number
        for projection in self.network.projections:
            if not len(projection):
                continue
            mine = {start: number for (population, start), number in first.items() if population == projection.post}
            width = max(np.diff(sorted(mine)), default=self.network.populations[projection.post].size)
            counts = sum(
                np.bincount(chunk.target // width, minlength=len(mine)) for chunk in projection.synapses.chunks()
            )
            found[[mine[start] for start in sorted(mine)]] += counts
        return found


def place(
    network: Network, chip: Chip, spikes: Sequence[NDArray[np.int64]], steps: int, use_metis: bool = False
) -> OnSpinnaker:
    """Place a network.

    Args:
        spikes: of each cell of each population.
        steps: that a run has.
        use_metis: whether METIS places the cores, where that makes spikes times hops fewer.

    Raises:
        CheckError: something does not fit on a core, a chip or any machine.
        MissingPartError: METIS is not installed.
    """
    if use_metis:
        partition.require_metis()
    cores = cores_of(network, chip)
    if cores.problems:
        raise CheckError(f"this network has no place on the cores of {chip.name}", cores.problems)
    memory = int(chip.limits["sdram_of_chip"].value)
    populations = [part for part in cores.groups if part]
    labels = [network.populations[part[0][0].population].label for part in populations]
    machine, group_places = in_order(populations, labels, steps, memory)
    flows = spinnaker_flows(network, cores, spikes)
    places, routes = _routed(cores, machine, group_places, flows)
    found = OnSpinnaker(network, cores, machine, steps, places, flows, routes, routes.hops)
    if not use_metis:
        return found
    ways = [_routed(cores, machine, other, flows) for other in _by_metis(found, group_places, memory)]
    places, routes = min([(places, routes), *ways], key=lambda way: way[1].hops)
    return replace(found, places=places, routes=routes, metis=routes.hops)


def _routed(
    cores: SpinnakerCores, machine: Machine, group_places: Sequence[Place], flows: Sequence[Flow]
) -> tuple[list[Place], Routes]:
    groups = [group for part in cores.groups for group in part]
    places = [place for group, place in zip(groups, group_places, strict=True) for _ in group]
    return places, routes_of(machine, flows, places, _owners(cores))


def _owners(cores: SpinnakerCores) -> list[tuple]:
    """(source, slice) of each core, as keys are shared."""
    seen: dict[tuple[int, str], int] = {}
    found = []
    for core in cores.cores:
        owner = (core.population, core.kind)
        found.append((owner, seen.get(owner, 0)))
        seen[owner] = seen.get(owner, 0) + 1
    return found


def _by_metis(found: OnSpinnaker, in_order: Sequence[Place], memory: int) -> list[list[Place]]:
    """Chips of each group, among those that the simple way takes: every way found for which they have the memory."""
    groups = [group for part in found.cores.groups for group in part]
    chips = sorted(set(in_order))
    item_of = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    distance = np.array([[found.machine.hops(a, b) for b in chips] for a in chips], float)
    capacity = np.array([found.machine.free_cores(chip) for chip in chips])
    bins = partition.Bins(capacity, np.array(chips, float), distance)
    sizes = np.array([len(group) for group in groups])
    bytes_of = np.array([sum(core.memory.after(found.steps) for core in group) for group in groups])
    start = np.array([chips.index(place) for place in in_order])
    ways = partition.placed(partition.talk(found.flows, item_of), sizes, bins, start)
    return [[chips[k] for k in at] for at in ways if np.bincount(at, weights=bytes_of).max() <= memory]


def keys(found: OnSpinnaker) -> dict[tuple[int, str], KeyRange]:
    """Population and kind of core -> the keys of its cores, of all that send.

    Sources come in the order of the projections that leave them, then delay extensions.
    """
    sending = {(found.cores.cores[flow.source].population, found.cores.cores[flow.source].kind) for flow in found.flows}
    order: dict[tuple[int, str], None] = {}
    for projection in found.network.projections:
        for kind in (NEURONS, SOURCE):
            if (projection.pre, kind) in sending:
                order[projection.pre, kind] = None
    order |= {(core.population, DELAY): None for core in found.cores.cores if core.kind == DELAY}
    order |= {owner: None for owner in sorted(sending)}  # and neurons that only the synapses onto them hear
    return dict(zip(order, keys_of([_needs(found, *owner) for owner in order]), strict=True))


def _needs(found: OnSpinnaker, population: int, kind: str) -> list[int]:
    """Keys of each core of a source: one for each cell, colour and stage."""
    stages = 1
    if kind == DELAY:
        ways = ((p, found.cores.rings[p.post]) for p in found.network.projections if p.pre == population and len(p))
        stages = max(-(-int(p.synapses.delays.most) // ring) - 1 for p, ring in ways)
    mine = [core for core in found.cores.cores if (core.population, core.kind) == (population, kind)]
    return [(core.last + 1 - core.first) * COLOURS * stages for core in mine]
