"""Compiling functions with numba, and caching what was compiled so that it can never be stale.

numba's own cache notices a change of the function's file but not of a file that it calls. Here the folder of a
function's cache is named after its code and that of every function it calls, so a change anywhere starts a fresh one.
"""

from __future__ import annotations

import builtins
import dis
import functools
import hashlib
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numba
import numpy as np
from numba.core import config, event
from numba.core.compiler_lock import global_compiler_lock
from numba.core.errors import NumbaExperimentalFeatureWarning

from evsim.kernel_folders import cache_folder, takes_long, turn

# Without Python's checks for a division by zero and for an index beyond an array, and without the entry for callers in
# C, which nobody uses and which was a seventh of all compiling.
OPTIONS: dict[str, Any] = {"error_model": "numpy", "boundscheck": False, "no_cfunc_wrapper": True}
LEAN: dict[str, Any] = {"_nrt": False, **OPTIONS}  # for functions that make no arrays: no references are counted


def fingerprint(function: Callable) -> str:
    """A digest of Python's and numba's versions and options, of a function and of all that it refers to, however deep.

    Raises:
        NameError: a name that it uses is not defined, so that nothing can be said about what it will call.
    """
    digest = hashlib.sha256(f"python {sys.version_info} numba {numba.__version__} {sorted(LEAN.items())}".encode())
    for part in sorted(_parts(function, {}).values()):
        digest.update(part)
    return digest.hexdigest()[:16]


def _parts(function: Any, found: dict[FunctionType, bytes]) -> dict[FunctionType, bytes]:
    """What a function consists of, and every function that it refers to; a decorated one counts as its plain one."""
    plain = _plain(function)
    if plain in found:
        return found
    cells = [cell.cell_contents for cell in plain.__closure__ or ()]
    options = sorted(getattr(function, "targetoptions", {}).items())
    found[plain] = repr((plain.__module__, options, plain.__defaults__, _described(plain.__code__))).encode()
    for value in [*_globals(plain), *cells]:
        if isinstance(called := _plain(value), FunctionType):
            if not called.__module__.startswith(("numpy", "numba", "llvmlite")):
                _parts(value, found)
        elif isinstance(value, np.ndarray):
            found[plain] += repr((value.dtype, value.shape)).encode() + value.tobytes()
        elif isinstance(value, (int, float, str, tuple, np.generic)):
            found[plain] += repr(value).encode()
    return found


def _plain(function: Any) -> Any:
    """The plain function inside a compiled one or an intrinsic; anything else is returned as it is."""
    return getattr(function, "py_func", None) or getattr(function, "_defn", None) or function


def _described(code: CodeType) -> tuple:
    """What a code object does, without where its source lies."""
    constants = [_described(c) if isinstance(c, CodeType) else _ordered(c) for c in code.co_consts]
    return code.co_code, code.co_names, code.co_varnames, code.co_argcount, code.co_freevars, constants


def _ordered(constant: Any) -> str:
    return repr(sorted(map(repr, constant)) if isinstance(constant, frozenset) else constant)


def _globals(function: FunctionType) -> list[Any]:
    """The values of the global names that a function uses, and of the attributes of those that are modules."""
    values = []
    for code in _codes(function.__code__):
        attributes = set(code.co_names)
        for name in sorted({i.argval for i in dis.get_instructions(code) if i.opname == "LOAD_GLOBAL"}):
            if name in function.__globals__:
                values.append(function.__globals__[name])
                values += _members(values[-1], attributes)
            elif not hasattr(builtins, name):
                raise NameError(f"{function.__name__} uses {name}, which is not defined")
    return values


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _members(value: Any, names: set[str]) -> list[Any]:
    if not isinstance(value, ModuleType) or value.__name__.startswith(("numpy", "numba", "llvmlite")):
        return []
    members = [getattr(value, name) for name in sorted(names) if hasattr(value, name)]
    return members + [inner for member in members for inner in _members(member, names)]


# --- compiling -------------------------------------------------------------------------------------------------------


def _folder(function: Callable) -> Path:
    return cache_folder() / f"{function.__name__}-{fingerprint(function)}"


@contextmanager
def _kept_in(folder: Path) -> Iterator[None]:
    """What is decorated with a cache meanwhile has this folder; numba reads the setting only then."""
    before = getattr(config, "CACHE_DIR")  # noqa: B009 - numba makes its settings when it is imported
    setattr(config, "CACHE_DIR", str(folder))  # noqa: B010
    try:
        yield
    finally:
        setattr(config, "CACHE_DIR", before)  # noqa: B010


