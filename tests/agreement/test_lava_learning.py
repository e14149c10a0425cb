"""The rule set ``loihi2_learning`` against Lava: bit by bit with the same random numbers, and statistically.

Lava's learning models are approximations of a chip's, by their own name, and so is what follows them.
"""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import learning_on_loihi as learning
import loihi_emulators as emulators
from evsim.chip import load_chip
from evsim.deploy.loihi_learning import LoihiPlasticity
from evsim.deploy.quantise import quantise
from evsim.errors import CheckError
from evsim.network import Network
from evsim.reference import ReferenceSession
from lava_against_reference import differences
from loihi_emulators.lava_learning import stock_dense, stock_engine

emulators.need("lava.proc")


# --- bit by bit ------------------------------------------------------------------------------------------------------


def agree(net: Network, pieces: tuple[int, ...]) -> None:
    """Assert that Lava and the reference made the same spikes, voltages and weights, piece by piece."""
    lava_session = import_module("evsim_lava.session").LavaSession
    reference = ReferenceSession(net, load_chip(learning.CHIP))
    lava = lava_session(net, load_chip(learning.CHIP), timeout=200.0)
    try:
        for steps in pieces:
            reference.run(steps)
            lava.run(steps)
            for index, projection in enumerate(net.projections):
                if projection.plasticity:
                    ours, theirs = reference.weights(index), lava.weights(index)
                    assert ours.tolist() == theirs.tolist()
                    assert steps < 10 or (ours != projection.weight).any()
        assert differences(reference.recordings(), lava.recordings()) == []
    finally:
        lava.close()


@pytest.mark.parametrize("fraction", [0.0, 1.0])
def test_every_bit_is_that_of_lava(fraction: float):
    agree(learning.network(fraction=fraction), (1, 99, 0, 300))


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", range(6))
def test_every_bit_is_that_of_lava_in_rich_networks(seed: int):
    agree(learning.random_network(seed, 600), (1, 299, 0, 300))


def test_matrices_that_are_too_large_for_lava_are_refused(monkeypatch):
    monkeypatch.setattr(import_module("evsim_lava.lower_learning"), "MOST_ELEMENTS", 100)
    with pytest.raises(CheckError, match=r"a matrix of 42 x 20 elements.*at most 100.*reference:loihi2_learning"):
        import_module("evsim_lava.session").LavaSession(learning.network(), load_chip(learning.CHIP))


# --- Lava's own random numbers ---------------------------------------------------------------------------------------


def rule_of(net: Network) -> LoihiPlasticity:
    return quantise(net, load_chip(learning.CHIP)).projections[0].plasticity


def rasters(rng: np.random.Generator, rate: float, *shape: int) -> NDArray[np.bool_]:
    return rng.random(shape) < rate


def test_the_stock_engine_is_what_lavas_own_process_does():
    """So what is found with the engine by itself holds for ``LearningDense``."""
    rng = np.random.default_rng(1)
    rule, steps = rule_of(learning.network()), 150
    weights = rng.integers(0, 256, (4, 6))
    pre, post = rasters(rng, 0.1, 6, steps), rasters(rng, 0.1, 4, steps)
    engine = stock_engine(rule, weights, seed=7)
    for label in range(1, steps + 1):
        engine.learn(label, pre[:, label - 1], post[:, label - 1])
    assert stock_dense(rule, weights, 7, pre, post).tolist() == engine.weights.tolist() != weights.tolist()


# --- statistics ------------------------------------------------------------------------------------------------------


SEEDS, STEPS = 12, 1500
SMALL: dict[str, Any] = {"A_plus": 0.008, "A_minus": 0.006}  # so that few weights come to their bounds
CONTROLS: dict[str, dict[str, Any]] = {
    "amplitudes swapped": {"A_plus": 0.006, "A_minus": 0.008},
    "tau_plus halved": {"tau_plus": learning.PAIRS["tau_plus"] / 2},
    "tau_minus doubled": {"tau_minus": learning.PAIRS["tau_minus"] * 2},
}


def open_loop(seed: int) -> tuple[Network, NDArray, NDArray, NDArray]:
    """A network run by the reference: the spikes that reached its synapses, by label, and the mantissas at the end."""
    n_pre, n_post = 10, 8
    net = learning.network(n_pre, n_post, seed, delays=1, fraction=0.0, **SMALL)
    rows = [(i, j, 1.5, 1) for i in range(n_pre) for j in range(n_post)]
    (projection,) = net.projections
    listed = import_module("builders").connect(0, 1, rows).synapses
    net = replace(net, projections=(replace(projection, synapses=listed),))
    session = ReferenceSession(net, load_chip(learning.CHIP))
    session.run(STEPS)
    pre, post = np.zeros((n_pre, STEPS + 2), bool), np.zeros((n_post, STEPS + 2), bool)
    for spikes, raster, delay in zip(session.recordings().spikes, (pre, post), (1, 0), strict=True):
        raster[spikes.neurons, np.minimum(np.floor(spikes.times).astype(int) + delay, STEPS + 1)] = True
    mantissas = session.weights(0).reshape(n_pre, n_post).T / (3.0 / 255)
    return net, pre[:, :STEPS], post[:, :STEPS], mantissas


