"""Processes take turns at a kernel's folder, and none waits for one that is dead, or for ever."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from evsim import kernel_folders
from evsim.kernel_folders import turn

HOLDER = """
import sys, time
from pathlib import Path
from evsim.kernel_folders import takes_long, turn
with turn(Path(sys.argv[1])):
    if sys.argv[3:]:
        takes_long()
    print("mine", flush=True)
    time.sleep(float(sys.argv[2]))
    Path(sys.argv[1], "made").touch()
"""


@contextmanager
def held(folder: Path, seconds: float, compiles: bool = False) -> Iterator[subprocess.Popen]:
    """Another process that has a folder's turn for so long, and says that it compiles."""
    words = [sys.executable, "-c", HOLDER, str(folder), str(seconds), *["compiles"] * compiles]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "mine\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_turn_comes_after_that_of_another_process(tmp_path):
    with held(tmp_path / "kernel", 0.5), turn(tmp_path / "kernel"):
        assert (tmp_path / "kernel" / "made").exists()


@pytest.mark.parametrize("compiles", [False, True])
def test_who_waits_is_told_where_something_is_compiled_and_not_where_it_is_loaded(tmp_path, compiles):
    told = []
    with held(tmp_path / "kernel", 0.5, compiles), turn(tmp_path / "kernel", lambda: told.append(True)):
        assert (tmp_path / "kernel" / "made").exists()
    assert told == [True] * compiles


def test_what_the_dead_began_is_told_to_nobody(tmp_path):
    with held(tmp_path / "kernel", 60, compiles=True) as process:
        process.kill()
        process.wait()
    told = []
    with turn(tmp_path / "kernel"):
        pass
    with held(tmp_path / "kernel", 0.5), turn(tmp_path / "kernel", lambda: told.append(True)):
        assert not told


def test_other_folders_do_not_wait(tmp_path):
    with held(tmp_path / "kernel", 60), turn(tmp_path / "another", lambda: pytest.fail("waited")):
        pass


def test_a_process_that_dies_gives_up_its_turn(tmp_path):
    with held(tmp_path / "kernel", 60) as process:
        process.kill()
        began = time.monotonic()
        with turn(tmp_path / "kernel"):
            assert time.monotonic() - began < 10
        assert not (tmp_path / "kernel" / "made").exists()


def test_nobody_waits_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(kernel_folders, "PATIENCE", 0.2)
    with held(tmp_path / "kernel", 60) as process, turn(tmp_path / "kernel"):
        assert process.poll() is None


def test_who_has_the_turn_does_not_wait_for_itself(tmp_path):
    with turn(tmp_path), turn(tmp_path, lambda: pytest.fail("waited")):
        pass
    with turn(tmp_path, lambda: pytest.fail("waited")):
        pass


def test_where_there_can_be_no_lock_nobody_waits(tmp_path):
    (tmp_path / "file").touch()
    entered = []
    with turn(tmp_path / "file" / "kernel"):
        entered.append(True)
    assert entered == [True]


def test_an_error_ends_the_turn(tmp_path):
    with pytest.raises(ValueError, match="cannot be compiled"), turn(tmp_path):
        raise ValueError("cannot be compiled")
    words = [sys.executable, "-c", HOLDER, str(tmp_path), "0"]
    assert subprocess.run(words, capture_output=True, timeout=30, check=True).stdout == b"mine\n"
