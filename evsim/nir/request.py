"""What a run of a .nir file is asked for."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

METHODS = ("exact", "euler")


@dataclass(frozen=True)
class GraphRun:
    """What a .nir file does not say.

    Attributes:
        timestep: ms; None for that in the file's metadata.
        duration: ms; None for as long as the input.
        input: file with the spikes of the Inputs; None for silence.
        output: file to write the spikes and voltages of the Outputs to; None for none.
        method: one of ``METHODS``; ``evsim.nir.cells`` says what they are.
    """

    timestep: float | None = None
    duration: float | None = None
    input: Path | None = None
    output: Path | None = None
    method: str = METHODS[0]

    def words(self) -> list[str]:
        """As options of the command line, those that are not the defaults."""
        given = [(entry.name, getattr(self, entry.name), entry.default) for entry in fields(self)]
        return [word for name, value, default in given if value != default for word in (f"--{name}", str(value))]
