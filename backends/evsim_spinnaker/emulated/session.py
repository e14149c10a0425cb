"""A network on an emulated machine; runs in the child process of ``evsim.worker``, as on any other machine."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from evsim.network import Network
from evsim.recording import Recordings
from evsim_spinnaker.emulated.install import emulated_machine
from evsim_spinnaker.machine import MachineSession
from evsim_spinnaker.scratch import MachineSettings


class EmulatedSession(MachineSession):
    """A network whose firmware is executed in software; see ``evsim.backend.Session``.

    Args:
        settings: those of the machine; their configuration file is in the home of this process.
    """

    LEAST_TICK = 10.0  # ms; a core that has nothing left to do in it costs nothing here
    SHARES_CORES = True

    def __init__(self, network: Network, settings: MachineSettings) -> None:
        super().__init__(network, virtual=False)
        self._installed = ExitStack()
        self._host = self._installed.enter_context(emulated_machine(Path.home(), settings.binding()))

    def recordings(self) -> Recordings:
        """What was recorded since the start, the last reset or the last clear, and what ran."""
        self._notes = (
            f"the firmware was executed in an emulator, not on a chip: {self._host.tally()}; the time that "
            "instructions and memory take, contention and the loss of packets are not modelled",
        )
        return super().recordings()

    def close(self) -> None:
        """Let go of the machine."""
        super().close()
        self._installed.close()
