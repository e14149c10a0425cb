"""Time, reset, changes between runs, and what the sessions are told of them."""

from __future__ import annotations

import numpy as np
import pytest

from evsim.backend import Target
from evsim.errors import BackendError, CheckError, EvsimError


def membrane(v, minutes, tau_m=20.0, cm=1.0, v_rest=-65.0, current=0.0):
    """The exact voltage of a leaky integrator after some ms."""
    level = v_rest + current * tau_m / cm
    return level + (v - level) * np.exp(-minutes / tau_m)


@pytest.fixture
def cell(sim):
    """One neuron that never spikes, recorded."""
    cell = sim.Population(1, sim.IF_curr_exp(v_thresh=1e6), initial_values={"v": -60.0})
    cell.record("v")
    return cell


def trace(population, segment=-1, name="v"):
    return population.get_data().segments[segment].filter(name=name)[0].magnitude


def test_time_is_counted_in_steps(sim, noted):
    sim.setup(timestep=0.1)
    assert sim.run(0.3) == pytest.approx(0.3)
    assert sim.run_until(0.3 + 1e-12) == pytest.approx(0.3)
    assert sim.run_until(0.26) == pytest.approx(0.3)  # in the past by less than half a step: nothing to do
    with pytest.raises(ValueError, match="in the past"):
        sim.run_until(0.2)
    for _ in range(97):
        sim.run(0.1)
    assert sim.get_current_time() == 100 * 0.1
    assert sum(steps for name, steps in noted.sessions[0].calls if name == "run") == 100


def test_callbacks_come_at_the_times_they_asked_for(sim, cell):
    asked = []

    def callback(t):
        asked.append((t, len(trace(cell)) if t else 1))
        return t + 2.5

    sim.run(10.0, callbacks=[callback])
    assert asked == [(pytest.approx(t), round(t / 0.1) + 1) for t in (0.0, 2.5, 5.0, 7.5, 10.0)]


def test_parameters_and_states_changed_between_runs_take_effect(sim, cell):
    sim.run(5.0)
    cell.set(i_offset=0.5)
    sim.run(5.0)
    cell.initialize(v=-70.0)
    cell.set(tau_m=10.0, i_offset=0.0)
    sim.run(5.0)
    v = trace(cell)[:, 0]
    assert len(v) == 151
    at_5 = membrane(-60.0, 5.0)
    assert v[50] == pytest.approx(at_5, abs=1e-9)
    assert v[100] == pytest.approx(membrane(at_5, 5.0, current=0.5), abs=1e-9)
    assert v[150] == pytest.approx(membrane(-70.0, 5.0, tau_m=10.0), abs=1e-9)


def test_a_state_can_be_set_to_its_initial_value_again(sim, cell):
    sim.run(5.0)
    cell.initialize(v=-60.0)
    sim.run(5.0)
    assert trace(cell)[100, 0] == pytest.approx(membrane(-60.0, 5.0), abs=1e-9)


def test_only_the_cells_that_are_set_change_their_state(sim):
    cells = sim.Population(3, sim.IF_curr_exp(v_thresh=1e6), initial_values={"v": -60.0})
    cells.record("v")
    sim.run(5.0)
    cells[1:2].initialize(v=-70.0)
    cells[2:].initialize(v=-60.0)
    sim.run(5.0)
    expected = [membrane(-60.0, 10.0), membrane(-70.0, 5.0), membrane(-60.0, 5.0)]
    assert trace(cells)[100] == pytest.approx(expected, abs=1e-9)
    sim.reset()
    sim.run(1.0)
    assert trace(cells)[0].tolist() == [-60.0, -70.0, -60.0]


def test_weights_changed_between_runs_take_effect(sim):
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0, 11.0]))
    cell = sim.Population(1, sim.IF_curr_exp(v_thresh=1e6))
    cell.record("isyn_exc")
    projection = sim.Projection(source, cell, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.5, delay=1.0))
    sim.run(10.0)
    projection[0].weight = 2.0
    sim.run(10.0)
    current = trace(cell, name="isyn_exc")[:, 0]
    assert current[20] == pytest.approx(0.5)
    assert current[120] == pytest.approx(2.0 + 0.5 * np.exp(-2.0))


def test_reset_begins_a_new_segment_with_the_initial_values(sim, cell):
    sim.run(5.0)
    cell.set(i_offset=0.5)
    sim.reset()
    assert sim.get_current_time() == 0
    sim.run(5.0)
    segments = cell.get_data().segments
    assert len(segments) == 2
    assert trace(cell, 0)[-1, 0] == pytest.approx(membrane(-60.0, 5.0), abs=1e-9)
    assert trace(cell, 1)[0, 0] == -60.0
    assert trace(cell, 1)[-1, 0] == pytest.approx(membrane(-60.0, 5.0, current=0.5), abs=1e-9)


