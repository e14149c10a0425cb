"""The native functions of the loop's parts: compiled for what they are given, and kept by its type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numba
import numpy as np
from numba import types

from evsim.compile import native
from evsim.engine.advance import Loop, advance
from evsim.engine.blocks import draw_noise
from evsim.engine.electrical import Coupled
from evsim.engine.enqueue import log_steps, queue_spikes, queue_summed
from evsim.engine.off_grid import Listed
from evsim.engine.queue import has_summed
from evsim.engine.receive import deliver_due
from evsim.engine.serve import (
    Served,
    serve_coupled,
    serve_deferred,
    serve_listed,
    serve_modulated,
    serve_plastic,
    serve_releasing,
    serve_ruled,
    serve_structural,
    serve_traced,
)
from evsim.engine.share import Thread
from evsim.engine.visit import visit_blocks
from evsim.references import Reference, Referred

_CHANGING = (
    serve_plastic,
    serve_deferred,
    serve_traced,
    serve_releasing,
    serve_modulated,
    serve_structural,
    serve_ruled,
)


def address(part: Callable, given: Referred, *more: Any) -> int:
    """Where the native function of a part lies that takes a reference to what is given, and ``more``, or two int64."""
    return _compiled(part, given.type, *more).address


@cache
def _compiled(part: Callable, kind: Reference, *more: Any) -> Any:
    return native(part, types.int64(kind, *(more or (types.int64, types.int64))), "the engine")


class Kept:
    """References to what a thread works with in run after run, which are not made anew for each."""

    _NAMES = "blocks", "slices", "memory", "feeds", "rows", "calendar", "scratch", "exchange"

    def __init__(self) -> None:
        self._found: dict[str, Referred] = {}

    def of(self, thread: Thread) -> Thread:
        """The thread with these references in place of what they refer to."""
        for name in self._NAMES:
            value = getattr(thread, name)
            if name not in self._found or self._found[name].value is not value:
                self._found[name] = Referred(value)
        return thread._replace(**self._found)


def referred(thread: Thread, kept: Kept) -> Referred:
    """A reference to a thread, which has the parts that only some networks need."""
    summed, noise = has_summed(thread.rows), thread.feeds.first[-1] > 0
    lasting = kept.of(thread)
    here = Referred(lasting)
    if not summed and not noise:
        return here
    payloads = types.Array(numba.from_dtype(thread.scratch.payloads.dtype), 1, "C")
    spikes = types.Array(types.int32, 1, "C"), payloads, types.int64
    return Referred(
        lasting._replace(
            summed=address(queue_summed, here, *spikes) if summed else 0,
            noise=address(draw_noise, here) if noise else 0,
        )
    )


def compile_loop(thread: Thread) -> None:
    """Compile what every run needs, and run nothing.

    What a run needs first comes last: whoever compiles ahead of a run is to meet it, and not to walk before its feet.
    """
    here = Referred(thread)
    none = np.empty((0, 2), np.int64)
    log_steps.compile((here.type, types.int64, types.int64))
    advance.compile((Referred(Loop(here, 0, 0, 0, 0, none, none, none), here).type, types.int64))
    for part in (visit_blocks, deliver_due, queue_spikes):
        address(part, here)


def loop_of(
    thread: Thread, kept: Kept, changing: Sequence[Any], listed: Listed | None, coupled: Coupled | None
) -> Referred:
    """A thread with the parts of the loop that it needs, as ``advance`` takes them.

    Args:
        kept: the thread's.
        changing: its lanes of each kind that changes: in floating point, in SpiNNaker's numbers, in Loihi's; releasing;
            under dopamine; coming and going; by rules of a script's own. None for those that there are not.
        listed: what arrives between time steps; None where nothing does.
        coupled: its gap junctions.
    """
    here = referred(thread, kept)
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
