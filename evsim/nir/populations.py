"""A NIR graph as populations and synapses in PyNN's terms; nothing here knows PyNN or a chip."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evsim.errors import CheckError, Problem
from evsim.nir.cells import Cells, Current, Step, integrator, value_problems, values, with_currents
from evsim.nir.flat import NEURONS, SYNAPSE, FlatGraph
from evsim.nir.paths import Links, find_links, shown
from evsim.nir.shapes import Shapes, find_shapes


class Rows(NamedTuple):
    """Synapses of one sign between two populations.

    Attributes:
        table: (n, 4): source, target, weight (nA or mV) and delay (time steps, at least 1).
    """

    source: str
    target: str
    receptor: str
    table: NDArray[np.float64]


class Plan(NamedTuple):
    """A whole graph.

    Attributes:
        inputs: Input -> its number of channels.
        outputs: Output -> the population that it shows.
    """

    inputs: dict[str, int]
    cells: tuple[Cells, ...]
    rows: tuple[Rows, ...]
    outputs: dict[str, str]


def plan(graph: FlatGraph, step: Step) -> Plan:
    """What a graph becomes; raises CheckError with everything that cannot be, one kind of problem at a time."""
    problems = [
        problem
        for name in graph.named(NEURONS | {SYNAPSE})
        for problem in value_problems(name, graph.nodes[name], step)
    ]
    problems += list(_misplaced(graph))
    if problems:
        raise CheckError("this NIR graph has neurons that evsim lacks", problems)
    shapes = find_shapes(graph)
    links = find_links(graph, shapes, step.size)
    cells = tuple(_cells(graph, shapes, links, name, step) for name in graph.named(NEURONS))
    inputs = {name: shapes.size(name) for name in graph.named({"Input"})}
    return Plan(inputs, cells, tuple(_rows(links, cells)), shown(graph, shapes, links))


def _misplaced(graph: FlatGraph) -> Iterator[Problem]:
    """LI nodes that are no synaptic current of a LIF, and LIFs that have such currents beside other inputs."""
    for name in graph.named({SYNAPSE}):
        after = graph.after(name)
        if [graph.kind(other) for other in after] != ["LIF"] or np.any(graph.nodes[name].v_leak):
            yield Problem(
                f"node {name!r}",
                f"an LI node that leads to {', '.join(map(repr, after)) or 'nothing'}",
                "evsim has LI as the synaptic current of one LIF that follows directly, with a v_leak of 0",
                "Use a LIF with a high threshold, whose voltage is recorded, or connect it so.",
            )
    for name in graph.named({"LIF"}):
        kinds = {graph.kind(other) == SYNAPSE for other in graph.before(name)}
        if len(kinds) == 2:
            yield Problem(
                f"node {name!r}",
                "inputs from LI nodes and from others",
                "a cell has currents that decay, or input that moves v at once, and not both",
                "Put an LI before every input, or before none.",
            )


def _cells(graph: FlatGraph, shapes: Shapes, links: Links, name: str, step: Step) -> Cells:
    node, size = graph.nodes[name], shapes.size(name)
    if graph.kind(name) == "CubaLIF":
        return with_currents(name, node, size, [_current(name, node, "tau_syn", "w_in", size, links)], step)
    before = [other for other in graph.before(name) if graph.kind(other) == SYNAPSE]
    if before:
        currents = [_current(other, graph.nodes[other], "tau", "r", size, links) for other in before]
        return with_currents(name, node, size, currents, step)
    return integrator(name, node, size, links.biases.get(name, np.zeros(size)), step)


def _current(name: str, node: Any, tau: str, gain: str, size: int, links: Links) -> Current:
    weights = [matrix.data for (_, end), found in links.synapses.items() if end == name for matrix in found.values()]
    signs = frozenset(int(sign) for data in weights for sign in np.unique(np.sign(data)))
    bias = links.biases.get(name, np.zeros(size))
    return Current(name, values(node, tau, size), values(node, gain, size), bias, signs)


def _rows(links: Links, cells: tuple[Cells, ...]) -> Iterator[Rows]:
    """The synapses of each sign apart, as chips hold them; an inhibitory weight is negative."""
    ports = {port.name: (population, port) for population in cells for port in population.ports}
    for (source, end), delayed in links.synapses.items():
        if end not in ports:
            continue
        population, port = ports[end]
        table = np.concatenate([_table(matrix, port.gain, steps) for steps, matrix in sorted(delayed.items())])
        for receptor, mine in (("excitatory", table[:, 2] > 0), ("inhibitory", table[:, 2] < 0)):
            if mine.any():
                yield Rows(source, population.name, port.receptor or receptor, table[mine])


def _table(matrix: Any, gain: NDArray[np.float64], steps: int) -> NDArray[np.float64]:
    entries = matrix.tocoo()
    target, source = entries.coords
    return np.column_stack([source, target, entries.data * gain[target], np.full(len(source), max(steps, 1))])