def test_networks_may_grow_in_a_run_and_after_a_reset(sim, cell):
    sim.run(1.0)
    sim.Population(1, sim.IF_curr_exp())
    sim.run(1.0)
    assert len(trace(cell)) == 21
    sim.Population(1, sim.IF_curr_exp())
    sim.reset()
    assert sim.run(2.0) == pytest.approx(2.0)
    assert len(trace(cell, 1)) == 21


def test_nothing_runs_after_the_end_but_data_stays(sim, cell):
    sim.run(1.0)
    sim.end()
    assert len(trace(cell)) == 11
    with pytest.raises(EvsimError, match=r"call setup\(\)"):
        sim.run(1.0)


def test_data_of_a_replaced_network_is_refused(sim, cell):
    sim.run(1.0)
    sim.setup()
    sim.Population(1, sim.IF_curr_exp())
    sim.run(2.0)
    with pytest.raises(EvsimError, match="later setup"):
        cell.get_data()


def test_sessions_are_told_only_what_changed(sim, noted):
    cells = sim.Population(2, sim.IF_curr_exp())
    projection = sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1))
    sim.run(1.0)
    sim.run(1.0)
    assert noted.names() == ["start", "run", "run"]
    projection.set(weight=0.3)
    cells[0].v_thresh = -45.0
    sim.run(1.0)
    assert noted.names()[3:] == ["update", "run"]
    first, second = (network for name, network in noted.sessions[0].calls if name in ("start", "update"))
    assert first.projections[0] is not second.projections[0]
    assert second.projections[0].weight.tolist() == [0.3] * 4
    sim.reset()
    sim.run(1.0)
    sim.end()
    assert noted.names()[5:] == ["reset", "run", "close"]


def test_changes_after_a_failure_are_not_forgotten(sim, noted):
    cells = sim.Population(1, sim.IF_curr_exp())
    sim.run(1.0)
    cells.set(tau_m=float("nan"))
    for _ in range(2):
        with pytest.raises(CheckError, match="tau_m"):
            sim.run(1.0)
    cells.set(tau_m=5.0)
    sim.run(1.0)
    assert noted.names() == ["start", "run", "update", "run"]


def test_the_seed_decides_the_poisson_spikes(sim):
    def trains(**words):
        sim.setup(**words)
        noise = sim.Population(5, sim.SpikeSourcePoisson(rate=200.0))
        noise.record("spikes")
        sim.run(200.0)
        return [train.magnitude.tolist() for train in noise.get_data().segments[0].spiketrains]

    assert trains() == trains(rng_seed=0) == trains(rng_seeds=[0, 1])
    assert trains(rng_seed=3) == trains(rng_seeds=[3]) != trains()


def test_setup_can_choose_a_chip(sim):
    sim.setup(chip="ideal")
    assert str(sim.simulator.state.targets[0]) == "reference:ideal"
    with pytest.raises(EvsimError, match="there is no chip named 'loihi9'"):
        sim.setup(chip="loihi9")
    with pytest.raises(EvsimError, match="there is no backend named 'referenc'; did you mean 'reference'"):
        sim.setup(backend="referenc")


def test_setup_hands_threads_on_to_the_reference_alone(sim):
    state = sim.simulator.state
    sim.setup(threads=2)
    assert state.targets[0].options == {"threads": 2}
    sim.setup(threads=np.int64(3), chip="loihi2")
    assert (str(state.targets[0]), state.targets[0].options) == ("reference:loihi2", {"threads": 3})
    sim.setup()
    assert state.targets[0].options == {}
    state.choose([Target("reference", "ideal", {"threads": 4}), Target("lava"), Target("reference", "loihi1")])
    sim.setup(threads=2)
    assert [target.options for target in state.targets] == [{"threads": 4}, {}, {"threads": 2}]
    sim.setup()
    assert [target.options for target in state.targets] == [{"threads": 4}, {}, {}]


@pytest.mark.parametrize("threads", [0, -1, 1.5, "2", True, np.nan])
def test_threads_that_cannot_be_are_refused(sim, threads):
    with pytest.raises(EvsimError, match=r"threads=.*; it must be a whole number from 1 on"):
        sim.setup(threads=threads)


def test_a_backend_that_fails_says_so(sim, noted):
    sim.Population(1, sim.IF_curr_exp())
    sim.run(1.0)

    def fail(steps):
        raise BackendError("it broke")

    noted.sessions[0].run = fail
    with pytest.raises(BackendError, match="it broke"):
        sim.run(1.0)
    assert sim.get_current_time() == pytest.approx(1.0)


@pytest.mark.parametrize("timestep", [0.0, -0.1, float("nan"), float("inf")])
def test_a_time_step_that_cannot_be_is_refused_at_once(sim, timestep):
    with pytest.raises(EvsimError, match=r"time step of .* ms; it must be above 0"):
        sim.setup(timestep=timestep)


@pytest.mark.parametrize("time", [float("nan"), float("inf")])
def test_a_run_must_end(sim, cell, time):
    with pytest.raises(EvsimError, match="finite time"):
        sim.run(time)
    assert sim.run(1.0) == pytest.approx(1.0)
