"""What sPyNNaker is told of the machine, and the folder that it takes for the user's home.

sPyNNaker reads ``~/.spynnaker.cfg`` when a network is set up, and writes one and stops where there is none; so that
nothing is written to the real home, it gets another. Its reports go to the working directory, unless it is told where.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from evsim_spinnaker.spalloc import configuration, lends_boards

Configuration = dict[str, dict[str, str]]  # section -> option -> value

# What an emulated machine does not have: monitors that speed up loading and send again what routers dropped, other
# machines to ask for, and a compressor of routing tables that runs on the machine (the host's gives the same).
_EMULATED: Configuration = {
    "Machine": {
        "virtual_board": "False",
        "machine_name": "emulated",
        "spalloc_server": "None",
        "spalloc_retry": "0",
        "remote_spinnaker_url": "None",
        "enable_advanced_monitor_support": "False",
        "enable_reinjection": "False",
    },
    "Mapping": {"compressor": "PairCompressor"},
    "Java": {"use_java": "False"},
}


@dataclass(frozen=True)
class MachineSettings:
    """Which SpiNNaker machine is used.

    Attributes:
        machine: ``"virtual"``, ``"board"`` or ``"emulated"``.
        address: host name or address of the board, or the address of a server that lends one; empty for the others.
        version: 5 for the board of 48 chips, 3 for that of 4 chips.
        reports: the folder for sPyNNaker's reports; None for the working directory.
        mode: sPyNNaker's word for how much it reports: ``"Production"``, ``"Info"`` or ``"Debug"``.
    """

    machine: str
    address: str = ""
    version: int = 5
    reports: Path | None = None
    mode: str = "Production"

    def binding(self) -> Configuration:
        """The options without which it would be another machine."""
        options: Configuration = {"Machine": {}}
        if self.machine == "virtual":
            options["Machine"] = {"virtual_board": "True"}
        elif self.machine == "board":
            lent = lends_boards(self.address)
            where = configuration(self.address) if lent else {"machine_name": self.address}
            options["Machine"] = {"virtual_board": "False", **where}
        else:
            options = {section: dict(values) for section, values in _EMULATED.items()}
        options["Machine"]["version"] = str(self.version)
        return options

    def configuration(self) -> str:
        """The text of ``.spynnaker.cfg``."""
        options = self.binding()
        options["Mode"] = {"mode": self.mode}
        options["Reports"] = {"write_network_graph": "False", "display_algorithm_timings": "False"}
        if self.mode == "Production":
            options["Reports"]["max_reports_kept"] = "1"
        if self.reports:
            options["Reports"]["default_report_file_path"] = str(self.reports.resolve())
        sections = (
            "\n".join([f"[{section}]", *(f"{option} = {value}" for option, value in values.items())])
            for section, values in options.items()
        )
        return "\n\n".join(sections) + "\n"


def prepare(folder: Path, settings: MachineSettings) -> tuple[Path, Path]:
    """Make a home and a working directory for sPyNNaker within a folder, and return both."""
    home, work = folder / "home", folder / "work"
    home.mkdir()
    work.mkdir()
    (home / ".spynnaker.cfg").write_text(settings.configuration())
    return home, work
