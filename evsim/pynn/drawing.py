"""What PyNN's connectors would connect, made in compiled code: the same synapses from the same random numbers.

PyNN 0.13 goes through a connection matrix column by column, one post-synaptic cell after the other, and draws with
numpy. Which generators go on and which are copied, in which order what is drawn, and in which order the synapses of a
cell come is part of its results, and is kept here. What is not known to come out the same is left to PyNN.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from copy import copy, deepcopy
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyNN import common, connectors
from pyNN.random import NumpyRNG, RandomDistribution

from evsim.pynn import simulator
from evsim.pynn.columns import Connections, by_target
from evsim.pynn.synapse_parameters import computable, evaluate, is_random
from evsim.pynn.synapses import StaticSynapse
from evsim.redrawn import Redrawn
from evsim.synapses import Synapses, index_type

MANY_PAIRS = 1e5  # from which on synapses are let go of while a network runs


class Ends(NamedTuple):
    """The pairs of a projection.

    Attributes:
        first: (targets + 1,) the sources of target i are ``source[first[i] : first[i + 1]]``.
        source: (n,) unsigned.
    """

    first: NDArray[np.int64]
    source: np.ndarray


def draw(projection: common.Projection, connector: connectors.Connector) -> Connections | None:
    """All connections of a new projection; None if the connector has to make them itself."""
    again = _again(projection, connector, simulator.state.dt)
    connections = _draw(projection, connector, simulator.state.dt)
    if connections is None or again is None or connections.delay is not None or connections.others:
        return connections
    return connections._replace(synapses=Redrawn(connections.synapses, again))


def _again(projection, connector, dt: float) -> Callable[[], Synapses] | None:
    """What draws the synapses once more, from the generators as they are now.

    None where they cannot be many, or where not only generators that can be copied have a part in them: positions may
    change, arrays would have to be kept, and who knows what a class of the user's holds.
    """
    synapse = projection.synapse_type
    ours = type(synapse) is StaticSynapse and type(connector).__module__.startswith(("pyNN.", "evsim."))
    if not ours or np.prod(projection.shape, dtype=float) < MANY_PAIRS:
        return None
    parameters = [values for _, values in synapse.parameter_space.items()]
    if not all(values.is_homogeneous or (is_random(values) and not values.operations) for values in parameters):
        return None
    alike, copied = copy(projection), {}
    saved, alike.synapse_type = deepcopy((connector, synapse), copied)
    for name, values in synapse.parameter_space.items():  # lazy arrays copy a generator even if it was copied already
        alike.synapse_type.parameter_space._parameters[name].base_value = deepcopy(values.base_value, copied)
    saved.safe = False  # the values have been checked, and limits of delays may be others by then

    def draw_again() -> Synapses:
        with simulator.state.whole(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they have been given
            connections = _draw(alike, saved, dt)
        assert connections is not None
        return connections.synapses

    return draw_again


def _draw(projection, connector, dt: float) -> Connections | None:
    known = _known(type(connector))
    if known is None or connector.callback or connector.location_selector or not _distinct(projection.post):
        return None
    space = connector._parameters_from_synapse_type(projection)  # copies the generators as they are before drawing
    choose, at_once = RULES[known]
    if not all(computable(values) for values in space._parameters.values()):
        return None
    ends = choose(connector, projection)
    if ends is None:
        return None
    if at_once:  # these draw all their pairs before they look at the parameters
        space = connector._parameters_from_synapse_type(projection)
    parameters = evaluate(space, ends.first, ends.source, projection, connector.safe)
    return by_target(*ends, parameters, dt)


def _known(kind: type) -> type | None:
    """PyNN's connector whose way of connecting a class has."""
    if "mends" in vars(kind):  # evsim's own, which differs only where the rule leaves the work to it
        return kind.mends
    for base in kind.__mro__:
        if base in RULES:
            return base if kind.connect is base.connect else None
    return None


def _distinct(end) -> bool:
    return isinstance(end, common.Population) or len(np.unique(_ids(end))) == end.size


