"""``evsim compare``: a PyNN script, or a NIR graph, on several targets, and how far they agree."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from evsim.commands.options import (
    add_json,
    add_script,
    chosen_targets,
    graph_run,
    made_folder,
    occasion,
    tell,
    write_json,
)
from evsim.errors import EvsimError
from evsim.results.compare import compare
from evsim.results.pair import PairResult
from evsim.results.record import comparison

DEFAULT_FOLDER = "evsim-report"


def add(commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "compare",
        help="run a PyNN script on several backends and compare them",
        usage="evsim compare SCRIPT --on BACKEND[:WORD] BACKEND[:WORD] ... [options] [-- script arguments]",
        description="Run a PyNN script, unchanged, or a NIR graph (.nir), on several targets, and report how far they "
        "agree.",
    )
    add_script(parser)
    parser.add_argument(
        "--on",
        metavar="BACKEND[:WORD]",
        nargs="+",
        action="extend",
        required=True,
        help="two or more of reference:CHIP, lava, spinnaker:MACHINE; the first is what the others are held against",
    )
    parser.add_argument(
        "--report", metavar="DIR", default=DEFAULT_FOLDER, help=f"the folder to write (default: {DEFAULT_FOLDER})"
    )
    add_json(parser, "the comparison")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace, arguments: Sequence[str]) -> None:
    """Run the script once on all targets and write the report; raises EvsimError, ScriptError and ScriptExit."""
    from evsim.script import run_script

    targets = chosen_targets(options.on, options)
    if len(targets) < 2:
        raise EvsimError("compare needs at least two targets after --on, e.g. --on reference:ideal reference:loihi2")
    folder = made_folder(options.report)
    progress = sys.stderr.isatty()
    started = occasion(options, arguments)
    done = run_script(
        options.script,
        arguments,
        targets,
        tell=tell,
        record_all_spikes=True,
        show_progress=progress,
        graph_run=graph_run(options),
    )
    if not any(outcome.stretches for outcome in done.outcomes):
        raise EvsimError(f"{options.script} ran no network; it must call run() for there to be something to compare")
    pairs = compare(done.outcomes)
    data = write_json(comparison(started, done.outcomes, pairs, done.losses), folder / "compare.json", options.json)

    from evsim.results.report import write_report

    page = write_report(folder, data, done.outcomes, show_progress=progress)
    for pair in pairs:
        print(sentence(pair))
    print(f"report: {page}")


def sentence(pair: PairResult) -> str:
    """How two targets agree, in one line."""
    both = f"{pair.a} and {pair.b}"
    if pair.spikes_equal is None:
        return f"{both}: not compared ({'; '.join(pair.notes)})"
    dv = "" if pair.voltage is None else f", largest |dv| {pair.voltage.largest:.3g} mV"
    if pair.spikes_equal:
        bits = ""
        if pair.raw is not None and pair.raw.different == 0:
            bits = f", all {pair.raw.samples} recorded integers equal"
        return f"{both}: every spike equal ({pair.n_spikes[0]}){bits}{_weights(pair)}{dv}"
    first = pair.first_difference
    assert first is not None, "spikes that are not equal differ first somewhere"
    return (
        f"{both}: {pair.n_spikes[0]} and {pair.n_spikes[1]} spikes, the first difference at {first.time:g} ms "
        f"in neuron {first.neuron} of {first.population!r}{_weights(pair)}{dv}"
    )


def _weights(pair: PairResult) -> str:
    if (weights := pair.weights) is None:
        return ""
    if not weights.different:
        return f", all {weights.synapses} learned weights equal"
    return f", {weights.different} of {weights.synapses} learned weights differ, by at most {weights.largest:.3g}"
