"""Turn a network into the numbers of a chip: a new frozen network, and a report of what each part lost."""

from __future__ import annotations

from evsim.chip import Chip
from evsim.deploy import ideal, loihi, spinnaker
from evsim.deploy.check import check
from evsim.deploy.chip_network import ChipNetwork
from evsim.errors import CheckError
from evsim.network import Network

_BY_RULES = {
    "ideal": ideal.quantise,
    "spinnaker1": spinnaker.quantise,
    "loihi1": loihi.quantise,
    "loihi2": loihi.quantise,
}


def quantise(network: Network, chip: Chip) -> ChipNetwork:
    """The network in the chip's numbers.

    Raises:
        CheckError: with every problem of the network on this chip at once.
    """
    if problems := check(network, chip):
        raise CheckError(f"this network cannot run on {chip.name}", problems)
    return _BY_RULES[chip.rules.name](network, chip)
