"""Running a user's PyNN script, unchanged, or a NIR graph in its place, on targets that were chosen outside it."""

from __future__ import annotations

import os
import runpy
import sys
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyNN.utility
import pyNN.utility.script_tools

from evsim import registry
from evsim.backend import Target
from evsim.conducting import FirstRun, Interceptor, MeasuringConductor, StepsInterceptor, chip_of
from evsim.errors import EvsimError
from evsim.network import Network
from evsim.nir.package import SUFFIX
from evsim.nir.request import GraphRun
from evsim.pynn.sessions import Conductor
from evsim.pynn.simulator import DEFAULT_TARGET, state
from evsim.redirect import redirected
from evsim.results.losses import ChipLosses
from evsim.results.outcome import Outcome

SIMULATOR = "evsim"  # the name that a script which asks for one is given


class ScriptError(Exception):
    """A script that ended by an exception of its own; ``str()`` of this is the traceback from the script on."""


class ScriptExit(Exception):  # noqa: N818 - an exit with a status, which need not be an error
    """A script that called ``sys.exit`` with something other than success."""

    def __init__(self, code: int | str) -> None:
        self.code = code
        super().__init__(f"the script ended with exit status {code!r}")


@dataclass(eq=False)
class Execution:
    """What a script did.

    Attributes:
        outcomes: in the order of the targets.
        losses: on each chip that computes in integers, of the network that loses the most weights; the first of equals.
    """

    outcomes: list[Outcome]
    losses: list[ChipLosses] = field(default_factory=list)


def run_script(
    path: Path | str,
    arguments: Sequence[str],
    targets: Mapping[str, Target],
    *,
    tell: Callable[[str], None],
    record_all_spikes: bool = False,
    counted: Collection[str] | None = None,
    show_progress: bool = False,
    graph_run: GraphRun | None = None,
) -> Execution:
    """Execute a script once, with every network that it runs run on all targets.

    Args:
        targets: name -> target; the script sees the data of the first.
        arguments: the script's own; a script that calls ``get_simulator`` is given the simulator's name as well.
        tell: called with each sentence for the user: what was redirected, what quantisation loses.
        record_all_spikes: record the spikes of every population of neurons, asked for or not.
        counted: variables of all neurons to record in every time step, asked for or not, so that what the network did
            can be counted; what was recorded is then told apart at each change of the network.
        graph_run: what the script does not say if it is a .nir file.

    Raises:
        EvsimError: the script cannot be read, or its network cannot be run.
        ScriptError: the script raised another exception.
        ScriptExit: the script ended itself with a failure.
    """
    path = _script(path)
    conductor = MeasuringConductor(targets, tell, show_progress, cuts_at_changes=counted is not None)
    state.choose(list(targets.values()))
    state.record_all_for_compare = record_all_spikes
    state.counted = frozenset(counted or ())
    state.conductor = conductor
    try:
        with _as_main_program(path, arguments), redirected(tell):
            execute(path, graph_run)
        harvests = state.harvest()
    finally:
        state.release()
    return Execution(
        [
            Outcome(name, target, chip_of(target), found.runs, versions_of(target), seconds, found.session_notes)
            for (name, target), seconds, found in zip(targets.items(), conductor.seconds, harvests, strict=True)
        ],
        conductor.losses,
    )


def first_network(
    path: Path | str, arguments: Sequence[str], *, tell: Callable[[str], None], graph_run: GraphRun | None = None
) -> Network:
    """The network that a script or a .nir file runs first, as it is then; nothing is run, and the script ends there.

    Raises:
        EvsimError: the script cannot be read, or it runs no network.
        ScriptError, ScriptExit: as ``run_script``.
    """
    if _script(path).suffix == SUFFIX:
        graph_run = replace(graph_run or GraphRun(), duration=1.0)  # a graph has no end, and needs none here
    return _until_first_run(path, arguments, Interceptor(), tell, graph_run).network


def first_run(
    path: Path | str, arguments: Sequence[str], *, tell: Callable[[str], None], graph_run: GraphRun | None = None
) -> tuple[Network, int]:
    """The network that a script or a .nir file runs first, and for how many time steps; raises as ``first_network``."""
    if _script(path).suffix == SUFFIX and (graph_run is None or graph_run.duration is None):
        graph_run = replace(graph_run or GraphRun(), duration=1.0)
    reached = _until_first_run(path, arguments, StepsInterceptor(), tell, graph_run)
    return reached.network, reached.steps


