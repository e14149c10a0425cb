"""The engine: what the rule sets promise about time, cutting a run, changes while it runs, and injected currents."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evsim import registry
from evsim.backend import Target
from evsim.errors import BackendError, UnknownNameError
from evsim.network import Current
from evsim.reference import ReferenceBackend


def start(network, chip="ideal"):
    return ReferenceBackend().start(network, Target("reference", chip))


def recurrent(nets, seed, n=30):
    rng = np.random.default_rng(seed)
    populations = (nets.cells(n, v_reset=-70.0, tau_refrac=1.0), nets.poisson(10, 80.0))
    projections = (
        nets.connect(0, 0, nets.random_rows(rng, n, n, 200, (0.0, 1.0), 20)),
        nets.connect(0, 0, nets.random_rows(rng, n, n, 80, (-2.0, 0.0), 20), "inhibitory"),
        nets.connect(1, 0, nets.random_rows(rng, 10, n, 100, (0.5, 3.0), 20)),
    )
    return nets.Network(0.5, populations, projections, (), nets.record_all(populations, "spikes", "v"), seed=seed)


def same(a, b):
    return all(
        np.array_equal(x.times, y.times) and np.array_equal(x.neurons, y.neurons)
        for x, y in zip(a.spikes, b.spikes, strict=True)
    ) and all(
        np.array_equal(x.values, y.values) and np.array_equal(x.times, y.times)
        for x, y in zip(a.signals, b.signals, strict=True)
    )


@given(st.integers(0, 10**6), st.lists(st.integers(0, 90), max_size=4))
@settings(derandomize=True, deadline=None, max_examples=20)
def test_a_run_cut_into_pieces_is_the_same_run(nets, seed, pieces):
    network = recurrent(nets, seed)
    whole = nets.run(network, 400)
    assert len(whole.spikes[0].times) > 0
    assert same(whole, nets.run(network, 400, pieces=[*pieces, 400 - sum(pieces)]))


def test_reset_repeats_the_run(nets):
    session = start(recurrent(nets, 3))
    session.run(300)
    first = session.recordings()
    session.reset()
    session.run(300)
    assert same(first, session.recordings())


def test_clear_forgets_and_starts_again_with_the_present_sample(nets):
    network = recurrent(nets, 5)
    whole = nets.run(network, 200)
    session = start(network)
    session.run(120)
    session.clear()
    assert len(session.recordings().spikes[0].times) == 0
    session.run(80)
    rest = session.recordings()
    assert np.array_equal(rest.signals[0].times, np.arange(120, 201) * 0.5)
    assert np.array_equal(rest.signals[0].values, whole.signals[0].values[120:])
    assert np.array_equal(rest.spikes[0].times, whole.spikes[0].times[whole.spikes[0].times > 60.0])


def test_a_spike_reaches_v_one_step_after_its_delay(nets):
    # Spike labelled 10 ms over 7 steps: the current jumps at 17 ms and v has moved at 18 ms.
    populations = (nets.cells(1), nets.array_source([[10.0]]))
    network = nets.Network(
        1.0, populations, (nets.connect(1, 0, [(0, 0, 1.0, 7)]),), (), nets.record_all(populations, "v", "isyn_exc")
    )
    v, current = (signal.values[:, 0] for signal in nets.run(network, 30).signals)
    assert np.flatnonzero(current)[0] == 17
    assert np.flatnonzero(v != -65.0)[0] == 18


def test_a_spike_at_time_zero_counts(nets):
    populations = (nets.cells(1), nets.array_source([[0.0]]))
    network = nets.Network(
        1.0,
        populations,
        (nets.connect(1, 0, [(0, 0, 1.0, 3)]),),
        (),
        nets.record_all(populations, "spikes", "isyn_exc"),
    )
    recordings = nets.run(network, 10)
    assert recordings.spikes[1].times.tolist() == [0.0]
    assert np.flatnonzero(recordings.signals[0].values[:, 0])[0] == 3


def test_given_times_are_recorded_as_given(nets):
    populations = (nets.array_source([[1.03, 2.5], [0.4]]),)
    recordings = nets.run(nets.Network(0.1, populations, (), (), nets.record_all(populations, "spikes")), 50)
    assert recordings.spikes[0].times.tolist() == [0.4, 1.03, 2.5]
    assert recordings.spikes[0].neurons.tolist() == [1, 0, 0]


def test_a_probe_of_some_cells_records_those_at_its_interval(nets):
    network = recurrent(nets, 8)
    whole = nets.run(network, 100)
    chosen = np.array([2, 5, 11], np.int32)
    some = nets.run(replace(network, probes=(nets.Probe(0, "v", chosen, 4), nets.Probe(0, "spikes", chosen))), 100)
    assert np.array_equal(some.signals[0].values, whole.signals[0].values[::4][:, chosen])
    mine = np.isin(whole.spikes[0].neurons, chosen)
    assert np.array_equal(some.spikes[0].times, whole.spikes[0].times[mine])


def test_poisson_counts_have_the_mean_and_variance_of_their_rate(nets):
    populations = (nets.poisson(400, 50.0, start=100.0, duration=800.0),)
    spikes = nets.run(nets.Network(1.0, populations, (), (), nets.record_all(populations, "spikes")), 2000).spikes[0]
    assert spikes.times.min() >= 100.0 and spikes.times.max() <= 901.0
    counts = np.bincount(spikes.neurons, minlength=400)
    # Mean 40 of 400 Poisson counts: standard errors 0.32 of the mean, about 2.9 of the variance; four of each.
    assert abs(counts.mean() - 40.0) < 1.3
    assert abs(counts.var() - 40.0) < 12.0


def test_a_new_rate_holds_from_now_on(nets):
    populations = (nets.poisson(200, 20.0),)
    network = nets.Network(1.0, populations, (), (), nets.record_all(populations, "spikes"))
    session = start(network)
    session.run(1000)
    before = session.recordings().spikes[0]
    session.update(replace(network, populations=(nets.poisson(200, 100.0),)))
    session.run(1000)
    after = session.recordings().spikes[0]
    kept = after.times <= 1000.0
    assert np.array_equal(after.times[kept], before.times)
    assert abs((~kept).sum() - 20000) < 4 * 20000**0.5


def test_a_weight_changed_under_way_leaves_sent_spikes_alone(nets):
    # NEST gives a spike the weight that its synapse has when it is sent.
    populations = (nets.cells(1), nets.array_source([[1.0, 6.0]]))
    network = nets.Network(
        1.0, populations, (nets.connect(1, 0, [(0, 0, 1.0, 5)]),), (), nets.record_all(populations, "isyn_exc")
    )
    session = start(network)
    session.run(3)
    session.update(replace(network, projections=(nets.connect(1, 0, [(0, 0, 3.0, 5)]),)))
    session.run(12)
    current = session.recordings().signals[0].values[:, 0]
    decay = np.exp(-1 / 5.0)
    assert current[6] == 1.0
    assert current[11] == pytest.approx(decay**5 + 3.0, abs=1e-12)


def test_a_delay_changed_under_way_keeps_what_is_due(nets):
    populations = (nets.cells(1), nets.array_source([[1.0, 6.0]]))
    network = nets.Network(
        1.0, populations, (nets.connect(1, 0, [(0, 0, 1.0, 3)]),), (), nets.record_all(populations, "isyn_exc")
    )
    session = start(network)
    session.run(2)
    session.update(replace(network, projections=(nets.connect(1, 0, [(0, 0, 1.0, 12)]),)))
    session.run(20)
    current = session.recordings().signals[0].values[:, 0]
    rises = np.flatnonzero(np.diff(current) > 0) + 1
    assert rises.tolist() == [4, 18]


def test_new_initial_values_are_the_state_now(nets):
    populations = (nets.cells(2),)
    network = nets.Network(1.0, populations, (), (), nets.record_all(populations, "v"))
    session = start(network)
    session.run(5)
    moved = replace(populations[0], initial={**populations[0].initial, "v": np.array([-60.0, -65.0])})
    session.update(replace(network, populations=(moved,)))
    session.run(1)
    assert session.recordings().signals[0].values[-1] == pytest.approx([-65 + 5 * np.exp(-1 / 20), -65.0], abs=1e-12)


@pytest.mark.parametrize(("model", "variable"), [("IF_curr_exp", "isyn_exc"), ("IF_cond_exp", "gsyn_exc")])
def test_on_spinnaker_the_present_sample_is_that_of_what_was_set(nets, model, variable):
    """The firmware adds the input of a label to the synapses before it pauses, and samples them when it goes on."""
    cells = nets.cells(2, model=model, e_rev_E=0.0, e_rev_I=-70.0)
    network = nets.Network(1.0, (cells,), probes=nets.record_all((cells,), variable))
    simulation = ReferenceBackend().start(network, Target("reference", "spinnaker1"))
    simulation.run(5)
    times = {variable: np.ones(2, np.int32)}
    anew = replace(cells, initial={**cells.initial, variable: np.array([0.5, 0.25])}, times_set=times)
    simulation.update(replace(network, populations=(anew,)))
    simulation.run(3)
    (signal,) = simulation.recordings().signals
    assert signal.times.tolist() == list(range(9))
    assert signal.values[4].tolist() == [0.0, 0.0] and signal.values[5].tolist() == [0.5, 0.25]
    kept = signal.values[6:] / signal.values[5:-1]
    np.testing.assert_allclose(kept, np.exp(-1 / 5.0), rtol=0.01)  # it lasts, and decays


def test_growth_is_refused_by_name_of_the_remedy(nets):
    populations = (nets.cells(2),)
    session = start(nets.Network(1.0, populations))
    session.run(1)
    with pytest.raises(BackendError, match="reset"):
        session.update(nets.Network(1.0, (*populations, nets.cells(2, "more"))))


def test_currents_add_up_and_end(nets):
    # Steady state of R I: 20 MOhm times the sum of the amplitudes that are on.
    populations = (nets.cells(2, tau_m=0.1, cm=0.005, v_thresh=1e9),)

    def current(cells, times, amplitudes):
        return Current("dc", 0, np.array(cells, np.int32), np.array(times, float), np.array(amplitudes, float))

    currents = (current([0, 1], [2.0, 6.0], [0.1, 0.0]), current([1], [4.0], [0.2]))
    network = nets.Network(1.0, populations, (), currents, nets.record_all(populations, "v"))
    v = nets.run(network, 10).signals[0].values + 65.0
    assert v[[2, 4, 6, 8]] == pytest.approx(np.array([[0, 0], [2, 2], [2, 6], [0, 4]]), abs=2e-3)


def test_a_change_that_asks_for_other_loops_counts_their_updates_too(nets):
    """Populations that had the same loop no longer do once a current comes to one of them."""
    populations = tuple(nets.cells(5, f"cells {k}", i_offset=1.0) for k in range(3))
    network = nets.Network(0.1, populations)
    session = ReferenceBackend().start(network, Target("reference", "ideal", {"profile": True}))
    session.run(10)
    current = Current("pulse", 1, np.arange(3), np.array([1.5]), np.array([0.1]))
    session.update(replace(network, currents=(current,)))
    session.run(20)
    (updates,) = [stage for stage in session.recordings().profile if stage.name.startswith("update")]
    assert (updates.name, updates.events) == ("update of IF_curr_exp", 15 * 30)


def test_a_source_of_an_unknown_generator_is_refused(nets, monkeypatch):
    """A package may bring a source; one whose generator there is not must not pass for another."""
    brought = replace(registry.models()["SpikeSourcePoisson"], name="Brought", draw="bursts")
    models = {**registry.models(), "Brought": brought}
    monkeypatch.setattr(registry, "models", lambda: models)
    with pytest.raises(UnknownNameError, match="generator of spikes named 'bursts'"):
        start(nets.Network(1.0, (replace(nets.poisson(3, 100.0), model="Brought"),)))


def test_a_network_of_sources_alone_runs(nets):
    populations = (nets.poisson(3, 100.0),)
    assert len(
        nets.run(nets.Network(1.0, populations, (), (), nets.record_all(populations, "spikes")), 500).spikes[0].times
    )


def test_all_neurons_may_spike_in_every_step(nets):
    # 40,000 spikes a step overrun any block's first buffer: the loop must hand them over, not lose them.
    populations = (nets.cells(40_000, v_thresh=-100.0, v_reset=-65.0, tau_refrac=0.0),)
    spikes = nets.run(nets.Network(1.0, populations, (), (), nets.record_all(populations, "spikes")), 20).spikes[0]
    assert len(spikes.times) == 800_000


@pytest.mark.parametrize("chip", ["loihi1", "loihi2", "loihi2_microcode", "spinnaker1"])
@pytest.mark.parametrize("factor", [0.05, 30.0])
def test_a_new_scale_of_weights_leaves_what_is_under_way_as_it_was(nets, chip, factor):
    # The second projection changes so much that the chip scales all weights anew; the first one's spikes, one in the
    # state and one under way, must go on as if nothing had happened.
    populations = (nets.cells(1), nets.array_source([[1.0, 8.0]]), nets.array_source([[]], "silent"))
    first = nets.connect(1, 0, [(0, 0, 2.0, 5)])

    def network(weight):
        other = nets.connect(2, 0, [(0, 0, weight, 1)])
        return nets.Network(1.0, populations, (first, other), (), nets.record_all(populations, "v", "isyn_exc"))

    session = start(network(1.0), chip)
    session.run(10)
    session.update(network(factor))
    session.run(20)
    changed = session.recordings().signals
    alone = nets.run(network(1.0), 30, chip).signals
    for one, other in zip(changed, alone, strict=True):
        assert np.abs(other.values - other.values[0]).max() > 1.0
        assert np.abs(one.values - other.values).max() < 0.01 * np.abs(other.values - other.values[0]).max()


@pytest.mark.parametrize("chip", ["ideal", "loihi2", "spinnaker1"])
def test_a_changed_parameter_leaves_what_was_recorded_alone(nets, chip):
    # ideal keeps v - v_rest and Loihi v - v_reset in units of its own: old samples must be read in the old way.
    populations = (nets.cells(3, i_offset=0.5),)
    network = nets.Network(1.0, populations, (), (), nets.record_all(populations, "v"))
    session = start(network, chip)
    session.run(50)
    before = session.recordings().signals[0].values
    moved = nets.cells(3, v_rest=-70.0, v_reset=-72.0, tau_m=10.0)
    session.update(replace(network, populations=(moved,)))
    session.run(200)
    v = session.recordings().signals[0].values
    assert np.array_equal(v[:51], before)
    assert np.abs(v[51] - v[50]).max() < 2.0
    assert v[-1] == pytest.approx([-70.0] * 3, abs=0.05)
