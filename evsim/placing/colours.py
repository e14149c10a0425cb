"""The colours of populations in pictures of cores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from evsim.results.figures.style import COLOURS, short

FREE = "#ececec"
TINTS = (0.0, 0.45, 0.7)  # of white in the colours of the first seven populations, of the next seven, and so on


def colour_of(number: int) -> tuple[float, float, float]:
    """The colour of a population; it comes again after 21."""
    red, green, blue = to_rgb(COLOURS[number % len(COLOURS)])
    white = TINTS[number // len(COLOURS) % len(TINTS)]
    return red + white * (1 - red), green + white * (1 - green), blue + white * (1 - blue)


def add_legend(figure: Figure, colours: Mapping[str, Any], most: int, columns: int) -> None:
    """Name the first populations below a figure, say how many there are more, and what free cores look like.

    Args:
        colours: label -> colour, of all populations.
        most: populations that are named.
        columns: at most so many stand side by side.
    """
    handles = [Patch(color=colour, label=short(label)) for label, colour in list(colours.items())[:most]]
    if len(colours) > most:
        handles.append(Patch(color="none", label=f"and {len(colours) - most} populations more"))
    handles.append(Patch(color=FREE, label="free"))
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), columns))
