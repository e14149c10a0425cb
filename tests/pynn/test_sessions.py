"""One script on several targets at once."""

from __future__ import annotations

import numpy as np
import pytest

from evsim.backend import Target
from evsim.errors import CheckError
from evsim.pynn.sessions import Conductor

IDEAL, LOIHI = Target("reference", "ideal"), Target("reference", "loihi2")


def script(sim, clear=False):
    sim.setup(timestep=1.0, chip="spinnaker1")
    noise = sim.Population(10, sim.SpikeSourcePoisson(rate=80.0), label="noise")
    cells = sim.Population(5, sim.IF_curr_exp(tau_syn_E=5.0, tau_syn_I=5.0, tau_refrac=2.0), label="cells")
    sim.Projection(noise, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.8, delay=2.0))
    noise.record("spikes")
    cells[:2].record("spikes")
    seen = []
    for _ in range(2):
        sim.run(100.0)
        seen.append(cells.get_data(clear=clear).segments[-1].spiketrains)
    sim.reset()
    sim.run(50.0)
    sim.end()
    return seen


def test_every_target_is_given_the_same(sim):
    state = sim.simulator.state
    state.choose([IDEAL, LOIHI])
    script(sim)
    ideal, loihi = state.harvest()
    assert (ideal.target, loihi.target) == (IDEAL, LOIHI)
    for one, other in zip(ideal.runs, loihi.runs, strict=True):
        assert one.network is other.network
        assert (one.steps, one.segment, one.start) == (other.steps, other.segment, other.start)
        noise_one, noise_other = (
            next(s for s in run.recordings.spikes if run.network.populations[s.population].label == "noise")
            for run in (one, other)
        )
        assert len(noise_one.times) > 20
        assert (noise_one.times == noise_other.times).all()
        assert (noise_one.neurons == noise_other.neurons).all()
    assert [(run.segment, run.start, run.steps) for run in ideal.runs] == [(0, 0, 200), (1, 0, 50)]
    assert state.harvest()[0].runs == ()


def test_nothing_is_lost_when_the_script_clears(sim):
    state = sim.simulator.state

    def spikes(clear):
        state.choose([IDEAL])
        script(sim, clear)
        (found,) = state.harvest()
        return found.runs, [
            (run.segment, spikes.population, cell, time)
            for run in found.runs
            for spikes in run.recordings.spikes
            for cell, time in zip(spikes.neurons, spikes.times, strict=True)
        ]

    _, whole = spikes(clear=False)
    pieces, cut = spikes(clear=True)
    assert [(run.segment, run.start, run.steps) for run in pieces] == [(0, 0, 100), (0, 100, 100), (1, 0, 50)]
    assert sorted(cut) == sorted(whole)
    assert len(whole) > 100


def test_what_is_learned_is_kept_from_the_end_of_each_run(sim):
    state = sim.simulator.state
    state.choose([Target("reference", "spinnaker1"), IDEAL])
    sim.setup(timestep=1.0)
    source = sim.Population(3, sim.SpikeSourcePoisson(rate=100.0))
    cells = sim.Population(2, sim.IF_curr_exp(), label="cells")
    cells.record("spikes")
    rule = sim.STDPMechanism(
        sim.SpikePairRule(A_plus=0.1, A_minus=0.12), sim.AdditiveWeightDependence(w_max=8.0), weight=4.0
    )
    sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1))
    learns = sim.Projection(source, cells, sim.AllToAllConnector(), rule)
    seen = []
    for _ in range(2):
        sim.run(60.0)
        cells.get_data(clear=True)  # cuts the run in two
        sim.run(40.0)
        seen.append([row[2] for row in learns.get("weight", format="list")])
        sim.reset()
    chip, ideal = state.harvest()
    for found in (chip, ideal):
        assert [list(run.weights) for run in found.runs] == [[], [1], [], [1]]
    for expected, run in zip(seen, chip.runs[1::2], strict=True):
        assert len(expected) == 6
        assert run.weights[1].tolist() == expected != [4.0] * 6
    assert not np.array_equal(chip.runs[1].weights[1], ideal.runs[1].weights[1])


