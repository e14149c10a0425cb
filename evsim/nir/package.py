"""The package ``nir``, which is imported here alone."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from evsim.errors import EvsimError, MissingPartError

if TYPE_CHECKING:
    import nir

SUFFIX = ".nir"


def nir_package() -> ModuleType:
    """The package; raises MissingPartError where it is not installed."""
    try:
        import nir
    except ImportError as error:
        raise MissingPartError("NIR", "nir", str(error)) from error
    return nir


def read_graph(path: Path) -> nir.NIRGraph:
    """The graph in a file, its types not checked.

    Raises:
        EvsimError: the file cannot be read, or holds no NIR graph.
        MissingPartError: the package is not installed.
    """
    package = nir_package()
    if not path.is_file():
        raise EvsimError(f"there is no file {str(path)!r}")
    try:
        graph = package.read(path, type_check=False)
    except Exception as error:  # h5py and nir raise many kinds, assertions among them
        raise EvsimError(f"{path}: not a graph that nir {package.version} reads, or damaged ({error!r})") from error
    if not isinstance(graph, package.NIRGraph):
        raise EvsimError(f"{path}: holds a single {type(graph).__name__} node; evsim runs a NIRGraph with an Input")
    return graph


def write_graph(path: Path, graph: nir.NIRGraph) -> None:
    """Write a graph to a file; raises EvsimError where that cannot be."""
    try:
        nir_package().write(path, graph)
    except OSError as error:
        raise EvsimError(f"cannot write {path}: {error.strerror or error}") from error
