"""The backend that maps networks to SpiNNaker machines and runs them there, or on one in software."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evsim.backend import Session, Target
from evsim.chip import load_chip
from evsim.deploy.quantise import quantise
from evsim.errors import BackendError, CheckError, MissingPartError, Problem, UnknownNameError
from evsim.model import Model, NeuronModel, in_rules
from evsim.network import Network
from evsim.recording import Recordings
from evsim.sources import is_source
from evsim.worker import WorkerOptions, WorkerSession
from evsim_spinnaker.board import probe
from evsim_spinnaker.cells import CELLS
from evsim_spinnaker.patience import START_TIMEOUT, request_timeout, step_timeout
from evsim_spinnaker.scratch import MachineSettings, prepare
from evsim_spinnaker.spalloc import check_address, lends_boards

MACHINES = ("emulated", "virtual", "board")
ADDRESS_VARIABLE = "EVSIM_SPINNAKER_BOARD"
VERSION_VARIABLE = "EVSIM_SPINNAKER_VERSION"
BOARD_VERSIONS = ("5", "3")  # of 48 and of 4 chips


class SpinnakerBackend:
    """sPyNNaker on an emulated machine, a virtual one or a board.

    Target options: ``machine``; ``board``, its address or that of a server that lends one; ``version``, of the board;
    ``timeout``, s for one request.
    """

    name = "spinnaker"
    summary = "sPyNNaker: runs a network on a board or an emulated SpiNNaker machine, or maps it to a virtual one"

    def chips(self) -> Sequence[str]:
        """SpiNNaker 1."""
        return ["spinnaker1"]

    def has(self, model: Model) -> bool:
        """Whether sPyNNaker has the cell, or the model is no neuron at all."""
        return in_rules(model, "spinnaker1") and (not isinstance(model, NeuronModel) or model.name in CELLS)

    def target(self, word: str | None) -> Target:
        """``spinnaker[:MACHINE]``; without a word a board where its address is known, else an emulated machine."""
        machine = word or ("board" if os.environ.get(ADDRESS_VARIABLE) else "emulated")
        if machine not in MACHINES:
            raise UnknownNameError("SpiNNaker machine", machine, MACHINES)
        return Target(self.name, "spinnaker1", {"machine": machine, "by_default": word is None})

    def versions(self) -> Mapping[str, str]:
        """The packages that map and run."""
        found = {}
        for package in ("evsim", "sPyNNaker", "SpiNNMachine"):
            try:
                found[package] = version(package)
            except PackageNotFoundError:
                raise MissingPartError(package, "spinnaker") from None
        with suppress(PackageNotFoundError):  # which only the emulated machine needs
            found["unicorn"] = version("unicorn")
        return found

    def start(self, network: Network, target: Target) -> Session:
        """Check the network and start sPyNNaker in a process of its own.

        Raises:
            CheckError: the network does not fit SpiNNaker, or has what sPyNNaker does not have.
            MissingPartError: sPyNNaker, or what emulates its machine, is not installed.
            BackendError: there is no such machine, or it cannot compute as the chip that was asked for.
        """
        settings = machine_settings(target)
        chip = load_chip(target.chip or "spinnaker1")
        if chip.rules.name != "spinnaker1":
            raise BackendError(f"SpiNNaker cannot compute as {chip.name}; use --chip spinnaker1, or none")
        quantise(network, chip)
        if problems := [*cell_problems(network), *recording_problems(network)]:
            raise CheckError("sPyNNaker cannot run this", problems)
        require(settings)
        if settings.machine == "board":
            probe(settings.address)
        return SpinnakerSession(network, settings, target.options.get("timeout"))


def require(settings: MachineSettings) -> None:
    """Raise MissingPartError if a package that such a machine needs is not installed."""
    if find_spec("spynnaker") is None:
        raise MissingPartError("sPyNNaker", "spinnaker")
    if settings.machine == "emulated" and find_spec("unicorn") is None:
        raise MissingPartError("unicorn, which executes the firmware,", "spinnaker")


def machine_settings(target: Target) -> MachineSettings:
    """Which machine a target means; the options ``board`` and ``version`` come before the environment's variables.

    Raises:
        BackendError: there is no address for a board, or no such board, or a server that lends boards could not be
            asked with what is given.
    """
    machine = target.options.get("machine", "emulated")
    if machine != "board" and target.options.get("by_default") and target.options.get("board"):
        raise BackendError(f"{target} is no board; to run on the board {target.options['board']!r} say spinnaker:board")
    address = str(target.options.get("board") or os.environ.get(ADDRESS_VARIABLE, ""))
    if machine == "board" and not address:
        raise BackendError(
            f"no SpiNNaker board is known: set {ADDRESS_VARIABLE} to its host name or address, or to the address of a "
            "server that lends one, or use spinnaker:emulated, which executes the firmware in software"
        )
    if machine == "board" and lends_boards(address):
        check_address(address)
    board_version = str(target.options.get("version") or os.environ.get(VERSION_VARIABLE) or BOARD_VERSIONS[0])
    if board_version not in BOARD_VERSIONS:
        raise BackendError(
            f"{VERSION_VARIABLE} is {board_version!r}; a SpiNNaker board is of version {' or '.join(BOARD_VERSIONS)}"
        )
    return MachineSettings(machine, address if machine == "board" else "", int(board_version))


def cell_problems(network: Network) -> list[Problem]:
    """Cells that the rule set has and sPyNNaker does not."""
    limit, remedy = f"sPyNNaker has {', '.join(CELLS)}", "Use one of these, or run on reference:spinnaker1."
    return [
        Problem(f"population {population.label!r}", f"the cell {population.model}", limit, remedy)
        for population in network.populations
        if not is_source(population) and population.model not in CELLS
    ]


def recording_problems(network: Network) -> list[Problem]:
    """Probes that sPyNNaker does not have: variables it cannot record, and one variable at several intervals."""
    problems = []
    intervals: dict[tuple[int, str], int] = {}
    for wanted in network.probes:
        population = network.populations[wanted.population]
        where = f"population {population.label!r}"
        if wanted.variable == "spikes" or population.model not in CELLS:
            continue  # sources have spikes alone, and a cell that is missing is a problem of its own
        known = CELLS[population.model].recorded
        if wanted.variable not in known:
            limit = f"sPyNNaker records spikes, {', '.join(known)} of {population.model}"
            problems.append(Problem(where, f"recording {wanted.variable!r}", limit, "Record one of these."))
        first = intervals.setdefault((wanted.population, wanted.variable), wanted.interval)
        if first != wanted.interval:
            what = f"recording {wanted.variable!r} every {first} and every {wanted.interval} time steps"
            problems.append(Problem(where, what, "one interval for a variable", "Give one sampling interval."))
    return problems


class SpinnakerSession:
    """A network in sPyNNaker's process, whose home and working directory are a scratch folder.

    Args:
        timeout: s, for one request; None leaves room for mapping, loading and a machine slower than real time.
    """

    def __init__(self, network: Network, settings: MachineSettings, timeout: float | None = None) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="evsim-spinnaker-", ignore_cleanup_errors=True)
        home, work = prepare(Path(self._scratch.name), settings)
        options = WorkerOptions(
            f"spinnaker:{settings.machine}",
            start_timeout=timeout or START_TIMEOUT,
            timeout=timeout or request_timeout(network, settings.machine),
            timeout_per_step=0.0 if timeout else step_timeout(network, settings.machine),
            home=home,
            folder=work,
        )
        try:
            self._worker = WorkerSession(*_factory(network, settings), options)
        except BaseException:
            self._scratch.cleanup()
            raise

    def run(self, steps: int) -> None:
        """Advance by a number of time steps."""
        self._worker.run(steps)

    def update(self, network: Network) -> None:
        """Take over the changes from the network before."""
        self._worker.update(network)

    def reset(self) -> None:
        """Back to t = 0."""
        self._worker.reset()

    def recordings(self) -> Recordings:
        """What was recorded since the start, the last reset or the last clear."""
        return self._worker.recordings()

    def weights(self, projection: int) -> NDArray[np.float64]:
        """The weights (n,) of a plastic projection in the synaptic matrices, in the network's order and unit."""
        return self._worker.weights(projection)

    def clear(self) -> None:
        """Forget what was recorded."""
        self._worker.clear()

    def close(self) -> None:
        """End sPyNNaker's process and remove its folder."""
        self._worker.close()
        self._scratch.cleanup()


def _factory(network: Network, settings: MachineSettings) -> tuple[str, tuple]:
    """The class of the session in the child process, and its arguments."""
    if settings.machine == "emulated":
        return "evsim_spinnaker.emulated.session:EmulatedSession", (network, settings)
    return "evsim_spinnaker.machine:MachineSession", (network, settings.machine == "virtual")
