"""The spikes of a source population as they are handed to the machine."""

from __future__ import annotations

import numpy as np

from evsim.network import Network
from evsim.recording import Spikes
from evsim.sources import SourceSpikes, source_of


class Trains:
    """What a source has emitted, drawn as the reference draws it.

    Args:
        index: of the source's population.
    """

    def __init__(self, network: Network, index: int) -> None:
        self._index = index
        self._size = network.populations[index].size
        self._source = source_of(network, index)
        self._last = -1
        self._drawn = [self._source.spikes(0, self._last)]  # nothing yet

    def draw(self, last: int) -> None:
        """Go on to a label, included."""
        self._drawn.append(self._source.spikes(self._last + 1, last))
        self._last = last

    def replace(self, network: Network, step: int) -> None:
        """Go on with a changed source from a time step on; its spikes up to now belong to the past."""
        self._source = source_of(network, self._index, step)
        self._source.spikes(0, self._last)

    def labels(self, room: bool = False) -> np.ndarray:
        """(cells,) of arrays: the labels of each cell's spikes.

        Args:
            room: whether sPyNNaker maps the network with them. It makes room for the busiest time step that it sees, as
                often as there are steps in a run, and loses later spikes that need more, so it is shown a step in which
                all spike as often as any has; its label is the last that was drawn, which this run does not send.
        """
        label, cell, _ = self._all()
        if room:
            often = 1 + int(np.unique(np.column_stack([label, cell]), axis=0, return_counts=True)[1].max(initial=1))
            everybody = np.repeat(np.arange(self._size), often)
            label = np.concatenate([label, np.full(len(everybody), self._last)])
            cell = np.concatenate([cell, everybody])
        order = np.argsort(cell, kind="stable")
        bounds = np.cumsum(np.bincount(cell, minlength=self._size))[:-1]
        by_cell = np.empty(self._size, object)
        for k, labels in enumerate(np.split(label[order], bounds)):
            by_cell[k] = labels
        return by_cell

    def spikes(self, first: int) -> Spikes:
        """The spikes from a label on, up to the present."""
        label, cell, time = self._all()
        return Spikes.chosen(self._index, time, cell, label >= first)

    def _all(self) -> SourceSpikes:
        return SourceSpikes(*(np.concatenate(column) for column in zip(*self._drawn, strict=True)))
