"""A generator that was moved on gives the numbers that numpy's own gives when it gets there."""

import numpy as np
import pytest

from evsim.mersenne.jump import BLOCK, DEGREE, characteristic, jumped
from evsim.mersenne.pairs import sources_of_pairs


def numbers(random, n):
    return random.randint(0, 2**32, n, dtype=np.uint32)


def test_the_polynomial_has_the_degree_and_the_terms_that_are_known():
    terms = characteristic()
    assert (len(terms), terms[-1]) == (135, DEGREE)


@pytest.mark.parametrize("used", [0, 1, 100, BLOCK - 1, BLOCK])
@pytest.mark.parametrize("words", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 5000, 123_457, 2_000_001])
def test_it_goes_on_where_numpy_would_be(words, used):
    random = np.random.RandomState(words + used)
    numbers(random, used)
    before = random.get_state(legacy=False)
    later = jumped(random, words)
    np.testing.assert_equal(random.get_state(legacy=False), before)
    assert (numbers(random, words + 1500)[words:] == numbers(later, 1500)).all()


def test_two_jumps_are_one():
    random = np.random.RandomState(3)
    far = jumped(random, 3 * 10**11)
    assert (numbers(jumped(far, 10**9 + 7), 700) == numbers(jumped(random, 3 * 10**11 + 10**9 + 7), 700)).all()


@pytest.mark.parametrize("only_later", [False, True])
@pytest.mark.parametrize("cores", [2, 3, 8])
def test_pairs_do_not_depend_on_the_number_of_cores(cores, only_later, monkeypatch):
    left_out = np.where(np.arange(37) % 3, -1, np.arange(37)).astype(np.int32)
    found = []
    for count in (1, cores):
        random = np.random.RandomState(11)
        numbers(random, 5)
        monkeypatch.setattr("os.sched_getaffinity", lambda process, count=count: set(range(count)))
        monkeypatch.setattr("evsim.mersenne.pairs.PAIRS_OF_THREAD", 200)
        found.append(sources_of_pairs(random, 0.2, 53, left_out, only_later, np.uint16))
    (first, source), (first_of_some, source_of_some) = found
    assert len(source) > 100
    assert np.array_equal(first, first_of_some) and first.dtype == first_of_some.dtype
    assert np.array_equal(source, source_of_some) and source.dtype == source_of_some.dtype
