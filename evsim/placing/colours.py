"""The colours of populations in pictures of cores."""

from __future__ import annotations

from matplotlib.colors import to_rgb

from evsim.results.figures.style import COLOURS

FREE = "#ececec"
TINTS = (0.0, 0.45, 0.7)  # of white in the colours of the first seven populations, of the next seven, and so on


def colour_of(number: int) -> tuple[float, float, float]:
    """The colour of a population; it comes again after 21."""
    red, green, blue = to_rgb(COLOURS[number % len(COLOURS)])
    white = TINTS[number // len(COLOURS) % len(TINTS)]
    return red + white * (1 - red), green + white * (1 - green), blue + white * (1 - blue)
