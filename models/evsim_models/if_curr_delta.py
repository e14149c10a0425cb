"""IF_curr_delta: leaky integrate-and-fire neuron whose input moves the membrane voltage at once.

    tau_m dv/dt = v_rest - v + (tau_m / cm) i_offset
    a spike of weight w (mV, negative if inhibitory) adds w to v

When v reaches v_thresh the neuron spikes; v is then held at v_reset for tau_refrac, and input of that time is lost.

sPyNNaker's cell of this name takes a weight as the charge of a current that lasts one time step, which is what
``spinnaker1`` computes: v moves by w / cm (cm in nF) as far as the leak leaves it.
"""

from __future__ import annotations

import numpy as np

from evsim.arithmetic.counters import count_down
from evsim.arithmetic.loihi import DECAY_ONE
from evsim.arithmetic.registers import minus, plus
from evsim.arithmetic.s1615 import ONE, divide, fixed, multiply_by
from evsim.deploy.loihi_scale import LoihiScale
from evsim.deploy.spinnaker_scale import SpinnakerScale
from evsim.model import Cells, NeuronModel, Readout, Rule, Values, table
from evsim_models import leaky, loihi_lif, spinnaker_parts
from evsim_models.common import PA_PER_NA, Floats, refractory_steps

# --- ideal -----------------------------------------------------------------------------------------------------------

# Constants and state are those of NEST's iaf_psc_delta down to the rounding (u = v - v_rest, currents in pA), so that a
# neuron that only just reaches its threshold reaches it here and there.
STATES = ("u", "refractory")
PARAMETERS = ("p_m", "u_per_drive", "u_thresh", "u_reset", "refractory_steps")


def ideal_convert(values: Values, initial: Values, dt: float, scale: None) -> Cells:
    """Exact propagators of the linear equation over one time step (Rotter and Diesmann 1999)."""
    tau_m, v_rest = values["tau_m"], values["v_rest"]
    decay = np.exp(-dt / tau_m)
    parameters = table(
        decay,
        1 / (values["cm"] * PA_PER_NA) * (1 - decay) * tau_m,
        values["v_thresh"] - v_rest,
        values["v_reset"] - v_rest,
        refractory_steps(values["tau_refrac"], dt),
    )
    state = np.stack([initial["v"] - v_rest, np.zeros(len(tau_m))])
    return Cells(state, parameters, values["i_offset"] * PA_PER_NA, PA_PER_NA, {"v": Readout(0, offset=v_rest)})


def ideal_neuron(u, refractory, p_m, u_per_drive, u_thresh, u_reset, refractory_steps, jump, drive):
    """One time step in float64: v decays, then takes the input due at the step's end, then meets the threshold."""
    held = refractory > 0
    moved = u_per_drive * drive + p_m * u + jump
    fired = (moved >= u_thresh) & (refractory <= 0)
    free = u_reset if fired else moved
    return (u if held else free), (refractory_steps if fired else count_down(refractory)), fired


def ideal_arrive(receptor: str, values: Values, dt: float, left: Floats) -> tuple[Floats, Floats]:
    """Input within a time step: what is left of it at its end, where v is right."""
    late = np.exp(-left / values["tau_m"])
    return np.zeros_like(late), late


IDEAL = Rule(
    ideal_convert,
    ideal_neuron,
    states=STATES,
    parameters=PARAMETERS,
    inputs={"excitatory": 0, "inhibitory": 0},
    arrive=ideal_arrive,
    counters={"refractory": "refractory_steps"},
    equations=leaky.with_jumps(),
)

# --- spinnaker1 ------------------------------------------------------------------------------------------------------

SHIFTS = ("shift_e", "shift_i")  # of the ring buffers


def spinnaker_convert(values: Values, initial: Values, dt: float, scale: SpinnakerScale) -> Cells:
    """s16.15 as sPyNNaker writes it and the firmware prepares it."""
    shifts = (np.array([shift]) for shift in scale.shifts)
    per_step = np.array([divide(ONE, int(fixed(dt)))])
    parameters = table(*shifts, *spinnaker_parts.membrane_rows(values, dt), per_step, dtype=np.int64)
    v = fixed(initial["v"])
    state = np.stack([np.zeros_like(v), np.zeros_like(v), v, np.zeros_like(v)]).astype(np.int32)
    held = spinnaker_parts.held_values(values, dt, parameters, len(SHIFTS), synapses=False)
    drive = fixed(values["i_offset"]).astype(np.int32)
    return Cells(state, parameters, drive, ONE, spinnaker_parts.readouts("isyn_exc", "isyn_inh", "v"), held)


def spinnaker_neuron(
    exc,
    inh,
    v,
    refractory,
    resistance,
    kept,
    v_rest,
    v_reset,
    v_thresh,
    refractory_steps,
    i_least,
    i_most,
    per_step,
    drive,
):
    """One step in s16.15: the input, as a current that lasts one step, moves v."""
    current = plus(minus(multiply_by(exc, per_step), multiply_by(inh, per_step)), drive)
    v, refractory, fired, wrapped = spinnaker_parts.integrate_and_fire(
        v, refractory, current, resistance, kept, v_rest, v_reset, v_thresh, refractory_steps, i_least, i_most
    )
    return exc, inh, v, refractory, fired, False, wrapped


def spinnaker_receive(exc, inh, v, refractory, shift_e, shift_i, to_exc, to_inh):
    """The input of this step alone is what the synapses hold."""
    exc, inh, saturated = spinnaker_parts.take_inputs(shift_e, shift_i, to_exc, to_inh)
    return exc, inh, v, refractory, saturated, False


SPINNAKER1 = Rule(
    spinnaker_convert,
    spinnaker_neuron,
    states=("exc", "inh", "v", "refractory"),
    parameters=(*SHIFTS, *spinnaker_parts.MEMBRANE, "per_step"),
    inputs=spinnaker_parts.INPUTS,
    tallies=spinnaker_parts.TALLIES,
    receive=spinnaker_receive,
    recordables=spinnaker_parts.CURRENTS,
    note="sPyNNaker's delta synapse is a current of one time step, so a weight moves v by about weight / cm mV (cm in "
    "nF); the ideal one moves it by weight mV",
)

# --- loihi1 and loihi2, which is that of loihi2_microcode, too -------------------------------------------------------


def loihi_needs(values: Values, initial: Values, dt: float) -> loihi_lif.LoihiNeeds:
    """A weight is in mV already."""
    one = np.ones(len(values["tau_m"]))
    return loihi_lif.needs(values, initial, dt, [one], [0 * one])


def loihi_convert(values: Values, initial: Values, dt: float, scale: LoihiScale) -> Cells:
    """A current that decays within one step (du = 4095), so that u is the input of the step alone."""
    return loihi_lif.cells(values, initial, dt, scale, [np.array([DECAY_ONE])], [np.zeros(1)], {})


LOIHI_NOTE = "the jump of a delta synapse comes one time step after the one in which the ideal rule has it"
LOIHI1, LOIHI2 = loihi_lif.rules(loihi_convert, loihi_needs, LOIHI_NOTE)

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
    rules={"ideal": IDEAL, "spinnaker1": SPINNAKER1, "loihi1": LOIHI1, "loihi2": LOIHI2, "loihi2_microcode": LOIHI2},
)
