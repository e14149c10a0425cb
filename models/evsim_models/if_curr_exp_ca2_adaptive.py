"""IFCurrExpCa2Adaptive: IF_curr_exp with a calcium current that each of its own spikes makes larger, as in sPyNNaker.

    tau_m dv/dt = v_rest - v + (tau_m / cm) (i_offset + i_exc + i_inh - i_ca2)
    tau_syn di/dt = -i,  a spike of weight w adds w to i
    tau_ca2 di_ca2/dt = -i_ca2,  a spike of the neuron's own adds i_alpha to i_ca2

When v reaches v_thresh the neuron spikes; v is then held at v_reset for tau_refrac, while the currents go on.
"""

from __future__ import annotations

import numpy as np

from evsim.arithmetic.registers import minus, plus
from evsim.arithmetic.s1615 import decay, multiply_by
from evsim.deploy.spinnaker_scale import SpinnakerScale
from evsim.model import Cells, NeuronModel, Readout, Rule, Values, table
from evsim_models import calcium, if_curr_exp, spinnaker_parts
from evsim_models.calcium import after_spike, with_calcium
from evsim_models.common import DEFAULTS, PA_PER_NA, propagator, refractory_steps, spike_and_reset

# --- ideal -----------------------------------------------------------------------------------------------------------

STATES = ("u", "i_exc", "i_inh", "i_ca2", "refractory")
PARAMETERS = (
    *("p_m", "p_exc", "p_inh", "p_ca2"),  # decays over one step
    *("u_per_exc", "u_per_inh", "u_per_ca2", "u_per_drive"),  # what a unit of current adds to v
    *("i_alpha", "u_thresh", "u_reset", "refractory_steps"),  # threshold and reset relative to v_rest
)


def ideal_convert(values: Values, initial: Values, dt: float, scale: None) -> Cells:
    """Exact propagators of the linear equations over one time step (Rotter and Diesmann 1999)."""
    tau_m, cm, v_rest = values["tau_m"], values["cm"], values["v_rest"]
    currents = ("tau_syn_E", "tau_syn_I", "tau_ca2")
    parameters = table(
        np.exp(-dt / tau_m),
        *(np.exp(-dt / values[tau]) for tau in currents),
        *(propagator(values[tau], tau_m, cm, dt) for tau in currents),
        tau_m / (cm * PA_PER_NA) * (1 - np.exp(-dt / tau_m)),
        values["i_alpha"],
        values["v_thresh"] - v_rest,
        values["v_reset"] - v_rest,
        refractory_steps(values["tau_refrac"], dt),
    )
    zero = np.zeros(len(tau_m))
    synapses = [initial.get(name, zero) for name in ("isyn_exc", "isyn_inh")]
    state = np.stack([initial["v"] - v_rest, *synapses, initial["i_ca2"], zero])
    readouts = {
        "v": Readout(0, offset=v_rest),
        "isyn_exc": Readout(1),
        "isyn_inh": Readout(2),
        "i_ca2": Readout(3),
    }
    return Cells(state, parameters, values["i_offset"] * PA_PER_NA, PA_PER_NA, readouts)


def ideal_neuron(
    u,
    i_exc,
    i_inh,
    i_ca2,
    refractory,
    p_m,
    p_exc,
    p_inh,
    p_ca2,
    u_per_exc,
    u_per_inh,
    u_per_ca2,
    u_per_drive,
    i_alpha,
    u_thresh,
    u_reset,
    refractory_steps,
    exc,
    inh,
    drive,
):
    """One time step in float64: v from the currents at its start, then the currents, then what is due at its end."""
    moved = p_m * u + u_per_exc * i_exc + u_per_inh * i_inh - u_per_ca2 * i_ca2 + u_per_drive * drive
    u, refractory, fired = spike_and_reset(u, moved, refractory, u_thresh, u_reset, refractory_steps)
    left_ca2 = p_ca2 * i_ca2
    return (
        u,
        p_exc * i_exc + exc,
        p_inh * i_inh + inh,
        left_ca2 + i_alpha if fired else left_ca2,
        refractory,
        fired,
    )


IDEAL = Rule(
    ideal_convert,
    ideal_neuron,
    states=STATES,
    parameters=PARAMETERS,
    inputs={"excitatory": 0, "inhibitory": 1},
    arrive=if_curr_exp.ideal_arrive,
    sums={"i_exc": "exc", "i_inh": "inh"},
    counters={"refractory": "refractory_steps"},
)

# --- spinnaker1 ------------------------------------------------------------------------------------------------------


def spinnaker_convert(values: Values, initial: Values, dt: float, scale: SpinnakerScale) -> Cells:
    """s16.15 as sPyNNaker writes it and the firmware prepares it."""
    cells = if_curr_exp.spinnaker_convert(values, initial, dt, scale)
    return with_calcium(cells, values, initial, dt)


def spinnaker_neuron(
    exc,
    inh,
    v,
    refractory,
    i_ca2,
    decay_e,
    decay_i,
    resistance,
    kept,
    v_rest,
    v_reset,
    v_thresh,
    refractory_steps,
    i_least,
    i_most,
    kept_ca2,
    i_alpha,
    drive,
):
    """One step in s16.15: the calcium current decays, v moves under the currents that hold the input already, then a
    spike adds to the calcium current and the others decay."""
    i_ca2 = multiply_by(i_ca2, kept_ca2)
    current = plus(minus(minus(exc, inh), i_ca2), drive)
    v, refractory, fired, wrapped = spinnaker_parts.integrate_and_fire(
        v, refractory, current, resistance, kept, v_rest, v_reset, v_thresh, refractory_steps, i_least, i_most
    )
    i_ca2, too_much = after_spike(i_ca2, i_alpha, fired)
    return decay(exc, decay_e), decay(inh, decay_i), v, refractory, i_ca2, fired, False, wrapped + too_much


def spinnaker_receive(exc, inh, v, refractory, i_ca2, shift_e, init_e, shift_i, init_i, to_exc, to_inh):
    """The input is added to the synaptic currents."""
    exc, inh, saturated, wrapped = spinnaker_parts.add_inputs(
        exc, inh, shift_e, init_e, shift_i, init_i, to_exc, to_inh
    )
    return exc, inh, v, refractory, i_ca2, saturated, wrapped


SPINNAKER1 = Rule(
    spinnaker_convert,
    spinnaker_neuron,
    states=("exc", "inh", "v", "refractory", "i_ca2"),
    parameters=(*spinnaker_parts.SYNAPSES, *spinnaker_parts.MEMBRANE, *calcium.PARAMETERS),
    inputs=spinnaker_parts.INPUTS,
    tallies=spinnaker_parts.TALLIES,
    receive=spinnaker_receive,
    defects=spinnaker_parts.firmware_defects,
)

MODEL = NeuronModel(
    name="IFCurrExpCa2Adaptive",
    parameters={**if_curr_exp.MODEL.parameters, **calcium.UNITS},
    states={**if_curr_exp.MODEL.states, "i_ca2": "nA"},
    recordables={**if_curr_exp.MODEL.recordables, "i_ca2": "nA"},
    weight_unit="nA",
    above_zero=if_curr_exp.MODEL.above_zero | {"tau_ca2"},
    not_negative=if_curr_exp.MODEL.not_negative,
    rules={"ideal": IDEAL, "spinnaker1": SPINNAKER1},
    defaults={**DEFAULTS, **calcium.DEFAULTS},
)
