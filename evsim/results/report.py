"""The report: one folder with a page that needs no other file, its figures as PNG, and the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from evsim.results import sections
from evsim.results.align import segments
from evsim.results.compare import compare_pair
from evsim.results.figures.distributions import distributions
from evsim.results.figures.rasters import bands, raster_window, rasters
from evsim.results.figures.style import COLOURS, Shown
from evsim.results.figures.voltages import voltages
from evsim.results.html import Html, paragraph, tag
from evsim.results.outcome import Outcome
from evsim.results.page import document, image, quiet
from evsim.rulesets import RULE_SETS

PAGE = "report.html"


def write_report(
    folder: Path, data: Mapping[str, Any], outcomes: Sequence[Outcome], show_progress: bool = False
) -> Path:
    """Write the page and its figures; ``data`` is what ``compare.json`` holds. Returns the path of the page."""
    targets = shown(outcomes)
    figures: dict[str, Html] = {}
    drawings = {"rasters": rasters, "voltages": voltages, "rates": distributions}
    with quiet():
        for name, draw in tqdm(drawings.items(), desc="report", leave=False, disable=not show_progress):
            if (figure := draw(targets)) is not None:
                figures[name] = image(figure, folder / f"{name}.png", f"{name} of every target")
    page = folder / PAGE
    page.write_text(_page(data, targets, figures), encoding="utf-8")
    return page


def shown(outcomes: Sequence[Outcome]) -> list[Shown]:
    """The outcomes as the figures show them: coloured, and each held against the first."""
    runs = [segments(outcome) for outcome in outcomes]
    found = []
    for index, (outcome, mine) in enumerate(zip(outcomes, runs, strict=True)):
        first = None
        if index:
            # By the labels of this target, so that the mark is where its own raster shows the spike.
            first = compare_pair(outcome, outcomes[0], mine, runs[0]).first_difference
        colour = COLOURS[index % len(COLOURS)]
        found.append(Shown(outcome.name, colour, mine, outcome.chip.rules.spike_label, first))
    return found


def _page(data: Mapping[str, Any], targets: Sequence[Shown], figures: Mapping[str, Html]) -> str:
    colours = {target.name: target.colour for target in targets}
    body = [
        sections.heading(data),
        sections.agreement(data, colours),
        sections.what_ran(data, colours),
        _rasters(targets, figures),
        _voltages(targets, figures),
        sections.rates(data, colours),
        figures.get("rates", Html("")),
        sections.pairs(data),
        sections.losses(data),
        sections.tallies(data),
        _footer(data),
    ]
    return document(f"evsim compare: {data['script']}", body)


def _rasters(targets: Sequence[Shown], figures: Mapping[str, Html]) -> Html:
    if "rasters" not in figures:
        return Html("")
    rows = bands(targets)
    begin, end = raster_window(targets)
    cut = [f"the first {band.shown} of {band.size} in {band.population}" for band in rows if band.shown < band.size]
    which = f"Shown are {', '.join(cut)}." if cut else f"All {sum(band.size for band in rows)} neurons are shown."
    marks = (
        f" The dashed line marks the first spike that differs from {targets[0].name}."
        if any(target.first_difference for target in targets)
        else ""
    )
    caption = f"{which} Time {begin:g} to {end:g} ms; below, the mean rate in bins of at least 5 ms.{marks}"
    return Html(
        tag("h2", "Rasters")
        + paragraph("Every dot is a spike, every row a neuron, in the time labels of its own target.", kind="explain")
        + figures["rasters"]
        + paragraph(caption, kind="caption")
    )


def _voltages(targets: Sequence[Shown], figures: Mapping[str, Html]) -> Html:
    if "voltages" not in figures:
        return Html("")
    explain = (
        "A few of the neurons whose membrane potential the script records, with their spikes as ticks above. "
        f"Below each, the difference to {targets[0].name}."
    )
    return Html(tag("h2", "Membrane potentials") + paragraph(explain, kind="explain") + figures["voltages"])


def _footer(data: Mapping[str, Any]) -> Html:
    """What each arithmetic was checked against, so that nobody takes it for more, and where the numbers are."""
    used = dict.fromkeys(run["rules"] for run in data["runs"])
    matches = [tag("li", tag("b", name), f" is checked against {RULE_SETS[name].truth}.") for name in used]
    where = paragraph("All numbers of this page are in ", tag("code", "compare.json"), " beside it.")
    return tag("footer", tag("ul", *matches), where)
