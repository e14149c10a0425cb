"""Turn a network into the numbers of a chip: a new frozen network, and a report of what each part lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from evsim.chip import Chip
from evsim.deploy import ideal, loihi, spinnaker
from evsim.deploy.check import check
from evsim.deploy.chip_network import ChipNetwork
from evsim.errors import CheckError
from evsim.network import Network

_OF_FAMILY = {"ideal": ideal.quantise, "spinnaker": spinnaker.quantise, "loihi": loihi.quantise}


# what was quantised while ``remembering`` is active; None while it is not
_remembered: dict[tuple[int, str], ChipNetwork] | None = None


@contextmanager
def remembering() -> Iterator[None]:
    """Quantise each network once for each chip in this context, however often it is asked for."""
    global _remembered
    before, _remembered = _remembered, {}
    try:
        yield
    finally:
        _remembered = before


def quantise(network: Network, chip: Chip) -> ChipNetwork:
    """The network in the chip's numbers.

    Raises:
        CheckError: with every problem of the network on this chip at once.
    """
    if _remembered is None:
        return _quantised(network, chip)
    key = id(network), chip.name  # a remembered network stays alive, so its id is its own
    if key not in _remembered:
        _remembered[key] = _quantised(network, chip)
    return _remembered[key]


def _quantised(network: Network, chip: Chip) -> ChipNetwork:
    if problems := check(network, chip):
        raise CheckError(f"this network cannot run on {chip.name}", problems)
    return _OF_FAMILY[chip.rules.family](network, chip)
