"""A network whose cells choose their own time steps, as a session like any other.

Within the shortest delay between neurons no cell can reach another, so for that long each is integrated by itself; then
its spikes are sent. Time is cut into such windows at time steps of the network, whose length has no other part in what
is computed, but for delays, which are multiples of it, and drawn spikes, which come at its grid.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from evsim.equations import Equations
from evsim.errors import CheckError
from evsim.model import NeuronModel
from evsim.network import Current, Network, Population, Projection, set_anew
from evsim.recording import Recordings, Spikes, Trace
from evsim.registry import cell_model
from evsim.sources import Source, source_of
from evsim.tolerances import Tolerances
from evsim.variable.cell import JUMP, Cell
from evsim.variable.check import cells_of, equations_of, problems

Sent = list[tuple[float, int, int]]  # time (ms), population, cell


class VariableSession:
    """A network being integrated; see ``evsim.backend.Session``.

    Args:
        network: all of it in ``ideal``.
        tolerances: of every cell.

    Raises:
        CheckError: the network has what needs steps of one length.
    """

    def __init__(self, network: Network, tolerances: Tolerances) -> None:
        self._tolerances = tolerances
        self._adopt(network)
        self.reset()

    def _adopt(self, network: Network) -> None:
        if found := problems(network):
            raise CheckError("this network cannot run with a variable time step", found)
        self._network = network
        self._wires = [_Wires(network, projection) for projection in network.projections if len(projection)]
        self._spiking_probes = {probe.population for probe in network.probes if probe.variable == "spikes"}
        delays = [wires.shortest for wires in self._wires if self._is_neurons(wires.pre)]
        self._window = min(delays, default=0)  # steps; 0 where no neuron has a target

    def _is_neurons(self, index: int) -> bool:
        return equations_of(self._network.populations[index]) is not None

    def reset(self) -> None:
        """Back to t = 0."""
        network = self._network
        self._step = 0
        self._label = -1  # up to which the spikes of sources were sent
        self._cells = {index: self._new_cells(index) for index in range(len(network.populations))}
        self._sources: dict[int, Source] = {
            index: source_of(network, index) for index, cells in self._cells.items() if not cells
        }
        self._configure()
        self._spikes: list[tuple[int, np.ndarray, np.ndarray]] = []  # population, times, cells
        self.clear()

    def _new_cells(self, index: int) -> list[Cell]:
        population = self._network.populations[index]
        equations = equations_of(population)
        if equations is None:
            return []
        initial = {name: np.broadcast_to(column, population.size) for name, column in population.initial.items()}
        return [
            Cell(
                f"population {population.label!r}, cell {place}",
                equations,
                self._tolerances,
                {name: float(column[place]) for name, column in initial.items()},
            )
            for place in range(population.size)
        ]

    def _configure(self) -> None:
        """Tell every cell its parameters, its current, and whether it is recorded."""
        network = self._network
        recorded = {(p.population, cell) for p in network.probes if p.variable != "spikes" for cell in p.cells.tolist()}
        for index, cells in self._cells.items():
            currents = [current for current in network.currents if current.population == index]
            for place, (cell, constants) in enumerate(zip(cells, cells_of(network.populations[index]), strict=False)):
                cell.configure(self._now, constants, *_summed([c for c in currents if place in c.cells]))
                self._record(cell, (index, place) in recorded)

    def _record(self, cell: Cell, wanted: bool) -> None:
        """Begin or end to record a cell."""
        if wanted != cell.recorded:
            cell.samples = [cell.sample(self._now)] if wanted else []
        cell.recorded = wanted

    # --- time --------------------------------------------------------------------------------------------------------

    def run(self, steps: int) -> None:
        """Advance by a number of time steps; raises BackendError where a cell cannot be integrated."""
        last = self._step + steps
        while self._step < last:
            stop = min(last, self._step + self._window) if self._window else last
            self._send_drawn(stop)
            sent: Sent = []
            for index, cells in self._cells.items():
                for place, cell in enumerate(cells):
                    cell.advance(stop * self._network.timestep)
                    sent += [(time, index, place) for time in cell.take_spikes()]
            self._send(sorted(sent))
            self._step = stop

    def _send_drawn(self, stop: int) -> None:
        """Send the spikes of sources up to a label."""
        for index, source in self._sources.items():
            spikes = source.spikes(self._label + 1, stop)
            if index in self._spiking_probes:
                self._spikes.append((index, spikes.time, spikes.cell))
            for wires in self._wires:
                if wires.pre == index:
                    for time, cell in zip(spikes.time.tolist(), spikes.cell.tolist(), strict=True):
                        wires.send(time, cell, self._cells[wires.post])
        self._label = stop

    def _send(self, sent: Sent) -> None:
        """Send spikes of neurons."""
        for time, index, cell in sent:
            for wires in self._wires:
                if wires.pre == index:
                    wires.send(time, cell, self._cells[wires.post])
        times, populations, cells = (np.array(column) for column in zip(*sent, strict=True)) if sent else ([], [], [])
        for index in self._spiking_probes & set(np.unique(populations).astype(int).tolist()):
            chosen = np.asarray(populations) == index
            self._spikes.append((index, np.asarray(times)[chosen], np.asarray(cells)[chosen]))

    def update(self, network: Network) -> None:
        """Take over the changes from the network before; what is on its way keeps its weight."""
        before = self._network
        self._adopt(network)
        for index, population in enumerate(network.populations):
            if index in self._sources and population is not before.populations[index]:
                self._sources[index] = source_of(network, index, self._step)
                self._sources[index].spikes(0, self._label)  # what was due up to now belongs to the past
        self._configure()
        for index, population in enumerate(network.populations):
            for variable, value, place in _set_values(before.populations[index], population):
                self._cells[index][place].set(self._now, variable, value)

    # --- recordings --------------------------------------------------------------------------------------------------

    @property
    def _now(self) -> float:
        return self._step * self._network.timestep

    def _all_cells(self) -> Iterator[Cell]:
        return (cell for cells in self._cells.values() for cell in cells)

    def recordings(self) -> Recordings:
        """Spikes at their times, and a trace for each recorded variable of each cell."""
        probes = self._network.probes
        spikes = [self._recorded_spikes(probe) for probe in probes if probe.variable == "spikes"]
        traces = [trace for probe in probes if probe.variable != "spikes" for trace in self._traces(probe)]
        return Recordings(spikes=tuple(spikes), traces=tuple(traces))

    def _recorded_spikes(self, probe) -> Spikes:
        found = [(times, cells) for index, times, cells in self._spikes if index == probe.population]
        times = np.concatenate([np.empty(0), *(times for times, _ in found)])
        cells = np.concatenate([np.empty(0, np.int64), *(cells for _, cells in found)]).astype(np.int64)
        return Spikes.chosen(probe.population, times, cells, np.isin(cells, probe.cells))

    def _traces(self, probe) -> Iterator[Trace]:
        population = self._network.populations[probe.population]
        model = cell_model(population.model)
        assert isinstance(model, NeuronModel), "only neurons have variables"
        for place in probe.cells.tolist():
            cell = self._cells[probe.population][place]
            samples = list(cell.samples)
            if not samples or samples[-1][0] < self._now:
                samples.append(cell.sample(self._now))
            table = np.array(samples)
            values = table[:, 1 + cell.names.index(probe.variable)]
            yield Trace(
                probe.population, probe.variable, model.units[probe.variable], place, table[:, 0].copy(), values.copy()
            )

    def clear(self) -> None:
        """Forget what was recorded."""
        self._spikes = []
        for cell in self._all_cells():
            cell.samples = [cell.sample(self._now)] if cell.recorded else []

    def close(self) -> None:
        """Nothing to let go of."""


class _Wires:
    """The synapses of a projection, by source.

    Attributes:
        pre, post: populations.
        shortest: the shortest delay in time steps.
    """

    def __init__(self, network: Network, projection: Projection) -> None:
        self.pre, self.post = projection.pre, projection.post
        source = np.asarray(projection.source)
        order = np.argsort(source, kind="stable")
        delay = np.asarray(projection.delay)
        self.shortest = int(delay.min())
        self._first = np.searchsorted(source[order], np.arange(network.populations[projection.pre].size + 1))
        self._target = np.asarray(projection.target)[order].tolist()
        self._weight = np.asarray(projection.weight, np.float64)[order].tolist()
        self._delay = (delay[order] * network.timestep).tolist()
        equations = equations_of(network.populations[projection.post])
        assert equations is not None, "the network was checked"
        self._receptor = _place(equations, projection.receptor)

    def send(self, time: float, cell: int, targets: list[Cell]) -> None:
        """Let a spike of a cell at a time (ms) be on its way."""
        for k in range(self._first[cell], self._first[cell + 1]):
            targets[self._target[k]].send(time + self._delay[k], self._receptor, self._weight[k])


def _place(equations: Equations, receptor: str) -> int:
    """The place of a receptor's response, or that a weight is a jump of v."""
    names = list(equations.responses)
    return names.index(receptor) if receptor in names else JUMP


def _summed(currents: list[Current]) -> tuple[list[float], list[float]]:
    """The times (ms) at which the sum of the currents changes, and the sum from each on (nA)."""
    times = np.unique(np.concatenate([np.empty(0), *(current.times for current in currents)]))
    total = np.zeros(len(times))
    for current in currents:
        latest = np.searchsorted(current.times, times, side="right") - 1
        total += np.where(latest >= 0, np.append(current.amplitudes, 0.0)[latest], 0.0)
    return times.tolist(), total.tolist()


def _set_values(before: Population, now: Population) -> Iterator[tuple[str, float, int]]:
    """State variable, value and cell of what was set between two versions of a population."""
    for variable, column in now.initial.items():
        values = np.broadcast_to(column, now.size)
        for place in np.flatnonzero(set_anew(before, now, variable)).tolist():
            yield variable, float(values[place]), place
