"""What all tests share: the builders as a fixture, for tests that need no more than a network; how they are run."""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest

import builders


def pytest_configure(config: pytest.Config) -> None:
    """Where Python is told to write no bytecode, give what the tests start a folder for it, as long as they run.

    Else each of the many processes compiles all that it imports: sPyNNaker's 870 files take longer than most networks.
    With xdist this is done once, before the workers start.
    """
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        folder = tempfile.mkdtemp(prefix="evsim-tests-")
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With xdist's ``-n``, unless ``--dist`` says otherwise: a worker that is done takes over tests of another one.

    xdist's own default hands an eighth of all tests to each of two workers at once, and never takes one back; those
    of a folder that are slow together would keep one worker busy when the others are done.
    """
    if config.getoption("dist") == "load":
        return import_module("xdist.scheduler").WorkStealingScheduling(config, log)
    return None


@pytest.fixture(scope="session")
def nets() -> ModuleType:
    """``nets.cells(10)``, ``nets.connect(0, 1, rows)``, ``nets.run(network, 100)``; see ``builders``."""
    return builders
