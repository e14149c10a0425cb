"""Projections whose weights have signs that decide which receptor a synapse reaches."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyNN import errors

from evsim.pynn.columns import Connections, with_sign


def sign_of(receptor: str, conductance_based: bool) -> int:
    """The sign that a receptor asks of weights."""
    return -1 if receptor == "inhibitory" and not conductance_based else 1


class Signs:
    """Finds the receptor that each synapse of a projection reaches by the sign of its weight, and notes it.

    It stands where ``Sites`` does for neurons of compartments; its parts are receptors.

    Attributes:
        names: the receptors that are reached, the positive one first.
        numbers: (n,) the number of each synapse's receptor among them.
    """

    def __init__(self, projection: Any, positive: str, negative: str) -> None:
        self.names: list[str] = []
        self.numbers: NDArray[np.int32] = np.empty(0, np.int32)
        self._label = projection.label
        self._receptors = positive, negative
        self._negative = np.empty(0, np.bool_)
        self._conductance_based = projection.post.conductance_based

    def spread(self, connections: Connections) -> Connections:
        """Note the receptors of connections that a connector hands over at once, which come back as they are."""
        self._negative = np.array(connections.synapses.weight < 0)
        reached = [self._receptors[part] for part in (0, 1) if (self._negative == bool(part)).any()]
        self.names = list(dict.fromkeys(reached))
        places = [self.names.index(name) if name in self.names else -1 for name in self._receptors]
        self.numbers = np.array(places, np.int32)[self._negative.astype(np.intp)]
        return connections

    def receptor(self, name: str) -> str:
        """That of the part of this name in the network."""
        return name

    def weight(self, name: str, column: np.ndarray) -> np.ndarray:
        """Weights (n,) of a part with the sign that its receptor asks for."""
        return with_sign(column, sign_of(name, self._conductance_based)) if len(column) else column

    def refuse(self, weight: np.ndarray) -> None:
        """Raise ConnectionError where new weights (n,) of all synapses would take some of them to another receptor."""
        if (bad := np.flatnonzero((weight < 0) != self._negative if len(weight) else [])).size:
            bad = bad[weight[bad] != 0]
        if not bad.size:
            return
        now, limit = ("below", "at most") if self._negative[bad[0]] else ("above", "at least")
        raise errors.ConnectionError(
            f"projection {self._label!r}: {bad.size} of {len(weight)} weights change their sign (such as "
            f"{weight[bad[0]]:g} where it was {now} 0 and must be {limit} 0); the sign says which receptor a synapse "
            f"reaches ({self._receptors[0]!r} above 0, {self._receptors[1]!r} below), and that stays as created; "
            "create another projection"
        )


def signs_of(projection: Any, connector: Any) -> Signs | None:
    """For a projection whose connector has weights with signs; None for any other.

    Raises:
        ConnectionError: connector and synapse type do not go together, or the targets lack a receptor.
    """
    of_connector, of_synapse = (getattr(part, "goes_with", None) for part in (connector, projection.synapse_type))
    where, kind, synapse = f"projection {projection.label!r}", type(connector), type(projection.synapse_type)
    if of_connector != of_synapse:
        remedy = (
            f"a {kind.__name__} goes with sim.{of_connector}()"
            if of_connector
            else (f"it takes its weights from a {of_synapse}Connector")
        )
        raise errors.ConnectionError(f"{where}: a {kind.__name__} with synapses of {synapse.__name__}; {remedy}")
    if of_connector is None:
        return None
    known = projection.post.receptor_types
    for word in ("positive_receptor_type", "negative_receptor_type"):
        if (name := getattr(connector, word)) not in known:
            raise errors.ConnectionError(
                f"{where}: the {word} of its {kind.__name__} is {name!r}; {projection.post.label!r} has "
                f"{', '.join(known)}"
            )
    return Signs(projection, connector.positive_receptor_type, connector.negative_receptor_type)
