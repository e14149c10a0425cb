"""Synapses that are let go of and drawn once more."""

import pickle
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from evsim.redrawn import Redrawn, let_go
from evsim.synapses import Listed

SOURCE, TARGET = np.array([0, 2, 1, 2], np.int32), np.array([0, 0, 1, 2], np.int32)


def drawn(constant: bool = False) -> Listed:
    weight = np.broadcast_to(np.float64(0.5), 4) if constant else np.array([0.1, 0.2, 0.3, 0.4])
    delay = np.broadcast_to(np.int32(3), 4) if constant else np.array([1, 2, 3, 4], np.int32)
    return Listed(SOURCE, TARGET, weight, delay)


class Draws:
    """Counts how often the synapses are drawn once more."""

    def __init__(self, constant: bool = False) -> None:
        self.constant, self.count = constant, 0

    def __call__(self) -> Listed:
        self.count += 1
        return drawn(self.constant)


LOOKS = [
    lambda synapses: synapses.source,
    lambda synapses: synapses.target,
    lambda synapses: synapses.weight,
    lambda synapses: synapses.delay,
    lambda synapses: synapses.chunk(0),
    lambda synapses: synapses.pair(2),
    lambda synapses: synapses.fan_in(3),
    lambda synapses: synapses.outside(2, 2),
    lambda synapses: synapses.weights,
    lambda synapses: synapses.replaced(weight=np.ones(4)).weight,
    lambda synapses: synapses.moved(np.array([5, 6, 7]), None).source,
    lambda synapses: synapses.between(range(1, 3), range(0, 2)).weight,
    lambda synapses: pickle.loads(pickle.dumps(synapses)).weight,
]


@pytest.mark.parametrize("look", LOOKS)
def test_a_look_after_letting_go_finds_the_same(look):
    draw = Draws()
    synapses = Redrawn(drawn(), draw)
    assert synapses.let_go() and not synapses.let_go()
    np.testing.assert_equal(look(synapses), look(drawn()))
    assert draw.count == 1


def test_what_was_looked_at_later_stays():
    draw = Draws()
    synapses = Redrawn(drawn(), draw)
    for _ in range(3):
        synapses.let_go()
        assert list(synapses.source) == list(SOURCE)
    assert draw.count == 1


@pytest.mark.parametrize(
    "look",
    [
        len,
        lambda synapses: synapses.weight,
        lambda synapses: synapses.delay,
        lambda synapses: synapses.weights,
        lambda synapses: synapses.fan_in(3),
        lambda synapses: synapses.outside(3, 3),
    ],
)
def test_what_a_change_of_a_network_asks_for_needs_no_drawing(look):
    draw = Draws(constant=True)
    synapses = Redrawn(drawn(constant=True), draw)
    before = look(synapses)
    synapses.let_go()
    np.testing.assert_equal(look(synapses), before)
    assert draw.count == 0


def test_threads_that_look_at_once_have_it_drawn_once():
    """The generators are used up by drawing, so nobody may begin while another draws."""
    draw = Draws()

    def slowly():
        time.sleep(0.05)
        return draw()

    synapses = Redrawn(drawn(), slowly)
    synapses.let_go()
    with ThreadPoolExecutor(4) as pool:
        weights = list(pool.map(synapses.weight_chunk, [0] * 4, timeout=30))
    assert draw.count == 1
    assert all(np.array_equal(weight, drawn().weight) for weight in weights)


def test_parts_are_let_go_of_by_themselves():
    draw = Draws()
    whole = Redrawn(drawn(), draw)
    moved = whole.moved(np.array([5, 6, 7]), None)
    part = moved.between(range(6, 8), range(3))
    let_go([whole, moved, part])
    assert list(part.source) == [1, 0, 1]
    assert list(moved.source) == [5, 7, 6, 7]
    assert draw.count == 1
