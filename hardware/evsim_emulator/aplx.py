"""Reading .aplx files: a table of what to copy, to fill and to start (``sark.h``, APLX definitions)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from evsim_emulator.memory import EmulatorError

_RCOPY, _FILL, _EXEC = 2, 3, 4
_ENTRY = struct.Struct("<4I")


@dataclass(frozen=True)
class Program:
    """A binary: its file, pieces of memory (address, bytes), and where it starts."""

    path: Path
    pieces: tuple[tuple[int, bytes], ...]
    entry: int


def read_program(path: Path) -> Program:
    """Read a binary; raises EmulatorError for a file that is none."""
    image, pieces = path.read_bytes(), []
    for offset in range(0, len(image) - _ENTRY.size + 1, _ENTRY.size):
        kind, first, second, third = _ENTRY.unpack_from(image, offset)
        if kind == _RCOPY and offset + second + third <= len(image):
            pieces.append((first, image[offset + second : offset + second + third]))
        elif kind == _FILL:
            pieces.append((first, struct.pack("<I", third) * (second // 4)))
        elif kind == _EXEC:
            return Program(path, tuple(pieces), first)
        else:
            break
    raise EmulatorError(f"{path} is not a SpiNNaker binary: there is no entry that starts it. Give an .aplx file.")
