"""IF_curr_exp: leaky integrate-and-fire neuron with exponentially decaying currents.

    tau_m dv/dt = v_rest - v + (tau_m / cm) (i_offset + i_exc + i_inh)
    tau_syn di/dt = -i,  a spike of weight w adds w to i

When v reaches v_thresh the neuron spikes; v is then held at v_reset for tau_refrac, while the currents go on.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evsim.arithmetic.loihi import DECAY_ONE
from evsim.arithmetic.loihi_lif import U as LOIHI_U
from evsim.arithmetic.loihi_lif import loihi1_step, loihi2_step
from evsim.arithmetic.s1615 import ONE, decay, fixed, wrap
from evsim.deploy.loihi_scale import LoihiScale
from evsim.deploy.spinnaker_scale import SpinnakerScale
from evsim.model import Cells, NeuronModel, Readout, Rule, Values
from evsim_models import loihi_lif, spinnaker_parts
from evsim_models.common import propagator, refractory_steps, table

# --- ideal -----------------------------------------------------------------------------------------------------------

# Without synaptic input, constants and state are those of NEST's iaf_psc_exp down to the rounding (u = v - v_rest,
# injected current in pA), so that a neuron that only just reaches its threshold reaches it here and there.
PA_PER_NA = 1000.0

# state rows
U, I_EXC, I_INH, REFRACTORY = range(4)
# parameter rows: decays over one step, what a unit of current adds to v, and threshold and reset relative to v_rest
P_M, P_EXC, P_INH, U_PER_EXC, U_PER_INH, U_PER_DRIVE, U_THRESH, U_RESET, REFRACTORY_STEPS = range(9)


def ideal_convert(values: Values, initial: Values, dt: float, scale: None) -> Cells:
    """Exact propagators of the linear equations over one time step (Rotter and Diesmann 1999, as NEST has them)."""
    tau_m, cm, v_rest = values["tau_m"], values["cm"], values["v_rest"]
    decay = np.exp(-dt / tau_m)
    parameters = table(
        decay,
        np.exp(-dt / values["tau_syn_E"]),
        np.exp(-dt / values["tau_syn_I"]),
        propagator(values["tau_syn_E"], tau_m, cm, dt),
        propagator(values["tau_syn_I"], tau_m, cm, dt),
        tau_m / (cm * 1000.0) * (1 - decay),
        values["v_thresh"] - v_rest,
        values["v_reset"] - v_rest,
        refractory_steps(values["tau_refrac"], dt),
    )
    zero = np.zeros(len(tau_m))
    state = np.stack([initial["v"] - v_rest, initial.get("isyn_exc", zero), initial.get("isyn_inh", zero), zero])
    readouts = {"v": Readout(U, offset=v_rest), "isyn_exc": Readout(I_EXC), "isyn_inh": Readout(I_INH)}
    return Cells(state, parameters, values["i_offset"] * PA_PER_NA, PA_PER_NA, readouts)


def ideal_step(state, parameters, inputs, drive, spiked, tally):
    """One time step in float64: v from the currents at its start, then the currents, then the input due at its end."""
    u, i_exc, i_inh, refractory = state[U], state[I_EXC], state[I_INH], state[REFRACTORY]
    exc, inh = inputs[0], inputs[1]
    same = parameters.shape[1] == 1
    count = 0
    for n in range(u.size):
        p = 0 if same else n
        if refractory[n] > 0:
            refractory[n] -= 1
        else:
            u[n] = (
                parameters[P_M, p] * u[n]
                + parameters[U_PER_EXC, p] * i_exc[n]
                + parameters[U_PER_INH, p] * i_inh[n]
                + parameters[U_PER_DRIVE, p] * drive[n]
            )
        i_exc[n] = parameters[P_EXC, p] * i_exc[n] + exc[n]
        i_inh[n] = parameters[P_INH, p] * i_inh[n] + inh[n]
        if u[n] >= parameters[U_THRESH, p] and refractory[n] <= 0:
            u[n] = parameters[U_RESET, p]
            refractory[n] = parameters[REFRACTORY_STEPS, p]
            spiked[count] = n
            count += 1
    return count


IDEAL = Rule(ideal_convert, ideal_step, {"excitatory": 0, "inhibitory": 1})

# --- spinnaker1 ------------------------------------------------------------------------------------------------------

# state rows after those of the synapses, and parameter rows after theirs
S_V, S_REFRACTORY = 2, 3
S_RESISTANCE, S_KEPT, S_REST, S_RESET, S_THRESH, S_REFRACTORY_STEPS = range(spinnaker_parts.SYNAPSE_ROWS, 12)


def spinnaker_convert(values: Values, initial: Values, dt: float, scale: SpinnakerScale) -> Cells:
    """s16.15 as sPyNNaker writes it and the firmware prepares it."""
    rows = [*spinnaker_parts.synapse_rows(values, dt, scale), *spinnaker_parts.membrane_rows(values, dt)]
    parameters = table(*rows, dtype=np.int64)
    synapses = spinnaker_parts.synapse_state(initial, ("isyn_exc", "isyn_inh"))
    v = fixed(initial["v"])
    state = np.stack([*synapses, v, np.zeros_like(v)]).astype(np.int32)
    return Cells(
        state,
        parameters,
        fixed(values["i_offset"]).astype(np.int32),
        ONE,
        {
            "v": spinnaker_parts.readout(S_V),
            "isyn_exc": spinnaker_parts.readout(spinnaker_parts.EXC),
            "isyn_inh": spinnaker_parts.readout(spinnaker_parts.INH),
        },
        spinnaker_parts.held_values(values, dt, parameters, S_RESISTANCE, synapses=True),
    )


def spinnaker_step(state, parameters, inputs, drive, spiked, tally):
    """One step in s16.15: v under the currents that hold the input already, then the currents decay."""
    exc, inh, v, refractory = state[spinnaker_parts.EXC], state[spinnaker_parts.INH], state[S_V], state[S_REFRACTORY]
    same = parameters.shape[1] == 1
    count = 0
    for n in range(v.size):
        p = 0 if same else n
        if refractory[n] <= 0:
            current = wrap(np.int64(exc[n]) - np.int64(inh[n]) + np.int64(drive[n]))
            v[n] = spinnaker_parts.membrane(
                np.int64(v[n]),
                current,
                parameters[S_RESISTANCE, p],
                parameters[S_KEPT, p],
                parameters[S_REST, p],
                tally,
            )
        else:
            refractory[n] -= 1
        if v[n] >= parameters[S_THRESH, p]:
            v[n] = parameters[S_RESET, p]
            refractory[n] = parameters[S_REFRACTORY_STEPS, p]
            spiked[count] = n
            count += 1
        exc[n] = decay(np.int64(exc[n]), parameters[spinnaker_parts.DECAY_E, p])
        inh[n] = decay(np.int64(inh[n]), parameters[spinnaker_parts.DECAY_I, p])
    return count


SPINNAKER1 = Rule(
    spinnaker_convert,
    spinnaker_step,
    spinnaker_parts.INPUTS,
    spinnaker_parts.TALLIES,
    receive=spinnaker_parts.exponential_receive,
)

# --- loihi1 and loihi2 -----------------------------------------------------------------------------------------------


def loihi_needs(values: Values, initial: Values, dt: float) -> loihi_lif.LoihiNeeds:
    """What a nA of current adds to v in the step in which it is felt is the ideal propagator."""
    per_nA = propagator(values["tau_syn_E"], values["tau_m"], values["cm"], dt)
    return loihi_lif.needs(values, initial, dt, per_nA, per_nA * _current(initial))


def loihi_convert(values: Values, initial: Values, dt: float, scale: LoihiScale) -> Cells:
    """One decaying current for both receptors, whose tau_syn are equal.

    u holds what the current of the step that ends now added to v, so the current at its label is u times the decay.
    """
    decay_u = np.clip(loihi_lif.decay_of(values["tau_syn_E"], dt), 1, DECAY_ONE)
    left = np.exp(-dt / values["tau_syn_E"])
    start_u = np.rint(_current(initial) * scale.lsb_per_weight / left)
    current = Readout(LOIHI_U, left / scale.lsb_per_weight)
    readouts = {"isyn_exc": current, "isyn_inh": current}
    cells = loihi_lif.cells(values, initial, dt, scale, decay_u, start_u, readouts)
    tau_syn = loihi_lif.time_constant(decay_u, dt)
    return replace(cells, effective={**cells.effective, "tau_syn_E": tau_syn, "tau_syn_I": tau_syn})


def _current(initial: Values) -> np.ndarray:
    zero = np.zeros_like(initial["v"])
    return initial.get("isyn_exc", zero) + initial.get("isyn_inh", zero)


LOIHI1 = Rule(loihi_convert, loihi1_step, loihi_lif.INPUTS, ("overflowed_u", "overflowed_v"), needs=loihi_needs)
LOIHI2 = Rule(loihi_convert, loihi2_step, loihi_lif.INPUTS, ("wrapped", "clipped"), needs=loihi_needs)

MODEL = NeuronModel(
    name="IF_curr_exp",
    parameters={
        "v_rest": "mV",
        "cm": "nF",
        "tau_m": "ms",
        "tau_refrac": "ms",
        "tau_syn_E": "ms",
        "tau_syn_I": "ms",
        "i_offset": "nA",
        "v_reset": "mV",
        "v_thresh": "mV",
    },
    states={"v": "mV", "isyn_exc": "nA", "isyn_inh": "nA"},
    recordables={"v": "mV", "isyn_exc": "nA", "isyn_inh": "nA"},
    weight_unit="nA",
    above_zero=frozenset({"cm", "tau_m", "tau_syn_E", "tau_syn_I"}),
    not_negative=frozenset({"tau_refrac"}),
    rules={"ideal": IDEAL, "spinnaker1": SPINNAKER1, "loihi1": LOIHI1, "loihi2": LOIHI2},
)
