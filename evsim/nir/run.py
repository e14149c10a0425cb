"""Running a .nir file in the place of a PyNN script."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evsim import pynn as sim
from evsim.chip import load_chip
from evsim.errors import EvsimError
from evsim.nir.cells import MS_PER_S, Step
from evsim.nir.flat import flatten
from evsim.nir.package import read_graph
from evsim.nir.populations import Plan, Rows, plan
from evsim.nir.request import GraphRun
from evsim.nir.spikes import Counts, read_spikes, write_arrays

if TYPE_CHECKING:
    import nir

TIMESTEP = "timestep"  # in the metadata of a graph: s, of the step that its weights are meant for


def run_graph(path: Path, given: GraphRun) -> None:
    """Build the network of a file with PyNN and run it, wherever the simulator was told to run.

    Raises:
        EvsimError: the file, its input or the options are not what they must be.
        CheckError: the graph holds what evsim lacks.
    """
    graph = read_graph(path)
    timestep = _timestep(path, graph, given)
    made = plan(flatten(graph), Step(timestep / MS_PER_S, given.method))
    spikes = read_spikes(given.input, made.inputs) if given.input else {}
    steps = _steps(path, spikes, timestep, given)
    populations = _build(made, spikes, timestep)
    for label in dict.fromkeys(made.outputs.values()):
        populations[label].record(["spikes", "v"])
    sim.run(steps * timestep)
    if given.output:
        write_arrays(given.output, _recorded(made, populations, steps, timestep))
    sim.end()


def _timestep(path: Path, graph: nir.NIRGraph, given: GraphRun) -> float:
    stated = graph.metadata.get(TIMESTEP)
    timestep = given.timestep if given.timestep is not None or stated is None else float(stated) * MS_PER_S
    if timestep is None:
        raise EvsimError(f"{path} says no time step; give it, e.g. --timestep 0.1 (ms), which is snnTorch's")
    if not (math.isfinite(timestep) and timestep > 0):
        raise EvsimError(f"--timestep is {timestep:g} ms; it must be above 0")
    return timestep


def _steps(path: Path, spikes: dict[str, Counts], timestep: float, given: GraphRun) -> int:
    if given.duration is None and not spikes:
        raise EvsimError(f"{path} has no end of its own; give --input FILE with spikes, or --duration MS")
    if given.duration is None:
        return max(len(array) for array in spikes.values())
    if not (math.isfinite(given.duration) and given.duration > 0):
        raise EvsimError(f"--duration is {given.duration:g} ms; it must be above 0")
    return round(given.duration / timestep)


def _build(made: Plan, spikes: dict[str, Counts], timestep: float) -> dict[str, Any]:
    """Name -> population, of the Inputs and of the cells, with everything between them."""
    sim.setup(timestep=timestep)
    populations: dict[str, Any] = {}
    for name, size in made.inputs.items():
        fired = spikes.get(name, np.zeros((0, size), np.int64))
        times = [np.repeat(np.arange(len(channel)), channel) * timestep for channel in fired.T]
        populations[name] = sim.Population(size, sim.SpikeSourceArray(spike_times=times), label=name)
    for cells in made.cells:
        cell = getattr(sim, cells.celltype)(**cells.parameters)
        populations[cells.name] = sim.Population(cells.size, cell, initial_values=cells.initial, label=cells.name)
    for rows in made.rows:
        _connect(rows, populations, timestep)
    return populations


def _connect(rows: Rows, populations: dict[str, Any], timestep: float) -> None:
    table = rows.table * [1, 1, 1, timestep]
    sim.Projection(
        populations[rows.source],
        populations[rows.target],
        sim.FromListConnector(table, column_names=["weight", "delay"]),
        sim.StaticSynapse(),
        receptor_type=rows.receptor,
        label=f"{rows.source} to {rows.target}, {rows.receptor}",
    )


def _recorded(made: Plan, populations: dict[str, Any], steps: int, timestep: float) -> dict[str, np.ndarray]:
    """Output -> spikes (steps, n); ``"Output.v"`` -> v (steps, n) in mV; row k is what step k ended with."""
    label = load_chip(sim.simulator.state.targets[0].chip or "ideal").rules.spike_label
    arrays: dict[str, np.ndarray] = {}
    for name, source in made.outputs.items():
        segment = populations[source].get_data().segments[0]
        spikes = np.zeros((steps, populations[source].size), np.uint8)
        for cell, train in enumerate(segment.spiketrains):
            spikes[np.rint(np.asarray(train.rescale("ms").magnitude) / timestep).astype(int) - label, cell] = 1
        arrays[name] = spikes
        arrays[f"{name}.v"] = np.asarray(segment.filter(name="v")[0].magnitude)[1:]
    return arrays
