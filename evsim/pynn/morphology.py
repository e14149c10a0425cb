"""Where in a neuron: selections of its sections, what is distributed over them, and places on them.

The names are those of ``pyNN.neuron.morphology``, so ``sim.morphology.uniform("soma", 0.12)`` works here as there.
"""
# ruff: noqa: N801, D101 - the names are PyNN's, and classes that PyNN documents keep its words

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyNN import morphology as base

from evsim.errors import MissingPartError
from evsim.pynn.invalid import InvalidValueError
from evsim.pynn.neurites import SOMA, neurites

EXTRA = "morphology"
ALL = "all"


class MissingPackageError(MissingPartError, ImportError):
    """A package that reads morphologies, and that is not installed."""


def load_morphology(url, replace_axon=False, use_library="neuroml"):
    """PyNN's function of that name; raises MissingPackageError where the library is not installed."""
    try:
        return base.load_morphology(url, replace_axon, use_library)
    except ImportError as error:
        raise MissingPackageError(f"what {use_library!r} stands for", EXTRA, str(error)) from error


class NeuroMLMorphology(base.NeuroMLMorphology):
    def __init__(self, morphology) -> None:
        try:
            super().__init__(morphology)
        except ImportError as error:
            raise MissingPackageError("libNeuroML or MorphIO", EXTRA, str(error)) from error


class MorphIOMorphology(base.MorphIOMorphology):
    def __init__(self, morphology_file) -> None:
        try:
            super().__init__(morphology_file)
        except ImportError as error:
            raise MissingPackageError("MorphIO", EXTRA, str(error)) from error


# --- selecting sections ----------------------------------------------------------------------------------------------


def _selected(morphology, labels: Iterable[str], what: str, among: Any) -> NDArray[np.int64]:
    """The sections that have one of these labels, ascending; raises InvalidValueError where there is none."""
    known = neurites(morphology).labels
    found = [known[label] for label in labels if label in known]
    if not found:
        has = ", ".join(sorted(known)) or "none"
        raise InvalidValueError(f"this morphology has no {what}; the labels of its sections are {has}")
    return _among(np.unique(np.concatenate(found)), among)


def _among(sections: NDArray[np.int64], some: Any) -> NDArray[np.int64]:
    """Those of the sections that are among some, if some are given."""
    return sections if some is None or some is False else np.intersect1d(sections, np.fromiter(some, np.int64))


class with_label(base.with_label):
    def __call__(self, morphology, filter_by_section=None, **kwargs) -> NDArray[np.int64]:
        """The sections that have any of the labels; raises InvalidValueError for a label that none has."""
        found = neurites(morphology)
        if ALL in self.labels:
            return _among(np.arange(len(found.sections)), filter_by_section)
        chosen = np.unique(np.concatenate([found.with_label(label) for label in self.labels]))
        return _among(chosen, filter_by_section)


class dendrites(base.dendrites):
    def __call__(self, morphology, filter_by_section=None, **kwargs) -> NDArray[np.int64]:
        """Basal and apical ones."""
        labels = ("basal_dendrite", "apical_dendrite", "dendrite_group")
        return _selected(morphology, labels, "dendrites", filter_by_section)


class apical_dendrites(base.apical_dendrites):
    def __call__(self, morphology, filter_by_section=None, **kwargs) -> NDArray[np.int64]:
        """Those sections."""
        return _selected(morphology, ["apical_dendrite"], "apical dendrites", filter_by_section)


class basal_dendrites(base.basal_dendrites):
    def __call__(self, morphology, filter_by_section=None, **kwargs) -> NDArray[np.int64]:
        """Those sections."""
        return _selected(morphology, ["basal_dendrite"], "basal dendrites", filter_by_section)


class axon(base.axon):
    def __call__(self, morphology, filter_by_section=None, **kwargs) -> NDArray[np.int64]:
        """Its sections."""
        return _selected(morphology, ["axon", "axon_group"], "axon", filter_by_section)


class soma(base.MorphologyFilter):
    """The sections of the soma."""

    def __call__(self, morphology, filter_by_section=None, **kwargs) -> NDArray[np.int64]:
        """These."""
        return _selected(morphology, [SOMA, "soma_group"], "soma", filter_by_section)


class random_section(base.random_section):
    def __call__(self, morphology, rng: np.random.Generator | None = None, **kwargs) -> NDArray[np.int64]:
        """One of the sections that the inner selection gives."""
        among = self.f(morphology, **kwargs)
        if not len(among):
            raise InvalidValueError("a random section is to be chosen among none")
        return np.array([among[(rng or np.random.default_rng()).integers(len(among))]])


sample = random_section


# --- distributing over sections --------------------------------------------------------------------------------------


class HasSelector:
    """Takes labels for selections."""

    selector: Any

    def get_with_label_selector(self, label: str) -> with_label:
        """The sections with that label."""
        return with_label(label)


class uniform(HasSelector, base.uniform):
    def value_in(self, morphology, index: int):
        """The value in one section."""
        return self.value_provider if index in self.selector(morphology) else self.absence