def _ids(end) -> NDArray[np.int64]:
    return end.all_cells.astype(np.int64)


def _generator(rng) -> np.random.RandomState | None:
    """The Mersenne Twister of numpy behind a generator of PyNN's, if it is one."""
    if type(rng) is not NumpyRNG or not rng.parallel_safe:
        return None
    return rng.rng if rng.rng.get_state(legacy=False)["bit_generator"] == "MT19937" else None


def listed(connector: connectors.FromListConnector, projection: common.Projection) -> Connections | None:
    """The connections of a list; None if PyNN has to make them itself. Sorts the list by target, as PyNN does."""
    rows, synapse = connector.conn_list, projection.synapse_type
    names = [name for name in synapse.get_parameter_names() if name not in connector.column_names]
    if not (rows.size and rows.dtype.kind in "iuf" and connector.location_selector is None):
        return None
    if set(connector.column_names) - set(synapse.get_parameter_names()) or (rows[:, :2] % 1 != 0).any():
        return None
    if any(translation["type"] != "simple" for translation in synapse.translations.values()):
        return None
    others = {name: synapse.parameter_space[name] for name in names}
    if not all(values.is_homogeneous and not values.operations for values in others.values()):
        return None
    connector.conn_list = rows = rows[np.argsort(rows[:, 1])]
    first = np.searchsorted(rows[:, 1], np.arange(projection.post.size + 1))
    columns = {name: rows[:, place].astype(np.float64) for place, name in enumerate(connector.column_names, 2)}
    columns |= {name: values.base_value for name, values in others.items()}
    native = {synapse.translations[name]["translated_name"]: values for name, values in columns.items()}
    return by_target(first, rows[:, 0].astype(index_type(projection.pre.size)), native, simulator.state.dt)


# --- connectors ------------------------------------------------------------------------------------------------------


def _all_to_all(connector, projection) -> Ends | None:
    left_out = _themselves(connector, projection)
    if left_out is None or connector.allow_self_connections == "NoMutual":
        return None
    return _every(projection, left_out)


def _every(projection, left_out: NDArray[np.int32]) -> Ends:
    n_sources, n_targets = projection.shape
    every = np.arange(n_sources, dtype=index_type(n_sources))
    first = np.concatenate([[0], np.cumsum(n_sources - (left_out >= 0))])
    source = np.empty(first[-1], every.dtype)
    for target in range(n_targets):
        column = source[first[target] : first[target + 1]]
        gap = left_out[target] if left_out[target] >= 0 else n_sources
        column[:gap], column[gap:] = every[:gap], every[gap + 1 :]
    return Ends(first, source)


def _themselves(connector, projection) -> NDArray[np.int32] | None:
    """(targets,) the source that is the target itself and must be left out, or -1; None if that is not clear."""
    n_targets = projection.shape[1]
    if connector.allow_self_connections:
        return np.full(n_targets, -1, np.int32)
    if projection.pre is projection.post:
        return np.arange(n_targets, dtype=np.int32)
    pre, post = _ids(projection.pre), _ids(projection.post)
    order = np.argsort(pre)
    if len(pre) == 0 or (np.diff(pre[order]) == 0).any():
        return None
    place = order[np.searchsorted(pre, post, sorter=order).clip(max=len(pre) - 1)]
    return np.where(pre[place] == post, place, -1).astype(np.int32)


def _one_to_one(connector, projection) -> Ends:
    n_sources, n_targets = projection.shape
    first = np.minimum(np.arange(n_targets + 1), n_sources)
    return Ends(first, np.arange(first[-1], dtype=index_type(n_sources)))


def _fixed_probability(connector, projection) -> Ends | None:
    from evsim.mersenne.pairs import MOST, sources_of_pairs

    random, chance = _generator(connector.rng), connector.p_connect
    left_out = _themselves(connector, projection)
    only_later = connector.allow_self_connections == "NoMutual"
    one_population = isinstance(projection.pre, common.Population) and projection.pre is projection.post
    if random is None or left_out is None or (only_later and not one_population):
        return None
    n_sources, n_targets = projection.shape
    if chance == 0:
        return Ends(np.zeros(n_targets + 1, np.int64), np.empty(0, index_type(n_sources)))
    if chance >= 1 and not only_later:
        return _every(projection, left_out)
    if not chance < MOST:
        return None
    return Ends(*sources_of_pairs(random, chance, n_sources, left_out, only_later, index_type(n_sources)))


