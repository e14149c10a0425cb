"""Functions of a rule that are written as text, because they have an argument for each row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any


def written(
    name: str, arguments: Sequence[str], lines: Iterable[str], names: Mapping[str, Any]
) -> Callable[..., tuple]:
    """The function of that name with these arguments and statements.

    Args:
        names: the global names that it uses.
    """
    text = "\n    ".join([f"def {name}({', '.join(arguments)}):", *lines]) + "\n"
    space: dict[str, Any] = {"__name__": __name__, **names}
    exec(compile(text, f"<{name} of {', '.join(arguments)}>", "exec"), space)
    return space[name]
