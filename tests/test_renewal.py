"""Sources with other than exponential intervals: exact laws, equilibrium, trains that do not depend on windows."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy import stats

from evsim.errors import CheckError
from evsim.network import Network, Population, Sequences
from evsim.sources import mean_rate, source_of

IMPROBABLE = 1e-4  # seeds are fixed, so a p value below this is a fault and not bad luck
FINE = 2.0**-10  # ms; a time step that hardly rounds
FOREVER = 1e10


def population(size: int, model: str, start=0.0, duration=FOREVER, **parameters) -> Population:
    values = {**parameters, "start": start, "duration": duration}
    return Population("source", model, size, {k: np.broadcast_to(float(v), size) for k, v in values.items()})


def dead_time(size: int, rate=80.0, tau_refrac=5.0, **period) -> Population:
    return population(size, "SpikeSourcePoissonRefractory", rate=rate, tau_refrac=tau_refrac, **period)


def gamma(size: int, alpha=3.0, beta=240.0, **period) -> Population:
    return population(size, "SpikeSourceGamma", alpha=alpha, beta=beta, **period)


def varying(size: int, a, b, tbins, start: Any = 0.0, duration: Any = FOREVER) -> Population:
    """A SpikeSourceInhGamma whose cells share a histogram, or have one each."""
    lists = {"a": a, "b": b, "tbins": tbins}
    shared = {name: values if np.ndim(values[0]) else [values] * size for name, values in lists.items()}
    period = {"start": np.full(size, start), "duration": np.full(size, duration)}
    sequences = {name: Sequences.from_lists([np.array(x, float) for x in shared[name]]) for name in shared}
    return Population("source", "SpikeSourceInhGamma", size, period, sequences=sequences)


def trains(source: Population, until: float, timestep: float = FINE, seed: int = 1, begin: int = 0) -> list[np.ndarray]:
    """The spike times (ms) of each cell."""
    spikes = source_of(Network(timestep, (source,), seed=seed), 0, begin).spikes(begin, round(until / timestep))
    order = np.argsort(spikes.cell, kind="stable")  # a cell's spikes stay in the order in which they came
    return np.split(spikes.time[order], np.searchsorted(spikes.cell[order], np.arange(1, source.size)))


WAVE: dict[str, list[float]] = {
    "a": [3.0, 0.6, 8.0, 2.0, 5.0] * 120,
    "b": [0.004, 0.02, 0.0005, 0.01, 0.001] * 120,
    "tbins": list(np.cumsum([20.0, 7.0, 3.0, 11.0, 5.0] * 120) - 20.0),
}

LAWS = {
    "dead time": (dead_time, stats.expon(loc=5.0, scale=7.5)),
    "no dead time": (lambda size, **more: dead_time(size, tau_refrac=0.0, **more), stats.expon(scale=12.5)),
    "gamma": (gamma, stats.gamma(3.0, scale=1000 / 240)),
    "histogram": (lambda size, **more: varying(size, [3.0], [0.004], [0.0], **more), stats.gamma(3.0, scale=4.0)),
    "irregular": (lambda size, **more: gamma(size, alpha=0.5, beta=40.0, **more), stats.gamma(0.5, scale=25.0)),
}


@pytest.mark.parametrize("name", LAWS)
def test_intervals_follow_their_law(name):
    make, law = LAWS[name]
    found = np.concatenate([np.diff(train) for train in trains(make(40), 3000.0)])
    assert len(found) > 5000
    assert stats.kstest(found + np.random.default_rng(1).uniform(-FINE, FINE, len(found)), law.cdf).pvalue > IMPROBABLE


@pytest.mark.parametrize("name", LAWS)
def test_they_begin_in_equilibrium(name):
    """The wait for the first spike has the density (1 - law) / mean."""
    make, law = LAWS[name]
    first = [train[0] for train in trains(make(4000, start=30.0), 2000.0)]
    x = np.linspace(0.0, 1500.0, 300_001)
    survival = law.sf(x)
    cumulated = np.append(0.0, np.cumsum((survival[1:] + survival[:-1]) / 2 * np.diff(x))) / law.mean()
    wait = np.array(first) - 30.0
    assert wait.min() > 0.0
    assert stats.kstest(wait, lambda at: np.interp(at, x, cumulated)).pvalue > IMPROBABLE


@pytest.mark.parametrize("make", [dead_time, gamma, lambda size: varying(size, **WAVE)])
def test_trains_do_not_depend_on_the_windows(make):
    source, timestep = make(7), 0.1
    whole = source_of(Network(timestep, (source,), seed=5), 0).spikes(0, 9000)
    parts, cut = source_of(Network(timestep, (source,), seed=5), 0), [0, 1, 2, 700, 701, 5000, 9001]
    found = [parts.spikes(first, after - 1) for first, after in pairwise(cut)]
    np.testing.assert_array_equal(np.concatenate([part.label for part in found]), whole.label)
    np.testing.assert_array_equal(np.concatenate([part.cell for part in found]), whole.cell)
    order = np.lexsort((whole.cell, whole.label))
    np.testing.assert_array_equal(order, np.arange(len(order)))


@pytest.mark.parametrize("make", [dead_time, gamma, lambda size: varying(size, **WAVE)])
def test_cells_populations_and_seeds_are_independent(make):
    source = make(2)
    a, b = trains(source, 2000.0)
    (other, _) = trains(source, 2000.0, seed=2)
    (later, _) = trains(source, 2000.0, begin=1)
    assert len({round(float(train[0]), 2) for train in (a, b, other, later)}) == 4
    fewer = trains(make(1), 2000.0)[0]
    np.testing.assert_array_equal(fewer, a)  # a cell's train is its own


def test_they_spike_between_start_and_stop():
    source = dead_time(300, rate=400.0, tau_refrac=1.0, start=10.0, duration=20.0)
    times = np.concatenate(trains(source, 100.0))
    assert 10.0 < times.min() < 10.2 and 29.8 < times.max() <= 30.0 + FINE


def test_a_rate_of_zero_is_silence():
    assert not np.concatenate(trains(dead_time(3, rate=0.0), 5000.0)).size


@pytest.mark.parametrize("source", [dead_time(500), gamma(500), dead_time(500, start=40.0)])
def test_the_mean_rate_is_that_of_the_spikes(source):
    expected = mean_rate(source)
    assert expected is not None and expected.shape == (500,) and expected[0] == pytest.approx(80.0)
    begins = source.parameters["start"][0]
    counts = [len(train) for train in trains(source, begins + 1000.0, 0.1)]
    assert np.mean(counts) == pytest.approx(80.0, abs=5 * np.std(counts) / np.sqrt(len(counts)))


def test_a_rate_that_the_dead_time_forbids_is_refused(nets):
    network = Network(1.0, (dead_time(3, rate=250.0, tau_refrac=5.0), nets.cells(1)))
    with pytest.raises(CheckError, match=r"250 Hz with a tau_refrac of 5 ms in 3 of 3 cells.*below 200 Hz"):
        nets.run(network, 10)


def test_the_integral_of_a_varying_hazard_is_exponential_from_spike_to_spike():
    """The hazard is that of the age since the last spike and of the moment's a and b, integrated by a fine sum."""
    a, b, tbins = (np.array(WAVE[name]) for name in ("a", "b", "tbins"))
    bins, ages = [], []  # of each interval: those that it lies in, and the ages at their edges
    for train in trains(varying(25, **WAVE), 5000.0):
        for last, following in pairwise(train):
            edges = np.concatenate([[last], tbins[(tbins > last) & (tbins < following)], [following]])
            bins.append(np.searchsorted(tbins, edges[:-1], side="right") - 1)
            ages.append(edges - last)
    at = np.concatenate(bins)
    begin, end = np.concatenate([age[:-1] for age in ages]), np.concatenate([age[1:] for age in ages])
    laws = stats.gamma(a[at], scale=1000 * b[at])
    interval = np.repeat(np.arange(len(bins)), [len(part) for part in bins])
    rescaled = np.bincount(interval, laws.logsf(begin) - laws.logsf(end))
    assert len(rescaled) > 5000
    assert stats.kstest(rescaled, "expon").pvalue > IMPROBABLE


