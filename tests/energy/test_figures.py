"""The figures of the page: bars of the accounts, and the cores of a network."""

from __future__ import annotations

import pytest
from matplotlib.patches import Rectangle

from evsim.energy.cores_figure import cores_figure, place_of
from evsim.energy.figure import bars_of, energy_figure
from evsim.energy.parts import Mesh
from evsim.placing.colours import colour_of


def record(hardware: str = "mine", **changed) -> dict:
    """An energy's record, as far as figures ask."""
    account = {"name": "by events", "joules": [1.0, 2.0], "parts": [{"name": "idle", "joules": [1.0, 2.0]}]}
    return {"hardware": hardware, "accounts": [account], "mesh": None, "placement": [], **changed}


def test_bars_are_the_accounts_that_take_something():
    nothing = {"name": "by active cores", "joules": [0.0, 0.0], "parts": [{"name": "cores", "joules": None}]}
    found = record()
    (bar,) = bars_of([{**found, "accounts": [*found["accounts"], nothing]}])
    assert (bar.joules, bar.parts) == ((1.0, 2.0), {"idle": (1.0, 2.0)})


def test_a_figure_of_nothing_is_none():
    account = {"name": "by events", "joules": [0.0, 0.0], "parts": []}
    assert energy_figure([record(accounts=[account])]) is None
    assert cores_figure([record()]) is None


def test_bars_may_be_drawn_of_parts_that_may_cost_nothing():
    account = {"name": "by events", "joules": [0.0, 2.0], "parts": [{"name": "neurons", "joules": [0.0, 2.0]}]}
    assert energy_figure([record(accounts=[account])]) is not None


@pytest.mark.parametrize("mesh", [Mesh(4, 8, 4), Mesh(16, 1, 1), Mesh(1, 3, 2)])
def test_every_core_has_a_place_of_its_own(mesh):
    places = {place_of(core, mesh) for core in range(mesh.cores_of_tile * mesh.columns * mesh.rows)}
    width = mesh.columns * round(mesh.cores_of_tile**0.5)
    assert len(places) == mesh.cores_of_tile * mesh.columns * mesh.rows
    assert max(column for column, _ in places) == width - 1


def test_cores_of_a_tile_lie_together():
    assert [place_of(core, Mesh(4, 8, 4)) for core in (0, 1, 2, 3, 4, 32)] == [
        (0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (0, 2),
    ]  # fmt: skip


def test_cores_have_the_colours_of_their_populations():
    figure = cores_figure([record(mesh=[4, 2, 1], placement=[["a", 3], ["b", 7]])])
    assert figure is not None
    drawn = [[patch for patch in axes.patches if isinstance(patch, Rectangle)] for axes in figure.axes]
    assert [len(chip) for chip in drawn] == [8, 8, 0, 0]
    colours = [[patch.get_facecolor()[:3] for patch in chip] for chip in drawn[:2]]
    assert colours[0] == [colour_of(0)] * 3 + [colour_of(1)] * 5
    assert colours[1][:2] == [colour_of(1)] * 2 and len(set(colours[1])) == 2


def test_the_colours_of_21_populations_differ():
    assert len({colour_of(number) for number in range(21)}) == 21
