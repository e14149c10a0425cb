"""GLM_exp against a plain numpy simulation given the same random numbers, and the time-rescaling theorem."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from evsim.errors import CheckError
from evsim.network import Current, Network

GLM = {
    **{"lambda0": 12.0, "tau_syn_E": 3.0, "tau_syn_I": 11.0, "i_offset": 0.1},
    **{"tau_stimulus1": 4.0, "tau_stimulus2": 25.0, "tau_stimulus3": 80.0},
    **{"a_stimulus1": 2.0, "a_stimulus2": -0.5, "a_stimulus3": 0.7},
    **{"tau_history1": 1.5, "tau_history2": 12.0, "tau_history3": 100.0},
    **{"a_history1": -6.0, "a_history2": 1.2, "a_history3": -0.4},
}
SEED, DT = 23, 0.2
WEIGHTS = {"excitatory": 0.9, "inhibitory": -0.6}


def network(nets, size: int, steps: int, **changed):
    """Cells under a fluctuating current and the spikes of three sources; the current at every step; the trains."""
    rng = np.random.default_rng(5)
    trains = [np.unique(np.sort(rng.integers(1, steps, steps // 100))) for _ in range(3)]
    onsets, amplitudes = np.arange(0, steps, 25), rng.normal(0.4, 0.8, -(-steps // 25))
    populations = (
        nets.array_source([train * DT for train in trains]),
        nets.cells(size, model="GLM_exp", **{**GLM, **changed}),
    )
    synapses = tuple(
        nets.connect(0, 1, [(k, n, weight, 4) for k in range(3) for n in range(size)], receptor)
        for receptor, weight in WEIGHTS.items()
    )
    current = Current("stimulus", 1, np.arange(size, dtype=np.int32), onsets * DT, amplitudes)
    probes = nets.record_all(populations, "spikes", "predictor", "rate", "syn_exc", "syn_inh")
    built = Network(DT, populations, synapses, (current,), tuple(p for p in probes if p.population == 1), SEED)
    return built, np.repeat(amplitudes, 25)[:steps], trains


def run(nets, size: int, steps: int, **changed):
    """Spikes as a table (labels, cells) of booleans, the variables, and what drove them."""
    built, current, trains = network(nets, size, steps, **changed)
    recordings = nets.run(built, steps)
    (spikes,) = recordings.spikes
    table = np.zeros((steps + 1, size), bool)
    table[np.rint(spikes.times / DT).astype(int), spikes.neurons] = True
    return table, {signal.variable: signal.values for signal in recordings.signals}, current, trains


def simulated(nets, size: int, steps: int, current, trains):
    """The same by sums over exponentials, step after step."""
    p, kinds = GLM, range(1, 4)
    column = {name: np.array([[p[f"{name}{j}"]] for j in kinds]) for name in ("tau_stimulus", "a_stimulus")}
    history = {name: np.array([[p[f"{name}{j}"]] for j in kinds]) for name in ("tau_history", "a_history")}
    arrivals = np.bincount(np.concatenate(trains) + 4, minlength=steps + 5)
    filtered, past, exc, inh = np.zeros((3, 1)), np.zeros((3, size)), 0.0, 0.0
    table, predictors = np.zeros((steps + 1, size), bool), [np.zeros(size)]
    for step in range(steps):
        kept = np.exp(-DT / column["tau_stimulus"])
        filtered = kept * filtered + (1 - kept) * (current[step] + p["i_offset"])
        past = past * np.exp(-DT / history["tau_history"])
        exc, inh = exc * np.exp(-DT / p["tau_syn_E"]), inh * np.exp(-DT / p["tau_syn_I"])
        predictor = (column["a_stimulus"] * filtered).sum() + past.sum(0) + exc + inh
        spikes = nets.chances(SEED, 1, step, size) < -np.expm1(-p["lambda0"] * np.exp(predictor) * DT / 1000)
        past = past + history["a_history"] * spikes
        exc, inh = exc + 0.9 * arrivals[step + 1], inh - 0.6 * arrivals[step + 1]
        table[step + 1] = spikes
        predictors.append(predictor)
    return table, np.array(predictors)


def test_it_does_what_its_equations_say_given_the_same_chances(nets):
    size, steps = 25, 5000
    table, signals, current, trains = run(nets, size, steps)
    expected, predictor = simulated(nets, size, steps, current, trains)
    assert table.sum() > 300
    np.testing.assert_array_equal(table, expected)
    np.testing.assert_allclose(signals["predictor"], predictor, rtol=0, atol=1e-10)
    np.testing.assert_allclose(signals["rate"], GLM["lambda0"] * np.exp(predictor), rtol=1e-10)


def test_rescaled_intervals_are_exponential(nets):
    """The time-rescaling theorem, exact in discrete time where a spike's place in its step is drawn (Haslinger et al.
    2010): the sum of rate dt from spike to spike is exponential with mean 1."""
    table, signals, _, _ = run(nets, 60, 25_000)
    hazard = signals["rate"] * DT / 1000
    hazard[0] = 0.0  # the rate at label k is that of the step that leads there
    rng, rescaled = np.random.default_rng(1), []
    for cell in range(60):
        at = np.flatnonzero(table[:, cell])
        within = -np.log1p(rng.uniform(size=len(at)) * np.expm1(-hazard[at, cell]))
        before = np.cumsum(hazard[:, cell])[at] - hazard[at, cell]
        rescaled.append((before + within)[1:] - np.cumsum(hazard[:, cell])[at][:-1])
    found = np.concatenate(rescaled)
    assert len(found) > 3000
    assert stats.kstest(found, "expon").pvalue > 1e-3
    again = [np.corrcoef(part[1:], part[:-1])[0, 1] for part in rescaled]
    assert abs(np.mean(again)) < 4 * np.std(again) / np.sqrt(len(again))


def test_a_constant_current_multiplies_the_rate(nets):
    """Without history and coupling it is a Poisson process of lambda0 exp(sum of a_stimulus times the current)."""
    silent = dict.fromkeys(("a_history1", "a_history2", "a_history3"), 0.0)
    cells = nets.cells(2000, model="GLM_exp", **{**GLM, **silent, "i_offset": 0.5})
    probes = nets.record_all((cells,), "spikes", "rate")
    recordings = nets.run(Network(1.0, (cells,), probes=probes, seed=3), 3000)
    expected = GLM["lambda0"] * np.exp(0.5 * (2.0 - 0.5 + 0.7))
    assert recordings.signals[0].values[-1] == pytest.approx(expected)
    counts = np.bincount(recordings.spikes[0].neurons[recordings.spikes[0].times > 1000.0], minlength=2000)
    probability = -np.expm1(-expected / 1000)
    assert counts.mean() == pytest.approx(2000 * probability, abs=4 * np.sqrt(2000 * probability / 2000))


def test_absurd_predictors_are_a_spike_in_each_step_or_none(nets):
    cells = nets.cells(2, model="GLM_exp", **{**GLM, "a_history1": 0.0, "i_offset": np.array([1e6, -1e6])})
    probes = nets.record_all((cells,), "spikes", "rate")
    recordings = nets.run(Network(1.0, (cells,), probes=probes), 1000)
    assert np.bincount(recordings.spikes[0].neurons, minlength=2).tolist() == [1000, 0]
    assert not np.isnan(recordings.signals[0].values).any()


def test_time_constants_must_be_above_zero(nets):
    with pytest.raises(CheckError, match="tau_history2 is 0 ms at the least"):
        run(nets, 1, 50, tau_history2=0.0)
