"""sPyNNaker's Poisson source whose rates change at given times: ``sim.extra_models.SpikeSourcePoissonVariable``."""
# ruff: noqa: RUF012 - default_parameters is PyNN's name

from __future__ import annotations

from typing import Any

import numpy as np
from pyNN.errors import InvalidParameterValueError
from pyNN.parameters import ArrayParameter
from pyNN.standardmodels import StandardCellType, build_translations

FOREVER = 1e10  # ms


class SpikeSourcePoissonVariable(StandardCellType):
    """Poisson spikes at rates that change at given times.

    A rate holds from its start for its duration, and at most until the next one starts; before the first, and where
    none holds, there are no spikes. sPyNNaker 7.4.1 has it so.

    Args:
        rates: Hz; a list for all cells, or a list of such lists, one for each cell.
        starts: ms, in order; as many as rates, for all cells or for each.
        durations: ms; as many. None: each rate holds until the next one starts, the last one for ever.

    Raises:
        InvalidParameterValueError: rates or starts is no list.
    """

    default_parameters = {name: ArrayParameter([value]) for name, value in (("rates", 1.0), ("starts", 0.0))} | {
        "durations": ArrayParameter([FOREVER])
    }
    translations = build_translations(*((name, name) for name in default_parameters))
    recordable = ["spikes"]
    injectable = False
    receptor_types = ()
    units = {"rates": "Hz", "starts": "ms", "durations": "ms"}

    def __init__(self, rates: Any, starts: Any, durations: Any = None) -> None:
        for name, given in (("rates", rates), ("starts", starts)):
            if not np.iterable(given):
                raise InvalidParameterValueError(
                    f"{name} of {type(self).__name__} is {given!r}; give it a list, such as [10.0, 50.0]"
                )
        if durations is None:
            durations = _like(starts, FOREVER)
        super().__init__(rates=rates, starts=starts, durations=durations)


def _like(starts: Any, value: float) -> list:
    """As many numbers, for all cells or for each."""
    values = list(starts)
    if values and np.iterable(values[0]):
        return [_like(part, value) for part in values]
    return [value] * len(values)
