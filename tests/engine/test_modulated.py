"""Synapses that learn by dopamine, against sums over all pairs of spikes and all doses, written here independently."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from builders import array_source, cells, connect, random_rows
from evsim.chip import load_chip
from evsim.deploy.quantise import quantise
from evsim.engine import modulated
from evsim.engine.memory import BLOCK
from evsim.engine.simulation import Simulation
from evsim.modulation import Modulation
from evsim.network import Network, Plasticity, Probe, Projection

TAU_PLUS, TAU_MINUS, A_PLUS, A_MINUS, W_MAX = 15.0, 25.0, 0.02, 0.03, 2.0
FREE = Modulation(tau_c=300.0, tau_d=80.0, w_min=0.0, w_max=1e9, baseline=5e-7)
N_SOURCES, N_NEURONS = 12, 6


def rule(fraction: float, sign: float = 1.0) -> Plasticity:
    """Pairs, additive."""
    given = {"tau_plus": TAU_PLUS, "tau_minus": TAU_MINUS, "A_plus": A_PLUS, "A_minus": A_MINUS}
    bounds = {"w_min": 0.0, "w_max": sign * W_MAX}
    return Plasticity("SpikePairRule", "AdditiveWeightDependence", {**given, **bounds}, fraction)


def plastic(projection: Projection, fraction: float, sign: float = 1.0) -> Projection:
    return replace(projection, synapse="STDPMechanism", plasticity=rule(fraction, sign))


def dosing(pre: int, post: int, rows: list, receptor: str, modulation: Modulation) -> Projection:
    return replace(connect(pre, post, rows, receptor), synapse="Neuromodulation", modulation=modulation)


def network(
    seed: int,
    fraction: float,
    modulation: Modulation = FREE,
    timestep=0.5,
    duration=1500.0,
    size=N_NEURONS,
    dose=0.0001,
) -> Network:
    """Sources, a loop and inhibition, all plastic, onto neurons that are rewarded and punished."""
    rng = np.random.default_rng(seed)
    steps = round(duration / timestep)

    def trains(count: int, spikes: int) -> list:
        return [np.sort(rng.integers(1, steps, spikes)) * timestep for _ in range(count)]  # some of them twice

    populations = (
        array_source(trains(N_SOURCES, 60), "sources"),
        cells(size, "neurons", tau_refrac=1.0, i_offset=rng.uniform(0.5, 1.2, size)),
        array_source(trains(3, 25), "dopamine"),
    )
    inhibiting = random_rows(rng, N_SOURCES, size, 3 * size, (-0.9, -0.5), 9)
    projections = (
        plastic(connect(0, 1, random_rows(rng, N_SOURCES, size, 12 * size, (0.7, 1.5), 9)), fraction),
        dosing(2, 1, random_rows(rng, 3, size, 2 * size, (0.0, 0.03 * dose), 5), "reward", modulation),
        plastic(connect(1, 1, random_rows(rng, size, size, 4 * size, (0.4, 0.6), 9)), fraction),
        dosing(2, 1, random_rows(rng, 3, size, size, (0.0, 0.02 * dose), 5), "punishment", modulation),
        plastic(connect(0, 1, inhibiting, "inhibitory"), fraction, -1.0),
    )
    probes = (Probe(1, "spikes", np.arange(size, dtype=np.int32)),)
    return Network(timestep, populations, projections, (), probes)


def simulated(net: Network, pieces, threads=1, changes=()) -> Simulation:
    simulation = Simulation(quantise(net, load_chip("ideal")), threads)
    for number, steps in enumerate(pieces):
        if number and changes:
            simulation.update(quantise(changes[number - 1], load_chip("ideal")))
        simulation.run(steps)
    return simulation


def spikes_of(net: Network, simulation: Simulation) -> dict[int, list[np.ndarray]]:
    """Population -> the times of each cell's spikes."""
    (found,) = simulation.recordings().spikes
    given = {index: net.populations[index].trains for index in (0, 2)}
    times = {index: [trains.of(i) for i in range(len(trains.lengths))] for index, trains in given.items() if trains}
    times[1] = [found.times[found.neurons == i] for i in range(net.populations[1].size)]
    return times


