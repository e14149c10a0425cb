"""What tells sPyNNaker where on its machine a network goes; here it means nothing, and that is said once."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

CALLS = ("set_allow_delay_extensions", "set_number_of_neurons_per_core", "set_number_of_synapse_cores")
METHODS = ("add_placement_constraint", "set_constraint", "set_max_atoms_per_core")
WORDS = frozenset({"additional_parameters", "constraints", "n_synapse_cores", "neurons_per_core", "seed"})


def warn(sentence: str) -> None:
    """Show the user a sentence, as a warning."""
    warnings.warn(sentence, stacklevel=3)


def ignored(name: str, tell: Callable[[str], None] = warn) -> Callable[..., None]:
    """A function that does nothing, and tells so at its first call."""
    told = False

    def nothing(*args: Any, **kwargs: Any) -> None:
        nonlocal told
        if not told:
            told = True
            tell(f"{name}() is about placement on a SpiNNaker machine and is ignored")

    return nothing


def leave_out(words: dict[str, Any], label: str | None) -> None:
    """Tell that what a population was given about its placement or seed has no effect.

    Raises:
        TypeError: a word that sPyNNaker does not have either.
    """
    if unknown := sorted(words.keys() - WORDS):
        raise TypeError(f"Population() got an unexpected keyword argument {unknown[0]!r}")
    if words:
        warn(
            f"population {label!r}: {', '.join(sorted(words))} is for a SpiNNaker machine and is ignored; what is "
            "drawn while a network runs follows from setup(rng_seed=...)"
        )