def by_lava(rule: LoihiPlasticity, seed: int, pre: NDArray, post: NDArray) -> NDArray[np.int32]:
    start = np.full((len(post), len(pre)), round(1.5 / (3.0 / 255)))
    engine = stock_engine(rule, start, seed)
    for label in range(STEPS):
        engine.learn(label, pre[:, label], post[:, label])
    return engine.weights


@pytest.mark.slow
def test_weights_are_distributed_as_with_lavas_own_random_numbers():
    """Mean and spread of the weights after 1,500 steps of 12 networks, and what a wrong rule would make of them.

    Lava rounds all weights of a step by one number, so that networks are independent samples and synapses are not. A
    difference of mean 0 is farther from 0 than 4.4 standard errors in one test of a thousand (Student's t, 11 degrees).
    """
    means, spreads, wrong = [], [], {name: [] for name in CONTROLS}
    for seed in range(SEEDS):
        net, pre, post, ours = open_loop(seed)
        theirs = by_lava(rule_of(net), seed, pre, post)
        means.append(ours.mean() - theirs.mean())
        spreads.append(ours.std() - theirs.std())
        for name, changed in CONTROLS.items():
            (projection,) = net.projections
            other = replace(net, projections=(learning.plastic(projection, 3.0, 0.0, **{**SMALL, **changed}),))
            wrong[name].append(ours.mean() - by_lava(rule_of(other), seed, pre, post).mean())
    assert abs(t_of(means)) < 4.4 and abs(np.mean(means)) < 3
    assert abs(t_of(spreads)) < 4.4 and abs(np.mean(spreads)) < 3
    for name, found in wrong.items():
        assert abs(t_of(found)) > 4.4, name


def t_of(values: list[float]) -> float:
    """The mean in standard errors."""
    return float(np.mean(values) / (np.std(values, ddof=1) / np.sqrt(len(values))))


PAIRINGS, APART = 60, 400  # how often each pair of spikes comes, and how many steps later


@pytest.mark.slow
def test_the_window_is_that_of_the_rule(nets):
    """The change of a weight by a pair of spikes against their interval: of the reference, of Lava, and in closed form.

    After a spike a trace is worth its impulse, decayed; each step rounds by less than 1, up or down. So the mean of 60
    changes has an error of about a sixth of the impulse of 17 or 27, of which 5 are allowed for; coincident spikes are
    a pair on both sides.
    """
    lags = np.array([*range(-40, 0, 4), 0, *range(2, 42, 4)])
    n = len(lags)
    centres = 200.0 + APART * np.arange(PAIRINGS)
    # a target fires a step after its kick, which is felt a step after it was sent
    pre = [centres - 1 for _ in lags]
    kicks = [centres + lag - 2 for lag in lags]
    cells = nets.cells(n, model="IF_curr_delta", tau_refrac=0.0, tau_m=2.0)
    populations = (nets.array_source(pre), nets.array_source(kicks, "kicks"), cells)
    learns = learning.plastic(
        nets.connect(0, 2, [(k, k, 1.5, 1) for k in range(n)]), 3.0, 0.0, A_plus=0.008, A_minus=0.006
    )
    static = nets.connect(1, 2, [(k, k, 20.0, 1) for k in range(n)])
    net = Network(1.0, populations, (learns, static), (), nets.record_all((populations[2],), "spikes"), 3)
    net = replace(net, probes=tuple(replace(probe, population=2) for probe in net.probes))
    rule, steps = rule_of(net), int(centres[-1]) + APART
    session = ReferenceSession(net, load_chip(learning.CHIP))
    session.run(steps)
    fired = session.recordings().spikes[0]
    arriving, targets = np.zeros((n, steps), bool), np.zeros((n, steps), bool)
    arriving[:, centres.astype(int)] = True
    targets[fired.neurons, np.floor(fired.times).astype(int)] = True
    assert all((np.flatnonzero(targets[k]) - centres == lag).all() for k, lag in enumerate(lags))

    start = round(1.5 / (3.0 / 255))
    engine = stock_engine(rule, np.full((n, n), start), seed=5)
    for label in range(steps):
        engine.learn(label, arriving[:, label], targets[:, label])
    theirs = (np.diagonal(engine.weights) - start) / PAIRINGS
    ours = (session.weights(0) / (3.0 / 255) - start) / PAIRINGS

    up, down = rule.up.amplitude, rule.down.amplitude
    expected = np.where(lags >= 0, up * np.exp(-lags / rule.tau_plus), 0) + np.where(
        lags <= 0, down * np.exp(lags / rule.tau_minus), 0
    )
    allowed = 5 * (up - down) / 2 / 6 / np.sqrt(PAIRINGS) + 5 * 0.5 / np.sqrt(PAIRINGS)
    assert np.abs(ours - expected).max() < allowed and np.abs(theirs - expected).max() < allowed
    assert allowed < 0.5 * min(up, -down)
