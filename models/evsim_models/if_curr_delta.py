"""IF_curr_delta: leaky integrate-and-fire neuron whose input moves the membrane voltage at once.

    tau_m dv/dt = v_rest - v + (tau_m / cm) i_offset
    a spike of weight w (mV, negative if inhibitory) adds w to v

When v reaches v_thresh the neuron spikes; v is then held at v_reset for tau_refrac, and input of that time is lost.

sPyNNaker's cell of this name takes a weight as the charge of a current that lasts one time step, which is what
``spinnaker1`` computes: v moves by w / cm (cm in nF) as far as the leak leaves it.
"""

from __future__ import annotations

import numpy as np

from evsim.arithmetic.loihi import DECAY_ONE
from evsim.arithmetic.loihi_lif import loihi1_step, loihi2_step
from evsim.arithmetic.s1615 import ONE, divide, fixed, multiply, saturate_input, wrap
from evsim.deploy.loihi_scale import LoihiScale
from evsim.deploy.spinnaker_scale import SpinnakerScale
from evsim.model import Cells, NeuronModel, Readout, Rule, Values
from evsim_models import loihi_lif, spinnaker_parts
from evsim_models.common import refractory_steps, table

# --- ideal -----------------------------------------------------------------------------------------------------------

# Constants and state are those of NEST's iaf_psc_delta down to the rounding (u = v - v_rest, currents in pA), so that a
# neuron that only just reaches its threshold reaches it here and there.
PA_PER_NA = 1000.0

# state rows
U, REFRACTORY = range(2)
# parameter rows: decay over one step, what a unit of current adds to v, and threshold and reset relative to v_rest
P_M, U_PER_DRIVE, U_THRESH, U_RESET, REFRACTORY_STEPS = range(5)


def ideal_convert(values: Values, initial: Values, dt: float, scale: None) -> Cells:
    """Exact propagators of the linear equation over one time step (Rotter and Diesmann 1999)."""
    tau_m, v_rest = values["tau_m"], values["v_rest"]
    decay = np.exp(-dt / tau_m)
    parameters = table(
        decay,
        1 / (values["cm"] * 1000.0) * (1 - decay) * tau_m,
        values["v_thresh"] - v_rest,
        values["v_reset"] - v_rest,
        refractory_steps(values["tau_refrac"], dt),
    )
    state = np.stack([initial["v"] - v_rest, np.zeros(len(tau_m))])
    return Cells(state, parameters, values["i_offset"] * PA_PER_NA, PA_PER_NA, {"v": Readout(U, offset=v_rest)})


def ideal_step(state, parameters, inputs, drive, spiked, tally):
    """One time step in float64: v decays, then takes the input due at the step's end, then meets the threshold."""
    u, refractory, jump = state[U], state[REFRACTORY], inputs[0]
    same = parameters.shape[1] == 1
    count = 0
    for n in range(u.size):
        p = 0 if same else n
        if refractory[n] > 0:
            refractory[n] -= 1
            continue
        u[n] = parameters[U_PER_DRIVE, p] * drive[n] + parameters[P_M, p] * u[n] + jump[n]
        if u[n] >= parameters[U_THRESH, p]:
            u[n] = parameters[U_RESET, p]
            refractory[n] = parameters[REFRACTORY_STEPS, p]
            spiked[count] = n
            count += 1
    return count


IDEAL = Rule(ideal_convert, ideal_step, {"excitatory": 0, "inhibitory": 0})

# --- spinnaker1 ------------------------------------------------------------------------------------------------------

# state rows after those of the synapses; parameter rows after the unused ones of exponential synapses
S_V, S_REFRACTORY = 2, 3
S_RESISTANCE, S_KEPT, S_REST, S_RESET, S_THRESH, S_REFRACTORY_STEPS, S_PER_STEP = range(
    spinnaker_parts.SYNAPSE_ROWS, 13
)


