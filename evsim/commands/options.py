"""What the commands have in common: targets, scripts, messages and JSON files."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from evsim import registry
from evsim.backend import Target
from evsim.errors import EvsimError
from evsim.nir.request import METHODS, GraphRun
from evsim.results.record import Occasion

SCRIPT_HELP = "a PyNN script, whose own arguments follow after --; or a NIR graph (.nir)"


def add_json(parser: argparse.ArgumentParser, what: str) -> None:
    """The option ``--json FILE``."""
    parser.add_argument("--json", metavar="FILE", help=f"write {what} to FILE as JSON; - writes to standard output")


def add_script(parser: argparse.ArgumentParser) -> None:
    """The positional SCRIPT, and the options of backends."""
    parser.add_argument("script", metavar="SCRIPT", help=SCRIPT_HELP)
    add_graph_run(parser)
    parser.add_argument(
        "--time-out",
        "--timeout",
        type=float,
        metavar="SECONDS",
        help="how long a backend that runs in other processes may take for one request",
    )
    parser.add_argument("--threads", type=int, metavar="N", help="threads of the reference; no result depends on them")
    parser.add_argument("--board", metavar="ADDRESS", help="the board of spinnaker:board, or who lends it")


def add_graph_run(parser: argparse.ArgumentParser) -> None:
    """What a .nir file in the place of a script does not say."""
    group = parser.add_argument_group("for a .nir file")
    group.add_argument(
        "--input",
        type=Path,
        metavar="FILE",
        help="the spikes of its Inputs: a .npy file with the number of spikes, (time steps, *channels), or a .npz file "
        "with such an array for each Input, under its name",
    )
    group.add_argument("--timestep", type=float, metavar="MS", help="the time step; that of the export, if it says one")
    group.add_argument("--duration", type=float, metavar="MS", help="how long to run (default: as long as the input)")
    group.add_argument(
        "--method",
        choices=METHODS,
        default=METHODS[0],
        help="exact (the default) obeys the differential equations; euler makes the forward Euler step of frameworks "
        "such as snnTorch and norse",
    )
    group.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="write the spikes and voltages of its Outputs, (time steps, neurons) each, to FILE (.npz)",
    )


def graph_run(given: argparse.Namespace) -> GraphRun:
    """The options of ``add_graph_run``."""
    return GraphRun(given.timestep, given.duration, given.input, given.output, given.method)


def chosen_target(text: str, given: argparse.Namespace) -> Target:
    """``BACKEND[:WORD]`` with the options given beside it; raises EvsimError for one that there is not."""
    target = registry.parse_target(text)
    if given.time_out is not None and not given.time_out > 0:
        raise EvsimError(f"--time-out is {given.time_out:g} s; it must be above 0")
    refuse_threads(given.threads)
    threads = given.threads if target.backend == "reference" else None
    beside = {"timeout": given.time_out, "board": given.board, "threads": threads}
    return replace(target, options={**target.options, **{key: v for key, v in beside.items() if v is not None}})


def refuse_threads(threads: int | None) -> None:
    """Refuse a number of threads that cannot be; raises EvsimError."""
    if threads is not None and threads < 1:
        raise EvsimError(f"--threads is {threads}; it must be at least 1")


def chosen_targets(texts: Sequence[str], given: argparse.Namespace) -> dict[str, Target]:
    """Each target by what the user calls it; one that is there twice gets a number."""
    found: dict[str, Target] = {}
    for text in texts:
        name, number = text, 1
        while name in found:
            number += 1
            name = f"{text} ({number})"
        found[name] = chosen_target(text, given)
    return found


def occasion(given: argparse.Namespace, arguments: Sequence[str]) -> Occasion:
    """What is being run, now: the script or graph, what is said of a graph, and the script's own arguments."""
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    return Occasion(given.script, (*graph_run(given).words(), *arguments), now, version("evsim"))


def tell(sentence: str) -> None:
    """A message for the user, beside the output of the script."""
    print(f"evsim: {sentence}", file=sys.stderr, flush=True)


def made_folder(name: str) -> Path:
    """Make the report's folder before anything is run."""
    folder = Path(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EvsimError(f"cannot write the report to {folder}: {error.strerror}") from error
    return folder


def write_json(data: Mapping[str, Any], *files: Path | str | None) -> dict[str, Any]:
    """Write plain data, and return it as it is written: with None for every number that is not finite.

    Args:
        files: ``-`` is standard output; None and an empty name are no file.
    """
    plain = finite(data)
    text = json.dumps(plain, indent=2, allow_nan=False) + "\n"
    for file in filter(None, files):
        _write_text(text, file)
    return plain


def _write_text(text: str, file: Path | str) -> None:
    if str(file) == "-":
        sys.stdout.write(text)
        return
    try:
        Path(file).write_text(text)
    except OSError as error:
        raise EvsimError(f"cannot write {file}: {error.strerror}") from error


def finite(data: Any) -> Any:
    """Plain data with None in the place of every number that JSON does not have."""
    if isinstance(data, Mapping):
        return {key: finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of text as aligned columns; the first row is the heading."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])
