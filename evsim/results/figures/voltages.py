"""Membrane potentials of a few neurons, and how far they are apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from evsim.results.align import Samples
from evsim.results.compare_samples import match
from evsim.results.figures.style import Shown, drawn, line_style, short

TRACE_NEURONS = 3
TRACE_WINDOW = 300.0  # ms
TICK_ROW = 0.07  # of the height of the traces, for the spikes of one target


def trace_cells(targets: Sequence[Shown]) -> list[tuple[str, int]]:
    """Up to TRACE_NEURONS neurons with recorded ``v``, of each population in turn; those that differ first lead."""
    found: dict[str, list[int]] = {}
    for target in targets:
        for (population, variable), samples in (target.first.samples if target.first else {}).items():
            if variable == "v":
                found.setdefault(population, [int(cell) for cell in samples.cells])
    for target in targets:
        first = target.first_difference
        if first is not None and first.neuron in found.get(first.population, []):
            found[first.population].remove(first.neuron)
            found[first.population].insert(0, first.neuron)
    longest = max((len(cells) for cells in found.values()), default=0)
    in_turn = [(name, cells[k]) for k in range(longest) for name, cells in found.items() if k < len(cells)]
    return in_turn[:TRACE_NEURONS]


def trace_window(targets: Sequence[Shown]) -> tuple[float, float]:
    """At most TRACE_WINDOW ms of the first run, around the first spike that differs."""
    first = next(target.first for target in targets if target.first)
    begin, end = first.first * first.timestep, first.first * first.timestep + first.duration
    differences = [
        target.first_difference.time
        for target in targets
        if target.first_difference is not None and target.first_difference.segment == first.number
    ]
    if end - begin <= TRACE_WINDOW or not differences:
        return begin, min(end, begin + TRACE_WINDOW)
    left = min(max(begin, min(differences) - 0.5 * TRACE_WINDOW), end - TRACE_WINDOW)
    return left, left + TRACE_WINDOW


@drawn
def voltages(targets: Sequence[Shown]) -> Figure | None:
    """A few neurons with ``v`` on every target, and below each what they differ by from the first target."""
    neurons = trace_cells(targets)
    if not neurons:
        return None
    figure = Figure(figsize=(11.5, 3.1 * len(neurons) + 0.4), layout="constrained")
    grid = figure.subplots(2 * len(neurons), 1, sharex=True, squeeze=False, height_ratios=[2, 1] * len(neurons))[:, 0]
    window = trace_window(targets)
    for row, (population, neuron) in enumerate(neurons):
        upper, lower = grid[2 * row], grid[2 * row + 1]
        upper.set_title(f"{population}, neuron {neuron}", loc="left")
        for index, target in enumerate(targets):
            _trace(upper, target, population, neuron, index)
            if index:
                _trace_difference(lower, targets[0], target, population, neuron, index)
        _spike_ticks(upper, targets, population, neuron, window)
        upper.set_ylabel("v (mV)")
        lower.set_ylabel(f"v - v of\n{short(targets[0].name, 18)}\n(mV)")
        lower.axhline(0.0, color="#bbbbbb", linewidth=0.6, zorder=0)
    grid[0].set_xlim(*window)
    grid[-1].set_xlabel("time (ms)")
    figure.align_ylabels(list(grid))
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return figure


def _trace(axes, target: Shown, population: str, neuron: int, index: int) -> None:
    samples = _samples(target, population)
    if samples is None or neuron not in samples.cells or target.first is None:
        axes.plot([], [], color=target.colour, label=target.name, **line_style(index))
        return
    column = int(np.searchsorted(samples.cells, neuron))
    times = samples.labels * target.first.timestep
    axes.plot(times, samples.values[:, column], color=target.colour, label=target.name, **line_style(index))


def _spike_ticks(axes, targets: Sequence[Shown], population: str, neuron: int, window: tuple[float, float]) -> None:
    """A row of ticks a target, in room made above the traces."""
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + TICK_ROW * (len(targets) + 0.5) * (high - low))
    for index, target in enumerate(targets):
        table = target.first.spikes.get(population) if target.first else None
        if table is None or target.first is None:
            continue
        times = (table.steps[table.neurons == neuron] + target.spike_label) * target.first.timestep
        times = times[(times >= window[0]) & (times <= window[1])]
        share = TICK_ROW / (1 + TICK_ROW * (len(targets) + 0.5))  # of the axes' height
        axes.plot(
            times,
            np.full(len(times), 1.0 - (index + 0.5) * share),
            transform=axes.get_xaxis_transform(),
            linestyle="none",
            marker="|",
            markersize=5,
            markeredgewidth=1.4,
            color=target.colour,
        )


def _trace_difference(axes, base: Shown, target: Shown, population: str, neuron: int, index: int) -> None:
    one, other = _samples(base, population), _samples(target, population)
    if one is None or other is None or base.first is None:
        return
    both = match(base.first, one, other)
    if neuron in both.cells:
        column = int(np.searchsorted(both.cells, neuron))
        difference = both.b[:, column] - both.a[:, column]
        axes.plot(both.labels * base.first.timestep, difference, color=target.colour, **line_style(index))


def _samples(target: Shown, population: str) -> Samples | None:
    return target.first.samples.get((population, "v")) if target.first else None
