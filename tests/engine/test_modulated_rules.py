"""Rules other than additive pairs under dopamine, against a simulation of each synapse from event to event."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from builders import array_source, cells, connect, random_rows
from evsim.chip import load_chip
from evsim.deploy.check import check
from evsim.deploy.quantise import quantise
from evsim.engine.simulation import Simulation
from evsim.modulation import Modulation
from evsim.network import Network, Plasticity, Probe, Trains

DT = 0.5
MODULATION = Modulation(tau_c=200.0, tau_d=60.0, w_min=0.05, w_max=1.4, baseline=0.001)
PAIRS = {"tau_plus": 15.0, "tau_minus": 25.0, "A_plus": 0.2, "A_minus": 0.3}
VOGELS = {"tau": 20.0, "A_plus": 0.3, "A_minus": 0.0, "alpha": 0.25}
RULES = {
    "multiplicative": ("SpikePairRule", "MultiplicativeWeightDependence", PAIRS),
    "additive and multiplicative": ("SpikePairRule", "AdditivePotentiationMultiplicativeDepression", PAIRS),
    "additive": ("SpikePairRule", "AdditiveWeightDependence", PAIRS),
    "Vogels": ("Vogels2011Rule", "AdditiveWeightDependence", VOGELS),
}
BOUNDS = {"w_min": 0.2, "w_max": 2.0}


def network(name: str, fraction: float) -> Network:
    """Eight sources onto four neurons, by plastic synapses; reward and punishment; some spikes twice."""
    timing, weight, given = RULES[name]
    rng = np.random.default_rng(11)
    trains = [np.sort(rng.integers(1, 1600, 50)) * DT for _ in range(8)]
    doses = [np.sort(rng.integers(1, 1600, 12)) * DT for _ in range(2)]
    populations = (
        array_source(trains),
        cells(4, tau_refrac=1.0, i_offset=rng.uniform(0.6, 1.0, 4)),
        array_source(doses, "doses"),
    )
    learns = connect(0, 1, random_rows(rng, 8, 4, 24, (0.3, 1.0), 9))
    rule = Plasticity(timing, weight, {**given, **BOUNDS}, fraction)
    dosing = [
        replace(
            connect(2, 1, random_rows(rng, 2, 4, 6, (0.0, 0.004), 5), receptor),
            synapse="Neuromodulation",
            modulation=MODULATION,
        )
        for receptor in ("reward", "punishment")
    ]
    projections = (replace(learns, synapse="STDPMechanism", plasticity=rule), *dosing)
    return Network(DT, populations, projections, (), (Probe(1, "spikes", np.arange(4, dtype=np.int32)),))


def given_trains(net: Network, index: int) -> Trains:
    trains = net.populations[index].trains
    assert trains is not None
    return trains


def changes(name: str, eligibility: float, trace: float, is_post: bool) -> float:
    """What an event does to an eligibility, with what the other side's spikes have left there."""
    _, _, given = RULES[name]
    if name == "Vogels":
        return given["A_plus"] * (trace - (0.0 if is_post else given["alpha"]))
    if is_post:
        room = BOUNDS["w_max"] - (eligibility if name == "multiplicative" else 0.0)
        return given["A_plus"] * room * trace
    room = BOUNDS["w_max"] if name == "additive" else eligibility - BOUNDS["w_min"]
    return -given["A_minus"] * room * trace


