"""One of several processes that run the same script on one network, and how they talk: through MPI, by mpi4py.

Every message goes through a communicator of evsim's own, so a script may use ``MPI.COMM_WORLD`` as it likes.
"""

from __future__ import annotations

import atexit
import os
import pickle
import sys
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

import numpy as np

from evsim.errors import BackendError, EvsimError, MissingPartError

TIMEOUT = "EVSIM_MPI_TIMEOUT"  # environment variable: seconds
DEFAULT_TIMEOUT = 3600.0  # as long as one process may work alone, such as on what it draws
PATIENCE = 200  # looks at a message before the core is given away for longer
PAUSE = 1e-4  # seconds between looks, then
GRACE = 0.5  # seconds from an error's words to the end: a launcher drops what it has not read until then


class Processes:
    """This process among those that share a script, as ``setup(rank=, num_processes=)`` says: they do not talk.

    Attributes:
        rank, count: which of how many.
        talks: whether they exchange messages.
        served: request -> what every process does when one asks for it (see ``meet``).
    """

    talks = False

    def __init__(self, rank: int = 0, count: int = 1) -> None:
        self.rank, self.count = rank, count
        self.served: dict[str, Callable[[], None]] = {}

    def all(self, own: Any) -> list[Any]:
        """What every process hands over, in the order of ranks; all must call this."""
        return [own]

    def all_rows(self, own: np.ndarray) -> np.ndarray:
        """The rows of all processes, in the order of ranks; all must call this."""
        return own

    def sum(self, numbers: np.ndarray) -> None:
        """Replace integers by their sums over all processes, in place; all must call this."""

    def meet(self, request: str) -> None:
        """Wait for the others, and do on the way what those ask for that do not want the same.

        One process may ask for what all must take part in, such as learned weights, while others go on to ``run()``.
        Those take part as they come there. A request that is served is done when this returns.

        Raises:
            EvsimError: what they want cannot be brought together, such as runs to different times.
        """
        if not self.talks:
            return
        while True:
            requests = self.all(request)
            asked = next((word for word in self.served if word in requests), None)
            if asked is not None:
                self.served[asked]()
                if asked == request:
                    return
            elif all(other == request for other in requests):
                return
            else:
                raise EvsimError(
                    "the processes of this script do not do the same: "
                    + "; ".join(f"process {rank} wants to {other}" for rank, other in enumerate(requests))
                    + ". setup(), run(), reset(), and what creates or gathers must be called by all of them"
                )

    def fail(self, error: BaseException) -> None:
        """End all processes, after an error that the others would wait for."""


