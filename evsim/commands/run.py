"""``evsim run``: a PyNN script, or a NIR graph, on one target."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from evsim import registry
from evsim.backend import Target
from evsim.chip import chip_names
from evsim.commands.options import add_json, add_script, chosen_target, graph_run, occasion, table, tell, write_json
from evsim.errors import EvsimError, UnknownNameError
from evsim.results.machine import limits_of
from evsim.results.outcome import Outcome
from evsim.results.profile import profile_record, profile_rows, stages_of
from evsim.results.record import run_record


def add(commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "run",
        help="run a PyNN script on one backend",
        usage="evsim run SCRIPT [--on BACKEND[:WORD]] [--chip CHIP] [options] [-- script arguments]",
        description="Run a PyNN script, unchanged, or a NIR graph (.nir), on one target.",
    )
    add_script(parser)
    parser.add_argument(
        "--on",
        metavar="BACKEND[:WORD]",
        default="reference",
        help="reference (the default), lava or spinnaker; WORD is a chip or a machine, as in spinnaker:virtual",
    )
    parser.add_argument("--chip", metavar="CHIP", help="whose arithmetic to compute in; `evsim chips` lists them")
    parser.add_argument(
        "--profile",
        action="store_true",
        help="show where the time goes, stage by stage, and how near that is to what this machine can do",
    )
    parser.add_argument(
        "--activity",
        action="store_true",
        help="count spikes, synaptic operations and updates; records the spikes and membrane potentials of all neurons",
    )
    add_json(parser, "what ran and what it cost")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace, arguments: Sequence[str]) -> None:
    """Run the script; raises EvsimError, ScriptError and ScriptExit."""
    from evsim.energy.count import COUNTED
    from evsim.script import run_script

    target = target_of(options)
    if options.profile:
        target = replace(target, options={**target.options, "profile": True})
    started = occasion(options, arguments)
    done = run_script(
        options.script,
        arguments,
        {str(target): target},
        tell=tell,
        record_all_spikes=options.activity,
        counted=COUNTED if options.activity else None,
        show_progress=sys.stderr.isatty(),
        graph_run=graph_run(options),
    )
    (outcome,) = done.outcomes
    for note in outcome.notes:
        tell(f"{outcome.name}: {note}")
    record = run_record(outcome, done.losses)
    for population, events in record["tallies"].items():
        counts = " and ".join(f"{event} {count} times" for event, count in events.items())
        tell(f"warning: {outcome.name}: numbers of population {population!r} left their range: {counts}")
    tell(summary(outcome, record))
    if options.profile:
        record["profile"] = show_profile(outcome)
    if options.activity:
        record["activity"] = show_activity(outcome)
    if options.json:
        write_json({**started.record(), "runs": [record]}, options.json)


def show_profile(outcome: Outcome) -> list[dict]:
    """Print the table of stages; returns the same as plain data."""
    stages = stages_of(outcome)
    if not stages:
        tell(f"{outcome.name}: there is no profile, for nothing ran or this backend does not measure its stages")
        return []
    limits = limits_of(outcome.networks[-1], outcome.chip)
    print(table(profile_rows(stages, limits)), file=sys.stderr, flush=True)
    return profile_record(stages, limits)


def show_activity(outcome: Outcome) -> dict[str, Any]:
    """Print what the network did; returns the same, and more, as plain data."""
    from evsim.energy.count import measure
    from evsim.energy.record import activity_record, activity_rows

    activity = measure(outcome)
    print(table(activity_rows(activity)), file=sys.stderr, flush=True)
    return activity_record(activity)


def target_of(options: argparse.Namespace) -> Target:
    """The target of ``--on`` and ``--chip``.

    Raises:
        UnknownNameError: there is no such backend or chip.
        EvsimError: the backend computes as another chip.
    """
    on, chip = options.on, options.chip
    if chip is not None and chip not in chip_names():
        raise UnknownNameError("chip", chip, chip_names())
    target = chosen_target(on, options)
    if chip in registry.backend(target.backend).chips() and ":" not in on:
        return replace(target, chip=chip)
    if chip is not None and target.chip != chip:
        raise EvsimError(f"--on {on} computes as {target.chip}, not as {chip}; leave --chip out, or use --on reference")
    return target


def summary(outcome: Outcome, record: dict) -> str:
    """One line on what ran."""
    if not outcome.stretches:
        return f"{outcome.name}: the script ran no network"
    spikes = "" if record["n_spikes"] is None else f", {record['n_spikes']} spikes recorded"
    return (
        f"{outcome.name}: {record['populations']} populations, {record['synapses']} synapses, "
        f"{record['duration']:g} ms{spikes}, in {outcome.seconds:.2f} s"
    )
