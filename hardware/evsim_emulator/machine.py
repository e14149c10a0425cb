"""The machine: chips with cores, and the clock that they share."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from evsim_emulator import sark
from evsim_emulator.addresses import CPU_INT, NUM_CPUS
from evsim_emulator.chip import Chip
from evsim_emulator.core import Core
from evsim_emulator.engine import Engine
from evsim_emulator.execution import ASKS, ASLEEP, run_slices
from evsim_emulator.memory import EmulatorError
from evsim_emulator.router import Router
from evsim_emulator.sark import CpuState, Signal

# Cycles (10 us at 200 MHz) that a core runs on its own; packets arrive at the end of a slice at the earliest.
SLICE = 2000
SLICES = 50  # between two looks from Python
_ALL_FLAGS = (1 << NUM_CPUS) - 1


class Counters(NamedTuple):
    """Packets that cores have sent, and branches of packets' ways that ended without a route."""

    packets: int
    dropped: int


class Machine:
    """A SpiNNaker machine that executes the programs of its cores, an instruction of 4 bytes in each cycle.

    Not modelled: how long instructions, memory and transfers take; contention; loss of packets in full routers.

    Args:
        width, height: chips. Links lead round the edges.
    """

    def __init__(self, width: int, height: int) -> None:
        if width < 1 or height < 1:
            raise EmulatorError(f"a machine of {width} by {height} chips has none; give 1 or more")
        self.width, self.height = width, height
        self.cores: dict[tuple[int, int, int], Core] = {}
        self.now = 0  # cycles
        self.wall = 0.0  # s spent in emulation
        self._chips: dict[tuple[int, int], Chip] = {}
        self._free: dict[tuple[int, int], list[Engine]] = defaultdict(list)  # of each chip, without a program
        self._router = Router(width, height)
        self._order: list[Core] = []
        self._addresses = np.zeros(0, np.int64)

    def chip(self, x: int, y: int) -> Chip:
        """The chip at a place; raises EmulatorError where the machine has none."""
        if not (0 <= x < self.width and 0 <= y < self.height):
            raise EmulatorError(f"there is no chip {x}, {y} on a machine of {self.width} by {self.height} chips")
        if (x, y) not in self._chips:
            self._chips[x, y] = Chip(x, y, self._router.index(x, y))
        return self._chips[x, y]

    @property
    def chips(self) -> Iterable[Chip]:
        """The chips that are in use."""
        return self._chips.values()

    @property
    def counters(self) -> Counters:
        """What the routers have counted."""
        return Counters(*(int(count) for count in self._router.counters))

    # --- loading -----------------------------------------------------------------------------------------------------

    def load(self, x: int, y: int, p: int, path: str | Path, app_id: int, wait: bool = False) -> Core:
        """Put a program on a core in place of what it has; it runs at the next ``run``.

        Raises:
            EmulatorError: there is no such core, or the file is no program.
        """
        if not 0 < p < NUM_CPUS:
            raise EmulatorError(f"there is no core {p} for programs on a chip: they are 1 to {NUM_CPUS - 1}")
        chip = self.chip(x, y)
        user = chip.read(sark.VCPU_BASE + sark.VCPU_SIZE * p + sark.VCPU_USER0, 16)
        self._remove([(x, y, p)] if (x, y, p) in self.cores else [])
        chip.write(sark.VCPU_BASE + sark.VCPU_SIZE * p, bytes(sark.VCPU_SIZE - len(user)) + user)
        free = self._free[x, y]
        core = Core(chip, free.pop() if free else Engine(chip), p, Path(path), app_id, wait, self.now)
        chip.state["flag"] |= 1 << p
        self.cores[x, y, p] = core
        self._line_up()
        return core

    def _remove(self, places: Iterable[tuple[int, int, int]]) -> None:
        for x, y, p in places:
            self._free[x, y].append(self.cores.pop((x, y, p)).close())

    def _line_up(self) -> None:
        self._order = [self.cores[place] for place in sorted(self.cores)]
        self._addresses = np.array([core.state_address for core in self._order], np.int64)
        self._router.core_of[:] = -1
        for place, core in enumerate(self._order):
            self._router.core_of[core.chip.index, core.number] = place

    def set_routes(self, x: int, y: int, routes: Iterable[tuple[int, int, Iterable[int], Iterable[int]]]) -> None:
        """Add routes to a chip's table: key, mask, cores and links."""
        self._router.add(x, y, routes)

    def clear_routes(self) -> None:
        """Empty all routing tables."""
        self._router.clear()

    # --- signals -----------------------------------------------------------------------------------------------------

    def _application(self, app_id: int) -> list[Core]:
        return [core for core in self._order if core.app_id == app_id]

    def start(self, app_id: int) -> None:
        """Let an application's programs that wait go on."""
        for core in self._application(app_id):
            core.put_into_mailbox(sark.SHM_SIGNAL, Signal.START)

    def sync(self, app_id: int, number: int) -> None:
        """Release an application's programs from barrier 0 or 1."""
        for chip in self.chips:
            chip.state["flag"] = _ALL_FLAGS if number else 0
        for core in self._application(app_id):
            core.interrupt(CPU_INT)

    def stop(self, app_id: int) -> None:
        """End an application's programs and free its SDRAM."""
        self._remove([place for place, core in self.cores.items() if core.app_id == app_id])
        for chip in self.chips:
            chip.free_all(app_id)
        self._line_up()

    # --- running -----------------------------------------------------------------------------------------------------

    def run(self, until: Callable[[], bool], cycles: int) -> bool:
        """Run until a condition holds, which is looked at every 0.5 ms of the machine's time.

        Returns:
            Whether it held; False when the cycles are used up, or when every core sleeps and nothing can wake it.

        Raises:
            EmulatorError: a core has failed.
        """
        begun, end = time.perf_counter(), self.now + cycles
        try:
            while not until():
                if self.now >= end or not self._advance(SLICES):
                    return until()
            self._settle()
            return True
        finally:
            self.wall += time.perf_counter() - begun

    def _advance(self, slices: int) -> bool:
        """Run some slices of time, and do what cores ask for; returns whether anything can still happen."""
        now, result = run_slices(self._addresses, self.now, slices, SLICE, self._router.arrays())
        self.now = int(now)
        if result == ASKS:
            self._serve()
        return result != ASLEEP

    def _settle(self) -> None:
        """Let programs that are at work finish: a host is never as quick as to interfere within microseconds."""
        for _ in range(SLICES):
            if all(core.asleep or core.halted for core in self._order):
                return
            self._advance(1)

    def _serve(self) -> None:
        """Do what cores ask of the monitor; raise an error for those that have failed."""
        for core in self._order:
            if core.state_record["mailbox"][0]:
                core.serve_mailbox()
        failures = [core.failure for core in self._order if core.halted and core.state != CpuState.EXIT]
        if found := [failure for failure in failures if failure]:
            others = f" ({len(found) - 1} more cores failed.)" if len(found) > 1 else ""
            raise EmulatorError(f"{found[0]}{others}")
