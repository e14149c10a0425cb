"""Where a network lies: the cores of the first chips, in the colours of their populations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from evsim.energy.parts import Mesh
from evsim.placing.colours import FREE, add_legend, colour_of
from evsim.results.figures.style import STYLE

MOST_CHIPS = 4  # that are drawn of each kind
MOST_NAMES = 12  # in the legend


def place_of(core: int, mesh: Mesh) -> tuple[int, int]:
    """Column and row of a core of a chip, whose tiles are squares of cores."""
    side = int(np.sqrt(mesh.cores_of_tile))
    tile, within = divmod(core, mesh.cores_of_tile)
    return tile % mesh.columns * side + within % side, tile // mesh.columns * side + within // side


def cores_figure(energies: Sequence[Mapping[str, Any]]) -> Figure | None:
    """The chips of every kind whose cores are known, or None if there is none."""
    placed = [energy for energy in energies if energy["mesh"] and energy["placement"]]
    if not placed:
        return None
    labels = list(dict.fromkeys(label for energy in placed for label, _ in energy["placement"]))
    colours = {label: colour_of(k) for k, label in enumerate(labels)}
    with matplotlib.rc_context({**matplotlib.rcParamsDefault, **STYLE}):
        figure = Figure(figsize=(11.5, 0.4 + 1.9 * len(placed)), layout="constrained")
        rows = figure.subplots(len(placed), MOST_CHIPS, squeeze=False)
        for axes, energy in zip(rows, placed, strict=True):
            _chips(list(axes), energy, colours)
        add_legend(figure, colours, MOST_NAMES, columns=7)
    return figure


def _chips(axes: Sequence[Axes], energy: Mapping[str, Any], colours: Mapping[str, Any]) -> None:
    mesh = Mesh(*energy["mesh"])
    of_chip = mesh.cores_of_tile * mesh.columns * mesh.rows
    owner = [label for label, count in energy["placement"] for _ in range(count)]
    for number, chip in enumerate(axes):
        chip.set_axis_off()
        mine = owner[number * of_chip : (number + 1) * of_chip]
        if not mine:
            continue
        for core in range(of_chip):
            column, row = place_of(core, mesh)
            colour = colours[mine[core]] if core < len(mine) else FREE
            chip.add_patch(Rectangle((column + 0.06, row + 0.06), 0.88, 0.88, color=colour, linewidth=0))
        side = int(np.sqrt(mesh.cores_of_tile))
        chip.set(xlim=(0, side * mesh.columns), ylim=(side * mesh.rows, 0), aspect="equal")
        hidden = -(-len(owner) // of_chip) - MOST_CHIPS
        rest = f", of {hidden + MOST_CHIPS:,}" if number == MOST_CHIPS - 1 and hidden > 0 else ""
        chip.set_title(f"{energy['hardware']}, chip {number + 1}{rest}", fontsize=9, fontweight="normal")
