"""IFTruncDelta: sPyNNaker's integrate-and-fire neuron without a leak, whose voltage never falls below v_reset.

In each time step, out of refractory time,

    v = max(v + (tau_m / cm) (i_offset + input / dt), v_reset)

where the input is the sum of the weights that are due; when v reaches v_thresh the neuron spikes, and v is held at
v_reset for tau_refrac. This is a law of time steps and not of time, as sPyNNaker's sources state it: a constant current
moves v by as much in a step of 0.1 ms as in one of 1 ms.

There is no ``spinnaker1`` one. The firmware of sPyNNaker 7.4.1 reads the parameters of this cell from other places than
the host writes them to: its threshold is the number of ms of a time step (docs/firmware.md).
"""

from __future__ import annotations

import numpy as np

from evsim.model import Cells, NeuronModel, Readout, Rule, Values, table
from evsim_models.common import refractory_steps


def ideal_convert(values: Values, initial: Values, dt: float, scale: None) -> Cells:
    """What a step's current and a weight add to v."""
    resistance = values["tau_m"] / values["cm"]
    parameters = table(
        resistance,
        resistance / dt,
        values["v_thresh"],
        values["v_reset"],
        refractory_steps(values["tau_refrac"], dt),
    )
    state = np.stack([initial["v"], np.zeros(len(resistance))])
    return Cells(state, parameters, values["i_offset"], 1.0, {"v": Readout(0)})


def ideal_neuron(v, refractory, resistance, per_weight, v_thresh, v_reset, refractory_steps, weights, drive):
    """One time step in float64."""
    held = refractory > 0
    moved = max(v + resistance * drive + per_weight * weights, v_reset)
    fired = (moved >= v_thresh) & (refractory <= 0)
    free = v_reset if fired else moved
    wait = refractory_steps if fired else refractory
    return (v if held else free), (refractory - 1 if held else wait), fired


IDEAL = Rule(
    ideal_convert,
    ideal_neuron,
    states=("v", "refractory"),
    parameters=("resistance", "per_weight", "v_thresh", "v_reset", "refractory_steps"),
    inputs={"excitatory": 0, "inhibitory": 0},
)

MODEL = NeuronModel(
    name="IFTruncDelta",
    parameters={
        "tau_m": "ms",
        "cm": "nF",
        "v_reset": "mV",
        "v_thresh": "mV",
        "tau_refrac": "ms",
        "i_offset": "nA",
    },
    states={"v": "mV"},
    recordables={"v": "mV"},
    weight_unit="nA",
    above_zero=frozenset({"cm", "tau_m"}),
    not_negative=frozenset({"tau_refrac"}),
    rules={"ideal": IDEAL},
    # sPyNNaker's
    defaults={"tau_m": 1.0, "cm": 1.0, "v_reset": 0.0, "v_thresh": 1.0, "tau_refrac": 1.0, "i_offset": 0.0, "v": 0.0},
)
