"""Where the time of a run goes, from what the threads took note of."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from evsim.compile import lean
from evsim.engine.intrinsics import ticks
from evsim.engine.places import DELIVER, FEED, PLASTICITY, PUSH, SAMPLE, UPDATE, WAIT
from evsim.recording import NEURON_UPDATES, SYNAPTIC_EVENTS, Stage

STAGES = {
    PUSH: ("queue", "rows"),
    DELIVER: ("delivery", SYNAPTIC_EVENTS),
    PLASTICITY: ("plasticity", "synaptic updates"),
    FEED: ("sources", "draws"),
    SAMPLE: ("recording", "samples"),
    WAIT: ("waiting for threads", ""),
}


@lean
def now():
    """The time-stamp counter."""
    return ticks()


class Stopwatch:
    """Notes of all threads, in ticks of the processor's time-stamp counter, and what a tick is in seconds.

    Args:
        models: the names of the models, as the loop numbers them.

    Attributes:
        spent, work: (threads, places) int64, ticks and counts; see ``places``.
    """

    def __init__(self, threads: int, models: Sequence[str]) -> None:
        self._threads = threads
        self._notes: list[tuple[Sequence[str], np.ndarray, np.ndarray]] = []
        self._since = time.perf_counter(), now()
        self.follow(models)

    def follow(self, models: Sequence[str]) -> None:
        """Go on with a network whose loops may have other numbers, and be more."""
        if self._notes and self._notes[-1][0] == models:
            return
        self.spent = np.zeros((self._threads, UPDATE + len(models)), np.int64)
        self.work = np.zeros_like(self.spent)
        self._notes.append((models, self.spent, self.work))

    def stages(self) -> tuple[Stage, ...]:
        """What each stage cost, summed over the threads."""
        seconds, counter = self._since
        tick = (time.perf_counter() - seconds) / max(now() - counter, 1)
        found: dict[tuple[str, str], list[int]] = {}
        for models, spent, work in self._notes:
            updates = {UPDATE + k: (f"update of {name}", NEURON_UPDATES) for k, name in enumerate(models)}
            for place, stage in {**STAGES, **updates}.items():
                total = found.setdefault(stage, [0, 0])
                total[0] += int(spent[:, place].sum())
                total[1] += int(work[:, place].sum())
        return tuple(
            Stage(name, ticks_spent * tick, events, unit)
            for (name, unit), (ticks_spent, events) in found.items()
            if ticks_spent or events
        )
