"""The simulator's own random numbers, as PyNN's ``NativeRNG`` means them, and projections that are drawn from them.

What draws is compiled code, so it is imported when something is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from pyNN import random

from evsim.pynn import native_draws, simulator

if TYPE_CHECKING:
    from evsim.drawn import Drawn

_DOMAIN = np.uint64(0x6E61746976652031)  # sets these keys apart from those of other draws with the same seed


class _Uses:
    """Counts how often keys were asked for with the network's seed since the last ``setup()``."""

    epoch, count = 0, 0

    def next(self) -> int:
        if self.epoch != simulator.state.epoch:
            self.epoch, self.count = simulator.state.epoch, 0
        self.count += 1
        return self.count


_uses_of_the_network = _Uses()


class NativeRNG(random.NativeRNG, random.WrappedRNG):
    """evsim's own random numbers: fast, the same on any number of threads, and not those of PyNN's ``NumpyRNG``.

    Each use (a call of ``next()``, the cells of a projection, its weights, its delays, ...) has a key, which is hashed
    from the seed and from the number of uses before it. Number i of a use is made from the key and i alone, by
    splitmix64: uniform numbers of 52 bits; normal ones by the ziggurat, those that are clipped drawn again until they
    are within the bounds; lognormal as the exponential of these; exponential by inversion. Binomial, gamma, Poisson and
    von Mises numbers are drawn by NumPy's RandomState on Philox4x64 with that key, and so is whatever else RandomState
    has (``permutation``, ``choice``, ...), which can be called here as it can on a ``NumpyRNG``.

    A script gives the same numbers each time it is run with the same seed. Successive uses are independent of each
    other. Copies share the count of uses, so projections that share a generator differ, unlike those that share a
    NumpyRNG, of which PyNN makes copies that begin alike.

    Where a connector and the weights and delays draw from such generators only, synapses are not stored but drawn
    whenever they are needed (``evsim.drawn``). That holds for AllToAll, FixedProbability, FixedNumberPre,
    FixedNumberPost and FixedTotalNumber connectors.

    Args:
        seed: any integer; it counts modulo 2^64. Without one the numbers follow from ``setup(rng_seed=...)``,
            differently for each use.
        parallel_safe: as in PyNN; it makes no difference to evsim, which is one process.
    """

    def __init__(self, seed: int | None = None, parallel_safe: bool = True) -> None:
        random.WrappedRNG.__init__(self, seed, parallel_safe)
        self._uses = 0

    def key(self) -> np.uint64:
        """A key that was not given out before."""
        from evsim.random_bits import derived

        if self.seed is None:
            return derived(derived(_DOMAIN, simulator.state.seed), _uses_of_the_network.next())
        self._uses += 1
        # A seed that is given is told from the network's by its place, 0, which no use of the latter has.
        return derived(derived(derived(_DOMAIN, self.seed), 0), self._uses)

    def _next(self, distribution: str, n: int, parameters: Mapping[str, Any]) -> np.ndarray:
        return native_draws.law(distribution, parameters).draw(self.key(), 0, n)

    def __getattr__(self, name: str) -> Any:
        """RandomState's methods, each time on a new stream."""
        if name.startswith("_") or not hasattr(np.random.RandomState, name):
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        from evsim.random_bits import random_state

        return getattr(random_state(self.key()), name)

    def __copy__(self) -> NativeRNG:
        return self

    def __deepcopy__(self, memo: dict) -> NativeRNG:
        return self


def drawn(projection, connector) -> Drawn | None:
    """The synapses of a projection that draws from NativeRNGs only; None where the connector has to make them.

    Raises:
        ConnectionError: a parameter is out of range, weights have the wrong sign, or there is no cell to connect to.
    """
    generators = [connector.rng] if hasattr(connector, "rng") else []
    for _, value in projection.synapse_type.parameter_space.items():
        if isinstance(value.base_value, random.RandomDistribution):
            generators.append(value.base_value.rng)
    if not generators or not all(isinstance(generator, NativeRNG) for generator in generators):
        return None
    return native_draws.synapses(projection, connector) if native_draws.possible(projection, connector) else None
