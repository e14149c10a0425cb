"""How much memory a network will need, estimated before its cells and synapses are made.

A network that is larger than the memory is refused with what would fit, instead of being killed half-way. The bytes
that are counted are those that stay: in the graph, and in the engine of every target that runs in this process.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pyNN import connectors
from pyNN.random import NumpyRNG, RandomDistribution
from pyNN.standardmodels import StandardSynapseType
from pyNN.standardmodels import synapses as synapse_models

from evsim.errors import EvsimError
from evsim.learning_rule import LearningRule
from evsim.pynn import simulator
from evsim.pynn.free_memory import available_memory
from evsim.pynn.grids import GridConnector
from evsim.pynn.structural import Mechanism
from evsim.pynn.synapses import ElectricalSynapse, Neuromodulation, ReleasingSynapse, STDPMechanism
from evsim.release import rule_of
from evsim.synapses import index_type

if TYPE_CHECKING:
    from evsim.pynn.simulator import State

LIMIT = "EVSIM_MEMORY_LIMIT"  # environment variable: GB that a network may take, where that is less than there is

# bytes a cell: its PyNN ID with the place in the list of cells; its state in an engine
CELL, CELL_STATE = 86, 64
# bytes a synapse in the graph, beside its source; a constant column takes none; and where those of a target begin
WEIGHT, DELAY, OTHER, BEGIN = 8, 4, 8, 8
# bytes a synapse in an engine: its target, or target and weight
CONSTANT_ENTRY, CHIP_ENTRY, IDEAL_ENTRY = 2, 4, 8
# of one that releases: its state and its place in the projection; its parameters, where they differ between synapses
RELEASE_STATE, RELEASE_LAW = 28, 40
# of one that releases by a law of a script's own: its place in the projection, beside its numbers
RELEASE_PLACE = 4
# of a place for a synapse that comes and goes; of its source; of its target's spikes, for each step of its delay and
# so many more
PLACE, SOURCE, SPIKE, AGO = 56, 32, 32, 16
# of one that learns by a rule of a script's own: numbers beside its state variables and traces
LEARNING_STATE = 2
# of a gap junction: partner, conductance and, while it is sorted, places at both of its ends
JUNCTION = 80
# bytes in an engine for every source of a projection and each of its delays, and how many those are taken to be
ROW, DELAYS = 8, 32
# bytes a synapse for a while: its target and a source, before both are sorted; a weight, while weights are checked
UNSORTED, CHECKED = 6, 8
GB = 1e9


class Need(NamedTuple):
    """Memory in bytes.

    Attributes:
        graph: from the creation on.
        engine: from the first run on.
        passing: beside the graph, while that is made.
    """

    graph: float
    engine: float
    passing: float = 0.0

    @property
    def total(self) -> float:
        """Of both."""
        return self.graph + self.engine

    @property
    def most(self) -> float:
        """At any time."""
        return self.graph + max(self.engine, self.passing)


def cells(size: int, state: State, celltype: object = None) -> Need:
    """What a population needs; a neuron of compartments says itself how large its state is."""
    each = getattr(celltype, "bytes_of_state", CELL_STATE)
    return Need(CELL * size, each * size * len(_engines(state)))


def synapses(projection, connector, state: State, stored: bool = True) -> Need | None:
    """What a projection needs; None if its connector does not tell the number of synapses.

    Args:
        stored: whether the synapses are kept, and not drawn anew whenever they are needed.
    """
    count = expected(connector, projection.shape)
    if count is None:
        return None
    space = projection.synapse_type.parameter_space
    listed = getattr(connector, "column_names", ())
    varied = {name for name, values in space.items() if name in listed or not values.is_homogeneous}
    weight, delay, others = "weight" in varied, "delay" in varied, varied - {"weight", "delay"}
    n_sources = projection.pre.size
    column = np.dtype(index_type(n_sources)).itemsize + WEIGHT * weight + DELAY * delay + OTHER * len(others)
    entries = [_entry(chip, projection.synapse_type, weight, bool(others)) for chip in _engines(state)]
    rows = ROW * min(count, n_sources * (DELAYS if delay else 1)) * len(entries)
    unsorted = isinstance(connector, (connectors.FixedTotalNumberConnector, connectors.FixedNumberPostConnector))
    passing = max(UNSORTED * unsorted, CHECKED * weight)
    graph = count * column + BEGIN * projection.post.size
    graph, passing = (graph, count * passing) if stored else (0.0, 0.0)
    return Need(graph, count * sum(entries) + rows + _places(projection, state), passing)


def _places(projection, state: State) -> int:
    """Bytes in an engine for the synapses that may come, which projections onto a population share."""
    mechanism = projection.synapse_type
    if not isinstance(mechanism, Mechanism):
        return 0
    others = (other for other in state.projections if isinstance(other.synapse_type, Mechanism))
    if any(other.post is projection.post for other in others):
        return SOURCE * projection.pre.size
    spikes = SPIKE * (mechanism.longest / state.dt + AGO) * isinstance(mechanism, synapse_models.STDPMechanism)
    return SOURCE * projection.pre.size + projection.post.size * round(mechanism.places * PLACE + spikes)


def _entry(chip: str, synapse: StandardSynapseType, weight: bool, others: bool) -> int:
    """Bytes of a synapse in an engine.

    Args:
        weight, others: whether weights, and parameters beside weight and delay, differ between synapses.
    """
    if isinstance(synapse, ElectricalSynapse):
        return JUNCTION
    word = IDEAL_ENTRY if chip == "ideal" else CHIP_ENTRY
    if isinstance(synapse, Mechanism):
        return 0
    if isinstance(synapse, Neuromodulation):
        return word
    if isinstance(synapse, ReleasingSynapse):
        rule = rule_of(synapse.rule)
        if isinstance(rule, LearningRule):
            numbers = len(rule.initial) + len(rule.traces) + len(rule.parameters) * others
            return word + RELEASE_PLACE + OTHER * (LEARNING_STATE + numbers)
        if rule.law:
            return word + RELEASE_PLACE + OTHER * (len(rule.initial) + len(rule.parameters) * others)
        return word + RELEASE_STATE + RELEASE_LAW * others
    if isinstance(synapse, STDPMechanism):
        return word + (2 * RELEASE_PLACE + OTHER * (1 + synapse.numbers) if synapse.numbers else 0)
    return word if weight else CONSTANT_ENTRY


def expected(connector, shape: tuple[int, int]) -> float | None:
    """The number of synapses that a connector is expected to make between so many cells; None if it does not tell."""
    pairs = float(shape[0]) * shape[1]
    n = getattr(connector, "n", 0)
    number = n if isinstance(n, int) else _mean(n)
    match connector:
        case connectors.AllToAllConnector():
            return pairs
        case connectors.OneToOneConnector():
            return min(shape)
        case connectors.FixedProbabilityConnector():
            return pairs * min(connector.p_connect, 1.0)
        case connectors.FixedNumberPreConnector():
            return number * shape[1]
        case connectors.FixedNumberPostConnector():
            return number * shape[0]
        case connectors.FixedTotalNumberConnector():
            return number
        case connectors.FromFileConnector():
            return None
        case connectors.FromListConnector():
            return len(connector.conn_list)
        case connectors.CloneConnector():
            return len(connector.reference_projection.synapses)
        case GridConnector():
            return connector.count(shape)
    return None


def _mean(distribution: RandomDistribution) -> float:
    """About the mean; the distribution's own generator is left alone."""
    return float(NumpyRNG(seed=0).next(1000, distribution.name, distribution.parameters).mean())


