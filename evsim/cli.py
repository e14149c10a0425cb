"""The command line: ``evsim run``, ``compare``, ``check``, ``energy`` and so on, and what adapters add to it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version

from evsim import registry
from evsim.commands import check, compare, energy, export, listing, place, run
from evsim.commands.options import tell
from evsim.errors import EvsimError

FAILED, REFUSED, INTERRUPTED = 1, 2, 130  # exit codes: a script's own error, evsim's refusal, the user's stop


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    own, arguments = _split(given)
    options = _parser().parse_args(own)
    try:
        options.command(options, arguments)
    except EvsimError as error:
        tell(f"error: {error}")
        return REFUSED
    except KeyboardInterrupt:
        tell("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        return FAILED  # whoever read the output has had enough of it
    except Exception as error:
        return _script_end(error)
    return 0


def _split(given: list[str]) -> tuple[list[str], list[str]]:
    """The command's own words, and those after ``--``, which are the script's."""
    if "--" not in given:
        return given, []
    at = given.index("--")
    return given[:at], given[at + 1 :]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="evsim", description="Run PyNN networks in the exact arithmetic of neuromorphic chips, and compare them."
    )
    parser.add_argument("--version", action="version", version=f"evsim {version('evsim')}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    own = (run.add, compare.add, check.add, place.add, energy.add, export.add, listing.add_models, listing.add_chips)
    for add in (*own, *registry.commands()):
        add(commands)
    return parser


def _script_end(error: Exception) -> int:
    """The exit code of a script that failed by itself; every other exception is a bug and keeps its traceback."""
    from evsim.script import ScriptError, ScriptExit

    if isinstance(error, ScriptError):
        print(error, end="", file=sys.stderr)
        return FAILED
    if isinstance(error, ScriptExit):
        if isinstance(error.code, int):
            return error.code
        print(error.code, file=sys.stderr)
        return FAILED
    raise error
