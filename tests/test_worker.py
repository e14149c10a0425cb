"""A session in a child process: whatever happens to the child, the parent gets an error soon and nothing is left."""

from __future__ import annotations

import _thread
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from evsim.backend import Session
from evsim.errors import BackendError
from evsim.worker import WorkerOptions, WorkerSession

CHILD = """
import ctypes, multiprocessing, os, signal, sys, time
from evsim.errors import BackendError
from evsim.recording import Recordings


def crash():
    time.sleep(0.05)
    raise RuntimeError("the grandchild is ill")


class Session:
    def __init__(self, what):
        self.what, self.steps, self.told = what, 0, None
        if what == "bad start":
            raise ValueError("no such network")
        if what == "slow start":
            time.sleep(60)

    def run(self, steps):
        self.steps += steps
        getattr(self, self.what)()

    def fine(self):
        print("one run done", flush=True)

    def raising(self):
        raise ValueError("a bad step")

    def refusing(self):
        raise BackendError("this change cannot be made")

    def dying(self):
        print("last words", flush=True)
        os._exit(3)

    def segfault(self):
        ctypes.string_at(0)

    def hanging(self):
        time.sleep(60)

    def grandchild(self):
        multiprocessing.get_context("fork").Process(target=crash).start()
        time.sleep(60)

    def hidden(self):
        self.told = "a grandchild caught its own error: ZeroDivisionError"
        time.sleep(60)

    def offspring(self):
        child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
        child.start()
        self.notes = (str(child.pid),)

    def failure(self):
        return self.told

    def recordings(self):
        facts = getattr(self, "notes", (os.environ["HOME"], os.getcwd(), os.environ.get("EXTRA", "")))
        return Recordings(tallies={"steps": {"n": self.steps}}, notes=facts)

    def update(self, network):
        raise BackendError("this change cannot be made")

    def reset(self):
        self.steps = 0

    clear = reset

    def close(self):
        if self.what == "unclosable":
            time.sleep(60)
"""


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Start a session of the given behaviour; close it afterwards."""
    (tmp_path / "worker_child_under_test.py").write_text(CHILD)
    monkeypatch.syspath_prepend(str(tmp_path))
    started = []

    def start(what: str, **options) -> WorkerSession:
        session = WorkerSession("worker_child_under_test:Session", (what,), WorkerOptions("toy", **options))
        started.append(session)
        return session

    yield start
    for session in started:
        session.close()


def gone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except FileNotFoundError:
        return True


def test_it_is_a_session_and_answers(start):
    session = start("fine")
    session.run(3)
    session.run(4)
    assert session.recordings().tallies == {"steps": {"n": 7}}
    session.reset()
    assert session.recordings().tallies == {"steps": {"n": 0}}
    assert "one run done" in session.log_tail()
    assert isinstance(session, Session)


def test_home_folder_and_environment_are_the_childs_own(start, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    session = start("fine", home=home, folder=tmp_path, environment={"EXTRA": "yes"})
    assert session.recordings().notes == (str(home), str(tmp_path), "yes")


def test_an_exception_at_the_start_carries_the_childs_traceback(start):
    with pytest.raises(BackendError, match=r"(?s)toy: Traceback.*no such network"):
        start("bad start")


def test_a_slow_start_is_given_up(start):
    with pytest.raises(BackendError, match="no answer to 'start' within 1 s"):
        start("slow start", start_timeout=1.0)


def test_an_exception_carries_the_childs_traceback_and_the_session_goes_on(start):
    session = start("raising")
    with pytest.raises(BackendError, match=r"(?s)Traceback.*in raising.*a bad step"):
        session.run(1)
    assert session.recordings().tallies == {"steps": {"n": 1}}


def test_an_error_raised_on_purpose_has_no_traceback(start):
    with pytest.raises(BackendError) as caught:
        start("refusing").run(1)
    assert str(caught.value) == "toy: this change cannot be made"


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("dying", r"(?s)died during 'run' \(exit status 3\).*last words"),
        ("segfault", r"(?s)signal SIGSEGV.*Fatal Python error.*in segfault"),
        ("grandchild", r"(?s)which it had started, ended \(exit status 1\).*Traceback.*the grandchild is ill"),
        ("hidden", "caught its own error: ZeroDivisionError"),
    ],
)
def test_a_lost_process_is_noticed_long_before_the_time_out(start, what, told):
    session = start(what)
    before = time.monotonic()
    with pytest.raises(BackendError, match=told):
        session.run(1)
    assert time.monotonic() - before < 10
    with pytest.raises(BackendError, match="the session has ended"):
        session.run(1)
    assert gone(session.pid)


def test_a_hanging_child_is_ended_and_its_stack_shown(start):
    session = start("hanging", timeout=0.5, timeout_per_step=0.1)
    with pytest.raises(BackendError, match=r"(?s)no answer to 'run' within 1 s.*in hanging"):
        session.run(5)
    assert gone(session.pid)


def test_closing_ends_grandchildren_too(start):
    session = start("offspring")
    session.run(1)
    grandchild = int(session.recordings().notes[0])
    assert not gone(grandchild)
    session.close()
    assert gone(grandchild)
    session.close()


def test_a_child_that_cannot_close_is_ended_by_force(start):
    session = start("unclosable", timeout=0.5)
    session.close()
    assert gone(session.pid)


def test_an_interrupted_wait_ends_the_child(start):
    session = start("hanging")
    # What another test imported may have put a handler of its own in place, and a background job may ignore the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Timer(0.3, _thread.interrupt_main).start()
        with pytest.raises(KeyboardInterrupt):
            session.run(1)
    finally:
        signal.signal(signal.SIGINT, before)
    assert gone(session.pid)


@pytest.mark.parametrize("end", ["pass", "os.kill(os.getpid(), signal.SIGKILL)"], ids=["exit", "kill"])
def test_the_child_ends_with_its_parent(start, tmp_path, end):
    script = (
        "import os, signal\nfrom evsim.worker import *\n"
        "s = WorkerSession('worker_child_under_test:Session', ('offspring',), WorkerOptions('toy'))\n"
        f"s.run(1)\nprint(s.pid, *s.recordings().notes, flush=True)\n{end}\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    pids = [int(word) for word in done.stdout.split()]
    assert len(pids) == 2, done.stderr
    deadline = time.monotonic() + 10
    while not all(map(gone, pids)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert all(map(gone, pids))
