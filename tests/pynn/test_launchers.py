"""Scripts that MPI starts as several processes."""

from __future__ import annotations

import pytest

from evsim.errors import EvsimError
from evsim.pynn import launchers


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    for name in (*launchers.COUNTS, launchers.STEP_TASKS, launchers.INDEPENDENT):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("name", [*launchers.COUNTS, launchers.STEP_TASKS])
def test_several_processes_are_refused_before_anything_is_forgotten(sim, monkeypatch, name: str):
    sim.setup(timestep=0.5)
    monkeypatch.setenv(name, "4")
    with pytest.raises(EvsimError, match=rf"one of 4 processes \({name}=4\).*threads=.*EVSIM_PROCESSES=independent"):
        sim.setup(timestep=0.1)
    assert sim.get_time_step() == 0.5


@pytest.mark.parametrize("size", ["1", "", "2(x3)"])
def test_one_process_of_a_launcher_is_as_without_it(sim, monkeypatch, size: str):
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
