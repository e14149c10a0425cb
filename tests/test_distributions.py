"""Random numbers by place: each follows its law, and none depends on how the places were asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evsim.distributions import DISTRIBUTIONS, Normal, Other, UniformInteger
from evsim.random_bits import derived, mix, random_state

KEY = np.uint64(0x0123456789ABCDEF)
N = 200_000

# PyNN's name, its parameters, and scipy's form of it
CONTINUOUS = [
    ("uniform", {"low": -3.0, "high": 5.0}, stats.uniform(-3.0, 8.0)),
    ("normal", {"mu": 2.0, "sigma": 0.5}, stats.norm(2.0, 0.5)),
    ("normal_clipped", {"mu": 1.5, "sigma": 0.5, "low": 0.5, "high": np.inf}, stats.truncnorm(-2.0, np.inf, 1.5, 0.5)),
    ("normal_clipped", {"mu": 0.0, "sigma": 1.0, "low": 2.0, "high": 2.5}, stats.truncnorm(2.0, 2.5)),
    ("normal_clipped", {"mu": 0.0, "sigma": 1.0, "low": -np.inf, "high": -3.5}, stats.truncnorm(-np.inf, -3.5)),
    ("lognormal", {"mu": 0.3, "sigma": 0.8}, stats.lognorm(0.8, scale=np.exp(0.3))),
    ("exponential", {"beta": 2.5}, stats.expon(scale=2.5)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "parameters", "law"), CONTINUOUS)
def test_continuous_numbers_follow_their_law(name, parameters, law):
    numbers = DISTRIBUTIONS[name](**parameters).draw(KEY, 0, N)
    assert stats.kstest(numbers, law.cdf).pvalue > 1e-3
    error = law.std() / np.sqrt(N)
    assert abs(numbers.mean() - law.mean()) < 4 * error
    assert np.var(numbers) == pytest.approx(law.var(), rel=0.05)
    low, high = law.support()
    assert numbers.min() >= low and numbers.max() <= high


def test_the_tails_of_the_normal_law_are_as_likely_as_they_should_be():
    numbers = np.abs(Normal(0.0, 1.0).draw(KEY, 0, 20 * N))
    edges = [2.0, 3.0, 3.5, 3.6541528853610088, 4.0, 4.5]  # the ziggurat's tail begins at 3.654...
    for edge in edges:
        expected = 20 * N * 2 * stats.norm.sf(edge)
        assert abs(np.count_nonzero(numbers > edge) - expected) < 4 * np.sqrt(expected)


def test_numbers_clipped_to_the_boundary_lie_on_it():
    law = DISTRIBUTIONS["normal_clipped_to_boundary"](mu=0.0, sigma=1.0, low=-1.0, high=0.5)
    numbers = law.draw(KEY, 0, N)
    for bound, share in ((-1.0, stats.norm.cdf(-1.0)), (0.5, stats.norm.sf(0.5))):
        assert np.mean(numbers == bound) == pytest.approx(share, abs=float(4 * np.sqrt(share / N)))
    inside = numbers[(numbers > -1.0) & (numbers < 0.5)]
    assert stats.kstest(inside, stats.truncnorm(-1.0, 0.5).cdf).pvalue > 1e-3


@pytest.mark.parametrize(("low", "high"), [(0, 2), (-3, 7), (10, 11), (5, 1005)])
def test_whole_numbers_are_equally_likely_and_the_upper_bound_is_not_among_them(low, high):
    numbers = UniformInteger(low, high).draw(KEY, 0, N)
    assert numbers.dtype == np.int64
    counts = np.bincount(numbers - low, minlength=high - low)
    assert len(counts) == high - low
    assert high - low == 1 or stats.chisquare(counts).pvalue > 1e-3


@given(
    name=st.sampled_from(range(len(CONTINUOUS))),
    start=st.integers(0, 2**40),
    count=st.integers(1, 300),
    cut=st.integers(0, 300),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_number_depends_on_its_place_alone(name, start, count, cut):
    law = DISTRIBUTIONS[CONTINUOUS[name][0]](**CONTINUOUS[name][1])
    cut = min(cut, count)
    parts = [law.draw(KEY, start, cut), law.draw(KEY, start + cut, count - cut)]
    assert (np.concatenate(parts) == law.draw(KEY, start, count)).all()


def test_neighbouring_places_and_keys_are_independent():
    numbers = Normal(0.0, 1.0).draw(KEY, 0, N)
    for lag in (1, 2, 255, 65536):
        assert abs(np.corrcoef(numbers[lag:], numbers[:-lag])[0, 1]) < 4 / np.sqrt(N - lag)
    for other in (derived(KEY, 0), derived(KEY, 1), KEY + np.uint64(1)):
        assert abs(np.corrcoef(numbers, Normal(0.0, 1.0).draw(other, 0, N))[0, 1]) < 4 / np.sqrt(N)


def test_the_hash_is_that_of_splitmix64():
    # The first outputs of Vigna's splitmix64.c for the state 1234567.
    state, outputs = 1234567, []
    for _ in range(3):
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        outputs.append(mix(np.uint64(state)))
    assert outputs == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_other_laws_are_numpys_on_a_stream_for_each_key_and_start():
    law = Other("gamma", {"shape": 2.0, "scale": 3.0})
    numbers = law.draw(KEY, 0, N)
    assert stats.kstest(numbers, stats.gamma(2.0, scale=3.0).cdf).pvalue > 1e-3
    assert (numbers == random_state(KEY, 0).gamma(2.0, 3.0, N)).all()
    assert len(np.intersect1d(numbers, law.draw(KEY, N, N))) == 0


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("normal", {"mu": 0.0, "sigma": -1.0}, "sigma of -1 is negative"),
        ("normal_clipped", {"mu": 0.0, "sigma": 1.0, "low": 9.0, "high": 10.0}, r"1e-19 of the draws .* 9 and 10"),
        ("normal_clipped", {"mu": 0.0, "sigma": 0.0, "low": 1.0, "high": 2.0}, "0e.00 of the draws"),
        ("exponential", {"beta": -1.0}, "beta of -1 is negative"),
        ("uniform_int", {"low": 3, "high": 3}, "no whole number from 3 up to and without 3"),
    ],
)
def test_parameters_that_no_number_can_follow_are_refused(name, parameters, words):
    with pytest.raises(ValueError, match=words):
        DISTRIBUTIONS[name](**parameters)
