"""IF_cond_exp in double precision against scipy's solution of its equation with tight tolerances."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from evsim.network import Current
from evsim_models.if_cond_exp import LARGEST_RELAXATION, ideal_substep, relaxed_part

REVERSAL = {"e_rev_E": 0.0, "e_rev_I": -80.0}


def neuron(nets, **changed):
    return nets.cells(1, model="IF_cond_exp", **{**REVERSAL, **changed})


def trace(recordings, variable: str) -> np.ndarray:
    (signal,) = [signal for signal in recordings.signals if signal.variable == variable]
    return signal.values[:, 0]


def solution(dt, steps, arrivals, tau_m, cm, tau_e, tau_i, current) -> np.ndarray:
    """v at every label, by DOP853 from one label to the next; ``arrivals`` is (label, g_exc, g_inh)."""

    def slope(t, y):
        v, exc, inh = y
        dv = (-65.0 - v) / tau_m + (exc * (0.0 - v) + inh * (-80.0 - v) + current) / cm
        return dv, -exc / tau_e, -inh / tau_i

    y, v = np.array([-65.0, 0.0, 0.0]), [-65.0]
    for label in range(1, steps + 1):
        y = solve_ivp(slope, (0.0, dt), y, method="DOP853", rtol=1e-11, atol=1e-13).y[:, -1]
        for at, exc, inh in arrivals:
            y = y + (np.array([0.0, exc, inh]) if at == label else 0.0)
        v.append(y[0])
    return np.array(v)


@given(
    dt=st.sampled_from([0.1, 0.3, 1.0]),
    tau_m=st.floats(5.0, 30.0),
    cm=st.floats(0.2, 1.0),
    tau_e=st.floats(1.0, 10.0),
    tau_i=st.floats(1.0, 10.0),
    current=st.floats(-0.2, 0.5),
    weights=st.lists(st.tuples(st.floats(0.0, 0.05), st.floats(0.0, 0.1)), min_size=1, max_size=4),
)
@settings(derandomize=True, deadline=None, max_examples=25)
def test_v_follows_the_equation(nets, dt, tau_m, cm, tau_e, tau_i, current, weights):
    steps = 60
    arrivals = [(4 + 5 * k, exc, inh) for k, (exc, inh) in enumerate(weights)]
    cell = neuron(nets, tau_m=tau_m, cm=cm, tau_syn_E=tau_e, tau_syn_I=tau_i, i_offset=current, v_thresh=1e9)
    populations = (nets.array_source([[(at - 2) * dt] for at, _, _ in arrivals]), cell)
    exc = nets.connect(0, 1, [(k, 0, g, 2) for k, (_, g, _) in enumerate(arrivals)])
    inh = nets.connect(0, 1, [(k, 0, g, 2) for k, (_, _, g) in enumerate(arrivals)], "inhibitory")
    network = nets.Network(dt, populations, (exc, inh), probes=nets.record_all(populations, "v"))
    expected = solution(dt, steps, arrivals, tau_m, cm, tau_e, tau_i, current)
    assert np.abs(trace(nets.run(network, steps), "v") - expected).max() < 1e-5


def random_cells(rng: np.random.Generator, size: int) -> dict[str, np.ndarray]:
    """Parameters of neurons that never spike; no tau_syn is below 1 ms."""
    bounds = {
        **{"tau_m": (3.0, 30.0), "cm": (0.1, 1.0), "tau_syn_E": (1.0, 10.0), "tau_syn_I": (1.0, 10.0)},
        **{"v_rest": (-70.0, -60.0), "e_rev_E": (-10.0, 10.0), "e_rev_I": (-90.0, -71.0), "i_offset": (-0.2, 0.5)},
    }
    drawn = {name: rng.uniform(low, high, size) for name, (low, high) in bounds.items()}
    return {**drawn, "v_thresh": np.full(size, 1e9)}


def random_weights(rng: np.random.Generator, cells, arrivals: np.ndarray, strongest: float) -> np.ndarray:
    """Weights (excitatory and inhibitory, arrivals, cells) by which a cell's conductances and leak together reach at
    least half of ``strongest`` and never more (1/ms); ``arrivals`` are in ms."""
    weights = rng.exponential(1.0, (2, len(arrivals), len(cells["cm"])))
    passed = np.maximum(arrivals[:, None] - arrivals, 0.0)[:, :, None]  # from the second arrival to the first
    come = (arrivals[:, None] >= arrivals)[:, :, None]
    taus = np.array([cells["tau_syn_E"], cells["tau_syn_I"]])[:, None, None]
    total = (come * np.exp(-passed / taus) * weights[:, None]).sum(axis=(0, 2))
    room = strongest * rng.uniform(0.5, 1.0, len(cells["cm"])) - 1 / cells["tau_m"]
    return weights * np.maximum(room, 0.0) * cells["cm"] / total.max(axis=0)


def converged(cells, dt: float, steps: int, at: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """v (labels, cells) by DOP853 from one arrival of input, a label, to the next."""
    size = len(cells["cm"])

    def slope(t, y):
        v, exc, inh = y.reshape(3, size)
        current = exc * (cells["e_rev_E"] - v) + inh * (cells["e_rev_I"] - v) + cells["i_offset"]
        dv = (cells["v_rest"] - v) / cells["tau_m"] + current / cells["cm"]
        return np.concatenate([dv, -exc / cells["tau_syn_E"], -inh / cells["tau_syn_I"]])

    y, v = np.concatenate([np.full(size, -65.0), np.zeros(2 * size)]), [np.full((1, size), -65.0)]
    for first, last, jump in zip([0, *at], [*at, steps], [*weights.swapaxes(0, 1), 0.0], strict=True):
        labels = np.arange(first + 1, last + 1) * dt
        found = solve_ivp(slope, (first * dt, last * dt), y, method="DOP853", t_eval=labels, rtol=1e-13, atol=1e-13)
        v.append(found.y[:size].T)
        y = found.y[:, -1] + np.concatenate([np.zeros(size), np.ravel(jump + np.zeros((2, size)))])
    return np.vstack(v)


@pytest.mark.parametrize(("dt", "bound"), [(0.1, 1e-6), (0.3, 1e-5), (1.0, 1e-5)])
@pytest.mark.parametrize("strongest", [0.4, 1.0])
def test_the_error_is_below_its_bound(nets, dt, bound, strongest):
    """While the membrane's time constant is above 1 ms; a fast membrane is the hardest."""
    rng, size, duration = np.random.default_rng(5), 150, 36.0
    cells, steps = random_cells(rng, size), round(duration / dt)
    at = np.rint(np.array([3.0, 6.0, 9.0, 15.0, 18.0, 27.0]) / dt).astype(int)
    weights = random_weights(rng, cells, at * dt, strongest)
    source = nets.array_source([[(label - 2) * dt] for label in at])
    populations = (source, nets.cells(size, model="IF_cond_exp", **cells))
    synapses = tuple(
        nets.connect(0, 1, [(k, n, w[k, n], 2) for k in range(len(at)) for n in range(size)], receptor)
        for receptor, w in zip(("excitatory", "inhibitory"), weights, strict=True)
    )
    network = nets.Network(dt, populations, synapses, probes=nets.record_all(populations, "v"))
    (signal,) = [signal for signal in nets.run(network, steps).signals if signal.variable == "v"]
    assert np.abs(signal.values - converged(cells, dt, steps, at, weights)).max() < bound


