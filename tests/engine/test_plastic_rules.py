"""The rules of plasticity in the engine, against sums over all pairs, nearest pairs and triplets of the spikes.

Bounds are far away, so that the changes of a synapse are a sum; where they are near, each event is taken in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from builders import cells
from evsim.chip import load_chip
from evsim.deploy.quantise import quantise
from evsim.engine.simulation import Simulation
from evsim.network import Network, Plasticity, Population, Probe, Projection, Trains
from evsim.synapses import Listed

DT = 0.5
N_SOURCES, N_NEURONS, STEPS = 25, 6, 2400
FAR = 1000.0
ADDITIVE, TRIPLETS = "AdditiveWeightDependence", "WeightDependenceAdditiveTriplet"
PARAMETERS = {
    "SpikePairRule": {"tau_plus": 15.0, "tau_minus": 20.0, "A_plus": 3e-5, "A_minus": 2e-5},
    "SpikeNearestPairRule": {"tau_plus": 15.0, "tau_minus": 20.0, "A_plus": 3e-5, "A_minus": 2e-5},
    "Vogels2011Rule": {"tau": 20.0, "alpha": 0.3, "A_plus": 0.01, "A_minus": 0.0},
    "PfisterSpikeTriplet": {
        **{"tau_plus": 16.8, "tau_minus": 33.7, "tau_x": 101.0, "tau_y": 125.0},
        **{"A_plus": 1e-6, "A_minus": 1.5e-6, "A3_plus": 3e-7, "A3_minus": 1.5e-7},
    },
}


def rule(
    timing: str, fraction: float, weight: str = ADDITIVE, changes: Mapping[str, float] | None = None
) -> Plasticity:
    given = {**PARAMETERS[timing], "w_min": 0.0, "w_max": FAR, "mu_plus": 0.4, "mu_minus": 0.6, **(changes or {})}
    return Plasticity(timing, TRIPLETS if timing == "PfisterSpikeTriplet" else weight, given, fraction)


def network(plasticity: Plasticity, delays: list[int]) -> Network:
    """Plastic synapses onto neurons that spike when a neuron's own source makes them, and now and then together."""
    rng = np.random.default_rng(8)

    def trains(count: int, rate: float) -> Trains:
        numbers = rng.poisson(rate * STEPS * DT / 1000, count)
        return Trains.from_lists([np.unique(rng.integers(1, STEPS, number)) * DT for number in numbers])

    plastic = trains(N_SOURCES, 40.0)
    silent = [plastic.of(i) for i in range(N_SOURCES)]
    silent[0] = np.array([40.0, (STEPS - 1) * DT])  # nothing is lost meanwhile
    silent[1] = np.array([label * DT for label in range(1, STEPS, 2)])  # meets every other spike of the targets
    source, target = rng.integers(0, N_SOURCES, 120), rng.integers(0, N_NEURONS, 120)
    source[:N_NEURONS], target[:N_NEURONS] = 0, np.arange(N_NEURONS)
    synapses = Listed(
        source.astype(np.int32),
        target.astype(np.int32),
        50.0 * (1 + rng.random(120)),
        rng.choice(delays, 120).astype(np.int32),
    )
    own = np.arange(N_NEURONS, dtype=np.int32)
    kick = Listed(own, own, np.full(N_NEURONS, 4e4), np.full(N_NEURONS, 2, np.int32))
    return Network(
        DT,
        (
            Population("sources", "SpikeSourceArray", N_SOURCES, {}, trains=Trains.from_lists(silent)),
            Population("drive", "SpikeSourceArray", N_NEURONS, {}, trains=trains(N_NEURONS, 30.0)),
            cells(N_NEURONS, "neurons", cm=1000.0, tau_refrac=1.0, tau_syn_E=1.0),
        ),
        (
            Projection("plastic", 0, 2, "excitatory", "STDPMechanism", synapses, plasticity),
            Projection("kick", 1, 2, "excitatory", "StaticSynapse", kick),
        ),
        probes=(Probe(2, "spikes", own),),
    )


