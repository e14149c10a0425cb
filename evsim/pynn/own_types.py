"""The cell and synapse types that scripts have declared in this process, by their names.

Networks that are read from files (``pyNN.serialization.import_from_sonata``) ask the module ``pyNN.evsim`` for each
type by its name. Of two types of one name the one that was declared last is meant.
"""

from __future__ import annotations

_declared: dict[str, type] = {}


def note(made: type) -> None:
    """Take note of a type that a script has declared."""
    _declared[made.__name__] = made


def find(name: str) -> type | None:
    """The type of that name; None if there is none."""
    return _declared.get(name)
