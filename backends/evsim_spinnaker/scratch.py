"""The folder that sPyNNaker takes for the user's home, so that nothing is written to the real one.

sPyNNaker reads ``~/.spynnaker.cfg`` when it is imported, and writes one and stops where there is none; its reports go
to the working directory.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_COMMON = """
[Mode]
mode = Production

[Reports]
write_network_graph = False
display_algorithm_timings = False
max_reports_kept = 1
"""


@dataclass(frozen=True)
class MachineSettings:
    """Which SpiNNaker machine is used.

    Attributes:
        machine: ``"virtual"`` or ``"board"``.
        address: host name or address of the board; empty for a virtual one.
        version: 5 for the board of 48 chips, 3 for that of 4 chips.
    """

    machine: str
    address: str = ""
    version: int = 5

    def configuration(self) -> str:
        """The text of ``.spynnaker.cfg``."""
        lines = ["[Machine]", f"version = {self.version}"]
        if self.machine == "virtual":
            lines.append("virtual_board = True")
        else:
            lines += ["virtual_board = False", f"machine_name = {self.address}"]
        return "\n".join(lines) + "\n" + _COMMON


def prepare(folder: Path, settings: MachineSettings) -> tuple[Path, Path]:
    """Make a home and a working directory for sPyNNaker within a folder, and return both."""
    home, work = folder / "home", folder / "work"
    home.mkdir()
    work.mkdir()
    (home / ".spynnaker.cfg").write_text(settings.configuration())
    return home, work
