"""What is drawn in compiled code is what numpy's RandomState draws, and leaves the generator where numpy would."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evsim.mersenne.integers import below, by_target, pairs_below, permuted
from evsim.mersenne.pairs import MOST, sources_of_pairs
from evsim.mersenne.stream import Stream
from evsim.mersenne.words import BUFFER

exactly = settings(max_examples=40, deadline=None, derandomize=True)
seeds = st.integers(0, 2**32 - 1)
skips = st.integers(0, 1500)  # 32-bit words used before: the stream begins anywhere in a block, at odd places too


def generators(seed: int, skip: int) -> tuple[np.random.RandomState, np.random.RandomState]:
    """Two generators in the same state, with half of a pair of normal numbers kept for later."""
    pair = np.random.RandomState(seed), np.random.RandomState(seed)
    for random in pair:
        random.normal()
        random.randint(0, 2**32, skip, dtype=np.uint32)
    return pair


def assert_same_state(one: np.random.RandomState, other: np.random.RandomState) -> None:
    one_state, other_state = one.get_state(legacy=False), other.get_state(legacy=False)
    key, other_key = one_state["state"].pop("key"), other_state["state"].pop("key")
    assert (key == other_key).all()
    assert one_state == other_state


@given(seed=seeds, skip=skips)
@exactly
def test_a_stream_holds_the_words_of_numpy_and_changes_nothing_unless_it_is_used(seed, skip):
    random, numpy = generators(seed, skip)
    stream = Stream(random)
    place = int(stream.place[0])
    Stream(random).close()
    assert_same_state(random, numpy)
    assert (stream.numbers[place:] == numpy.randint(0, 2**32, BUFFER - place, dtype=np.uint32)).all()


@given(
    seed=seeds,
    skip=skips,
    probability=st.floats(1e-9, MOST, exclude_max=True),
    n_sources=st.integers(1, 3000),
    n_targets=st.integers(1, 20),
    only_later=st.booleans(),
    data=st.data(),
)
@exactly
def test_pairs(seed, skip, probability, n_sources, n_targets, only_later, data):
    random, numpy = generators(seed, skip)
    left_out = data.draw(st.lists(st.integers(-1, n_sources - 1), min_size=n_targets, max_size=n_targets))
    first, source = sources_of_pairs(
        random, probability, n_sources, np.array(left_out, np.int32), only_later, np.uint16
    )
    assert_same_state(random, numpy)
    chosen = numpy.uniform(0, 1, (n_targets, n_sources)) < probability
    for target, gone in enumerate(left_out):
        if gone >= 0:
            chosen[target, gone] = False
        if only_later:
            chosen[target, : target + 1] = False
    assert np.array_equal(source, np.nonzero(chosen)[1])
    assert np.array_equal(np.diff(first), chosen.sum(axis=1))


@given(seed=seeds, which=st.integers(0, 499), up=st.booleans())
@exactly
def test_a_probability_that_ties_with_a_number_is_decided_by_its_last_bit(seed, which, up):
    random, numpy = generators(seed, 0)
    numbers = numpy.uniform(0, 1, (5, 100))
    probability = numbers.flat[which] + (2.0**-53 if up else 0.0)
    _, source = sources_of_pairs(random, probability, 100, np.full(5, -1, np.int32), False, np.uint16)
    assert np.array_equal(source, np.nonzero(numbers < probability)[1])


def test_room_for_more_sources_than_expected_is_made(monkeypatch):
    random, numpy = generators(1, 0)
    monkeypatch.setattr("evsim.mersenne.pairs.SIGMAS", -6)
    first, source = sources_of_pairs(random, 0.3, 100, np.full(300, -1, np.int32), False, np.uint16)
    chosen = numpy.uniform(0, 1, (300, 100)) < 0.3
    assert np.array_equal(source, np.nonzero(chosen)[1])
    assert np.array_equal(np.diff(first), chosen.sum(axis=1))


@given(seed=seeds, skip=skips, bound=st.integers(1, 70000), count=st.integers(0, 5000))
@exactly
def test_integers(seed, skip, bound, count):
    random, numpy = generators(seed, skip)
    assert np.array_equal(below(random, bound, count, np.int32), numpy.randint(0, bound, count))
    assert_same_state(random, numpy)


@given(seed=seeds, skip=skips, bounds=st.tuples(st.integers(1, 3000), st.integers(1, 3000)), count=st.integers(0, 500))
@exactly
def test_integers_in_turn(seed, skip, bounds, count):
    random, numpy = generators(seed, skip)
    source, target = pairs_below(random, bounds, count, np.uint16)
    expected = [(numpy.randint(0, bounds[0], 1)[0], numpy.choice(np.arange(bounds[1]), 1)[0]) for _ in range(count)]
    assert list(zip(source.tolist(), target.tolist(), strict=True)) == expected
    assert_same_state(random, numpy)


@given(seed=seeds, skip=skips, n_cells=st.integers(2, 700), data=st.data())
@exactly
def test_permutations(seed, skip, n_cells, data):
    random, numpy = generators(seed, skip)
    counts = data.draw(st.lists(st.integers(1, 2 * n_cells + 1), min_size=1, max_size=6))
    left_out = data.draw(st.lists(st.integers(-1, n_cells - 1), min_size=len(counts), max_size=len(counts)))
    expected = []
    for count, gone in zip(counts, left_out, strict=True):
        cells = np.delete(np.arange(n_cells), [gone] if gone >= 0 else [])
        expected += list(cells) * (count // len(cells))
        if remainder := count % len(cells):
            expected += list(numpy.permutation(cells)[:remainder])
    found = permuted(random, np.array(counts), np.array(left_out, np.int32), n_cells, np.uint16)
    assert found.tolist() == expected
    assert_same_state(random, numpy)


@pytest.mark.parametrize("n_targets", [1, 7])
def test_sources_sorted_by_target_keep_their_order(n_targets):
    random = np.random.default_rng(2)
    source, target = random.integers(0, 50, 400).astype(np.uint16), random.integers(0, n_targets, 400).astype(np.int32)
    first, found = by_target(source, target, n_targets)
    assert np.array_equal(found, source[np.argsort(target, kind="stable")])
    assert np.array_equal(np.diff(first), np.bincount(target, minlength=n_targets))
