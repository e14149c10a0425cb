"""PyNN's morphologies as sections: those of libNeuroML, in segments or in arrays, and those of MorphIO."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evsim.cable.sections import ROOT, Section, distances, frusta
from evsim.errors import EvsimError
from evsim.pynn.invalid import InvalidValueError

SOMA = "soma"


@dataclass(frozen=True, eq=False)
class Neurites:
    """The sections of a morphology.

    Attributes:
        sections: in the order of PyNN's indices; those of an array begin with the soma, and the other points follow.
        labels: name or group -> the sections that have it.
        distance: (sections,) the path (um) from the beginning of the first section to that of each.
    """

    sections: tuple[Section, ...]
    labels: dict[str, NDArray[np.int64]]
    distance: NDArray[np.float64]

    def with_label(self, label: str) -> NDArray[np.int64]:
        """The sections of that name or group; raises InvalidValueError."""
        if label not in self.labels:
            known = ", ".join(sorted(self.labels)) or "none"
            raise InvalidValueError(f"no section or group of this morphology is labelled {label!r}; it has {known}")
        return self.labels[label]

    @property
    def source(self) -> int:
        """The soma, or the first section where there is none."""
        return int(self.labels[SOMA][0]) if SOMA in self.labels else 0


def neurites(morphology: Any) -> Neurites:
    """The sections of one of PyNN's morphologies; they are found once.

    Raises:
        InvalidValueError: it is no morphology, or none that can be.
    """
    known = getattr(morphology, "_evsim_neurites", None)
    if known is None:
        try:
            known = _found(morphology)
        except EvsimError as error:
            raise InvalidValueError(str(error)) from None
        morphology._evsim_neurites = known
    return known


def _found(morphology: Any) -> Neurites:
    inner = getattr(morphology, "_morphology", None)
    if inner is None:
        raise InvalidValueError(
            f"a morphology that is {morphology!r}; give pyNN.morphology.NeuroMLMorphology(...), MorphIOMorphology(...) "
            "or what load_morphology(...) returns"
        )
    if hasattr(inner, "root_sections"):
        sections = _of_morphio(inner)
    elif hasattr(inner, "vertices"):
        sections = _of_array(inner)
    else:
        sections = _of_segments(inner)
    groups = {} if hasattr(inner, "vertices") or hasattr(inner, "root_sections") else morphology.section_groups
    return Neurites(tuple(sections), _labels(sections, groups), distances(sections))


def _labels(sections: list[Section], groups: dict) -> dict[str, NDArray[np.int64]]:
    found: dict[str, list[int]] = {}
    for number, section in enumerate(sections):
        for name in {section.name, *section.groups} - {""}:
            found.setdefault(name, []).append(number)
    for key, members in groups.items():
        if len(members):
            found[getattr(key, "name", str(key))] = [int(member) for member in members]
    return {name: np.array(sorted(set(members)), np.int64) for name, members in found.items()}


# --- libNeuroML's segments -------------------------------------------------------------------------------------------


def _of_segments(morphology: Any) -> list[Section]:
    segments = list(morphology.segments)
    numbers = {segment.id: number for number, segment in enumerate(segments)}
    if len(numbers) < len(segments):
        raise EvsimError("a morphology in which several segments have the same id; give each its own")
    sections = []
    for segment in segments:
        parent = segment.parent
        if parent is None:
            number, along = ROOT, 1.0
        else:  # PyNN's scripts give the segment itself, NeuroML's files a reference to it
            id_ = parent.segments if hasattr(parent, "segments") else parent.id
            if id_ not in numbers:
                raise EvsimError(f"segment {segment.name!r} has the parent {id_!r}, which the morphology does not have")
            number, along = numbers[id_], float(getattr(parent, "fraction_along", 1.0))
        begin = segment.proximal or _point_along(segments[number], along, segment)
        points = frusta([(p.x, p.y, p.z, p.diameter) for p in (begin, segment.distal)])
        sections.append(Section(segment.name or "", points, number, along))
    return sections


def _point_along(parent: Any, along: float, segment: Any) -> Any:
    """Where a segment that names no beginning has it: at the end of its parent."""
    if along != 1.0 or parent is segment:
        raise EvsimError(f"segment {segment.name!r} has no proximal point; give it one")
    return parent.distal


# --- points in arrays, as of SWC files -------------------------------------------------------------------------------


def _of_array(morphology: Any) -> list[Section]:
    """Libneuroml's ``ArrayMorphology``: all points of the soma are one section; each other one ends a section.

    The fourth column is taken for the diameter, as libNeuroML's segments and PyNN's NEURON have it; but libNeuroML's
    loader of SWC files leaves the radius there, so a warning says so.
    """
    warnings.warn(
        "the fourth column of an ArrayMorphology is taken for diameters; libNeuroML's loader of SWC files leaves radii "
        "there, and load_morphology(..., use_library='morphio') does not",
        stacklevel=2,
    )
    names = {1: SOMA, 2: "axon", 3: "basal_dendrite", 4: "apical_dendrite"}
    vertices = np.asarray(morphology.vertices, np.float64)
    parents = np.asarray(morphology.connectivity, np.int64)
    kinds = [names.get(int(kind), "") for kind in np.asarray(morphology.node_types)]
    soma = [k for k, kind in enumerate(kinds) if kind == SOMA]
    roots = np.flatnonzero(parents < 0)
    if len(roots) != 1:
        raise EvsimError(f"a morphology with {len(roots)} points that have no parent; there must be exactly 1")
    if int(roots[0]) not in soma:
        raise EvsimError("a morphology without a soma: its first point is of another type; an SWC file gives it type 1")
    number = dict.fromkeys(soma, 0)
    for k in range(len(kinds)):
        number.setdefault(k, len(number) - len(soma) + 1)
    sections = [Section(SOMA, _soma_of_array(vertices, parents, soma), groups=(SOMA,))]
    for k, kind in enumerate(kinds):
        if kind != SOMA:
            begin = vertices[parents[k]].copy()
            if kinds[parents[k]] == SOMA:  # the neurite is not as thick as the soma that it leaves
                begin[3] = vertices[k][3]
            groups = (kind,) if kind else ()
            sections.append(Section("", frusta([begin, vertices[k]]), number[int(parents[k])], 1.0, groups))
    return sections


def _soma_of_array(vertices: NDArray[np.float64], parents: NDArray[np.int64], soma: list[int]) -> NDArray[np.float64]:
    """A cylinder of the area of the soma's frusta and their length together; of a single point, that of a sphere."""
    pairs = [(vertices[parents[k]], vertices[k]) for k in soma if parents[k] in soma]
    if not pairs:
        return _cylinder(*[vertices[soma[0]][3]] * 2)
    length = area = 0.0
    for begin, end in pairs:
        long = float(np.linalg.norm(end[:3] - begin[:3]))
        length += long
        area += np.pi * (begin[3] + end[3]) / 2 * float(np.hypot(long, (end[3] - begin[3]) / 2))
    return _cylinder(length, area / (np.pi * length))


