"""IFCurrExpCa2Adaptive in double precision against the matrix exponential of its equations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from evsim.chip import load_chip
from evsim.deploy.check import check

tau = st.floats(1.0, 50.0)
VARIABLES = ("v", "isyn_exc", "isyn_inh", "i_ca2")


def neuron(nets, **changed):
    return nets.cells(1, model="IFCurrExpCa2Adaptive", **{"tau_ca2": 50.0, "i_alpha": 0.1, **changed})


def expected(cell, dt: float, steps: int, jumps: dict[int, np.ndarray]) -> tuple[np.ndarray, list[int]]:
    """(labels, 4) of VARIABLES and the labels of the spikes; ``jumps``: label -> what is added to the variables."""
    p = {name: values[0] for name, values in cell.parameters.items()}
    rates = [1 / p["tau_m"], 1 / p["tau_syn_E"], 1 / p["tau_syn_I"], 1 / p["tau_ca2"], 0.0]  # the last one is constant
    equations = -np.diag(rates)
    equations[0, 1:] = np.array([1, 1, -1, p["i_offset"]]) / p["cm"]
    step = expm(equations * dt)
    x = np.array([cell.initial["v"][0] - p["v_rest"], 0.0, 0.0, 0.0, 1.0])
    found, spikes, held = [x.copy()], [], 0
    for label in range(1, steps + 1):
        u = x[0]
        x = step @ x
        x[0] = u if held else x[0]
        x[:4] += jumps.get(label, 0.0)
        held = max(held - 1, 0)
        if x[0] >= p["v_thresh"] - p["v_rest"] and not held:
            spikes.append(label)
            x[0], held = p["v_reset"] - p["v_rest"], round(p["tau_refrac"] / dt)
            x[3] += p["i_alpha"]
        found.append(x.copy())
    return np.array(found)[:, :4] + [p["v_rest"], 0, 0, 0], spikes


@given(
    tau_m=tau,
    tau_exc=tau,
    tau_inh=tau,
    tau_ca2=tau,
    i_alpha=st.floats(-0.2, 1.0),
    i_offset=st.floats(0.0, 3.0),
    refractory=st.integers(0, 20),
    dt=st.sampled_from([0.1, 1.0]),
    seed=st.integers(0, 99),
)
@settings(derandomize=True, deadline=None, max_examples=60)
def test_all_variables_follow_their_equations(
    nets, tau_m, tau_exc, tau_inh, tau_ca2, i_alpha, i_offset, refractory, dt, seed
):
    steps, rng = 200, np.random.default_rng(seed)
    cell = neuron(
        nets,
        tau_m=tau_m,
        tau_syn_E=tau_exc,
        tau_syn_I=tau_inh,
        tau_ca2=tau_ca2,
        i_alpha=i_alpha,
        i_offset=i_offset,
        tau_refrac=refractory * dt,
    )
    sent = np.sort(rng.choice(np.arange(1, steps - 5), 12, replace=False))
    weights = rng.uniform(0, 4, 12)
    projections = (
        nets.connect(0, 1, [(k, 0, weights[k], 3) for k in range(8)]),
        nets.connect(0, 1, [(k, 0, -weights[k], 3) for k in range(8, 12)], "inhibitory"),
    )
    jumps = {
        int(label) + 3: np.array([0.0, *((weight, 0.0) if k < 8 else (0.0, -weight)), 0.0])
        for k, (label, weight) in enumerate(zip(sent, weights, strict=True))
    }
    populations = (nets.array_source([[label * dt] for label in sent]), cell)
    network = nets.Network(dt, populations, projections, probes=nets.record_all(populations, "spikes", *VARIABLES))
    recordings = nets.run(network, steps)

    values, spikes = expected(cell, dt, steps, jumps)
    (part,) = [part for part in recordings.spikes if part.population == 1]
    assert np.rint(part.times / dt).astype(int).tolist() == spikes
    for column, variable in enumerate(VARIABLES):
        (signal,) = [signal for signal in recordings.signals if signal.variable == variable]
        np.testing.assert_allclose(signal.values[:, 0], values[:, column], rtol=0, atol=1e-9, err_msg=variable)


@pytest.mark.parametrize("chip", ["ideal", "spinnaker1"])
def test_calcium_makes_the_intervals_longer(nets, chip):
    cell = neuron(nets, i_offset=1.5, i_alpha=0.2)
    network = nets.Network(1.0, (cell,), probes=nets.record_all((cell,), "spikes", "i_ca2"))
    recordings = nets.run(network, 1000, chip)
    intervals = np.diff(recordings.spikes[0].times)
    assert np.all(np.diff(intervals) >= -1.0) and intervals[-1] > 1.25 * intervals[0]  # the grid is 1 ms
    assert recordings.signals[0].values.max() < 0.2 / (1 - np.exp(-intervals.min() / 50.0))


def test_a_time_constant_that_becomes_0_is_refused(nets):
    (problem,) = check(nets.Network(1.0, (neuron(nets, tau_ca2=1e-6),)), load_chip("spinnaker1"))
    assert "tau_ca2 is 1e-06 ms" in str(problem)
