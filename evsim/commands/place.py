"""``evsim place``: where a script's network lies on a chip, what that takes, and what travels between cores."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evsim.chip import Chip, load_chip
from evsim.commands.options import (
    SCRIPT_HELP,
    add_graph_run,
    add_json,
    chosen_target,
    graph_run,
    occasion,
    table,
    tell,
    write_json,
)
from evsim.errors import EvsimError
from evsim.network import Network
from evsim.placing.placed import placed

SIMPLE, METIS = "simple", "metis"


def add(commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "place",
        help="say on which cores of a chip a network lies, what that takes, and how far its spikes travel",
        usage="evsim place SCRIPT --chip CHIP [--activity FILE | --run] [--partition simple|metis] [options] "
        "[-- script arguments]",
        description="Execute a PyNN script up to its first run(), or to its end with --run, and place its network on "
        "the cores of a chip of the families SpiNNaker and Loihi 1: neurons, synapses, memory, axons, keys and routing "
        "entries of each population, core and chip, and spikes times hops. The exit code is 2 if it does not fit.",
    )
    parser.add_argument("script", metavar="SCRIPT", help=SCRIPT_HELP)
    add_graph_run(parser)
    parser.add_argument("--chip", metavar="CHIP", required=True, help="spinnaker1 or loihi1")
    counted = parser.add_mutually_exclusive_group()
    counted.add_argument(
        "--activity",
        metavar="FILE",
        help="the spikes of each population, from `evsim run --activity --json FILE`, shared evenly by its cells",
    )
    counted.add_argument(
        "--run",
        action="store_true",
        help="run the script on the reference, in the chip's arithmetic, and count the spikes of each cell; without "
        "either each cell counts as one spike",
    )
    parser.add_argument(
        "--partition",
        choices=(SIMPLE, METIS),
        default=SIMPLE,
        help="simple (the default) takes cores in the order of the populations, as vendors' tools do; metis puts those "
        "near each other that talk most, and needs the extra `partition`",
    )
    parser.add_argument(
        "--steps", type=int, metavar="N", help="time steps that memory is planned for (default: those of the first run)"
    )
    parser.add_argument("--cores", action="store_true", help="show every core, not only populations and chips")
    parser.add_argument("--png", metavar="FILE", help="draw the cores, their load and what travels")
    parser.add_argument("--html", metavar="FILE", help="write a page with the tables and the picture")
    parser.add_argument("--threads", type=int, metavar="N", help="threads of --run; no result depends on them")
    add_json(parser, "what lies where")
    parser.set_defaults(command=run, time_out=None, board=None)


def run(options: argparse.Namespace, arguments: Sequence[str]) -> None:
    """Place, and print; raises EvsimError, CheckError, ScriptError and ScriptExit."""
    from evsim.results.losses import chip_losses
    from evsim.script import first_run

    chip = _chip(options)
    given = _given(options.activity) if options.activity else None
    started = occasion(options, arguments)
    network, steps = first_run(options.script, arguments, tell=tell, graph_run=graph_run(options))
    chip_losses(network, [chip])
    spikes, ran = None, 0
    if given is not None:
        spikes = _shared(given, network, options.activity)
    elif options.run:
        spikes, ran = _spikes_of_run(options, arguments, chip, network)
    planned = steps if options.steps is None else options.steps
    record = placed(network, chip, spikes, planned, options.partition == METIS)
    record["spikes"] = _words(options, ran)
    if options.json:
        write_json({**started.record(), **record}, options.json)
    if options.json != "-":
        print(f"{options.script} on {chip.name} ({chip.title})")
        _show(record, options.cores)
    _draw(record, options)


# --- what is asked ---------------------------------------------------------------------------------------------------


def _chip(options: argparse.Namespace) -> Chip:
    if options.steps is not None and options.steps < 0:
        raise EvsimError(f"--steps is {options.steps}; it must be at least 0")
    if options.partition == METIS:
        from evsim.placing.partition import require_metis

        require_metis()
    chip = load_chip(options.chip)
    if chip.rules.family not in ("spinnaker", "loihi"):
        raise EvsimError(
            f"{chip.name} computes in {chip.rules.title} and has no cores; use --chip spinnaker1 or loihi1"
        )
    return chip


def _spikes_of_run(
    options: argparse.Namespace, arguments: Sequence[str], chip: Chip, network: Network
) -> tuple[list[NDArray[np.int64] | None], int]:
    """The spikes of each cell when the script is run to its end, and in how many time steps."""
    from evsim.energy.count import joined, measured
    from evsim.script import run_script

    name = f"reference:{chip.name}"
    done = run_script(
        options.script,
        arguments,
        {name: chosen_target(name, options)},
        tell=lambda _: None,  # it has been told already
        record_all_spikes=True,
        counted=(),
        graph_run=graph_run(options),
    )
    (outcome,) = done.outcomes
    activity = joined([activity for _, activity in measured(outcome)])
    found = {(part.label, part.size): part.cell_spikes for part in activity.populations}
    spikes = [found.get((population.label, population.size)) for population in network.populations]
    return spikes, round(activity.duration / network.timestep)


def _given(file: str) -> Mapping[str, int | None]:
    """Population -> spikes, of the last run in a file of ``evsim run --activity --json``."""
    try:
        data = json.loads(Path(file).read_text())
        activity = data["runs"][-1]["activity"]
        return {part["label"]: part["spikes"] for part in activity["populations"]}
    except OSError as error:
        raise EvsimError(f"cannot read {file}: {error.strerror}") from error
    except (ValueError, LookupError, TypeError) as error:
        raise EvsimError(
            f"{file} has no activity; make it with `evsim run SCRIPT --activity --json {file}`, or use --run"
        ) from error


def _shared(given: Mapping[str, int | None], network: Network, file: str) -> list[NDArray[np.int64]]:
    """Spikes of each cell, when all cells of a population have as many, give or take one."""
    found = []
    for population in network.populations:
        spikes = given.get(population.label)
        if spikes is None:
            raise EvsimError(f"{file} does not say how often population {population.label!r} spiked; use --run")
        each, rest = divmod(spikes, max(population.size, 1))
        found.append(each + (np.arange(population.size) < rest).astype(np.int64))
    return found


def _words(options: argparse.Namespace, steps: int) -> str:
    if options.activity:
        return f"those of each population in {options.activity}, shared evenly by its cells"
    if options.run:
        return f"those of each cell in {steps:,} time steps on the reference"
    return "one of each cell (--run or --activity brings those of a run)"


# --- what is said ----------------------------------------------------------------------------------------------------


def _show(record: Mapping[str, Any], every_core: bool) -> None:
    from evsim.placing import tables

    parts = [tables.populations(record), tables.chips(record)]
    for rows in [*parts, tables.cores(record)] if every_core else parts:
        print(f"\n{table(rows)}")
    print("", *tables.sentences(record), sep="\n")


def _draw(record: Mapping[str, Any], options: argparse.Namespace) -> None:
    if not (options.png or options.html):
        return
    from evsim.placing.figure import placement_figure
    from evsim.placing.page import page, png_of

    png = png_of(placement_figure(record))
    for name, content in ((options.png, png), (options.html, page(record, options.script, png).encode())):
        if name:
            try:
                Path(name).write_bytes(content)
            except OSError as error:
                raise EvsimError(f"cannot write {name}: {error.strerror}") from error
