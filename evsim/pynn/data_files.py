"""Files of recorded data."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from neo import Block, io
from pyNN.recording import get_io

from evsim.errors import MissingPartError
from evsim.pynn import simulator

PACKAGES = {".nix": "nixio", ".h5": "nixio", ".nwb": "pynwb"}  # that Neo needs for files of a name's ending


def writer(file: Any, part: str = "") -> Any:
    """What writes recorded data to a file: a Neo IO, which is made from a name by its ending.

    Args:
        part: is put behind the name; Neo may open a file as soon as it knows its name.

    Raises:
        MissingPartError: Neo needs a package for this format that is not installed.
        IOError: PyNN and Neo have no format of this ending, or only one of text, which cannot hold the data.
    """
    if not isinstance(file, str):
        if part:
            file.filename += part
        return file
    try:
        if part and file.endswith((".nix", ".h5")):
            return io.NixIO(filename=file + part)
        if part and file.endswith(".nwb"):
            return io.NWBIO(filename=file + part, mode="w")
        found = get_io(file)
        found.filename += part
        return found
    except ImportError as error:
        package = next((name for ending, name in PACKAGES.items() if file.endswith(ending)), "a package of Neo's")
        raise MissingPartError(f"{package}, by which Neo writes {file!r},", "files", str(error)) from error


def with_start(io: Any, annotations: dict | None) -> dict | None:
    """The annotations of recorded data with what Neo cannot write a file of NWB without: when the session began."""
    if type(io).__name__ != "NWBIO":
        return annotations
    return {"session_start_time": datetime.now(timezone.utc), **(annotations or {})}


def write_once(file: Any, gather: Any, data: Callable[[Any], Block]) -> None:
    """Write recorded data to one file where it is gathered, from process 0; else each process its own to its own file.

    Args:
        file: a name or a Neo IO; a process that writes a part puts a dot and its rank behind the name, as PyNN does.
        data: gives the data for a Neo IO, or for None where it is not written; all processes must ask for it.
    """
    state = simulator.state
    if gather and state.mpi_rank:
        data(None)
        return
    to = writer(file, f".{state.mpi_rank}" if not gather and state.num_processes > 1 else "")
    to.write_block(data(to))


def write_at_end(cells: Any, variables: Any, to_file: Any) -> None:
    """Have ``end()`` write what is recorded of cells to a file: a name or a Neo IO; anything else asks for nothing."""
    if isinstance(to_file, str) or hasattr(to_file, "write_block"):
        simulator.state.write_on_end.append((cells, variables, to_file))
