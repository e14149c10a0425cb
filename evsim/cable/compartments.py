"""Cutting sections into compartments.

As NEURON does it (Hines and Carnevale 1997, doi:10.1162/neco.1997.9.6.1179): a section has an odd number of
compartments of equal length, whose potential is that of their middle. What is attached to the end of a section meets
there in a node without a membrane, which the middles of the compartments on both sides reach over half their length.

    capacitance   cm A             1e-5 nF / (uF/cm2 um2)
    conductance   g A              1e-2 uS / (S/cm2 um2)
    resistance    Ra times the integral of dx / (pi d^2 / 4), 1e-2 MOhm / (Ohm cm / um)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from evsim.cable.sections import ROOT, Section, in_order

NF = 1e-5  # nF of 1 uF/cm2 on 1 um2
US = 1e-2  # uS of 1 S/cm2 on 1 um2
MOHM = 1e-2  # MOhm of 1 Ohm cm over 1/um
AC_FREQUENCY = 100.0  # Hz, at which the length constant is taken that compartments are compared with
NO_SECTION = -1


@dataclass(frozen=True, eq=False)
class Tree:
    """Compartments and nodes without a membrane, each after its parent; the first is the root, which is its own parent.

    Attributes:
        parent: (nodes,) int64.
        axial: (nodes,) conductance (uS) to the parent; 0 of the root.
        area: (nodes,) um2; 0 where there is no membrane.
        section: (nodes,) the section that each compartment is part of; ``NO_SECTION`` where there is no membrane.
        first, count: (sections,) the first compartment of each section, and how many it has; they are consecutive.
    """

    parent: NDArray[np.int64]
    axial: NDArray[np.float64]
    area: NDArray[np.float64]
    section: NDArray[np.int64]
    first: NDArray[np.int64]
    count: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.parent)

    def at(self, section: int, along: float) -> int:
        """The compartment of a section at a part of its length, 0 to 1."""
        count = int(self.count[section])
        return int(self.first[section]) + min(int(along * count), count - 1)

    def names(self, sections: Sequence[Section]) -> list[str]:
        """What each compartment is called, such as ``"dendrite(0.5)"``; nothing where there is no membrane."""
        called = [section.name for section in sections]
        labels = [
            name if name and called.count(name) == 1 else f"section_{number}" for number, name in enumerate(called)
        ]
        names = [""] * len(self)
        for number, label in enumerate(labels):
            for k in range(int(self.count[number])):
                names[int(self.first[number]) + k] = f"{label}({(k + 0.5) / self.count[number]:.4g})"
        return names


def compartments_of(section: Section, cm: float, Ra: float, d_lambda: float) -> int:
    """How many compartments a section is cut into: an odd number, by the rule of Hines and Carnevale (2001).

    Each is no longer than ``d_lambda`` times the length constant at 100 Hz; rounded as PyNN 0.13 does it for NEURON.
    """
    constant = 1e5 * math.sqrt(section.diameter / (4 * math.pi * AC_FREQUENCY * Ra * cm))
    return 1 + 2 * int((0.999 + section.length / (d_lambda * constant)) / 2)


def cut(sections: Sequence[Section], cm: Sequence[float] | np.ndarray, Ra: float, d_lambda: float = 0.1) -> Tree:
    """The compartments of a neuron.

    Args:
        cm: (sections,) specific capacitance (uF/cm2), above 0.
        Ra: axial resistivity (Ohm cm), above 0.
        d_lambda: the longest compartment, in length constants.

    Raises:
        EvsimError: the sections do not make a tree, or one has no extent.
    """
    order = in_order(sections)
    builder = _Builder(len(sections), Ra)
    attached = {(section.parent, section.along) for section in sections if section.parent != ROOT}
    for number in order:
        section = sections[number]
        builder.add(
            number,
            section,
            compartments_of(section, float(cm[number]), Ra, d_lambda),
            begins_with_node=section.parent == ROOT and (number, 0.0) in attached,
            ends_with_node=(number, 1.0) in attached,
        )
    return builder.tree()


def site_name(place: str, receptor: str) -> str:
    """What the input of a receptor at a place is called."""
    return f"{place}.{receptor}"


class _Builder:
    """Collects nodes, section by section."""

    def __init__(self, sections: int, Ra: float) -> None:
        self._Ra = Ra
        self._parent: list[int] = []
        self._axial: list[float] = []
        self._area: list[float] = []
        self._section: list[int] = []
        self._first = np.zeros(sections, np.int64)
        self._count = np.zeros(sections, np.int64)
        self._begin: dict[int, int] = {}  # the node that the beginning of a section is
        self._end: dict[int, int] = {}

    def add(self, number: int, section: Section, count: int, begins_with_node: bool, ends_with_node: bool) -> None:
        """Cut a section whose parent was cut before."""
        areas, first_half, second_half = _pieces(section.points, count)
        at, behind = self._place(section)
        if begins_with_node:
            at = self._node(-1, 0.0, 0.0, NO_SECTION)
        if at >= 0:
            self._begin[number] = at
        self._first[number], self._count[number] = len(self._parent), count
        for k in range(count):
            resistance = self._Ra * MOHM * (behind + first_half[k])
            at = self._node(at, 1 / resistance, areas[k], number)
            behind = second_half[k]
        if ends_with_node:
            self._end[number] = self._node(at, 1 / (self._Ra * MOHM * behind), 0.0, NO_SECTION)

    def _place(self, section: Section) -> tuple[int, float]:
        """The node that a section is attached to, and the way (1/um) from there to the section."""
        if section.parent == ROOT:
            return -1, 0.0
        if section.along == 1.0:
            return self._end[section.parent], 0.0
        if section.along == 0.0:
            return self._begin[section.parent], 0.0
        count = int(self._count[section.parent])
        return int(self._first[section.parent]) + int(section.along * count), 0.0

    def _node(self, parent: int, axial: float, area: float, section: int) -> int:
        number = len(self._parent)
        self._parent.append(number if parent < 0 else parent)
        self._axial.append(0.0 if parent < 0 else axial)
        self._area.append(area)
        self._section.append(section)
        return number

    def tree(self) -> Tree:
        """What was collected."""
        return Tree(
            np.array(self._parent, np.int64),
            np.array(self._axial),
            np.array(self._area),
            np.array(self._section, np.int64),
            self._first,
            self._count,
        )


def _pieces(points: NDArray[np.float64], count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(count,) the area (um2) of each compartment, and the way (1/um) through its first and its second half."""
    cuts = np.linspace(0.0, points[-1, 0], 2 * count + 1)
    areas, ways = np.zeros(2 * count), np.zeros(2 * count)
    for (begin, near), (end, far) in pairwise(points):
        inner = cuts[(cuts > begin) & (cuts < end)]
        places = np.concatenate([[begin], inner, [end]])
        slope = (far - near) / (end - begin) if end > begin else 0.0
        widths = np.concatenate([[near], near + slope * (inner - begin), [far]])
        long, lesser, greater = np.diff(places), widths[:-1], widths[1:]
        half = np.clip(np.searchsorted(cuts, (places[:-1] + places[1:]) / 2, side="right") - 1, 0, 2 * count - 1)
        np.add.at(ways, half, 4 * long / (math.pi * lesser * greater))
        np.add.at(areas, half, math.pi * (lesser + greater) / 2 * np.hypot(long, (greater - lesser) / 2))
    return areas.reshape(count, 2).sum(1), ways[0::2], ways[1::2]
