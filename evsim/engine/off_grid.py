"""Spikes that arrive between time steps: those that a SpikeSourceArray was given, where a network asks for it.

A spike at a time t over a delay of d steps arrives at t + d dt. Within a step it is put as two inputs, at the step's
beginning and at its end, each with a part of the weight that the target's rule says (``Rule.arrive``), so that at the
end of the step the target is what it would be. So neurons need no other step, and nothing else changes: what is due is
listed for a stretch of time steps beforehand, in an order that the network alone fixes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evsim.arithmetic.responses import shares_in_proportion
from evsim.compile import inlined
from evsim.deploy.chip_network import ChipNetwork
from evsim.engine.memory import Layout
from evsim.network import Trains
from evsim.synapses import is_constant

LISTED_MOST = 4_000_000  # inputs that are listed beforehand, where they are not due in one time step
SAME_STEP, SAME_TIME = 1e-9, 1e-12  # parts of a time step, and of a time: what is nearer to a time step is on it


class Listed(NamedTuple):
    """What is due at the inputs of one thread's neurons.

    Attributes:
        first: the label that ``begin`` begins with.
        begin: (labels + 1,) the inputs due at label ``first + k`` are begin[k] to begin[k + 1].
        place: (n,) int64, in ``Memory.inputs``.
        value: (n,) float64.
    """

    first: int
    begin: NDArray[np.int64]
    place: NDArray[np.int64]
    value: NDArray[np.float64]


@inlined
def deliver_listed(listed, label, inputs):
    """Add to the inputs what is listed for a label; returns how many numbers that were."""
    begin, end = listed.begin[label - listed.first], listed.begin[label - listed.first + 1]
    for k in range(begin, end):
        inputs[listed.place[k]] += listed.value[k]
    return end - begin


def off_grid_projections(chip_network: ChipNetwork) -> list[int]:
    """The indices of the projections whose spikes arrive between time steps."""
    network = chip_network.network
    if not network.off_grid or chip_network.chip.rules.name != "ideal":
        return []
    between = {
        index: population.trains is not None and bool(_left(population.trains, network.timestep)[1].any())
        for index, population in enumerate(network.populations)
    }
    return [
        index
        for index, projection in enumerate(network.projections)
        if len(projection) and between[projection.pre] and not projection.changes
    ]


class OffGrid:
    """The spikes of a simulation that arrive between time steps.

    Args:
        owners: for each thread (slices,) whether a slice is its own.
        since: the step after which spikes are sent; -1 before the run.

    Attributes:
        projections: the indices of those that they are sent over.
        most_delay: the longest of their delays, in steps.
    """

    def __init__(
        self, chip_network: ChipNetwork, layout: Layout, owners: Sequence[NDArray[np.bool_]], since: int
    ) -> None:
        self._network, self._owners = chip_network.network, owners
        self.projections = off_grid_projections(chip_network)
        self._wires = [_Wires(chip_network, layout, index, since) for index in self.projections]
        self.most_delay = max((wires.most_delay for wires in self._wires), default=0)

    def stays(self, chip_network: ChipNetwork) -> bool:
        """Whether a changed network has the same spikes, and the same cells to which they go."""
        before, now = self._network.populations, chip_network.network.populations
        concerned = {end for index in self.projections for end in self._ends(index)}
        same = all(before[index] is now[index] for index in concerned)
        return same and off_grid_projections(chip_network) == self.projections

    def _ends(self, index: int) -> tuple[int, int]:
        projection = self._network.projections[index]
        return projection.pre, projection.post

    def reach(self, step: int, last: int) -> int:
        """How far it can be listed from a step on: at most up to a label ``last``, and one step at least."""
        while last > step + 1 and sum(wires.inputs(step, last) for wires in self._wires) > LISTED_MOST:
            last = (step + last + 1) // 2
        return last

    def listed(self, step: int, last: int) -> list[Listed | None]:
        """For each thread what is due after a label ``step`` and up to ``last``; None where there never is anything."""
        if not self._wires:
            return [None] * len(self._owners)
        due, place, value, slice_ = self._due(step, last)
        found: list[Listed | None] = []
        for owner in self._owners:
            mine = owner[slice_]
            begin = np.searchsorted(due[mine], np.arange(step + 1, last + 2)).astype(np.int64)
            found.append(Listed(step + 1, begin, place[mine], value[mine]))
        return found

    def settle(self, step: int, charges: np.ndarray) -> None:
        """Add what was sent up to a step and is under way to the ring of charges (slots, inputs)."""
        due, place, value, _ = self._due(step, step + self.most_delay, sent=step)
        np.add.at(charges, (due % len(charges), place), value)

    def _due(self, step: int, last: int, sent: int | None = None) -> tuple[np.ndarray, ...]:
        """Label, place, value and slice of the inputs, by label, each label in the order of the projections."""
        parts = [part for wires in self._wires for part in wires.due(step, last, sent)]
        empty = [np.empty(0, dtype) for dtype in (np.int64, np.int64, np.float64, np.uint16)]
        columns = [np.concatenate(column) for column in zip(empty, *parts, strict=True)]
        order = np.argsort(columns[0], kind="stable")
        return tuple(column[order] for column in columns)


class _Wires:
    """The synapses of one projection, by source, and the spikes of that, by label.

    A spike's label is that of the time step at or after it.
    """

    def __init__(self, chip_network: ChipNetwork, layout: Layout, index: int, since: int) -> None:
        network, held = chip_network.network, chip_network.projections[index]
        projection = network.projections[index]
        trains = network.populations[projection.pre].trains
        assert trains is not None, "only given spikes are off the grid"
        self._dt, self._receptor = network.timestep, projection.receptor
        self._rule = chip_network.neurons(projection.post).model.rules["ideal"]
        label, left = _left(trains, self._dt)
        chosen = np.flatnonzero(label > since)
        order = chosen[np.lexsort((trains.cells()[chosen], label[chosen]))]
        self._label, self._left, self._cell = label[order], left[order], trains.cells()[order]
        by_source = np.argsort(projection.source, kind="stable")
        sources = np.arange(network.populations[projection.pre].size + 1)
        self._first = np.searchsorted(projection.source[by_source], sources)
        self._target = projection.target[by_source].astype(np.int64)
        self._delay = np.asarray(projection.delay)[by_source].astype(np.int64)
        self._weight = np.asarray(held.hold.stored(held.synapses.weight), np.float64)[by_source]
        self._fan_out = np.diff(self._first)
        self._sent = np.concatenate([[0], np.cumsum(self._fan_out[self._cell])])
        self.most_delay, self._least_delay = int(self._delay.max()), int(self._delay.min())
        self._places = layout.input_places(layout.neurons.index(projection.post), held.row)
        self._slice_of, _ = layout.local_places(projection.post)
        self._values = network.populations[projection.post].parameters

    def inputs(self, step: int, last: int) -> int:
        """How many inputs are listed for the labels after ``step`` and up to ``last``, at most."""
        first, end = self._window(step, last)
        return 2 * int(self._sent[end] - self._sent[first])

    def due(self, step: int, last: int, sent: int | None) -> Iterator[tuple[np.ndarray, ...]]:
        """Label, place, value and slice of the inputs due after ``step`` and up to ``last``; first the early parts.

        Args:
            sent: only those of spikes up to this label.
        """
        first, end = self._window(step, last)
        if sent is not None:
            end = min(end, int(np.searchsorted(self._label, sent, side="right")))
        count = self._fan_out[self._cell[first:end]]
        spike = np.repeat(np.arange(first, end), count)
        begins = np.cumsum(count) - count
        synapse = np.arange(count.sum()) + np.repeat(self._first[self._cell[first:end]] - begins, count)
        due = self._label[spike] + self._delay[synapse]
        inside = (due > step) & (due <= last + 1)  # the early part is due one step before
        spike, synapse, due = spike[inside], synapse[inside], due[inside]
        early, late = self._shares(self._left[spike], self._target[synapse])
        for when, share in ((due - 1, early), (due, late)):
            chosen = (when > step) & (when <= last) & (share != 0)
            target = self._target[synapse[chosen]]
            value = self._weight[synapse[chosen]] * share[chosen]
            yield when[chosen], self._places[target], value, self._slice_of[target]

    def _window(self, step: int, last: int) -> tuple[int, int]:
        """The spikes of which a part may be due after ``step`` and up to ``last``."""
        labels = step + 1 - self.most_delay, last + 1 - self._least_delay
        first, end = np.searchsorted(self._label, [labels[0], labels[1] + 1])
        return int(first), int(end)

    def _shares(self, left: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Early and late parts of inputs that come ``left`` ms before a time step ends."""
        if self._rule.arrive is None:
            return shares_in_proportion(left, self._dt)
        values = {name: column[:1] if is_constant(column) else column[target] for name, column in self._values.items()}
        early, late = self._rule.arrive(self._receptor, values, self._dt, left)
        return np.where(left > 0, early, 0.0), np.where(left > 0, late, 1.0)


def _left(trains: Trains, dt: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The label of the time step at or after each spike, and the time until then (ms)."""
    steps = trains.times / dt
    nearest = np.rint(steps)
    on_grid = np.abs(steps - nearest) <= SAME_STEP + SAME_TIME * np.abs(nearest)
    label = np.where(on_grid, nearest, np.ceil(steps))
    return label.astype(np.int64), np.where(on_grid, 0.0, (label - steps) * dt)
