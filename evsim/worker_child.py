"""What runs in the child process of ``evsim.worker``: it answers requests and watches over the processes around it."""

from __future__ import annotations

import faulthandler
import os
import pickle
import signal
import socket
import struct
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from evsim.errors import EvsimError

POLL = 0.1  # s between two looks at another process
_HEADER = struct.Struct(">Q")  # length of the message that follows


def framed(message: bytes) -> bytes:
    """A message as it goes over the socket."""
    return _HEADER.pack(len(message)) + message


def receive_message(connection: socket.socket, still_waiting: Callable[[], None] = lambda: None) -> bytes:
    """The next whole message; ``still_waiting`` is called at every time-out of the socket. Raises EOFError."""

    def receive(length: int) -> bytes:
        received = bytearray()
        while len(received) < length:
            try:
                part = connection.recv(min(length - len(received), 1 << 20))
            except TimeoutError:
                still_waiting()
                continue
            if not part:
                raise EOFError
            received += part
        return bytes(received)

    return receive(_HEADER.unpack(receive(_HEADER.size))[0])


def exit_status(code: int | None) -> str:
    """A return code of ``subprocess.Popen`` in words."""
    if code is None:
        return "its exit status is unknown"
    return f"exit status {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"


def serve(handle: int) -> None:
    """Answer the requests that arrive on a socket, until it closes or ``close`` is asked for."""
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1)
    connection = socket.socket(fileno=handle)
    connection.set_inheritable(False)
    server = _Server(connection)
    threading.Thread(target=server.guard, args=(os.getppid(),), daemon=True).start()
    while server.answer():
        pass


class _Server:
    """The child's side of the conversation."""

    def __init__(self, connection: socket.socket) -> None:
        self.session: Any = None
        self._connection = connection
        self._sending = threading.Lock()
        self._closing = False

    def answer(self) -> bool:
        """Answer one request; returns whether there may be another."""
        try:
            message = receive_message(self._connection)
        except EOFError:
            return False
        try:
            verb, arguments = pickle.loads(message)
            self._closing = verb == "close"
            self._send("done", self._do(verb, arguments))
        except EvsimError as error:  # says by itself what is wrong
            self._send("error", str(error))
        except (Exception, SystemExit):
            self._send("error", traceback.format_exc())
        return not self._closing

    def _do(self, verb: str, arguments: tuple[Any, ...]) -> Any:
        if verb != "start":
            return getattr(self.session, verb)(*arguments)
        factory, values = arguments
        module, _, name = factory.partition(":")
        self.session = getattr(import_module(module), name)(*values)
        return None

    def _send(self, kind: str, value: Any) -> None:
        message = pickle.dumps((kind, value), protocol=pickle.HIGHEST_PROTOCOL)
        with self._sending:
            self._connection.sendall(framed(message))

    def guard(self, parent: int) -> None:
        """Watch the parent and the children: end the group with the parent, report a child that crashed."""
        seen: str | None = None
        while True:
            time.sleep(POLL)
            if os.getppid() != parent:
                os.killpg(0, signal.SIGKILL)
            ask = getattr(self.session, "failure", None)
            dead, told = _crashed_child(), ask() if ask else None
            # a child that is just about to be waited for is not lost: it must be seen twice
            if not self._closing and (told or (dead and dead == seen)):
                self._send("crashed", told or dead)
                return
            seen = dead


def _crashed_child() -> str | None:
    """A child of this process that ended by an error or a signal other than SIGTERM, and that nobody waited for."""
    for path in Path("/proc/self/task").glob("*/children"):
        for child in path.read_text().split():
            with suppress(ChildProcessError):  # waited for meanwhile
                info = os.waitid(os.P_PID, int(child), os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if info is None or info.si_status == 0:
                    continue
                code = info.si_status if info.si_code == os.CLD_EXITED else -info.si_status
                if code != -signal.SIGTERM:
                    return f"process {child}, which it had started, ended ({exit_status(code)})"
    return None
