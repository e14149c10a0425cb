"""Where compiled kernels are kept, and whose turn it is to fill the folder of one.

Several processes may find the same kernel missing: those of a test run, or a script and the process that compiles
ahead of it. One of them compiles, the others wait and load what it made. The turn is a lock of the operating system on
a file in the kernel's folder, so whatever way a process ends, its turns end with it. The file is empty as long as who
has the turn does nothing that takes long.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

PATIENCE = 120.0  # s that another process may take for one kernel; then this one compiles it, too
_POLL = 0.01  # s between two looks whether the turn is over
_mine: dict[Path, int] = {}  # folders whose turn this process has, and their locked files


@cache
def cache_folder() -> Path:
    """Where compiled code is kept: beside the package where that can be written, else with the temporary files."""
    beside = Path(__file__).parent / "__pycache__"
    try:
        beside.mkdir(exist_ok=True)
        if os.access(beside, os.W_OK):
            return beside
    except OSError:
        pass  # a read-only installation: the temporary folder serves
    folder = Path(tempfile.gettempdir()) / f"evsim-{os.getuid()}"
    folder.mkdir(exist_ok=True, mode=0o700)
    if folder.stat().st_uid != os.getuid():  # machine code that somebody else put there must not be run
        return Path(tempfile.mkdtemp(prefix="evsim-"))
    return folder


@contextmanager
def turn(folder: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Have a folder's turn; where another process has it, wait until that is done, and at most for ``PATIENCE``.

    Where there can be no lock, on a file system without them or a full disk, nobody waits for anybody. A function that
    is compiled again on the way, for other types, has the turn already.

    Args:
        waiting: called once if there is somebody to wait for who compiles, and does not only load.
    """
    lock = None if folder in _mine else _opened(folder)
    if lock is None:
        yield
        return
    try:
        _wait(lock, waiting)
        _mine[folder] = lock
        _say(lock, long=False)  # what somebody who died had begun
        yield
    finally:
        _mine.pop(folder, None)
        os.close(lock)


def _wait(lock: int, waiting: Callable[[], None]) -> None:
    deadline, told = time.monotonic() + PATIENCE, False
    while not locked(lock) and time.monotonic() < deadline:
        if not told and os.fstat(lock).st_size:
            waiting()
            told = True
        time.sleep(_POLL)


def takes_long() -> None:
    """Let those who wait for a turn of this process know that something is compiled in it."""
    for lock in _mine.values():
        _say(lock, long=True)


def _say(lock: int, long: bool) -> None:
    with suppress(OSError):  # a full disk: then nobody is told
        os.ftruncate(lock, int(long))


def _opened(folder: Path) -> int | None:
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        return os.open(folder / "turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    return None


def locked(lock: int) -> bool:
    """Take the lock on an open file if nobody has it; returns whether there is nobody to wait for."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks
    return True
