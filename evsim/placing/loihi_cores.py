"""The cores of Loihi that a network takes, what each of them holds, and what travels between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evsim.chip import Chip
from evsim.deploy.loihi_cores import RESOURCES, CorePlan, core_needs, plan_cores
from evsim.errors import CheckError, EvsimError
from evsim.network import Network
from evsim.placing.traffic import Flow
from evsim.sources import is_source


class LoihiCore(NamedTuple):
    """What one core holds.

    Attributes:
        population: index.
        first, last: cells, the last one included.
        synapses: onto them.
        needs: name in ``RESOURCES`` -> how much of it.
    """

    population: int
    first: int
    last: int
    synapses: int
    needs: Mapping[str, int]


def planned(network: Network, chip: Chip) -> CorePlan:
    """The plan of a network's cores.

    Raises:
        CheckError: a population does not fit however it is divided.
        EvsimError: no source says what a core of this chip holds.
    """
    plan = plan_cores(network, chip)
    if plan.unknown:
        raise EvsimError(
            f"no source says how many {', '.join(plan.unknown)} a core of {chip.name} has, so nothing can be placed on "
            "it; use --chip loihi1 or spinnaker1"
        )
    if plan.problems:
        raise CheckError(f"this network has no place on the cores of {chip.name}", plan.problems)
    return plan


def cores_of(network: Network, plan: CorePlan) -> list[LoihiCore]:
    """The cores of all populations but sources, in the order of the populations."""
    counts = counts_of(network, plan)
    found = []
    for index, count in counts.items():
        size = network.populations[index].size
        part = -(-size // count)
        needs = core_needs(network, index, part, counts)
        synapses = _synapses(network, index, part, count)
        for k in range(count):
            mine = {name: int(needs[name][k]) for name in RESOURCES}
            found.append(LoihiCore(index, k * part, min(k * part + part, size) - 1, int(synapses[k]), mine))
    return found


def counts_of(network: Network, plan: CorePlan) -> dict[int, int]:
    """Population -> how many cores it has; empty populations and sources are left out."""
    by_label = {use.population: use.cores for use in plan.populations}
    populations = enumerate(network.populations)
    return {index: by_label[p.label] for index, p in populations if p.size and not is_source(p)}


def _synapses(network: Network, index: int, part: int, count: int) -> NDArray[np.int64]:
    found = np.zeros(count, np.int64)
    for projection in network.projections:
        for chunk in projection.synapses.chunks() if projection.post == index and len(projection) else ():
            found += np.bincount(chunk.target // part, minlength=count)
    return found


def flows_of(network: Network, cores: Sequence[LoihiCore], spikes: Sequence[NDArray[np.int64]]) -> list[Flow]:
    """Messages between cores: one for each spike and core with a target of its cell, as output axons name cores.

    What sources emit comes from outside the mesh and is left out.
    """
    first: dict[int, int] = {}
    for number, core in enumerate(cores):
        first.setdefault(core.population, number)
    flows = []
    for index, start in first.items():
        reached = _reached(network, index, cores, first)
        for number in range(start, len(cores)):
            core = cores[number]
            if core.population != index:
                break
            mine = slice(core.first, core.last + 1)
            sent = spikes[index][mine] @ reached[mine].astype(np.int64)
            targets = np.flatnonzero(reached[mine].any(axis=0))
            if len(targets):
                flows.append(Flow(number, targets, sent[targets], int(sent[targets].sum())))
    return flows


def _reached(network: Network, index: int, cores: Sequence[LoihiCore], first: Mapping[int, int]) -> NDArray[np.bool_]:
    """(cells, cores) whether a cell has a target on a core."""
    found = np.zeros((network.populations[index].size, len(cores)), bool)
    for projection in network.projections:
        if projection.pre == index and len(projection):
            start = cores[first[projection.post]]
            for chunk in projection.synapses.chunks():
                found[chunk.source, first[projection.post] + chunk.target // (start.last + 1)] = True
    return found
