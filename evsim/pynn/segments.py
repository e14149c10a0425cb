"""Parts of recorded segments: of some variables and of some cells.

PyNN 0.13 loses all signals of a segment that ended with a reset, for good, where variables are named; does not look at
which cells are asked for; and adds to what it keeps when it puts the data of an assembly together.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from neo import Segment

from evsim.network import REWIRING


def part_of(segment: Segment, names: Collection[str] | None, ids: Collection[int] | None) -> Segment:
    """A new segment with the variables of these names, of the cells with these ids; None stands for all.

    Its signals are views of the given one's.
    """
    part: Any = Segment(
        name=segment.name, description=segment.description, rec_datetime=segment.rec_datetime, **segment.annotations
    )
    wanted = None if ids is None else np.array([int(cell) for cell in ids])
    signals = [signal for signal in segment.analogsignals if names is None or _is_named(signal, names)]
    part.analogsignals = [cut for cut in (_of_cells(signal, wanted) for signal in signals) if cut.shape[1]]
    part.irregularlysampledsignals = [
        signal
        for signal in segment.irregularlysampledsignals  # each of one cell
        if (names is None or _is_named(signal, names))
        and (wanted is None or signal.annotations["channel_ids"][0] in wanted)
    ]
    trains = segment.spiketrains if names is None or "spikes" in names else []
    part.spiketrains = [train for train in trains if wanted is None or train.annotations["channel_id"] in wanted]
    part.events = [event for event in segment.events if names is None or REWIRING in names]
    return part


def _is_named(signal: Any, names: Collection[str]) -> bool:
    """Whether a signal has one of the names; that of a location, ``"soma.v"``, has its variable's, too."""
    name = signal.name
    return name in names or any(name.endswith(f".{wanted}") for wanted in names)


def _of_cells(signal: Any, ids: np.ndarray | None) -> Any:
    channels = np.asarray(signal.annotations["channel_ids"])
    places: Any = slice(None) if ids is None else np.flatnonzero(np.isin(channels, ids))
    part = signal[:, places]
    part.annotations = {**signal.annotations, "channel_ids": channels[places]}
    return part
