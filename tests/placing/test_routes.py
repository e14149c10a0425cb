"""Routing entries, keys and links, counted by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from evsim.placing.board import Machine
from evsim.placing.routes import blocks, keys_of, routes_of
from evsim.placing.traffic import Flow

BOARD = Machine.of_boards(1)


def flow(source: int, targets: list[int], sent: int) -> Flow:
    return Flow(source, np.array(targets), np.full(len(targets), sent), sent)


def test_a_packet_crosses_each_link_of_its_tree_once():
    """To two cores of a chip three links away, and one on the way to it."""
    chips = [(0, 0), (3, 0), (3, 0), (1, 0)]
    found = routes_of(BOARD, [flow(0, [1, 2, 3], 10)], chips, [("a", 0), ("b", 0), ("b", 1), ("c", 0)])
    assert found.hops == 30
    assert found.links == {((0, 0), (1, 0)): 10, ((1, 0), (2, 0)): 10, ((2, 0), (3, 0)): 10}
    assert found.passed == {(0, 0): 10, (1, 0): 10, (2, 0): 10, (3, 0): 10}
    assert found.entries == {(0, 0): 1, (1, 0): 1, (2, 0): 1, (3, 0): 1}


def test_slices_that_go_the_same_way_share_an_entry():
    """Slices 0 to 3 of a source: all together on their own chip, but 0 alone elsewhere."""
    chips, sources = [(0, 0)] * 4 + [(1, 0), (0, 1)], [("a", k) for k in range(4)] + [("b", 0), ("c", 0)]
    every = [flow(k, [4], 1) for k in range(4)]
    assert routes_of(BOARD, every, chips, sources).entries == {(0, 0): 1, (1, 0): 1}
    first_elsewhere = [flow(0, [5], 1), *every[1:]]
    assert routes_of(BOARD, first_elsewhere, chips, sources).entries == {(0, 0): 3, (1, 0): 2, (0, 1): 1}


@given(st.integers(0, 200), st.integers(0, 200))
def test_blocks_can_be_said_by_a_key_and_a_mask(first, length):
    found = list(blocks(first, first + length))
    assert [place for start, size in found for place in range(start, start + size)] == list(
        range(first, first + length)
    )
    assert all(size & (size - 1) == 0 and start % size == 0 for start, size in found)


def test_keys_begin_with_as_many_bits_for_the_source():
    """Three cores of 300 x 16 keys take 13 bits and 2, so the second source begins at 2^15."""
    first, second = keys_of([[300 * 16] * 3, [16]])
    assert first.keys == (0, 1 << 13, 2 << 13) and first.mask == 0xFFFFE000
    assert second.keys == (1 << 15,) and second.mask == 0xFFFFFFF0


def test_no_two_cores_share_a_key():
    rng = np.random.default_rng(1)
    needs = [[int(rng.integers(1, 5000))] * int(rng.integers(1, 9)) for _ in range(40)]
    ranges = []
    for need, share in zip(needs, keys_of(needs), strict=True):
        size = (1 << 32) - share.mask
        assert len(share.keys) == len(need) and size >= need[0]
        ranges += [(key, key + size) for key in share.keys]
    ranges.sort()
    assert all(end <= begin for (_, end), (begin, _) in pairwise(ranges))
