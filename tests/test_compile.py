"""A cached kernel is never stale: its fingerprint follows what it calls."""

import importlib.util
from pathlib import Path

import pytest

from evsim.compile import fingerprint

CALLER = """
import helper
from helper import constant, function

def by_name(x):
    return function(x)

def by_module(x):
    return helper.function(x)

def by_constant(x):
    return x * constant
"""


def load(folder: Path, helper: str, monkeypatch):
    (folder / "helper.py").write_text(helper)
    (folder / "caller.py").write_text(CALLER)
    for name in ("helper", "caller"):
        spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(__import__("sys").modules, name, module)
        spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("function", ["by_name", "by_module", "by_constant"])
def test_a_change_in_another_module_changes_the_fingerprint(function, tmp_path, monkeypatch):
    prints = []
    for number, (constant, sign) in enumerate([(2, "+"), (2, "+"), (3, "-")]):
        folder = tmp_path / str(number)
        folder.mkdir()
        helper = f"constant = {constant}\ndef function(x):\n    return x {sign} 1\n"
        prints.append(fingerprint(getattr(load(folder, helper, monkeypatch), function)))
    assert prints[0] == prints[1] != prints[2]
