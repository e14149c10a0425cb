"""The page of ``evsim place``: its tables and its picture, in one file."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from evsim.placing import tables
from evsim.results.html import Html, paragraph, table, tag
from evsim.results.page import RESOLUTION, document, quiet


def png_of(figure: Figure) -> bytes:
    """A figure as the bytes of a PNG file."""
    buffer = io.BytesIO()
    with quiet():
        FigureCanvasAgg(figure)
        figure.savefig(buffer, format="png", dpi=RESOLUTION)
    return buffer.getvalue()


def page(record: Mapping[str, Any], script: str, png: bytes) -> str:
    """The page of a record."""
    source = "data:image/png;base64," + base64.b64encode(png).decode()
    drawn = tag("figure", Html(f'<img src="{source}" alt="cores of {record["chip"]}, their load and what travels">'))
    body = [tag("h1", f"Placement of {script} on {record['chip']}"), drawn]
    body += [paragraph(sentence[0].upper() + sentence[1:] + ".") for sentence in tables.sentences(record)]
    for title, rows in (
        ("Populations", tables.populations(record)),
        ("Chips", tables.chips(record)),
        ("Cores", tables.cores(record)),
    ):
        numbers = [k for k in range(1, len(rows[0])) if all(row[k].replace(",", "").isdigit() for row in rows[1:2])]
        body += [tag("h2", title), table(rows[0], rows[1:], right=numbers)]
    return document(f"evsim place: {script}", body)
