"""Compiling the plain functions of models, and caching what was compiled so that it can never be stale.

A step function has the form

    step(state, parameters, inputs, drive, spiked, tally) -> number of spikes

    state       (states, n)            number type, changed in place
    parameters  (parameters, n or 1)   parameter type, read only
    inputs      (input rows, n)        number type, read only: the sum of the weights due in this step
    drive       (n,)                   number type, read only: constant and injected current
    spiked      (n,)                   int32, filled with the indices of the neurons that spiked, ascending
    tally       (8,)                   int64, counters of what the arithmetic lost, added to

with the number and parameter type of its rule set. It is compiled to one native function pointer of a fixed type, so
the engine's loop is compiled once and runs any model. An exception inside it cannot reach the user: a step raises none.

numba's own cache notices a change of the function's file but not of a file that it calls. Here the folder of a
function's cache is named after its source and that of every function it calls, so a change anywhere starts a fresh one.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import tempfile
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numba
import numpy as np
from numba import types
from numba.core import config
from numba.core.errors import NumbaExperimentalFeatureWarning

from evsim.rulesets import RuleSet

TALLY_PLACES = 8

_OPTIONS: dict[str, Any] = {"cache": True, "error_model": "numpy", "boundscheck": False}


@cache
def cache_folder() -> Path:
    """Where compiled code is kept: beside the package where that can be written, else with the temporary files."""
    beside = Path(__file__).parent / "__pycache__"
    try:
        beside.mkdir(exist_ok=True)
        if os.access(beside, os.W_OK):
            return beside
    except OSError:
        pass  # a read-only installation: the temporary folder serves
    folder = Path(tempfile.gettempdir()) / f"evsim-{os.getuid()}"
    folder.mkdir(exist_ok=True, mode=0o700)
    if folder.stat().st_uid != os.getuid():  # machine code that somebody else put there must not be run
        return Path(tempfile.mkdtemp(prefix="evsim-"))
    return folder


def fingerprint(function: Callable) -> str:
    """A digest of numba's version, of a function and of everything that it refers to, however deep."""
    digest = hashlib.sha256(f"numba {numba.__version__}".encode())
    for part in sorted(_parts(function, {}).values()):
        digest.update(part.encode())
    return digest.hexdigest()[:16]


def _parts(function: Callable, found: dict[Callable, str]) -> dict[Callable, str]:
    plain = getattr(function, "py_func", function)
    if plain in found:
        return found
    found[plain] = inspect.getsource(plain)
    names = plain.__code__.co_names
    for name in names:
        value = plain.__globals__.get(name)
        values = [getattr(value, attribute, None) for attribute in names] if isinstance(value, ModuleType) else [value]
        for used in values:
            called = getattr(used, "py_func", used)
            if isinstance(called, FunctionType):
                if not called.__module__.startswith(("numpy", "numba")):
                    _parts(called, found)
            elif isinstance(used, (int, float, tuple, np.generic, np.ndarray)):
                found[plain] += f"{name}={used!r}"
    return found


def _into_cache(function: Callable, decorate: Callable[[Callable], Any]) -> Any:
    """Apply a numba decorator with the function's own cache folder; numba reads the setting only while it decorates."""
    before = getattr(config, "CACHE_DIR")  # noqa: B009 - numba makes its settings when it is imported
    setattr(config, "CACHE_DIR", str(cache_folder() / f"{function.__name__}-{fingerprint(function)}"))  # noqa: B010
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NumbaExperimentalFeatureWarning)
            return decorate(function)
    finally:
        setattr(config, "CACHE_DIR", before)  # noqa: B010


def kernel(function: Callable) -> Callable:
    """Compile a function of the engine when it is first called; a decorator."""
    return _into_cache(function, numba.njit(nogil=True, **_OPTIONS))


@cache
def step_signature(rules: RuleSet) -> Any:
    """The numba type of the step functions of a rule set."""
    number, parameter = numba.from_dtype(np.dtype(rules.number)), numba.from_dtype(np.dtype(rules.parameter))
    return types.int64(
        types.Array(number, 2, "C"),
        types.Array(parameter, 2, "C"),
        types.Array(number, 2, "C"),
        types.Array(number, 1, "C"),
        types.Array(types.int32, 1, "C"),
        types.Array(types.int64, 1, "C"),
    )


@cache
def step_function(function: Callable, rules: RuleSet) -> Any:
    """The native form of a model's step (or receive) function.

    Args:
        function: a plain function, or one that is already decorated with ``numba.njit``.
    """
    plain = getattr(function, "py_func", function)
    return _into_cache(plain, numba.cfunc(step_signature(rules), **_OPTIONS))