def test_within_a_bin_intervals_are_those_of_its_gamma_distribution():
    """Bins are long, and what lies in a bin but for its end is a sample that its length hardly selects from."""
    source = varying(200, [4.0, 1.5, 0.7], [0.002, 0.01, 0.004], [0.0, 1500.0, 3000.0])
    bounds = ((0.0, 1500.0, 4.0, 2.0), (1500.0, 3000.0, 1.5, 10.0), (3000.0, 4500.0, 0.7, 4.0))
    found = trains(source, 4500.0)
    for low, high, shape, scale in bounds:
        inside = [train[(train > low) & (train < high)] for train in found]
        intervals = np.concatenate([np.diff(train)[:40] for train in inside])
        law = stats.gamma(shape, scale=scale)
        noise = np.random.default_rng(1).uniform(-FINE, FINE, len(intervals))
        assert stats.kstest(intervals + noise, law.cdf).pvalue > IMPROBABLE
        assert np.mean([len(train) for train in inside]) == pytest.approx(1500.0 / law.mean(), rel=0.02)


def test_cells_may_have_histograms_of_different_lengths():
    """The second cell falls silent after 100 ms; the third one, with a single bin that begins late, never changes."""
    source = varying(3, [[2.0], [2.0, 2.0], [2.0]], [[0.005], [0.005, 1e9], [0.005]], [[0.0], [0.0, 100.0], [50.0]])
    first, second, third = trains(source, 10_000.0)
    assert abs(len(first) - 1000) < 150 and abs(len(third) - 1000) < 150
    assert 2 < len(second) < 20 and second.max() < 120.0
    highest = mean_rate(source)
    assert highest is not None and highest.tolist() == pytest.approx([100.0] * 3)