def _cylinder(length: float, diameter: float) -> NDArray[np.float64]:
    return np.array([[0.0, diameter], [length, diameter]])


# --- MorphIO ---------------------------------------------------------------------------------------------------------


def _of_morphio(morphology: Any) -> list[Section]:
    """The soma, and then MorphIO's sections, each one by its number plus one."""
    soma = morphology.soma
    if not len(soma.points):
        raise EvsimError("a morphology without a soma; its file has no point of it")
    if soma.type.name == "SOMA_CYLINDERS" and len(soma.points) > 1:
        body = frusta(_with_diameters(soma.points, soma.diameters))
    else:  # a sphere has the area of a cylinder that is as long as thick
        body = _cylinder(*[float(np.sqrt(soma.surface / np.pi))] * 2)
    sections = [Section(SOMA, body, groups=(SOMA,))]
    for section in morphology.sections:
        points = frusta(_with_diameters(section.points, section.diameters))
        parent = 0 if section.is_root else int(section.parent.id) + 1
        sections.append(Section(f"section_{section.id}", points, parent, 1.0, (section.type.name,)))
    return sections


def _with_diameters(points: Iterable, diameters: Iterable) -> np.ndarray:
    return np.column_stack([np.asarray(points, np.float64), np.asarray(diameters, np.float64)])