def test_the_relaxed_part_is_as_exact_as_it_says():
    x = np.linspace(0.0, LARGEST_RELAXATION, 2001)[1:]
    evaluate = numba.vectorize(["float64(float64)"])(lambda x: relaxed_part(x))
    error = np.abs(evaluate(x) + np.expm1(-x) / x)
    assert error.max() < 5e-9
    assert error[x <= 0.03].max() < 3e-10
    assert evaluate(0.0) == 1.0


@pytest.mark.parametrize(("conductance", "hard"), [(0.4, False), (0.6, True), (-0.6, True)])
def test_strong_conductances_of_either_sign_are_left_to_the_exact_function(conductance, hard):
    """A negative one comes from an initial value only."""
    leaked, area = 0.0, 1.0  # so that the relaxation is the excitatory conductance
    substep = numba.njit(ideal_substep)
    result = substep(-65.0, conductance, 0.0, 0.0, leaked, area, area, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0)
    assert result[-1] == hard


def test_an_injected_current_does_what_an_offset_does(nets):
    offset = neuron(nets, i_offset=0.3)
    injected = nets.Network(
        0.1,
        (neuron(nets, i_offset=0.1),),
        probes=nets.record_all((offset,), "v"),
        currents=(Current("injected", 0, np.array([0], np.int32), np.array([0.0]), np.array([0.2])),),
    )
    expected = trace(nets.run(nets.Network(0.1, (offset,), probes=nets.record_all((offset,), "v")), 400), "v")
    np.testing.assert_allclose(trace(nets.run(injected, 400), "v"), expected, atol=1e-11)