def expected(net: Network, times: dict, end: float, modulation: Modulation) -> list[np.ndarray]:
    """The weights of each plastic projection: every pair with every dose, and with the baseline."""
    doses: list[list[tuple[float, float]]] = [[] for _ in range(net.populations[1].size)]
    for p in net.projections:
        if p.modulation:
            sign = 1.0 if p.receptor == "reward" else -1.0
            for i, j, q, steps in zip(p.source, p.target, p.weight, p.delay, strict=True):
                due = times[p.pre][i] + steps * net.timestep
                doses[j] += [(t, sign * q) for t in due if t <= end + 1e-9]
    rate_c, rate_d = 1 / modulation.tau_c, 1 / modulation.tau_d
    found = []
    for p in net.projections:
        if not p.plasticity:
            continue
        weights = np.abs(np.array(p.weight))
        for k, (i, j, steps) in enumerate(zip(p.source, p.target, p.delay, strict=True)):
            lag = round(p.plasticity.dendritic_delay_fraction * steps) * net.timestep
            due = times[p.pre][i] + steps * net.timestep
            arrivals, reached = due[due <= end + 1e-9] - lag, times[1][j] + lag
            reached = reached[reached <= end + 1e-9]
            interval = np.round((reached[None, :] - arrivals[:, None]) / net.timestep) * net.timestep
            size = W_MAX * np.where(interval > 0, A_PLUS * np.exp(-interval / TAU_PLUS), 0.0)
            size -= W_MAX * np.where(interval < 0, A_MINUS * np.exp(interval / TAU_MINUS), 0.0)
            at = np.maximum(reached[None, :], arrivals[:, None])
            gained = -modulation.baseline * modulation.tau_c * -np.expm1(-(end - at) * rate_c)
            for t, q in doses[j]:
                start = np.maximum(at, t)
                begin = np.exp(-(start - at) * rate_c - (start - t) * rate_d)
                gained = gained + q * begin * -np.expm1(-(end - start) * (rate_c + rate_d)) / (rate_c + rate_d)
            weights[k] += (size * gained).sum()
        found.append(weights * (-1.0 if p.receptor == "inhibitory" else 1.0))
    return found


def learned(net: Network, simulation: Simulation) -> list[np.ndarray]:
    return [simulation.weights(index) for index, p in enumerate(net.projections) if p.plasticity]