class by_distance(HasSelector, base.by_distance):
    def value_in(self, morphology, index: int):
        """What the function gives for the path (um) from the root to the beginning of a section."""
        if index not in self.selector(morphology):
            return self.absence
        return self.value_provider(float(neurites(morphology).distance[index]))


class by_diameter(HasSelector, base.by_diameter):
    def value_in(self, morphology, index: int):
        """What the function gives for the diameter (um) at the beginning of a section."""
        if index not in self.selector(morphology):
            return self.absence
        return self.value_provider(float(neurites(morphology).sections[index].points[0, 1]))


any = base.any


# --- placing on sections ---------------------------------------------------------------------------------------------


class Place(NamedTuple):
    """A place on a neuron.

    Attributes:
        label: what recordings there are called.
        section: the number of its section.
        along: from 0 at its beginning to 1 at its end.
        chance: that there is anything: random placement leaves some sections out.
    """

    label: str
    section: int
    along: float
    chance: float = 1.0


class LabelledLocations(HasSelector, base.LabelledLocations):
    def places(self, morphology) -> list[Place]:
        """The middle of each section that has one of the labels; raises InvalidValueError for an unknown one."""
        found = []
        for label in self.labels:
            sections = neurites(morphology).with_label(label)
            names = [label] if len(sections) == 1 else [f"{label}-{k}" for k in range(len(sections))]
            found += [Place(name, int(section), 0.5) for name, section in zip(names, sections, strict=True)]
        return found


class at_distances(HasSelector, base.at_distances):
    def places(self, morphology) -> list[Place]:
        """Those parts of the way along each of the sections, from 0 to 1."""
        sections = self.selector(morphology)
        for d in self.distances:
            if not 0 <= d <= 1:
                raise InvalidValueError(f"a place at the distance {d!r}; it is a part of a section's length, 0 to 1")
        prefixes = [""] if len(sections) == 1 else [f"section_{section}-" for section in sections]
        pairs = zip(prefixes, sections, strict=True)
        return [Place(f"{prefix}d-{d}", int(section), float(d)) for prefix, section in pairs for d in self.distances]


class random_placement(base.random_placement):
    def places(self, morphology) -> list[Place]:
        """The middle of the sections: what lies in one section lies there together, and acts as one place.

        ``density_function`` is a number per um of length, or distributed over the sections. Where fewer than one are
        expected in a section, that is the chance that there is one.
        """
        sections = neurites(morphology).sections
        density = over_sections(self.density_function, morphology, "the density of a random placement")
        expected = density * np.array([section.length for section in sections])
        return [Place(f"random-{k}", k, 0.5, min(float(n), 1.0)) for k, n in enumerate(expected) if n > 0]


class centre(HasSelector, base.centre):
    def places(self, morphology) -> list[Place]:
        """The middle of the middle one of the sections."""
        sections = self.selector(morphology)
        return [Place("centre", int(sections[len(sections) // 2]), 0.5)]


center = centre


def placing(locations: Any, what: str) -> Any:
    """What gives places, from that, a label or several; raises InvalidValueError for anything else.

    Args:
        what: the places of what, for the error.
    """
    if isinstance(locations, str):
        return LabelledLocations(locations)
    if isinstance(locations, list | tuple) and locations and all(isinstance(label, str) for label in locations):
        return LabelledLocations(*locations)
    if hasattr(locations, "places"):
        return locations
    raise InvalidValueError(
        f"{what} at {locations!r}; give the label of a section, or at_distances, random_placement or centre of "
        "sim.morphology"
    )


# --- values of sections ----------------------------------------------------------------------------------------------


def over_sections(value: Any, morphology, what: str, above_zero: bool = False, any_sign: bool = False) -> Any:
    """A number, or what is distributed over sections, as one number for each section (sections,).

    Args:
        what: whose values, for the error.
        above_zero, any_sign: what a value may be; else it must not be negative.

    Raises:
        InvalidValueError: a value cannot be.
    """
    count = len(neurites(morphology).sections)
    if isinstance(value, base.NeuriteDistribution) and hasattr(value, "value_in"):
        of_section: Any = value.value_in  # type: ignore[attr-defined]
        given = [of_section(morphology, index) for index in range(count)]
    elif isinstance(value, int | float | np.number) and not isinstance(value, bool):
        given = [value] * count
    else:
        raise InvalidValueError(f"{what} is {value!r}; give a number, or a distribution such as sim.morphology.uniform")
    values = np.zeros(count)
    for index, one in enumerate(given):
        number = 0.0 if one is None else _number(one, what, index)
        if not np.isfinite(number) or (number < 0 and not any_sign) or (number <= 0 and above_zero):
            limit = "finite" if any_sign else f"{'above' if above_zero else 'at least'} 0"
            raise InvalidValueError(f"{what} is {number:g} in section {index}; it must be {limit}")
        values[index] = number
    return values


def _number(value: Any, what: str, index: int) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InvalidValueError(f"{what} is {value!r} in section {index}; it must be a number") from None
