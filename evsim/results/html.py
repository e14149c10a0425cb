"""The few pieces of HTML that the report is made of. Text is escaped here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


class Html(str):
    """Text that is HTML already."""


def text(content: object) -> Html:
    """Content as HTML; plain text is escaped, and a missing value is a dash."""
    if isinstance(content, Html):
        return content
    return Html('<span class="none">&ndash;</span>') if content is None else Html(escape(str(content)))


def tag(name: str, *content: object, **attributes: str) -> Html:
    """``<name attributes>content</name>``; ``class_`` and ``data_mark`` become ``class`` and ``data-mark``."""
    given = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items())
    return Html(f"<{name}{given}>{''.join(text(part) for part in content)}</{name}>")


def paragraph(*content: object, kind: str = "") -> Html:
    """A paragraph of a class."""
    return tag("p", *content, class_=kind) if kind else tag("p", *content)


def number(value: float | None, digits: int = 3, unit: str = "") -> Html:
    """A number to some significant digits, with thousands apart; a missing one is a dash."""
    if value is None:
        return text(None)
    whole = isinstance(value, int) or abs(value) >= 10**digits
    shown = f"{value:,.0f}" if whole and abs(value) < 1e9 else f"{value:.{digits}g}"
    mantissa, exponent, power = shown.partition("e")
    if exponent:
        shown = f"{mantissa}&middot;10<sup>{int(power)}</sup>"
    return Html(shown.replace("-", "&minus;") + (f" {escape(unit)}" if unit else ""))


def fixed(value: float | None, decimals: int) -> Html:
    """A number with some digits after the point, for columns that are read downwards; a missing one is a dash."""
    return text(None) if value is None else Html(f"{value:,.{decimals}f}".replace("-", "&minus;"))


def table(
    heads: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[int] = (), starts: Sequence[int] = ()
):
    """A table.

    Args:
        right: columns of numbers.
        starts: rows with a line above them.
    """

    def cell(kind: str, column: int, content: object) -> Html:
        classes = "right" if column in right else "name" if column == 0 and kind == "td" else ""
        return tag(kind, content, class_=classes) if classes else tag(kind, content)

    head = tag("tr", *(cell("th", column, content) for column, content in enumerate(heads)))
    body = []
    for index, row in enumerate(rows):
        cells = [cell("td", column, content) for column, content in enumerate(row)]
        body.append(tag("tr", *cells, class_="start") if index in starts else tag("tr", *cells))
    return tag("div", tag("table", tag("thead", head), tag("tbody", *body)), class_="scroll")


def swatch(name: str, colour: str) -> Html:
    """The name of a target with its colour before it."""
    return Html(f'<span class="swatch" style="background:{escape(colour)}"></span>{escape(name)}')
