"""Counts of what a network did: against plain loops over recorded spikes, and against the engine's own work."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from evsim.energy.activity import Activity
from evsim.energy.count import COUNTED, measure, measured
from evsim.recording import SYNAPTIC_EVENTS
from evsim.registry import parse_target
from evsim.script import run_script

NETWORK = """
import numpy as np
import pyNN.evsim as sim
from pyNN.random import NumpyRNG, RandomDistribution

rng = NumpyRNG(7)
sim.setup(timestep=1.0, rng_seed=5)
fast = sim.Population(30, sim.SpikeSourcePoisson(rate=150.0), label="fast")
slow = sim.Population(30, sim.SpikeSourcePoisson(rate=np.linspace(5.0, 40.0, 30)), label="slow")
given = sim.Population(3, sim.SpikeSourceArray(spike_times=[0.0, 3.0, 3.0, 59.0, 60.0, 100.0]), label="given")
cell = sim.IF_curr_exp(tau_m=10.0, tau_syn_E=5.0, tau_syn_I=5.0)
exc = sim.Population(40, cell, label="exc")
inh = sim.Population(12, cell, label="inh")
delays = RandomDistribution("uniform", (1.0, 12.0), rng=rng)
static = sim.StaticSynapse(weight=0.9, delay=delays)
sim.Projection(fast, exc, sim.FixedProbabilityConnector(0.2, rng=rng), static, label="fast to exc")
sim.Projection(slow, exc, sim.FixedProbabilityConnector(0.5, rng=rng), static, label="slow to exc")
sim.Projection(given, inh, sim.AllToAllConnector(), sim.StaticSynapse(weight=2.0, delay=4.0), label="given to inh")
weights = RandomDistribution("uniform", (0.0, 1.0), rng=rng)
some = sim.FixedProbabilityConnector(0.4, rng=rng)
within = sim.Projection(exc, inh, some, sim.StaticSynapse(weight=weights, delay=delays), label="exc to inh")
inhibiting = sim.StaticSynapse(weight=-0.5, delay=2.0)
back = sim.Projection(inh, exc, some, inhibiting, receptor_type="inhibitory", label="inh to exc")
{body}
"""
PLAIN = "sim.run(60.0)"
CHANGES = """
sim.run(25.0)
within.set(weight=[0.0 if k % 3 else 0.7 for k in range(within.size())])
sim.run(20.0)
fast.set(rate=400.0)
exc.set(i_offset=0.4)
sim.run(15.0)
sim.reset()
sim.run(33.0)
"""


def ran(tmp_path, body: str, chip: str = "ideal", counted=COUNTED, threads: int = 1):
    (tmp_path / "net.py").write_text(NETWORK.format(body=body))
    target = replace(parse_target(f"reference:{chip}"), options={"profile": True, "threads": threads})
    done = run_script(
        tmp_path / "net.py", [], {"it": target}, tell=lambda _: None, record_all_spikes=True, counted=counted
    )
    return done.outcomes[0]


def by_hand(outcome) -> dict[str, list[int]]:
    """Projection -> events and operations, spike by spike and synapse by synapse."""
    counted: dict[str, list[int]] = {}
    rules = outcome.chip.rules
    for number in dict.fromkeys(stretch.segment for stretch in outcome.stretches):
        stretches = [stretch for stretch in outcome.stretches if stretch.segment == number]
        end = stretches[-1].start + stretches[-1].steps
        for stretch in stretches:
            for projection in stretch.network.projections:
                into = counted.setdefault(projection.label, [0, 0])
                for label, cell in spikes_of(stretch, projection.pre):
                    for place in np.flatnonzero(projection.source == cell):
                        # the step that takes what is due at a label has the number of the label, less input_label
                        if label + projection.delay[place] - rules.input_label < end:
                            into[0] += 1
                            into[1] += projection.weight[place] != 0
    return counted


def spikes_of(stretch, index: int) -> list[tuple[int, int]]:
    """Labels and cells of the recorded spikes of a population."""
    spikes = next(s for s in stretch.recordings.spikes if s.population == index)
    return [(round(t / stretch.network.timestep), n) for t, n in zip(spikes.times, spikes.neurons, strict=True)]


SOURCES_TOO = "for source in (fast, slow, given): source.record('spikes')\n"


@pytest.mark.parametrize("chip", ["ideal", "loihi1", "spinnaker1"])
@pytest.mark.parametrize("body", [PLAIN, CHANGES], ids=["plain", "changes"])
def test_events_are_those_of_every_spike_and_synapse(tmp_path, chip, body):
    outcome = ran(tmp_path, SOURCES_TOO + body, chip)
    activity = measure(outcome)
    assert {part.label: [part.events, part.operations] for part in activity.projections} == by_hand(outcome)
    for part in activity.populations:
        index = [population.label for population in outcome.stretches[-1].network.populations].index(part.label)
        spikes = [spike for stretch in outcome.stretches for spike in spikes_of(stretch, index)]
        assert part.spikes == len(spikes)
        assert part.cell_spikes is not None and np.array_equal(
            part.cell_spikes, np.bincount([cell for _, cell in spikes], minlength=part.size)
        )


def test_sources_need_not_be_recorded(tmp_path):
    without, recorded = (measure(ran(tmp_path, body)) for body in (CHANGES, SOURCES_TOO + CHANGES))
    assert without.source_spikes == recorded.source_spikes
    assert [part.events for part in without.projections] == [part.events for part in recorded.projections]


@pytest.mark.parametrize("chip", ["ideal", "loihi1", "loihi2"])
def test_events_are_those_that_the_engine_delivers(tmp_path, chip):
    outcome = ran(tmp_path, PLAIN, chip)
    delivered = sum(s.events for s in outcome.stretches[-1].recordings.profile if s.unit == SYNAPTIC_EVENTS)
    assert measure(outcome).events == delivered > 5_000


def test_counts_do_not_depend_on_threads_or_on_pieces(tmp_path):
    whole = measure(ran(tmp_path, PLAIN))
    for other in (ran(tmp_path, PLAIN, threads=2), ran(tmp_path, "sim.run(7.0)\nsim.run(1.0)\nsim.run(52.0)")):
        found = measure(other)
        assert [vars(part) for part in found.projections] == [vars(part) for part in whole.projections]
        assert (found.active, found.membrane_updates) == (whole.active, whole.membrane_updates)


def test_updates_are_active_where_the_membrane_potential_changes(tmp_path):
    outcome = ran(tmp_path, CHANGES)
    activity = measure(outcome)
    for index, part in enumerate(activity.populations[3:], start=3):
        active = membrane = 0
        for stretch in outcome.stretches:
            (v,) = (s.values for s in stretch.recordings.signals if (s.population, s.variable) == (index, "v"))
            changed = [(after != before).sum() for before, after in pairwise(v)]
            active += sum(changed)
            membrane += sum(changed) + (part.size - changed[0] if stretch.start == 0 else 0)
        assert (part.active, part.membrane_updates) == (active, membrane)
        assert part.inactive == part.updates - active == part.size * (60 + 33) - active > 0


def test_what_was_not_recorded_is_unknown(tmp_path):
    activity = measure(ran(tmp_path, PLAIN, counted=()))
    assert (activity.active, activity.membrane_updates) == (None, None)
    assert activity.events and activity.spikes


def test_the_script_sees_what_it_asked_for(tmp_path, capsys):
    body = (
        "exc[3:5].record('v', sampling_interval=4.0)\nsim.run(60.0)\n"
        "segment = exc.get_data().segments[0]\nprint(segment.analogsignals[0].shape, len(segment.spiketrains))\n"
    )
    ran(tmp_path, body)
    assert capsys.readouterr().out == "(16, 2) 0\n"


def test_networks_of_two_setups_are_told_apart(tmp_path):
    body = "sim.run(20.0)\nsim.setup(timestep=0.5)\nsim.Population(2, sim.IF_curr_exp(), label='two')\nsim.run(10.0)"
    outcome = ran(tmp_path, body)
    (_, first), (network, second) = measured(outcome)
    assert (len(first.populations), first.duration, first.updates) == (5, 20.0, 52 * 20)
    assert (network.timestep, second.duration, second.updates) == (0.5, 10.0, 2 * 20)
    assert measure(outcome).updates == 52 * 20 + 2 * 20


def test_populations_that_come_in_mid_run_count_from_then_on(tmp_path):
    body = (
        "sim.run(20.0)\nnew = sim.Population(5, sim.IF_curr_exp(), label='new')\n"
        "sim.Projection(given, new, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.0, delay=1.0), label='later')\n"
        "sim.run(40.0)"
    )
    activity = measure(ran(tmp_path, body))
    (new,) = [part for part in activity.populations if part.label == "new"]
    (later,) = [part for part in activity.projections if part.label == "later"]
    assert (new.updates, later.dense) == (5 * 40, 15 * 40)
    assert later.events == 15  # the spike at 59 ms is due at 60; that at 60 would be due at 61


def test_synapses_that_learn_are_updates_of_weights(tmp_path):
    body = (
        "rule = sim.STDPMechanism(timing_dependence=sim.SpikePairRule(), "
        "weight_dependence=sim.AdditiveWeightDependence(w_max=1.0), weight=0.0, delay=1.0)\n"
        "sim.Projection(slow, inh, sim.AllToAllConnector(), rule, label='plastic')\nsim.run(60.0)"
    )
    activity = measure(ran(tmp_path, body))
    (plastic,) = [part for part in activity.projections if part.label == "plastic"]
    assert plastic.events and plastic.weight_updates == plastic.events == plastic.operations
    assert activity.weight_updates == plastic.events


GRADED = """
import pyNN.evsim as sim

