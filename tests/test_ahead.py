"""Compiling ahead: a process for it is started where it is of use, leaves nothing behind, and changes no result."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import evsim
from builders import array_source, cells, connect, run
from evsim import ahead, shipped
from evsim.engine import parts
from evsim.engine.advance import advance
from evsim.engine.enqueue import log_steps
from evsim.network import Network

# What takes the place of the work: nothing but its watch over the parent.
IDLE = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from evsim.ahead import _watch
_watch(int(sys.argv[2]))
"""
PARENT = """
import os, sys, time
from pathlib import Path
from evsim import ahead, shipped
ahead.cache_folder = lambda: Path(sys.argv[1])
ahead._CHILD = sys.argv[2]
print(ahead.compile_ahead(["ideal"]).pid, flush=True)
time.sleep(float(sys.argv[3]))
"""


@pytest.fixture
def begin(tmp_path, monkeypatch):
    """``compile_ahead`` on a machine with two cores, with an empty cache and a process that does nothing."""
    monkeypatch.setattr(ahead, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(ahead, "_begun", set())
    monkeypatch.setattr(ahead, "_CHILD", IDLE)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    started = []

    def begin(*chips):
        process = ahead.compile_ahead(chips)
        started.append(process)
        return process

    yield begin
    for process in filter(None, started):
        process.kill()
        process.wait()


def test_one_process_is_started_for_all_who_need_it(begin, monkeypatch):
    first = begin("ideal")
    assert first is not None and first.poll() is None
    assert begin("ideal") is None, "this process has asked already"
    monkeypatch.setattr(ahead, "_begun", set())  # as another process
    assert begin("ideal") is None
    first.kill()
    first.wait()
    monkeypatch.setattr(ahead, "_begun", set())
    assert begin("ideal") is not None, "who is dead holds up nobody"


def test_none_is_started_for_what_is_compiled(begin):
    ahead._mark("ideal").touch()
    assert begin("ideal") is None
    assert begin("ideal", "loihi2") is not None


@pytest.mark.parametrize("executable", [None, "", "/opt/blender/blender"])
def test_none_is_started_without_an_interpreter(begin, monkeypatch, executable):
    monkeypatch.setattr(sys, "executable", executable)
    assert begin("ideal") is None


def test_none_is_started_in_a_frozen_program(begin, monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert begin("ideal") is None


def test_none_is_started_on_one_core(begin, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    assert begin("ideal") is None


def test_a_process_that_cannot_be_started_is_done_without(begin, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert begin("ideal") is None


@pytest.mark.parametrize("how", ["ends", "killed", "interrupted"])
def test_no_process_is_left_when_the_script_is_gone(tmp_path, how):
    words = [sys.executable, "-c", PARENT, str(tmp_path), IDLE, "0" if how == "ends" else "60"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        if how != "ends":
            parent.send_signal(signal.SIGKILL if how == "killed" else signal.SIGINT)
        parent.wait(30)
    deadline = time.monotonic() + 30
    while _lives(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _lives(child)


def _lives(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


@pytest.mark.parametrize("chip", ["ideal", "loihi2", "spinnaker1"])
def test_what_is_compiled_ahead_is_what_a_run_needs(chip):
    ahead._compile_loop(chip)
    before = len(advance.signatures), len(log_steps.signatures), parts._compiled.cache_info().currsize
    network = Network(1.0, (array_source([[1.0, 9.0]]), cells(2)), (connect(0, 1, [(0, 0, 1.5, 1), (0, 1, 1.0, 3)]),))
    run(network, 30, chip=chip)
    assert (len(advance.signatures), len(log_steps.signatures), parts._compiled.cache_info().currsize) == before


# --- first starts ----------------------------------------------------------------------------------------------------

SCRIPT = """
import json, os, sys, time
os.sched_getaffinity = lambda _: {0, 1}
import evsim.ahead
if sys.argv[1]:
    evsim.ahead._CHILD = sys.argv[1]
import pyNN.evsim as sim
from pyNN.random import NumpyRNG
sim.setup(timestep=0.1)
noise = sim.Population(20, sim.SpikeSourcePoisson(rate=200.0))
cells = sim.Population(20, sim.IF_curr_exp())
connector = sim.FixedProbabilityConnector(0.5, rng=NumpyRNG(seed=1))
sim.Projection(noise, cells, connector, sim.StaticSynapse(weight=1.0, delay=1.0))
cells.record("spikes")
sim.run(100.0)
until = time.monotonic() + 60
while not (sys.argv[1] or evsim.ahead._mark("ideal").exists()) and time.monotonic() < until:
    time.sleep(0.05)  # who ends first ends the process beside it
print(json.dumps([train.magnitude.tolist() for train in cells.get_data().segments[0].spiketrains]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("child", ["", "import os; os.abort()"])
def test_a_first_start_gives_what_any_other_gives(tmp_path, child):
    """With a process beside it, and with one that dies; then once more, with everything in the cache."""
    for package in (evsim, import_module("evsim_models")):
        folder = Path(str(package.__file__)).parent
        shutil.copytree(folder, tmp_path / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "hardware").symlink_to(shipped.folder("hardware"))
    paths = [str(tmp_path), *sys.path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    words = [sys.executable, "-c", SCRIPT, child]
    options: dict[str, Any] = {"capture_output": True, "text": True, "timeout": 300, "env": environment}
    first, second = (subprocess.run(words, cwd=tmp_path, **options) for _ in range(2))
    assert first.returncode == 0, first.stderr
    assert any(json.loads(first.stdout))
    assert second.stdout == first.stdout
    assert "evsim: compiling the kernels for the engine" in first.stderr
    assert second.stderr == ""
    marks = list((tmp_path / "evsim" / "__pycache__").glob("ahead-*-ideal"))
    assert len(marks) == (0 if child else 1)
