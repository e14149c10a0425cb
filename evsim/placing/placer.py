"""Filling the chips of a machine in order, population by population, as sPyNNaker's placer does.

The cores of a population lie on chips that are linked: the first chip in order that has room, then neighbours of those
already taken, first those on the same board. Source: ``application_placer.py`` of SpiNNaker PACMAN 7.4.1.
"""

from __future__ import annotations

from collections.abc import Sequence

from evsim.errors import CheckError, Problem
from evsim.placing.board import Chip, Machine
from evsim.placing.spinnaker_cores import Group

MOST_BOARDS = 1200  # of the machine in Manchester: a million cores


class Places:
    """The cores of a machine that are taken.

    Attributes:
        cores, memory: chip -> cores and bytes of SDRAM that are free.
    """

    def __init__(self, machine: Machine, memory: int) -> None:
        self.machine = machine
        self.cores = {chip: machine.free_cores(chip) for chip in machine.board_of}
        self.memory = dict.fromkeys(machine.board_of, memory)

    def has_room(self, chip: Chip, cores: int, memory: int) -> bool:
        """Whether so many cores, with so many bytes together, have a place on a chip."""
        return self.cores[chip] >= cores and self.memory[chip] >= memory

    def take(self, chip: Chip, cores: int, memory: int) -> None:
        """Take them."""
        self.cores[chip] -= cores
        self.memory[chip] -= memory

    def chain(self, needs: Sequence[tuple[int, int]]) -> list[Chip] | None:
        """A chip for each of the groups of one population, on linked chips; None if there is no room for them."""
        for start in self.cores:
            if self.cores[start] and (found := self._chain_from(start, needs)) is not None:
                return found
        return None

    def _chain_from(self, start: Chip, needs: Sequence[tuple[int, int]]) -> list[Chip] | None:
        left = {start: (self.cores[start], self.memory[start])}
        waiting: dict[Chip, None] = {start: None}
        current, found = None, []
        for cores, memory in needs:
            while current is None or not (left[current][0] >= cores and left[current][1] >= memory):
                current = self._next(current or start, waiting, found)
                if current is None:
                    return None
                del waiting[current]
                left[current] = (self.cores[current], self.memory[current])
                if current == start and not self.has_room(start, cores, memory):
                    return None
                if left[current][0] < cores or left[current][1] < memory:
                    continue  # tried once, and its neighbours are not looked at
                for neighbour in self.machine.neighbours(current):
                    if neighbour not in left and self.cores[neighbour]:
                        waiting[neighbour] = None
            left[current] = (left[current][0] - cores, left[current][1] - memory)
            found.append(current)
        return found

    def _next(self, last: Chip, waiting: dict[Chip, None], found: Sequence[Chip]) -> Chip | None:
        """The neighbour that has waited longest, of those on the board of the last chip if there is one."""
        board = self.machine.board_of[found[-1] if found else last]
        return next((chip for chip in waiting if self.machine.board_of[chip] == board), next(iter(waiting), None))


def in_order(
    populations: Sequence[Sequence[Group]], labels: Sequence[str], steps: int, memory: int
) -> tuple[Machine, list[Chip]]:
    """The smallest machine that holds all groups, and the chip of each.

    Args:
        populations: the groups of each, with ``labels``.
        steps: that a run has; recordings and sources take SDRAM for all of them.
        memory: bytes of SDRAM of a chip.

    Raises:
        CheckError: a group is too large for any chip, or all are for any machine.
    """
    needs = [[(len(group), sum(core.memory.after(steps) for core in group)) for group in part] for part in populations]
    if problems := list(_too_large(needs, labels, memory, steps)):
        raise CheckError("this network has no place on the chips of SpiNNaker", problems)
    total = sum(cores for part in needs for cores, _ in part)
    boards = max(1, -(-total // sum(Machine.of_boards(1).free_cores(chip) for chip in Machine.of_boards(1).board_of)))
    while boards <= MOST_BOARDS:
        machine = Machine.of_boards(boards)
        if (found := _filled(machine, needs, memory)) is not None:
            return machine, found
        boards = machine.boards + 1
    problem = Problem(
        "network", f"{total:,} cores", f"there is no place for them on {MOST_BOARDS} boards", "Make it smaller."
    )
    raise CheckError("this network has no place on the chips of SpiNNaker", [problem])


def _filled(machine: Machine, needs: Sequence[Sequence[tuple[int, int]]], memory: int) -> list[Chip] | None:
    places, chips = Places(machine, memory), []
    for part in needs:
        found = places.chain(part)
        if found is None:
            return None
        for chip, need in zip(found, part, strict=True):
            places.take(chip, *need)
        chips += found
    return chips


def _too_large(needs: Sequence[Sequence[tuple[int, int]]], labels: Sequence[str], memory: int, steps: int):
    most = max(Machine.of_boards(1).free_cores(chip) for chip in Machine.of_boards(1).board_of)
    for label, part in zip(labels, needs, strict=True):
        cores, taken = (max((need[k] for need in part), default=0) for k in (0, 1))
        if cores > most:
            remedy = "Give it fewer synapses, or a longer time step."
            yield Problem(
                f"population {label!r}", f"{cores} cores that must share a chip", f"a chip has {most}", remedy
            )
        if taken > memory:
            what = f"{taken:,} bytes of SDRAM that {cores} of its cores need on one chip for {steps:,} time steps"
            remedy = "Record less, run for a shorter time, or give it fewer synapses."
            yield Problem(f"population {label!r}", what, f"a chip has {memory:,}", remedy)
