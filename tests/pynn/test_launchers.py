"""Scripts that MPI starts as several processes."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pyNN.mock as mock
import pytest
from pyNN import errors

from evsim.errors import EvsimError, MissingPartError
from evsim.pynn import launchers
from evsim.pynn.invalid import InvalidValueError


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    for name in (*launchers.COUNTS, launchers.STEP_TASKS, launchers.INDEPENDENT):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("name", [*launchers.COUNTS, launchers.STEP_TASKS])
def test_without_mpi4py_the_error_names_the_extra_before_anything_is_forgotten(sim, monkeypatch, name: str):
    sim.setup(timestep=0.5)
    monkeypatch.setenv(name, "4")
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    with pytest.raises(MissingPartError, match=r"4 processes work on one network, is not installed.*'evsim\[mpi\]'"):
        sim.setup(timestep=0.1)
    assert sim.get_time_step() == 0.5


def test_a_library_that_knows_of_one_process_is_refused(sim, monkeypatch):
    world = SimpleNamespace(Get_size=lambda: 1)
    mpi = SimpleNamespace(COMM_WORLD=world, Get_library_version=lambda: "Some MPI 1.2\nof its makers")
    monkeypatch.setitem(sys.modules, "mpi4py", SimpleNamespace(MPI=mpi))
    monkeypatch.setenv("PMI_SIZE", "3")
    with pytest.raises(
        EvsimError, match=r"started 3 processes, and mpi4py knows of 1: .*Some MPI 1\.2\).*MPI4PY_LIBMPI"
    ):
        sim.setup()


@pytest.mark.parametrize("size", ["1", "", "2(x3)"])
def test_one_process_of_a_launcher_is_as_without_it(sim, monkeypatch, size: str):
    monkeypatch.delitem(sys.modules, "mpi4py.MPI", raising=False)
    for name in (*launchers.COUNTS, launchers.STEP_TASKS):
        monkeypatch.setenv(name, size)
    assert sim.setup() == 0 and (sim.rank(), sim.num_processes()) == (0, 1)


def test_processes_may_be_independent(sim, monkeypatch):
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "4")
    monkeypatch.setenv("EVSIM_PROCESSES", "independent")
    assert sim.setup() == 0
    cells = sim.Population(2, sim.IF_curr_exp())
    cells.record("v")
    sim.run(1.0)
    assert cells.get_data().segments[0].analogsignals[0].shape == (11, 2)


# --- what one of several is shown, without any other -----------------------------------------------------------------


def shown(module, rank: int, count: int) -> dict[str, Any]:
    """What a back end shows as one of several processes; its first cell of importance is number 42."""
    assert module.setup(rank=rank, num_processes=count) == rank
    if module.simulator.state.id_counter < 42:
        module.Population(42 - module.simulator.state.id_counter, module.IF_curr_exp())
    cells = module.Population(11, module.IF_curr_exp(tau_m=lambda i: 10.0 + i))
    others = module.Population(4, module.IF_curr_exp())
    view, assembly = cells[2:9], cells[:5] + others
    every, two = module.AllToAllConnector(), module.StaticSynapse(weight=2.0)
    projection = module.Projection(cells, assembly, every, two, receptor_type="excitatory")
    return {
        "rank": (module.rank(), module.num_processes()),
        "local": [bool(cell.local) for cell in cells.all_cells],
        "is_local": [bool(cells.is_local(cell)) for cell in cells.all_cells],
        "mask": [end._mask_local.tolist() for end in (cells, view, assembly)],
        "cells": [list(map(int, end)) for end in (cells, view, assembly)],
        "local_cells": [list(map(int, end.local_cells)) for end in (cells, view, assembly)],
        "sizes": [(end.size, len(end), end.local_size) for end in (cells, view)],
        "local index": [int(cells.id_to_local_index(cell)) for cell in cells],
        "tau_m": cells.get("tau_m").tolist(),
        "connections": (len(projection), projection.size(gather=False), len(list(projection.connections))),
        "weights": len(projection.get("weight", format="list", gather=False)),
        "ends": sorted((c.presynaptic_index, c.postsynaptic_index) for c in projection.connections),
    }


@pytest.mark.parametrize(("rank", "count"), [(0, 1), (0, 3), (1, 3), (2, 3), (1, 2), (6, 7)])
def test_what_is_local_is_so_in_pynn_mock(sim, rank: int, count: int):
    assert shown(sim, rank, count) == shown(mock, rank, count)


def test_a_cell_of_another_process_cannot_be_changed(sim):
    sim.setup(rank=1, num_processes=2)
    cells = sim.Population(4, sim.IF_curr_exp())
    (there,) = [cell for cell in cells.all_cells[:2] if not cell.local]
    with pytest.raises(errors.NotLocalError):
        there.tau_m = 3.0
    with pytest.raises(errors.NotLocalError):
        print(there.tau_m)


def test_data_of_local_cells(sim):
    """Every process has run the whole network, which can be seen where it gathers."""
    found = []
    for rank in range(2):
        sim.setup(timestep=0.5, rank=rank, num_processes=2)
        cells = sim.Population(5, sim.IF_curr_exp(i_offset=lambda i: 0.1 * i))
        cells.record(["v", "spikes"])
        sim.run(40.0)
        sim.reset()
        sim.run(20.0)
        for gather in (False, True):
            segments = cells.get_data(gather=gather).segments
            found.append([list(map(int, segment.analogsignals[0].annotations["channel_ids"])) for segment in segments])
            assert [[t.annotations["channel_id"] for t in s.spiketrains] for s in segments] == found[-1]
    assert found == [[[2, 4]] * 2, [[1, 2, 3, 4, 5]] * 2, [[1, 3, 5]] * 2, [[1, 3, 5]] * 2]


@pytest.mark.parametrize("words", [{"rank": 2, "num_processes": 2}, {"rank": -1, "num_processes": 2}, {"rank": 1.5}])
def test_a_rank_that_cannot_be_is_refused(sim, words):
    with pytest.raises(InvalidValueError, match="rank from 0"):
        sim.setup(**words)
