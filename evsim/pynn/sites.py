"""Which synapses of a neuron of compartments a projection reaches."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyNN import errors
from pyNN.morphology import MorphologyFilter

from evsim.cable.compartments import site_name
from evsim.pynn import simulator
from evsim.pynn.columns import Connections
from evsim.pynn.morphology import ALL, Place, with_label
from evsim.pynn.multicompartment import MultiCompartmentNeuron
from evsim.pynn.signs import Signs, signs_of
from evsim.synapses import Listed

_PLACEMENT, _CHOICE = 0x5EED, 0xC401CE  # what random numbers are for


def present(celltype: MultiCompartmentNeuron, size: int, number: int) -> dict[str, NDArray[np.bool_]]:
    """For each kind of synapse (cells, places) whether a cell has it there.

    Args:
        number: of the population, which with the seed of ``setup()`` decides what is drawn.
    """
    rng = np.random.default_rng([simulator.state.seed & (2**64 - 1), number, _PLACEMENT])
    found = {}
    for name, places in celltype.synapses.items():
        chance = np.array([place.chance for place in places])
        found[name] = rng.random((size, len(places))) < chance
    return found


class Sites:
    """Finds the synapses that a projection reaches on each of its targets, and notes them.

    Attributes:
        names: the places, by the names that their models have for them.
    """

    def __init__(self, projection: Any, selector: Any) -> None:
        self._projection, self._selector = projection, selector
        usable = isinstance(selector, MorphologyFilter) and callable(selector)
        if not (selector is None or isinstance(selector, str) or usable):
            raise errors.ConnectionError(
                f"projection {projection.label!r}: the location selector {selector!r}; give the label of a section, or "
                "one of the selections of sim.morphology"
            )
        seed = simulator.state.seed & (2**64 - 1)
        self._rng = np.random.default_rng([seed, len(simulator.state.projections), _CHOICE])
        self.names: list[str] = []
        self._numbers: dict[str, int] = {}
        self._noted: list[np.ndarray] = []

    def of(self, target: int) -> list[int]:
        """The numbers of the places on one of the targets; raises ConnectionError where there is none."""
        cell = self._projection.post.all_cells[target]
        population, celltype = cell.parent, cell.celltype
        receptor = self._projection.receptor_type
        index = population.id_to_index(cell)
        here = population.synapses_present[receptor][index]
        places = [place for place, has in zip(celltype.synapses[receptor], here, strict=True) if has]
        chosen = self._chosen(celltype, places)
        if not chosen:
            raise errors.ConnectionError(
                f"projection {self._projection.label!r}: cell {index} of population {population.label!r} has no "
                f"{receptor!r} synapse where its location selector looks; it has them in sections "
                f"{sorted({place.section for place in places})}"
            )
        return [self._number(celltype.place_name(place)) for place in chosen]

    def _chosen(self, celltype: MultiCompartmentNeuron, places: list[Place]) -> list[Place]:
        """Of several in a section the first, as PyNN has it with NEURON."""
        if self._selector is None:
            if len(places) > 1:
                raise errors.ConnectionError(
                    f"projection {self._projection.label!r}: its targets have {self._projection.receptor_type!r} "
                    f"synapses in {len(places)} places; give the connector a location_selector"
                )
            return places
        first: dict[int, Place] = {}
        for place in places:
            first.setdefault(place.section, place)
        if self._selector == ALL:
            return list(first.values())
        choose = with_label(self._selector) if isinstance(self._selector, str) else self._selector
        try:
            sections = choose(celltype.morphology, filter_by_section=list(first), rng=self._rng)  # type: ignore[operator]
        except ValueError as error:
            raise errors.ConnectionError(f"projection {self._projection.label!r}: {error}") from None
        return [first[int(section)] for section in sections if int(section) in first]

    def _number(self, name: str) -> int:
        if name not in self._numbers:
            self._numbers[name] = len(self.names)
            self.names.append(name)
        return self._numbers[name]

    def note(self, site: int, count: int) -> None:
        """So many synapses, the next ones, lie at one place."""
        self._noted.append(np.full(count, site, np.int32))

    def spread(self, connections: Connections) -> Connections:
        """Connections that a connector hands over at once, each repeated for every place on its target."""
        synapses = connections.synapses
        of = {int(target): self.of(int(target)) for target in np.unique(synapses.target)}
        places = [of[int(target)] for target in synapses.target]
        each = np.repeat(np.arange(len(places)), [len(some) for some in places])
        self._noted.append(np.array([site for some in places for site in some], np.int32))
        listed = Listed(
            *(column[each] for column in (synapses.source, synapses.target, synapses.weight, synapses.delay))
        )
        delay = None if connections.delay is None else connections.delay[each]
        return Connections(listed, delay, {name: column[each] for name, column in connections.others.items()})

    @property
    def numbers(self) -> NDArray[np.int32]:
        """(n,) the number of the place of each synapse."""
        return np.concatenate([*self._noted, np.empty(0, np.int32)])

    def receptor(self, name: str) -> str:
        """That of a place, by the model's name for it."""
        return site_name(name, str(self._projection.receptor_type))

    def weight(self, name: str, column: np.ndarray) -> np.ndarray:
        """Weights (n,) of the synapses at a place, which are taken as they are."""
        return column

    def refuse(self, weight: np.ndarray) -> None:
        """Any weights (n,) may be set."""


def sites_of(projection: Any, connector: Any) -> Sites | Signs | None:
    """For a projection onto neurons of compartments, or with weights of either sign; None for all others.

    Raises:
        ConnectionError: the targets are of both kinds, or have no places where a connector selects a location; or a
            connector of weights with signs does not go with the synapses or the targets.
    """
    signs = signs_of(projection, connector)
    post, selector = projection.post, getattr(connector, "location_selector", None)
    if projection.synapse_type.receptors:  # its own, whatever the cell
        if selector is not None:
            raise errors.ConnectionError(
                f"projection {projection.label!r}: {type(projection.synapse_type).__name__} reaches a cell as a whole, "
                "so its connector can select no location"
            )
        return None
    kinds = {isinstance(part.celltype, MultiCompartmentNeuron) for part in getattr(post, "populations", [post])}
    if True in kinds and signs:
        raise errors.ConnectionError(
            f"projection {projection.label!r}: a {type(connector).__name__} reaches points, and {post.label!r} has "
            "compartments; connect it by another connector"
        )
    if kinds == {True}:
        return Sites(projection, selector)
    if True in kinds:
        raise errors.ConnectionError(
            f"projection {projection.label!r}: of its targets some have compartments and others are points; "
            "connect them by projections of their own"
        )
    if selector is not None:
        raise errors.ConnectionError(
            f"projection {projection.label!r}: {post.label!r} is made of points, where no location can be selected"
        )
    return signs
