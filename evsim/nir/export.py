"""A network as a NIR graph, and everything about it that NIR cannot say."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evsim.errors import CheckError, EvsimError, Problem
from evsim.network import Network, Population, Projection
from evsim.nir.cells import MS_PER_S
from evsim.nir.delays import delays_of_channels
from evsim.nir.losses import CELLS, losses
from evsim.nir.package import nir_package
from evsim.nir.run import TIMESTEP
from evsim.pynn.free_memory import available_memory
from evsim.registry import own_receptors
from evsim.sources import is_source

if TYPE_CHECKING:
    import nir

RECEPTORS = {"excitatory": "tau_syn_E", "inhibitory": "tau_syn_I"}


class Exported(NamedTuple):
    """A graph.

    Attributes:
        losses: what of the network is not in it.
        inputs: population of sources -> the name of its Input.
    """

    graph: nir.NIRGraph
    losses: list[Problem]
    inputs: dict[int, str]


def export(network: Network, *, with_spikes: bool = False) -> Exported:
    """Say a network in NIR, as far as that goes.

    Args:
        with_spikes: whether the spikes of the sources are kept beside the graph, so that they are not lost.

    Raises:
        EvsimError: none of its cells can be said, or the matrices, which NIR has dense, do not fit into memory.
        MissingPartError: the package is not installed.
    """
    writer = _Writer(network)
    for index in range(len(network.populations)):
        writer.population(index)
    if all(is_source(network.populations[index]) for index in writer.entry):
        raise CheckError("NIR has none of the cells of this network", losses(network, with_spikes))
    _refuse_too_large(network)
    for projection in network.projections:
        ends = projection.pre, projection.post
        if all(end in writer.entry for end in ends) and not own_receptors(projection):
            writer.projection(projection)
    writer.outputs()
    metadata = {"writer": "evsim", TIMESTEP: network.timestep / MS_PER_S}
    graph = nir_package().NIRGraph(writer.nodes, writer.edges, metadata=metadata, type_check=False)
    inputs = {index: name for index, name in writer.entry.items() if is_source(network.populations[index])}
    return Exported(graph, losses(network, with_spikes), inputs)


def _refuse_too_large(network: Network) -> None:
    ends = [(network.populations[p.pre].size, network.populations[p.post].size) for p in network.projections]
    need, there = 8.0 * sum(math.prod(sizes) for sizes in ends), available_memory()
    if 2 * need > there:  # the package copies a graph while it writes it
        raise EvsimError(
            f"NIR holds each projection as a dense matrix, {2 * need / 1e9:.3g} GB for this network, and "
            f"{there / 1e9:.3g} GB are free; export a smaller network"
        )


class _Writer:
    """The nodes and edges of a graph that is being made.

    Attributes:
        entry: population -> the node that it is; those that NIR has no cell for are absent.
    """

    def __init__(self, network: Network) -> None:
        self.network, self.package = network, nir_package()
        self.nodes: dict[str, Any] = {}
        self.edges: list[tuple[str, str]] = []
        self.entry: dict[int, str] = {}
        self.currents: dict[tuple[int, str], str] = {}  # (population, receptor) -> the LI for it

    def add(self, label: str, node: Any) -> str:
        """Add a node under a name of its own; a slash would begin a folder of the file."""
        name = base = label.replace("/", "_").strip(".") or "unnamed"
        number = 1
        while name in self.nodes:
            number += 1
            name = f"{base} ({number})"
        self.nodes[name] = node
        return name

    def population(self, index: int) -> None:
        """A population as an Input, a LIF, a CubaLIF, or two LIs before a LIF."""
        population = self.network.populations[index]
        if is_source(population):
            self.entry[index] = self.add(population.label, self.package.Input(np.array([population.size])))
        elif population.model in CELLS:
            self.entry[index] = self.add(population.label, self._neuron(population))
            if _has_two_currents(population):
                self._add_currents(index, population)

    def _neuron(self, population: Population) -> Any:
        value = {name: np.array(values, np.float64) for name, values in population.parameters.items()}
        r, tau = value["tau_m"] / value["cm"], value["tau_m"] / MS_PER_S
        common = {
            "r": r,
            "v_leak": value["v_rest"] + r * value["i_offset"],  # the same equation, without a current of its own
            "v_reset": value["v_reset"],
            "v_threshold": np.nextafter(value["v_thresh"], -np.inf),  # PyNN's neurons spike at it, NIR's above
        }
        if population.model == "IF_curr_delta" or _has_two_currents(population):
            return self.package.LIF(tau=tau, **common)
        w_in = value["tau_syn_E"] / self.network.timestep
        return self.package.CubaLIF(tau_mem=tau, tau_syn=value["tau_syn_E"] / MS_PER_S, w_in=w_in, **common)

    def _add_currents(self, index: int, population: Population) -> None:
        for receptor, tau_syn in RECEPTORS.items():
            tau = np.array(population.parameters[tau_syn], np.float64)
            node = self.package.LI(tau=tau / MS_PER_S, r=tau / self.network.timestep, v_leak=np.zeros(len(tau)))
            self.currents[index, receptor] = self.add(f"{population.label} {receptor}", node)
            self.edges.append((self.currents[index, receptor], self.entry[index]))

    def projection(self, projection: Projection) -> None:
        """A matrix, and delays beyond the one step that every connection has where they are those of channels."""
        start = self.entry[projection.pre]
        end = self.currents.get((projection.post, projection.receptor), self.entry[projection.post])
        delays, step = delays_of_channels(self.network, projection), self.network.timestep / MS_PER_S
        stages = [self.package.Linear(self._matrix(projection))]
        if delays.of_sources is not None:
            stages.insert(0, self.package.Delay(delays.of_sources * step))
        if delays.of_targets is not None:
            stages.append(self.package.Delay(delays.of_targets * step))
        for stage in stages:
            suffix = " delay" if isinstance(stage, self.package.Delay) else ""
            name = self.add((projection.label or f"{start} to {end}") + suffix, stage)
            self.edges.append((start, name))
            start = name
        self.edges.append((start, end))

    def _matrix(self, projection: Projection) -> NDArray[np.float64]:
        pre, post = self.network.populations[projection.pre], self.network.populations[projection.post]
        weight = np.zeros((post.size, pre.size))
        for chunk in projection.synapses.chunks():
            np.add.at(weight, (chunk.target, chunk.source), chunk.weight)
        if post.model == "IF_curr_delta":  # a pulse of one time step moves v by r / tau * timestep = timestep / cm
            weight *= np.reshape(post.parameters["cm"], (-1, 1)) / self.network.timestep
        return weight

    def outputs(self) -> None:
        """An Output after each population of neurons that is recorded, or after all where none is."""
        neurons = [index for index in self.entry if not is_source(self.network.populations[index])]
        recorded = {probe.population for probe in self.network.probes}
        for index in [index for index in neurons if index in recorded] or neurons:
            node = self.package.Output(np.array([self.network.populations[index].size]))
            name = self.add(f"{self.network.populations[index].label} output", node)
            self.edges.append((self.entry[index], name))


def _has_two_currents(population: Population) -> bool:
    value = population.parameters
    return "tau_syn_E" in value and bool((value["tau_syn_E"] != value["tau_syn_I"]).any())
