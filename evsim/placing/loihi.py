"""A network on the cores of Loihi: in the order of the populations, or by who talks with whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evsim.chip import Chip
from evsim.deploy.loihi_cores import CorePlan
from evsim.network import Network
from evsim.placing import partition
from evsim.placing.loihi_cores import LoihiCore, cores_of, flows_of, planned
from evsim.placing.mesh import CoreMesh
from evsim.placing.traffic import Flow


@dataclass(frozen=True, eq=False)
class OnLoihi:
    """Where a network lies.

    Attributes:
        places: (cores,) place of each, chip after chip and tile after tile.
        simple, metis: spikes times hops within chips, and spikes that leave their chip; ``metis`` where it was asked.
    """

    network: Network
    plan: CorePlan
    cores: list[LoihiCore]
    mesh: CoreMesh
    places: NDArray[np.int64]
    flows: list[Flow]
    simple: tuple[int, int]
    metis: tuple[int, int] | None = None


def place(network: Network, chip: Chip, spikes: Sequence[NDArray[np.int64]], use_metis: bool = False) -> OnLoihi:
    """Place a network.

    Args:
        spikes: of each cell of each population.
        use_metis: whether METIS places the cores, where that lets fewer spikes leave their chip, or makes fewer hops.

    Raises:
        CheckError: a population does not fit however it is divided.
        EvsimError: no source says what a core of this chip holds.
        MissingPartError: METIS is not installed.
    """
    if use_metis:
        partition.require_metis()
    plan = planned(network, chip)
    cores = cores_of(network, plan)
    mesh, places = CoreMesh.of_chip(chip), np.arange(len(cores))
    flows = flows_of(network, cores, spikes)
    simple = mesh.hops(flows, places)
    if not use_metis or not cores:
        return OnLoihi(network, plan, cores, mesh, places, flows, simple, simple if use_metis else None)
    ways = [(mesh.hops(flows, other), other) for other in (places, *_by_metis(flows, mesh, places))]
    metis, best = min(ways, key=lambda way: way[0][::-1])
    return OnLoihi(network, plan, cores, mesh, best, flows, simple, metis)


def _by_metis(flows: Sequence[Flow], mesh: CoreMesh, places: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Places of the cores among those that they take in order; to leave a chip counts as more than any way on it."""
    tiles, start, capacity = np.unique(places // mesh.cores_of_tile, return_inverse=True, return_counts=True)
    firsts = tiles * mesh.cores_of_tile
    column, row = mesh.tile(firsts)
    chip = firsts // mesh.cores
    apart = mesh.distances(firsts) + np.where(chip[:, None] == chip, 0, mesh.cores)
    where = np.column_stack([chip * float(mesh.cores), column, row]).astype(float)
    bins = partition.Bins(capacity, where, apart.astype(float))
    weights, count = partition.talk(flows, np.arange(len(places))), len(places)
    found = []
    for at in partition.placed(weights, np.ones(count, np.int64), bins, start.reshape(-1)):
        order = np.argsort(at, kind="stable")  # a tile's places are taken in the order of the cores
        way = np.empty(count, np.int64)
        way[order] = places
        found.append(way)
    return found
