"""Rates and regularity of all neurons, as cumulative distributions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from evsim.results.align import Segment, SpikeTable
from evsim.results.figures.style import Shown, drawn, line_style
from evsim.results.statistics import isi_cvs, rates


@drawn
def distributions(targets: Sequence[Shown]) -> Figure | None:
    """The rates of all neurons, and the CV of their inter-spike intervals, as cumulative distributions."""
    if not any(_neurons(target) for target in targets):
        return None
    figure = Figure(figsize=(11.5, 3.3), layout="constrained")
    left, right = figure.subplots(1, 2)
    for index, target in enumerate(targets):
        tables = _neurons(target)
        if not tables:
            continue
        rate = np.concatenate([rates(table, segment.duration) for segment, table in tables])
        left.ecdf(rate, color=target.colour, label=target.name, **line_style(index))
        if len(cv := np.concatenate([isi_cvs(table) for _, table in tables])):
            right.ecdf(cv, color=target.colour, **line_style(index))
    left.set(xlabel="rate (Hz)", ylabel="fraction of neurons", title="Rates")
    right.set(xlabel="CV of inter-spike intervals", ylabel="fraction of neurons", title="Regularity")
    figure.legend(loc="outside lower center", ncols=len(targets))
    return figure


def _neurons(target: Shown) -> list[tuple[Segment, SpikeTable]]:
    """The recorded spikes of every population of neurons, in every run."""
    return [(segment, table) for segment in target.segments for table in segment.spikes.values() if not table.is_source]
