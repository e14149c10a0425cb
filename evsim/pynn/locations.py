"""Locations on neurons of compartments, of what is recorded and of electrodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyNN import errors
from pyNN.recording import Variable

from evsim.pynn.invalid import InvalidValueError
from evsim.pynn.morphology import placing
from evsim.pynn.multicompartment import MultiCompartmentNeuron

if TYPE_CHECKING:
    from evsim.pynn.populations import Population


def injection_places(celltype: Any, location: Any) -> list[str]:
    """The model's names of the places where a current goes in; that of a point is empty."""
    if location is None:
        return [""]
    _refuse_points(celltype, "a current", location)
    places = placing(location, "a current").places(celltype.morphology)
    return list(dict.fromkeys(celltype.place_name(place) for place in places))


def _refuse_points(celltype: Any, what: str, location: Any) -> None:
    if not isinstance(celltype, MultiCompartmentNeuron):
        raise InvalidValueError(
            f"{what} at the location {location!r}; {type(celltype).__name__} is a point and has none"
        )


class Located:
    """The variables of a population that are recorded at locations.

    Attributes:
        names: of their signals, such as ``"soma.v"``, in the order in which they were asked for.
    """

    def __init__(self, population: Population) -> None:
        self._population = population
        self._places: dict[str, str] = {}  # label -> the model's name of the place
        self.names: list[str] = []

    def variables(self, names: list[str], locations: Any) -> list[Variable]:
        """Each of the variables at each of the locations.

        Raises:
            InvalidValueError: there is no such location.
            RecordingError: there is no such variable there.
        """
        celltype: Any = self._population.celltype
        _refuse_points(celltype, f"recording {', '.join(names)}", locations)
        found = []
        for location in locations if isinstance(locations, list | tuple) else [locations]:
            for place in placing(location, f"recording {', '.join(names)}").places(celltype.morphology):
                label = self._label(place.label, celltype.place_name(place))
                found += [self._variable(name, label) for name in names]
        return list(dict.fromkeys(found))

    def _label(self, label: str, place: str) -> str:
        """The label, with a number added where it already stands for another place."""
        taken, number = label, 1
        while self._places.setdefault(taken, place) != place:
            number += 1
            taken = f"{label} ({number})"
        return taken

    def _variable(self, name: str, label: str) -> Variable:
        variable = Variable(name=name, location=label, label=label)
        if self.model_name(variable) not in self._population.celltype.cable.units:  # type: ignore[attr-defined]
            raise errors.RecordingError(f"{name} at {self._places[label]}", self._population.celltype)
        if (shown := f"{label}.{name}") not in self.names:
            self.names.append(shown)
        return variable

    def model_name(self, variable: Variable) -> str:
        """What the model calls a variable at a location."""
        return f"{self._places[str(variable.location)]}.{variable.name}"
