"""Running the loop's threads, one share of the network each."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
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


class Workers:
    """Threads that stay from run to run, for starting them takes longer than many a run; they end with this object.

    Args:
        count: how many functions they can run side by side.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._process = 0
        self._pool: ThreadPoolExecutor | None = None

    def run(
        self, work: Sequence[Callable[[], Result]], stop: np.ndarray, meanwhile: Callable[[], None] | None = None
    ) -> list[Result]:
        """Run functions that wait for each other, each in a thread of its own, and return their results.

        Args:
            meanwhile: what is done in this thread at the same time; it ends by itself where one of them fails.
            stop: (1,) set to 1 when one of them fails or the user interrupts, so that none waits for ever.
        """
        running: list[Future[Result]] = []
        try:
            held = [partial(_stopping, one, stop) for one in work]
            running += [self._ready().submit(_on_a_core, number, len(work), one) for number, one in enumerate(held)]
            if meanwhile is not None:
                meanwhile()
            wait(running, return_when=FIRST_EXCEPTION)
            return [future.result() for future in running]
        except BaseException:
            stop[0] = 1
            wait(running)
            raise

    def _ready(self) -> ThreadPoolExecutor:
        if self._pool is None or self._process != os.getpid():  # a fork does not take the threads along
            self._pool, self._process = ThreadPoolExecutor(self._count), os.getpid()
        return self._pool