def _until_first_run(
    path: Path | str,
    arguments: Sequence[str],
    conductor: Conductor,
    tell: Callable[[str], None],
    graph_run: GraphRun | None,
) -> FirstRun:
    path = _script(path)
    state.choose([DEFAULT_TARGET])
    state.conductor = conductor
    try:
        with _as_main_program(path, arguments), redirected(tell):
            execute(path, graph_run)
    except FirstRun as reached:
        return reached
    finally:
        state.release()
    raise EvsimError(f"{path} ran no network; it must call run() for there to be a network to look at")


def _script(path: Path | str) -> Path:
    path = Path(path)
    if not path.is_file():
        raise EvsimError(f"there is no script {str(path)!r}")
    return path


def versions_of(target: Target) -> dict[str, str]:
    """Package -> version, of what computes on a target."""
    return dict(registry.backend(target.backend).versions())


# --- executing -------------------------------------------------------------------------------------------------------


def execute(path: Path, graph_run: GraphRun | None = None) -> None:
    """Execute a script in this process as the main program; raises EvsimError, ScriptError and ScriptExit."""
    if path.suffix == SUFFIX:
        from evsim.nir.run import run_graph  # loads scipy, which scripts may do without

        run_graph(path, graph_run or GraphRun())
        return
    if graph_run not in (None, GraphRun()):
        raise EvsimError(f"{path} is no {SUFFIX} file; a script says its input, time step and duration itself")
    try:
        runpy.run_path(str(path), run_name="__main__")
    except SystemExit as stop:
        if stop.code not in (None, 0):
            raise ScriptExit(stop.code) from None
    except EvsimError as error:
        if line := _line(error, path):
            error.args = (f"{error}\n  (at {path}, line {line})",)
        raise
    except Exception as error:
        raise ScriptError(_traceback(error, path)) from error


def _line(error: BaseException, path: Path) -> int | None:
    """The last line of the script that was being executed when an exception was raised."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return frames[-1].lineno if frames else None


def _traceback(error: BaseException, path: Path) -> str:
    """The traceback without the frames that led to the script."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename != str(path):
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames))


@contextmanager
def _as_main_program(path: Path, arguments: Sequence[str]) -> Iterator[None]:
    """What a script finds when it is started by ``python script.py arguments``, and no windows."""
    folder = path.resolve().parent
    with ExitStack() as stack:
        stack.enter_context(_replaced(sys, "argv", [str(path), *arguments]))
        stack.enter_context(_replaced(sys, "path", [str(folder), *sys.path]))
        stack.enter_context(_without_windows())
        for module in (pyNN.utility, pyNN.utility.script_tools):
            stack.enter_context(_replaced(module, "get_simulator", _get_simulator))
            stack.enter_context(_replaced(module, "get_script_args", _get_script_args))
        stack.callback(_forget_modules_of, folder, set(sys.modules))
        yield


@contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


@contextmanager
def _without_windows() -> Iterator[None]:
    """Let matplotlib draw into files, unless the user has chosen otherwise."""
    if "MPLBACKEND" in os.environ:
        yield
        return
    os.environ["MPLBACKEND"] = "Agg"
    try:
        yield
    finally:
        del os.environ["MPLBACKEND"]


def _forget_modules_of(folder: Path, before: set[str]) -> None:
    """Let the next script that is run in this process import its own helpers, not this one's of the same name."""
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None)
        if file and Path(file).parent == folder:
            del sys.modules[name]


# PyNN's own, before they are replaced while a script runs.
_pynn_get_simulator = pyNN.utility.script_tools.get_simulator


def _get_simulator(*arguments: Any) -> tuple[Any, Any]:
    """PyNN's ``get_simulator``, with the simulator's name put before the script's own arguments."""
    with _replaced(sys, "argv", [sys.argv[0], SIMULATOR, *sys.argv[1:]]):
        return _pynn_get_simulator(*arguments)


def _get_script_args(n_args: int, usage: str = "") -> list[str]:
    """PyNN's older way to read arguments; where one is missing, the first is taken to be the simulator's name."""
    given = sys.argv[1:]
    if len(given) == n_args - 1:
        given = [SIMULATOR, *given]
    if len(given) < n_args:
        raise EvsimError(usage or f"the script needs {n_args} arguments and was given {len(given)}")
    return given[:n_args]
