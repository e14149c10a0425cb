"""The host's side of an emulated machine: how long it waits, and what has run in all."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from evsim.errors import BackendError
from evsim_emulator import Core, Machine
from evsim_spinnaker.patience import EMULATED_PER_CORE, RUN_TIMEOUT

CORE_CLOCK = 200_000_000  # cycles in a second; what sPyNNaker's machines run at
LONGEST_WAIT = 600.0  # s of the machine's time, where sPyNNaker itself would wait for ever


@dataclass(frozen=True)
class Tally:
    """What ran on the machines of one process.

    Attributes:
        cores, chips: that had a binary, on the machine where they were most.
        packets, dropped: multicast packets sent, and those that no route took on.
        emulated_ms: of the machines' time.
    """

    cores: int = 0
    chips: int = 0
    packets: int = 0
    dropped: int = 0
    emulated_ms: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.cores} core{'s' * (self.cores != 1)} on {self.chips} chip{'s' * (self.chips != 1)}, "
            f"{self.packets} packets, {self.dropped} dropped, {self.emulated_ms:.0f} ms emulated"
        )


class Host:
    """Runs a machine for its user; sPyNNaker has one after the other, since each hard reset makes a new one.

    Args:
        time_out: s of real time that a wait may take; None allows for the number of cores and the time asked for.
    """

    def __init__(self, time_out: float | None = None) -> None:
        self._time_out = time_out
        self._machine: Machine | None = None
        self._used: set[tuple[int, int, int]] = set()
        self._cycles = 0
        self._past = Tally()

    @property
    def machine(self) -> Machine:
        """The present machine; raises BackendError before there is one."""
        if self._machine is None:
            raise BackendError("the emulated SpiNNaker machine was asked for something before its size was known")
        return self._machine

    def start(self, width: int, height: int) -> None:
        """Put a fresh machine of that many chips in the place of the one before."""
        self._past = self.tally()
        self._machine = Machine(width, height)
        self._used, self._cycles = set(), 0

    def load(self, x: int, y: int, p: int, binary: str, app_id: int, wait: bool) -> None:
        """Load a binary; it runs when next something is waited for."""
        self.machine.load(x, y, p, binary, app_id, wait)
        self._used.add((x, y, p))

    def core(self, x: int, y: int, p: int) -> Core:
        """A core that was loaded; raises BackendError."""
        try:
            return self.machine.cores[x, y, p]
        except KeyError:
            raise BackendError(f"nothing was loaded on core {x}, {y}, {p} of the emulated SpiNNaker machine") from None

    def run(self, until: Callable[[], bool], seconds: float = LONGEST_WAIT) -> bool:
        """Let the machine run until something is true, but no longer than a time (s, the machine's own).

        Returns:
            Whether it came true.

        Raises:
            BackendError: it took too much real time.
            EmulatorError: a core failed.
        """
        limit = self._time_out or RUN_TIMEOUT + EMULATED_PER_CORE * seconds * len(self.machine.cores)
        deadline = time.monotonic() + limit

        def reached() -> bool:
            if time.monotonic() > deadline:
                raise BackendError(
                    f"the emulated SpiNNaker machine did not get there within {limit:g} s of real time "
                    f"(states: {self._standing()}); give more with --time-out"
                )
            return until()

        try:
            return reached() or self.machine.run(reached, int(seconds * CORE_CLOCK))
        finally:
            self._note_cycles()

    def sleep(self, seconds: float) -> None:
        """What ``time.sleep`` is to the host of a board: the machine goes on meanwhile; nobody waits for real time."""
        if self._machine is not None:
            self.run(lambda: False, seconds)

    def tally(self) -> Tally:
        """What has run up to now, on all machines."""
        past = self._past
        if self._machine is None:
            return past
        counters = self._machine.counters
        return Tally(
            max(past.cores, len(self._used)),
            max(past.chips, len({(x, y) for x, y, _ in self._used})),
            past.packets + counters.packets,
            past.dropped + counters.dropped,
            past.emulated_ms + 1000.0 * self._cycles / CORE_CLOCK,
        )

    def _note_cycles(self) -> None:
        self._cycles = max(self._cycles, *(core.cycles for core in self.machine.cores.values()), 0)

    def _standing(self) -> str:
        """In how many cores each state is found."""
        states = [core.state.name for core in self.machine.cores.values()]
        return ", ".join(f"{name} in {states.count(name)} cores" for name in sorted(set(states)))
