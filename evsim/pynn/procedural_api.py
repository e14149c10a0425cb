"""create(), connect(), record() and their like."""

from __future__ import annotations

from collections.abc import Callable

from pyNN import common

from evsim.pynn import simulator
from evsim.pynn.connectors import FixedProbabilityConnector
from evsim.pynn.populations import Population
from evsim.pynn.projections import Projection
from evsim.pynn.synapses import StaticSynapse

create = common.build_create(Population)


def connect_by(projection: type[Projection]) -> Callable[..., Projection]:
    """PyNN's connect(), making projections of a class."""
    return common.build_connect(projection, FixedProbabilityConnector, StaticSynapse)


connect = connect_by(Projection)

set = common.set

record = common.build_record(simulator)


def record_v(source, filename: str) -> None:
    """Record the membrane potential to a file."""
    record(["v"], source, filename)


def record_gsyn(source, filename: str) -> None:
    """Record the synaptic conductances to a file."""
    record(["gsyn_exc", "gsyn_inh"], source, filename)
