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

    Attributes:
        spent, work: (threads, places) int64, ticks and counts; see ``places``.
    """

    def __init__(self, threads: int, n_models: int) -> None:
        self.spent = np.zeros((threads, UPDATE + n_models), np.int64)
        self.work = np.zeros_like(self.spent)
        self._since = time.perf_counter(), now()

    def stages(self, models: Sequence[str]) -> tuple[Stage, ...]:
        """What each stage cost, summed over the threads.

        Args:
            models: the names of the models, as the loop numbers them.
        """
        seconds, counter = self._since
        tick = (time.perf_counter() - seconds) / max(now() - counter, 1)
        updates = {UPDATE + k: (f"update of {name}", NEURON_UPDATES) for k, name in enumerate(models)}
        spent, work = self.spent.sum(axis=0) * tick, self.work.sum(axis=0)
        return tuple(
            Stage(name, float(spent[place]), int(work[place]), unit)
            for place, (name, unit) in {**STAGES, **updates}.items()
            if spent[place] or work[place]
        )
