"""The sources of a simulation: what they send, and up to when it was handed out."""

from __future__ import annotations

from collections.abc import Container

import numpy as np

from evsim.engine.memory import Layout
from evsim.engine.recorder import Recorder
from evsim.network import Network
from evsim.sources import PoissonCounts, Source, source_of


class Senders:
    """The sources of a network, from t = 0 on.

    Attributes:
        sources: population -> its generator.
    """

    def __init__(self, network: Network, layout: Layout) -> None:
        self._network, self._layout = network, layout
        self.sources: dict[int, Source] = {i: source_of(network, i) for i in self._indices()}
        self._sending: set[int] = set()  # the populations of which a projection wants single spikes
        self._label = -1  # the last one whose spikes were handed out

    def _indices(self) -> list[int]:
        return [i for i in range(len(self._network.populations)) if i not in self._layout.neurons]

    def follow(self, network: Network, layout: Layout) -> None:
        """Go on with a changed network, whose sources are still the same."""
        self._network, self._layout = network, layout

    def feed(self, counted: Container[int]) -> None:
        """Take note of the projections whose spikes are counted as noise, so that nobody wants single ones of them."""
        projections = enumerate(self._network.projections)
        self._sending = {projection.pre for index, projection in projections if index not in counted}

    def changed(self, old: Network, step: int) -> dict[int, Source]:
        """New generators, from a step on, for the sources that are not those of the network before."""
        fresh = {}
        for index in self._indices():
            if self._network.populations[index] is not old.populations[index]:
                fresh[index] = source_of(self._network, index, step)
                fresh[index].spikes(0, self._label)  # what was due up to now belongs to the past
        return fresh

    def drawn_per_step(self) -> float:
        """How many single spikes have to be drawn for a time step, about."""
        wanted = self._wanted()
        return sum(source.drawn_per_step for index, source in self.sources.items() if index in wanted)

    def _wanted(self) -> set[int]:
        """The populations whose single spikes somebody wants: a projection that is no feed, or a probe."""
        return self._sending | {probe.population for probe in self._network.probes}

    def hand_out(self, last: int, recorder: Recorder) -> tuple[np.ndarray, np.ndarray]:
        """Labels and global numbers of the spikes up to label ``last``, by label; the recorder is told of them."""
        label, neuron = [np.empty(0, np.int64)], [np.empty(0, np.int32)]
        wanted = self._wanted()
        for index, source in self.sources.items():
            if index not in wanted and isinstance(source, PoissonCounts):
                continue
            spikes = source.spikes(self._label + 1, last)
            recorder.take_source(index, spikes)
            if index not in self._sending:
                continue
            label.append(spikes.label)
            neuron.append((spikes.cell + self._layout.first_neuron[index]).astype(np.int32))
        self._label = last
        labels = np.concatenate(label)
        order = np.argsort(labels, kind="stable")
        return labels[order], np.concatenate(neuron)[order]
