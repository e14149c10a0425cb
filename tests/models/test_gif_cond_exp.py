"""GIF_cond_exp against a plain numpy simulation with exact propagators, which is given the same random numbers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from evsim.chip import load_chip
from evsim.deploy.quantise import quantise
from evsim.engine.simulation import Simulation
from evsim.errors import CheckError
from evsim.network import Network

GIF = {
    **{"v_rest": -68.0, "cm": 0.25, "tau_m": 13.0, "tau_refrac": 1.5, "v_reset": -62.0, "i_offset": 0.5},
    **{"tau_syn_E": 4.0, "tau_syn_I": 8.0, "e_rev_E": 0.0, "e_rev_I": -75.0},
    **{"delta_v": 1.3, "v_t_star": -52.0, "lambda0": 8.0},
    **{"tau_eta1": 0.7, "tau_eta2": 12.0, "tau_eta3": 90.0, "a_eta1": 0.3, "a_eta2": -0.05, "a_eta3": 0.02},
    **{"tau_gamma1": 1.1, "tau_gamma2": 15.0, "tau_gamma3": 70.0},
    **{"a_gamma1": 4.0, "a_gamma2": 1.0, "a_gamma3": -0.3},
}
SEED = 11


def gif(nets, size: int, **changed):
    return nets.cells(size, model="GIF_cond_exp", v=-66.0, **{**GIF, **changed})


def run(nets, population, steps: int, dt: float = 0.1, index: int = 0, **more):
    """Spikes as (labels, cells), and the variables as (labels, cells)."""
    populations = (*(nets.cells(1, label=f"other {k}") for k in range(index)), population)
    probes = nets.record_all(populations, "spikes", *more.pop("variables", ("v", "i_eta", "v_t")))
    probes = tuple(probe for probe in probes if probe.population == index)
    recordings = nets.run(Network(dt, populations, probes=probes, seed=SEED), steps, **more)
    (spikes,) = recordings.spikes
    order = np.lexsort((spikes.neurons, spikes.times))
    found = np.rint(spikes.times / dt).astype(int)[order], spikes.neurons[order]
    return found, {signal.variable: signal.values for signal in recordings.signals}


def simulated(nets, size: int, steps: int, dt: float, index: int):
    """What ``run`` returns, of cells without synapses, whose v between spikes is a sum of exponentials."""
    p, kinds = GIF, range(1, 4)
    refractory = round(p["tau_refrac"] / dt)
    v, left = np.full(size, -66.0), np.zeros(size)
    eta, gamma = np.zeros((3, size)), np.zeros((3, size))
    tau_eta, tau_gamma, a_eta, a_gamma = (
        np.array([[p[f"{name}{j}"]] for j in kinds]) for name in ("tau_eta", "tau_gamma", "a_eta", "a_gamma")
    )
    level = p["v_rest"] + p["i_offset"] * p["tau_m"] / p["cm"]
    kept_v, kept_eta = np.exp(-dt / p["tau_m"]), np.exp(-dt / tau_eta)
    per_eta = (kept_eta - kept_v) / (1 / p["tau_m"] - 1 / tau_eta) / p["cm"]
    spikes, traces = [], {"v": [v], "i_eta": [eta.sum(0)], "v_t": [p["v_t_star"] + gamma.sum(0)]}
    for step in range(steps):
        moved = level + (v - level) * kept_v - (per_eta * eta).sum(0)
        eta, gamma = kept_eta * eta, np.exp(-dt / tau_gamma) * gamma
        rate = p["lambda0"] * np.exp((moved - p["v_t_star"] - gamma.sum(0)) / p["delta_v"])  # Hz
        fired = (nets.chances(SEED, index, step, size) < -np.expm1(-rate * dt / 1000)) & (left == 0)
        eta, gamma = eta + a_eta * fired, gamma + a_gamma * fired
        v = np.where(fired | (left > 0), p["v_reset"], moved)
        left = np.where(fired, refractory, np.maximum(left - 1, 0))
        spikes += [(step + 1, cell) for cell in np.flatnonzero(fired)]
        for name, value in (("v", v), ("i_eta", eta.sum(0)), ("v_t", p["v_t_star"] + gamma.sum(0))):
            traces[name].append(value)
    return np.array(spikes).T, {name: np.array(values) for name, values in traces.items()}


@pytest.mark.parametrize(("dt", "index"), [(0.1, 0), (0.5, 1)])
def test_it_does_what_its_equations_say_given_the_same_chances(nets, dt, index):
    size, steps = 30, 4000
    spikes, traces = run(nets, gif(nets, size), steps, dt, index)
    expected, expected_traces = simulated(nets, size, steps, dt, index)
    assert len(spikes[0]) > 100
    np.testing.assert_array_equal(spikes, expected)
    for name, values in expected_traces.items():
        np.testing.assert_allclose(traces[name], values, rtol=0, atol=1e-6 if name == "v" else 1e-11, err_msg=name)


def test_chances_depend_on_seed_population_cell_and_step_alone(nets):
    """Neither on threads nor on the pieces of a run, nor on how many cells there are."""
    size, steps = 1100, 300
    whole, _ = run(nets, gif(nets, size), steps, variables=("v",))
    assert len(whole[0]) > 500
    cut, _ = run(nets, gif(nets, size), steps, variables=("v",), pieces=[1, 2, 97, 200])
    np.testing.assert_array_equal(cut, whole)
    fewer, _ = run(nets, gif(nets, 700), steps)
    np.testing.assert_array_equal(fewer, np.array(whole)[:, whole[1] < 700])
    other, _ = run(nets, gif(nets, size), steps, index=1)
    assert not np.array_equal(other, whole)


def test_threads_do_not_change_the_spikes(nets):
    size, steps = 1500, 300
    cells = gif(nets, size)
    expected, _ = run(nets, cells, steps)
    network = Network(0.1, (cells,), probes=nets.record_all((cells,), "spikes"), seed=SEED)
    simulation = Simulation(quantise(network, load_chip("ideal")), threads=3)
    simulation.run(steps)
    (spikes,) = simulation.recordings().spikes
    order = np.lexsort((spikes.neurons, spikes.times))
    np.testing.assert_array_equal((np.rint(spikes.times[order] * 10), spikes.neurons[order]), expected)


def test_cells_differ_where_their_parameters_do(nets):
    """The silent one never spikes, however low its threshold; the eager one spikes as soon as it may."""
    lambda0 = np.array([0.0, 8.0, 1e12])
    (labels, cells), _ = run(nets, gif(nets, 3, lambda0=lambda0), 2000)
    assert set(cells) == {1, 2}
    assert (np.diff(labels[cells == 2]) == 16).all() and (cells == 2).sum() == 125  # 1.5 ms, and a step to spike in


def test_a_neuron_that_does_not_move_spikes_nevertheless(nets):
    """At rest nothing changes from step to step, but chance goes on: spikes are a Poisson process of lambda0."""
    silent = {"i_offset": 0.0, "v_t_star": -66.0, "v_reset": -66.0, "v_rest": -66.0, "tau_refrac": 0.0}
    none = {f"{name}{j}": 0.0 for name in ("a_eta", "a_gamma") for j in (1, 2, 3)}
    (labels, _), traces = run(nets, gif(nets, 1, **silent, **none, lambda0=50.0), 100_000)
    assert not np.ptp(traces["v"])
    assert len(labels) == pytest.approx(500, abs=4 * np.sqrt(500))
    assert stats.kstest(np.diff(labels) * 0.1, stats.expon(scale=20.0).cdf).pvalue > 1e-3


def test_between_spikes_it_is_a_leaky_membrane_with_conductances(nets):
    cells = gif(nets, 1, lambda0=0.0), nets.cells(1, "like it", "IF_cond_exp", -66.0, **{**GIF, "v_thresh": 1e9})
    populations = (nets.array_source([[1.0, 5.0, 5.0, 30.0]]), *cells)
    synapses = [
        nets.connect(0, post, [(0, 0, weight, 3)], receptor)
        for post in (1, 2)
        for weight, receptor in ((0.02, "excitatory"), (0.05, "inhibitory"))
    ]
    probes = nets.record_all(populations, "v", "gsyn_exc", "gsyn_inh")
    found = nets.run(Network(0.1, populations, tuple(synapses), probes=probes), 1000).signals
    for name in ("v", "gsyn_exc", "gsyn_inh"):
        one, other = (signal.values for signal in found if signal.variable == name)
        np.testing.assert_allclose(one, other, rtol=0, atol=2e-5)


def test_filters_and_sharpness_must_be_above_zero(nets):
    for name in ("delta_v", "tau_eta2", "tau_gamma3"):
        with pytest.raises(CheckError, match=rf"population 'cells'.*{name} is 0 m[sV] at the least"):
            run(nets, gif(nets, 2, **{name: 0.0}), 1)


def test_a_chip_refuses_it(nets):
    for chip in ("spinnaker1", "loihi2"):
        with pytest.raises(CheckError, match=rf"the cell GIF_cond_exp.*{chip}"):
            run(nets, gif(nets, 2), 1, chip=chip, variables=("v",))
