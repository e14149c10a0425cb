"""A network in sPyNNaker; it and ``emulated`` alone import it. It runs in the child process of ``evsim.worker``."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

import numpy as np
import spynnaker.pyNN as sim  # noqa: N813 - the name that PyNN scripts give it
from numpy.typing import NDArray
from spynnaker.pyNN.data import SpynnakerDataView

from evsim.arithmetic.s1615 import ONE
from evsim.engine.drive import cell_groups, summed
from evsim.errors import BackendError
from evsim.network import Network, Population, Probe, Projection
from evsim.recording import Recordings, Signal, Spikes
from evsim.registry import cell_model
from evsim.sources import is_source
from evsim_spinnaker.cells import CELLS
from evsim_spinnaker.changes import Change, changes
from evsim_spinnaker.currents import MOST_PULSES, StepCurrent
from evsim_spinnaker.placement import neurons_per_core
from evsim_spinnaker.plastic import mechanism, weights_of
from evsim_spinnaker.trains import Trains


class MachineSession:
    """A network on a SpiNNaker machine; see ``evsim.backend.Session``.

    It is built at the first ``run``, and anew at the first one after ``reset``.

    Args:
        virtual: whether the machine is only planned for; it is mapped once and returns no data.
    """

    # ms that a core has for a time step; a full one cannot do with much less, and loses input without a word.
    LEAST_TICK = 1.0

    def __init__(self, network: Network, virtual: bool) -> None:
        self._network = network
        self._virtual = virtual
        self._step = 0
        self._first = 0  # label from which on recordings are wanted
        self._built = False
        self._populations: list = []
        self._projections: list = []  # None where there are no synapses
        self._trains: dict[int, Trains] = {}
        self._series: list[StepCurrent] = []  # currents that cannot go on after a pause
        self._notes: tuple[str, ...] = ()

    def run(self, steps: int) -> None:
        """Advance by a number of time steps; a virtual machine is only mapped, once."""
        if steps == 0:
            return
        first_run = not self._built
        if first_run:
            self._build()
        if first_run or not self._virtual:
            self._refuse_pause()
            self._feed_sources(self._step + steps)
            sim.run(steps * self._network.timestep)
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
        is_negative = asked.receptor == "inhibitory" and not getattr(model, "has_conductances", False)
        found = weights_of(self._projections[projection], asked, self._network.timestep)
        return -found if is_negative else found

    # --- building ----------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        network = self._network
        slower = max(1, ceil(self.LEAST_TICK / network.timestep))
        sim.setup(timestep=network.timestep, min_delay=network.timestep, time_scale_factor=slower)
        self._built = True
        self._series, self._projections = [], []
        self._populations = [self._population(index) for index in range(len(network.populations))]
        for projection in network.projections:
            made = _connect(self._populations, projection, network.timestep) if len(projection) else None
            self._projections.append(made)
        for index, population in enumerate(network.populations):
            self._inject(index, population)
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
        made = sim.Population(population.size, cell, label=population.label)
        if most := neurons_per_core(self._network, index):
            made.set_max_atoms_per_core(most)
        made.initialize(**{k: _listed(v) for k, v in CELLS[population.model].initial_values(population).items()})
        return made

    def _inject(self, index: int, population: Population) -> None:
        mine = [current for current in self._network.currents if current.population == index]
        for group, cells in cell_groups(mine, population.size):
            # summed before they are rounded to s16.15, as the reference does
            current = StepCurrent(*summed(group, self._network.timestep), self._network.timestep)
            if current.is_simple():
                made = [sim.DCSource(**pulse) for pulse in current.pulses()]
            else:
                made = [sim.StepCurrentSource(**current.series())]
                self._series.append(current)
            for source in made:
                self._populations[index][cells.tolist()].inject(source)

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
            self._populations[index]._vertex.send_buffer_times = trains.labels()

    def _refuse_pause(self) -> None:
        if any(current.has_changed(self._step) for current in self._series):
            raise BackendError(
                f"a current with a negative amplitude, or with more than {MOST_PULSES} that are not 0, cannot go on "
                "after run() has returned, since SpiNNaker's firmware begins it again; use one run() or other currents"
            )

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
        unit = getattr(cell_model(population.model), "recordables")[probe.variable]  # noqa: B009 - sources have none
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


def _connect(populations: list, projection: Projection, timestep: float):
    rows = np.column_stack([projection.source, projection.target, projection.weight, projection.delay * timestep])
    return sim.Projection(
        populations[projection.pre],
        populations[projection.post],
        sim.FromListConnector(rows),
        mechanism(projection.plasticity) if projection.plasticity else sim.StaticSynapse(),
        receptor_type=projection.receptor,
    )


def _spikes(probe: Probe) -> bool:
    return probe.variable == "spikes"


def _listed(values: NDArray[np.float64]) -> float | list[float]:
    """One number where all are equal, which sPyNNaker stores once."""
    numbers = np.asarray(values, np.float64)
    return float(numbers.flat[0]) if (numbers == numbers.flat[0]).all() else numbers.tolist()
