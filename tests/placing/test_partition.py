"""Cores placed by METIS: against the best of all ways, and never worse than in order."""

from __future__ import annotations

import sys
from itertools import permutations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from evsim.chip import load_chip
from evsim.errors import MissingPartError
from evsim.network import Network
from evsim.placing import loihi, partition, spinnaker
from evsim.placing.traffic import spikes_of

LOIHI, SPINNAKER = load_chip("loihi1"), load_chip("spinnaker1")


def groups_in_another_order(nets, pairs: int, size: int) -> Network:
    """Pairs of populations that talk with one another alone, and that lie far apart."""
    order = np.random.default_rng(7).permutation(2 * pairs)
    populations = tuple(nets.cells(size, f"p{k}") for k in range(2 * pairs))
    rows = [(k, k, 1.0, 1) for k in range(size)]
    ends = [(int(a), int(b)) for a, b in zip(order[::2], order[1::2], strict=True)]
    return Network(1.0, populations, tuple(nets.connect(*way, rows) for a, b in ends for way in ((a, b), (b, a))))


def test_pairs_are_put_together(nets):
    pytest.importorskip("pymetis")
    network = groups_in_another_order(nets, 24, 256)
    spikes = spikes_of(network, None)
    found = loihi.place(network, LOIHI, spikes, use_metis=True)
    assert found.metis == (0, 0) and found.simple[0] > 10_000
    assert sorted(found.places) == list(range(48))
    boards = spinnaker.place(network, SPINNAKER, spikes, 10, use_metis=True)
    assert boards.metis == boards.routes.hops <= 0.2 * boards.simple
    taken = {chip: boards.places.count(chip) for chip in boards.places}
    assert all(count <= boards.machine.free_cores(chip) for chip, count in taken.items())


def test_the_same_network_always_lies_the_same(nets):
    pytest.importorskip("pymetis")
    network = groups_in_another_order(nets, 20, 256)
    ways = [spinnaker.place(network, SPINNAKER, spikes_of(network, None), 1, use_metis=True).places for _ in range(2)]
    assert ways[0] == ways[1]


@pytest.mark.parametrize("seed", range(6))
def test_small_graphs_lie_nearly_as_well_as_they_can(seed):
    """Seven things on a line of seven places, against all 5,040 orders."""
    pytest.importorskip("pymetis")
    rng, count = np.random.default_rng(seed), 7
    weights = np.triu(rng.integers(0, 20, (count, count)) * (rng.random((count, count)) < 0.5), 1)
    both = csr_matrix((weights + weights.T).astype(float))
    line = np.arange(count, dtype=float)
    distance = np.abs(line[:, None] - line)
    bins = partition.Bins(np.ones(count, np.int64), line[:, None], distance)
    ways = partition.placed(both, np.ones(count, np.int64), bins, np.arange(count))

    def cost(at) -> float:
        return float((weights * distance[np.ix_(at, at)]).sum())

    assert all(sorted(way) == list(range(count)) for way in ways)
    best = min(cost(np.array(order)) for order in permutations(range(count)))
    assert best <= min(map(cost, ways)) <= 1.15 * best


@pytest.mark.parametrize("seed", range(5))
def test_groups_of_cores_keep_within_their_chips(seed):
    pytest.importorskip("pymetis")
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 4, 40)
    weights = np.triu(rng.integers(0, 9, (40, 40)), 1)
    capacity = np.full(9, 12)
    place = np.array([(x, y) for x in range(3) for y in range(3)], float)
    distance = np.abs(place[:, None] - place).sum(axis=2)
    start, room = [], capacity.copy()
    for size in sizes:
        where = int(np.flatnonzero(room >= size)[0])
        room[where] -= size
        start.append(where)
    bins = partition.Bins(capacity, place, distance)
    for way in partition.placed(csr_matrix((weights + weights.T).astype(float)), sizes, bins, np.array(start)):
        assert (np.bincount(way, weights=sizes, minlength=9) <= capacity).all()


def test_without_metis_the_extra_is_named(nets, monkeypatch):
    monkeypatch.setitem(sys.modules, "pymetis", None)
    network = groups_in_another_order(nets, 2, 4)
    with pytest.raises(MissingPartError, match=r"evsim\[partition\]"):
        loihi.place(network, LOIHI, spikes_of(network, None), use_metis=True)