@pytest.mark.parametrize("fraction", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("end", [700, 3000])
def test_weights_are_the_sum_over_pairs_and_doses(fraction: float, end: int):
    """No weight reaches 0 here, and there is no other bound, so that everything adds up."""
    net = network(2, fraction)
    simulation = simulated(net, [end])
    times = spikes_of(net, simulation)
    assert sum(map(len, times[1])) > 50
    found, wanted = learned(net, simulation), expected(net, times, end * net.timestep, FREE)
    for weights, sums, p in zip(found, wanted, (p for p in net.projections if p.plasticity), strict=True):
        assert np.abs(weights).min() > 0 and np.abs(weights - p.weight).max() > 1e-4
        np.testing.assert_allclose(weights, sums, rtol=1e-9, atol=1e-12)


BOUNDED = Modulation(tau_c=300.0, tau_d=80.0, w_min=0.1, w_max=1.6, baseline=0.004)


def test_neither_threads_nor_pieces_nor_looks_change_a_bit():
    net = network(3, 0.5, BOUNDED, size=BLOCK + 40, duration=1400.0, dose=1.0)
    one = simulated(net, [2800])
    several = simulated(net, [1, 1022, 1, 900, 876], threads=2)
    looked = Simulation(quantise(net, load_chip("ideal")), 3)
    for _ in range(4):
        looked.run(700)
        learned(net, looked)
    for other in (several, looked):
        for ours, theirs in zip(learned(net, one), learned(net, other), strict=True):
            assert np.array_equal(ours, theirs)
        (a,), (b,) = one.recordings().spikes, other.recordings().spikes
        assert len(a.times) > 1000 and np.array_equal(a.times, b.times) and np.array_equal(a.neurons, b.neurons)
    weights = np.concatenate([np.abs(w) for w in learned(net, one)])
    assert weights.min() == 0.1 and weights.max() == 1.6


def test_an_update_of_something_else_changes_nothing():
    """A projection that is renamed makes the synapses be laid out anew."""
    net = network(4, 0.5, BOUNDED, dose=1.0)
    static = connect(0, 1, [(0, 0, 0.3, 2)], label="static")
    net = replace(net, projections=(*net.projections, static))
    changed = replace(net, projections=(*net.projections[:-1], replace(static, label="renamed")))
    one, other = simulated(net, [2000]), simulated(net, [1111, 889], threads=2, changes=[changed])
    for ours, theirs in zip(learned(net, one), learned(net, other), strict=True):
        assert np.array_equal(ours, theirs)


def test_weights_that_are_set_anew_go_on_with_eligibility_and_dopamine():
    net = network(5, 0.0)
    first = net.projections[0]
    higher = replace(first, synapses=first.synapses.replaced(weight=first.weight + 0.5))
    changed = replace(net, projections=(higher, *net.projections[1:]))
    before = simulated(net, [1500])
    there = learned(net, before)[0]
    after = simulated(net, [1500, 1], changes=[changed])
    gained = learned(net, after)[0] - higher.weight
    went_on = learned(net, simulated(net, [1501]))[0] - there
    np.testing.assert_allclose(gained, went_on, atol=1e-13)
    assert np.abs(went_on).max() > 1e-6


def test_dopamine_that_passes_its_baseline_turns_the_weight_within_a_bound():
    """One pair, one dose, then nothing: up to the bound, and down again from there, however long nobody looks."""
    bounded = Modulation(tau_c=1000.0, tau_d=50.0, w_min=0.0, w_max=1.02, baseline=0.02)
    populations = (array_source([[5.0]]), cells(1, tau_syn_E=0.5), array_source([[20.0]]), array_source([[8.0]]))
    net = Network(
        1.0,
        populations,
        (
            plastic(connect(0, 1, [(0, 0, 1.0, 1)]), 1.0),
            dosing(2, 1, [(0, 0, 0.1, 1)], "reward", bounded),
            connect(3, 1, [(0, 0, 60.0, 1)]),  # makes the neuron spike
        ),
        (),
        (Probe(1, "spikes", np.arange(1, dtype=np.int32)),),
    )
    simulation = simulated(net, [400])
    (spike,) = simulation.recordings().spikes[0].times
    paired = spike + 1.0  # at the synapse, whose delay is dendritic: the source's spike is there at 5 ms
    first = A_PLUS * W_MAX * np.exp(-(paired - 5.0) / TAU_PLUS)
    weight = 1.0 - 0.02 * first * 1000.0 * -np.expm1(-(21.0 - paired) / 1000.0)
    eligibility = first * np.exp(-(21.0 - paired) / 1000.0)
    assert 8 < spike < 20
    h, t = 1e-3, 0.0
    while t < 400 - 21:
        c, d = eligibility * np.exp(-(t + h / 2) / 1000.0), 0.1 * np.exp(-(t + h / 2) / 50.0)
        weight = min(max(weight + h * c * (d - 0.02), 0.0), 1.02)
        t += h
    assert learned(net, simulation)[0][0] == pytest.approx(weight, abs=1e-5)
    assert weight < 1.01


def test_histories_are_forgotten_and_grow_where_they_must():
    net = network(6, 1.0, duration=3000.0)
    simulation = simulated(net, [5 * modulated.SWEEP + 1])
    lanes = simulation._traffic.changing.of_thread(0)[4]
    assert lanes is not None
    spiked = len(simulation.recordings().spikes[0].times)
    assert spiked > 500 and (lanes.lanes["n_posts"] < spiked / 4).all()
