"""The synapses that a projection has by now whose synapses come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evsim.pynn import simulator
from evsim.pynn.invalid import InvalidValueError
from evsim.synapses import Synapses

if TYPE_CHECKING:
    from evsim.pynn.settable import Settable


def present_synapses(projection: Settable) -> Synapses:
    """Those of a projection by now: by source, then by target, once it has run; and before in the order of creation."""
    if projection.parts is None or not is_structural(projection):
        return projection.synapses
    (part,) = projection.parts
    return simulator.state.synapses(part) or projection.synapses


def is_structural(projection: Settable) -> bool:
    """Whether the synapses of a projection come and go."""
    return getattr(projection.synapse_type, "is_structural", False)


def refuse_change(projection: Settable, name: str) -> None:
    """Raise InvalidValueError where an attribute of such synapses is set while a network runs."""
    if is_structural(projection) and simulator.state.step:
        raise InvalidValueError(
            f"projection {projection.label!r}: {name} cannot be set at t = {simulator.state.t:g} ms, for its synapses "
            "come and go by themselves; set it before run(), or call reset() first"
        )
