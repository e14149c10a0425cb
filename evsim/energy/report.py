"""The page of ``evsim energy``: a folder with a page that needs no other file, its figures as PNG, and the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evsim.energy import sections
from evsim.energy.cores_figure import cores_figure
from evsim.energy.figure import energy_figure
from evsim.placing.figure import placement_figure
from evsim.placing.tables import sentences
from evsim.results.html import Html, paragraph, tag
from evsim.results.page import document, image, quiet

PAGE, DATA, FIGURE, CORES, PLACEMENT = "energy.html", "energy.json", "energy.png", "cores.png", "placement-{}.png"


def write_energy(folder: Path, data: Mapping[str, Any]) -> Path:
    """Write the page and its figures; ``data`` is what ``energy.json`` holds. Returns the path of the page."""
    with quiet():
        figure = energy_figure(data["energies"])
        drawn = None if figure is None else image(figure, folder / FIGURE, "energy of each part on each chip")
        lying = cores_figure(data["energies"])
        cores = None if lying is None else image(lying, folder / CORES, "cores of each population on each chip")
        placed = [_placement(record, folder) for record in data.get("placements", ())]
    page = folder / PAGE
    page.write_text(document(f"evsim energy: {data['script']}", _body(data, drawn, cores, placed)), encoding="utf-8")
    return page


def _placement(record: Mapping[str, Any], folder: Path) -> Html:
    """The picture of a placement, and what it takes."""
    told = [paragraph(sentence[0].upper() + sentence[1:] + ".", kind="explain") for sentence in sentences(record)]
    drawn = image(
        placement_figure(record), folder / PLACEMENT.format(record["chip"]), f"load and traffic of {record['chip']}"
    )
    return Html("".join([tag("h3", f"Placement on {record['chip']}"), *told, drawn]))


def _body(
    data: Mapping[str, Any], drawn: Html | None, cores: Html | None, placed: Sequence[Html] = ()
) -> Sequence[Html]:
    return [
        sections.heading(data),
        sections.verdicts(data),
        *([] if drawn is None else [drawn, sections.caption(data)]),
        sections.parts(data),
        *([] if cores is None else [sections.cores(data), cores]),
        *placed,
        sections.activity(data),
        sections.left_out(data),
        sections.sources(data),
        tag("footer", paragraph("All numbers of this page are in ", tag("code", DATA), " beside it.")),
    ]
