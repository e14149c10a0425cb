"""The pictures of placements, and their page."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle

from evsim.chip import load_chip
from evsim.network import Network
from evsim.placing import tables
from evsim.placing.colours import FREE, colour_of
from evsim.placing.figure import placement_figure
from evsim.placing.page import page, png_of
from evsim.placing.placed import placed


def record(nets, chip: str, delay: int = 2) -> dict:
    rng = np.random.default_rng(1)
    populations = (nets.poisson(40, 10.0), nets.cells(5000, "a"), nets.cells(700, "b<c"))
    projections = [
        nets.connect(
            pre, post, nets.random_rows(rng, populations[pre].size, populations[post].size, 900, (1, 2), delay)
        )
        for pre, post in ((0, 1), (1, 2), (2, 1))
    ]
    found = placed(Network(1.0, populations, tuple(projections)), load_chip(chip), None, 100)
    return {**found, "spikes": "one of each cell"}


def colours(axes) -> list:
    return [patch.get_facecolor() for patch in axes.patches if isinstance(patch, Rectangle)]


@pytest.mark.parametrize("chip", ["spinnaker1", "loihi1"])
def test_every_core_has_the_colour_of_its_population(nets, chip):
    found = record(nets, chip)
    shown = [part["label"] for part in found["populations"] if part["cores"]]
    axes = placement_figure(found).axes
    for k, label in enumerate(shown):
        mine = sum(core["population"] == label for core in found["cores"])
        assert colours(axes[0]).count(to_rgba(colour_of(k))) == mine > 0
    free = sum(part["free_cores"] for part in found["chips"])
    assert colours(axes[0]).count(to_rgba(FREE)) == free


def test_delay_extensions_are_hatched(nets):
    hatched = [
        [patch for patch in placement_figure(record(nets, "spinnaker1", delay)).axes[0].patches if patch.get_hatch()]
        for delay in (2, 90)
    ]
    assert not hatched[0] and len(hatched[1]) == len({0, 1, 2}) - 3 + 24  # 1 of noise, 20 of a, 3 of b<c


@pytest.mark.parametrize("chip", ["spinnaker1", "loihi1"])
def test_the_page_needs_no_other_file(nets, chip):
    found = record(nets, chip)
    text = page(found, "net.py", png_of(placement_figure(found)))
    assert text.count("data:image/png;base64,") == 1 and "b&lt;c" in text and "b<c" not in text
    for rows in (tables.populations(found), tables.chips(found)):
        assert all(head in text for head in rows[0])


def test_long_tables_are_cut():
    rows = [["a", "b"], *[[str(k), "x"] for k in range(100)]]
    cut = tables.cut(rows)
    assert len(cut) == tables.MOST_ROWS + 2 and cut[-1] == ["and 76 more", ""]
    assert tables.cut(rows[:5]) == rows[:5]


def test_a_network_without_spikes_or_synapses_can_be_drawn(nets):
    for chip in ("spinnaker1", "loihi1"):
        for size in (3, 0):
            found = placed(Network(1.0, (nets.cells(size),)), load_chip(chip), [np.zeros(size, np.int64)], 10)
            assert png_of(placement_figure(found)).startswith(b"\x89PNG")
