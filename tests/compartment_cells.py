"""Morphologies and cell types of compartments, made without the packages that read files of them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from pyNN.morphology import Morphology
from pyNN.parameters import IonicSpecies


class Segments(Morphology):
    """A morphology in segments, as PyNN's ``NeuroMLMorphology`` is one."""

    def __init__(self, segments: list, groups: dict | None = None) -> None:
        super().__init__()
        self._morphology = SimpleNamespace(segments=segments)
        self.section_groups = groups or {}


def point(x: float, diameter: float) -> SimpleNamespace:
    return SimpleNamespace(x=x, y=0.0, z=0.0, diameter=diameter)


def segment(name: str | None, number: int, length: float, diameter: float, parent: Any = None) -> SimpleNamespace:
    """A cylinder."""
    ends = point(0.0, diameter), point(length, diameter)
    return SimpleNamespace(name=name, id=number, proximal=ends[0], distal=ends[1], parent=parent)


def ball_and_stick() -> Segments:
    """A soma, and a dendrite at its end."""
    soma = segment("soma", 0, 18.8, 18.8)
    return Segments([soma, segment("dendrite", 1, 500.0, 2.0, soma)])


def cell_class(sim: Any, **members: Any) -> Any:
    """A class with Hodgkin and Huxley's channels and an AMPA synapse."""
    channels = {"pas": sim.PassiveLeak, "na": sim.NaChannel, "kdr": sim.KdrChannel}
    synapses = {"AMPA": sim.CondExpPostSynapticResponse}
    return type(
        "Cell", (sim.MultiCompartmentNeuron,), {"ion_channels": channels, "post_synaptic_entities": synapses} | members
    )


def parameters(sim: Any, **changed: Any) -> dict[str, Any]:
    """Of such a class: a passive dendrite with a synapse at its middle, on an active soma."""
    uniform = sim.morphology.uniform
    return {
        "morphology": ball_and_stick(),
        "cm": 1.0,
        "Ra": 500.0,
        "ionic_species": {
            "na": IonicSpecies("na", reversal_potential=50.0),
            "k": IonicSpecies("k", reversal_potential=-77.0),
        },
        "pas": {"conductance_density": uniform("all", 0.0003), "e_rev": -54.3},
        "na": {"conductance_density": uniform("soma", 0.120)},
        "kdr": {"conductance_density": uniform("soma", 0.036)},
        "AMPA": {"locations": "dendrite", "e_syn": 0.0, "tau_syn": 2.0},
    } | changed
