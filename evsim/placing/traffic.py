"""What travels between cores: for each core that emits spikes, how many reach which other cores.

Nothing here knows where the cores lie. Where the spikes of a network are not known, each of its cells counts as one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evsim.deploy.spinnaker_cores import learns
from evsim.network import Network, Projection
from evsim.placing.spinnaker_cores import DELAY, MOST_STAGES, NEURONS, SOURCE, SYNAPSES, SpinnakerCores

BY_CORE = ("OneToOneConnector", "FromListConnector", "FromFileConnector", "KernelConnector")
Pairs = NDArray[np.int64]  # (n, 2) a core of the source and one of the target, by their places in their populations


@dataclass(frozen=True, eq=False)
class Flow:
    """What one core sends.

    Attributes:
        source: number of the core.
        targets: (n,) numbers of the cores that take it, ascending.
        spikes: (n,) how many each takes.
        sent: how many leave the core, where one packet serves all targets.
    """

    source: int
    targets: NDArray[np.int64]
    spikes: NDArray[np.int64]
    sent: int


def spikes_of(network: Network, known: Sequence[NDArray[np.int64] | None] | None) -> list[NDArray[np.int64]]:
    """The spikes of each cell of each population; one for each cell where they are not known."""
    given = known or [None] * len(network.populations)
    return [
        np.ones(population.size, np.int64) if spikes is None else np.asarray(spikes, np.int64)
        for population, spikes in zip(network.populations, given, strict=True)
    ]


def core_pairs(projection: Projection, widths: tuple[int, int], counts: tuple[int, int]) -> Pairs:
    """The pairs of cores between which packets are routed.

    sPyNNaker looks which cores have synapses where it is given one to one connections or a list. With other connectors
    it routes from every core to every core (``get_connected_vertices``).

    Args:
        widths: cells on a core of the source and on one of the target.
        counts: cores of either.
    """
    if projection.connected is not None and projection.connected.connector not in BY_CORE:
        return np.stack(np.meshgrid(*map(np.arange, counts), indexing="ij"), axis=-1).reshape(-1, 2)
    found = [np.empty((0, 2), np.int64)]
    for chunk in projection.synapses.chunks():
        pairs = np.column_stack([chunk.source // widths[0], chunk.target // widths[1]]).astype(np.int64)
        found.append(np.unique(pairs, axis=0))
    return np.unique(np.concatenate(found), axis=0)


# --- SpiNNaker -------------------------------------------------------------------------------------------------------


def spinnaker_flows(network: Network, cores: SpinnakerCores, spikes: Sequence[NDArray[np.int64]]) -> list[Flow]:
    """Packets between cores, which are numbered as in ``cores.cores``.

    Keys are routed by core, so every spike goes wherever any of its core goes, and to the core's delay extension if it
    has one, which sends a packet on for each of its stages in which the cell has a synapse. Poisson sources that share
    the chip of their targets send over memory, and appear nowhere here.
    """
    at = _Numbers(cores)
    sends: dict[int, set[int]] = defaultdict(set)
    stages: dict[int, NDArray[np.bool_]] = {}
    for projection in network.projections:
        if not len(projection) or projection.pre in at.beside:
            continue
        pre, post = projection.pre, projection.post
        counts = len(at.out(pre)), len(at.of[post, NEURONS])
        is_late = projection.synapses.delays.most > cores.rings[post]
        for part, target in core_pairs(projection, (at.width(pre), at.width(post)), counts).tolist():
            sends[at.out(pre)[part]].add(at.into(post, target, (pre, NEURONS), part, counts[0]))
            if is_late:
                sends[at.of[pre, DELAY][part]].add(at.into(post, target, (pre, DELAY), part, counts[0]))
                sends[at.out(pre)[part]].add(at.of[pre, DELAY][part])
        if is_late:
            needed = stages.setdefault(pre, np.zeros((network.populations[pre].size, MOST_STAGES + 1), bool))
            _note_stages(projection, cores.rings[post], needed)
    for source, targets in at.heard_by_synapses(network):
        sends[source].update(targets)
    flows = []
    for source, targets in sorted(sends.items()):
        core = cores.cores[source]
        times = stages[core.population][:, 1:].sum(axis=1) if core.kind == DELAY else 1
        sent = int((spikes[core.population] * times)[core.first : core.last + 1].sum())
        flows.append(Flow(source, np.array(sorted(targets), np.int64), np.full(len(targets), sent, np.int64), sent))
    return flows


class _Numbers:
    """Where the cores of a population are among all.

    Attributes:
        of: population and kind -> numbers of its cores.
        beside: sources that share the chips of their targets.
    """

    def __init__(self, cores: SpinnakerCores) -> None:
        self._cores = cores.cores
        self.of: dict[tuple[int, str], list[int]] = defaultdict(list)
        for number, core in enumerate(self._cores):
            self.of[core.population, core.kind].append(number)
        groups = [group for part in cores.groups for group in part if len(group) > 1]
        self._turns: dict[int, dict[tuple[int, str], int]] = {}
        self.beside = {core.population for group in groups for core in group if core.kind == SOURCE}

    def out(self, index: int) -> list[int]:
        """The cores that send the spikes of a population."""
        return self.of[index, NEURONS] or self.of[index, SOURCE]

    def width(self, index: int) -> int:
        """Cells on its first core, which is full."""
        first = self._cores[self.out(index)[0]]
        return first.last + 1 - first.first

    def into(self, index: int, part: int, owner: tuple[int, str], source: int, sources: int) -> int:
        """The core that takes spikes for a part of a population.

        Of several for synapses each takes a run of the source's cores, a power of two of them, and each source begins
        with another one (``SplitterPopulationVertexNeuronsSynapses.get_source_specific_in_coming_vertices``).

        Args:
            owner: population and kind of the source, of which this is core ``source`` of so many.
        """
        alone = self.of[index, SYNAPSES]
        if not alone:
            return self.of[index, NEURONS][part]
        each = len(alone) // len(self.of[index, NEURONS])
        turns = self._turns.setdefault(index, {})
        first = turns.setdefault(owner, len(turns))
        run = 1 << (-(-sources // each) - 1).bit_length()
        return alone[part * each + (first + source // run) % each]

    def heard_by_synapses(self, network: Network) -> Iterator[tuple[int, list[int]]]:
        """Cores of neurons, and those of plastic synapses beside them, which must hear of their neurons' spikes."""
        for index in range(len(network.populations)):
            alone, neurons = self.of[index, SYNAPSES], self.of[index, NEURONS]
            onto_itself = any(p.pre == p.post == index and len(p) for p in network.projections)
            if alone and learns(network, index) and not onto_itself:
                each = len(alone) // len(neurons)
                for k, number in enumerate(neurons):
                    yield number, alone[k * each : (k + 1) * each]


def _note_stages(projection: Projection, ring: int, needed: NDArray[np.bool_]) -> None:
    """Mark the stages of a delay extension that each cell has a synapse in."""
    for chunk in projection.synapses.chunks():
        stage = (np.broadcast_to(chunk.delay, len(chunk.source)) - 1) // ring
        needed[chunk.source, np.minimum(stage, MOST_STAGES)] = True
    needed[:, 0] = False