def _engines(state: State) -> list[str]:
    """The chips of the targets whose engine runs in this process."""
    return [target.chip or "ideal" for target in state.targets if target.backend == simulator.DEFAULT_TARGET.backend]


# --- refusing what does not fit --------------------------------------------------------------------------------------


def refuse_cells(label: str, size: int, state: State, celltype: object) -> None:
    """Raise EvsimError if a population does not fit in beside what was created before."""
    need, room = cells(size, state, celltype), _room(state)
    if need.most > room:
        fit = max(int(size * room / need.most), 0)
        raise EvsimError(
            f"population {label!r}: {size} cells need {need.total / GB:.3g} GB, and {_free(room)}; "
            f"at most {fit} cells would fit"
        )


def refuse_synapses(projection, connector, state: State, stored: bool = True) -> Need | None:
    """What a projection needs; raises EvsimError if that does not fit in beside what was created before."""
    need = synapses(projection, connector, state, stored)
    if need is not None and need.most > (room := _room(state)):
        if places := _places(projection, state):
            raise EvsimError(
                f"projection {projection.label!r}: places for {projection.synapse_type.places} synapses onto each of "
                f"{projection.post.size} neurons need {places / GB:.3g} GB, and {_free(room)}; give a smaller s_max"
            )
        count = expected(connector, projection.shape)
        raise EvsimError(
            f"projection {projection.label!r}: about {count:.3g} synapses need {need.total / GB:.3g} GB "
            f"({need.graph / GB:.3g} GB to hold and {need.engine / GB:.3g} GB more to run), and {_free(room)}; "
            f"{_remedy(connector, projection.shape, max(room, 0.0) / need.most)}"
        )
    return need


def _free(room: float) -> str:
    return f"{max(room, 0.0) / GB:.3g} GB are left beside what was created before"


def _remedy(connector, shape: tuple[int, int], fraction: float) -> str:
    """What would fit: a fraction of the synapses."""
    number = (expected(connector, shape) or 0.0) * fraction
    smaller = f"populations of {_below(fraction**0.5)} times the size"
    match connector:
        case connectors.FixedProbabilityConnector():
            return f"a p_connect of {_below(min(connector.p_connect, 1.0) * fraction)} would fit, or {smaller}"
        case connectors.FixedNumberPreConnector():
            return f"n = {int(number / shape[1])} would fit, or {_below(fraction)} times the postsynaptic cells"
        case connectors.FixedNumberPostConnector():
            return f"n = {int(number / shape[0])} would fit, or {_below(fraction)} times the presynaptic cells"
        case connectors.FixedTotalNumberConnector():
            return f"n = {int(number)} would fit"
        case connectors.FromListConnector():
            return f"a list of {int(number)} connections would fit"
    return f"{smaller} would fit"


def _below(value: float) -> str:
    """Two digits, rounded down."""
    if value <= 0:
        return "0"
    unit = 10.0 ** (np.floor(np.log10(value)) - 1)
    return f"{np.floor(value / unit) * unit:.2g}"


def _room(state: State) -> float:
    """The bytes that are left for more, beside what the network so far takes now and will take when it runs."""
    made = [cells(population.size, state, population.celltype) for population in state.populations]
    made += [projection.need for projection in state.projections if projection.need]
    to_come = 0.0 if state.running else sum(need.engine for need in made)
    left = available_memory() - to_come
    if given := os.environ.get(LIMIT):
        left = min(left, float(given) * GB - sum(need.total for need in made))
    return left
