"""How evsim's cells and variables are called in sPyNNaker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evsim.deploy.spinnaker_scale import CONDUCTANCE_GAIN
from evsim.network import Population


@dataclass(frozen=True)
class CellNames:
    """A neuron of sPyNNaker.

    Attributes:
        recorded: evsim's variable -> sPyNNaker's; other variables cannot be recorded on the machine.
        initial: evsim's state variable -> sPyNNaker's.
        gain: what initial synaptic values are multiplied by.
    """

    recorded: Mapping[str, str]
    initial: Mapping[str, str]
    gain: float = 1.0

    def initial_values(self, population: Population) -> dict[str, NDArray[np.float64]]:
        """sPyNNaker's state variable -> values of a population of this cell."""
        return {
            theirs: np.asarray(population.initial[ours]) * (self.gain if "syn" in ours else 1.0)
            for ours, theirs in self.initial.items()
            if ours in population.initial
        }


_CURRENTS = {"isyn_exc": "gsyn_exc", "isyn_inh": "gsyn_inh"}
_CONDUCTANCES = {"gsyn_exc": "gsyn_exc", "gsyn_inh": "gsyn_inh"}

CELLS = {
    "IF_curr_exp": CellNames({"v": "v", **_CURRENTS}, {"v": "v", "isyn_exc": "isyn_exc", "isyn_inh": "isyn_inh"}),
    "IF_cond_exp": CellNames(
        {"v": "v", **_CONDUCTANCES}, {"v": "v", "gsyn_exc": "isyn_exc", "gsyn_inh": "isyn_inh"}, CONDUCTANCE_GAIN
    ),
    "IF_curr_delta": CellNames({"v": "v"}, {"v": "v"}),
    "Izhikevich": CellNames({"v": "v"}, {"v": "v", "u": "u"}),
}
