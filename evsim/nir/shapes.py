"""The shape of the signal at every node, found from the inputs on, and the operators of the linear nodes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from evsim.errors import CheckError, Problem
from evsim.nir.flat import MAPS, NEURONS, SYNAPSE, FlatGraph
from evsim.nir.operators import Operator, Shape, operator, own_shape

CELLS = NEURONS | {SYNAPSE}


class Shapes(NamedTuple):
    """What is known of a graph once its signals have shapes.

    Attributes:
        inputs: node -> the shape that goes in.
        operators: linear node -> its operator.
    """

    inputs: dict[str, Shape]
    operators: dict[str, Operator]

    def size(self, name: str) -> int:
        """The number of channels that go into a node, which for neurons is the number of cells."""
        return int(np.prod(self.inputs[name]))


def find_shapes(graph: FlatGraph) -> Shapes:
    """Go along the edges from the Inputs, then from the neurons and linear nodes that no Input reaches.

    A neuron whose parameters are single numbers (as snnTorch writes them) has the shape of what reaches it first.

    Raises:
        CheckError: shapes that do not fit, with every such node.
    """
    found = Shapes({}, {})
    problems: list[Problem] = []
    for name in (*graph.named({"Input"}), *graph.named(CELLS), *graph.named(MAPS)):
        shape = _stated(graph, name)
        if name not in found.inputs and shape is not None and (np.prod(shape) > 1 or not graph.before(name)):
            _spread(graph, name, shape, found, problems)
    for name in graph.named(CELLS | MAPS):
        if name not in found.inputs and not problems:  # single cells that only reach one another
            _spread(graph, name, _stated(graph, name) or (1,), found, problems)
    if problems:
        raise CheckError("the shapes in this NIR graph do not fit", problems)
    return found


def _stated(graph: FlatGraph, name: str) -> Shape | None:
    """The shape that a node's own parameters state."""
    node, kind = graph.nodes[name], graph.kind(name)
    if kind == "Input":
        return tuple(int(n) for n in np.ravel(node.input_type["input"]))
    return tuple(np.shape(node.r)) if kind in CELLS else own_shape(node)


def _spread(graph: FlatGraph, first: str, shape: Shape, found: Shapes, problems: list[Problem]) -> None:
    """Give a node its shape, and all those that come after it theirs."""
    waiting = [(first, shape)]
    while waiting:
        name, shape = waiting.pop()
        if name in found.inputs:
            if np.prod(found.inputs[name]) != np.prod(shape):
                problems.append(_misfit(name, f"inputs of the shapes {found.inputs[name]} and {shape}"))
            continue
        found.inputs[name] = shape
        kind = graph.kind(name)
        if kind in CELLS and np.size(graph.nodes[name].r) not in (1, np.prod(shape)):
            problems.append(_misfit(name, f"{np.size(graph.nodes[name].r)} cells, and an input of shape {shape}"))
            continue
        if kind in MAPS:
            try:
                found.operators[name] = operator(graph.nodes[name], shape)
            except ValueError as error:
                problems.append(_misfit(name, str(error)))
                continue
            shape = found.operators[name].shape
        waiting += [(after, shape) for after in graph.after(name)]


def _misfit(name: str, what: str) -> Problem:
    return Problem(f"node {name!r}", what, "an output has the shape of the input that it goes to", "Correct it.")