sim.setup(timestep=1.0)
given = sim.Population(2, sim.SpikeSourceArray(spike_times=[[1.0, 4.0], [2.0]]))
{cells}
later = sim.Population(3, sim.IF_curr_exp(tau_syn_E=5.0, tau_syn_I=5.0))
sim.Projection(given, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight={weight}, delay=1.0), label="in")
sim.Projection(cells, later, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.0, delay=1.0), label="out")
sim.run(30.0)
"""


@pytest.mark.parametrize(
    ("cells", "weight", "multiplies"),
    [
        ("cells = sim.Population(4, sim.SigmaDelta(vth=0.5, spike_exp=4, state_exp=4))", 2.6, True),
        ("cells = sim.Population(4, sim.TernaryLIF(v_thresh_hi=-62.0, v_thresh_lo=-80.0))", 8.0, False),
    ],
    ids=["numbers", "signs"],
)
def test_operations_multiply_where_spikes_carry_numbers(tmp_path, cells, weight, multiplies):
    (tmp_path / "net.py").write_text(GRADED.format(cells=cells, weight=weight))
    target = {"it": parse_target("reference:ideal")}
    done = run_script(tmp_path / "net.py", [], target, tell=lambda _: None, record_all_spikes=True, counted=COUNTED)
    into, out = measure(done.outcomes[0]).projections
    assert (into.multiplies, out.multiplies) == (False, multiplies)
    assert out.operations


def test_no_spike_arrives_over_a_gap_junction(tmp_path):
    body = """