def run(net: Network) -> tuple[np.ndarray, list[tuple[float, np.ndarray, np.ndarray]]]:
    """Changes of the weights (n,); and for each synapse its first weight, arrivals and the target's spikes, as labels
    at the synapse, of which those that the last arrival does not find are left out.
    """
    sim = Simulation(quantise(net, load_chip("ideal")), threads=1)
    sim.run(STEPS // 3)
    sim.run(STEPS - STEPS // 3 + 50)
    (spikes,) = sim.recordings().spikes
    plastic, trains = net.projections[0], net.populations[0].trains
    assert trains is not None and plastic.plasticity is not None
    histories = []
    for i, j, w, d in zip(plastic.source, plastic.target, plastic.weight, plastic.delay, strict=True):
        dendritic = round(plastic.plasticity.dendritic_delay_fraction * d)
        arrivals = np.rint(trains.of(i) / DT).astype(int) + d - dendritic
        felt = np.rint(spikes.times[spikes.neurons == j] / DT).astype(int) + dendritic
        histories.append((float(w), arrivals, felt[felt < arrivals[-1] + (dendritic > 0)]))
    assert sum(len(felt) for _, _, felt in histories) > 15 * len(histories)
    assert any(len(np.intersect1d(arrivals, felt)) > 5 for _, arrivals, felt in histories)
    return sim.weights(0) - plastic.weight, histories


def decayed(interval: np.ndarray, tau: float) -> np.ndarray:
    """exp(-interval / tau) of intervals in steps; nothing where they are not above 0."""
    return np.where(interval > 0, np.exp(-np.abs(interval) * DT / tau), 0.0)


def all_pairs(pre: np.ndarray, post: np.ndarray, p: Mapping[str, float]) -> float:
    after = post[:, None] - pre
    up, down = decayed(after, p["tau_plus"]).sum(), decayed(-after, p["tau_minus"]).sum()
    return p["w_max"] * (p["A_plus"] * up - p["A_minus"] * down)


def nearest_pairs(pre: np.ndarray, post: np.ndarray, p: Mapping[str, float]) -> float:
    change = 0.0
    for a in pre:
        if (post < a).any():
            change -= p["A_minus"] * decayed(a - post[post < a].max(), p["tau_minus"])
        if (post > a).any() and not ((pre > a) & (pre < post[post > a].min())).any():
            change += p["A_plus"] * decayed(post[post > a].min() - a, p["tau_plus"])
    return float(p["w_max"] * change)


def vogels(pre: np.ndarray, post: np.ndarray, p: Mapping[str, float]) -> float:
    pairs = decayed(np.abs(post[:, None] - pre), p["tau"]).sum()
    return p["A_plus"] * (pairs - p["alpha"] * len(pre))


def triplets(pre: np.ndarray, post: np.ndarray, p: Mapping[str, float]) -> float:
    change = 0.0
    for b in post:
        third = decayed(b - post, p["tau_y"]).sum()
        change += decayed(b - pre, p["tau_plus"]).sum() * (p["A_plus"] + p["A3_plus"] * third)
    for a in pre:
        third = decayed(a - pre, p["tau_x"]).sum()
        change -= decayed(a - post, p["tau_minus"]).sum() * (p["A_minus"] + p["A3_minus"] * third)
    return float(p["w_max"] * change)


SUMS: dict[str, Callable[..., float]] = {
    "SpikePairRule": all_pairs,
    "SpikeNearestPairRule": nearest_pairs,
    "Vogels2011Rule": vogels,
    "PfisterSpikeTriplet": triplets,
}


@pytest.mark.parametrize("timing", SUMS)
@pytest.mark.parametrize(
    ("fraction", "delays"),
    [
        pytest.param(1.0, [3], id="all dendritic"),
        pytest.param(0.4, [1, 2, 5, 9, 20], id="partly dendritic"),
        pytest.param(0.0, [1, 4], id="all axonal"),
    ],
)
def test_weights_are_sums_over_the_spikes(timing: str, fraction: float, delays: list[int]):
    plasticity = rule(timing, fraction)
    found, histories = run(network(plasticity, delays))
    expected = [SUMS[timing](pre, post, plasticity.parameters) for _, pre, post in histories]
    assert np.abs(expected).max() > 0.01
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


SHORT = {"tau_plus": 1.0, "tau_minus": 1.5, "tau": 1.0, "tau_x": 2.5, "tau_y": 2.0}  # ms: origins move often


@pytest.mark.parametrize("timing", SUMS)
@pytest.mark.parametrize("fraction", [1.0, 0.0])
def test_what_is_long_ago_is_dropped_without_a_trace(timing: str, fraction: float):
    short = {name: value for name, value in SHORT.items() if name in PARAMETERS[timing]}
    plasticity = rule(timing, fraction, changes=short)
    found, histories = run(network(plasticity, [3, 6]))
    expected = [SUMS[timing](pre, post, plasticity.parameters) for _, pre, post in histories]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


# --- near bounds, and changes that depend on the weight ---------------------------------------------------------------

EXPONENTS = {
    ADDITIVE: (0.0, 0.0),
    "MultiplicativeWeightDependence": (1.0, 1.0),
    "AdditivePotentiationMultiplicativeDepression": (0.0, 1.0),
    "GutigWeightDependence": (0.4, 0.6),
}


def in_turn(weight: float, pre: np.ndarray, post: np.ndarray, plasticity: Plasticity) -> float:
    """The weight after each event in turn: where two meet, first the target's spike, then the source's."""
    p, timing = plasticity.parameters, plasticity.timing
    low, high = p["w_min"], p["w_max"]
    mu_plus, mu_minus = EXPONENTS.get(plasticity.weight, (0.0, 0.0))
    span_plus, span_minus = (high - low if mu else high for mu in (mu_plus, mu_minus))
    for label, is_source in sorted([(b, False) for b in post] + [(a, True) for a in pre]):
        before, after = pre[pre < label], post[post < label]
        if is_source:
            if timing == "SpikeNearestPairRule":
                after = after[-1:]
            trace = decayed(label - after, p.get("tau_minus") or p["tau"]).sum()
            third = decayed(label - before, p.get("tau_x", 1.0)).sum() * p.get("A3_minus", 0.0)
            change = -(p["A_minus"] + third) * trace * span_minus * ((weight - low) / (high - low)) ** mu_minus
            if timing == "Vogels2011Rule":
                change = p["A_plus"] * (trace - p["alpha"])
        else:
            if timing == "SpikeNearestPairRule":
                before = before[-1:] if len(before) and not (after > before[-1]).any() else before[:0]
            trace = decayed(label - before, p.get("tau_plus") or p["tau"]).sum()
            third = decayed(label - after, p.get("tau_y", 1.0)).sum() * p.get("A3_plus", 0.0)
            change = (p["A_plus"] + third) * trace * span_plus * ((high - weight) / (high - low)) ** mu_plus
            change = p["A_plus"] * trace if timing == "Vogels2011Rule" else change
        weight = min(max(weight + change, low), high)
    return weight


STRONG = {name: 2000.0 for name in ("A_plus", "A_minus", "A3_plus", "A3_minus")}


@pytest.mark.parametrize(
    ("timing", "weight"),
    [
        *(("SpikeNearestPairRule", weight) for weight in EXPONENTS),
        *(("SpikePairRule", weight) for weight in EXPONENTS),
        ("Vogels2011Rule", ADDITIVE),
        ("PfisterSpikeTriplet", TRIPLETS),
    ],
)
@pytest.mark.parametrize("fraction", [1.0, 0.5])
def test_weights_follow_each_event_within_their_bounds(timing: str, weight: str, fraction: float):
    strong = {name: STRONG[name] * value for name, value in PARAMETERS[timing].items() if name in STRONG}
    if timing == "Vogels2011Rule":
        strong = {"A_plus": 20.0}
    plasticity = rule(timing, fraction, weight, {**strong, "w_min": 10.0, "w_max": 200.0})
    net = network(plasticity, [2, 5, 8])
    found, histories = run(net)
    expected = [in_turn(w, pre, post, plasticity) for w, pre, post in histories]
    assert np.ptp(found) > 20
    np.testing.assert_allclose(net.projections[0].weight + found, expected, rtol=0, atol=1e-10)


# --- cut up otherwise -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("timing", SUMS)
@pytest.mark.parametrize("fraction", [1.0, 0.0])
def test_threads_cuts_and_changes_of_the_network_change_no_bit(timing: str, fraction: float):
    short = {name: value for name, value in SHORT.items() if name in PARAMETERS[timing]}
    net = network(rule(timing, fraction, changes=short), [1, 4, 9])
    whole, cut = (Simulation(quantise(net, load_chip("ideal")), threads) for threads in (1, 2))
    whole.run(STEPS)
    kick = net.projections[1]
    for steps in (1, 1100, 300):
        cut.run(steps)
        equal = replace(kick, synapses=Listed(kick.source, kick.target, kick.weight, kick.delay))
        cut.update(quantise(replace(net, projections=(net.projections[0], equal)), load_chip("ideal")))
    cut.run(STEPS - 1401)
    np.testing.assert_array_equal(cut.weights(0), whole.weights(0))
