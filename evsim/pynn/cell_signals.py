"""Neo's signals of cells that choose their own time steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import quantities as pq
from neo import IrregularlySampledSignal

from evsim.recording import Trace


def irregular_signal(
    population: Any, name: str, cell: int, place: int, parts: Sequence[Trace]
) -> IrregularlySampledSignal:
    """The signal of one cell, with the annotations that PyNN gives it where each cell has times of its own.

    Args:
        name: of the variable, as the script has it.
        cell, place: the cell's number in the simulation and in its population.
        parts: what was recorded of it, by time; each begins with the last sample of the one before.
    """
    kept = [slice(1 if k and part.times[0] <= parts[k - 1].times[-1] else 0, None) for k, part in enumerate(parts)]
    times = np.concatenate([part.times[each] for part, each in zip(parts, kept, strict=True)])
    values = np.concatenate([part.values[each] for part, each in zip(parts, kept, strict=True)])
    signal: Any = IrregularlySampledSignal(  # neo's own type of it is that of its parent
        times,
        values[:, np.newaxis],
        units=parts[0].unit or "dimensionless",
        time_units=pq.ms,
        name=name,
        channel_ids=np.array([int(cell)]),
        source_population=population.label,
        array_annotations={"channel_index": np.array([place])},
    )
    return signal
