"""Poisson sources: exact distributions, independence, and trains that do not depend on how they are drawn."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from evsim.network import Network
from evsim.poisson.counts import BLOCK, count_block, count_tables, step_keys
from evsim.poisson.events import choice_of, minus_log
from evsim.sources import PoissonCounts, PoissonEvents, source_of

IMPROBABLE = 1e-4  # seeds are fixed, so a p value below this is a fault and not bad luck


def source(nets, size, rate, timestep=1.0, seed=1, begin=0, **more):
    """The source of a population; ``more`` may give start and duration."""
    return source_of(Network(timestep, (nets.poisson(size, rate, **more),), seed=seed), 0, begin)


def uneven(nets, **values):
    """A population of which some parameter differs from cell to cell."""
    size = len(next(iter(values.values())))
    base = nets.poisson(size, 20.0)
    return replace(base, parameters={**base.parameters, **{k: np.array(v, float) for k, v in values.items()}})


def counts_of(spikes, first, last, size):
    """(steps, cells) number of spikes."""
    found = np.zeros((last - first + 1, size), np.int64)
    np.add.at(found, (spikes.label - first, spikes.cell), 1)
    return found


def p_of_fit(counts, mean):
    """The p value of Pearson's test of many counts against the Poisson distribution."""
    levels = np.linspace(20 / counts.size, 1 - 20 / counts.size, 25)
    edges = np.unique(stats.poisson.ppf(levels, mean))
    seen = np.bincount(np.searchsorted(edges, counts.ravel()), minlength=len(edges) + 1)
    wanted = np.diff(stats.poisson.cdf(edges, mean), prepend=0.0, append=1.0) * counts.size
    return stats.chisquare(seen, wanted).pvalue


def p_of_spread(counts, mean):
    """The p value of the index of dispersion of a few counts of a large mean."""
    level = stats.chi2.cdf(((counts - mean) ** 2 / mean).sum(), counts.size)
    return 2 * min(level, 1 - level)


def p_of_independence(a, b):
    """The p value of Pearson's test of a table of pairs of counts."""
    low, high = np.quantile(a, [0.02, 0.98]).astype(int)
    table = np.histogram2d(*(np.clip(x.ravel(), low, high) for x in (a, b)), bins=high - low + 1)[0]
    result: Any = stats.chi2_contingency(table)
    return result.pvalue


# --- counts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mean", [0.1, 0.5, 2.0, 8.0, 20.0, 60.0, 1000.0])
def test_the_table_has_exactly_the_probabilities_of_poisson(mean):
    tables = count_tables([0.3, mean])
    thresholds = tables.thresholds[1, : tables.n_thresholds[1]]
    reached = np.searchsorted(thresholds, np.arange(65536), side="right") + tables.least[1]
    decided = np.bincount(reached[: thresholds[-1]], minlength=tables.rest.shape[1])
    again = 65536 - int(thresholds[-1])
    found = (decided + again * np.diff(tables.rest[1], prepend=0.0)) / 65536
    expected = stats.poisson.pmf(np.arange(len(found)), mean)
    assert np.abs(found - expected).max() < 1e-13
    assert (np.arange(len(found)) * found).sum() == pytest.approx(mean, rel=1e-11)
    assert again / 65536 < 0.01  # drawing again costs next to nothing


@pytest.mark.parametrize("mean", [0.1, 0.7, 2.0, 20.0])
def test_counts_fit_the_distribution(nets, mean):
    noise = source(nets, 3001, 1000.0 * mean)
    assert isinstance(noise, PoissonCounts)
    counts = counts_of(noise.spikes(1, 200), 1, 200, 3001)
    assert p_of_fit(counts, mean) > IMPROBABLE
    assert p_of_fit(counts.sum(0), 200 * mean) > IMPROBABLE
    assert p_of_spread(counts.sum(1), 3001 * mean) > IMPROBABLE
    error = (mean / counts.size) ** 0.5
    assert abs(counts.mean() - mean) < 4 * error
    assert counts.var() == pytest.approx(mean, rel=4 * ((2 + 1 / mean) / counts.size) ** 0.5)


def test_the_far_tail_is_there(nets):
    spikes = source(nets, 50_000, 2000.0).spikes(1, 80)
    counts = counts_of(spikes, 1, 80, 50_000)
    for least in (8, 9, 10, 11):
        expected = stats.poisson.sf(least - 1, 2.0) * counts.size
        assert abs((counts >= least).sum() - expected) < 4 * expected**0.5


