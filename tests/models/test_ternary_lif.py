"""TernaryLIF: its mirror image, its spikes of either sign, and what these deliver."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evsim import registry
from evsim.backend import Target
from evsim.chip import load_chip
from evsim.deploy.check import check
from evsim.deploy.quantise import quantise
from evsim.engine.simulation import Simulation
from evsim.network import Network
from evsim.recording import Recordings

CHIPS = ["ideal", "loihi2"]
STEPS = 200


def signal(recordings: Recordings, population: int, variable: str) -> np.ndarray:
    (found,) = [s for s in recordings.signals if (s.population, s.variable) == (population, variable)]
    return found.values


def network(nets, rows, *, sign=1, onto=(), dt=1.0, trains=None, **cell) -> Network:
    """A source onto ternary cells, and these onto leaky ones with the rows ``onto``."""
    values = {"tau_refrac": 0.0, "v_thresh_hi": -55.0, "v_thresh_lo": -75.0, **cell}
    values["i_offset"] = sign * np.asarray(values.get("i_offset", 0.0))
    populations = (
        nets.array_source(trains if trains is not None else [[]]),
        nets.cells(3, "ternary", "TernaryLIF", **values),
        nets.cells(2, "leaky", v_thresh=100.0, tau_refrac=0.0),
    )
    signed = [(pre, post, sign * weight, delay) for pre, post, weight, delay in rows]
    projections = (nets.connect(0, 1, signed), nets.connect(1, 2, list(onto)))
    probes = (
        *nets.record_all(populations, "spikes"),
        *(nets.Probe(1, name, np.arange(3, dtype=np.int32)) for name in ("v", "payload")),
        *(nets.Probe(2, name, np.arange(2, dtype=np.int32)) for name in ("v", "isyn_exc")),
    )
    return Network(dt, populations, projections, (), probes)


drawn = given(seed=st.integers(0, 99), chip=st.sampled_from(CHIPS), dt=st.sampled_from([0.5, 1.0]))
some = settings(derandomize=True, deadline=None, max_examples=20)


def random_input(nets, seed: int, dt: float) -> dict:
    rng = np.random.default_rng(seed)
    trains = [np.sort(rng.choice(np.arange(STEPS), 15)) * dt for _ in range(6)]
    rows = nets.random_rows(rng, 6, 3, 20, (-3.0, 5.0), 9)
    return {"rows": rows, "trains": trains, "dt": dt, "i_offset": rng.uniform(-1, 1, 3)}


@drawn
@some
def test_opposite_input_sends_the_opposite(nets, seed, chip, dt):
    given = random_input(nets, seed, dt)
    one, other = (nets.run(network(nets, sign=sign, **given), STEPS, chip) for sign in (1, -1))
    assert np.array_equal(one.spikes[1].times, other.spikes[1].times)
    assert np.array_equal(signal(one, 1, "payload"), -signal(other, 1, "payload"))
    np.testing.assert_allclose(signal(one, 1, "v") + 65.0, -65.0 - signal(other, 1, "v"), rtol=0, atol=1e-9)


@drawn
@some
def test_a_spike_carries_1_or_minus_1(nets, seed, chip, dt):
    recordings = nets.run(network(nets, **random_input(nets, seed, dt)), STEPS, chip)
    payload, spikes = signal(recordings, 1, "payload"), recordings.spikes[1]
    assert set(np.unique(payload)) <= {-1.0, 0.0, 1.0}
    label, cell = np.nonzero(payload)
    assert np.array_equal(np.rint(spikes.times / dt), label) and np.array_equal(spikes.neurons, cell)


@pytest.mark.parametrize("chip", CHIPS)
def test_the_threshold_that_is_reached_decides_the_sign(nets, chip):
    recordings = nets.run(network(nets, [], i_offset=[1.0, -1.0, 0.1]), STEPS, chip)
    totals = signal(recordings, 1, "payload").sum(axis=0)
    assert totals[0] > 5 and totals[1] < -5 and totals[2] == 0


@drawn
@some
def test_what_a_spike_delivers_has_its_sign(nets, seed, chip, dt):
    """The leaky cells do what they do where two sources send the spikes of either sign, over weights of that sign."""
    rng = np.random.default_rng(seed)
    onto = nets.random_rows(rng, 3, 2, 12, (-2.0, 2.0), 5)
    recordings = nets.run(network(nets, onto=onto, **random_input(nets, seed, dt)), STEPS, chip)
    payload = signal(recordings, 1, "payload")
    trains = [np.flatnonzero(payload[:, cell] == sign) * dt for sign in (1, -1) for cell in range(3)]
    both = [(pre + 3 * k, post, sign * w, d) for pre, post, w, d in onto for k, sign in enumerate((1, -1))]
    populations = (nets.array_source(trains), nets.cells(2, v_thresh=100.0, tau_refrac=0.0))
    probes = [nets.Probe(1, name, np.arange(2, dtype=np.int32)) for name in ("v", "isyn_exc")]
    replayed = nets.run(Network(dt, populations, (nets.connect(0, 1, both),), (), tuple(probes)), STEPS, chip)
    atol = 1e-9 if chip == "ideal" else 0  # sums are made in another order
    for at, variable in enumerate(("v", "isyn_exc")):
        np.testing.assert_allclose(signal(recordings, 2, variable), replayed.signals[at].values, rtol=0, atol=atol)


@pytest.mark.parametrize("chip", CHIPS)
def test_the_pieces_of_a_run_and_the_threads_do_not_matter(nets, chip):
    rng = np.random.default_rng(1)
    populations = (nets.poisson(20, 200.0), nets.cells(1200, model="TernaryLIF", v_thresh_lo=-68.0, v_thresh_hi=-62.0))
    rows = [(0, 1, nets.random_rows(rng, 20, 1200, 6000, (-2.0, 2.0), 4))]
    rows += [(1, 1, nets.random_rows(rng, 1200, 1200, 6000, (-1.0, 1.0), 4))]
    net = Network(
        1.0, populations, tuple(nets.connect(*row) for row in rows), (), nets.record_all(populations, "spikes", "v")
    )
    whole, cut = nets.run(net, 60, chip), nets.run(net, 60, chip, pieces=[1, 20, 39])
    side_by_side = Simulation(quantise(net, load_chip(chip)), threads=2)
    side_by_side.run(60)
    assert len(whole.spikes[1].times) > 100
    for other in (cut, side_by_side.recordings()):
        assert np.array_equal(whole.spikes[1].times, other.spikes[1].times)
        assert np.array_equal(whole.signals[0].values, other.signals[0].values)


@pytest.mark.parametrize("chip", CHIPS)
def test_what_was_sent_keeps_the_weight_it_had(nets, chip):
    """Weights change while spikes of either sign are under way, over delays of 5 steps; the largest one stays."""
    before, after = (
        network(nets, [], onto=[(0, 0, w, 5), (1, 1, w, 5), (2, 0, 1.0, 5)], i_offset=[1.0, -1.0, 0.0])
        for w in (1.0, 0.0)
    )
    whole = nets.run(before, STEPS, chip)
    first = int(np.flatnonzero(signal(whole, 1, "payload")[:, 0])[0])
    session = registry.backend("reference").start(before, Target("reference", chip))
    session.run(first + 2)
    session.update(replace(before, projections=after.projections))
    session.run(4)
    current = signal(session.recordings(), 2, "isyn_exc")
    assert np.array_equal(current, signal(whole, 2, "isyn_exc")[: len(current)])
    assert current[-1, 0] == -current[-1, 1] > 0
    session.run(100)
    assert np.abs(signal(session.recordings(), 2, "isyn_exc")[-50:]).max() < 1e-3


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"v_thresh_lo": -60.0}, "v_thresh_lo is not below v_reset in 3 of 3 cells"),
        ({"v_thresh_hi": -65.0}, "v_thresh_hi is not above v_reset in 3 of 3 cells"),
    ],
)
def test_thresholds_on_one_side_are_refused(nets, changed, message):
    (problem,) = check(network(nets, [], **changed), load_chip("loihi2"))
    assert message in str(problem)


def test_its_cores_and_other_chips(nets):
    net = network(nets, [])
    assert not check(net, load_chip("loihi2"))
    (problem,) = check(net, load_chip("spinnaker1"))
    assert "the cell TernaryLIF" in str(problem)
