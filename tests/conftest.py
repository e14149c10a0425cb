"""What all tests share: the builders as a fixture, for tests that need no more than a network."""

from __future__ import annotations

from types import ModuleType

import pytest

import builders


@pytest.fixture(scope="session")
def nets() -> ModuleType:
    """``nets.cells(10)``, ``nets.connect(0, 1, rows)``, ``nets.run(network, 100)``; see ``builders``."""
    return builders
