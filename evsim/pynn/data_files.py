"""Files of recorded data."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from pyNN.recording import get_io

from evsim.errors import MissingPartError
from evsim.pynn import simulator

PACKAGES = {".nix": "nixio", ".h5": "nixio", ".nwb": "pynwb"}  # that Neo needs for files of a name's ending


def writer(file: Any) -> Any:
    """What writes recorded data to a file: a Neo IO, which is made from a name by its ending.

    Raises:
        MissingPartError: Neo needs a package for this format that is not installed.
        IOError: PyNN and Neo have no format of this ending, or only one of text, which cannot hold the data.
    """
    if not isinstance(file, str):
        return file
    try:
        return get_io(file)
    except ImportError as error:
        package = next((name for ending, name in PACKAGES.items() if file.endswith(ending)), "a package of Neo's")
        raise MissingPartError(f"{package}, by which Neo writes {file!r},", "files", str(error)) from error


def with_start(io: Any, annotations: dict | None) -> dict | None:
    """The annotations of recorded data with what Neo cannot write a file of NWB without: when the session began."""
    if type(io).__name__ != "NWBIO":
        return annotations
    return {"session_start_time": datetime.now(timezone.utc), **(annotations or {})}


def write_at_end(cells: Any, variables: Any, to_file: Any) -> None:
    """Have ``end()`` write what is recorded of cells to a file: a name or a Neo IO; anything else asks for nothing."""
    if isinstance(to_file, str) or hasattr(to_file, "write_block"):
        simulator.state.write_on_end.append((cells, variables, to_file))