class MpiProcesses(Processes):
    """Processes that MPI has started; there is one object of this, ``mpi_processes()``."""

    talks = True

    def __init__(self, mpi: Any) -> None:
        world = mpi.COMM_WORLD
        super().__init__(world.Get_rank(), world.Get_size())
        self._comm, self._byte = world.Dup(), mpi.BYTE
        self._timeout = _timeout_of_environment()

    def all(self, own: Any) -> list[Any]:
        """What every process hands over, pickled on the way."""
        data = np.frombuffer(pickle.dumps(own, pickle.HIGHEST_PROTOCOL), np.uint8)
        sizes, gathered = self._gathered(data)
        ends = np.cumsum(sizes)
        return [pickle.loads(gathered[end - size : end].data) for end, size in zip(ends, sizes, strict=True)]

    def all_rows(self, own: np.ndarray) -> np.ndarray:
        """The rows of all processes, bit for bit."""
        own = np.ascontiguousarray(own)
        _, gathered = self._gathered(own.reshape(-1).view(np.uint8))
        return gathered.view(own.dtype).reshape(-1, *own.shape[1:])

    def sum(self, numbers: np.ndarray) -> None:
        """Replace integers by their sums over all processes, in place."""
        own = numbers.copy()
        self._wait(self._comm.Iallreduce(own, numbers))

    def fail(self, error: BaseException) -> None:
        """Show the error, and end all processes."""
        sys.excepthook(type(error), error, error.__traceback__)

    def _gathered(self, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The number of bytes of each process, and the bytes of all of them."""
        sizes = np.empty(self.count, np.int64)
        self._wait(self._comm.Iallgather(np.array([own.size], np.int64), sizes))
        gathered = np.empty(int(sizes.sum()), np.uint8)
        if len(gathered):
            begins = np.cumsum(sizes) - sizes
            self._wait(self._comm.Iallgatherv(own, [gathered, sizes.tolist(), begins.tolist(), self._byte]))
        return sizes, gathered

    def _wait(self, message: Any) -> None:
        """Wait for a message, giving the core away to those that are waited for."""
        looks, limit = 0, time.monotonic() + self._timeout
        while not message.Test():
            looks += 1
            if looks < PATIENCE:
                os.sched_yield()
                continue
            time.sleep(PAUSE)
            if time.monotonic() > limit:
                raise BackendError(
                    f"process {self.rank} of {self.count} waited {self._timeout:g} s for the others, which do "
                    "something else. setup(), run(), reset(), and what creates or gathers must be called by all; "
                    f"where one has work of its own that takes longer, set {TIMEOUT} to more seconds"
                )


ALONE = Processes()
_mpi: list[MpiProcesses] = []


def mpi_processes(said: int | None = None) -> Processes:
    """This process among those that MPI has started; ``ALONE`` where there is one.

    From then on an error that nobody catches ends all processes.

    Args:
        said: how many the launcher says that there are.

    Raises:
        MissingPartError: mpi4py is not installed.
        EvsimError: mpi4py uses another MPI library than the launcher, so it knows of one process only.
    """
    if _mpi:
        return _mpi[0]
    try:
        from mpi4py import MPI  # type: ignore[import-not-found]
    except (ImportError, RuntimeError) as error:  # without a library of MPI, mpi4py raises the latter
        raise MissingPartError(
            f"mpi4py, by which {said} processes work on one network,",
            "mpi",
            str(error).partition("\n")[0],
        ) from error
    world = MPI.COMM_WORLD
    if said is not None and world.Get_size() != said:
        library = MPI.Get_library_version().split("\n")[0].strip()
        raise EvsimError(
            f"the launcher has started {said} processes, and mpi4py knows of {world.Get_size()}: it uses another MPI "
            f"library ({library}) than the launcher. Start them with the mpiexec of that library, or have mpi4py use "
            "the launcher's (environment variable MPI4PY_LIBMPI)"
        )
    if world.Get_size() == 1:
        return ALONE
    processes = MpiProcesses(MPI)
    _mpi.append(processes)
    _end_all_at_an_error(world)
    atexit.register(_leave, processes)
    return processes


def _end_all_at_an_error(world: Any) -> None:
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        before(kind, error, trace)
        sys.stdout.flush()
        sys.stderr.flush()
        time.sleep(GRACE)
        world.Abort(1)

    sys.excepthook = hook


def _leave(processes: MpiProcesses) -> None:
    """At the end of a script: do what the others still ask for, or end them where they wait for more than that."""
    try:
        processes.meet("exit")
    except EvsimError as error:
        processes.fail(error)


def _timeout_of_environment() -> float:
    text = os.environ.get(TIMEOUT, str(DEFAULT_TIMEOUT))
    try:
        limit = float(text)
    except ValueError:
        limit = -1.0
    if not limit > 0:
        raise EvsimError(
            f"the environment variable {TIMEOUT} is {text!r}; set it to the seconds that a process may wait for the "
            f"others, such as {DEFAULT_TIMEOUT:g}"
        )
    return limit


def owners_of(first: int, size: int, count: int) -> np.ndarray:
    """(size,) the rank of the process that cells with numbers from ``first`` on are local to."""
    return (first + np.arange(size)) % count


def said_by(names: Sequence[str]) -> tuple[str, int] | None:
    """The first of some environment variables that says that there are several processes, and how many."""
    for name in names:
        text = os.environ.get(name, "")
        if text.isdecimal() and int(text) > 1:
            return name, int(text)
    return None
