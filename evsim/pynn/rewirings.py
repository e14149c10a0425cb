"""What came and went of synapses, as sPyNNaker hands it out: ``population.get_data("rewiring")``."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import quantities as pq
from neo import Event

from evsim.network import REWIRING
from evsim.recording import Rewirings

KINDS = {"form": "formation", "elim": "elimination"}


def events_of(found: Iterable[Rewirings], since: float) -> list[Event]:
    """An ``Event`` of all that was made, ``rewiring_form``, and one of all that was removed, ``rewiring_elim``.

    The label of each is ``"SOURCE_TARGET_formation"`` (or ``elimination``), with the numbers of the cells in their
    populations; its annotations ``source`` and ``target`` are these numbers, ``projection`` that of the projection.

    Args:
        since: ms; what was before is left out.
    """
    parts = list(found)
    names = ("times", "sources", "targets", "projections", "made")
    columns = [np.concatenate([*(getattr(part, name) for part in parts), np.empty(0)]) for name in names]
    times, sources, targets, projections, made = columns
    shown = times >= since - 1e-9
    events = []
    for is_made, (short, word) in zip((True, False), KINDS.items(), strict=True):
        chosen = shown & (made == is_made)
        source, target, projection = (column[chosen].astype(int) for column in (sources, targets, projections))
        events.append(
            Event(
                times=pq.Quantity(times[chosen], pq.ms),
                labels=np.array([f"{i}_{j}_{word}" for i, j in zip(source, target, strict=True)], dtype="U"),
                name=f"{REWIRING}_{short}",
                description=f"Synapse {word} events",
                array_annotations={"source": source, "target": target, "projection": projection},
            )
        )
    return events
