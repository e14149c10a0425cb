"""What the comparisons with executed firmware share: random networks, and both sessions side by side."""

from __future__ import annotations

from types import ModuleType

import pytest

import spinnaker_networks
from evsim.network import Network
from spinnaker_pair import Both


@pytest.fixture(scope="session")
def drawn() -> ModuleType:
    """``drawn.random_network(rng, draw)``; see ``spinnaker_networks``."""
    return spinnaker_networks


@pytest.fixture
def both():
    """Start ``Both``, and close what was started."""
    started: list[Both] = []

    def start(network: Network) -> Both:
        started.append(Both(network))
        return started[-1]

    yield start
    for pair in started:
        pair.close()