pair = sim.Population(2, sim.IF_curr_exp(i_offset=2.0), label="pair")
gap = sim.ElectricalSynapse(weight=0.001)
sim.Projection(pair[:1], pair[1:], sim.OneToOneConnector(), gap, label="gap")
sim.run(60.0)
"""
    activity = measure(ran(tmp_path, body))
    assert {part.label: part.spikes for part in activity.populations}["pair"]
    found = {part.label: part for part in activity.projections}["gap"]
    assert (found.synapses, found.events, found.operations, found.dense) == (1, 0, 0, 60)


def test_drawing_windows_of_a_source_changes_nothing(nets, monkeypatch, tmp_path):
    from evsim.energy import count

    whole = measure(ran(tmp_path, PLAIN))
    monkeypatch.setattr(count, "WINDOW_SPIKES", 7)
    monkeypatch.setattr(count, "WINDOW_VALUES", 50)
    pieces = measure(ran(tmp_path, PLAIN))
    assert [vars(part) for part in pieces.projections] == [vars(part) for part in whole.projections]
    assert (pieces.source_spikes, pieces.active) == (whole.source_spikes, whole.active)


def test_an_activity_of_plain_counts():
    ann = Activity.of_counts(operations=1161, multiplies=True, dense=2368, updates=42, neurons=42, synapses=2368)
    assert (ann.multiply_accumulates, ann.accumulates, ann.dense, ann.updates) == (1161, 0, 2368, 42)
    assert (ann.events, ann.neurons, ann.synapses, ann.active) == (1161, 42, 2368, None)
    snn = Activity.of_counts(operations=1981, events=2000, updates=336, neurons=42, spikes=30, active=100)
    assert (snn.accumulates, snn.events, snn.updates, snn.active, snn.spikes) == (1981, 2000, 336, 100, 30)
    assert snn.activation_sparsity == pytest.approx(1 - 30 / 336)
