"""The synapses that there are by now of projections whose synapses come and go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evsim.engine.structural_lanes import sign_of
from evsim.engine.structural_memory import NOTHING, Structural
from evsim.network import Projection


class Present(NamedTuple):
    """The synapses that a projection has by now, by source, then by target, then in the order of places.

    Attributes:
        source, target: (n,) int32, cells.
        weight: (n,) float64, with its sign, as the latest spike left it.
        delay: (n,) int32, time steps.
    """

    source: NDArray[np.int32]
    target: NDArray[np.int32]
    weight: NDArray[np.float64]
    delay: NDArray[np.int32]


def present_of(threads: Sequence[Structural | None], index: int, projection: Projection) -> Present:
    """The synapses of a projection in all threads."""
    parts = [_present_in(structural, index) for structural in threads if structural is not None]
    source, target, weight, delay = (np.concatenate([part[k] for part in parts]) for k in range(4))
    order = np.lexsort((target, source))
    return Present(source[order], target[order], sign_of(projection) * weight[order], delay[order])


def _present_in(structural: Structural, index: int) -> tuple[np.ndarray, ...]:
    slots, lanes = structural.slots, structural.lanes
    mine = np.flatnonzero((slots["source"] != NOTHING) & (lanes["projection"][slots["lane"]] == index))
    found = slots[mine]
    first = structural.sites["first_target"][lanes["site"][found["lane"]]]
    cell = structural.cell[first + found["target"]]
    return tuple(np.ascontiguousarray(column) for column in (found["source"], cell, found["weight"], found["delay"]))
