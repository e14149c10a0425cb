"""How the synapses of a projection were made, as far as a chip's tools reserve memory by it."""

from __future__ import annotations

from typing import NamedTuple


class Connected(NamedTuple):
    """The connector of a whole projection between two whole populations.

    Attributes:
        connector: PyNN's name of it, ``"FixedProbabilityConnector"``.
        number: its probability, or its number of synapses; 0 for connectors that have neither.
    """

    connector: str
    number: float = 0.0