@pytest.mark.parametrize("mean", [0.3, 2.0])
def test_counts_of_different_cells_steps_and_populations_are_independent(nets, mean):
    size, steps = 2000, 300
    population = nets.poisson(size, 1000.0 * mean)
    network = Network(1.0, (population, replace(population, label="other")), seed=5)
    drawn = [
        counts_of(source_of(net, index, begin).spikes(101, 100 + steps), 101, 100 + steps, size)
        for net, index, begin in [(network, 0, 0), (network, 1, 0), (replace(network, seed=6), 0, 0), (network, 0, 100)]
    ]
    counts = drawn[0]
    for other in drawn[1:]:
        assert p_of_independence(counts, other) > IMPROBABLE
    for apart in (1, 2, 3, BLOCK):
        assert p_of_independence(counts[:, :-apart], counts[:, apart:]) > IMPROBABLE
    assert p_of_independence(counts[:, ::2], counts[:, 1::2]) > IMPROBABLE  # two cells share a hash
    for apart in (1, 2):
        assert p_of_independence(counts[:-apart], counts[apart:]) > IMPROBABLE


def uniform_bits(key0, key1, first_cell, size):
    """16 bits for each cell, by the words of ``hash_pairs`` and without its tricks."""
    z = (np.arange(first_cell // 2, (first_cell + size + 1) // 2) % 2**32).astype(np.uint32)
    z = z * np.uint32(0x9E3779B1) + key0
    z = (z ^ (z >> 16)) * np.uint32(0x7FEB352D) ^ key1
    z = (z ^ (z >> 15)) * np.uint32(0x846CA68B)
    return (z ^ (z >> 16)).view(np.uint16)[:size]


@settings(derandomize=True, deadline=None)
@given(
    st.floats(1e-7, 60.0),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**34),
    st.integers(1, BLOCK),
)
def test_a_count_is_the_number_of_thresholds_that_its_bits_reach(mean, key0, key1, pair, size):
    tables = count_tables([mean])
    thresholds = tables.thresholds[0, : tables.n_thresholds[0]]
    keys = np.uint32(key0), np.uint32(key1)
    hashes, counts = np.empty(BLOCK, np.uint32), np.empty(size, np.uint16)
    count_block(tables, 0, *keys, 2 * pair, hashes, counts)
    bits = uniform_bits(*keys, 2 * pair, size)
    decided = bits < thresholds[-1]
    wanted = np.searchsorted(thresholds, bits, side="right") + tables.least[0]
    np.testing.assert_array_equal(counts[decided], wanted[decided])
    assert (counts[~decided] < len(tables.rest[0])).all()


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 1300), max_size=5), st.integers(1, 2600), st.integers(0, 2**40))
def test_a_block_of_counts_is_that_part_of_the_whole(cuts, size, step):
    tables = count_tables([2.0, 0.4])
    key0, key1 = step_keys(np.uint64(99), step)
    hashes, whole = np.empty(2000, np.uint32), np.empty(size, np.uint16)
    count_block(tables, 1, key0, key1, 0, hashes, whole)
    bounds = sorted({0, size, *(2 * cut for cut in cuts if 2 * cut < size)})
    for begin, end in pairwise(bounds):
        part = np.empty(end - begin, np.uint16)
        count_block(tables, 1, key0, key1, begin, hashes, part)
        np.testing.assert_array_equal(part, whole[begin:end])


# --- events ----------------------------------------------------------------------------------------------------------


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 2**64 - 1))
def test_the_logarithm_is_right_to_the_last_digits(bits):
    exact = -np.log((float(bits >> 11) + 1.0) / 2.0**53)
    assert minus_log(np.uint64(bits)) == pytest.approx(exact, rel=2e-15, abs=4e-16)


@settings(derandomize=True, deadline=None)
@given(arrays(float, st.integers(1, 40), elements=st.one_of(st.just(0.0), st.floats(1e-6, 1e6))))
def test_cells_are_chosen_by_their_rates(rates):
    if not rates.any():
        return
    keep, alias = choice_of(rates)
    chance = keep.copy()
    np.add.at(chance, alias, 1.0 - keep)
    np.testing.assert_allclose(chance / len(rates), rates / rates.sum(), atol=1e-12)
    assert not chance[rates == 0].any()


def test_gaps_of_the_population_are_exponential(nets):
    noise = source(nets, 50, 1000.0, 2.0**-20)  # a step so short that labels are as good as times
    assert isinstance(noise, PoissonEvents)
    labels = noise.spikes(0, 400 * 2**20).label
    gaps = np.diff(labels, prepend=0) / 2.0**20
    assert stats.kstest(gaps, "expon", args=(0, 1 / 50)).pvalue > IMPROBABLE
    assert stats.spearmanr(gaps[1:], gaps[:-1]).pvalue > IMPROBABLE


def test_events_fit_the_rates_of_their_cells(nets):
    rates = np.array([0.0, 10.0, 20.0, 40.0] * 100)
    drawn = source_of(Network(0.1, (uneven(nets, rate=rates),), seed=4), 0)
    assert isinstance(drawn, PoissonEvents)
    counts = np.bincount(drawn.spikes(0, 100_000).cell, minlength=400)
    assert not counts[rates == 0].any()
    for rate in (10.0, 20.0, 40.0):
        assert p_of_spread(counts[rates == rate], 10 * rate) > IMPROBABLE


