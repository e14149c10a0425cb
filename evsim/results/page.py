"""What the pages of all reports have in common: one file that needs no other, with its figures in it."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from evsim.results.html import Html, tag, text

RESOLUTION = 130  # dots per inch


@contextmanager
def quiet() -> Iterator[None]:
    """Keep matplotlib's log out of a script that logs everything."""
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(before)


def image(figure: Figure, path: Path, description: str) -> Html:
    """Write a figure to a file (PNG), and give it as HTML that needs no file."""
    buffer = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(buffer, format="png", dpi=RESOLUTION)
    path.write_bytes(buffer.getvalue())
    source = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    return tag("figure", Html(f'<img src="{source}" alt="{text(description)}">'))


def document(title: str, body: Sequence[Html]) -> str:
    """A whole page in the reports' style."""
    style = files("evsim.results").joinpath("report.css").read_text(encoding="utf-8")
    head = tag("head", Html('<meta charset="utf-8">'), tag("title", title), tag("style", Html(style)))
    return f"<!DOCTYPE html>\n{tag('html', head, tag('body', tag('main', *body)), lang='en')}\n"
