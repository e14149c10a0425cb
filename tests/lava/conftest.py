"""Lava in the process of the tests, where it is imported and never run."""

from __future__ import annotations

import multiprocessing

import pytest


@pytest.fixture(autouse=True)
def start_method(monkeypatch):
    """Lava chooses how processes start when it is imported, which fails where something has chosen already."""
    monkeypatch.setattr(multiprocessing, "set_start_method", lambda method: None)
