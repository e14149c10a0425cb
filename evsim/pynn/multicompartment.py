"""MultiCompartmentNeuron: a morphology with ion channels in its membrane and synapses on it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyNN import errors
from pyNN.morphology import NeuriteDistribution
from pyNN.parameters import IonicSpecies, ParameterSpace
from pyNN.standardmodels import cells

from evsim import registry
from evsim.cable.compartments import cut
from evsim.pynn.invalid import InvalidValueError, naming
from evsim.pynn.ion_channels import DENSITY, REVERSAL, IonChannel
from evsim.pynn.morphology import Place, over_sections, placing, random_placement
from evsim.pynn.neurites import Neurites, neurites
from evsim.pynn.plain_parameters import PlainParameters
from evsim.pynn.point_neurons import (
    CondAlphaPostSynapticResponse,
    CondBetaPostSynapticResponse,
    CondExpPostSynapticResponse,
    CurrExpPostSynapticResponse,
)

LOCATIONS = "locations"


# response -> its time constants (of decay and rise), whether it rises, whether it is a conductance
_RESPONSES = {
    CurrExpPostSynapticResponse: (("tau_syn",), False, False),
    CondExpPostSynapticResponse: (("tau_syn",), False, True),
    CondAlphaPostSynapticResponse: (("tau_syn",), True, True),
    CondBetaPostSynapticResponse: (("tau_decay", "tau_rise"), True, True),
}


class MultiCompartmentNeuron(PlainParameters, cells.MultiCompartmentNeuron):
    """A neuron of compartments: a morphology with ion channels and synapses, in the rule set ``ideal``.

    A class of it, or this one, names its ``ion_channels`` and ``post_synaptic_entities``; an instance gives parameters:

    Args:
        parameters: ``morphology``; ``cm`` (uF/cm2, a number or distributed over sections); ``Ra`` (Ohm cm);
            ``ionic_species``, by name; and of each channel and response a dictionary of its own.

    Attributes:
        ion_channels: name -> ``NaChannel``, ``KdrChannel``, ``PassiveLeak`` or ``PassiveLeakHH``.
        post_synaptic_entities: name -> ``CondExpPostSynapticResponse``, ``CondAlpha...``, ``CondBeta...``, or
            ``CurrExp...``.
        d_lambda: the longest compartment, in length constants at 100 Hz; PyNN's value for NEURON.
        spike_threshold: a spike is where the potential rises above it (mV); NEURON's value.
        spike_source: the label of the section whose middle that is said of; None for the soma.
        second_order: whether time steps are those of Crank and Nicolson (the error falls with the square of the time
            step), instead of backward Euler, as in NEURON if nothing is said.

    Raises:
        InvalidValueError: a value that cannot be, such as a negative conductance.
        NonExistentParameterError: a parameter that there is not.
        NoModelAvailableError: a channel or response that evsim does not have.
    """

    ion_channels: dict[str, type] = {}  # noqa: RUF012 - scripts set it, as that of PyNN's classes
    post_synaptic_entities: dict[str, type] = {}  # noqa: RUF012
    d_lambda: float = 0.1
    spike_threshold: float = 10.0
    spike_source: str | None = None
    second_order: bool = False

    def __init__(self, **parameters: Any) -> None:
        self.ion_channels = dict(self.ion_channels)
        self.post_synaptic_entities = dict(self.post_synaptic_entities)
        label = getattr(self, "label", None)
        self._name: str = label if isinstance(label, str) else type(self).__name__
        self._refuse_unknown(parameters)
        self._given = {
            name: {**part.default_parameters, **parameters.pop(name, {})} for name, part in self._components()
        }
        whole = {**cells.MultiCompartmentNeuron.default_parameters, **parameters}
        self.morphology, self.cm, self.Ra = whole["morphology"], whole["cm"], whole["Ra"]
        self.ionic_species = whole["ionic_species"] or {}
        self.extra_parameters = {}
        self._check_whole()
        own = self._scalars()
        self.default_parameters = own
        with naming(self._name, own):
            self.parameter_space = ParameterSpace(own, dict.fromkeys(own, float), None)

    def _components(self) -> Iterator[tuple[str, Any]]:
        yield from self.ion_channels.items()
        yield from self.post_synaptic_entities.items()

    # --- what was given ----------------------------------------------------------------------------------------------

    def _refuse_unknown(self, parameters: dict[str, Any]) -> None:
        for name, channel in self.ion_channels.items():
            if not (isinstance(channel, type) and issubclass(channel, IonChannel)):
                raise errors.NoModelAvailableError(
                    f"{self._name}: the ion channel {name!r} is {channel!r}; evsim has NaChannel, KdrChannel, "
                    "PassiveLeak and PassiveLeakHH"
                )
        for name, response in self.post_synaptic_entities.items():
            if response not in _RESPONSES:
                known = ", ".join(kind.__name__ for kind in _RESPONSES)
                raise errors.NoModelAvailableError(
                    f"{self._name}: the post-synaptic entity {name!r} is {response!r}; evsim has {known}"
                )
        if len({_RESPONSES[response][2] for response in self.post_synaptic_entities.values()}) > 1:
            raise errors.NoModelAvailableError(f"{self._name} takes currents or conductances as synapses, not both")
        known = [*cells.MultiCompartmentNeuron.default_parameters, *(name for name, _ in self._components())]
        for name, value in parameters.items():
            if name not in known:
                raise errors.NonExistentParameterError(name, self._name, known)
            if name in known[len(cells.MultiCompartmentNeuron.default_parameters) :]:
                self._refuse_component(name, value)

    def _refuse_component(self, name: str, given: Any) -> None:
        if not isinstance(given, dict):
            raise InvalidValueError(f"{self._name}: {name} is {given!r}; give a dictionary of its parameters")
        part = dict(self._components())[name]
        known = {*part.default_parameters, *((REVERSAL,) if issubclass(part, IonChannel) else ())}
        if unknown := sorted(given.keys() - known):
            raise errors.NonExistentParameterError(f"{name}.{unknown[0]}", self._name, sorted(known))

    def _check_whole(self) -> None:
        if self.morphology is None:
            raise InvalidValueError(f"{self._name} without a morphology; give it one")
        if not (isinstance(self.Ra, int | float | np.number) and np.isfinite(self.Ra) and self.Ra > 0):
            raise InvalidValueError(f"{self._name}: Ra is {self.Ra!r}; it must be a number above 0 (Ohm cm)")
        if not isinstance(self.ionic_species, dict):
            raise InvalidValueError(f"{self._name}: ionic_species is {self.ionic_species!r}; give a dictionary")
        for name, species in self.ionic_species.items():
            if not isinstance(species, IonicSpecies):
                raise InvalidValueError(
                    f"{self._name}: the ionic species {name!r} is {species!r}; give it as IonicSpecies({name!r}, "
                    "reversal_potential=...)"
                )

    def _reversal(self, name: str) -> Any:
        """A number, an array of the cells, or distributed over the sections."""
        channel, given = self.ion_channels[name], self._given[name].get(REVERSAL)
        if channel.ion in self.ionic_species:
            of_ion = self.ionic_species[channel.ion].reversal_potential
            given = given if of_ion is None else of_ion
        return channel.e_rev if given is None else given

    def _scalars(self) -> dict[str, Any]:
        """The parameters that may differ from cell to cell: ``"na.e_rev"``, ``"AMPA.tau_syn"`` and so on."""
        own = {f"{name}.{REVERSAL}": self._reversal(name) for name in self.ion_channels}
        own = {name: value for name, value in own.items() if not isinstance(value, NeuriteDistribution)}
        for name in self.post_synaptic_entities:
            own |= {f"{name}.{key}": value for key, value in self._given[name].items() if key != LOCATIONS}
        return own

    # --- the model ---------------------------------------------------------------------------------------------------

    @cached_property
    def neurites(self) -> Neurites:
        """The sections of the morphology; raises InvalidValueError."""
        return neurites(self.morphology)

    @cached_property
    def tree(self) -> Any:
        """The compartments."""
        return cut(self.neurites.sections, self._cm, float(self.Ra), self.d_lambda)

    @cached_property
    def _cm(self) -> NDArray[np.float64]:
        return over_sections(self.cm, self.morphology, f"{self._name}: cm", above_zero=True)

    @cached_property
    def synapses(self) -> dict[str, tuple[Place, ...]]:
        """The places of each kind of synapse: the first one of each compartment, where all of them act as one."""
        found = {}
        for name in self.post_synaptic_entities:
            given, what = self._given[name][LOCATIONS], f"{self._name}: {name}"
            generator = random_placement(given) if isinstance(given, int | float | NeuriteDistribution) else given
            places: dict[int, Place] = {}
            for place in placing(generator, what).places(self.morphology):
                places.setdefault(self.node(place), place)
            found[name] = tuple(places.values())
        return found

    @cached_property
    def cable(self) -> Any:
        """What is simulated; raises InvalidValueError."""
        from evsim.cable.model import Cable, Channel, Receptor  # loads numba, which an import of the API does without

        channels = []
        for name, channel in self.ion_channels.items():
            what = f"{self._name}: {name}"
            density = over_sections(self._given[name][DENSITY], self.morphology, f"{what}.{DENSITY}")
            reversal = self._reversal(name)
            fixed = isinstance(reversal, NeuriteDistribution)
            values = over_sections(reversal, self.morphology, f"{what}.{REVERSAL}", any_sign=True) if fixed else None
            channels.append(Channel(name, channel.kind, density, values))
        receptors = [
            Receptor(name, taus, rises, conducts, tuple(self.node(place) for place in self.synapses[name]))
            for name, response in self.post_synaptic_entities.items()
            for taus, rises, conducts in [_RESPONSES[response]]
        ]
        return Cable(
            self.tree,
            tuple(self.tree.names(self.neurites.sections)),
            self._cm,
            tuple(channels),
            tuple(receptors),
            self.tree.at(self._source_section(), 0.5),
            float(self.spike_threshold),
            bool(self.second_order),
        )

    def _source_section(self) -> int:
        if self.spike_source is None:
            return self.neurites.source
        return int(self.neurites.with_label(self.spike_source)[0])

    @cached_property
    def model_name(self) -> str:
        """The name of its model, which is made when the first population is."""
        from evsim.cable.model import neuron_model  # loads numba, which an import of the API does without

        model = neuron_model(registry.free_name(self._name), self.cable)
        registry.register(model)
        return model.name

    @property
    def bytes_of_state(self) -> int:
        """What a cell takes in the engine: its state, currents and input."""
        return 8 * (self.cable.n_states + len(self.tree) + len(self.cable.sites))

    def node(self, place: Place) -> int:
        """The compartment of a place."""
        return self.tree.at(place.section, place.along)

    def place_name(self, place: Place) -> str:
        """The model's name of a place."""
        return self.cable.names[self.node(place)]

    # --- PyNN's side -------------------------------------------------------------------------------------------------

    @property
    def recordable(self) -> list[str]:
        """What can be recorded where no location is named: of the soma."""
        return ["spikes", "v"]

    @property
    def units(self) -> dict[str, str]:
        """Of everything that can be recorded, at whatever location."""
        own = {f"{name}.{kind.recordable[0]}": kind for name, kind in self.post_synaptic_entities.items()}
        return {
            "v": "mV",
            **{name: "dimensionless" for name in self.cable.gates},
            **{name: "uS" if _RESPONSES[kind][2] else "nA" for name, kind in own.items()},
        }

    def can_record(self, variable: str, location=None) -> bool:
        """Whether a variable can be recorded, at a location if one is named."""
        return variable in (self.recordable if location is None else self.units)

    @property
    def receptor_types(self) -> list[str]:
        """The names of the post-synaptic entities."""
        return list(self.post_synaptic_entities)

    @property
    def conductance_based(self) -> bool:
        """Whether weights are conductances."""
        return all(_RESPONSES[response][2] for response in self.post_synaptic_entities.values())

    @property
    def default_initial_values(self) -> dict[str, float]:
        """The potential; gates begin where they settle."""
        return {"v": -65.0}

    @property
    def segment_names(self) -> list[str]:
        """The names of the sections."""
        return [section.name for section in self.neurites.sections]

    def has_parameter(self, name: str) -> bool:
        """Whether it is one of those that may differ between cells."""
        return name in self.default_parameters
