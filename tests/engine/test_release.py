"""Synapses that release a part of their weight: against their equations solved in another way, and statistics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from scipy.linalg import expm

from builders import array_source, cells
from evsim.network import Network, Probe
from evsim.synapses import Listed
from releasing_networks import (
    DT,
    DYNAMICS,
    N_CELLS,
    N_SYNAPSES,
    STEPS,
    conductance,
    connection,
    network,
    release,
    simulation,
)

# --- resources -------------------------------------------------------------------------------------------------------


def parts(times: np.ndarray, law: Mapping[str, float], start: Mapping[str, float]) -> np.ndarray:
    """Which part of its weight a synapse releases at each spike (ms): x, y and z by the matrix of their equations."""
    psc, rec, facil = (law[name] or np.inf for name in ("tau_psc", "tau_rec", "tau_facil"))
    matrix = np.array([[0, 0, 1 / rec], [0, -1 / psc, 0], [0, 1 / psc, -1 / rec]])
    if law["tau_rec"] == 0:
        matrix = np.array([[0, 1 / psc, 0], [0, -1 / psc, 0], [0, 0, 0]])
    state, use = np.array([start["x"], start["y"], 1 - start["x"] - start["y"]]), start["u"]
    found = np.empty(len(times))
    for k, since in enumerate(np.diff(times, prepend=0.0)):
        state = expm(matrix * since) @ state
        use = law["U"] + (1 - law["U"]) * use * (np.exp(-since / facil) if law["tau_facil"] else 0.0)
        found[k] = use * state[0]
        state += [-found[k], found[k], 0]
    return found


def expected(net: Network) -> np.ndarray:
    """(samples, cells) conductances of a network of resources."""
    (projection,) = net.projections
    given, spikes, tau_syn = projection.release, net.populations[0].trains, net.populations[1].parameters["tau_syn_E"]
    assert given is not None and spikes is not None
    start = {"u": 0.0, "x": 1.0, "y": 0.0}
    total, at = np.zeros((STEPS + 1, N_CELLS)), np.arange(STEPS + 1) * DT
    for k, (i, j, weight) in enumerate(zip(projection.source, projection.target, projection.weight, strict=True)):
        law = {name: float(values[k]) for name, values in given.parameters.items()} | {"tau_psc": float(tau_syn[j])}
        times = spikes.of(i)
        released = parts(times, law, start | {name: float(values[k]) for name, values in given.initial.items()})
        for time, part in zip(times + projection.delay[k] * DT, released, strict=True):
            later = at >= time - 1e-9
            total[later, j] += weight * part * np.exp(-(at[later] - time) / tau_syn[j])
    return total


VARIED = {
    "U": np.linspace(0.05, 1.0, N_SYNAPSES),
    "tau_rec": np.linspace(20.0, 800.0, N_SYNAPSES),
    "tau_facil": np.linspace(0.0, 500.0, N_SYNAPSES),
}
START = {"u": 0.8, "x": 0.1, "y": 0.3}


@pytest.mark.parametrize(
    ("law", "start", "delays", "tau_syn"),
    [
        pytest.param(DYNAMICS, {}, [2], 4.0, id="all alike"),
        pytest.param(VARIED, {}, [1, 2, 5, 20], 4.0, id="each its own"),
        pytest.param(DYNAMICS, {}, [3], np.linspace(2.0, 9.0, N_CELLS), id="targets of their own"),
        pytest.param({**DYNAMICS, "tau_facil": 0.0}, {}, [2], 4.0, id="no facilitation"),
        pytest.param({**DYNAMICS, "tau_rec": 0.0}, {}, [2], 4.0, id="recovered at once"),
        pytest.param({**DYNAMICS, "tau_rec": 4.0}, {}, [2], 4.0, id="equal time constants"),
        pytest.param({**DYNAMICS, "tau_rec": 4.0 * (1 + 1e-12)}, {}, [2], 4.0, id="nearly equal time constants"),
        pytest.param(DYNAMICS, START, [2], 4.0, id="from a state"),
    ],
)
def test_resources_follow_their_equations(law, start, delays: list[int], tau_syn):
    net = network(release("TsodyksMarkram", N_SYNAPSES, law, start), delays, tau_syn)
    sim = simulation(net)
    sim.run(STEPS)
    wanted = expected(net)
    assert wanted.max() > 0.005
    np.testing.assert_allclose(conductance(sim), wanted, rtol=0, atol=1e-12)


def test_a_response_without_a_time_constant_leaves_nothing_active():
    """All that is released has to recover at once: x after a spike is x - u x, and goes back to 1 with tau_rec."""
    times = np.array([10.0, 15.0, 40.0])
    pair = np.zeros(1, np.int32)
    given = release("TsodyksMarkram", 1, {"U": 0.5, "tau_rec": 30.0, "tau_facil": 0.0})
    between = Listed(pair, pair, np.array([8.0]), np.array([1], np.int32))
    target = cells(1, model="IF_curr_delta", tau_m=20.0, v_thresh=1e6)
    probes = (Probe(1, "v", pair),)
    net = Network(DT, (array_source([times]), target), (connection(given, between),), probes=probes)
    sim = simulation(net)
    sim.run(100)
    available, wanted, at = 1.0, np.full(101, -65.0), np.arange(101) * DT
    for since, time in zip(np.diff(times, prepend=0.0), times + DT, strict=True):
        available = 1 - (1 - available) * np.exp(-since / 30.0)
        wanted += np.where(at >= time - 1e-9, 8.0 * 0.5 * available * np.exp(-(at - time) / 20.0), 0.0)
        available *= 0.5
    np.testing.assert_allclose(conductance(sim)[:, 0], wanted, rtol=0, atol=1e-9)


# --- chance ----------------------------------------------------------------------------------------------------------


def released(rule: str, interval: float, n_spikes: int, count: int, parameters: dict[str, Any]) -> np.ndarray:
    """(synapses, spikes): which part of its weight each of many synapses of one source releases at each spike."""
    steps = round(interval / DT)
    times = (1 + np.arange(n_spikes) * steps) * DT
    index = np.arange(count, dtype=np.int32)
    between = Listed(np.zeros(count, np.int32), index, np.full(count, 1.0), np.full(count, 1, np.int32))
    target = cells(count, model="IF_curr_delta", tau_m=1e-3, v_thresh=1e6)  # forgets what came before
    probes = (Probe(1, "v", index),)
    given = release(rule, count, parameters)
    net = Network(DT, (array_source([times]), target), (connection(given, between),), probes=probes, seed=3)
    sim = simulation(net)
    sim.run(steps * n_spikes + 1)
    return np.round(conductance(sim)[2::steps][:n_spikes].T + 65.0, 9)


def test_each_spike_is_transmitted_with_a_probability():
    given = np.repeat([0.0, 0.2, 0.5, 1.0], 1000)
    found = released("Bernoulli", 2.0, 25, 4000, {"p": given})
    assert set(np.unique(found)) == {0.0, 1.0}
    groups = found.reshape(4, -1)
    assert groups[0].sum() == 0 and groups[3].all()
    for p, group in zip((0.2, 0.5), groups[1:3], strict=True):
        assert abs(group.mean() - p) < 4 * np.sqrt(p * (1 - p) / group.size)
    # neither one spike after the other nor one synapse after the other is alike
    half = found[2000:3000] - 0.5
    for shifted in (half[:, 1:] * half[:, :-1], half[1:] * half[:-1]):
        assert abs(shifted.mean()) < 4 * 0.25 / np.sqrt(shifted.size)


@pytest.mark.parametrize(("n", "tau_facil"), [(1, 0.0), (5, 40.0)])
def test_sites_release_and_recover_as_binomials(n: int, tau_facil: float):
    """Sites are independent of each other, so what is released is binomial: n sites, each available with x, and u."""
    count, interval, use, tau_rec = 20000, 15.0, 0.4, 50.0
    law = {"U": use, "tau_rec": tau_rec, "tau_facil": tau_facil, "n": n}
    found = released("MultiQuantal", interval, 6, count, law)
    np.testing.assert_allclose(found * n, np.rint(found * n), atol=1e-8)
    used, available = 0.0, 1.0
    for k in range(6):
        used *= np.exp(-interval / tau_facil) if tau_facil else 0.0
        used += use * (1 - used)
        available = 1 - (1 - available) * np.exp(-interval / tau_rec)
        p = available * used
        variance = p * (1 - p) / n
        assert abs(found[:, k].mean() - p) < 4 * np.sqrt(variance / count)
        excess = (1 - 6 * p * (1 - p)) / (n * p * (1 - p))  # of the binomial's fourth moment
        assert abs(found[:, k].var() - variance) < 4 * variance * np.sqrt((2 + excess) / count)
        available -= p
