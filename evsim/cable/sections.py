"""Unbranched pieces of a neuron, each attached to another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evsim.errors import EvsimError

ROOT = -1  # the parent of the first section


@dataclass(frozen=True, eq=False)
class Section:
    """An unbranched cable, made of frusta.

    Attributes:
        name: what it is called; several may share a name.
        points: (k, 2) from its beginning on, k >= 2: the distance along it (um), from 0 up, and the diameter (um).
        parent: number of the section that it is attached to; ``ROOT`` for one of them.
        along: where on the parent it is attached, from 0 at its beginning to 1 at its end.
        groups: further names by which it can be chosen, such as ``"apical_dendrite"``.
    """

    name: str
    points: NDArray[np.float64]
    parent: int = ROOT
    along: float = 1.0
    groups: tuple[str, ...] = ()

    @property
    def length(self) -> float:
        """In um."""
        return float(self.points[-1, 0])

    @property
    def diameter(self) -> float:
        """The mean along it (um)."""
        distance, diameter = self.points.T
        return float((np.diff(distance) * (diameter[1:] + diameter[:-1]) / 2).sum() / self.length)


def frusta(points: ArrayLike) -> NDArray[np.float64]:
    """The ``points`` of a section from (k, 4) coordinates and diameters (x, y, z, diameter; um)."""
    places = np.asarray(points, np.float64)
    distance = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(places[:, :3], axis=0), axis=1))])
    return np.column_stack([distance, places[:, 3]])


def in_order(sections: Sequence[Section]) -> list[int]:
    """The numbers of the sections such that each comes after its parent.

    Raises:
        EvsimError: there is none, a section has no extent, or they do not make one tree.
    """
    if not sections:
        raise EvsimError("a morphology without any section; it needs one at least")
    for number, section in enumerate(sections):
        _refuse_shape(number, section)
    children: dict[int, list[int]] = {}
    for number, section in enumerate(sections):
        children.setdefault(section.parent, []).append(number)
    roots = children.get(ROOT, [])
    if len(roots) != 1:
        raise EvsimError(f"a morphology with {len(roots)} sections that have no parent; there must be exactly 1")
    order = list(roots)
    for number in order:  # which grows meanwhile
        order += children.get(number, [])
    if len(order) < len(sections):
        lost = next(number for number in range(len(sections)) if number not in set(order))
        raise EvsimError(
            f"section {sections[lost].name!r} (number {lost}) is not connected to {sections[roots[0]].name!r}; "
            "follow its parents"
        )
    return order


def _refuse_shape(number: int, section: Section) -> None:
    where = f"section {section.name!r} (number {number})"
    distance, diameter = section.points.T
    if not np.isfinite(section.points).all():
        raise EvsimError(f"{where} has a coordinate or a diameter that is not a finite number")
    if not distance[-1] > 0:
        raise EvsimError(f"{where} has a length of {distance[-1]:g} um; it must be above 0")
    if not (diameter > 0).all():
        raise EvsimError(f"{where} has a diameter of {diameter.min():g} um; it must be above 0")
    if not 0 <= section.along <= 1:
        raise EvsimError(f"{where} is attached at {section.along:g} along its parent; it must be from 0 to 1")


def distances(sections: Sequence[Section]) -> NDArray[np.float64]:
    """(sections,) the path (um) from the beginning of the first section to that of each."""
    found = np.zeros(len(sections))
    for number in in_order(sections):
        section = sections[number]
        if section.parent != ROOT:
            found[number] = found[section.parent] + section.along * sections[section.parent].length
    return found
