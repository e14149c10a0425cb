"""The routers: tables of multicast routes, default routes, and the way of a packet over the chips (datasheet, 10)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from evsim.compile import lean
from evsim_emulator.addresses import LINKS, MC_TABLE_SIZE, NUM_CPUS, NUM_LINKS
from evsim_emulator.memory import EmulatorError
from evsim_emulator.packets import deliver
from evsim_emulator.state import PACKET_BYTES, core_at, packet_at

HOP = 40  # cycles from router to router: 0.2 us at 200 MHz, about what the datasheet gives
_STACK = 4096  # branches of a packet's way that wait to be followed
_LOCAL = -1  # the link of a packet that comes from a core of the chip
_NO_ROUTE = -1
CARRIED, DROPPED = 0, 1  # places in the counters


class Router:
    """The routing tables of all chips, and which core is where, as arrays for compiled code.

    Args:
        width, height: chips; links lead round the edges.
    """

    def __init__(self, width: int, height: int) -> None:
        self._height = height
        self._tables: dict[int, list[tuple[int, int, int]]] = {}
        self._entries = np.zeros((0, 3), np.int64)
        self._first = np.zeros(width * height + 1, np.int64)
        self._neighbours = np.array(
            [
                [(x + dx) % width * height + (y + dy) % height for dx, dy in LINKS]
                for x in range(width)
                for y in range(height)
            ],
            np.int64,
        )
        self.core_of = np.full((width * height, NUM_CPUS), -1, np.int64)  # place among the cores, or -1
        self.counters = np.zeros(2, np.int64)
        self._stack = np.zeros((_STACK, 3), np.int64)

    def index(self, x: int, y: int) -> int:
        """The number of a chip."""
        return x * self._height + y

    def add(self, x: int, y: int, routes: Iterable[tuple[int, int, Iterable[int], Iterable[int]]]) -> None:
        """Add entries to a chip's table: key, mask, cores and links; the first that matches counts.

        Raises:
            EmulatorError: the table would have more entries than the chip has.
        """
        table = self._tables.setdefault(self.index(x, y), [])
        for key, mask, cores, links in routes:
            bits = sum(1 << link for link in links) | sum(1 << (NUM_LINKS + core) for core in cores)
            table.append((key, mask, bits))
        if len(table) >= MC_TABLE_SIZE:
            raise EmulatorError(
                f"chip {x}, {y}: {len(table)} routes, and its router has room for {MC_TABLE_SIZE - 1}; use fewer "
                "populations or let routes be compressed"
            )
        self._lay_out()

    def clear(self) -> None:
        """Empty all tables."""
        self._tables.clear()
        self._lay_out()

    def _lay_out(self) -> None:
        sizes = [len(self._tables.get(chip, ())) for chip in range(len(self._first) - 1)]
        self._first[1:] = np.cumsum(sizes)
        listed = [entry for chip in sorted(self._tables) for entry in self._tables[chip]]
        self._entries = np.array(listed, np.int64).reshape(-1, 3)

    def arrays(self) -> tuple[np.ndarray, ...]:
        """What ``carry_packets`` needs."""
        return self._entries, self._first, self._neighbours, self.core_of, self.counters, self._stack


@lean
def _route(entries, first, last, key, came_by):
    """The links and cores to which a packet goes: by the table, which may say nowhere, else straight on."""
    for entry in range(first, last):
        if key & entries[entry, 1] == entries[entry, 0]:
            return entries[entry, 2]
    return _NO_ROUTE if came_by == _LOCAL else 1 << came_by


@lean
def _carry(packet, chip, cores, network):
    """Take a packet from its chip to all cores that its routes lead to."""
    entries, first, neighbours, core_of, counters, stack = network
    counters[CARRIED] += 1
    stack[0, 0], stack[0, 1], stack[0, 2] = chip, _LOCAL, 0
    depth = 1
    while depth:
        depth -= 1
        here, came_by, hops = stack[depth, 0], stack[depth, 1], stack[depth, 2]
        route = _route(entries, first[here], first[here + 1], packet.key, came_by)
        if route == _NO_ROUTE or hops > neighbours.shape[0]:  # in circles: a real router drops it when it is too old
            counters[DROPPED] += 1
            continue
        for link in range(NUM_LINKS):
            if route >> link & 1 and depth < _STACK:
                stack[depth, 0], stack[depth, 1], stack[depth, 2] = neighbours[here, link], link, hops + 1
                depth += 1
        for number in range(NUM_CPUS):
            place = core_of[here, number]
            if route >> (NUM_LINKS + number) & 1 and place >= 0:
                core = core_at(cores[place])
                deliver(core, max(packet.time + HOP * (hops + 1), core.cycles), packet)


@lean
def carry_packets(core, cores, network):
    """Carry what one of the cores has sent."""
    for place in range(core.outbox_count):
        _carry(packet_at(core.outbox + place * PACKET_BYTES), core.chip_index, cores, network)
    core.outbox_count = 0
