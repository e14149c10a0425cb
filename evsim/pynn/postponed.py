"""Putting off the import of what PyNN imports but few scripts use, until it is used.

Most of the time of ``import pyNN.evsim`` went to packages that PyNN and its own dependencies import for one seldom
used class: ``csa`` (for ``CSAConnector``) imports all of matplotlib, ``lazyarray`` imports ``scipy.sparse``. Here
they are put in their place as modules that load at the first use of any of their names (``importlib.util.LazyLoader``):
they can be imported, found missing, and used, as ever.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader


class _Postponing(MetaPathFinder):
    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names

    def find_spec(self, fullname: str, path=None, target=None) -> ModuleSpec | None:
        """A spec that loads at the first use, for one of the names."""
        if fullname not in self._names:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec


@contextmanager
def postponed(*names: str) -> Iterator[None]:
    """While this holds, modules of those names are imported without being loaded; they load when they are used."""
    finder = _Postponing(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
