"""A session in a process of its own, for simulators that hang, leave processes behind or write where they should not.

``WorkerSession`` is a Session (see ``evsim.backend``) whose work is done by a child process:

- Every wait has a time-out. When it is over, the error holds the stack at which the child stood.
- The child leads its own process group; whatever it started dies with it, on close, on Ctrl-C and at exit. If the
  parent dies first, the child ends its group itself.
- What the child and its children print goes to a log, whose tail is part of the error when the child is lost.
- A child of the child that ends by an error or a signal ends the session at once. A session whose simulator hides such
  deaths may offer a method ``failure() -> str | None``; it is asked from a second thread while a request is running.
"""

from __future__ import annotations

import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evsim.errors import BackendError
from evsim.network import Network
from evsim.recording import Recordings
from evsim.worker_child import POLL, exit_status, framed, receive_message

_GRACE = 3.0  # s that processes have to end by themselves
_CLOSE = 30.0  # s that a session has to close by itself
_TAIL = 4000  # bytes of the log that an error shows
_CHILD = """
import json, sys
sys.path[:] = json.loads(sys.argv[2])
from evsim.worker_child import serve
serve(int(sys.argv[1]))
"""


@dataclass(frozen=True)
class WorkerOptions:
    """How the child process is run.

    Attributes:
        name: what errors call it.
        start_timeout: s until the session is built.
        timeout, timeout_per_step: s for a request, and what each time step of ``run`` adds.
        home: HOME of the child; None leaves the user's.
        folder: its working directory; None leaves the present one.
        environment: further variables.
    """

    name: str
    start_timeout: float = 300.0
    timeout: float = 600.0
    timeout_per_step: float = 0.0
    home: Path | None = None
    folder: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


class WorkerSession:
    """A session that runs in a child process.

    Args:
        factory: ``"module:function"``, called in the child with ``arguments``; returns a Session.
        arguments: anything that can be pickled.
        options: time-outs and surroundings of the child.

    Raises:
        BackendError: from every method, if the child reports an error (the session then goes on, except in the
            constructor), dies, loses a process of its own, or overruns its time-out (the session has then ended).
    """

    def __init__(self, factory: str, arguments: tuple[Any, ...], options: WorkerOptions) -> None:
        self._options = options
        self._ended = ""
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the session
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = _start(theirs, self._log, options)
        self._finalizer = weakref.finalize(self, _end, self._process, self._socket)
        try:
            self._request(options.start_timeout, "start", factory, arguments)
        except BaseException:
            self._end("it could not be started")
            raise

    def run(self, steps: int) -> None:
        """Advance by a number of time steps."""
        self._request(self._options.timeout + steps * self._options.timeout_per_step, "run", steps)

    def update(self, network: Network) -> None:
        """Take over the changes from the network before."""
        self._request(self._options.timeout, "update", network)

    def reset(self) -> None:
        """Back to t = 0."""
        self._request(self._options.timeout, "reset")

    def recordings(self) -> Recordings:
        """What was recorded since the start, the last reset or the last clear."""
        return self._request(self._options.timeout, "recordings")

    def weights(self, projection: int) -> NDArray[np.float64]:
        """The present weights (n,) of a plastic projection."""
        return self._request(self._options.timeout, "weights", projection)

    def clear(self) -> None:
        """Forget what was recorded."""
        self._request(self._options.timeout, "clear")

    def close(self) -> None:
        """End the child and everything that it started; may be called more than once."""
        if self._ended:
            return
        with suppress(BackendError):  # a child that cannot close its session is ended by force, which is what is wanted
            self._request(min(self._options.timeout, _CLOSE), "close")
        self._end("it was closed")

    @property
    def pid(self) -> int:
        """The child's process id, which is also that of its process group."""
        return self._process.pid

    def log_tail(self) -> str:
        """The end of what the child and its children printed."""
        size = os.fstat(self._log.fileno()).st_size
        text = os.pread(self._log.fileno(), _TAIL, max(0, size - _TAIL)).decode(errors="replace")
        return text if size <= _TAIL else text.partition("\n")[2]

    def _request(self, timeout: float, verb: str, *arguments: Any) -> Any:
        if self._ended:
            raise BackendError(f"{self._options.name}: the session has ended: {self._ended}")
        deadline = time.monotonic() + timeout
        try:
            message = pickle.dumps((verb, arguments), protocol=pickle.HIGHEST_PROTOCOL)
            kind, value = self._exchange(message, deadline)
        except TimeoutError:
            self._print_stack()
            raise self._lost(f"no answer to {verb!r} within {timeout:g} s") from None
        except (EOFError, ConnectionError):
            self._process.wait(_GRACE)
            raise self._lost(f"the process died during {verb!r} ({exit_status(self._process.returncode)})") from None
        except BaseException:  # Ctrl-C: the answer that is still to come would be taken for that of the next request
            self._end(f"{verb!r} was interrupted")
            raise
        if kind == "crashed":
            raise self._lost(f"during {verb!r}, {value}")
        if kind == "error":
            raise BackendError(f"{self._options.name}: {value}")
        return value

    def _exchange(self, message: bytes, deadline: float) -> tuple[str, Any]:
        self._socket.settimeout(max(POLL, deadline - time.monotonic()))
        self._socket.sendall(framed(message))
        self._socket.settimeout(POLL)

        def still_waiting() -> None:
            if self._process.poll() is not None:  # a grandchild may hold the socket open, so it need not have closed
                raise EOFError
            if time.monotonic() > deadline:
                raise TimeoutError

        return pickle.loads(receive_message(self._socket, still_waiting))

    def _print_stack(self) -> None:
        """Make the child print where it stands."""
        if self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGUSR1)
            time.sleep(3 * POLL)

    def _lost(self, what: str) -> BackendError:
        output = self.log_tail().strip()
        self._end(what)
        tail = f"\n--- the end of its output ---\n{output}" if output else ""
        return BackendError(f"{self._options.name}: {what}{tail}")

    def _end(self, why: str) -> None:
        self._ended = why
        self._finalizer()
        self._log.close()


def _start(theirs: socket.socket, log: Any, options: WorkerOptions) -> subprocess.Popen:
    path = [os.path.abspath(entry) for entry in sys.path]
    environment = {**os.environ, **options.environment}
    if options.home is not None:
        environment["HOME"] = str(options.home)
    return subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(theirs.fileno()), json.dumps(path)],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=options.folder,
        env=environment,
        pass_fds=[theirs.fileno()],
        start_new_session=True,
    )


def _end(process: subprocess.Popen, connection: socket.socket) -> None:
    """End a whole process group: gently first, so that shared memory is given back, then by force."""
    connection.close()
    for force in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):  # no such group any more
            os.killpg(process.pid, force)
        deadline = time.monotonic() + _GRACE
        while (process.poll() is None or any(_members(process.pid))) and time.monotonic() < deadline:
            time.sleep(POLL / 5)


def _members(group: int) -> Iterator[int]:
    """The living processes of a process group, from /proc (none where there is no /proc)."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended meanwhile
            state, _, pgrp = path.read_text().rpartition(")")[2].split()[:3]
            if int(pgrp) == group and state not in "ZX":
                yield int(path.parent.name)
