"""Scripts run by several processes of MPI: what each of them shows, and that all of it is as one process has it."""

from __future__ import annotations

import os
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("mpi4py", reason="needs the extra mpi")
BESIDE = Path(sys.executable).with_name("mpiexec")  # where the package index's MPI libraries put it
MPIEXEC = str(BESIDE) if BESIDE.exists() else shutil.which("mpiexec")
if MPIEXEC is None:
    pytest.skip("needs the mpiexec of an MPI library", allow_module_level=True)

SCRIPT = Path(__file__).with_name("several_processes.py")
LIMIT = 140  # seconds; a cold start compiles


def launch(count: int, words: list[str], **more: str) -> subprocess.CompletedProcess[str]:
    """Run Python as so many processes; raises TimeoutExpired, so that one that hangs is a failure."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **more}
    for name in list(environment):  # those of a launcher that runs these tests
        if name.startswith(("PMI", "OMPI_", "HYDRA", "MPI_LOCAL")):
            del environment[name]
    # Open MPI refuses to be run by root, and to start more processes than there are cores
    environment |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    environment |= {"PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe", "OMPI_MCA_rmaps_base_oversubscribe": "1"}
    command = [str(MPIEXEC), "-n", str(count), sys.executable, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, env=environment, check=False)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What each process of a case was shown: ``told(case, count)[rank]``; ``told.folder`` has the files."""
    folder, found = tmp_path_factory.mktemp("processes"), {}

    def of(case: str, count: int) -> list[dict[str, Any]]:
        if (case, count) not in found:
            done = launch(count, [str(SCRIPT), case, str(folder)])
            assert done.returncode == 0, done.stderr
            files = [folder / f"{case}.{count}.{rank}.pkl" for rank in range(count)]
            found[case, count] = [pickle.loads(file.read_bytes()) for file in files]
        return found[case, count]

    of.folder = folder  # type: ignore[attr-defined]
    return of