def one_synapse(name: str, weight: float, arrivals, reached, doses, end: float, post_first: bool) -> float:
    """The weight at the end; spikes that meet make no pair."""
    given = RULES[name][2]
    tau_plus, tau_minus = (given.get(tau, given.get("tau")) for tau in ("tau_plus", "tau_minus"))
    m = MODULATION
    posts = [(t, 0 if post_first else 2, t) for t in reached]
    events = posts + [(t, 1, t) for t in arrivals] + [(t, 3, dose) for t, dose in doses]
    time = eligibility = dopamine = 0.0
    for at, kind, value in [*sorted(events), (end, 4, 0.0)]:
        # a fine sum would do, too; dopamine above the baseline moves a weight one way, below it the other
        parts = [at - time]
        if dopamine > m.baseline > 0 and (turn := m.tau_d * np.log(dopamine / m.baseline)) < at - time:
            parts = [turn, at - time - turn]
        for part in parts:
            rate = 1 / m.tau_c + 1 / m.tau_d
            gain = dopamine * -np.expm1(-part * rate) / rate - m.baseline * m.tau_c * -np.expm1(-part / m.tau_c)
            weight = min(max(weight + eligibility * gain, m.w_min), m.w_max)
            eligibility, dopamine = eligibility * np.exp(-part / m.tau_c), dopamine * np.exp(-part / m.tau_d)
        time = at
        if kind in (0, 2):
            trace = sum(np.exp(-(at - t) / tau_plus) for t in arrivals if t < at - DT / 4)
            eligibility += changes(name, eligibility, trace, is_post=True)
        elif kind == 1:
            trace = sum(np.exp(-(at - t) / tau_minus) for t in reached if t < at - DT / 4)
            eligibility += changes(name, eligibility, trace, is_post=False)
        elif kind == 3:
            dopamine += value
    return weight


@pytest.mark.parametrize("fraction", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("name", RULES)
def test_weights_are_those_of_each_synapse_by_itself(name: str, fraction: float):
    net = network(name, fraction)
    simulation = Simulation(quantise(net, load_chip("ideal")))
    for steps in (500, 1100):  # past a sweep
        simulation.run(steps)
    end = 1600 * DT
    (spikes,) = simulation.recordings().spikes
    doses: list[list[tuple[float, float]]] = [[] for _ in range(4)]
    for projection in net.projections[1:]:
        sign = 1.0 if projection.receptor == "reward" else -1.0
        for i, j, amount, steps in zip(
            projection.source, projection.target, projection.weight, projection.delay, strict=True
        ):
            due = given_trains(net, 2).of(i) + steps * DT
            doses[j] += [(t, sign * amount) for t in due if t <= end]
    learns, found = net.projections[0], simulation.weights(0)
    wanted = []
    for i, j, weight, steps in zip(learns.source, learns.target, learns.weight, learns.delay, strict=True):
        lag = round(fraction * steps) * DT
        arrivals = [t + steps * DT - lag for t in given_trains(net, 0).of(i) if t + steps * DT <= end]
        reached = [t + lag for t in spikes.times[spikes.neurons == j] if t + lag <= end]
        wanted.append(one_synapse(name, weight, arrivals, reached, doses[j], end, post_first=lag > 0))
    assert len(spikes.times) > 60 and np.ptp(found - learns.weight) > 0.01
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ["multiplicative", "Vogels"])
def test_neither_threads_nor_pieces_change_a_bit(name: str):
    net = network(name, 0.5)
    found = []
    for threads, pieces in ((1, [1600]), (2, [3, 1020, 1, 576])):
        simulation = Simulation(quantise(net, load_chip("ideal")), threads)
        for steps in pieces:
            simulation.run(steps)
            simulation.weights(0)
        found.append(simulation.weights(0))
    np.testing.assert_array_equal(*found)


def test_other_rules_are_refused():
    net = network("additive", 1.0)
    rule = net.projections[0].plasticity
    assert rule is not None
    guetig = {**rule.parameters, "mu_plus": 0.5, "mu_minus": 0.5}
    learns = replace(net.projections[0], plasticity=replace(rule, weight="GutigWeightDependence", parameters=guetig))
    found = check(replace(net, projections=(learns, *net.projections[1:])), load_chip("ideal"))
    assert found and all("SpikePairRule with GutigWeightDependence" in problem.what for problem in found)
    assert all("Vogels2011Rule and AdditiveWeightDependence" in problem.limit for problem in found)
