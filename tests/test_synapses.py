"""Compact synapses are the same synapses as those written out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evsim import synapses as module
from evsim.synapses import ByTarget, Listed, Synapses, index_type, is_constant, take

exactly = settings(max_examples=60, deadline=None, derandomize=True)


class Bare(Synapses):
    """Synapses of which no more is known than what every kind has to say."""

    def __init__(self, same: Synapses) -> None:
        self._same = same

    def __len__(self) -> int:
        return len(self._same)

    def chunk(self, index):
        return self._same.chunk(index)

    constant_weight = constant_delay = None  # type: ignore[assignment]


@st.composite
def drawn(draw):
    """The same synapses as ByTarget and as Listed, with the sizes of the populations."""
    n_sources, counts = draw(st.integers(1, 9)), draw(st.lists(st.integers(0, 5), min_size=1, max_size=7))
    n = sum(counts)
    source = np.array(draw(st.lists(st.integers(0, n_sources - 1), min_size=n, max_size=n)), np.uint16)
    shift = draw(st.integers(0, 3))
    weight, delay = np.arange(n) / 7, np.arange(n, dtype=np.int32) % 5 + 1
    if draw(st.booleans()):
        weight, delay = np.broadcast_to(np.float64(0.5), n), np.broadcast_to(np.int32(3), n)
    first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    target = np.repeat(np.arange(len(counts)), counts).astype(np.int32)
    listed = Listed(source.astype(np.int32) + shift, target, weight, delay)
    return ByTarget(first, source, weight, delay, shift), listed, n_sources + shift, len(counts)


def rows(synapses: Synapses) -> list[tuple]:
    columns = synapses.source, synapses.target, synapses.weight, synapses.delay
    return list(zip(*(column.tolist() for column in columns), strict=True))


def assert_same(one: Synapses, other: Synapses) -> None:
    assert rows(one) == rows(other)
    assert [tuple(map(np.ndarray.tolist, c)) for c in one.chunks()] == [
        tuple(map(np.ndarray.tolist, c)) for c in other.chunks()
    ]


@given(made=drawn(), size=st.integers(1, 8))
@exactly
def test_every_kind_says_the_same(made, size):
    compact, listed, n_sources, n_targets = made
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CHUNK", size)
        for synapses in (compact, Bare(compact)):
            assert_same(synapses, listed)
            assert [synapses.pair(i) for i in range(len(listed))] == [row[:2] for row in rows(listed)]
            assert synapses.fan_in(n_targets + 1).tolist() == listed.fan_in(n_targets + 1).tolist()
            for sizes in ((n_sources, n_targets), (max(n_sources - 2, 0), max(n_targets - 1, 0))):
                assert synapses.outside(*sizes) == listed.outside(*sizes)
            assert synapses.weights == listed.weights
            assert synapses.delays == listed.delays
            assert_same(synapses.stored(), listed)


@given(made=drawn(), data=st.data())
@exactly
def test_parts_and_moves_keep_the_synapses_and_their_order(made, data):
    compact, listed, n_sources, n_targets = made

    def bounds(n):
        start = data.draw(st.integers(0, n - 1))
        return range(start, data.draw(st.integers(start, n)))

    sources, targets = bounds(n_sources), bounds(n_targets)
    kept = [
        (s - sources.start, t - targets.start, w, d) for s, t, w, d in rows(listed) if s in sources and t in targets
    ]
    for synapses in (compact, listed, Bare(compact)):
        assert rows(synapses.between(sources, targets)) == kept
    places = [
        np.array(data.draw(st.lists(st.integers(0, 70000), min_size=n, max_size=n, unique=True)), np.int32)
        for n in (n_sources, n_targets)
    ]
    if data.draw(st.booleans()):
        places[1].sort()
    if data.draw(st.booleans()):
        places[0] = np.arange(5, 5 + n_sources, dtype=np.int32)
    moved = [(int(places[0][s]), int(places[1][t]), w, d) for s, t, w, d in rows(listed)]
    for synapses in (compact, listed, Bare(compact)):
        assert rows(synapses.moved(*places)) == moved
        assert rows(synapses.moved(None, None)) == rows(listed)


@given(made=drawn())
@exactly
def test_other_weights_or_delays(made):
    compact, listed, _, _ = made
    weight, delay = np.arange(len(listed)) * 2.0, np.broadcast_to(np.int32(4), len(listed))
    for synapses in (compact, listed, Bare(compact)):
        changed = synapses.replaced(weight=weight)
        assert rows(changed) == [(s, t, 2.0 * i, d) for i, (s, t, _, d) in enumerate(rows(listed))]
        assert rows(synapses.replaced(delay=delay)) == [(s, t, w, 4) for s, t, w, _ in rows(listed)]


def test_a_range_of_cells_shares_the_sources():
    source = np.arange(6, dtype=np.uint16)
    column = np.broadcast_to(1.0, 6), np.broadcast_to(np.int32(1), 6)
    synapses = ByTarget(np.array([0, 2, 6]), source, *column)
    moved = synapses.moved(np.arange(100, 106, dtype=np.int32), np.array([3, 4], np.int32))
    assert isinstance(moved, ByTarget)
    assert moved._source is source
    assert moved.source.tolist() == [100, 101, 102, 103, 104, 105]
    assert moved.target.tolist() == [3, 3, 4, 4, 4, 4]
    assert (moved.constant_weight, moved.constant_delay) == (1.0, 1)


def test_sixteen_bits_hold_65536_cells_and_no_more():
    assert np.dtype(index_type(65536)) == np.uint16
    assert np.dtype(index_type(65537)) == np.int32


def test_taking_from_a_constant_column_keeps_it_constant():
    column, mask = np.broadcast_to(np.float64(2.0), 5), np.array([True, False, True, False, True])
    assert is_constant(take(column, mask))
    assert take(column, mask).tolist() == [2.0] * 3
    assert take(np.arange(5.0), mask).tolist() == [0.0, 2.0, 4.0]
