"""From one population to the next: all linear nodes between them as explicit synapses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array, eye_array

from evsim.errors import CheckError, Problem
from evsim.nir.flat import MAPS, NEURONS, SYNAPSE, FlatGraph
from evsim.nir.operators import Operator
from evsim.nir.shapes import Shapes

# Delay in time steps -> weights (targets, sources).
Delayed = dict[int, csr_array]
ON_GRID = 1e-6  # of a time step; how far a delay may be from a whole number of them
ENDS = NEURONS | {SYNAPSE, "Output"}


@dataclass(frozen=True)
class Links:
    """What reaches the nodes that are not linear.

    Attributes:
        synapses: (source, target) -> the weights that lie between them, by delay.
        biases: target -> (channels,) what reaches it at all times.
    """

    synapses: dict[tuple[str, str], Delayed] = field(default_factory=dict)
    biases: dict[str, NDArray[np.float64]] = field(default_factory=dict)


def find_links(graph: FlatGraph, shapes: Shapes, timestep: float) -> Links:
    """Multiply out every path through linear nodes.

    Args:
        timestep: s.

    Raises:
        CheckError: linear nodes in a loop, delays that are no whole number of time steps, or an Output that does not
            show one population as it is.
    """
    order = _order(graph)
    if problems := list(_off_grid(graph, shapes, timestep)):
        raise CheckError("this NIR graph has delays between the time steps", problems)
    links = Links()
    for source in graph.named(NEURONS | {"Input"}):
        for target, found in _from(source, graph, shapes, order, timestep).items():
            links.synapses[source, target] = found
    _add_biases(links, graph, shapes, order)
    return links


def _order(graph: FlatGraph) -> list[str]:
    """The linear nodes, each after those whose output it takes."""
    linear = set(graph.named(MAPS))
    try:
        return list(TopologicalSorter({name: set(graph.before(name)) & linear for name in linear}).static_order())
    except CycleError as error:
        loop = " -> ".join(repr(name) for name in error.args[1])
        problem = Problem(
            f"nodes {loop}", "a loop", "a loop must go through a neuron", "Put a neuron into it, or cut it."
        )
        raise CheckError("this NIR graph has a loop of linear nodes", [problem]) from None


def _off_grid(graph: FlatGraph, shapes: Shapes, timestep: float) -> Iterator[Problem]:
    for name, operator in shapes.operators.items():
        if operator.delay is None:
            continue
        steps = operator.delay / timestep
        bad = ~(np.abs(steps - np.rint(steps)) < ON_GRID) | ~(steps > -ON_GRID)
        if bad.any():
            yield Problem(
                f"node {name!r}",
                f"{np.count_nonzero(bad)} of {bad.size} delays, such as {operator.delay[bad][0]:g} s",
                f"whole multiples of the time step, {timestep:g} s, and none negative",
                "Give a --timestep of which they are multiples.",
            )


def _from(source: str, graph: FlatGraph, shapes: Shapes, order: list[str], timestep: float) -> dict[str, Delayed]:
    """The node at the end of each path from a source -> the weights of all paths to it."""
    reached: dict[str, Delayed] = {}
    one: Delayed = {0: csr_array(eye_array(shapes.size(source)))}
    for name in [source, *order]:
        arriving = one if name == source else reached.pop(name, None)
        if arriving is None:
            continue
        leaving = arriving if name == source else _through(shapes.operators[name], arriving, timestep)
        for after in graph.after(name):
            _add(reached.setdefault(after, {}), leaving)
    return reached


def _through(operator: Operator, arriving: Delayed, timestep: float) -> Delayed:
    if operator.delay is None:
        return {delay: csr_array(operator.matrix @ weights) for delay, weights in arriving.items()}
    found: Delayed = {}
    steps = np.rint(operator.delay / timestep).astype(np.int64)
    for each in np.unique(steps):
        mine = diags_array((steps == each).astype(np.float64))
        _add(found, {delay + int(each): csr_array(mine @ weights) for delay, weights in arriving.items()})
    return found


def _add(total: Delayed, more: Delayed) -> None:
    for delay, weights in more.items():
        total[delay] = csr_array(total[delay] + weights) if delay in total else weights


def _add_biases(links: Links, graph: FlatGraph, shapes: Shapes, order: list[str]) -> None:
    arriving: dict[str, NDArray[np.float64]] = {}
    for name in order:
        operator = shapes.operators[name]
        leaving = operator.matrix @ arriving.get(name, np.zeros(shapes.size(name)))
        if operator.bias is not None:
            leaving = leaving + operator.bias
        if leaving.any():
            for after in graph.after(name):
                arriving[after] = arriving[after] + leaving if after in arriving else leaving
    links.biases.update({name: bias for name, bias in arriving.items() if graph.kind(name) in ENDS})


def shown(graph: FlatGraph, shapes: Shapes, links: Links) -> dict[str, str]:
    """Output -> the population that it shows; raises CheckError with those that show anything else."""
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for name in graph.named({"Output"}):
        sources = [source for source, target in links.synapses if target == name]
        neurons = len(sources) == 1 and graph.kind(sources[0]) in NEURONS and name not in links.biases
        if neurons and _is_identity(links.synapses[sources[0], name], shapes.size(name)):
            found[name] = sources[0]
            continue
        problems.append(
            Problem(
                f"output {name!r}",
                f"what it shows comes from {', '.join(map(repr, graph.before(name))) or 'nowhere'}",
                "evsim shows the spikes and voltages of a population of neurons as they are",
                "Let it follow a LIF, CubaLIF or IF node directly.",
            )
        )
    if problems:
        raise CheckError("this NIR graph has outputs that evsim cannot show", problems)
    return found


def _is_identity(delayed: Delayed, size: int) -> bool:
    """Whether signals of ``size`` channels come through as they are."""
    if list(delayed) != [0]:
        return False
    row, column = delayed[0].nonzero()
    return np.array_equal(row, np.arange(size)) and np.array_equal(row, column) and bool((delayed[0].data == 1).all())