def _fixed_number_pre(connector, projection) -> Ends | None:
    from evsim.mersenne.integers import below, permuted

    random = _generator(connector.rng)
    n_sources, n_targets = projection.shape
    left_out = _own_index(connector, projection, n_targets)
    among = n_sources - int(left_out[0] >= 0)
    if random is None or (among < n_sources if connector.with_replacement else among < 1):
        return None
    counts = _numbers(connector.n, n_targets, least=0 if connector.with_replacement else 1)
    if counts is None:
        return None
    first, dtype = np.concatenate([[0], np.cumsum(counts)]), index_type(n_sources)
    if connector.with_replacement:
        return Ends(first, below(random, n_sources, int(first[-1]), dtype))
    return Ends(first, permuted(random, counts, left_out, n_sources, dtype))


def _numbers(n: int | RandomDistribution, size: int, least: int) -> NDArray[np.int64] | None:
    """How many sources each target gets; None, and nothing drawn, unless all are whole and not below ``least``."""
    if isinstance(n, int):
        return np.full(size, n) if n >= least else None
    if _generator(n.rng) is None:
        return None
    trial = deepcopy(n).next(size)
    if trial.dtype.kind not in "iu" or trial.min() < least:
        return None
    return n.next(size).astype(np.int64)


def _own_index(connector, projection, size: int) -> NDArray[np.int32]:
    """(size,) each cell's own index where the ends are the same and a cell must not connect to itself, else -1."""
    if connector.allow_self_connections or projection.pre != projection.post:
        return np.full(size, -1, np.int32)
    return np.arange(size, dtype=np.int32)


def _fixed_number_post(connector, projection) -> Ends | None:
    from evsim.mersenne.integers import below, by_target, permuted

    random, n = _generator(connector.rng), connector.n
    n_sources, n_targets = projection.shape
    left_out = _own_index(connector, projection, n_sources)
    among = n_targets - int(left_out[0] >= 0)
    if random is None or not isinstance(n, int):
        return None
    if among < n_targets if connector.with_replacement else among < 1 or n < 1:
        return None
    if connector.with_replacement:
        target = below(random, n_targets, n * n_sources, np.int32)
    else:
        target = permuted(random, np.full(n_sources, n), left_out, n_targets, np.int32)
    return Ends(*by_target(np.repeat(np.arange(n_sources, dtype=index_type(n_sources)), n), target, n_targets))


def _fixed_total_number(connector, projection) -> Ends | None:
    from evsim.mersenne.integers import by_target, pairs_below

    random = _generator(connector.rng)
    if random is None or not getattr(connector, "is_plain", isinstance(connector.n, int)):
        return None
    n_sources, n_targets = projection.shape
    # PyNN shares the synapses out between its processes; the only one gets all, but the numbers for it are drawn
    count = int(connector.rng.next(None, "binomial", {"n": connector.n, "p": 1.0}))
    source, target = pairs_below(random, (n_sources, n_targets), count, index_type(n_sources))
    return Ends(*by_target(source, target, n_targets))


# PyNN's class -> the same in compiled code, and whether all pairs are drawn before the parameters are looked at
RULES: dict[type, tuple[Callable[..., Ends | None], bool]] = {
    connectors.AllToAllConnector: (_all_to_all, False),
    connectors.OneToOneConnector: (_one_to_one, False),
    connectors.FixedProbabilityConnector: (_fixed_probability, False),
    connectors.FixedNumberPreConnector: (_fixed_number_pre, False),
    connectors.FixedNumberPostConnector: (_fixed_number_post, True),
    connectors.FixedTotalNumberConnector: (_fixed_total_number, True),
}
