from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from evsim.chip import load_chip
from evsim.commands.options import finite
from evsim.recording import Recordings
from evsim.results.compare import compare
from evsim.results.html import number, table, tag, text
from evsim.results.losses import chip_losses
from evsim.results.record import Occasion, comparison
from evsim.results.report import write_report

OCCASION = Occasion("some/<script>.py", ("--n", "3"), "2026-11-20T10:00:00+00:00", "0.1.0")


class Checker(HTMLParser):
    """Collects text and addresses, and insists that what is opened is closed."""

    void = ("img", "meta")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.addresses += [value for key, value in attrs if key in ("src", "href") and value]
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def outcomes(hand):
    net = hand.network()
    v = np.cumsum(np.ones((101, 2)), axis=0)
    one = hand.stretch(net, [(5, 0), (9, 2), (30, 2), (70, 2)], [(1, 0)], v=v)
    other = hand.stretch(net, [(5, 0), (40, 1)], [(1, 0)], v=v + 0.5, raw=v, tallies={"cells": {"saturated": 7}})
    silent = hand.stretch(net)
    silent.recordings = Recordings()
    virtual = hand.outcome("spinnaker1", silent, name="spinnaker:virtual")
    return [hand.outcome("ideal", one), hand.outcome("loihi2", other), replace(virtual, notes=("Mapping <only>.",))]


@pytest.fixture(scope="module")
def written(outcomes, tmp_path_factory, hand):
    folder = tmp_path_factory.mktemp("report")
    losses = chip_losses(hand.network(), [load_chip("loihi2")])
    data = finite(comparison(OCCASION, outcomes, compare(outcomes), losses))
    return write_report(folder, data, outcomes), data


def test_the_page_needs_no_other_file(written):
    page, _ = written
    checker = Checker()
    checker.feed(page.read_text())
    assert checker.open == []
    assert len(checker.addresses) == 3
    assert all(address.startswith("data:image/png;base64,") for address in checker.addresses)
    assert not re.search(r"url\(|@import|http", page.read_text().split("</style>")[0])


def test_the_figures_lie_beside_it(written):
    page, _ = written
    for name in ("rasters", "voltages", "rates"):
        assert (page.parent / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_what_users_wrote_is_escaped(written):
    page, _ = written
    assert "<script>" not in page.read_text()
    assert "&lt;script&gt;.py" in page.read_text()
    assert "Mapping &lt;only&gt;." in page.read_text()


def test_the_page_says_what_the_data_say(written):
    page, data = written
    checker = Checker()
    checker.feed(page.read_text())
    said = " ".join("".join(checker.words).split())
    assert "reference:ideal and reference:loihi2: 4 and 2 spikes" in said
    assert "spinnaker:virtual returned no spikes: Mapping <only>." in said
    assert "saturated" in said and "7" in said
    assert "spinnaker1 is checked against the firmware of sPyNNaker 7.4.1 executed in an emulator, not silicon" in said
    assert data["pairs"][0]["first_difference"]["time"] == 9.0


def test_the_data_hold_what_is_promised(written):
    _, data = written
    json.dumps(data, allow_nan=False)
    assert len(data["runs"]) == 3 and len(data["pairs"]) == 3
    for pair in data["pairs"]:
        assert {"a", "b", "spikes_equal", "n_spikes", "first_difference", "max_abs_dv"} <= set(pair)
    assert data["pairs"][0]["n_spikes"] == [4, 2]
    assert data["pairs"][0]["max_abs_dv"] == 0.5
    assert data["pairs"][1]["spikes_equal"] is None and data["pairs"][1]["max_abs_dv"] is None
    run = data["runs"][1]
    assert run["n_spikes"] == 2 and run["rates"]["cells"]["rate"] == pytest.approx(2 / 3 / 0.1)
    assert run["tallies"] == {"cells": {"saturated": 7}} and run["losses"]["chip"] == "loihi2"


def test_numbers_are_readable():
    assert number(None) == text(None)
    assert number(1234567) == "1,234,567"
    assert number(-0.0123456) == "&minus;0.0123"
    assert number(3.2e-7, 2, "mV") == "3.2&middot;10<sup>&minus;7</sup> mV"


def test_tables_escape_cells():
    assert "&lt;b&gt;" in table(["a"], [["<b>"]])
    assert tag("p", tag("b", "x")) == "<p><b>x</b></p>"
