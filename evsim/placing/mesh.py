"""The mesh of a chip of Loihi: cores in tiles, tiles in rows, and messages that go along a row and then a column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evsim.chip import Chip
from evsim.placing.traffic import Flow


class CoreMesh(NamedTuple):
    """How the cores of a chip lie."""

    cores: int
    cores_of_tile: int
    columns: int

    @classmethod
    def of_chip(cls, chip: Chip) -> CoreMesh:
        """That of a chip's file."""
        return cls(*(int(chip.limits[name].value) for name in ("cores", "cores_of_tile", "tiles_east_west")))

    def tile(self, place: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Column and row of the tile of each place on its chip."""
        tile = place % self.cores // self.cores_of_tile
        return tile % self.columns, tile // self.columns

    def distances(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """(places, places) tiles between places of one chip; 0 between chips, whose way no source describes."""
        x, y = self.tile(places)
        chip = places // self.cores
        apart = np.abs(x[:, None] - x) + np.abs(y[:, None] - y)
        return np.where(chip[:, None] == chip, apart, 0)

    def hops(self, flows: Sequence[Flow], places: NDArray[np.int64]) -> tuple[int, int]:
        """Messages times the tiles that they cross within chips, and messages that leave their chip."""
        x, y = self.tile(places)
        chip = places // self.cores
        hops = leaving = 0
        for flow in flows:
            same = chip[flow.targets] == chip[flow.source]
            apart = np.abs(x[flow.targets] - x[flow.source]) + np.abs(y[flow.targets] - y[flow.source])
            hops += int(flow.spikes @ (apart * same))
            leaving += int(flow.spikes @ ~same)
        return hops, leaving
