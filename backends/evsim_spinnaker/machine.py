"""A network in sPyNNaker; it and ``emulated`` alone import it. It runs in the child process of ``evsim.worker``."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Any, NamedTuple

import numpy as np
import spynnaker.pyNN as sim  # noqa: N813 - the name that PyNN scripts give it
from numpy.typing import NDArray
from spynnaker.pyNN.data import SpynnakerDataView

from evsim.arithmetic.s1615 import ONE
from evsim.deploy.spinnaker_cores import cores_of, learns
from evsim.deploy.spinnaker_split import STATIC_ALONE
from evsim.errors import BackendError
from evsim.model import NeuronModel
from evsim.network import Network, Probe, Projection
from evsim.recording import Recordings, Signal, Spikes
from evsim.registry import cell_model
from evsim.sources import is_source
from evsim_spinnaker.cells import CELLS
from evsim_spinnaker.changes import Change, changes
from evsim_spinnaker.currents import SPARE, StepCurrent, injected
from evsim_spinnaker.plastic import mechanism, order_of_list, weights_of
from evsim_spinnaker.trains import Trains


class Injected(NamedTuple):
    """A current that is injected into some cells of a population.

    Attributes:
        source: in sPyNNaker; it holds so many ``entries``.
    """

    population: int
    cells: NDArray[np.int64]
    current: StepCurrent
    source: Any
    entries: int


class MachineSession:
    """A network on a SpiNNaker machine; see ``evsim.backend.Session``.

    It is built at the first ``run``, and anew at the first one after ``reset``.

    Args:
        virtual: whether the machine is only planned for; it is mapped once and returns no data.
    """

    # ms that a core has for a time step; a full one cannot do with much less, and loses input without a word.
    LEAST_TICK = 1.0
    # Whether neurons and static synapses share a core at any time step, where sPyNNaker would give the synapses one of
    # their own below 1 ms. The bits are the same, except after states were set between two runs (docs/firmware.md).
    SHARES_CORES = False

    def __init__(self, network: Network, virtual: bool) -> None:
        self._network = network
        self._virtual = virtual
        self._step = 0
        self._first = 0  # label from which on recordings are wanted
        self._built = False
        self._populations: list = []
        self._projections: list = []  # None where there are no synapses
        self._trains: dict[int, Trains] = {}
        self._injected: list[Injected] = []
        self._notes: tuple[str, ...] = ()

    def run(self, steps: int) -> None:
        """Advance by a number of time steps; a virtual machine is only mapped, once."""
        if steps == 0:
            return
        first_run = not self._built
        if first_run:
            self._build()
        else:
            self._continue_currents()
        if first_run or not self._virtual:
            self._feed_sources(self._step + steps)
            sim.run(duration(steps, self._network.timestep))
        self._step += steps
        if self._virtual and first_run:
            self._notes = ("the SpiNNaker machine is virtual: the network was mapped, not run, and there is no data",)
            self._notes += tuple(self._mapping())

    def update(self, network: Network) -> None:
        """Take over parameters, states and sources; raises BackendError for any other change while it runs."""
        before, self._network = self._network, network
        if not self._built or self._virtual:
            return
        for change in changes(before, network):
            self._make(change)
        self._replace_currents()

    def reset(self) -> None:
        """Back to t = 0; the next run builds the network anew."""
        self._end()
        self._step = self._first = 0

    def clear(self) -> None:
        """Forget what was recorded up to now."""
        self._first = self._step

    def close(self) -> None:
        """Let go of the machine."""
        self._end()

    def recordings(self) -> Recordings:
        """What was recorded since the start, the last reset or the last clear; nothing from a virtual machine."""
        if self._virtual or not self._built:
            return Recordings(notes=self._notes)
        spiking = sorted({probe.population for probe in self._network.probes if _spikes(probe)})
        spikes = [self._spikes(population) for population in spiking]
        signals = [self._signal(probe) for probe in self._network.probes if not _spikes(probe)]
        return Recordings(tuple(spikes), tuple(signals), notes=self._notes)

    def weights(self, projection: int) -> NDArray[np.float64]:
        """The weights (n,) in the synaptic matrices; those at t = 0 before the first run and on a virtual machine."""
        asked = self._network.projections[projection]
        if self._virtual or not self._built or not len(asked):
            return np.array(asked.weight)
        model = cell_model(self._network.populations[asked.post].model)
        assert isinstance(model, NeuronModel), "check refuses projections onto spike sources"
        found = weights_of(self._projections[projection], asked, self._network.timestep)
        return -found if model.has_negative_weights(asked.receptor) else found

    # --- building ----------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        network = self._network
        slower = max(1, ceil(self.LEAST_TICK / network.timestep))
        sim.setup(timestep=network.timestep, min_delay=network.timestep, time_scale_factor=slower)
        self._built = True
        self._injected, self._projections = [], []
        self._populations = [self._population(index) for index in range(len(network.populations))]
        for projection in network.projections:
            made = _connect(self._populations, projection, network.timestep) if len(projection) else None
            self._projections.append(made)
        for index in range(len(network.populations)):
            self._inject(index)
        for probe in network.probes:
            if probe.population not in self._trains:
                self._record(probe)

    def _population(self, index: int):
        population = self._network.populations[index]
        if is_source(population):
            self._trains[index] = Trains(self._network, index)
            # sPyNNaker refuses lists without any time; this one is replaced before the network is mapped
            cell = sim.SpikeSourceArray(spike_times=[0.0])
            return sim.Population(population.size, cell, label=population.label)
        kind = getattr(sim, population.model, None) or getattr(sim.extra_models, population.model)
        cell = kind(**{k: _listed(v) for k, v in population.parameters.items()})
        shares = self.SHARES_CORES or population.model in STATIC_ALONE
        together: dict[str, Any] = {"n_synapse_cores": 0} if shares and not learns(self._network, index) else {}
        made = sim.Population(population.size, cell, label=population.label, **together)
        made.set_max_atoms_per_core(cores_of(self._network, index).neurons)
        made.initialize(**{k: _listed(v) for k, v in CELLS[population.model].initial_values(population).items()})
        return made

    def _inject(self, index: int) -> None:
        for cells, current in injected(self._network, index):
            entries = len(current.steps) + SPARE
            source = sim.StepCurrentSource(**current.series(0, entries))
            self._populations[index][cells.tolist()].inject(source)
            self._injected.append(Injected(index, cells, current, source, entries))

    def _record(self, probe: Probe) -> None:
        population = self._network.populations[probe.population]
        interval = probe.interval * self._network.timestep
        name = "spikes" if _spikes(probe) else CELLS[population.model].recorded[probe.variable]
        view = self._populations[probe.population]
        if len(probe.cells) < population.size:
            view = view[[int(cell) for cell in probe.cells]]
        view.record(name, sampling_interval=None if _spikes(probe) else interval)

    # --- running -----------------------------------------------------------------------------------------------------

    def _feed_sources(self, until: int) -> None:
        """Give every source its spikes up to a label.

        They are handed to the vertex as labels: ``set(spike_times=...)`` of sPyNNaker 7.4.1 makes a list of them, which
        its own vertex then fails to index.
        """
        for index, trains in self._trains.items():
            trains.draw(until)
            self._populations[index]._vertex.send_buffer_times = trains.labels(room=self._step == 0)

    def _continue_currents(self) -> None:
        """Let currents go on after a pause."""
        for part in self._injected if not self._virtual else ():
            name, values = next(iter(self._network.populations[part.population].parameters.items()))
            # so that sPyNNaker reads the state of the neurons back, which it writes together with the current
            self._populations[part.population].set(**{name: _listed(values)})
            part.source.set_parameters(**part.current.series(self._step, part.entries))

    def _replace_currents(self) -> None:
        """Take over other amplitudes and times, which each source has room for; raises BackendError for the rest."""
        wanted = [
            (index, cells, current)
            for index in range(len(self._network.populations))
            for cells, current in injected(self._network, index)
        ]
        for k, part in enumerate(self._injected):
            index, cells, current = wanted[k] if k < len(wanted) else (-1, part.cells[:0], part.current)
            same = index == part.population and np.array_equal(cells, part.cells)
            if not same or len(wanted) > len(self._injected) or len(current.steps) >= part.entries:
                raise BackendError(
                    "currents were injected into other cells, or became much longer, while the network is on the "
                    "SpiNNaker machine; inject them before the first run(), if need be with amplitude 0, or after "
                    "reset()"
                )
            self._injected[k] = part._replace(current=current)

    def _make(self, change: Change) -> None:
        population = self._populations[change.population]
        if change.source:
            self._trains[change.population].replace(self._network, self._step)
        if change.parameters:
            population.set(**{name: _listed(values) for name, values in change.parameters.items()})
        if change.states:
            population.set_state(**{name: _listed(values) for name, values in change.states.items()})

    def _end(self) -> None:
        if self._built:
            sim.end()
        self._built = False

    # --- reading -----------------------------------------------------------------------------------------------------

    def _spikes(self, index: int) -> Spikes:
        if index in self._trains:
            return self._trains[index].spikes(self._first)
        found = self._populations[index].spinnaker_get_data("spikes")
        neurons, times = found[:, 0].astype(np.int64), found[:, 1]
        return Spikes.chosen(index, times, neurons, np.rint(times / self._network.timestep) >= self._first)

    def _signal(self, probe: Probe) -> Signal:
        population, timestep = self._network.populations[probe.population], self._network.timestep
        name = CELLS[population.model].recorded[probe.variable]
        values = self._populations[probe.population].spinnaker_get_data(
            name, as_matrix=True, view_indexes=[int(cell) for cell in probe.cells]
        )
        labels = np.arange(len(values)) * probe.interval
        wanted = labels >= self._first
        values = np.asarray(values, np.float64)[wanted]
        model = cell_model(population.model)
        unit = model.recordables_in("spinnaker1")[probe.variable] if isinstance(model, NeuronModel) else ""
        raw = np.rint(values * ONE).astype(np.int32)
        return Signal(
            probe.population, probe.variable, unit, probe.cells.astype(np.int64), labels[wanted] * timestep, values, raw
        )

    def _mapping(self) -> Iterator[str]:
        """Where each population was placed and what it needs."""
        for population in self._populations:
            vertices = list(population._vertex.machine_vertices)
            chips = {SpynnakerDataView.get_placement_of_vertex(vertex).xy for vertex in vertices}
            sdram = sum(vertex.sdram_required.get_total_sdram(self._step) for vertex in vertices)
            yield (
                f"population {population.label!r}: {len(vertices)} core{'s' * (len(vertices) != 1)} on {len(chips)} "
                f"chip{'s' * (len(chips) != 1)}, {sdram / 1e6:.3g} MB of SDRAM for {self._step} time steps"
            )


def duration(steps: int, timestep: float) -> float:
    """The time (ms) to ask sPyNNaker for so many time steps.

    It adds it to the present time, subtracts that again and rounds up to whole steps, so the exact time would often be
    a step too long; it warns of what is short by 1e-5 ms.
    """
    return steps * timestep - 1e-6


def _connect(populations: list, projection: Projection, timestep: float):
    rows = np.column_stack([projection.source, projection.target, projection.weight, projection.delay * timestep])
    return sim.Projection(
        populations[projection.pre],
        populations[projection.post],
        sim.FromListConnector(rows[order_of_list(projection)]),
        mechanism(projection.plasticity) if projection.plasticity else sim.StaticSynapse(),
        receptor_type=projection.receptor,
    )


def _spikes(probe: Probe) -> bool:
    return probe.variable == "spikes"


def _listed(values: NDArray[np.float64]) -> float | list[float]:
    """One number where all are equal, which sPyNNaker stores once."""
    numbers = np.asarray(values, np.float64)
    return float(numbers.flat[0]) if (numbers == numbers.flat[0]).all() else numbers.tolist()
