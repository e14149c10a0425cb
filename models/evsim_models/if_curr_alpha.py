"""IF_curr_alpha: leaky integrate-and-fire neuron with currents that have the shape of an alpha function.

    tau_m dv/dt = v_rest - v + (tau_m / cm) (i_offset + i_exc + i_inh)
    di/dt = r - i / tau_syn,  dr/dt = -r / tau_syn,  a spike of weight w adds w e / tau_syn to r

so that a spike alone makes a current ``w (t / tau_syn) exp(1 - t / tau_syn)``, whose peak is w. When v reaches v_thresh
the neuron spikes; v is then held at v_reset for tau_refrac, while the currents go on.
"""

from __future__ import annotations

import numpy as np

from evsim.arithmetic.registers import minus, plus
from evsim.arithmetic.responses import rising_shares
from evsim.arithmetic.s1615 import ONE, fixed, for_each
from evsim.deploy.spinnaker_scale import SpinnakerScale
from evsim.model import Cells, NeuronModel, Readout, Rule, Values, table
from evsim_models import alpha_synapse, if_curr_exp, leaky, spinnaker_parts
from evsim_models.common import PA_PER_NA, Floats, alpha_propagator, propagator, refractory_steps, spike_and_reset

# --- ideal -----------------------------------------------------------------------------------------------------------

# Without synaptic input, constants and state are those of NEST's iaf_psc_alpha down to the rounding (u = v - v_rest,
# injected current in pA), so that a neuron that only just reaches its threshold reaches it here and there.
STATES = ("u", "i_exc", "r_exc", "i_inh", "r_inh", "refractory")
PARAMETERS = (
    *("lost_m", "p_exc", "p_inh"),  # exp(-dt/tau_m) - 1; decays of the currents over one step
    *("i_per_r_exc", "i_per_r_inh"),  # what a unit of r adds to the current
    *("u_per_exc", "u_per_r_exc", "u_per_inh", "u_per_r_inh", "u_per_drive"),  # what a unit of each adds to v
    *("r_per_exc", "r_per_inh"),  # what a unit of weight adds to r
    *("u_thresh", "u_reset", "refractory_steps"),  # threshold and reset relative to v_rest
)


def ideal_convert(values: Values, initial: Values, dt: float, scale: None) -> Cells:
    """Exact propagators of the linear equations over one time step (Rotter and Diesmann 1999, as NEST has them)."""
    tau_m, cm, v_rest = values["tau_m"], values["cm"], values["v_rest"]
    tau_exc, tau_inh = values["tau_syn_E"], values["tau_syn_I"]
    lost = np.expm1(-dt / tau_m)
    parameters = table(
        lost,
        np.exp(-dt / tau_exc),
        np.exp(-dt / tau_inh),
        dt * np.exp(-dt / tau_exc),
        dt * np.exp(-dt / tau_inh),
        propagator(tau_exc, tau_m, cm, dt),
        alpha_propagator(tau_exc, tau_m, cm, dt),
        propagator(tau_inh, tau_m, cm, dt),
        alpha_propagator(tau_inh, tau_m, cm, dt),
        -tau_m / (cm * PA_PER_NA) * lost,
        np.e / tau_exc,
        np.e / tau_inh,
        values["v_thresh"] - v_rest,
        values["v_reset"] - v_rest,
        refractory_steps(values["tau_refrac"], dt),
    )
    zero = np.zeros(len(tau_m))
    i_exc, i_inh = initial.get("isyn_exc", zero), initial.get("isyn_inh", zero)
    state = np.stack([initial["v"] - v_rest, i_exc, zero, i_inh, zero, zero])
    readouts = {
        "v": Readout(0, offset=v_rest),
        "isyn_exc": Readout(1, beside=(2,)),
        "isyn_inh": Readout(3, beside=(4,)),
    }
    return Cells(state, parameters, values["i_offset"] * PA_PER_NA, PA_PER_NA, readouts)


def ideal_neuron(
    u,
    i_exc,
    r_exc,
    i_inh,
    r_inh,
    refractory,
    lost_m,
    p_exc,
    p_inh,
    i_per_r_exc,
    i_per_r_inh,
    u_per_exc,
    u_per_r_exc,
    u_per_inh,
    u_per_r_inh,
    u_per_drive,
    r_per_exc,
    r_per_inh,
    u_thresh,
    u_reset,
    refractory_steps,
    exc,
    inh,
    drive,
):
    """One time step in float64: v from the currents at its start, then the currents, then the input due at its end."""
    synaptic = u_per_r_exc * r_exc + u_per_exc * i_exc + u_per_r_inh * r_inh + u_per_inh * i_inh
    moved = u_per_drive * drive + synaptic + lost_m * u + u
    u, refractory, fired = spike_and_reset(u, moved, refractory, u_thresh, u_reset, refractory_steps)
    return (
        u,
        i_per_r_exc * r_exc + p_exc * i_exc,
        p_exc * r_exc + r_per_exc * exc,
        i_per_r_inh * r_inh + p_inh * i_inh,
        p_inh * r_inh + r_per_inh * inh,
        refractory,
        fired,
    )


def ideal_arrive(receptor: str, values: Values, dt: float, left: Floats) -> tuple[Floats, Floats]:
    """Input within a time step: the current is right at its end and after, v to the second order."""
    tau = values[if_curr_exp.TAU_OF[receptor]]
    return rising_shares(left, dt, tau, tau)


IDEAL = Rule(
    ideal_convert,
    ideal_neuron,
    states=STATES,
    parameters=PARAMETERS,
    inputs={"excitatory": 0, "inhibitory": 1},
    arrive=ideal_arrive,
    equations=leaky.with_currents(rise=True),
)

