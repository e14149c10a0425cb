"""IFCurrDeltaCa2Adaptive: IF_curr_delta with a calcium current that each of its own spikes makes larger.

    tau_m dv/dt = v_rest - v + (tau_m / cm) (i_offset - i_ca2)
    a spike of weight w (mV, negative if inhibitory) adds w to v
    tau_ca2 di_ca2/dt = -i_ca2,  a spike of the neuron's own adds i_alpha to i_ca2

It is one of sPyNNaker's cells. When v reaches v_thresh the neuron spikes; v is then held at v_reset for tau_refrac, and
input of that time is lost, while the calcium current goes on (``calcium``). A weight is in
``spinnaker1`` what it is for IF_curr_delta there: the charge of a current that lasts one time step.
"""

from __future__ import annotations

import numpy as np

from evsim.arithmetic.registers import minus, plus
from evsim.arithmetic.s1615 import multiply_by
from evsim.deploy.spinnaker_scale import SpinnakerScale
from evsim.model import Cells, NeuronModel, Readout, Rule, Values, table
from evsim_models import calcium, if_curr_delta, spinnaker_parts
from evsim_models.calcium import after_spike, with_calcium
from evsim_models.common import DEFAULTS, PA_PER_NA, propagator, refractory_steps

# --- ideal -----------------------------------------------------------------------------------------------------------

PARAMETERS = (
    *("p_m", "p_ca2", "u_per_ca2", "u_per_drive", "i_alpha"),
    *("u_thresh", "u_reset", "refractory_steps"),  # threshold and reset relative to v_rest
)


def ideal_convert(values: Values, initial: Values, dt: float, scale: None) -> Cells:
    """Exact propagators of the linear equations over one time step (Rotter and Diesmann 1999)."""
    tau_m, cm, v_rest = values["tau_m"], values["cm"], values["v_rest"]
    parameters = table(
        np.exp(-dt / tau_m),
        np.exp(-dt / values["tau_ca2"]),
        propagator(values["tau_ca2"], tau_m, cm, dt),
        tau_m / (cm * PA_PER_NA) * (1 - np.exp(-dt / tau_m)),
        values["i_alpha"],
        values["v_thresh"] - v_rest,
        values["v_reset"] - v_rest,
        refractory_steps(values["tau_refrac"], dt),
    )
    state = np.stack([initial["v"] - v_rest, initial["i_ca2"], np.zeros(len(tau_m))])
    readouts = {"v": Readout(0, offset=v_rest), "i_ca2": Readout(1)}
    return Cells(state, parameters, values["i_offset"] * PA_PER_NA, PA_PER_NA, readouts)


def ideal_neuron(
    u,
    i_ca2,
    refractory,
    p_m,
    p_ca2,
    u_per_ca2,
    u_per_drive,
    i_alpha,
    u_thresh,
    u_reset,
    refractory_steps,
    jump,
    drive,
):
    """One time step in float64: v from the current at its start, then the input due at its end and the threshold."""
    held = refractory > 0
    moved = p_m * u - u_per_ca2 * i_ca2 + u_per_drive * drive + jump
    fired = (moved >= u_thresh) & (refractory <= 0)
    free = u_reset if fired else moved
    wait = refractory_steps if fired else refractory
    left_ca2 = p_ca2 * i_ca2
    return (
        u if held else free,
        left_ca2 + i_alpha if fired else left_ca2,
        refractory - 1 if held else wait,
        fired,
    )


IDEAL = Rule(
    ideal_convert,
    ideal_neuron,
    states=("u", "i_ca2", "refractory"),
    parameters=PARAMETERS,
    inputs={"excitatory": 0, "inhibitory": 0},
    arrive=if_curr_delta.ideal_arrive,
)

# --- spinnaker1 ------------------------------------------------------------------------------------------------------


def spinnaker_convert(values: Values, initial: Values, dt: float, scale: SpinnakerScale) -> Cells:
    """s16.15 as sPyNNaker writes it and the firmware prepares it."""
    cells = if_curr_delta.spinnaker_convert(values, initial, dt, scale)
    return with_calcium(cells, values, initial, dt)


def spinnaker_neuron(
    exc,
    inh,
    v,
    refractory,
    i_ca2,
    resistance,
    kept,
    v_rest,
    v_reset,
    v_thresh,
    refractory_steps,
    i_least,
    i_most,
    per_step,
    kept_ca2,
    i_alpha,
    drive,
):
    """One step in s16.15: the calcium current decays, v moves under the input of this step, a spike adds to it."""
    i_ca2 = multiply_by(i_ca2, kept_ca2)
    current = plus(minus(minus(multiply_by(exc, per_step), multiply_by(inh, per_step)), i_ca2), drive)
    v, refractory, fired, wrapped = spinnaker_parts.integrate_and_fire(
        v, refractory, current, resistance, kept, v_rest, v_reset, v_thresh, refractory_steps, i_least, i_most
    )
    i_ca2, too_much = after_spike(i_ca2, i_alpha, fired)
    return exc, inh, v, refractory, i_ca2, fired, False, wrapped + too_much


def spinnaker_receive(exc, inh, v, refractory, i_ca2, shift_e, shift_i, to_exc, to_inh):
    """The input of this step alone is what the synapses hold."""
    exc, inh, saturated = spinnaker_parts.take_inputs(shift_e, shift_i, to_exc, to_inh)
    return exc, inh, v, refractory, i_ca2, saturated, False


SPINNAKER1 = Rule(
    spinnaker_convert,
    spinnaker_neuron,
    states=(*if_curr_delta.SPINNAKER1.states, "i_ca2"),
    parameters=(*if_curr_delta.SPINNAKER1.parameters, *calcium.PARAMETERS),
    inputs=spinnaker_parts.INPUTS,
    tallies=spinnaker_parts.TALLIES,
    receive=spinnaker_receive,
    recordables=spinnaker_parts.CURRENTS,
    note=if_curr_delta.SPINNAKER1.note,
)

MODEL = NeuronModel(
    name="IFCurrDeltaCa2Adaptive",
    parameters={**if_curr_delta.MODEL.parameters, **calcium.UNITS},
    states={"v": "mV", "i_ca2": "nA"},
    recordables={"v": "mV", "i_ca2": "nA"},
    weight_unit="mV",
    above_zero=if_curr_delta.MODEL.above_zero | {"tau_ca2"},
    not_negative=if_curr_delta.MODEL.not_negative,
    rules={"ideal": IDEAL, "spinnaker1": SPINNAKER1},
    defaults={**DEFAULTS, **calcium.DEFAULTS},
)
