"""A picture of where a network lies: the cores in the colours of their populations, their load, and what travels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle
from matplotlib.ticker import EngFormatter, PercentFormatter

from evsim.placing.colours import FREE, add_legend, colour_of
from evsim.results.figures.style import FAINT, STYLE

MOST_NAMES = 14  # in the legend
MOST_CHIPS = 4  # of Loihi that are drawn
HEAT = colormaps["YlOrRd"]
Core = Mapping[str, Any]


def placement_figure(record: Mapping[str, Any]) -> Figure:
    """The picture of a record of ``evsim place``: populations on the left, load in the middle, traffic on the right."""
    labels = [part["label"] for part in record["populations"] if part["cores"]]
    colours = {label: colour_of(k) for k, label in enumerate(labels)}
    with matplotlib.rc_context({**matplotlib.rcParamsDefault, **STYLE}):
        draw = _spinnaker if record["family"] == "spinnaker" else _loihi
        figure = draw(record, colours)
        add_legend(figure, colours, MOST_NAMES, columns=8)
    return figure


def _scale(values: Sequence[float]) -> Normalize:
    """Of colours, from the least that is not 0 to the most; logarithmic where they are far apart."""
    shown = [value for value in values if value > 0] or [1.0]
    low, high = min(shown), max(shown)
    return LogNorm(low, high) if high > 1000 * low else Normalize(0, high)


def _bar(figure: Figure, cax: Axes, norm: Normalize, unit: str = "", percent: bool = False) -> None:
    bar = figure.colorbar(ScalarMappable(norm, HEAT), cax=cax, orientation="horizontal")
    cax.xaxis.set_major_formatter(PercentFormatter(1.0) if percent else EngFormatter(unit=unit))
    cax.xaxis.set_minor_formatter("")
    cax.tick_params(labelsize=8)
    bar.outline.set_visible(False)  # pyright: ignore[reportCallIssue]


def _shade(value: float, norm: Normalize) -> Any:
    return HEAT(norm(value)) if value > 0 else FREE


# --- SpiNNaker -------------------------------------------------------------------------------------------------------

ACROSS = 4  # cores of a chip in a row
SIZE = 0.8  # of a chip, whose neighbours are 1 away
TILT = 0.5  # by which rows of chips are shifted, so that the three axes of the mesh are seen


def _spinnaker(record: Mapping[str, Any], colours: Mapping[str, Any]) -> Figure:
    boxes = [tuple(chip["chip"]) for chip in record["chips"]] or [(0, 0)]  # of a network without cells
    columns = max(_at(box)[0] for box in boxes) - min(_at(box)[0] for box in boxes) + 1
    rows = max(box[1] for box in boxes) - min(box[1] for box in boxes) + 1
    figure = Figure(figsize=(13.0, max(3.2, min(9.0, 1.6 + 4.2 * rows / columns))), layout="constrained")
    (left, middle, right), (empty, load_bar, traffic_bar) = figure.subplots(2, 3, height_ratios=(30, 1))
    empty.set_axis_off()
    load = _scale([core["sdram"] for core in record["cores"]])
    traffic = _scale([core["sent"] + core["taken"] for core in record["cores"]])
    links = _scale([link[4] for link in record["links"]])
    _links(right, record["links"], links)
    for box in boxes:
        x, y = _at(box)
        for axes in (left, middle, right):
            axes.add_patch(Rectangle((x, y), SIZE, SIZE, facecolor="white", edgecolor=FAINT, linewidth=0.7, zorder=2))
            axes.text(x + SIZE / 2, y + SIZE + 0.01, f"{box[0]}, {box[1]}", fontsize=6, ha="center", color=FAINT)
    for chip in record["chips"]:
        for place in range(chip["cores"], chip["cores"] + chip["free_cores"]):
            for axes in (left, middle, right):
                _core(axes, {"chip": chip["chip"], "place": place}, FREE)
    for core in record["cores"]:
        _core(left, core, colours[core["population"]], hatch=core["kind"] == "delay extension")
        _core(middle, core, _shade(core["sdram"], load))
        _core(right, core, _shade(core["sent"] + core["taken"], traffic))
    delays = any(core["kind"] == "delay extension" for core in record["cores"])
    titles = (
        "Populations" + " (hatched: delay extensions)" * delays,
        "SDRAM of each core",
        "Packets of each core, and on links",
    )
    _bar(figure, load_bar, load, "B")
    _bar(figure, traffic_bar, traffic)
    for axes, title in zip((left, middle, right), titles, strict=True):
        axes.set_title(title, fontsize=10)
        axes.autoscale_view()
        axes.set_aspect("equal")
        axes.set_axis_off()
    return figure


def _at(chip: Sequence[int]) -> tuple[float, float]:
    """Where a chip is drawn."""
    return chip[0] - TILT * chip[1], float(chip[1])


def _core(axes: Axes, core: Core, colour: Any, hatch: bool = False) -> None:
    x, y = _at(core["chip"])
    step = SIZE / ACROSS
    column, row = core["place"] % ACROSS, core["place"] // ACROSS
    corner = x + column * step + 0.1 * step, y + SIZE - (row + 1) * step + 0.1 * step
    square = Rectangle(corner, 0.8 * step, 0.8 * step, facecolor=colour, linewidth=0, zorder=3)
    if hatch:
        square.set(hatch="////", edgecolor="white")
    axes.add_patch(square)


def _links(axes: Axes, links: Sequence[Sequence[int]], norm: Normalize) -> None:
    """Lines between chips, as wide as what goes over them both ways; those round the torus are left out."""
    both: dict[tuple, int] = {}
    for ax, ay, bx, by, count in links:
        ends = tuple(sorted([(ax, ay), (bx, by)]))
        both[ends] = both.get(ends, 0) + count
    shown = {ends: n for ends, n in both.items() if n and max(abs(p - q) for p, q in zip(*ends, strict=True)) <= 1}
    lines = [[np.add(_at(end), SIZE / 2) for end in ends] for ends in shown]
    widths = [1.0 + 7.0 * float(np.clip(norm(n), 0, 1)) for n in shown.values()]
    axes.add_collection(LineCollection(lines, linewidths=widths, colors="#4c78a8", alpha=0.65, zorder=1))


# --- Loihi -----------------------------------------------------------------------------------------------------------


def _loihi(record: Mapping[str, Any], colours: Mapping[str, Any]) -> Figure:
    of_chip, of_tile, columns = record["mesh"]
    side = int(np.sqrt(of_tile))
    wide, high = columns * side, of_chip // of_tile // columns * side
    chips = sorted({core["chip"] for core in record["cores"]})
    shown = chips[:MOST_CHIPS] or [0]
    figure = Figure(figsize=(13.0, 1.3 + 2.3 * len(shown)), layout="constrained")
    ratios = (*[20] * len(shown), 1)
    grid = figure.subplots(len(shown) + 1, 3, squeeze=False, height_ratios=ratios)
    grid[-1, 0].set_axis_off()
    limits = record["limits"]
    names = ("core_compartments", "core_axons_in", "core_axons_out")
    load = {
        (core["chip"], core["place"]): max(
            *(core[name] / limits[name] for name in names),
            64 * core["core_synapse_words"] / limits["core_synapse_bits"],
        )
        for core in record["cores"]
    }
    full, traffic = Normalize(0, 1), _scale([core["sent"] + core["taken"] for core in record["cores"]])
    for row, chip in zip(grid[:-1], shown, strict=True):
        mine = {core["place"]: core for core in record["cores"] if core["chip"] == chip}
        for place in range(of_chip):
            core, at = mine.get(place), _mesh_place(place, of_tile, columns, side, high)
            looks = [FREE] * 3
            if core:
                busy = core["sent"] + core["taken"]
                looks = [colours[core["population"]], HEAT(full(load[chip, place])), _shade(busy, traffic)]
            for axes, colour in zip(row, looks, strict=True):
                axes.add_patch(Rectangle((at[0] + 0.08, at[1] + 0.08), 0.84, 0.84, facecolor=colour, linewidth=0))
        for axes in row:
            _tiles(axes, wide, high, side)
        row[0].set_title(f"Populations on chip {chip}" + _rest(chips, chip, shown), fontsize=10)
    grid[0, 1].set_title("Load: the fullest of each core's resources", fontsize=10)
    grid[0, 2].set_title("Messages of each core", fontsize=10)
    _bar(figure, grid[-1, 1], full, percent=True)
    _bar(figure, grid[-1, 2], traffic)
    return figure


def _rest(chips: Sequence[int], chip: int, shown: Sequence[int]) -> str:
    return f", of {len(chips):,}" if chip == shown[-1] and len(chips) > len(shown) else ""


def _mesh_place(place: int, of_tile: int, columns: int, side: int, high: int) -> tuple[float, float]:
    """Where a core is drawn: row by row of tiles from the top."""
    tile, within = divmod(place, of_tile)
    x, y = tile % columns * side + within % side, tile // columns * side + within // side
    return float(x), float(high - 1 - y)


def _tiles(axes: Axes, wide: int, high: int, side: int) -> None:
    for x in range(0, wide, side):
        for y in range(0, high, side):
            corners = [(x, y), (x + side, y), (x + side, y + side), (x, y + side)]
            axes.add_patch(Polygon(corners, fill=False, edgecolor=FAINT, linewidth=0.5))
    axes.set(xlim=(-0.2, wide + 0.2), ylim=(-0.2, high + 0.2), aspect="equal")
    axes.set_axis_off()
