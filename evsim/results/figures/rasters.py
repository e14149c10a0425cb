"""Rasters side by side, with the rate over time below each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from evsim.results.align import SpikeTable
from evsim.results.figures.style import FAINT, INK, Shown, drawn, short

RASTER_NEURONS = 200  # over all populations
RASTER_SPIKES = 60_000  # the shown time is shortened to about so many in one panel
RASTER_COLUMNS = 3
MOST_LABELS = 20  # of populations beside a raster


@dataclass(frozen=True)
class Band:
    """The rows of a raster that belong to one population: its first ``shown`` of ``size`` neurons."""

    population: str
    shown: int
    size: int
    bottom: int


def bands(targets: Sequence[Shown]) -> list[Band]:
    """Which neurons the rasters show: all of them, or the first of each population in proportion to its size."""
    tables: dict[str, SpikeTable] = {}
    for target in targets:
        if target.first:
            tables |= {name: table for name, table in target.first.spikes.items() if not table.is_source}
    total = sum(len(table.cells) for table in tables.values())
    found, bottom = [], 0
    for name, table in tables.items():
        share = len(table.cells) if total <= RASTER_NEURONS else -(-RASTER_NEURONS * len(table.cells) // total)
        found.append(Band(name, share, len(table.cells), bottom))
        bottom += share
    return found


def raster_window(targets: Sequence[Shown]) -> tuple[float, float]:
    """The shown time (ms): the whole run, or its beginning where that already holds enough spikes."""
    first = next(target.first for target in targets if target.first)
    spikes = max(sum(len(t.steps) for t in target.first.spikes.values()) for target in targets if target.first)
    begin = first.first * first.timestep
    share = min(1.0, RASTER_SPIKES / max(spikes, 1))
    return begin, begin + max(share * first.duration, first.timestep)


@drawn
def rasters(targets: Sequence[Shown]) -> Figure | None:
    """A raster a target, side by side, with the rate of all shown populations below each."""
    rows = bands(targets)
    if not rows:
        return None
    columns = 2 if len(targets) in (2, 4) else min(len(targets), RASTER_COLUMNS)
    lines = -(-len(targets) // columns)
    figure = Figure(figsize=(11.5, 4.3 * lines), layout=ConstrainedLayoutEngine(w_pad=0.12))
    grid = figure.subplots(2 * lines, columns, sharex=True, sharey="row", squeeze=False, height_ratios=[3.4, 1] * lines)
    window = raster_window(targets)
    for index, target in enumerate(targets):
        line, column = divmod(index, columns)
        upper, lower = grid[2 * line][column], grid[2 * line + 1][column]
        _raster(upper, target, rows, window, column == 0)
        _rate_over_time(lower, target, window)
        lower.set_ylabel("Hz" if column == 0 else "")
        lower.set_xlabel("time (ms)")
        lower.tick_params(labelbottom=True)
    for index in range(len(targets), lines * columns):
        line, column = divmod(index, columns)
        grid[2 * line][column].set_visible(False)
        grid[2 * line + 1][column].set_visible(False)
    return figure


def _raster(axes, target: Shown, rows: Sequence[Band], window: tuple[float, float], labelled: bool) -> None:
    axes.set_title(target.name, loc="left", color=target.colour)
    axes.set_xlim(*window)
    axes.set_ylim(-1, rows[-1].bottom + rows[-1].shown)
    named = rows[:: -(-len(rows) // MOST_LABELS)]
    axes.set_yticks([band.bottom + band.shown / 2 for band in named], [short(band.population) for band in named])
    axes.tick_params(axis="y", length=0, labelleft=labelled)
    for band in rows[1:]:
        axes.axhline(band.bottom - 0.5, color="#bbbbbb", linewidth=0.6)
    segment = target.first
    if segment is None or not segment.spikes:
        axes.text(0.5, 0.5, "no data", transform=axes.transAxes, ha="center", va="center", color=FAINT)
        return
    for band in rows:
        table = segment.spikes.get(band.population)
        if table is None:
            continue
        row = np.searchsorted(table.cells, table.neurons)
        chosen = row < band.shown
        times = (table.steps[chosen] + target.spike_label) * segment.timestep
        height = 130.0 / sum(band.shown for band in rows)
        axes.plot(
            times,
            row[chosen] + band.bottom,
            linestyle="none",
            marker="|",
            markersize=float(np.clip(height * 2.0, 2.4, 9.0)),
            markeredgewidth=0.8,
            color=target.colour,
            rasterized=True,
        )
    _mark_difference(axes, target, window)


def _mark_difference(axes, target: Shown, window: tuple[float, float]) -> None:
    first = target.first_difference
    if first is not None and target.first and first.segment == target.first.number and first.time <= window[1]:
        axes.axvline(first.time, color=INK, linewidth=0.8, linestyle=(0, (3, 2)))


def _rate_over_time(axes, target: Shown, window: tuple[float, float]) -> None:
    segment = target.first
    if segment is None or not segment.spikes:
        return
    tables = [table for table in segment.spikes.values() if not table.is_source]
    cells = sum(len(table.cells) for table in tables)
    width = max(5.0, segment.timestep, (window[1] - window[0]) / 200)
    edges = np.arange(window[0], window[1] + width, width)
    times = np.concatenate([(table.steps + target.spike_label) * segment.timestep for table in tables])
    count, _ = np.histogram(times, edges)
    axes.stairs(count * 1000.0 / (width * max(cells, 1)), edges, fill=True, color=target.colour, alpha=0.75)
    _mark_difference(axes, target, window)