def kernel(function: Callable) -> Callable:
    """Compile a function of the engine when it is first called; a decorator."""
    return _kernel(function, OPTIONS)


def lean(function: Callable) -> Callable:
    """As ``kernel``, for a function that makes no arrays: numba then counts no references to those that it uses.

    Counting costs an atomic addition for each array and call, hundreds of nanoseconds where many are passed around. All
    that such a function calls must be lean, too, and it returns no array.
    """
    return _kernel(function, LEAN)


def _kernel(function: Callable, options: Mapping[str, Any]) -> Callable:
    """Its folder is looked for when it is first compiled: few of all kernels are called by a script."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NumbaExperimentalFeatureWarning)
        compiled: Any = numba.njit(nogil=True, **options)(function)
    if compiled is function:  # NUMBA_DISABLE_JIT
        return compiled
    compile_now, purpose = compiled.compile, _purpose(function)

    @functools.cache
    def cached_in() -> Path:
        folder = _folder(function)
        with global_compiler_lock, _kept_in(folder):
            compiled.enable_caching()
        return folder

    def compile_in_turn(types: Any) -> Any:
        with _turn(cached_in(), purpose):
            return compile_now(types)

    compiled.compile = compile_in_turn
    _KERNELS[function] = purpose
    return compiled


@contextmanager
def _turn(folder: Path, purpose: str) -> Iterator[None]:
    """This process's turn with a kernel; threads of it take turns first, so that none waits for one that waits."""
    with global_compiler_lock, turn(folder, lambda: _announce(purpose)):
        yield


def inlined(function: Callable) -> Callable:
    """As ``lean``, for a function that is put into those that call it before anything is compiled.

    LLVM works on a function once more with every function that calls it, so deep calls make the first start slow.
    """
    options: dict[str, Any] = {"inline": "always", **LEAN}
    return numba.njit(**options)(function)


def native(function: Callable, signature: Any, purpose: str = "") -> Any:
    """Compile a function that makes no arrays to a native function pointer of a fixed type.

    Args:
        purpose: what the user is told that it is for, where it is not in the cache; nothing is said if it is empty.
    """
    folder = _folder(function)
    with _turn(folder, purpose):
        if not any(folder.rglob("*.nbi")):
            _compiling(purpose)
        with _kept_in(folder):
            return numba.cfunc(signature, cache=True, **LEAN)(function)


def write_function(text: str, names: Mapping[str, Any]) -> Callable:
    """A function from its source, which is kept in the cache folder so that it can be cached and shown in a traceback.

    Args:
        text: one ``def``.
        names: the global names that it uses.
    """
    space: dict[str, Any] = {"__name__": __name__, **names}
    exec(text, space)
    (name,) = space.keys() - names.keys() - {"__name__", "__builtins__"}
    path = _folder(space[name]) / f"{name}.py"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}")
        partial.write_text(text)
        os.utime(partial, (0, 0))  # numba discards what it has cached when a file's time changes
        partial.replace(path)
    exec(compile(text, str(path), "exec"), space)
    return space[name]


# --- telling the user ------------------------------------------------------------------------------------------------

_KERNELS: dict[Callable, str] = {}
_PURPOSES = {  # of the kernels of a package or module; the others are the engine's
    "evsim.mersenne": "drawing connections",
    "evsim.distributions": "drawing connections",
    "evsim.wiring": "drawing connections",
    "evsim.drawn": "drawing connections",
    "evsim.poisson": "random sources",
    "evsim.renewal": "random sources",
    "evsim.engine.place_synapses": "laying out synapses",
}
_announced: set[str] = set()


def _purpose(function: Callable) -> str:
    """What the user is told that a kernel is for."""
    module = f"{function.__module__}."
    return next((purpose for name, purpose in _PURPOSES.items() if module.startswith(f"{name}.")), "the engine")


def _compiling(purpose: str) -> None:
    """Nothing was in the cache: say so to the user, and to other processes that wait for this one."""
    takes_long()
    _announce(purpose)


def _announce(purpose: str) -> None:
    """Say once what takes so long."""
    if purpose and purpose not in _announced:
        _announced.add(purpose)
        print(f"evsim: compiling the kernels for {purpose} (once; some seconds)...", file=sys.stderr, flush=True)


class _Misses(event.Listener):
    """Hears of every function that numba compiles because its cache does not hold it."""

    def on_start(self, event: event.Event) -> None:
        _compiling(_KERNELS.get((event.data or {})["dispatcher"].py_func, ""))

    def on_end(self, event: event.Event) -> None:
        pass


event.register("numba:compile", _Misses())