def test_what_is_learned_outlives_the_end(sim):
    state = sim.simulator.state
    state.choose([IDEAL])
    sim.setup(timestep=1.0)
    one = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0]))
    cell = sim.Population(1, sim.IF_curr_exp(i_offset=2.0))
    rule = sim.STDPMechanism(sim.SpikePairRule(), sim.AdditiveWeightDependence(), weight=0.5)
    sim.Projection(one, cell, sim.OneToOneConnector(), rule)
    cell.record("spikes")
    sim.run(20.0)
    sim.end()
    (found,) = state.harvest()
    assert found.runs[0].weights[0].shape == (1,)


def test_a_run_alone_keeps_no_more_than_it_shows(sim):
    noise = sim.Population(5, sim.SpikeSourcePoisson(rate=100.0))
    noise.record("spikes")
    for _ in range(5):
        sim.run(20.0)
        noise.get_data(clear=True)
    assert len(sim.simulator.state.pieces()) <= 1


def test_the_script_sees_the_first_target_and_cannot_choose(sim):
    state = sim.simulator.state
    seen = {}
    for first, second in ((IDEAL, LOIHI), (LOIHI, IDEAL)):
        state.choose([first, second])
        seen[str(first)] = [[train.magnitude.tolist() for train in trains] for trains in script(sim)]
        harvest = state.harvest()
        cells = harvest[0].runs[0].recordings.spikes[1]
        shown = seen[str(first)][1]
        assert [time for train in shown for time in train] == [
            time for cell in range(2) for time in cells.times[cells.neurons == cell]
        ]


def test_all_spikes_are_recorded_for_a_comparison_without_being_shown(sim):
    state = sim.simulator.state
    state.choose([IDEAL])
    state.record_all_for_compare = True
    seen = script(sim)
    (found,) = state.harvest()
    assert len(seen[0]) == 2
    (probe,) = (probe for probe in found.runs[0].network.probes if probe.population == 1)
    assert probe.cells.tolist() == [0, 1, 2, 3, 4]
    assert set(np.unique(found.runs[0].recordings.spikes[1].neurons)) == {0, 1, 2, 3, 4}


def test_the_problems_of_all_targets_are_told_at_once(sim):
    from evsim.errors import Problem

    class Refusing(Conductor):
        def start(self, network, targets, index):
            problem = Problem("projection 'a'", f"wrong {index}", "a limit", "Change it.")
            raise CheckError(f"this network cannot run on {targets[index]}", [problem])

    state = sim.simulator.state
    state.choose([IDEAL, LOIHI])
    state.conductor = Refusing()
    sim.setup()
    sim.Population(1, sim.IF_curr_exp())
    with pytest.raises(CheckError) as raised:
        sim.run(1.0)
    assert [problem.what for problem in raised.value.problems] == ["wrong 0", "wrong 1"]
    assert "reference:ideal" in str(raised.value) and "reference:loihi2" in str(raised.value)


def test_sessions_that_started_are_closed_when_another_refuses(sim, noted):
    state = sim.simulator.state
    start = state.conductor.start

    class Second(Conductor):
        def start(self, network, targets, index):
            if index == 1:
                raise CheckError("no", [])
            return start(network, targets, index)

    state.choose([IDEAL, LOIHI])
    state.conductor = Second()
    sim.setup()
    sim.Population(1, sim.IF_curr_exp())
    with pytest.raises(CheckError):
        sim.run(1.0)
    assert noted.names(0) == ["start", "close"]


def test_release_lets_scripts_choose_again(sim):
    state = sim.simulator.state
    state.choose([LOIHI])
    sim.setup(chip="ideal")
    assert state.targets == (LOIHI,)
    state.release()
    sim.setup()
    assert state.targets == (IDEAL,)
    with pytest.raises(ValueError, match="at least one"):
        state.choose([])


def test_weights_that_a_chip_loses_are_warned_of_without_the_command_line_too(sim):
    sim.setup(timestep=1.0, chip="loihi2")
    cells = sim.Population(2, sim.IF_curr_exp())
    fading = sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.0), label="fading")
    sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.0), label="other")
    sim.run(2.0)
    fading.set(weight=1e-7)
    with pytest.warns(UserWarning, match="projection 'fading': 4 of 4 weights become 0"):
        sim.run(2.0)
