"""Importing what may be missing, or warns."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from types import ModuleType

import pytest


@contextmanager
def unwarned() -> Iterator[None]:
    """Without the warnings of old packages beside new ones, and of registers that overflow."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@cache
@unwarned()
def quietly(module: str) -> ModuleType:
    """A module whose import warns, of versions that it has not been tested with."""
    return import_module(module)


def need(module: str) -> None:
    """Skip the tests of a file if an emulator is not installed."""
    try:
        quietly(module)
    except ImportError as error:
        pytest.skip(str(error), allow_module_level=True)
