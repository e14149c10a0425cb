"""Running the loop's threads, one share of the network each."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from functools import partial
from typing import TypeVar

import numpy as np

Result = TypeVar("Result")


def _on_a_core(number: int, count: int, one: Callable[[], Result]) -> Result:
    """Run a function, beginning on a core that none of its fellows begins on.

    Threads that wait for each other are never idle, and a scheduler may leave them on one core for seconds. They are
    free to move afterwards, so another program that takes the core does not hold them up for ever.
    """
    if count > 1 and hasattr(os, "sched_setaffinity"):
        allowed = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {sorted(allowed)[number % len(allowed)]})
        os.sched_setaffinity(0, allowed)
    return one()


def _stopping(one: Callable[[], Result], stop: np.ndarray) -> Result:
    """Run a function; where it fails, none waits for it."""
    try:
        return one()
    except BaseException:
        stop[0] = 1
        raise


def run_side_by_side(
    work: Sequence[Callable[[], Result]], stop: np.ndarray, meanwhile: Callable[[], None] | None = None
) -> list[Result]:
    """Run functions that wait for each other, each in a thread of its own, and return their results.

    Args:
        meanwhile: what is done in this thread at the same time; it ends by itself where one of them fails.
        stop: (1,) set to 1 when one of them fails or the user interrupts, so that none waits for ever.
    """
    with ThreadPoolExecutor(len(work)) as pool:
        try:
            held = [partial(_stopping, one, stop) for one in work]
            running = [pool.submit(_on_a_core, number, len(work), one) for number, one in enumerate(held)]
            if meanwhile is not None:
                meanwhile()
            wait(running, return_when=FIRST_EXCEPTION)
            return [future.result() for future in running]
        except BaseException:
            stop[0] = 1
            raise
