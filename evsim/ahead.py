"""Compiling what every run needs in a process beside the script, as long as the cache of kernels lacks it.

The first start of a script is spent in the compiler, on one core. So ``setup()`` starts a process that compiles the
engine's loop while the script makes its cells and connections, which needs kernels, too. Where both need the same one,
whoever comes second waits for it and loads what the other has made (``kernel_folders.turn``). The script depends on
nothing of this: where the process cannot be started or dies, it compiles for itself. What the process has done is
marked by a file whose name is a digest of the code, and from then on none is started.

The process never sees the script, prints nothing, and ends with its parent, however that ends.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from evsim.errors import EvsimError
from evsim.kernel_folders import cache_folder, locked

_POLL = 0.1  # s between two looks whether the parent is still there
_CHILD = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from evsim.ahead import work
work(int(sys.argv[2]), sys.argv[3:])
"""
_begun: set[str] = set()  # chips whose loop this process has already asked for


# --- in the script's process -----------------------------------------------------------------------------------------


def compile_ahead(chips: Iterable[str]) -> subprocess.Popen | None:
    """Start the process for those chips whose loop has not been compiled yet, if there is a core for it.

    Returns:
        the process; None where there is nothing to do, no core or interpreter for it, or another script's process is
        at it already.
    """
    lacking = sorted(chip for chip in set(chips) - _begun if not _mark(chip).exists())
    _begun.update(lacking)
    if not lacking or len(os.sched_getaffinity(0)) < 2 or not _interpreter():
        return None
    with suppress(OSError):  # no room for a process or a file: the script compiles for itself
        lock = os.open(cache_folder() / f"ahead-{_digest()}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            return _started(lacking, lock) if locked(lock) else None
        finally:
            os.close(lock)  # the process has a copy, and with it the lock
    return None


def _started(chips: list[str], lock: int) -> subprocess.Popen:
    path = json.dumps([os.path.abspath(entry) for entry in sys.path])
    process = subprocess.Popen(
        [sys.executable, "-c", _CHILD, path, str(os.getpid()), *chips],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[lock],
        start_new_session=True,  # Ctrl-C is for the script
    )
    atexit.register(_end, process, os.getpid())
    return process


def _end(process: subprocess.Popen, parent: int) -> None:
    if os.getpid() == parent:  # a process that the script forked has this to do, too, when it ends
        process.kill()  # what is written to the cache is whole files, or nothing
        process.wait()


def _interpreter() -> bool:
    """Whether ``sys.executable`` is Python, and not a program that Python is part of."""
    return "python" in Path(sys.executable or "").name and not getattr(sys, "frozen", False)


def _mark(chip: str) -> Path:
    """The file which says that a chip's loop was compiled."""
    return cache_folder() / f"ahead-{_digest()}-{chip}"


@cache
def _digest() -> str:
    """Of Python's and numba's versions, and of what files the package has, as numba tells a changed file: by its time.

    It decides whether a process is started, and nothing else; whether a kernel is stale is said by ``compile``.
    """
    found = [repr((sys.version_info, _numba_version()))]
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        if "__pycache__" not in path.parts:
            about = path.stat()
            found.append(f"{path} {about.st_size} {about.st_mtime_ns}")
    return hashlib.sha256("\n".join(found).encode()).hexdigest()[:16]


def _numba_version() -> str:
    try:
        return version("numba")
    except PackageNotFoundError:  # numba without its metadata
        return ""


# --- in the process beside it ----------------------------------------------------------------------------------------


def work(parent: int, chips: list[str]) -> None:
    """Compile the loop for some chips, as long as the process of this number is the parent."""
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    for chip in chips:
        with suppress(EvsimError):  # the script will tell the user better than anybody here
            _compile_loop(chip)
            _mark(chip).touch()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_POLL)
    os._exit(1)


def _compile_loop(chip: str) -> None:
    """What is compiled does not depend on the network, but for the number format."""
    import numpy as np

    from evsim.chip import load_chip
    from evsim.deploy.quantise import quantise
    from evsim.engine.simulation import Simulation
    from evsim.network import Network, Population, Trains

    source = Population("source", "SpikeSourceArray", 1, {}, trains=Trains.from_lists([np.zeros(0)]))
    Simulation(quantise(Network(1.0, (source,)), load_chip(chip))).compile()
