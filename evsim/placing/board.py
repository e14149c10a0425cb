"""Boards of SpiNNaker: their chips, the links between them, and the trees by which packets go.

A board of 48 chips is a hexagon of a triangular mesh: a chip has links to the east, north-east, north, west,
south-west and south. Boards come in threes, which tile a plane; the edges of a machine of several are joined to a
torus. Source: ``version_5.py`` and ``version_48_chips.py`` of spinn_machine 7.4.1; Furber et al. 2014,
doi:10.1109/JPROC.2014.2304638, section III.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

Chip = tuple[int, int]  # x, y

LINKS: tuple[Chip, ...] = ((1, 0), (1, 1), (0, 1), (-1, 0), (-1, -1), (0, -1))
SIDE = 8  # of the square around a board
TRIAD = 12  # chips along a side of three boards
ETHERNETS = ((0, 0), (4, 8), (8, 4))  # where the boards of a triad begin
CORES = 18
DAMAGED = {(1, 1), (1, 3), (3, 1), (3, 3), (3, 5), (5, 2), (5, 4), (5, 6)}  # chips whose 18th core is not counted on
RESERVED = 2  # SCAMP, and the monitor that speeds up loading; on the chip with the Ethernet one more gathers packets


def of_board() -> list[Chip]:
    """The chips of one board."""
    return [(x, y) for x in range(SIDE) for y in range(SIDE) if -4 <= y - x <= 3]


@dataclass(frozen=True)
class Machine:
    """Chips in boards.

    Attributes:
        boards: 1, or a multiple of 3 that fills a torus.
        width, height: chips.
    """

    boards: int
    width: int
    height: int

    @classmethod
    def of_boards(cls, boards: int) -> Machine:
        """The smallest machine of at least so many boards."""
        if boards <= 1:
            return cls(1, SIDE, SIDE)
        triads = -(-boards // 3)
        columns = math.isqrt(triads - 1) + 1
        rows = -(-triads // columns)
        return cls(3 * columns * rows, TRIAD * columns, TRIAD * rows)

    @property
    def is_torus(self) -> bool:
        """Whether its edges are joined."""
        return self.boards > 1

    @cached_property
    def board_of(self) -> dict[Chip, Chip]:
        """Chip -> the chip with the Ethernet of its board; the chips are in the order in which they are filled."""
        found = {}
        for begin in self._ethernets():
            for x, y in of_board():
                place = (begin[0] + x, begin[1] + y)
                found[place[0] % self.width, place[1] % self.height] = begin
        return dict(sorted(found.items()))

    def _ethernets(self) -> list[Chip]:
        if not self.is_torus:
            return [(0, 0)]
        corners = [(x, y) for x in range(0, self.width, TRIAD) for y in range(0, self.height, TRIAD)]
        return [((x + a) % self.width, (y + b) % self.height) for x, y in corners for a, b in ETHERNETS]

    def free_cores(self, chip: Chip) -> int:
        """Cores of a chip that networks can have."""
        x, y = self.board_of[chip]
        local = (chip[0] - x) % self.width, (chip[1] - y) % self.height
        return CORES - RESERVED - (local in DAMAGED) - (local == (0, 0))

    def neighbours(self, chip: Chip) -> list[Chip]:
        """The chips at the ends of a chip's links."""
        ends = [(chip[0] + x, chip[1] + y) for x, y in LINKS]
        if self.is_torus:
            ends = [(x % self.width, y % self.height) for x, y in ends]
        return [end for end in ends if end in self.board_of]

    def offset(self, start: Chip, end: Chip) -> Chip:
        """Steps in x and y by which the fewest links lead from one chip to another."""
        dx, dy = end[0] - start[0], end[1] - start[1]
        if not self.is_torus:
            return dx, dy
        ways = [(dx + a * self.width, dy + b * self.height) for a in (0, -1, 1) for b in (0, -1, 1)]
        return min(ways, key=lambda way: (links_of(*way), way))

    def hops(self, start: Chip, end: Chip) -> int:
        """The fewest links from one chip to another."""
        return links_of(*self.offset(start, end))

    def way(self, start: Chip, end: Chip) -> list[Chip]:
        """The chips of a shortest way, both ends included: straight along one link, then along another.

        The longer part comes first (longest dimension first, Navaridas et al. 2015, doi:10.1016/j.parco.2014.11.008).
        On one board, whose corners are cut off, it comes last where the first way would leave the board.
        """
        dx, dy = self.offset(start, end)
        diagonal = 0 if dx * dy < 0 else min(abs(dx), abs(dy)) * (1 if dx + dy > 0 else -1)
        legs = [((1, 1), diagonal), ((1, 0), dx - diagonal), ((0, 1), dy - diagonal)]
        legs.sort(key=lambda leg: -abs(leg[1]))
        for order in (legs, legs[::-1]):
            found = self._walk(start, order)
            if all(chip in self.board_of for chip in found):
                break
        return found

    def _walk(self, start: Chip, legs: Iterable[tuple[Chip, int]]) -> list[Chip]:
        found, (x, y) = [start], start
        for (a, b), steps in legs:
            sign = 1 if steps > 0 else -1
            for _ in range(abs(steps)):
                x, y = x + sign * a, y + sign * b
                found.append((x % self.width, y % self.height) if self.is_torus else (x, y))
        return found

    def tree(self, start: Chip, ends: Iterable[Chip]) -> dict[Chip, set[Chip]]:
        """A multicast tree: chip -> the next chips; every chip is entered once, and a packet crosses each link once."""
        onward: dict[Chip, set[Chip]] = {start: set()}
        for end in sorted(set(ends), key=lambda end: (self.hops(start, end), end)):
            way = self.way(start, end)
            joint = max(k for k, chip in enumerate(way) if chip in onward)
            for chip, following in zip(way[joint:], way[joint + 1 :], strict=False):
                onward[chip].add(following)
                onward.setdefault(following, set())
        return onward


def links_of(dx: int, dy: int) -> int:
    """The fewest links for steps in x and y, of which a diagonal link makes both in the same direction."""
    return max(abs(dx), abs(dy)) if dx * dy >= 0 else abs(dx) + abs(dy)
