"""How a network is divided into slices."""

from __future__ import annotations

import numpy as np
import pytest

from evsim.chip import load_chip
from evsim.deploy.quantise import quantise
from evsim.engine.lay_out import INPUT_ROOM, LONG_ROW, lay_out

N = 2 * INPUT_ROOM // 8  # neurons whose inputs in ideal are twice what stays in the cache


def network(nets, fan_out: int):
    targets = np.arange(fan_out) * 7 % N
    rows = [(source, int(target), 0.1, 1) for source in range(3) for target in targets]
    populations = (nets.cells(N, "cells"), nets.poisson(3, 10.0))
    return nets.Network(1.0, populations, (nets.connect(1, 0, rows),))


@pytest.mark.parametrize(("fan_out", "threads", "slices"), [(10, 1, 1), (2 * LONG_ROW, 1, 2), (2 * LONG_ROW, 2, 2)])
def test_long_rows_are_cut_for_the_cache(nets, fan_out: int, threads: int, slices: int):
    layout, _ = lay_out(quantise(network(nets, fan_out), load_chip("ideal")), threads)
    assert layout.n_slices == slices


def test_a_layout_that_is_followed_keeps_its_slices(nets):
    chip = load_chip("ideal")
    before, _ = lay_out(quantise(network(nets, 2 * LONG_ROW), chip), 1)
    after, _ = lay_out(quantise(network(nets, 10), chip), 1, before)
    assert after.n_slices == before.n_slices == 2
