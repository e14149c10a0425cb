"""How the figures of a report look: one colour a target, the same in all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from evsim.results.align import Segment
from evsim.results.pair import Difference

# Okabe and Ito (2008), which the colour-blind can tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
INK, FAINT = "#222222", "#8a8a8a"
STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.size": 9.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#555555",
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "xtick.color": "#555555",
    "ytick.color": "#555555",
    "legend.frameon": False,
    "figure.facecolor": "white",
}


@dataclass(frozen=True, eq=False)
class Shown:
    """One target as the figures show it.

    Attributes:
        segments: its runs on the common time axis.
        spike_label: of its rule set.
        first_difference: the first spike that the first target has and it has not, or the other way round.
    """

    name: str
    colour: str
    segments: Sequence[Segment]
    spike_label: int
    first_difference: Difference | None = None

    @property
    def first(self) -> Segment | None:
        """The run that rasters and traces show."""
        return self.segments[0] if self.segments else None


def drawn(draw: Callable[[Sequence[Shown]], Figure | None]) -> Callable[[Sequence[Shown]], Figure | None]:
    """Draw with the report's style, whatever the user's own is; a decorator."""

    def styled(targets: Sequence[Shown]) -> Figure | None:
        with matplotlib.rc_context({**matplotlib.rcParamsDefault, **STYLE}):
            return draw(targets)

    return styled


def short(text: str, length: int = 16) -> str:
    """Text that fits beside an axis."""
    return text if len(text) <= length else text[: length - 1] + "…"


def line_style(index: int) -> dict:
    """Later targets are drawn thinner and dashed, so that equal traces can be seen to lie on each other."""
    dashes = ["-", (0, (5, 2)), (0, (2, 2)), (0, (7, 2, 1, 2)), (0, (1, 1.5))]
    return {"linewidth": max(2.6 - 0.5 * index, 1.0), "linestyle": dashes[index % len(dashes)]}
