"""Standard synapse types: those of PyNN's that evsim has a model of."""
# ruff: noqa: D101 - classes that PyNN documents keep its words

from __future__ import annotations

import numpy as np
from pyNN import errors
from pyNN.standardmodels import build_translations, check_weights, synapses

from evsim.pynn import simulator


def _check_signs(weights, projection) -> None:
    """PyNN's check of the signs of weights; those that are not finite are reported when the network is built."""
    try:
        check_weights(np.nan_to_num(weights), projection)
    except errors.ConnectionError as error:
        raise errors.ConnectionError(f"projection {projection.label!r}: {error}") from None


class StaticSynapse(synapses.StaticSynapse):
    __doc__ = synapses.StaticSynapse.__doc__
    translations = build_translations(("weight", "weight"), ("delay", "delay"))
    parameter_checks = {"weight": _check_signs}  # noqa: RUF012 - PyNN's name for it

    def _get_minimum_delay(self) -> float:
        return simulator.state.default_delay
