"""Energies as bars: each account's parts stacked on a scale of its own, and all parts on one scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import EngFormatter

from evsim.results.figures.style import FAINT, INK, STYLE, short

# Okabe and Ito (2008), as in the other figures; what is on without doing anything is grey.
PART_COLOURS = {
    "synapses": "#0072B2",
    "learning": "#CC79A7",
    "neurons": "#009E73",
    "multiply-accumulates": "#56B4E9",
    "communication": "#E69F00",
    "cores": "#D55E00",
    "idle": "#b5b5b5",
}
ROW, TOP, BOTTOM = 0.78, 0.35, 0.75  # inches


class Bar(NamedTuple):
    """One account of one piece of hardware.

    Attributes:
        joules: of all parts, least and most.
        parts: name -> least and most (J), of those that are known.
    """

    label: str
    joules: tuple[float, float]
    parts: Mapping[str, tuple[float, float]]


def bars_of(energies: Sequence[Mapping[str, Any]]) -> list[Bar]:
    """The accounts in the records of ``energy_record`` that take something."""
    found = []
    for energy in energies:
        for account in energy["accounts"]:
            parts = {part["name"]: tuple(part["joules"]) for part in account["parts"] if part["joules"]}
            if account["joules"][1] > 0:
                label = f"{short(energy['hardware'], 18)}\n{account['name']}"
                found.append(Bar(label, tuple(account["joules"]), parts))
    return found


def energy_figure(energies: Sequence[Mapping[str, Any]]) -> Figure | None:
    """The bars of all accounts, or None if nothing takes anything."""
    bars = bars_of(energies)
    if not bars:
        return None
    with matplotlib.rc_context({**matplotlib.rcParamsDefault, **STYLE}):
        height = TOP + BOTTOM + ROW * len(bars)
        figure = Figure(figsize=(11.5, height), layout="constrained")
        left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=(1.15, 1.0))[0]
        for axes, bar in zip(left.subplots(len(bars), 1, squeeze=False)[:, 0], bars, strict=True):
            _stacked(axes, bar)
        left.suptitle("Parts, each bar on its own scale", fontsize=10.5, fontweight="bold")
        _common(right.subplots(), bars)
        right.suptitle("The same on one scale", fontsize=10.5, fontweight="bold")
        used = [name for name in PART_COLOURS if any(name in bar.parts for bar in bars)]
        handles: list[Artist] = [Patch(color=PART_COLOURS[name], label=name) for name in used]
        handles.append(Line2D([], [], color=INK, label="sum, least to most"))
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def _stacked(axes: Axes, bar: Bar) -> None:
    at = 0.0
    for name in PART_COLOURS:
        if name in bar.parts:
            middle = sum(bar.parts[name]) / 2
            axes.barh(0, middle, left=at, height=0.62, color=PART_COLOURS[name])
            at += middle
    low, high = bar.joules
    axes.errorbar(at, 0, xerr=[[max(at - low, 0.0)], [max(high - at, 0.0)]], color=INK, capsize=4, linewidth=1.2)
    axes.set(xlim=(0.0, 1.08 * high), ylim=(-0.5, 0.5), yticks=[0], yticklabels=[bar.label])
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=8)
    axes.xaxis.set_major_formatter(EngFormatter(unit="J"))
    axes.locator_params(axis="x", nbins=5)
    axes.spines["left"].set_visible(False)


def _common(axes: Axes, bars: Sequence[Bar]) -> None:
    """Every part from its least to its most, and above them the sum, on a logarithmic scale."""
    lowest = min(value for bar in bars for ends in (*bar.parts.values(), bar.joules) for value in ends if value > 0)
    for row, bar in enumerate(bars):
        shown = [(name, bar.parts[name]) for name in PART_COLOURS if name in bar.parts and bar.parts[name][1] > 0]
        places = [row - 0.3 + 0.6 * (k + 1) / (len(shown) + 1) for k in range(len(shown))]
        _span(axes, row - 0.34, bar.joules, lowest, INK, 1.6)
        for place, (name, joules) in zip(places, shown, strict=True):
            _span(axes, place, joules, lowest, PART_COLOURS[name], 4.0)
        if row:
            axes.axhline(row - 0.5, color="#e4e4e4", linewidth=0.7)
    axes.set_xscale("log")
    axes.set(ylim=(len(bars) - 0.5, -0.5), yticks=range(len(bars)), yticklabels=[bar.label for bar in bars])
    axes.xaxis.set_major_formatter(EngFormatter(unit="J"))
    axes.grid(axis="x", color="#ececec", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=8, color=FAINT)
    axes.spines["left"].set_visible(False)


def _span(axes: Axes, place: float, joules: tuple[float, float], lowest: float, colour: str, width: float) -> None:
    low, high = max(joules[0], lowest), max(joules[1], lowest)
    axes.plot([low, high], [place, place], color=colour, linewidth=width, solid_capstyle="butt")
    axes.plot([low, high], [place, place], "o", color=colour, markersize=width + 0.6)
