"""The calendar queue: how much room spikes need in it, and that what goes in comes out in order."""

import numpy as np
import pytest

from evsim.engine.queue import PAGE, append, empty_calendar, grown, most_pages, put, take

SLOTS = 9


def appended(calendar, slots) -> None:
    """Add an entry to a bucket of the only lane for each slot."""
    for number, slot in enumerate(slots):
        append.py_func(
            *(calendar.entries, calendar.link, calendar.free),
            *(calendar.head[0], calendar.tail[0], calendar.count[0]),
            *(slot, number),
        )


@pytest.mark.parametrize("n", [0, 1, 5, PAGE - 1, PAGE, PAGE + 1, 8 * PAGE, 8 * PAGE + 3, 500])
def test_spikes_never_begin_more_pages_than_are_asked_for(n):
    rng = np.random.default_rng(n)
    for most_delay in (0, 1, SLOTS - 1):
        for _ in range(20):
            calendar = empty_calendar(1, SLOTS)
            appended(calendar, rng.integers(0, SLOTS, rng.integers(0, 200)))
            before = calendar.free[1]
            appended(calendar, rng.integers(0, most_delay + 1, n))
            assert before - calendar.free[1] <= most_pages.py_func(n, most_delay)


def test_the_most_pages_are_needed_where_every_bucket_begins_one():
    calendar = empty_calendar(1, SLOTS)
    appended(calendar, range(SLOTS))
    assert 256 - calendar.free[1] == most_pages.py_func(SLOTS, SLOTS - 1) == SLOTS


def test_a_bucket_comes_out_in_the_order_in_which_it_was_filled():
    calendar = empty_calendar(1, SLOTS, pages=2)
    put(calendar, 0, 4, np.arange(2 * PAGE, dtype=np.uint64))
    calendar = grown(calendar)
    put(calendar, 0, 4, np.arange(2 * PAGE, 3 * PAGE, dtype=np.uint64))
    found = np.empty(4 * PAGE, np.uint64)
    assert take.py_func(calendar, 0, 4, found) == 3 * PAGE
    assert (found[: 3 * PAGE] == np.arange(3 * PAGE)).all()
    assert calendar.free[1] == 4
