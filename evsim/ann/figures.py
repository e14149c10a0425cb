"""Figures of the comparison with an ANN: accuracy against time and against bits, and energies on one scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from evsim.results.figures.style import COLOURS, FAINT, INK, STYLE, line_style

Data = Mapping[str, Any]


def styled(draw):
    """Draw with the reports' style, whatever the user's own is; a decorator."""

    def drawn(network: Data) -> Figure:
        with matplotlib.rc_context({**matplotlib.rcParamsDefault, **STYLE}):
            return draw(network)

    return drawn


def ran(network: Data) -> list[Data]:
    """The runs that were not refused."""
    return [run for run in network["runs"] if "refused" not in run]


def colours(network: Data) -> dict[str, str]:
    """Chip -> colour."""
    chips = dict.fromkeys(run["chip"] for run in network["runs"])
    return {chip: COLOURS[index % len(COLOURS)] for index, chip in enumerate(chips)}


@styled
def accuracy_figure(network: Data) -> Figure:
    """Accuracy against time, one panel a code and one line a chip; and against bits of weight."""
    codes = list(dict.fromkeys(run["code"] for run in network["runs"]))
    panels = len(codes) + bool(network["bits"])
    figure = Figure(figsize=(11.5, 3.3), layout="constrained")
    axes = list(figure.subplots(1, panels, squeeze=False)[0])
    of_chip = colours(network)
    for panel, code in zip(axes, codes, strict=False):
        for index, run in enumerate(run for run in ran(network) if run["code"] == code):
            shown = [100 * share for share in run["accuracies"]]
            panel.plot(range(len(shown)), shown, color=of_chip[run["chip"]], label=run["chip"], **line_style(index))
        _finish(panel, network, f"{network['name']}, {code} code", "time steps")
    if network["bits"]:
        _bits(axes[-1], network, codes)
    return figure


def _bits(panel: Axes, network: Data, codes: Sequence[str]) -> None:
    bits = [entry["bits"] for entry in network["bits"]]
    for index, name in enumerate(("ann", *codes)):
        shown = [100 * entry[name] for entry in network["bits"]]
        colour = INK if name == "ann" else COLOURS[3 + index]
        panel.plot(
            bits, shown, "o", color=colour, label="ANN" if name == "ann" else f"{name} code, ideal", markersize=4
        )
        panel.plot(bits, shown, color=colour, **line_style(index))
    _finish(panel, network, f"{network['name']}, rounded weights", "bits of a weight, its sign included")


def _finish(panel: Axes, network: Data, title: str, below: str) -> None:
    panel.axhline(100 * network["ann"]["accuracy"], color=FAINT, linewidth=0.8, linestyle=":", label="ANN, as trained")
    panel.set(title=title, xlabel=below, ylabel="right (%)", ylim=(0, 103))
    panel.legend(fontsize=8, loc="best")


@styled
def energy_figure(network: Data) -> Figure:
    """What an image takes, from the least to the most that sources give, of the ANN and of every run."""
    rows: list[tuple[str, Sequence[float], str]] = [
        (f"ANN on {name}", joules, INK) for name, joules in network["ann"]["joules"].items()
    ]
    of_code = {code: COLOURS[index] for index, code in enumerate(dict.fromkeys(r["code"] for r in network["runs"]))}
    for run in ran(network):
        for energy in run["energies"]:
            for account in energy.get("accounts", ()):
                rows.append((f"{run['code']} code, {energy['hardware']} {account['name']}", account["joules"],
                             of_code[run["code"]]))  # fmt: skip
                if dynamic := dynamic_joules(account):
                    rows.append(
                        (f"{run['code']} code, {energy['hardware']}, spikes alone", dynamic, of_code[run["code"]])
                    )
    figure = Figure(figsize=(11.5, 0.9 + 0.25 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for place, (_, (low, high), colour) in enumerate(rows):
        axes.plot([low, high], [place, place], "-o", color=colour, linewidth=3, markersize=5)
    axes.set_xscale("log")
    axes.set(ylim=(len(rows) - 0.4, -0.6), yticks=range(len(rows)), yticklabels=[label for label, _, _ in rows])
    axes.xaxis.set_major_formatter(EngFormatter(unit="J"))
    axes.set_title(f"{network['name']}: energy of an image")
    axes.grid(axis="x", color="#ececec", linewidth=0.6)
    axes.grid(axis="y", color="#f3f3f3", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    return figure


def dynamic_joules(account: Data) -> list[float] | None:
    """The part of an account of events that grows with spikes: synapses and communication; None of another account."""
    parts = [account["parts"][name] for name in ("synapses", "communication") if name in account["parts"]]
    if "synapses" not in account["parts"]:
        return None
    return [sum(part[end] for part in parts) for end in range(2)]
