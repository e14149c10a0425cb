"""How evsim's cells and variables are called in sPyNNaker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

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
        beside: evsim's state variable -> further ones of sPyNNaker's that are set with it, each from its values.
    """

    recorded: Mapping[str, str]
    initial: Mapping[str, str]
    gain: float = 1.0
    beside: Mapping[str, Mapping[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]]] = field(
        default_factory=dict
    )

    def initial_values(self, population: Population) -> dict[str, NDArray[np.float64]]:
        """sPyNNaker's state variable -> values of a population of this cell."""
        found = {}
        for ours in self.initial:
            if ours in population.initial:
                found |= self.state(ours, population)
        return found

    def state(self, variable: str, population: Population) -> dict[str, NDArray[np.float64]]:
        """sPyNNaker's state variables -> values, of one of evsim's."""
        values = np.asarray(population.initial[variable])
        others = {theirs: of(values) for theirs, of in self.beside.get(variable, {}).items()}
        return {self.initial[variable]: values * (self.gain if "syn" in variable else 1.0), **others}


_CURRENTS = {"isyn_exc": "gsyn_exc", "isyn_inh": "gsyn_inh"}
_CONDUCTANCES = {"gsyn_exc": "gsyn_exc", "gsyn_inh": "gsyn_inh"}

_SEEDS = {name: name for name in ("seed0", "seed1", "seed2", "seed3")}
_VOLTAGE_AND_INPUT = {name: name for name in ("v", "ex_input", "in_input")}


def _one_if_any(current: NDArray[np.float64]) -> NDArray[np.float64]:
    """The exponential part of an alpha synapse whose linear part is this current."""
    return np.where(current != 0, 1.0, 0.0)


CELLS = {
    "IF_curr_exp": CellNames({"v": "v", **_CURRENTS}, {"v": "v", "isyn_exc": "isyn_exc", "isyn_inh": "isyn_inh"}),
    "IF_cond_exp": CellNames(
        {"v": "v", **_CONDUCTANCES}, {"v": "v", "gsyn_exc": "isyn_exc", "gsyn_inh": "isyn_inh"}, CONDUCTANCE_GAIN
    ),
    "IF_curr_alpha": CellNames(
        {"v": "v", **_CURRENTS},
        {"v": "v", "isyn_exc": "exc_response", "isyn_inh": "inh_response"},
        beside={
            "isyn_exc": {"exc_exp_response": _one_if_any, "q_exc": np.zeros_like},
            "isyn_inh": {"inh_exp_response": _one_if_any, "q_inh": np.zeros_like},
        },
    ),
    "IF_curr_delta": CellNames({"v": "v", **_CURRENTS}, {"v": "v"}),
    # what sPyNNaker records of the excitatory currents is their sum
    "IF_curr_dual_exp": CellNames(
        {"v": "v", "gsyn_exc": "gsyn_exc", "isyn_inh": "gsyn_inh"},
        {name: name for name in ("v", "isyn_exc", "isyn_exc2", "isyn_inh")},
    ),
    "IFCurrExpCa2Adaptive": CellNames(
        {"v": "v", **_CURRENTS}, {name: name for name in ("v", "isyn_exc", "isyn_inh", "i_ca2")}
    ),
    "Izhikevich": CellNames({"v": "v", **_CURRENTS}, {"v": "v", "u": "u"}),
    "Izhikevich_cond": CellNames(
        {"v": "v", **_CONDUCTANCES},
        {"v": "v", "u": "u", "gsyn_exc": "isyn_exc", "gsyn_inh": "isyn_inh"},
        CONDUCTANCE_GAIN,
    ),
    "Izhikevich_cond_dual": CellNames(
        {"v": "v", **_CONDUCTANCES},
        {"v": "v", "u": "u", "gsyn_exc1": "isyn_exc", "gsyn_exc2": "isyn_exc2", "gsyn_inh": "isyn_inh"},
        CONDUCTANCE_GAIN,
    ),
    "IFCurrDeltaCa2Adaptive": CellNames({"v": "v", **_CURRENTS}, {"v": "v", "i_ca2": "i_ca2"}),
    "IF_curr_exp_sEMD": CellNames(
        {"v": "v", "gsyn_exc": "gsyn_exc", "isyn_inh": "gsyn_inh"},
        {name: name for name in ("v", "isyn_exc", "isyn_exc2", "isyn_inh", "multiplicator", "exc2_old")},
    ),
    "IFCurrDeltaFixedProb": CellNames({"v": "v", **_CURRENTS}, {"v": "v", **_SEEDS}),
    "StocExp": CellNames(_VOLTAGE_AND_INPUT, _SEEDS),
    "StocExpStable": CellNames(_VOLTAGE_AND_INPUT, {"v": "v_init", **_SEEDS}),
}
