"""How many cores and chips of Loihi a network takes, and which of a core's limits decides.

A population lies on cores of its own, in equal parts. A part takes compartments; an input axon for each source cell of
each projection that reaches it; an output axon for each of its cells and each core that the cell reaches; and synaptic
memory. Sources of spikes are no cores' work: they come from outside the mesh.

The synapses of one input axon are packed in groups of up to 64, each with a head, in whole words of 64 bits: weight,
delay, and the index of the target in one of a few widths (nengo-loihi 1.1.0, ``SynapseConfig.bits_per_axon`` and
``Synapse.idx_bits``; Davies et al. 2018 describe such formats). Another packer may need more or less.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evsim.chip import Chip
from evsim.errors import Problem
from evsim.network import Network, Projection
from evsim.sources import is_source

WORD, GROUP, HEAD = 64, 64, 4 + 6  # bits, synapses, bits
WEIGHT_BITS = 8
INDEX_BITS = np.array([0, 6, 7, 8, 9, 10, 11, 12])

# limit of a core -> what it holds, for users
RESOURCES = {
    "core_compartments": "compartments",
    "core_axons_in": "input axons",
    "core_axons_out": "output axons",
    "core_synapse_bits": "bits of synaptic memory",
}


@dataclass(frozen=True)
class CoreUse:
    """The cores of one population.

    Attributes:
        fullest: name in ``RESOURCES`` -> the most that one of its cores needs.
        decides: the name of which a core has the least to spare.
    """

    population: str
    cores: int
    fullest: dict[str, int]
    decides: str


@dataclass(frozen=True)
class CorePlan:
    """The cores of a network.

    Attributes:
        problems: populations that do not fit however they are divided.
        cores: in all; None where there is a problem, or where a limit of a core is unknown.
        chips: the fewest that can be enough; None where that is unknown.
        unknown: what a core has of each, as far as no source says how much.
    """

    populations: tuple[CoreUse, ...] = ()
    problems: tuple[Problem, ...] = ()
    cores: int | None = None
    chips: int | None = None
    unknown: tuple[str, ...] = ()


def plan_cores(network: Network, chip: Chip) -> CorePlan:
    """As few cores as each population fits on in equal parts."""
    most = {name: int(limit.value) for name in RESOURCES if (limit := chip.limits.get(name))}
    if len(most) < len(RESOURCES):
        unknown = tuple(what for name, what in RESOURCES.items() if name not in most)
        return CorePlan(chips=_chips_by_size(network, chip), unknown=unknown)
    sizes = {i: p.size for i, p in enumerate(network.populations) if p.size and not is_source(p)}
    cores = {index: _cores(size, min(size, most["core_compartments"])) for index, size in sizes.items()}
    uses: dict[int, dict[str, int]] = {}
    problems: dict[int, Problem] = {}
    pending = list(sizes)
    while pending:  # more cores of a population ask more output axons of those before it, and nothing of others
        index = pending.pop(0)
        before = cores[index]
        uses[index] = _divide(network, index, cores, most)
        if any(uses[index][name] > most[name] for name in most):
            problems[index] = _too_large(network.populations[index].label, uses[index], most, chip)
        elif cores[index] != before:
            pending += [pre for pre in _sources_of(network, index) if pre in cores and pre not in pending]
    used = tuple(
        CoreUse(network.populations[index].label, cores[index], use, _decisive(use, most))
        for index, use in uses.items()
    )
    total = None if problems else sum(cores.values())
    of_chip = chip.limit("cores")
    chips = None if total is None or of_chip is None else _cores(total, int(of_chip))
    return CorePlan(used, tuple(problems.values()), total, chips)


def _chips_by_size(network: Network, chip: Chip) -> int | None:
    """The fewest chips by their numbers of neurons and synapses alone."""
    neurons = sum(population.size for population in network.populations if not is_source(population))
    bounds = (chip.limit("neurons"), neurons), (chip.limit("synapses"), network.n_synapses)
    found = [_cores(needed, int(most)) for most, needed in bounds if most is not None]
    return max(found, default=None)


def _cores(size: int, part: int) -> int:
    """How many parts of at most so many are needed for a size."""
    return -(-size // part) if size else 0


def _sources_of(network: Network, index: int) -> list[int]:
    return list(dict.fromkeys(p.pre for p in network.projections if p.post == index and len(p)))


def _divide(network: Network, index: int, cores: dict[int, int], most: dict[str, int]) -> dict[str, int]:
    """Raise the number of a population's cores in ``cores`` until its parts fit; returns what the fullest core needs.

    A part that is as many times smaller as the fullest is too full needs at least what a core has, for what it needs
    shrinks more slowly than itself. Parts of one cell are divided no further.
    """
    size = network.populations[index].size
    while True:
        part = _cores(size, cores[index])
        use = _fullest(network, index, part, cores)
        over = max(use[name] / most[name] for name in most)
        if over <= 1 or part == 1:
            return use
        cores[index] = _cores(size, max(min(part - 1, int(part / over)), 1))


def _fullest(network: Network, index: int, part: int, cores: dict[int, int]) -> dict[str, int]:
    """Resource -> the most that one part of so many cells of a population needs."""
    needs = core_needs(network, index, part, cores)
    return {name: part if name == "core_compartments" else int(each.max()) for name, each in needs.items()}


def core_needs(network: Network, index: int, part: int, cores: Mapping[int, int]) -> dict[str, NDArray[np.int64]]:
    """Resource -> what each part (cores,) of so many cells of a population needs.

    Args:
        cores: population -> how many cores it has, of all that are not sources.
    """
    count, size = cores[index], network.populations[index].size
    axons_in, axons_out, bits = np.zeros((3, count), np.int64)
    for projection in network.projections:
        if not len(projection):
            continue
        if projection.post == index:
            reached, needed = _incoming(projection, network.populations[projection.pre].size, part, count)
            axons_in += reached
            bits += needed
        if projection.pre == index:
            targets = cores[projection.post]
            width = _cores(network.populations[projection.post].size, targets)
            axons_out += _outgoing(projection, size, part, count, width, targets)
    compartments = np.clip(size - part * np.arange(count), 0, part)
    return dict(zip(RESOURCES, (compartments, axons_in, axons_out, bits), strict=True))


def _incoming(
    projection: Projection, n_sources: int, part: int, count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Input axons and bits of synaptic memory (count,) that the parts of the target need for a projection."""
    synapses = np.zeros(count * n_sources, np.int64)
    highest = np.zeros(count, np.int64)
    for chunk in projection.synapses.chunks():
        at = chunk.target // part
        synapses += np.bincount(at * np.int64(n_sources) + chunk.source, minlength=len(synapses))
        np.maximum.at(highest, at, chunk.target % part)
    delay_bits = (int(projection.synapses.delays.most) - 1).bit_length()  # a delay of one step is none on the chip
    index_bits = INDEX_BITS[np.searchsorted(INDEX_BITS, np.ceil(np.log2(highest + 1)))]
    synapses = synapses.reshape(count, n_sources)
    each = (WEIGHT_BITS + delay_bits + index_bits)[:, None]
    groups, rest = np.divmod(synapses, GROUP)
    bits = groups * _words(GROUP * each + HEAD) + np.where(rest > 0, _words(rest * each + HEAD), 0)
    return np.count_nonzero(synapses, axis=1), bits.sum(axis=1)


def _words(bits: NDArray[np.int64]) -> NDArray[np.int64]:
    return -(-bits // WORD) * WORD


def _outgoing(projection: Projection, size: int, part: int, count: int, width: int, targets: int) -> NDArray[np.int64]:
    """Output axons (count,) of the parts of the source: one for each cell and each of the target's cores it reaches.

    Args:
        width: cells on each of the ``targets`` cores.
    """
    reached = np.zeros((size, targets), bool)
    for chunk in projection.synapses.chunks():
        reached[chunk.source, chunk.target // width] = True
    return np.bincount(np.arange(size) // part, weights=reached.sum(axis=1), minlength=count).astype(np.int64)


def _decisive(use: dict[str, int], most: dict[str, int]) -> str:
    return max(use, key=lambda name: use[name] / most[name])


def _too_large(label: str, use: dict[str, int], most: dict[str, int], chip: Chip) -> Problem:
    name = _decisive(use, most)
    return Problem(
        f"population {label!r}",
        f"one of its cells, alone on a core, needs {use[name]} {RESOURCES[name]}",
        f"a core of {chip.name} has {most[name]}",
        "Give it fewer sources, or fewer targets.",
    )