def test_each_cell_has_its_own_start_and_end(nets):
    starts, durations = [0.0, 10.05, 200.0, 50.0], [30.0, 70.0, 0.0, 1e10]
    drawn = source_of(Network(0.1, (uneven(nets, start=starts, duration=durations, rate=[400.0] * 4),), seed=2), 0)
    spikes = drawn.spikes(0, 3000)
    for cell, (start, duration) in enumerate(zip(starts, durations, strict=True)):
        mine = spikes.label[spikes.cell == cell]
        assert (mine * 0.1 > start).all() and (mine * 0.1 < start + duration + 0.1).all()
        active = min(start + duration, 300.0) - start
        assert abs(len(mine) - 0.4 * active) <= 4 * (0.4 * active) ** 0.5


# --- both ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [30.0, 900.0])
def test_trains_do_not_depend_on_the_windows(nets, rate):
    whole = source(nets, 1500, rate, start=40.0, duration=500.0).spikes(0, 700)
    order = np.lexsort((whole.cell, whole.label))
    assert len(whole.label) > 10_000
    np.testing.assert_array_equal(order, np.arange(len(order)))
    np.testing.assert_array_equal(whole.time, whole.label * 1.0)
    rng = np.random.default_rng(3)
    for _ in range(3):
        cuts = np.unique(rng.integers(0, 701, 12))
        parts = source(nets, 1500, rate, start=40.0, duration=500.0)
        found = [parts.spikes(a, b - 1) for a, b in zip([0, *cuts], [*cuts, 701], strict=True)]
        for column, expected in zip(zip(*found, strict=True), whole, strict=True):
            np.testing.assert_array_equal(np.concatenate(column), expected)


@pytest.mark.parametrize("rate", [30.0, 2000.0])
@pytest.mark.parametrize(("timestep", "start", "duration"), [(0.1, 0.3, 1.4), (1.0, 5.0, 20.0), (0.1, 0.0, 1e10)])
def test_labels_lie_after_the_start_and_up_to_the_end(nets, rate, timestep, start, duration):
    spikes = source(nets, 4000, rate, timestep, start=start, duration=duration).spikes(0, 60)
    expected = np.arange(round(start / timestep) + 1, min(round((start + duration) / timestep), 60) + 1)
    np.testing.assert_array_equal(np.unique(spikes.label), expected)
    per_label = np.bincount(spikes.label)[expected]
    assert p_of_spread(per_label, 4.0 * rate * timestep) > IMPROBABLE


@pytest.mark.parametrize("rate", [30.0, 2000.0])
def test_a_process_begins_anew_after_its_step(nets, rate):
    anew = source(nets, 500, rate, begin=20).spikes(0, 60)
    before = source(nets, 500, rate).spikes(0, 60)
    assert anew.label.min() == 21
    kept = before.label > 20
    assert not np.array_equal(anew.cell[:500], before.cell[kept][:500])


def test_a_source_that_is_silent_or_over_has_no_spikes(nets):
    for silent in (
        source(nets, 5, 0.0),
        source(nets, 5, 900.0, start=100.0),
        source(nets, 5, 20.0, start=100.0),
        source(nets, 5, 900.0, start=5.0, duration=0.0),
        source(nets, 5, 900.0, duration=10.0, begin=30),
        source(nets, 5, 20.0, duration=10.0, begin=30),
    ):
        assert all(len(column) == 0 for column in silent.spikes(0, 50))


def test_counts_are_drawn_where_they_can_be(nets):
    def kind(**more):
        return type(source(nets, 4, **more))

    assert kind(rate=1000.0) is kind(rate=100.0) is PoissonCounts
    assert kind(rate=1000.0, timestep=0.1, start=0.3, duration=0.6) is PoissonCounts  # 0.3 / 0.1 is 2.9999999999999996
    assert kind(rate=15.0) is kind(rate=1000.0, start=0.5) is kind(rate=1000.0, duration=10.25) is PoissonEvents
    assert kind(rate=2e6) is PoissonEvents
    some = source_of(Network(1.0, (uneven(nets, rate=[900.0, 901.0]),)), 0)
    assert isinstance(some, PoissonEvents)


def test_two_spikes_in_a_step_count_twice(nets):
    populations = (nets.cells(40, v_thresh=1e9), nets.poisson(40, 2000.0))
    one_to_one = nets.connect(1, 0, [(i, i, 0.5, 1) for i in range(40)])
    network = nets.Network(
        1.0, populations, (one_to_one,), (), nets.record_all(populations, "spikes", "isyn_exc"), seed=8
    )
    recordings = nets.run(network, 30)
    spikes = recordings.spikes[1]
    labels = np.rint(spikes.times).astype(int)
    counts = np.zeros((31, 40))
    np.add.at(counts, (labels, spikes.neurons), 1)
    assert counts.max() >= 5
    current = recordings.signals[0].values
    arrived = current[1:] - current[:-1] * np.exp(-1 / 5.0)
    np.testing.assert_allclose(arrived[1:], 0.5 * counts[1:30], atol=1e-9)