def spinnaker_convert(values: Values, initial: Values, dt: float, scale: SpinnakerScale) -> Cells:
    """s16.15 as sPyNNaker writes it and the firmware prepares it."""
    unused = np.zeros(1, np.int64)
    shift_e, shift_i = (np.array([shift]) for shift in scale.shifts)
    synapses = [shift_e, unused, unused, shift_i, unused, unused]
    per_step = np.array([divide(ONE, int(fixed(dt)))])
    parameters = table(*synapses, *spinnaker_parts.membrane_rows(values, dt), per_step, dtype=np.int64)
    v = fixed(initial["v"])
    state = np.stack([np.zeros_like(v), np.zeros_like(v), v, np.zeros_like(v)]).astype(np.int32)
    held = spinnaker_parts.held_values(values, dt, parameters, S_RESISTANCE, synapses=False)
    drive = fixed(values["i_offset"]).astype(np.int32)
    return Cells(state, parameters, drive, ONE, {"v": spinnaker_parts.readout(S_V)}, held)


def spinnaker_receive(state, parameters, inputs, drive, spiked, tally):
    """The input of this step alone is what the synapses hold."""
    same = parameters.shape[1] == 1
    for row, shift in ((spinnaker_parts.EXC, spinnaker_parts.SHIFT_E), (spinnaker_parts.INH, spinnaker_parts.SHIFT_I)):
        for n in range(state.shape[1]):
            slot = saturate_input(np.int64(inputs[row, n]))
            tally[0] += slot != inputs[row, n]
            state[row, n] = wrap(slot << parameters[shift, 0 if same else n])
    return 0


def spinnaker_step(state, parameters, inputs, drive, spiked, tally):
    """One step in s16.15: the input, as a current that lasts one step, moves v."""
    exc, inh, v, refractory = state[spinnaker_parts.EXC], state[spinnaker_parts.INH], state[S_V], state[S_REFRACTORY]
    same = parameters.shape[1] == 1
    count = 0
    for n in range(v.size):
        p = 0 if same else n
        if refractory[n] <= 0:
            per_step = parameters[S_PER_STEP, p]
            pulse = multiply(np.int64(exc[n]), per_step) - multiply(np.int64(inh[n]), per_step)
            v[n] = spinnaker_parts.membrane(
                np.int64(v[n]),
                wrap(pulse + np.int64(drive[n])),
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
    return count


SPINNAKER1 = Rule(
    spinnaker_convert,
    spinnaker_step,
    spinnaker_parts.INPUTS,
    spinnaker_parts.TALLIES,
    receive=spinnaker_receive,
    note="sPyNNaker's delta synapse is a current of one time step, so a weight moves v by about weight / cm mV (cm in "
    "nF); the ideal one moves it by weight mV",
)

# --- loihi1 and loihi2 -----------------------------------------------------------------------------------------------


def loihi_needs(values: Values, initial: Values, dt: float) -> loihi_lif.LoihiNeeds:
    """A weight is in mV already."""
    one = np.ones(len(values["tau_m"]))
    return loihi_lif.needs(values, initial, dt, one, 0 * one)


def loihi_convert(values: Values, initial: Values, dt: float, scale: LoihiScale) -> Cells:
    """A current that decays within one step (du = 4095), so that u is the input of the step alone."""
    return loihi_lif.cells(values, initial, dt, scale, np.array([DECAY_ONE]), np.zeros(1), {})


LOIHI_NOTE = "the jump of a delta synapse comes one time step after the one in which the ideal rule has it"
LOIHI1 = Rule(
    loihi_convert,
    loihi1_step,
    loihi_lif.INPUTS,
    ("overflowed_u", "overflowed_v"),
    needs=loihi_needs,
    note=LOIHI_NOTE,
)
LOIHI2 = Rule(loihi_convert, loihi2_step, loihi_lif.INPUTS, ("wrapped", "clipped"), needs=loihi_needs, note=LOIHI_NOTE)

MODEL = NeuronModel(
    name="IF_curr_delta",
    parameters={
        "v_rest": "mV",
        "cm": "nF",
        "tau_m": "ms",
        "tau_refrac": "ms",
        "i_offset": "nA",
        "v_reset": "mV",
        "v_thresh": "mV",
    },
    states={"v": "mV"},
    recordables={"v": "mV"},
    weight_unit="mV",
    above_zero=frozenset({"cm", "tau_m"}),
    not_negative=frozenset({"tau_refrac"}),
    rules={"ideal": IDEAL, "spinnaker1": SPINNAKER1, "loihi1": LOIHI1, "loihi2": LOIHI2},
)