def test_an_age_beyond_all_numbers_has_the_hazard_of_infinity():
    """After a second of silence b becomes a microsecond; an age of a million b has a survival of exp(-1e6)."""
    source = varying(2000, [3.0, 3.0], [1e6, 1e-6 * 1000], [0.0, 1000.0])
    first = np.array([train[0] for train in trains(source, 1100.0)])
    assert stats.kstest(first - 1000.0, stats.expon(scale=1.0).cdf).pvalue > IMPROBABLE


def test_histograms_that_do_not_fit_are_refused(nets):
    for a, b, tbins, message in (
        ([1.0, 2.0], [0.1], [0.0], "2 values of a, 1 of b and 1 of tbins in cell 0"),
        ([], [], [], "0 values of a"),
        ([0.0], [0.1], [0.0], r"a is 0 at the least, and out of range in 3 of 3 numbers"),
        ([1.0], [np.nan], [0.0], "3 of 3 numbers of parameter b are not finite"),
    ):
        with pytest.raises(CheckError, match=message):
            nets.run(Network(1.0, (varying(3, a, b, tbins) if a else varying(3, [[]] * 3, [[]] * 3, [[]] * 3),)), 1)


# --- rates that vary -------------------------------------------------------------------------------------------------


def variable(size: int, rates, starts, durations) -> Population:
    """A SpikeSourcePoissonVariable whose cells share a schedule, or have one each."""
    lists = {"rates": rates, "starts": starts, "durations": durations}
    shared = {name: values if np.ndim(values[0]) else [values] * size for name, values in lists.items()}
    sequences = {name: Sequences.from_lists([np.array(x, float) for x in shared[name]]) for name in shared}
    return Population("source", "SpikeSourcePoissonVariable", size, {}, sequences=sequences)


def test_counts_of_each_stretch_are_poissons():
    """A rate holds for its duration, and at most until the next one starts; between and before there is silence."""
    source = variable(2000, [50.0, 200.0, 0.0, 80.0], [20.0, 60.0, 90.0, 100.0], [30.0, 100.0, 5.0, FOREVER])
    found = trains(source, 150.0)
    for low, high, rate in ((0, 20, 0), (20, 50, 50), (50, 60, 0), (60, 90, 200), (90, 100, 0), (100, 150, 80)):
        counts = np.array([np.count_nonzero((train > low) & (train <= high)) for train in found])
        mean = rate * (high - low) / 1000.0
        assert abs(counts.mean() - mean) <= 4 * np.sqrt(mean / len(counts))
        assert abs(counts.var() - mean) <= 0.15 * mean
    inside = np.concatenate([train[(train > 60) & (train <= 90)] for train in found])
    assert stats.kstest(inside, stats.uniform(60, 30).cdf).pvalue > IMPROBABLE
    assert mean_rate(source) == pytest.approx(np.full(2000, 200.0))


def test_cells_may_have_schedules_of_their_own():
    source = variable(
        3, [[1000.0], [0.0, 500.0], [10.0]], [[0.0], [0.0, 400.0], [900.0]], [[100.0], [9.0, 100.0], [0.0]]
    )
    first, second, third = trains(source, 1000.0)
    assert abs(len(first) - 100) < 50 and first.max() <= 100.0
    assert abs(len(second) - 50) < 35 and second.min() > 400.0 and second.max() <= 500.0
    assert not len(third)


def test_a_schedule_may_be_empty():
    assert [len(train) for train in trains(variable(2, [[]] * 2, [[]] * 2, [[]] * 2), 100.0)] == [0, 0]


def test_windows_and_a_new_beginning_change_nothing_of_a_schedule():
    source = variable(50, [100.0, 300.0], [10.0, 40.0], [20.0, 60.0])
    network = Network(0.1, (source,), seed=5)
    whole = source_of(network, 0).spikes(0, 1000)
    pieces = source_of(network, 0)
    parts = [pieces.spikes(a, b) for a, b in ((0, 99), (100, 450), (451, 1000))]
    for name in ("label", "cell"):
        np.testing.assert_array_equal(np.concatenate([getattr(part, name) for part in parts]), getattr(whole, name))
    anew = source_of(network, 0, begin=500).spikes(500, 1000)
    assert anew.time.min() > 50.0 and abs(len(anew.time) - 50 * 15) < 5 * np.sqrt(750)


def test_schedules_that_do_not_fit_are_refused(nets):
    for lists, message in (
        (([1.0, 2.0], [0.0], [5.0]), "2 rates, 1 starts and 1 durations in cell 0"),
        (([-1.0], [0.0], [5.0]), r"rates is -1 Hz at the least, and out of range in 3 of 3 numbers"),
        (([1.0], [np.nan], [5.0]), "3 of 3 numbers of parameter starts are not finite"),
    ):
        with pytest.raises(CheckError, match=message):
            nets.run(Network(1.0, (variable(3, *lists),)), 1)
