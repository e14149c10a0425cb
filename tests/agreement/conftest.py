"""What the comparisons with executed firmware share: random networks, and both sessions side by side."""

from __future__ import annotations

from types import ModuleType

import pytest

import spinnaker_networks


@pytest.fixture(scope="session")
def drawn() -> ModuleType:
    """``drawn.random_network(rng, draw)``; see ``spinnaker_networks``."""
    return spinnaker_networks
