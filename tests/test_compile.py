"""A cached kernel is never stale: its fingerprint follows what it calls."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from numba import types

import evsim.compile as module
from evsim.compile import fingerprint, native, write_function

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


LATE = "from evsim.compile import kernel\n@kernel\ndef early(x):\n    return late(x)\n"


def test_what_a_function_calls_may_stand_below_it():
    """Its cache is looked for when it is first called, when all of the module is there."""
    prints = []
    for sign in "+-":
        space: dict[str, Any] = {"__name__": __name__}
        exec(f"{LATE}def late(x):\n    return 3 * x {sign} 1\n", space)
        prints.append(fingerprint(space["early"]))
    assert prints[0] != prints[1]


def test_a_function_that_calls_nothing_known_is_refused():
    """What it will call is not known, so that a change of it would go unnoticed."""
    space: dict[str, Any] = {"__name__": __name__}
    exec(LATE, space)
    with pytest.raises(NameError, match="early uses late, which is not defined"):
        space["early"](1)


def test_constants_in_a_set_have_no_order():
    text = "def choose(x):\n    return x in {'a', 'b', 'c'}\n"
    assert fingerprint(write_function(text, {})) == fingerprint(write_function(text, {}))


def test_the_user_is_told_of_a_compilation_but_not_of_a_load(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(module, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(module, "_announced", set())
    for expected in ("evsim: compiling the kernels for trials (once; some seconds)...\n", ""):
        function = native(write_function("def twice(x):\n    return 2 * x\n", {}), types.int64(types.int64), "trials")
        assert function.ctypes(21) == 42
        assert capsys.readouterr().err == expected
        module._announced.clear()


ONE_OF_TWO = """
import sys
from pathlib import Path
from numba.core.event import install_recorder
import evsim.compile as module

module.cache_folder = lambda: Path(sys.argv[1])
twice = module.kernel(module.write_function("def twice(x):\\n    return 2 * x\\n", {}))
print("ready", flush=True)
sys.stdin.readline()
with install_recorder("numba:compile") as compiled:
    assert twice(21) == 42
print(sum(event.is_start for _, event in compiled.buffer))
"""


def test_of_two_processes_that_need_a_kernel_at_once_one_compiles_it(tmp_path):
    words = [sys.executable, "-c", ONE_OF_TWO, str(tmp_path)]
    pipe = subprocess.PIPE
    both = [subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for _ in range(2)]
    for process in both:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=120) for process in both]
    assert sorted(out for out, _ in answers) == ["0\n", "1\n"]
    assert any("compiling the kernels for the engine" in err for _, err in answers)


def test_what_is_written_shows_in_a_traceback():
    function = write_function("def broken(x):\n    return x.nothing\n", {})
    with pytest.raises(AttributeError) as caught:
        function(1)
    assert str(caught.traceback[-1].statement).strip() == "return x.nothing"
