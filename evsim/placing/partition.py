"""Putting what talks together near each other: recursive bisection by METIS, and swaps that shorten the way.

The places are halved, and the graph of what is to be placed is cut into two parts of the same proportions, so that as
little as possible goes from one to the other; then each half again, until a place is left (dual recursive
bipartitioning, Pellegrini 1994, doi:10.1109/SHPCC.1994.296682). The cuts are METIS's (Karypis and Kumar 1998,
doi:10.1137/S1064827595287997), through pymetis. Every number here is fixed, so the same network always gives the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix

from evsim.errors import MissingPartError
from evsim.placing.traffic import Flow

SEED = 1
LARGEST_TOTAL = 1 << 29  # of METIS's edge weights, whose sums are 32-bit integers
MOST_PASSES = 20  # over all items, each of which only shortens the way


@dataclass(frozen=True, eq=False)
class Bins:
    """Where things can be placed.

    Attributes:
        capacity: (bins,) how much each holds.
        place: (bins, dimensions) where each lies.
        distance: (bins, bins) hops between them.
    """

    capacity: NDArray[np.int64]
    place: NDArray[np.float64]
    distance: NDArray[np.float64]


def require_metis():
    """The module pymetis; raises MissingPartError where it is not installed."""
    try:
        import pymetis
    except ImportError:
        raise MissingPartError("pymetis, which cuts graphs for --partition metis,", "partition") from None
    return pymetis


def talk(flows: Sequence[Flow], item_of: NDArray[np.int64]) -> csr_matrix:
    """(items, items) spikes between items in both directions; ``item_of`` is the item of each core."""
    count = int(item_of.max(initial=-1)) + 1  # an item has a core at least
    sources = np.concatenate([np.full(len(f.targets), item_of[f.source]) for f in flows] or [np.empty(0, np.int64)])
    targets = np.concatenate([item_of[f.targets] for f in flows] or [np.empty(0, np.int64)])
    spikes = np.concatenate([f.spikes for f in flows] or [np.empty(0, np.int64)])
    apart = (sources != targets) & (spikes > 0)
    one_way = coo_matrix((spikes[apart].astype(float), (sources[apart], targets[apart])), (count, count)).tocsr()
    return csr_matrix(one_way + one_way.T)


def placed(
    weights: csr_matrix, sizes: NDArray[np.int64], bins: Bins, start: NDArray[np.int64]
) -> list[NDArray[np.int64]]:
    """Ways to place the items, each the bin (items,) of every item.

    METIS's is one, unless its pieces do not fit, and ``start`` is one, both with the exchanges that shorten them.

    Args:
        weights: what ``talk`` returns.
        sizes: (items,) how much of a bin each takes.
        start: (items,) bins that are not overfull.

    Raises:
        MissingPartError: pymetis is not installed.
    """
    require_metis()
    found = np.full(len(sizes), -1, np.int64)
    fits = _bisect(weights, sizes, bins, np.arange(len(sizes)), np.arange(len(bins.capacity)), found)
    return [_shortened(weights, sizes, bins, way) for way in ([found] if fits else []) + [start]]


def _bisect(
    weights: csr_matrix, sizes: NDArray, bins: Bins, items: NDArray, places: NDArray, found: NDArray[np.int64]
) -> bool:
    """Place items on places; returns whether they fit."""
    if len(places) == 1 or not len(items):
        found[items] = places[0]
        return bool(sizes[items].sum() <= bins.capacity[places[0]])
    spread = np.ptp(bins.place[places], axis=0)
    axis = int(np.argmax(spread))
    order = places[np.lexsort((*bins.place[places].T, bins.place[places, axis]))]
    halves = order[: len(order) // 2], order[len(order) // 2 :]
    room = [int(bins.capacity[half].sum()) for half in halves]
    side = _cut(weights[items][:, items], sizes[items], room)
    if side is None:
        return False
    return all(_bisect(weights, sizes, bins, items[side == k], halves[k], found) for k in (0, 1))


def _cut(weights: csr_matrix, sizes: NDArray[np.int64], room: Sequence[int]) -> NDArray[np.int64] | None:
    """The side (items,) of each item, none fuller than its room; None if that cannot be."""
    pymetis = require_metis()
    if len(sizes) == 1:
        side = np.array([0 if sizes[0] <= room[0] else 1])
    else:
        total = float(weights.sum()) or 1.0
        scale = min(1.0, LARGEST_TOTAL / total)
        edges = np.maximum(np.rint(weights.data * scale), 1).astype(np.int32)
        part = room[0] / sum(room)
        _, side = pymetis.part_graph(
            2,
            pymetis.CSRAdjacency(weights.indptr.astype(np.int32), weights.indices.astype(np.int32)),
            vweights=sizes.astype(np.int32),
            eweights=edges,
            tpwgts=[part, 1.0 - part],
            recursive=True,
            options=pymetis.Options(seed=SEED),
        )
        side = np.array(side)
    return _within(weights, sizes, room, side)


def _within(
    weights: csr_matrix, sizes: NDArray[np.int64], room: Sequence[int], side: NDArray[np.int64]
) -> NDArray[np.int64] | None:
    """Move what costs least to the other side until both are within their room."""
    for full in (0, 1):
        while (over := int(sizes[side == full].sum()) - room[full]) > 0:
            left = room[1 - full] - int(sizes[side != full].sum())
            mine = np.flatnonzero((side == full) & (sizes <= left))
            if not len(mine):
                return None
            inside = np.asarray(weights @ (side == full).astype(float)).ravel()
            cost = 2 * inside[mine] - np.asarray(weights.sum(axis=1)).ravel()[mine]
            smallest = sizes[mine] if over < sizes[mine].max() else -sizes[mine]
            side[mine[np.lexsort((mine, smallest, cost))[0]]] = 1 - full
    return side


def _shortened(weights: csr_matrix, sizes: NDArray, bins: Bins, at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Exchange items of the same size and move single ones into free room, while that lessens spikes times hops."""
    at = at.copy()
    free = bins.capacity - np.bincount(at, weights=sizes, minlength=len(bins.capacity)).astype(np.int64)
    costs = np.asarray(weights @ bins.distance[at])  # (items, bins) of each item, were it there
    each = np.arange(len(at))
    for _ in range(MOST_PASSES):
        before = at.copy()
        for item in range(len(at)):
            here = at[item]
            moves = np.where(free >= sizes[item], costs[item] - costs[item, here], np.inf)
            row = np.zeros(len(at))
            row[weights.indices[weights.indptr[item] : weights.indptr[item + 1]]] = weights.data[
                weights.indptr[item] : weights.indptr[item + 1]
            ]
            swaps = costs[item, at] - costs[item, here] + costs[each, here] - costs[each, at]
            swaps += 2 * row * bins.distance[here, at]
            swaps[(sizes != sizes[item]) | (at == here)] = np.inf
            if min(moves.min(), swaps.min()) >= -1e-9:
                continue
            if moves.min() <= swaps.min():
                changed = [(item, int(moves.argmin()))]
            else:
                other = int(swaps.argmin())
                changed = [(item, int(at[other])), (other, int(here))]
            for moved, to in changed:
                free[at[moved]] += sizes[moved]
                free[to] -= sizes[moved]
                near = weights.indices[weights.indptr[moved] : weights.indptr[moved + 1]]
                amount = weights.data[weights.indptr[moved] : weights.indptr[moved + 1]]
                costs[near] += amount[:, None] * (bins.distance[to] - bins.distance[at[moved]])
                at[moved] = to
        if (at == before).all():
            break
    return at
