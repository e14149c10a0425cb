"""SigmaDelta: what it sends adds up to its activation, and layers of it compute what rectified linear units do."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evsim.chip import load_chip
from evsim.deploy.check import check
from evsim.deploy.quantise import quantise
from evsim.network import Current, Network, Plasticity
from evsim.recording import Recordings

CHIPS = ["ideal", "loihi2"]
EVERY = {"ideal": 1e-9, "loihi2": 0.0}  # how far sums in the other order may be off


def values(recordings: Recordings, population: int, variable: str) -> np.ndarray:
    (found,) = [s for s in recordings.signals if (s.population, s.variable) == (population, variable)]
    return found.values


def units(nets, size: int, label: str = "units", **parameters):
    return nets.cells(size, label, "SigmaDelta", **parameters)


def recorded(nets, populations, projections) -> Network:
    probes = tuple(
        nets.Probe(index, name, np.arange(population.size, dtype=np.int32))
        for index, population in enumerate(populations)
        if population.model == "SigmaDelta"
        for name in ("sigma", "act", "payload")
    )
    return Network(1.0, tuple(populations), tuple(projections), (), probes)


@given(
    seed=st.integers(0, 99),
    chip=st.sampled_from(CHIPS),
    vth=st.sampled_from([0.0, 0.5, 3.0]),
    act_mode=st.integers(0, 1),
    spike_exp=st.integers(2, 7),
)
@settings(derandomize=True, deadline=None, max_examples=30)
def test_what_was_sent_adds_up_to_the_activation(nets, seed, chip, vth, act_mode, spike_exp):
    rng = np.random.default_rng(seed)
    trains = [np.sort(rng.choice(np.arange(100.0), 20)) for _ in range(5)]
    cells = units(nets, 3, vth=vth, act_mode=act_mode, spike_exp=spike_exp, bias=rng.integers(-4, 4, 3))
    rows = [(pre, post, rng.integers(-8, 8), 1 + pre) for pre in range(5) for post in range(3)]
    net = recorded(nets, (nets.array_source(trains), cells), [nets.connect(0, 1, rows)])
    recordings = nets.run(net, 120, chip)
    sigma, act, payload = (values(recordings, 1, name) for name in ("sigma", "act", "payload"))
    bias = cells.parameters["bias"]
    assert np.array_equal(act[1:], np.maximum(sigma[1:] + bias, 0) if act_mode else sigma[1:] + bias)
    left = np.abs(act - np.cumsum(payload, axis=0))
    assert left.max() < vth if vth else left.max() <= EVERY[chip]
    # every spike is felt once, with its weight
    total = sum((np.bincount([post], [w * 20], 3) for _, post, w, _ in rows), start=np.zeros(3))
    np.testing.assert_allclose(sigma[-1], total, rtol=0, atol=1e-9)


@pytest.mark.parametrize("chip", CHIPS)
def test_layers_compute_rectified_sums(nets, chip):
    rng = np.random.default_rng(4)
    sizes = (6, 8, 5)
    biases = [rng.uniform(-1, 1, size) for size in sizes]
    weights = [rng.normal(0, 0.6, pair) for pair in pairwise(sizes)]
    exponents = {"spike_exp": 7, "state_exp": 7}
    layers = [units(nets, n, f"layer {k}", vth=0.0, bias=biases[k], **exponents) for k, n in enumerate(sizes)]
    projections = [
        nets.connect(k, k + 1, [(i, j, w[i, j], 1 + (i + j) % 3) for i in range(w.shape[0]) for j in range(w.shape[1])])
        for k, w in enumerate(weights)
    ]
    net = recorded(nets, layers, projections)
    recordings = nets.run(net, 20, chip)
    expected = np.maximum(biases[0], 0)
    for k, w in enumerate(weights):
        expected = np.maximum(expected @ w + biases[k + 1], 0)
    found = values(recordings, 2, "act")[-1]
    off = 0.0 if chip == "ideal" else 20 * max(loss.max_error for loss in quantise(net, load_chip(chip)).weight_losses)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 + off)
    assert expected.max() > 0.3 and off < 0.2


@pytest.mark.parametrize("chip", CHIPS)
def test_summed_errors_send_what_has_lasted(nets, chip):
    """A change below the threshold is sent once its error was summed up often enough, and never where it is not."""
    populations = [nets.array_source([[1.0]])] + [
        units(nets, 1, f"{summing}", vth=4.0, cum_error=summing) for summing in (0, 1)
    ]
    projections = [nets.connect(0, 1, [(0, 0, 1.0, 1)]), nets.connect(0, 2, [(0, 0, 1.0, 1)])]
    recordings = nets.run(recorded(nets, populations, projections), 20, chip)
    assert values(recordings, 1, "payload").sum() == 0
    assert values(recordings, 2, "payload").sum() == 1


def test_weights_and_parameters_are_held_in_its_own_units(nets):
    cells = units(nets, 2, vth=0.3, bias=0.1, spike_exp=3, state_exp=2)
    net = recorded(nets, (cells, units(nets, 2, "next")), [nets.connect(0, 1, [(0, 0, 1.0, 1), (1, 1, 0.4, 1)])])
    held = quantise(net, load_chip("loihi2"))
    losses = {loss.parameter: loss.held for loss in held.parameter_losses}
    assert losses == {"vth": 10 / 32, "bias": 3 / 32}
    (weights,) = held.weight_losses
    assert weights.unit == "dimensionless" and weights.lsb == 8.0 and weights.zeroed == 2


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"state_exp": np.array([1.0, 2.0])}, "state_exp from 1 to 2; one scale for all cells"),
        ({"act_mode": 2.0}, "act_mode is 2 dimensionless in 2 of 2 cells"),
        ({"spike_exp": 9.0}, "spike_exp is 9 dimensionless"),
    ],
)
def test_what_it_cannot_hold_is_named(nets, changed, message):
    (problem,) = check(Network(1.0, (units(nets, 2, **changed),)), load_chip("loihi2"))
    assert message in str(problem)


def test_there_is_no_membrane_for_a_current(nets):
    pulse = Current("pulse", 0, np.array([0], np.int32), np.array([1.0]), np.array([1.0]))
    (problem,) = check(replace(Network(1.0, (units(nets, 2),)), currents=(pulse,)), load_chip("loihi2"))
    assert "'pulse': a current into population 'units'; SigmaDelta has no membrane" in str(problem)


def test_no_synapse_learns_from_graded_spikes(nets):
    rule = Plasticity("SpikePairRule", "AdditiveWeightDependence", {})
    plastic = replace(nets.connect(0, 1, [(0, 0, 1.0, 1)]), plasticity=rule)
    problems = check(Network(1.0, (units(nets, 2), nets.cells(1)), (plastic,)), load_chip("ideal"))
    assert any("plastic synapses from population 'units'; SigmaDelta sends graded spikes" in str(p) for p in problems)
