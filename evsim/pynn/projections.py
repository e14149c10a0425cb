"""Projection: the synapses between two populations, made by a connector, read and changed."""
# ruff: noqa: D101 - classes that PyNN documents keep its words

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pyNN import common, connectors, errors
from pyNN.space import Space

from evsim.errors import EvsimError
from evsim.modulation import Modulation
from evsim.pynn import agreement, drawing, estimate, native_rng, simulator
from evsim.pynn.columns import Columns, Connections, in_ms, with_sign
from evsim.pynn.connection import Connection
from evsim.pynn.present_states import present_state
from evsim.pynn.present_synapses import is_structural, present_synapses
from evsim.pynn.present_weights import present_weights
from evsim.pynn.settable import Settable
from evsim.pynn.signs import Signs
from evsim.pynn.sites import Sites, sites_of
from evsim.pynn.structural import refuse_parts
from evsim.pynn.synapses import StaticSynapse
from evsim.release import Release
from evsim.structure import Structure
from evsim.synapses import is_constant


class Projection(Settable):
    __doc__ = common.Projection.__doc__
    _simulator = simulator
    _static_synapse_class = StaticSynapse

    def __init__(
        self,
        presynaptic_neurons,
        postsynaptic_neurons,
        connector,
        synapse_type=None,
        source=None,
        receptor_type=None,
        space=Space(),  # noqa: B008 - PyNN's signature
        label: str | None = None,
    ) -> None:
        _refuse_old("presynaptic", presynaptic_neurons)
        _refuse_old("postsynaptic", postsynaptic_neurons)
        if not getattr(postsynaptic_neurons, "receptor_types", True):
            raise errors.ConnectionError(
                f"{postsynaptic_neurons.label!r} is made of spike sources, which take no input"
            )
        own = _own_receptor(receptor_type, synapse_type)
        if own:
            receptor_type = postsynaptic_neurons.receptor_types[0]  # one that PyNN knows
        with simulator.state.whole():
            super().__init__(
                presynaptic_neurons, postsynaptic_neurons, connector, synapse_type, source, receptor_type, space, label
            )
            self._create(connector, own)

    def _create(self, connector, own: str | None) -> None:
        """Connect, whichever cells are local; ``own`` is the receptor of a synapse that has its own."""
        self.receptor_type = own or self.receptor_type
        self._refuse_shapes()
        self._begin()
        self._found: tuple[tuple, np.ndarray] | None = None  # which synapses are local, of which there are
        self.sites = sites_of(self, connector)
        if is_structural(self):
            refuse_parts(self)
        self.takes_magnitudes = self.takes_magnitudes and not isinstance(self.sites, Signs)
        self._collected: Columns | Connections | None = Columns()
        self.synapses, self._delay, self._others = self._connect(connector)
        self._collected = None
        agreement.agree_on_synapses(simulator.state, self)
        for name, column in self._others.items():
            self.synapse_type.refuse(self.label, name, column)
        if self.takes_magnitudes:
            self._replace("weight", self.synapses.weight)
        simulator.state.projections.append(self)
        simulator.state.changed()

    def _refuse_shapes(self) -> None:
        if isinstance(self._connector, connectors.FromListConnector):  # which takes its parameters cell by cell
            return
        for name, value in self.synapse_type.parameter_space.items():
            if value.shape not in (None, self.shape):
                raise errors.InvalidDimensionsError(
                    f"projection {self.label!r}: {name} has the shape {value.shape}; it must be {self.shape}"
                )

    def _connect(self, connector) -> Connections:
        synapses = native_rng.drawn(self, connector) if self.sites is None else None
        self.need = estimate.refuse_synapses(self, connector, simulator.state, stored=synapses is None)
        if synapses is not None:
            return Connections(synapses, None, {})
        if self.sites is None and (connections := drawing.draw(self, connector)) is not None:
            return connections
        connector.connect(self)
        if isinstance(self._collected, Columns):
            return self._collected.join(self.names, self.shape, simulator.state.dt)
        assert self._collected is not None
        return self._collected

    def take(self, connections: Connections) -> None:
        """Take over all connections at once, from a connector."""
        self._collected = connections if self.sites is None else self.sites.spread(connections)

    def _convergent_connect(
        self, presynaptic_indices, postsynaptic_index, location_selector=None, **connection_parameters
    ) -> None:
        """Take over the synapses onto one cell, from a connector."""
        assert isinstance(self._collected, Columns), "connectors connect while the projection is created"
        if self.sites is None:
            self._collected.add(presynaptic_indices, postsynaptic_index, connection_parameters)
            return
        sources = np.arange(self.pre.size, dtype=np.int32)[presynaptic_indices]
        assert isinstance(self.sites, Sites), "connectors of weights with signs hand over all at once"
        for site in self.sites.of(postsynaptic_index) if np.size(sources) else ():
            self._collected.add(sources, postsynaptic_index, connection_parameters)
            self.sites.note(site, np.size(sources))

    def __len__(self) -> int:
        """The number of synapses onto cells of this process."""
        local = self.local()
        return len(present_synapses(self)) if local is None else len(local)

    def size(self, gather=True) -> int:
        """The number of synapses; of those onto cells of this process where they are not gathered."""
        return len(present_synapses(self)) if gather else len(self)

    def local(self) -> np.ndarray | None:
        """Which synapses (n,) are onto cells of this process; None where all are."""
        if simulator.state.num_processes == 1:
            return None
        key = present_synapses(self), simulator.state.mpi_rank
        if self._found is None or self._found[0][0] is not key[0] or self._found[0][1] != key[1]:
            self._found = key, np.flatnonzero(np.asarray(self.post._mask_local)[self.targets])
        return self._found[1]

    def __getitem__(self, i):
        if not is_structural(self):
            self.synapses = self.synapses.stored()  # connections are looked at one by one
        if (local := self.local()) is not None:
            return self._of_local(i, local)
        if isinstance(i, slice):
            return [Connection(self, index) for index in range(*i.indices(len(self)))]
        if not -len(self) <= i < len(self):
            raise IndexError(f"connection {i} of a projection with {len(self)} connections")
        return Connection(self, i % len(self))

    def _of_local(self, i, local: np.ndarray):
        """Connections by their number among those of this process."""
        if not isinstance(i, slice) and not -len(local) <= i < len(local):
            raise IndexError(f"connection {i} of a projection with {len(local)} connections on this process")
        found = local[i]
        return Connection(self, int(found)) if np.ndim(found) == 0 else [Connection(self, k) for k in found.tolist()]

    @property
    def connections(self) -> Iterator[Connection]:
        """The connections, in the order in which they were created."""
        return iter(self)

    @property
    def names(self) -> list[str]:
        """The names of the parameters of the synapses."""
        return self.synapse_type.get_native_names()

    @property
    def sources(self) -> np.ndarray:
        """(n,) cells of ``pre``; to be read only."""
        return present_synapses(self).source

    @property
    def targets(self) -> np.ndarray:
        """(n,) cells of ``post``; to be read only."""
        return present_synapses(self).target

    def column(self, name: str) -> np.ndarray:
        """One parameter of every synapse (n,), in PyNN's units, as it is now; to be read only."""
        if name == "weight":
            present = present_weights(self)
            weight = present_synapses(self).weight if present is None else present
            return with_sign(weight, 1) if self.takes_magnitudes else weight
        if name in self.synapse_type.default_initial_values:
            return present_state(self, self.parts or self._last_parts, name)
        if name != "delay":
            return self._others[name]
        synapses, dt = present_synapses(self), simulator.state.dt
        if self._delay is not None and synapses is self.synapses:
            return self._delay
        steps = synapses.delay
        return np.broadcast_to(in_ms(steps[0], dt), steps.shape) if is_constant(steps) else in_ms(steps, dt)

    def value(self, name: str, index: int) -> float:
        """One parameter of one synapse."""
        if name == "delay" and self._delay is None and not is_structural(self):
            return float(in_ms(self.synapses.delay[index], simulator.state.dt))
        return float(self.column(name)[index])

    @property
    def shortest_delay(self) -> float:
        """In ms."""
        return self._extreme_delay(np.min, self.synapses.delays.least)

    @property
    def longest_delay(self) -> float:
        """In ms."""
        return self._extreme_delay(np.max, self.synapses.delays.most)

    def _extreme_delay(self, extreme, steps: float) -> float:
        """The least or greatest delay (ms), which is so many steps."""
        if self._delay is not None:
            return float(extreme(self._delay[:1] if is_constant(self._delay) else self._delay))
        return float(in_ms(steps, simulator.state.dt))

    def release(self) -> Release | None:
        """Which part of their weights the synapses release; None where that is always the whole."""
        return self.synapse_type.release(self.column, self._initial, dict(self._times_set))

    def structure(self) -> Structure | None:
        """How the synapses come and go; None where they are always the same."""
        return self.synapse_type.structure(self)

    def modulation(self) -> Modulation | None:
        """What the dopamine that the synapses give does; None where they give none."""
        return self.synapse_type.modulation(self.label, self.column)

    # --- of several processes -----------------------------------------------------------------------------------------

    @property
    def others(self) -> dict[str, np.ndarray]:
        """The parameters of the synapses beside weight and delay, (n,) each; to be read only."""
        return self._others

    @property
    def initial(self) -> dict[str, np.ndarray]:
        """The state variables that were set, (n,) each; to be read only."""
        return self._initial

    @property
    def exact_delay(self) -> np.ndarray | None:
        """Delays (n,) in ms, where the time steps do not tell them digit for digit."""
        return self._delay

    def hold(self, connections: Connections) -> None:
        """Have these connections instead of those that were made."""
        self.synapses, self._delay, self._others = connections

    def keep_learned(self) -> None:
        """Have the weights that plastic synapses have learned as those that they were given."""
        self._keep_weights()


def _own_receptor(asked: str | None, synapse_type) -> str | None:
    """The receptor of a synapse that has its own, whatever the cell; None of all others.

    Scripts for NEURON ask for gap junctions of a compartment, ``soma.gap``. Raises ConnectionError for any other.
    """
    own = getattr(synapse_type, "receptors", ())
    if not own or asked in (None, "default"):
        return own[0] if own else None
    if (name := str(asked).rpartition(".")[2]) in own:
        return name
    raise errors.ConnectionError(
        f"receptor_type {asked!r}: {type(synapse_type).__name__} has {', '.join(own)}, whatever the cell"
    )


def _refuse_old(which: str, end) -> None:
    """Populations of a network that was replaced by a later ``setup()`` cannot be connected any more."""
    for part in getattr(end, "populations", [end]):
        root = getattr(part, "grandparent", part)
        if isinstance(root, common.Population) and root not in simulator.state.populations:
            raise EvsimError(
                f"the {which} population {root.label!r} was created before the last setup(); create it again after it"
            )
