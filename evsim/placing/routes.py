"""How packets cross the chips of SpiNNaker: their trees, the links that they take, and the entries of routers' tables.

A packet is copied where its tree branches, so it crosses each link of the tree once, whatever the number of cores that
take it: its hops are the links of its tree. (Furber et al. 2014, doi:10.1109/JPROC.2014.2304638.)
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from evsim.placing.board import Chip, Machine
from evsim.placing.traffic import Flow

Route = frozenset[Chip | int]  # chips that follow, and numbers of the cores that take the packet


@dataclass(frozen=True, eq=False)
class Routes:
    """The packets of a network on a machine.

    Attributes:
        hops: packets times the links that they cross.
        links: (chip, next chip) -> packets.
        passed: chip -> packets that its router sees.
        entries: chip -> entries of its table, those of one source merged where they go the same way.
    """

    hops: int
    links: Mapping[tuple[Chip, Chip], int]
    passed: Mapping[Chip, int]
    entries: Mapping[Chip, int]


def routes_of(machine: Machine, flows: Sequence[Flow], chips: Sequence[Chip], sources: Sequence[tuple]) -> Routes:
    """The trees of all flows.

    Args:
        chips: of each core.
        sources: (what shares a range of keys, place in it) of each core.
    """
    links: Counter[tuple[Chip, Chip]] = Counter()
    passed: Counter[Chip] = Counter()
    ways: dict[tuple[Chip, object], dict[int, Route]] = defaultdict(dict)
    for flow in flows:
        start, owner = chips[flow.source], sources[flow.source]
        tree = machine.tree(start, {chips[target] for target in flow.targets.tolist()})
        taken = defaultdict(set)
        for target in flow.targets.tolist():
            taken[chips[target]].add(target)
        for chip, onward in tree.items():
            passed[chip] += flow.sent
            ways[chip, owner[0]][owner[1]] = frozenset(onward) | frozenset(taken[chip])
            for following in onward:
                links[chip, following] += flow.sent
    entries: Counter[Chip] = Counter()
    slices = Counter(owner[0] for owner in set(sources))
    for (chip, owner), routes in ways.items():
        entries[chip] += sum(_merged(routes, slices[owner]))
    return Routes(sum(links.values()), links, passed, entries)


def tree_hops(machine: Machine, flow: Flow, chips: Sequence[Chip]) -> int:
    """Packets of one flow times the links that they cross."""
    tree = machine.tree(chips[flow.source], {chips[target] for target in flow.targets.tolist()})
    return flow.sent * (len(tree) - 1)


def _merged(routes: Mapping[int, Route], slices: int) -> Iterator[int]:
    """For each run of neighbouring slices that go the same way the number of entries, each of 2^k keys from 2^k on."""
    for _, run in groupby(sorted(routes), key=_runs(routes)):
        found = list(run)
        yield 1 if len(found) == slices else sum(1 for _ in blocks(found[0], found[-1] + 1))


def _runs(routes: Mapping[int, Route]):
    """A key that is the same for consecutive slices of one route."""
    number, last = 0, (-2, frozenset())

    def key(place: int) -> int:
        nonlocal number, last
        if last != (place - 1, routes[place]):
            number += 1
        last = (place, routes[place])
        return number

    return key


def blocks(first: int, end: int) -> Iterator[tuple[int, int]]:
    """A range as blocks that begin at a multiple of their size, a power of two, as a key and a mask can say them."""
    while first < end:
        size = first & -first or 1 << (end - 1).bit_length()
        while first + size > end:
            size //= 2
        yield first, size
        first += size


# --- keys ------------------------------------------------------------------------------------------------------------

COLOURS = 16  # by which the time step of a spike is told, so that delays count from it (n_colour_bits of spynnaker.cfg)
WORD = 32


@dataclass(frozen=True)
class KeyRange:
    """The keys of the cores of one source, each with as many as its mask leaves open."""

    keys: tuple[int, ...]
    mask: int


def keys_of(needs: Iterable[Sequence[int]]) -> list[KeyRange]:
    """Keys for sources in the order of their numbers.

    The upper bits tell the source, the same number of them in all keys, then come its core, and cell and colour.
    Source: ``ZonedRoutingInfoAllocator`` of SpiNNaker PACMAN 7.4.1, in its flexible mode.

    Args:
        needs: for each source the keys of each of its cores.
    """
    sources = [list(each) for each in needs]
    bits = [(max(each) - 1).bit_length() for each in sources]
    both = max((own + (len(each) - 1).bit_length() for own, each in zip(bits, sources, strict=True)), default=0)
    found = []
    for number, (atoms, each) in enumerate(zip(bits, sources, strict=True)):
        keys = tuple((number << both) | (core << atoms) for core in range(len(each)))
        found.append(KeyRange(keys, (1 << WORD) - (1 << atoms)))
    return found