def same(one: Any, other: Any) -> bool:
    """Whether two results are the same bit by bit."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return np.array_equal(np.asarray(one), np.asarray(other), equal_nan=np.asarray(one).dtype.kind == "f")


def test_each_process_knows_which_it_is(told):
    assert [(one["rank"], one["count"]) for one in told("connectors", 3)] == [(0, 3), (1, 3), (2, 3)]


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("name", ["exc", "inh", "noise", "counts", "mean", "p1", "p2", "tau_m", "times"])
def test_what_is_gathered_is_as_one_process_has_it(told, count: int, name: str):
    alone, first = told("connectors", 1)[0], told("connectors", count)[0]
    assert same(first[name], alone[name])


def test_there_is_something_to_compare(told):
    (alone,) = told("connectors", 1)
    assert sum(alone["counts"].values()) > 50 and sum(len(t) for _, t in alone["noise"][0]["trains"]) > 5
    assert len(alone["p1"]) > 80 and 20.0 in alone["times"][0]


@pytest.mark.parametrize("count", [2, 3])
def test_what_is_not_gathered_is_each_process_own_part(told, count: int):
    (alone,), parts = told("connectors", 1), told("connectors", count)
    signals = alone["exc"][0]["signals"]
    for name, (channels, values) in signals.items():
        own = [part["own"][0]["signals"][name] for part in parts]
        for rank, (cells, columns) in enumerate(own):
            assert [cell % count for cell in cells] == [rank] * len(cells)
            assert same(columns, values[:, [channels.index(cell) for cell in cells]])
        assert sorted(cell for cells, _ in own for cell in cells) == channels
    own_counts = [part["own counts"] for part in parts]
    assert {cell: n for counts in own_counts for cell, n in counts.items()} == alone["counts"]
    assert sum(len(part["own tau_m"]) for part in parts) == 37
    assert sorted(np.concatenate([part["own tau_m"] for part in parts])) == sorted(alone["tau_m"])
    # without all the data, the other processes are given their own
    assert same(parts[1]["exc"], parts[1]["own"]) and np.isnan(parts[1]["mean"])


@pytest.mark.parametrize("count", [2, 3])
def test_synapses_are_those_onto_local_cells(told, count: int):
    (alone,), parts = told("connectors", 1), told("connectors", count)
    for k in range(4):
        sizes = [part["sizes"][k] for part in parts]
        assert {size[0] for size in sizes} == {alone["sizes"][k][0]}
        assert sum(size[1] for size in sizes) == alone["sizes"][k][0]
        assert all(own == length == handed_out for _, own, length, handed_out in sizes)
    for part in parts:
        assert same(part["p3 everywhere"], alone["p3 everywhere"])
    assert sorted(row for part in parts for row in part["p4"]) == alone["p4"]


def test_files_are_written_once_or_one_by_each_process(told):
    (alone,), _ = told("connectors", 1), told("connectors", 2)
    folder = told.folder
    for name in ("p1", "positions"):
        assert (folder / f"{name}.2.txt").read_text() == (folder / f"{name}.1.txt").read_text()
    assert sorted(path.name for path in folder.glob("inh.2.pkl*")) == ["inh.2.pkl"]
    assert sorted(path.name for path in folder.glob("exc.2.pkl*")) == ["exc.2.pkl.0", "exc.2.pkl.1"]
    written = [pickle.loads((folder / f"exc.2.pkl.{rank}").read_bytes()) for rank in range(2)]
    trains = {t.annotations["source_index"]: np.asarray(t) for b in written for t in b.segments[0].spiketrains}
    assert same([(index, trains[index]) for index in sorted(trains)], alone["exc"][0]["trains"])


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("name", ["alone", "before", "after", "tau_m", "delay", "cells", "at last"])
def test_learning_and_changes_of_own_cells(told, count: int, name: str):
    alone, first = told("learning", 1)[0], told("learning", count)[0]
    assert same(first[name], alone[name])


def test_learning_changed_something(told):
    (alone,) = told("learning", 1)
    assert np.unique(alone["before"]).size > 20 and not same(alone["before"], alone["after"])
    assert len(np.unique(alone["tau_m"])) == 13 and len(alone["cells"]) == 2


def test_without_seeds_each_process_makes_its_own_part(told):
    parts = told("unlike", 2)
    rows = sorted((tuple(row) for part in parts for row in part["here"]), key=lambda row: row[1::-1])
    for part in parts:
        assert sorted((tuple(row) for row in part["there"]), key=lambda row: row[1::-1]) == rows
    assert {int(row[1]) % 2 for row in parts[0]["here"]} != {int(row[1]) % 2 for row in parts[1]["here"]}
    assert len(parts[0]["tau_m"]) == 9 and parts[0]["cells"][0]["signals"]["v"][1].shape == (31, 7)


DIVIDED = Path(__file__).with_name("divided_networks.py")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "chip"), [("balanced", "ideal"), ("balanced", "loihi2"), ("learning", "ideal"), ("learning", "spinnaker1")]
)
def test_the_work_is_divided_and_the_results_are_the_same(tmp_path: Path, case: str, chip: str):
    found = []
    for count, threads in ((1, 1), (2, 1)):
        done = launch(count, [str(DIVIDED), case, str(threads), chip, str(tmp_path)])
        assert done.returncode == 0, done.stderr
        found.append(pickle.loads((tmp_path / f"{case}.{threads}.{chip}.{count}.pkl").read_bytes()))
    assert same(found[1], found[0])


def run(script: str, count: int = 2, **more: str) -> subprocess.CompletedProcess[str]:
    return launch(count, ["-c", "import pyNN.evsim as sim\nsim.setup(timestep=1.0)\n" + script], **more)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("1 / 0 if sim.rank() else sim.run(10.0)", "ZeroDivisionError"),
        ("import sys\nsys.exit() if sim.rank() else sim.run(10.0)", "process 1 wants to exit"),
        ("sim.run(10.0 + sim.rank())", "process 1 wants to run from step 0 to step 11"),
        ("sim.Population(2 + sim.rank(), sim.IF_curr_exp())\nsim.run(1.0)", "process 1 population .* of 3 IF_curr_exp"),
        ("import time\ntime.sleep(60.0) if sim.rank() else sim.run(10.0)", "waited 2 s for the others"),
        ("import os\nos._exit(3) if sim.rank() else sim.run(10.0)", ""),
    ],
)
def test_an_error_in_one_process_ends_all(script: str, said: str):
    waits = "sleep" in script or "_exit" in script  # the others are to say something else before
    done = run(script, EVSIM_MPI_TIMEOUT="2" if waits else "60")
    assert done.returncode != 0
    assert said == "" or re.search(said, done.stderr), done.stderr


def test_processes_may_be_independent():
    done = run("print(sim.num_processes(), sim.rank())", EVSIM_PROCESSES="independent")
    assert done.returncode == 0 and done.stdout.split() == ["1", "0"] * 2


def test_another_backend_is_refused():
    done = launch(2, ["-c", "import pyNN.evsim as sim\nsim.setup(backend='lava')"])
    assert done.returncode != 0 and "or run on the reference" in done.stderr


def test_without_mpi4py_the_error_names_the_extra(tmp_path: Path):
    (tmp_path / "mpi4py.py").write_text("raise ImportError('no module named mpi4py')")
    script = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\nimport pyNN.evsim as sim\nsim.setup()"
    done = launch(2, ["-c", script])
    assert done.returncode != 0 and "pip install 'evsim[mpi]'" in done.stderr
