"""The benchmark scripts as modules; they find each other because their folder is on the path, as when they are run."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parent


@pytest.fixture
def script(monkeypatch) -> Callable[[str], ModuleType]:
    """``script("compare")`` imports a file of this folder."""
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module


@pytest.fixture
def sim():
    """pyNN.evsim, with nothing chosen from outside the script and nothing left behind."""
    module = importlib.import_module("pyNN.evsim")
    module.simulator.state.release()
    yield module
    module.simulator.state.release()
    module.simulator.state.clear()
