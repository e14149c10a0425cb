"""A NIR graph without subgraphs, of nodes that evsim has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evsim.errors import CheckError, Problem

if TYPE_CHECKING:
    import nir

NEURONS = frozenset({"IF", "LIF", "CubaLIF"})
MAPS = frozenset(
    {"Linear", "Affine", "Scale", "Conv1d", "Conv2d", "SumPool2d", "AvgPool2d", "Flatten", "Delay", "Relay"}
)
SYNAPSE = "LI"  # a synaptic current, where it goes to a LIF
KNOWN = frozenset({"Input", "Output", SYNAPSE}) | NEURONS | MAPS
SHOWN = "Input, Output, Linear, Affine, Scale, Conv1d, Conv2d, SumPool2d, AvgPool2d, Flatten, Delay, IF, LIF, CubaLIF, "
SHOWN += "LI before LIF, and subgraphs of these"


class Relay:
    """The Input or the Output of a subgraph: hands on what it gets."""


@dataclass(frozen=True)
class FlatGraph:
    """Nodes by name and the edges between them; a node of a subgraph is named ``"subgraph.node"``."""

    nodes: dict[str, Any]
    edges: tuple[tuple[str, str], ...]

    def kind(self, name: str) -> str:
        """The name of a node's class."""
        return type(self.nodes[name]).__name__

    def named(self, kinds: frozenset[str] | set[str]) -> list[str]:
        """The nodes of some kinds, in order."""
        return [name for name in self.nodes if self.kind(name) in kinds]

    def after(self, name: str) -> list[str]:
        """Where the edges of a node lead."""
        return [b for a, b in self.edges if a == name]

    def before(self, name: str) -> list[str]:
        """Where the edges to a node come from."""
        return [a for a, b in self.edges if b == name]


def flatten(graph: nir.NIRGraph) -> FlatGraph:
    """The graph with its subgraphs put in place; raises CheckError with every node and edge that evsim cannot take."""
    nodes, edges, problems = _inside(graph, "")
    flat = FlatGraph(nodes, tuple(dict.fromkeys(edges)))
    problems += list(_unknown(flat))
    if problems:
        raise CheckError("this NIR graph cannot be run", problems)
    return flat


def _inside(graph: Any, prefix: str) -> tuple[dict[str, Any], list[tuple[str, str]], list[Problem]]:
    nodes: dict[str, Any] = {}
    edges: list[tuple[str, str]] = []
    problems: list[Problem] = []
    entry: dict[str, str] = {}
    leave: dict[str, str] = {}
    for name, node in graph.nodes.items():
        full = prefix + name
        entry[name] = leave[name] = full
        if type(node).__name__ != "NIRGraph":
            nodes[full] = Relay() if prefix and type(node).__name__ in ("Input", "Output") else node
            continue
        within, between, found = _inside(node, full + ".")
        nodes |= within
        edges += between
        ports = [[inner for inner, n in node.nodes.items() if type(n).__name__ == k] for k in ("Input", "Output")]
        if [len(port) for port in ports] == [1, 1]:
            entry[name], leave[name] = (f"{full}.{port[0]}" for port in ports)
        else:
            found.append(_ports_problem(full, *ports))
        problems += found
    known = [(a, b) for a, b in graph.edges if a in entry and b in entry]
    problems += [_edge_problem(a, b) for a, b in graph.edges if (a, b) not in known]
    return nodes, [*edges, *((leave[a], entry[b]) for a, b in known)], problems


def _ports_problem(name: str, inputs: list[str], outputs: list[str]) -> Problem:
    return Problem(
        f"subgraph {name!r}",
        f"{len(inputs)} Input and {len(outputs)} Output nodes",
        "an edge to a subgraph does not say which of them it means, so there must be one of each",
        "Put the nodes of the subgraph into the graph itself.",
    )


def _edge_problem(a: str, b: str) -> Problem:
    return Problem(
        f"edge {a!r} to {b!r}", "an end that is no node", "both ends must be nodes of the graph", "Correct the edge."
    )


def _unknown(flat: FlatGraph) -> Iterator[Problem]:
    for name in flat.nodes:
        if flat.kind(name) not in KNOWN:
            yield Problem(
                f"node {name!r}",
                f"a {flat.kind(name)} node",
                f"evsim has {SHOWN}",
                "Use these.",
            )