# --- spinnaker1 ------------------------------------------------------------------------------------------------------

SYNAPSES = ("shift_e", "rise_e", "decay_e", "shift_i", "rise_i", "decay_i")
MEMBRANE_ROW = len(SYNAPSES)

# state rows
SPINNAKER_STATES = (
    *("shown_exc", "shown_inh", "v", "refractory"),
    *("line_e", "exp_e", "last_e", "line_i", "exp_i", "last_i"),
)
BESIDE = {spinnaker_parts.EXC: (4, 5, 6), spinnaker_parts.INH: (7, 8, 9)}


def spinnaker_convert(values: Values, initial: Values, dt: float, scale: SpinnakerScale) -> Cells:
    """s16.15 as sPyNNaker writes it and the firmware prepares it."""
    step = np.array([fixed(dt)])
    rows = spinnaker_parts.synapse_rows(values, dt, scale)
    rows[1], rows[4] = (for_each(alpha_synapse.rise, fixed(values[tau]), step) for tau in alpha_synapse.TAUS.values())
    parameters = table(*rows, *spinnaker_parts.membrane_rows(values, dt), dtype=np.int64)
    v = fixed(initial["v"])
    zero = np.zeros_like(v)
    exc, inh = spinnaker_parts.synapse_state(initial, ("isyn_exc", "isyn_inh"))
    synapses = [row for shown in (exc, inh) for row in (shown, np.where(shown != 0, ONE, 0), zero)]
    state = np.stack([exc, inh, v, zero, *synapses]).astype(np.int32)
    readouts = {
        "v": spinnaker_parts.readout(spinnaker_parts.V),
        "isyn_exc": spinnaker_parts.readout(spinnaker_parts.EXC, BESIDE[spinnaker_parts.EXC]),
        "isyn_inh": spinnaker_parts.readout(spinnaker_parts.INH, BESIDE[spinnaker_parts.INH]),
    }
    held = spinnaker_parts.held_values(values, dt, parameters, MEMBRANE_ROW, synapses=True)
    return Cells(state, parameters, fixed(values["i_offset"]).astype(np.int32), ONE, readouts, held)


def spinnaker_receive(
    shown_exc,
    shown_inh,
    v,
    refractory,
    line_e,
    exp_e,
    last_e,
    line_i,
    exp_i,
    last_i,
    shift_e,
    rise_e,
    decay_e,
    shift_i,
    rise_i,
    decay_i,
    to_exc,
    to_inh,
):
    """The input is added to the synapses, whose currents are shown."""
    line_e, exp_e, last_e, exc, saturated_e, wrapped_e = alpha_synapse.add_input(
        line_e, exp_e, last_e, to_exc, shift_e, rise_e, decay_e
    )
    line_i, exp_i, last_i, inh, saturated_i, wrapped_i = alpha_synapse.add_input(
        line_i, exp_i, last_i, to_inh, shift_i, rise_i, decay_i
    )
    synapses = line_e, exp_e, last_e, line_i, exp_i, last_i
    return exc, inh, v, refractory, *synapses, saturated_e + saturated_i, wrapped_e + wrapped_i


def spinnaker_neuron(
    shown_exc,
    shown_inh,
    v,
    refractory,
    line_e,
    exp_e,
    last_e,
    line_i,
    exp_i,
    last_i,
    rise_e,
    decay_e,
    rise_i,
    decay_i,
    resistance,
    kept,
    v_rest,
    v_reset,
    v_thresh,
    refractory_steps,
    i_least,
    i_most,
    drive,
):
    """One step in s16.15: v under the currents that hold the input already, then the synapses go on."""
    current = plus(minus(shown_exc, shown_inh), drive)
    v, refractory, fired, wrapped = spinnaker_parts.integrate_and_fire(
        v, refractory, current, resistance, kept, v_rest, v_reset, v_thresh, refractory_steps, i_least, i_most
    )
    line_e, exp_e, last_e, wrapped_e = alpha_synapse.shape(line_e, exp_e, last_e, rise_e, decay_e)
    line_i, exp_i, last_i, wrapped_i = alpha_synapse.shape(line_i, exp_i, last_i, rise_i, decay_i)
    synapses = line_e, exp_e, last_e, line_i, exp_i, last_i
    return shown_exc, shown_inh, v, refractory, *synapses, fired, False, wrapped + wrapped_e + wrapped_i


SPINNAKER1 = Rule(
    spinnaker_convert,
    spinnaker_neuron,
    states=SPINNAKER_STATES,
    parameters=SYNAPSES + spinnaker_parts.MEMBRANE,
    inputs=spinnaker_parts.INPUTS,
    tallies=spinnaker_parts.TALLIES,
    receive=spinnaker_receive,
    note="sPyNNaker's alpha synapse takes a weight as the charge of its current (pC, for a weight in nA), whose peak "
    "is weight / (e tau_syn), where the ideal one takes it as the peak; and its current is not the sum of those of "
    "single spikes: each input takes the place of those before in what makes it rise, and lets it decay by a step more",
    defects=alpha_synapse.firmware_defects,
    limits=alpha_synapse.LIMITS,
)

MODEL = NeuronModel(
    name="IF_curr_alpha",
    parameters=if_curr_exp.MODEL.parameters,
    states=if_curr_exp.MODEL.states,
    recordables=if_curr_exp.MODEL.recordables,
    weight_unit="nA",
    above_zero=if_curr_exp.MODEL.above_zero,
    not_negative=if_curr_exp.MODEL.not_negative,
    rules={"ideal": IDEAL, "spinnaker1": SPINNAKER1},
)
