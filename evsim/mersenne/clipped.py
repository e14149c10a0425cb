"""Normal numbers between two limits, drawn as PyNN does: row by row, and what is outside again and again."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from evsim.compile import kernel
from evsim.errors import EvsimError

BLOCK = 1 << 18  # numbers that are drawn, and given out, at a time
MOST_REDRAWS = 1000  # of one row, as in PyNN


@kernel
def fill_rows(normals, place, starts, row, low, high, out):
    """Fill rows from ``row`` on with numbers from ``place[0]`` on; returns the row that they did not suffice for.

    Args:
        starts: (rows + 1,) where each row of ``out`` begins.

    Returns:
        The number of rows if all are filled, or -1 if a row has been drawn too often.
    """
    outside = np.empty(out.size, np.int64)
    while row < starts.size - 1:
        at, size, redraws = place[0], starts[row + 1] - starts[row], np.int64(-1)
        for i in range(size):
            outside[i] = starts[row] + i
        while size:
            if redraws > MOST_REDRAWS:
                return np.int64(-1)
            if normals.size - at < size:
                return row
            left = np.int64(0)
            for i in range(size):
                value = normals[at + i]
                out[outside[i]] = value
                if value > high or value < low:
                    outside[left] = outside[i]
                    left += 1
            at += size
            size = left
            redraws += 1
        place[0] = at
        row += 1
    return row


def normal_clipped(
    random: np.random.RandomState, mu: float, sigma: float, low: float, high: float, first: NDArray[np.int64]
) -> Iterator[NDArray[np.float64]]:
    """The values of several rows at a time; row i has ``first[i + 1] - first[i]`` of them.

    Raises:
        EvsimError: values still lie outside after they were drawn 1000 times.
    """
    normals, place, begin = np.empty(0), np.zeros(1, np.int64), 0
    while begin < len(first) - 1:
        end = max(int(np.searchsorted(first, first[begin] + BLOCK, "right")) - 1, begin + 1)
        starts = first[begin : end + 1] - first[begin]
        out, row = np.empty(starts[-1]), 0
        while (row := fill_rows(normals, place, starts, row, float(low), float(high), out)) < len(starts) - 1:
            if row < 0:
                raise EvsimError(
                    f"normal_clipped(mu={mu:g}, sigma={sigma:g}, low={low:g}, high={high:g}): values still lie outside "
                    f"the limits after {MOST_REDRAWS} draws; give limits nearer to mu or a larger sigma"
                )
            missing = max(BLOCK, len(normals))  # twice as many if a long row needs more than there are
            normals, place = np.concatenate([normals[place[0] :], random.normal(mu, sigma, missing)]), 0 * place
        yield out
        begin = end
