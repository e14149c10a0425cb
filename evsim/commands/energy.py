"""``evsim energy``: what a PyNN script's network does, and what that costs on chips."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from typing import Any

from evsim.backend import Target
from evsim.chip import Chip, Hardware, hardware_names, load_hardware
from evsim.commands import energy_ann
from evsim.commands.options import (
    SCRIPT_HELP,
    add_graph_run,
    add_json,
    chosen_target,
    graph_run,
    made_folder,
    occasion,
    tell,
    write_json,
)
from evsim.energy.cost import energy, has_costs, summed
from evsim.energy.parts import Energy
from evsim.errors import CheckError, EvsimError
from evsim.results.outcome import Outcome

DEFAULT_FOLDER = "evsim-energy"


def add(commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "energy",
        help="count what a PyNN script's network does, and say what that costs on chips",
        usage="evsim energy [SCRIPT] [--ann [FILE]] [--chip CHIP ...] [options] [-- script arguments]",
        description="Run a PyNN script, unchanged, or a NIR graph (.nir), on the reference; count spikes, synaptic "
        "events and updates; and price them with every number that a source gives for each chip.",
    )
    parser.add_argument("script", metavar="SCRIPT", nargs="?", help=SCRIPT_HELP)
    add_graph_run(parser)
    parser.add_argument(
        "--chip",
        metavar="CHIP",
        nargs="+",
        action="extend",
        help="chips and other hardware, as `evsim chips` lists them; by default all whose costs are known",
    )
    parser.add_argument(
        "--membrane",
        action="store_true",
        help="record every membrane potential, so that it is known which updates were active; takes memory",
    )
    parser.add_argument(
        "--slowdown",
        type=float,
        default=1.0,
        metavar="FACTOR",
        help="how long the chip is on, as a multiple of the network's time; 1, the default, is real time",
    )
    parser.add_argument(
        "--boards",
        type=int,
        default=0,
        metavar="N",
        help="whole boards of 48 chips of SpiNNaker that are on; by default only chips that the network needs",
    )
    parser.add_argument("--threads", type=int, metavar="N", help="threads of the reference; no result depends on them")
    parser.add_argument(
        "--report", metavar="DIR", default=DEFAULT_FOLDER, help=f"the folder to write (default: {DEFAULT_FOLDER})"
    )
    energy_ann.add_options(parser)
    add_json(parser, "counts and energies")
    parser.set_defaults(command=run, time_out=None, board=None)


def run(options: argparse.Namespace, arguments: Sequence[str]) -> None:
    """Run the script once, count, and write the report; raises EvsimError, ScriptError and ScriptExit."""
    if not options.script:
        if options.ann is None:
            raise EvsimError("energy needs a SCRIPT, or --ann to compare an ANN with spiking networks made of it")
        energy_ann.run(options, arguments)
        return
    if options.ann is not None:
        energy_ann.refuse_beside(options)
    _run_script(options, arguments)


def _run_script(options: argparse.Namespace, arguments: Sequence[str]) -> None:
    from evsim.energy.count import COUNTED
    from evsim.script import run_script

    _refuse_numbers(options)
    asked = _asked(options.chip)
    folder = made_folder(options.report)
    refused: list[str] = []
    if not options.chip:
        asked, refused = _fitting(asked, options, arguments)
    started = occasion(options, arguments)
    done = run_script(
        options.script,
        arguments,
        _targets(asked, options),
        tell=tell,
        record_all_spikes=True,
        counted=COUNTED if options.membrane else (),
        show_progress=sys.stderr.isatty(),
        graph_run=graph_run(options),
    )
    if not any(outcome.stretches for outcome in done.outcomes):
        raise EvsimError(f"{options.script} ran no network; it must call run() for there to be something to count")
    from evsim.energy.report import DATA, write_energy

    found = {"options": _words(options), "refused": refused, **_priced(asked, done.outcomes, options)}
    data = write_json({**started.record(), **found}, folder / DATA, options.json)
    page = write_energy(folder, data)
    if options.json != "-":
        for line in (*_lines(data), *refused, f"report: {page}"):
            print(line)
    if options.ann is not None:
        energy_ann.beside(options, data, folder)


# --- what to price ---------------------------------------------------------------------------------------------------


def _refuse_numbers(options: argparse.Namespace) -> None:
    if not (math.isfinite(options.slowdown) and options.slowdown > 0):
        raise EvsimError(f"--slowdown is {options.slowdown:g}; it must be a number above 0, and 1 is real time")
    if options.boards < 0:
        raise EvsimError(f"--boards is {options.boards}; it must be at least 0")


def _asked(names: Sequence[str] | None) -> list[Hardware]:
    """The hardware asked for, each once, or all with costs; raises EvsimError for one without any."""
    found = [load_hardware(name) for name in dict.fromkeys(names or hardware_names())]
    if not names:
        return [hardware for hardware in found if has_costs(hardware)]
    known = ", ".join(name for name in hardware_names() if has_costs(load_hardware(name)))
    for hardware in found:
        if not has_costs(hardware):
            raise EvsimError(
                f"no source says what anything costs on {hardware.name} ({hardware.title}), so its energy is unknown; "
                f"leave it out (costs are known of: {known})"
            )
    return found


def _fitting(
    asked: Sequence[Hardware], options: argparse.Namespace, arguments: Sequence[str]
) -> tuple[list[Hardware], list[str]]:
    """The hardware that can run the script's first network, and sentences on the rest."""
    from evsim.deploy.loihi_cores import plan_cores
    from evsim.results.losses import chip_losses
    from evsim.script import first_network

    network = first_network(options.script, arguments, tell=lambda _: None, graph_run=graph_run(options))
    fitting, refused = [], []
    for hardware in asked:
        try:
            if isinstance(hardware, Chip):
                chip_losses(network, [hardware])
                if hardware.rules.family == "loihi" and (problems := plan_cores(network, hardware).problems):
                    raise CheckError(f"this network has no place on the cores of {hardware.name}", problems)
            fitting.append(hardware)
        except CheckError as error:
            first = error.problems[0]
            more = f" (and {len(error.problems) - 1} more)" if len(error.problems) > 1 else ""
            refused.append(f"{hardware.name}: left out, for the network does not fit: {first}{more}")
    return fitting, refused


