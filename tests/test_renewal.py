"""Sources with other than exponential intervals: exact laws, equilibrium, trains that do not depend on windows."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from evsim.errors import CheckError
from evsim.network import Network, Population
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


def trains(source: Population, until: float, timestep: float = FINE, seed: int = 1, begin: int = 0) -> list[np.ndarray]:
    """The spike times (ms) of each cell."""
    spikes = source_of(Network(timestep, (source,), seed=seed), 0, begin).spikes(begin, round(until / timestep))
    return [spikes.time[spikes.cell == cell] for cell in range(source.size)]


LAWS = {
    "dead time": (dead_time, stats.expon(loc=5.0, scale=7.5)),
    "no dead time": (lambda size, **more: dead_time(size, tau_refrac=0.0, **more), stats.expon(scale=12.5)),
    "gamma": (gamma, stats.gamma(3.0, scale=1000 / 240)),
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


@pytest.mark.parametrize("make", [dead_time, gamma])
def test_trains_do_not_depend_on_the_windows(make):
    source, timestep = make(7), 0.1
    whole = source_of(Network(timestep, (source,), seed=5), 0).spikes(0, 9000)
    parts, cut = source_of(Network(timestep, (source,), seed=5), 0), [0, 1, 2, 700, 701, 5000, 9001]
    found = [parts.spikes(first, after - 1) for first, after in pairwise(cut)]
    np.testing.assert_array_equal(np.concatenate([part.label for part in found]), whole.label)
    np.testing.assert_array_equal(np.concatenate([part.cell for part in found]), whole.cell)
    order = np.lexsort((whole.cell, whole.label))
    np.testing.assert_array_equal(order, np.arange(len(order)))


@pytest.mark.parametrize("make", [dead_time, gamma])
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
