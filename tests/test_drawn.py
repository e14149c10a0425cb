"""Synapses that are drawn and never stored: their statistics, and that no part depends on another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evsim.distributions import Constant, Distribution, Exponential, LogNormal, Normal, Other, Uniform, UniformInteger
from evsim.drawn import Drawn
from evsim.synapses import CHUNK, Listed
from evsim.wiring import Fans, Pairs

KEY = np.uint64(2014)


WEIGHT, DELAY = Normal(1.0, 0.1), Normal(1.5, 0.75, 0.1)


def synapses(wiring, weight: Distribution = WEIGHT, delay: Distribution = DELAY) -> Drawn:
    """Drawn with keys of their own, for a time step of 0.1 ms."""
    return Drawn(wiring, weight, delay, (np.uint64(1), np.uint64(2)), 0.1)


def fans(count, hubs: int, partners: int, key=KEY, **words) -> Fans:
    """As many synapses for each hub, or as given."""
    return Fans(np.broadcast_to(np.asarray(count, np.int64), hubs), partners, key, **words)


WIRINGS = {
    "total": lambda n: Pairs(n, 300, 400, KEY),
    "total, no autapses": lambda n: Pairs(n, 400, 400, KEY, autapses=False),
    "pre": lambda n: fans(n // 400 + 1, 400, 3000),
    "pre with replacement": lambda n: fans(n // 400 + 1, 400, 300, replacement=True, autapses=True),
    "post": lambda n: fans(n // 400 + 1, 400, 3000, to_targets=False),
    "no autapses": lambda n: fans(n // 1000 + 1, 1000, 1000, autapses=False),
}


@pytest.mark.parametrize("name", WIRINGS)
def test_chunks_are_the_same_in_any_order_and_thread(name):
    drawn = synapses(WIRINGS[name](3 * CHUNK + 1234))
    assert drawn.n_chunks == 4
    in_order = list(drawn.chunks())
    with ThreadPoolExecutor(4) as pool:
        by_threads = list(pool.map(drawn.chunk, reversed(range(4))))[::-1]
    for one, other in zip(in_order, by_threads, strict=True):
        for column, same in zip(one, other, strict=True):
            assert (column == same).all()
    for column in ("source", "target", "weight", "delay"):
        whole = np.concatenate([getattr(chunk, column) for chunk in in_order])
        assert len(whole) == len(drawn)
        assert (getattr(drawn, column) == whole).all()
    for index in (0, 1, CHUNK - 1, CHUNK, len(drawn) - 1):
        assert drawn.pair(index) == (drawn.source[index], drawn.target[index])


@pytest.mark.parametrize("name", WIRINGS)
def test_what_is_told_of_all_synapses_is_true_of_them(name):
    drawn = synapses(WIRINGS[name](2 * CHUNK + 77))
    listed = Listed(drawn.source, drawn.target, drawn.weight, drawn.delay)
    n_targets = int(listed.target.max()) + 1
    assert (drawn.fan_in(n_targets + 5) == listed.fan_in(n_targets + 5)).all()
    assert drawn.weights == pytest.approx(listed.weights, rel=1e-9)
    assert drawn.delays == pytest.approx(listed.delays, rel=1e-9)
    assert drawn.outside(100, 200) == listed.outside(100, 200)
    assert drawn.outside(5000, 5000) == (0, 0)


def test_columns_have_the_types_that_the_engine_expects():
    chunk = synapses(Pairs(10, 3, 4, KEY), UniformInteger(1, 4)).chunk(0)
    assert [column.dtype for column in chunk] == [np.int32, np.int32, np.float64, np.int32]
    assert all(column.flags.c_contiguous for column in chunk)


def test_one_number_for_all_takes_no_memory():
    drawn = synapses(Pairs(10**9, 300, 300, KEY), Constant(0.25), Constant(1.26))
    assert (drawn.constant_weight, drawn.constant_delay) == (0.25, 13)
    assert drawn.weight.strides == drawn.delay.strides == (0,)
    assert drawn.weights == (0, 0.25, 0.25, 0.25, 0.0)
    assert drawn.delays == (0, 13, 13, 13, 0)
    chunk = drawn.chunk(3000)
    assert (chunk.weight[0], chunk.delay[-1]) == (0.25, 13)


@pytest.mark.parametrize(
    ("law", "cdf"),
    [
        (Normal(1.5, 0.75, 0.1), stats.truncnorm(-1.4 / 0.75, np.inf, 1.5, 0.75).cdf),
        (Uniform(0.1, 2.0), stats.uniform(0.1, 1.9).cdf),
        (Exponential(0.8), stats.expon(scale=0.8).cdf),
        (LogNormal(0.0, 0.5), stats.lognorm(0.5).cdf),
        (Other("gamma", {"shape": 2.0, "scale": 0.5}), stats.gamma(2.0, scale=0.5).cdf),
    ],
)
def test_delays_are_rounded_to_the_nearest_step(law, cdf):
    drawn = synapses(Pairs(CHUNK + 5000, 10, 10, KEY), delay=law)
    steps = np.bincount(drawn.delay)
    edges = (np.arange(len(steps) + 1) - 0.5) * 0.1
    expected = len(drawn) * np.diff(cdf(np.append(edges[:-1], np.inf)))
    enough = expected > 10
    observed = np.append(steps[enough], steps[~enough].sum())
    expected = np.append(expected[enough], expected[~enough].sum())
    observed, expected = observed[expected > 0], expected[expected > 0]
    assert stats.chisquare(observed, expected * observed.sum() / expected.sum()).pvalue > 1e-3


def test_delays_without_bounds_stay_whole_numbers_of_steps():
    for mu, step in ((1e300, 2**31 - 1), (-1e300, -(2**31) + 1)):
        assert set(synapses(Pairs(5, 2, 2, KEY), delay=Normal(mu, 0.0)).delay) == {step}


# --- wirings ---------------------------------------------------------------------------------------------------------


def chi_square(pairs: np.ndarray) -> float:
    """The probability that counts that are equally likely differ as much as these."""
    return float(stats.chisquare(pairs.ravel()).pvalue)


def pair_counts(wiring) -> np.ndarray:
    """(sources, targets) synapses of each pair."""
    source, target = wiring.ends(0, len(wiring))
    counts = np.zeros((wiring.n_sources, wiring.n_targets), np.int64)
    np.add.at(counts, (source, target), 1)
    return counts


def test_each_pair_is_equally_likely_in_a_fixed_total_number():
    assert chi_square(pair_counts(Pairs(200_000, 30, 40, KEY))) > 1e-3
    counts = pair_counts(Pairs(200_000, 30, 30, KEY, autapses=False))
    assert counts.sum() == 200_000 and counts.trace() == 0
    assert chi_square(counts[~np.eye(30, dtype=bool)]) > 1e-3


@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("to_targets", [False, True])
@pytest.mark.parametrize("autapses", [False, True])
@pytest.mark.parametrize("count", [1, 5, 17, 29])
def test_each_partner_is_equally_likely(replacement, to_targets, autapses, count):
    total = np.zeros((30, 30), np.int64)
    for key in range(400):
        words = {"replacement": replacement, "to_targets": to_targets, "autapses": autapses}
        counts = pair_counts(fans(count, 30, 30, np.uint64(key), **words))
        assert (counts.sum(axis=0 if to_targets else 1) == count).all()
        assert replacement or counts.max() <= 1
        total += counts
    free = np.ones((30, 30), bool) if autapses else ~np.eye(30, dtype=bool)
    assert total[~free].sum() == 0
    share = count / (30 if autapses else 29)
    deviation = total[free] - 400 * share
    variance = 400 * share * ((1 - 1 / 30 if autapses else 1 - 1 / 29) if replacement else 1 - share)
    if variance:  # hubs without replacement have one degree of freedom less each, which lowers the sum a little
        degrees = int(free.sum()) - 30
        statistic = (deviation**2).sum() / variance * degrees / free.sum()
        assert 1e-3 < stats.chi2(degrees).cdf(statistic) < 1 - 1e-3


def test_all_sets_of_partners_are_equally_likely():
    seen: dict[tuple, int] = {}
    source, _ = fans(3, 60_000, 6).ends(0, 180_000)
    for row in np.sort(source.reshape(-1, 3)):
        seen[tuple(row)] = seen.get(tuple(row), 0) + 1
    assert len(seen) == 20  # of six cells, three are chosen in twenty ways
    assert chi_square(np.array(list(seen.values()))) > 1e-3


def test_more_synapses_than_partners_are_all_of_them_and_then_some():
    counts = pair_counts(fans([0, 3, 7, 14, 18], 5, 7))
    assert counts.sum(axis=0).tolist() == [0, 3, 7, 14, 18]
    assert [(column.min(), column.max()) for column in counts.T] == [(0, 0), (0, 1), (1, 1), (2, 2), (2, 3)]


def test_hubs_choose_independently_of_each_other_and_of_the_key():
    def chosen(key):
        return pair_counts(fans(500, 200, 1000, np.uint64(key))).astype(float)

    first, second = chosen(1), chosen(2)
    hubs = np.corrcoef(first.T)[np.triu_indices(200, 1)]
    assert abs(hubs.mean()) < 4 / np.sqrt(1000 * hubs.size)
    assert abs(hubs).max() < 5.5 / np.sqrt(1000)
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 4 / np.sqrt(first.size)


@given(
    counts=st.lists(st.integers(0, 40), min_size=1, max_size=12),
    partners=st.integers(2, 15),
    replacement=st.booleans(),
    cut=st.integers(0, 500),
)
@settings(max_examples=80, deadline=None, derandomize=True)
def test_any_stretch_of_fans_is_a_part_of_the_whole(counts, partners, replacement, cut):
    wiring = fans(counts, len(counts), partners, replacement=replacement)
    n = len(wiring)
    cut = min(cut, n)
    whole = np.array(wiring.ends(0, n))
    parts = np.concatenate([wiring.ends(0, cut), wiring.ends(cut, n)], axis=1)
    assert (parts == whole).all()
    assert (whole[1] == np.repeat(np.arange(len(counts)), counts)).all()


def test_every_cell_to_every_cell_in_order():
    source, target = fans(4, 3, 4).ends(0, 12)
    assert source.tolist() == [0, 1, 2, 3] * 3
    assert target.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    source, target = fans(3, 4, 4, autapses=False).ends(0, 12)
    assert sorted(zip(source, target, strict=True)) == [(i, j) for i in range(4) for j in range(4) if i != j]


def test_no_synapses_have_no_ends():
    for replacement in (True, False):
        assert [len(ends) for ends in fans([0, 0], 2, 5, replacement=replacement).ends(0, 0)] == [0, 0]


def test_synapses_to_nobody_are_refused():
    with pytest.raises(ValueError, match="5 synapses were asked for where there is no cell"):
        Pairs(5, 1, 1, KEY, autapses=False)
    with pytest.raises(ValueError, match="no cell to connect to"):
        fans(1, 3, 0)
    assert len(fans(0, 3, 0)) == len(list(synapses(fans(0, 3, 0)).chunks())) == 0
    assert synapses(Pairs(0, 0, 0, KEY)).weights == (0, 0.0, 0.0, 0.0, 0.0)
