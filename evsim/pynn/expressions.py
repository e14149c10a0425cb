"""Expressions of the distance d, such as ``weight="0.1*exp(-d)"``, with the functions that they may use.

PyNN 0.13 evaluates them in ``pyNN.parameters``, which lacks the functions that ``pyNN.connectors`` imports to evaluate
the same expressions of a probability. Here they are put there, too.
"""

from __future__ import annotations

from pyNN import connectors, parameters

FUNCTIONS = (
    *("arccos", "arcsin", "arctan", "arctan2", "cos", "cosh", "sin", "sinh", "tan", "tanh", "hypot", "pi"),
    *("exp", "ldexp", "log", "log10", "power", "sqrt", "e"),
    *("ceil", "fabs", "floor", "fmod", "modf", "maximum", "minimum"),
)


def complete() -> None:
    """Make the functions known where PyNN evaluates expressions; names that it has are left as they are."""
    for name in FUNCTIONS:
        parameters.__dict__.setdefault(name, getattr(connectors, name))
