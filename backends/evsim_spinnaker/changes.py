"""What changed from one network to the next, as far as sPyNNaker can follow while a network runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from typing import Any

import numpy as np

from evsim.errors import BackendError
from evsim.network import Floats, Network, Population, set_anew
from evsim.sources import is_source
from evsim.synapses import Synapses
from evsim_spinnaker.cells import CELLS

_COLUMNS = ("source", "target", "weight", "delay")  # of synapses


@dataclass(frozen=True, eq=False)
class Change:
    """What changed in one population.

    Attributes:
        source: whether its spikes are to be drawn anew from now on.
        parameters, states: sPyNNaker's name -> new values.
    """

    population: int
    source: bool
    parameters: Mapping[str, Floats]
    states: Mapping[str, Floats]


def changes(before: Network, after: Network) -> Iterator[Change]:
    """The changes of populations; raises BackendError for a change of anything else."""
    _refuse_others(before, after)
    for index, (old, new) in enumerate(zip(before.populations, after.populations, strict=True)):
        if old is new:
            continue
        if is_source(new):
            if not _equal(old, new):
                yield Change(index, True, {}, {})
        else:
            yield Change(index, False, _different(old.parameters, new.parameters), _states_set(old, new))


def _refuse_others(before: Network, after: Network) -> None:
    if [_shape(p) for p in before.populations] != [_shape(p) for p in after.populations]:
        what = "populations were added, removed or replaced"
    elif not _same(before.projections, after.projections):
        what = "synapses changed"
    elif not _same(before.probes, after.probes):
        what = "what is recorded changed"
    else:
        return
    raise BackendError(
        f"{what} while the network is on the SpiNNaker machine, which sPyNNaker cannot follow; "
        "make the change before the first run() or after reset()"
    )


def _shape(population: Population) -> tuple[str, str, int]:
    return population.label, population.model, population.size


def _same(old: tuple, new: tuple) -> bool:
    """Whether two tuples hold equal parts."""
    return len(old) == len(new) and all(_equal(a, b) for a, b in zip(old, new, strict=True))


def _equal(old: Any, new: Any) -> bool:
    """Whether two parts of networks say the same; those from another process are never the same objects."""
    if old is new:
        return True
    if isinstance(old, Mapping):
        return old.keys() == new.keys() and all(_equal(value, new[name]) for name, value in old.items())
    if isinstance(old, Synapses):
        return all(np.array_equal(getattr(old, column), getattr(new, column)) for column in _COLUMNS)
    if is_dataclass(old):
        return type(old) is type(new) and _equal(vars(old), vars(new))
    return np.array_equal(old, new)


def _states_set(old: Population, new: Population) -> dict[str, Floats]:
    """The state variables that were set, under sPyNNaker's names, which sets those of all cells at once."""
    cell, found = CELLS[new.model], {}
    for ours in cell.initial:
        anew = set_anew(old, new, ours)
        if anew.all():
            found |= cell.state(ours, new)
        elif anew.any():
            raise BackendError(
                f"population {new.label!r}: {ours} was set in {np.count_nonzero(anew)} of {new.size} cells while the "
                "network is on the SpiNNaker machine, where a state is set in all cells or none; "
                "set it in all of them, or before the first run() or after reset()"
            )
    return found


def _different(old: Mapping[str, Floats], new: Mapping[str, Floats]) -> dict[str, Floats]:
    return {k: v for k, v in new.items() if not np.array_equal(v, old.get(k, np.nan))}
