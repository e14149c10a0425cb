"""``evsim spinnaker``: a sPyNNaker script, unchanged, on a SpiNNaker machine in software."""

from __future__ import annotations

import argparse
import atexit
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from evsim.commands.options import made_folder, tell
from evsim.errors import EvsimError
from evsim_spinnaker.backend import require
from evsim_spinnaker.scratch import MachineSettings, prepare


def add(commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "spinnaker",
        help="run a sPyNNaker script on an emulated SpiNNaker machine",
        usage="evsim spinnaker SCRIPT [ARGUMENT ...] [--reports DIR] [--time-out SECONDS] [-- script arguments]",
        description="Run a script that imports pyNN.spiNNaker, unchanged, with sPyNNaker's own tools and firmware, "
        "on a SpiNNaker machine in software. No board is needed, and nothing is written to the home folder.",
    )
    parser.add_argument("script", metavar="SCRIPT", help="a sPyNNaker script")
    parser.add_argument(
        "arguments", metavar="ARGUMENT", nargs="*", help="the script's own; those with a dash follow --"
    )
    parser.add_argument("--reports", metavar="DIR", help="keep sPyNNaker's reports in DIR")
    parser.add_argument(
        "--time-out",
        "--timeout",
        type=float,
        metavar="SECONDS",
        help="how long any one wait for the machine may take; by default it depends on the network and the run",
    )
    parser.set_defaults(command=run)


def run(options: argparse.Namespace, arguments: Sequence[str]) -> None:
    """Run the script; raises EvsimError, ScriptError and ScriptExit."""
    from evsim.script import execute

    script = Path(options.script)
    if not script.is_file():
        raise EvsimError(f"there is no script {options.script!r}")
    if options.time_out is not None and not options.time_out > 0:
        raise EvsimError(f"--time-out is {options.time_out:g} s; it must be above 0")
    reports = made_folder(options.reports) if options.reports else None
    require(MachineSettings("emulated"))
    scratch = _scratch()

    from evsim_spinnaker.emulated.install import emulated_machine

    started = time.perf_counter()
    settings = MachineSettings("emulated", reports=reports or scratch, mode="Info" if reports else "Production")
    home, _ = prepare(scratch, settings)
    with emulated_machine(home, settings.binding(), options.time_out) as host:
        try:
            with _as_main_program(script, [*options.arguments, *arguments]):
                execute(script)
        finally:
            tell(f"emulated machine: {host.tally()}, in {time.perf_counter() - started:.2f} s")


def _scratch() -> Path:
    """A folder that lasts until Python ends, for sPyNNaker writes into it even then; made before that is imported."""
    folder = tempfile.TemporaryDirectory(prefix="evsim-spinnaker-", ignore_cleanup_errors=True)
    atexit.register(folder.cleanup)  # what is registered first is done last
    return Path(folder.name)


@contextmanager
def _as_main_program(script: Path, arguments: Sequence[str]) -> Iterator[None]:
    """What a script finds when it is started by ``python script.py arguments``."""
    before = sys.argv, sys.path
    sys.argv, sys.path = [str(script), *arguments], [str(script.resolve().parent), *sys.path]
    try:
        yield
    finally:
        sys.argv, sys.path = before