@pytest.mark.parametrize(("conductance", "tolerance"), [(0.1, 2e-7), (1.0, 1e-4), (10.0, 0.1)])
def test_strong_conductances_cost_little_accuracy(nets, conductance, tolerance):
    """10 uS on 0.2 nF make a membrane of 20 us, a fifth of the longest substep."""
    populations = (nets.array_source([[1.0]]), neuron(nets, cm=0.2, v_thresh=1e9))
    synapse = nets.connect(0, 1, [(0, 0, conductance, 1)])
    network = nets.Network(1.0, populations, (synapse,), probes=nets.record_all(populations, "v"))
    expected = solution(1.0, 20, [(2, conductance, 0.0)], 20.0, 0.2, 5.0, 5.0, 0.0)
    assert np.abs(trace(nets.run(network, 20), "v") - expected).max() < tolerance


@pytest.mark.parametrize("conductance", [1e3, 1e6, 1e12])
def test_absurd_conductances_do_not_blow_up(nets, conductance):
    populations = (nets.array_source([[1.0]]), neuron(nets, v_thresh=1e9))
    synapse = nets.connect(0, 1, [(0, 0, conductance, 1)])
    network = nets.Network(1.0, populations, (synapse,), probes=nets.record_all(populations, "v"))
    v = trace(nets.run(network, 20), "v")
    assert np.abs(v[4:] - 0.0).max() < 0.5  # next to the excitatory reversal potential
    assert v.min() >= -65.0 - 1e-9


def test_conductances_go_on_while_v_is_held(nets):
    cell = neuron(nets, tau_refrac=5.0, v_reset=-70.0, tau_syn_E=2.0)
    populations = (nets.array_source([[1.0], [4.0]]), cell)
    synapses = nets.connect(0, 1, [(0, 0, 5.0, 1), (1, 0, 1.0, 1)])
    network = nets.Network(
        1.0, populations, (synapses,), probes=nets.record_all(populations, "v", "gsyn_exc", "spikes")
    )
    recordings = nets.run(network, 12)
    (spikes,) = [part for part in recordings.spikes if part.population == 1]
    assert spikes.times[0] == 3.0
    assert trace(recordings, "v")[3:9].tolist() == [-70.0] * 6
    decay = np.exp(-0.5)
    expected = [5.0, 5.0 * decay, 5.0 * decay**2, 5.0 * decay**3 + 1.0, (5.0 * decay**3 + 1.0) * decay]
    np.testing.assert_allclose(trace(recordings, "gsyn_exc")[2:7], expected, rtol=1e-13)
