"""Boards of SpiNNaker: shortest ways against a search, and trees that cross each link once."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evsim.placing.board import DAMAGED, Machine, of_board


def searched(machine: Machine, start) -> dict:
    """Links from a chip to every other, by breadth-first search."""
    found, waiting = {start: 0}, deque([start])
    while waiting:
        chip = waiting.popleft()
        for other in machine.neighbours(chip):
            if other not in found:
                found[other] = found[chip] + 1
                waiting.append(other)
    return found


def test_a_board_has_48_chips_and_its_cores():
    machine = Machine.of_boards(1)
    assert len(of_board()) == len(machine.board_of) == 48
    # 18 cores, less SCAMP and a monitor; one more is missing on damaged chips and on that with the Ethernet
    assert sum(map(machine.free_cores, machine.board_of)) == 48 * 16 - len(DAMAGED) - 1


@pytest.mark.parametrize(("boards", "size"), [(2, (3, 12, 12)), (3, (3, 12, 12)), (4, (6, 24, 12)), (10, (12, 24, 24))])
def test_boards_fill_a_torus(boards, size):
    machine = Machine.of_boards(boards)
    assert (machine.boards, machine.width, machine.height) == size
    assert len(machine.board_of) == 48 * machine.boards == machine.width * machine.height
    assert all(len(machine.neighbours(chip)) == 6 for chip in machine.board_of)


@pytest.mark.parametrize("boards", [1, 3])
def test_ways_are_shortest_and_stay_on_the_machine(boards):
    machine = Machine.of_boards(boards)
    for start in machine.board_of:
        for end, links in searched(machine, start).items():
            way = machine.way(start, end)
            assert way[0] == start and way[-1] == end and len(way) == links + 1 == machine.hops(start, end) + 1
            assert all(b in machine.neighbours(a) for a, b in pairwise(way))


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.sampled_from([1, 3]), st.integers(1, 30))
def test_a_tree_enters_every_chip_once(seed, boards, count):
    machine = Machine.of_boards(boards)
    chips, rng = list(machine.board_of), np.random.default_rng(seed)
    start, *ends = (chips[k] for k in rng.integers(0, len(chips), count + 1))
    tree = machine.tree(start, ends)
    entered = [following for onward in tree.values() for following in onward]
    assert sorted(entered) == sorted(set(tree) - {start}) and set(ends) <= set(tree)
    longest = max(machine.hops(start, end) for end in ends)
    assert longest <= len(entered) <= sum(machine.hops(start, end) for end in set(ends))
    leaves = {chip for chip, onward in tree.items() if not onward}
    assert leaves <= {start, *ends}
