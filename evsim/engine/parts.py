"""The native functions of the loop's parts: compiled for what they are given, and kept by its type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
from numba import types

from evsim.compile import native
from evsim.engine.advance import Loop
from evsim.engine.electrical import Coupled
from evsim.engine.enqueue import queue_spikes
from evsim.engine.off_grid import Listed
from evsim.engine.receive import deliver_due
from evsim.engine.serve import (
    Served,
    serve_coupled,
    serve_deferred,
    serve_listed,
    serve_modulated,
    serve_plastic,
    serve_releasing,
    serve_structural,
    serve_traced,
)
from evsim.engine.share import Thread
from evsim.engine.visit import visit_blocks
from evsim.references import Reference, Referred

_CHANGING = (serve_plastic, serve_deferred, serve_traced, serve_releasing, serve_modulated, serve_structural)


def address(part: Callable, given: Referred) -> int:
    """Where the native function of a part lies that takes a reference to what is given, and two int64."""
    return _compiled(part, given.type).address


@cache
def _compiled(part: Callable, kind: Reference) -> Any:
    return native(part, types.int64(kind, types.int64, types.int64), "the engine")


def loop_of(thread: Thread, changing: Sequence[Any], listed: Listed | None, coupled: Coupled | None) -> Referred:
    """A thread with the parts of the loop that it needs, as ``advance`` takes them.

    Args:
        changing: its lanes of each kind that changes: in floating point, in SpiNNaker's numbers, in Loihi's; releasing;
            under dopamine; coming and going. None for those that there are not.
        listed: what arrives between time steps; None where nothing does.
        coupled: its gap junctions.
    """
    here = Referred(thread)
    queue, deliver, visit = (address(part, here) for part in (queue_spikes, deliver_due, visit_blocks))
    served, kinds = _served(list(zip(_CHANGING, changing, strict=True)), here)
    due, between = _served([(serve_listed, listed)], here)
    more, junctions = _served([(serve_coupled, coupled)], here)
    loop = Loop(here, queue, deliver, visit, here.address, kinds, between, junctions)
    return Referred(loop, here, *served, *due, *more)


def _served(parts: list[tuple[Callable, Any]], thread: Referred) -> tuple[list[Referred], np.ndarray]:
    """What the parts that have lanes are given, and (parts, 2) where they and that lie."""
    given = {part: Referred(Served(lanes, thread)) for part, lanes in parts if lanes is not None}
    table = [(address(part, each), each.address) for part, each in given.items()]
    return list(given.values()), np.array(table, np.int64).reshape(-1, 2)