def _target_name(hardware: Hardware) -> str:
    """The arithmetic that counts for a piece of hardware: its own where evsim has it."""
    return f"reference:{hardware.name if isinstance(hardware, Chip) else 'ideal'}"


def _targets(asked: Sequence[Hardware], options: argparse.Namespace) -> dict[str, Target]:
    names = dict.fromkeys(_target_name(hardware) for hardware in asked)
    return {name: chosen_target(name, options) for name in names}


# --- pricing ---------------------------------------------------------------------------------------------------------


def _priced(asked: Sequence[Hardware], outcomes: Sequence[Outcome], options: argparse.Namespace) -> dict[str, Any]:
    from evsim.energy.count import joined, measured
    from evsim.energy.fans import Fans
    from evsim.energy.record import counts_record, energy_record

    fans = Fans()
    found = {outcome.name: measured(outcome, fans) for outcome in outcomes}
    whole = {name: joined([activity for _, activity in parts]) for name, parts in found.items()}
    energies = []
    for hardware in asked:
        name = _target_name(hardware)
        priced = _energy(hardware, found[name], options)
        note = [] if isinstance(hardware, Chip) else [f"it spikes as on {name}, for evsim has no rules of it"]
        if options.slowdown != 1.0:
            note.append(f"it is on for {options.slowdown:g} times the network's time")
        else:
            note.append("it is on for the network's own time (--slowdown changes that)")
        if whole[name].active is None and "inactive_neuron_update" in hardware.energy:
            note.append("each update may have been active or not (--membrane records which)")
        record = energy_record(priced, name, whole[name].events)
        energies.append({**record, "counted_note": note})
    runs = [counts_record(outcome, whole[outcome.name]) for outcome in outcomes]
    lying = [record for hardware in asked if (record := _placed(hardware, found[_target_name(hardware)]))]
    return {
        "slowdown": options.slowdown,
        "boards": options.boards,
        "runs": runs,
        "energies": energies,
        "placements": lying,
    }


def _placed(hardware: Hardware, found: Sequence[tuple]) -> dict[str, Any] | None:
    """Where the network that ran last lies; None on hardware without cores, or where its tools would refuse it."""
    from evsim.placing.placed import has_places, placed

    if not (isinstance(hardware, Chip) and has_places(hardware)):
        return None
    network, activity = found[-1]
    spikes = [part.cell_spikes for part in activity.populations[: len(network.populations)]]
    steps = round(activity.duration / network.timestep)
    try:
        record = placed(network, hardware, None if any(each is None for each in spikes) else spikes, steps)
    except CheckError:
        return None
    return {**record, "spikes": f"those of each cell in {steps:,} time steps, which were recorded of all neurons"}


def _energy(hardware: Hardware, found: Sequence[tuple], options: argparse.Namespace) -> Energy:
    from evsim.energy.placement import place

    return summed(
        [
            energy(
                activity,
                hardware,
                place(network, activity, hardware, options.boards),
                options.slowdown * activity.duration / 1000.0,
            )
            for network, activity in found
        ]
    )


# --- telling ---------------------------------------------------------------------------------------------------------


def _words(options: argparse.Namespace) -> str:
    """The options that change a result, as they are typed."""
    words = " --membrane" if options.membrane else ""
    words += f" --slowdown {options.slowdown:g}" if options.slowdown != 1.0 else ""
    return words + (f" --boards {options.boards}" if options.boards else "")


def _lines(data: dict[str, Any]) -> list[str]:
    """One line for each account."""
    from evsim.energy.record import is_timed, with_prefix

    lines = []
    for record in data["energies"]:
        for account in record["accounts"]:
            line = f"{record['hardware']}, {account['name']}: {with_prefix(account['joules'])}"
            if is_timed(account):
                line += f" in {record['seconds']:g} s, of which {with_prefix(account['dynamic'])} not idle"
            if account["unknown"]:
                line += f"; unknown: {', '.join(account['unknown'])}"
            lines.append(line)
    return lines
