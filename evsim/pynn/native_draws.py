"""What PyNN's distributions and connectors draw from a ``NativeRNG``.

What draws is compiled code, so it is imported when something is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyNN import connectors, errors, random
from pyNN.parameters import LazyArray

from evsim.pynn import simulator

if TYPE_CHECKING:
    from evsim.distributions import Distribution
    from evsim.drawn import Drawn
    from evsim.wiring import Wiring

_DRAWN = (
    connectors.AllToAllConnector,
    connectors.FixedProbabilityConnector,
    connectors.FixedNumberPreConnector,
    connectors.FixedNumberPostConnector,
    connectors.FixedTotalNumberConnector,
)


def law(name: str, parameters: Mapping[str, Any]) -> Distribution:
    """PyNN's distribution of that name; parameters may be arrays where NumPy's generators take them.

    Raises:
        KeyError: there is no such distribution, or these are not its parameters.
        ValueError: a parameter is out of its range.
    """
    from evsim.distributions import DISTRIBUTIONS, Other

    method, numpy_names = random.NumpyRNG.translations[name]
    if set(parameters) != set(numpy_names):
        raise KeyError(f"{name} has the parameters {', '.join(numpy_names)}, not {', '.join(parameters)}")
    if name in DISTRIBUTIONS and not _has_arrays(parameters):
        return DISTRIBUTIONS[name](**parameters)
    if not hasattr(np.random.RandomState, method):
        raise ValueError(f"{name} takes numbers as its parameters, not arrays")
    return Other(method, {numpy_names[key]: value for key, value in parameters.items()})


def _has_arrays(parameters: Mapping[str, Any]) -> bool:
    return any(np.ndim(value) for value in parameters.values())


# --- projections -----------------------------------------------------------------------------------------------------


def possible(projection, connector) -> bool:
    """Whether the synapses that a connector makes can be drawn: each on its own, by one law for all."""
    parameters = projection.synapse_type.native_parameters
    if set(parameters.keys()) != {"weight", "delay"} or not all(_is_plain(value) for _, value in parameters.items()):
        return False
    if not isinstance(connector, _DRAWN) or connector.location_selector is not None:
        return False
    if isinstance(connector, connectors.FixedTotalNumberConnector) and not connector.with_replacement:
        return False
    if connector.allow_self_connections is not True:
        shared = projection.pre != projection.post and set(projection.pre.all_cells) & set(projection.post.all_cells)
        if connector.allow_self_connections == "NoMutual" or shared:
            return False
    return True


def _is_plain(parameter: LazyArray) -> bool:
    """Whether a parameter of synapses is one number or one distribution, of numbers."""
    base = parameter.base_value
    if parameter.operations:
        return False
    if parameter.is_homogeneous:
        return bool(np.isfinite(base))
    if not isinstance(base, random.RandomDistribution):
        return False
    return not _has_arrays(base.parameters) and not any(map(np.isnan, base.parameters.values()))


def synapses(projection, connector) -> Drawn:
    """The synapses of a projection, where that is ``possible``.

    Raises:
        ConnectionError: a parameter is out of range, weights have the wrong sign, or there is no cell to connect to.
    """
    from evsim.drawn import Drawn

    parameters = projection.synapse_type.native_parameters
    try:
        wiring = _wiring(projection, connector)
        weight, delay = _column(parameters["weight"]), _column(parameters["delay"])
        drawn = Drawn(wiring, weight.law, delay.law, (weight.key, delay.key), simulator.state.dt)
    except ValueError as error:
        raise errors.ConnectionError(f"projection {projection.label!r}: {error}") from None
    if connector.safe and len(drawn):
        extremes = np.array([drawn.weights.least, drawn.weights.most])
        projection.synapse_type.parameter_checks["weight"](extremes, projection)
    if connector.callback:
        connector.callback(1.0)  # PyNN's connectors tell how much of the work is done
    return drawn


class _Column(NamedTuple):
    law: Distribution
    key: np.uint64


def _column(parameter: LazyArray) -> _Column:
    """The distribution of a parameter of synapses, and a key for it."""
    from evsim.distributions import Constant

    base: Any = parameter.base_value
    if parameter.is_homogeneous:
        return _Column(Constant(float(base)), np.uint64(0))
    return _Column(law(base.name, base.parameters), base.rng.key())


def _wiring(projection, connector) -> Wiring:
    from evsim.distributions import Other
    from evsim.random_bits import derived
    from evsim.wiring import Fans, Pairs

    n_pre, n_post = projection.pre.size, projection.post.size
    autapses = bool(connector.allow_self_connections) or projection.pre != projection.post
    if isinstance(connector, connectors.AllToAllConnector):
        return Fans(np.full(n_post, n_pre - (not autapses)), n_pre, np.uint64(0), autapses=autapses)
    key = connector.rng.key()
    if isinstance(connector, connectors.FixedProbabilityConnector):
        chance = {"n": n_pre - (not autapses), "p": min(connector.p_connect, 1.0)}
        counts = Other("binomial", chance).draw(derived(key, 0), 0, n_post)
        return Fans(counts.astype(np.int64), n_pre, derived(key, 1), autapses=autapses)
    if isinstance(connector, connectors.FixedTotalNumberConnector):
        return Pairs(int(_counts(connector.n, 1)[0]), n_pre, n_post, key, autapses=autapses)
    to_targets = isinstance(connector, connectors.FixedNumberPreConnector)
    n_hubs, n_partners = (n_post, n_pre) if to_targets else (n_pre, n_post)
    counts, replacement = _counts(connector.n, n_hubs), connector.with_replacement
    return Fans(counts, n_partners, key, to_targets=to_targets, replacement=replacement, autapses=autapses)


def _counts(n: int | random.RandomDistribution, size: int) -> NDArray[np.int64]:
    """How many synapses each of the cells is given.

    Raises:
        ValueError: a number is negative or not whole.
    """
    counts = np.full(size, n) if isinstance(n, int) else n.next(size)
    if (counts < 0).any() or (counts != np.rint(counts)).any():
        raise ValueError("numbers of synapses must be whole and not negative")
    return counts.astype(np.int64)
