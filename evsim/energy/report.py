"""The page of ``evsim energy``: a folder with a page that needs no other file, its figures as PNG, and the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evsim.energy import sections
from evsim.energy.cores_figure import cores_figure
from evsim.energy.figure import energy_figure
from evsim.results.html import Html, paragraph, tag
from evsim.results.page import document, image, quiet

PAGE, DATA, FIGURE, CORES = "energy.html", "energy.json", "energy.png", "cores.png"


def write_energy(folder: Path, data: Mapping[str, Any]) -> Path:
    """Write the page and its figures; ``data`` is what ``energy.json`` holds. Returns the path of the page."""
    with quiet():
        figure = energy_figure(data["energies"])
        drawn = None if figure is None else image(figure, folder / FIGURE, "energy of each part on each chip")
        lying = cores_figure(data["energies"])
        cores = None if lying is None else image(lying, folder / CORES, "cores of each population on each chip")
    page = folder / PAGE
    page.write_text(document(f"evsim energy: {data['script']}", _body(data, drawn, cores)), encoding="utf-8")
    return page


def _body(data: Mapping[str, Any], drawn: Html | None, cores: Html | None) -> Sequence[Html]:
    return [
        sections.heading(data),
        sections.verdicts(data),
        *([] if drawn is None else [drawn, sections.caption(data)]),
        sections.parts(data),
        *([] if cores is None else [sections.cores(data), cores]),
        sections.activity(data),
        sections.left_out(data),
        sections.sources(data),
        tag("footer", paragraph("All numbers of this page are in ", tag("code", DATA), " beside it.")),
    ]
