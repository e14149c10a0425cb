"""IF_cond_exp: leaky integrate-and-fire neuron with exponentially decaying conductances.

    cm dv/dt = (cm / tau_m) (v_rest - v) + g_exc (e_rev_E - v) + g_inh (e_rev_I - v) + i_offset
    tau_syn dg/dt = -g,  a spike of weight w (uS, never negative) adds w to g

When v reaches v_thresh the neuron spikes; v is then held at v_reset for tau_refrac, while the conductances go on.
"""

from __future__ import annotations

import numpy as np
from numba.extending import register_jitable

from evsim.arithmetic.s1615 import ONE, decay, fixed, multiply, wrap
from evsim.deploy.spinnaker_scale import SpinnakerScale
from evsim.model import Cells, NeuronModel, Readout, Rule, Values
from evsim_models import spinnaker_parts
from evsim_models.common import refractory_steps, table

# --- ideal -----------------------------------------------------------------------------------------------------------

# state rows
V, G_EXC, G_INH, REFRACTORY = range(4)
# parameter rows; P_EXC and P_INH are decays over a quarter of a substep, SUBSTEP its length (ms)
LEAK, PER_CM, E_EXC, E_INH, P_EXC, P_INH, V_REST, V_THRESH, V_RESET, REFRACTORY_STEPS, SUBSTEP, SUBSTEPS = range(12)

# ms; leaves an error below 1e-6 mV while the membrane's time constant is above 1 ms
LONGEST_SUBSTEP = 0.1


def ideal_convert(values: Values, initial: Values, dt: float, scale: None) -> Cells:
    """Rates of the membrane equation, and exact decays of the conductances over a quarter of a substep."""
    substeps = np.ceil(dt / LONGEST_SUBSTEP - 1e-9)
    h = dt / substeps
    parameters = table(
        1 / values["tau_m"],
        1 / values["cm"],
        values["e_rev_E"],
        values["e_rev_I"],
        np.exp(-h / 4 / values["tau_syn_E"]),
        np.exp(-h / 4 / values["tau_syn_I"]),
        values["v_rest"],
        values["v_thresh"],
        values["v_reset"],
        refractory_steps(values["tau_refrac"], dt),
        h,
        substeps,
    )
    zero = np.zeros(len(values["tau_m"]))
    state = np.stack([initial["v"], initial.get("gsyn_exc", zero), initial.get("gsyn_inh", zero), zero])
    readouts = {"v": Readout(V), "gsyn_exc": Readout(G_EXC), "gsyn_inh": Readout(G_INH)}
    return Cells(state, parameters, np.array(values["i_offset"]), 1.0, readouts)


@register_jitable
def relax(v, level, x):
    """Towards ``level`` by exp(-x), x >= 0.

    The exponential is the fourth power of the Pade approximant (2, 3) at x / 4: exact to 1e-10 up to x = 1 and below
    exp(-4) beyond, of plain arithmetic so that a loop over neurons is vectorised, which a call of exp is not.
    """
    x *= 0.25
    root = (1.0 + x * (-0.4 + x * 0.05)) / (1.0 + x * (0.6 + x * (0.15 + x * (1.0 / 60.0))))
    square = root * root
    return level + (v - level) * (square * square)


def ideal_step(state, parameters, inputs, drive, spiked, tally):
    """One time step in float64: v under the decaying conductances, then the input due at the step's end.

    A substep is solved exactly for the conductances of its midpoint, once in one piece and once in two halves, and
    extrapolated to the fourth order (Richardson). However large a conductance is, v does not blow up.
    """
    v, g_exc, g_inh, refractory = state[V], state[G_EXC], state[G_INH], state[REFRACTORY]
    exc, inh = inputs[0], inputs[1]
    same = parameters.shape[1] == 1
    h = parameters[SUBSTEP, 0]
    for _ in range(int(parameters[SUBSTEPS, 0])):
        for n in range(v.size):
            p = 0 if same else n
            leak, per_cm = parameters[LEAK, p], parameters[PER_CM, p]
            e_exc, p_exc = parameters[E_EXC, p], parameters[P_EXC, p]
            e_inh, p_inh = parameters[E_INH, p], parameters[P_INH, p]
            pull = leak * parameters[V_REST, p] + per_cm * drive[n]
            e, i = per_cm * g_exc[n] * p_exc, per_cm * g_inh[n] * p_inh
            rate = leak + e + i
            halves = relax(v[n], (pull + e * e_exc + i * e_inh) / rate, 0.5 * h * rate)
            e, i = e * p_exc, i * p_inh
            rate = leak + e + i
            whole = relax(v[n], (pull + e * e_exc + i * e_inh) / rate, h * rate)
            e, i = e * p_exc, i * p_inh
            rate = leak + e + i
            halves = relax(halves, (pull + e * e_exc + i * e_inh) / rate, 0.5 * h * rate)
            v[n] = (4.0 * halves - whole) / 3.0
            g_exc[n] *= (p_exc * p_exc) * (p_exc * p_exc)
            g_inh[n] *= (p_inh * p_inh) * (p_inh * p_inh)
    count = 0
    for n in range(v.size):
        p = 0 if same else n
        g_exc[n] += exc[n]
        g_inh[n] += inh[n]
        if refractory[n] > 0:
            refractory[n] -= 1
            v[n] = parameters[V_RESET, p]
        elif v[n] >= parameters[V_THRESH, p]:
            v[n] = parameters[V_RESET, p]
            refractory[n] = parameters[REFRACTORY_STEPS, p]
            spiked[count] = n
            count += 1
    return count


IDEAL = Rule(ideal_convert, ideal_step, {"excitatory": 0, "inhibitory": 1})

# --- spinnaker1 ------------------------------------------------------------------------------------------------------

# state rows after those of the synapses, which hold 1024 times the conductance; SHOWN_* are the conductances
S_V, S_REFRACTORY, SHOWN_EXC, SHOWN_INH = range(2, 6)
# parameter rows after those of the synapses
S_RESISTANCE, S_KEPT, S_REST, S_RESET, S_THRESH, S_REFRACTORY_STEPS, S_E_EXC, S_E_INH = range(
    spinnaker_parts.SYNAPSE_ROWS, 14
)
GAIN_BITS = 10  # log2 of CONDUCTANCE_GAIN


def spinnaker_convert(values: Values, initial: Values, dt: float, scale: SpinnakerScale) -> Cells:
    """s16.15 as sPyNNaker writes it and the firmware prepares it."""
    rows = [
        *spinnaker_parts.synapse_rows(values, dt, scale),
        *spinnaker_parts.membrane_rows(values, dt),
        fixed(values["e_rev_E"]),
        fixed(values["e_rev_I"]),
    ]
    parameters = table(*rows, dtype=np.int64)
    synapses = spinnaker_parts.synapse_state(initial, ("gsyn_exc", "gsyn_inh"), scale.gain)
    v = fixed(initial["v"])
    shown = [synapse >> GAIN_BITS for synapse in synapses]
    state = np.stack([*synapses, v, np.zeros_like(v), *shown]).astype(np.int32)
    readouts = {
        "v": spinnaker_parts.readout(S_V),
        "gsyn_exc": spinnaker_parts.readout(SHOWN_EXC),
        "gsyn_inh": spinnaker_parts.readout(SHOWN_INH),
    }
    held = spinnaker_parts.held_values(values, dt, parameters, S_RESISTANCE, synapses=True)
    return Cells(state, parameters, fixed(values["i_offset"]).astype(np.int32), ONE, readouts, held)


@register_jitable
def follow_shown(x, shown):
    """The synaptic variable, made to follow a conductance that was set from outside."""
    return np.int64(x) if np.int64(x) >> GAIN_BITS == shown else wrap(np.int64(shown) << GAIN_BITS)


def spinnaker_receive(state, parameters, inputs, drive, spiked, tally):
    """Add the input to the synapses, and show their conductances."""
    for n in range(state.shape[1]):
        state[spinnaker_parts.EXC, n] = follow_shown(state[spinnaker_parts.EXC, n], state[SHOWN_EXC, n])
        state[spinnaker_parts.INH, n] = follow_shown(state[spinnaker_parts.INH, n], state[SHOWN_INH, n])
    spinnaker_parts.add_inputs(state, parameters, inputs, tally)
    for n in range(state.shape[1]):
        state[SHOWN_EXC, n] = state[spinnaker_parts.EXC, n] >> GAIN_BITS
        state[SHOWN_INH, n] = state[spinnaker_parts.INH, n] >> GAIN_BITS
    return 0


def spinnaker_step(state, parameters, inputs, drive, spiked, tally):
    """One step in s16.15: v under the currents of the conductances at the voltage before, then these decay."""
    exc, inh, v, refractory = state[spinnaker_parts.EXC], state[spinnaker_parts.INH], state[S_V], state[S_REFRACTORY]
    same = parameters.shape[1] == 1
    count = 0
    for n in range(v.size):
        p = 0 if same else n
        if refractory[n] <= 0:
            before = np.int64(v[n])
            outward = wrap(-np.int64(state[SHOWN_INH, n]))
            from_exc = multiply(np.int64(state[SHOWN_EXC, n]), wrap(parameters[S_E_EXC, p] - before))
            from_inh = multiply(outward, wrap(parameters[S_E_INH, p] - before))
            v[n] = spinnaker_parts.membrane(
                before,
                wrap(from_exc - from_inh + np.int64(drive[n])),
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
        state[SHOWN_EXC, n] = exc[n] >> GAIN_BITS
        state[SHOWN_INH, n] = inh[n] >> GAIN_BITS
    return count


SPINNAKER1 = Rule(
    spinnaker_convert, spinnaker_step, spinnaker_parts.INPUTS, spinnaker_parts.TALLIES, receive=spinnaker_receive
)

MODEL = NeuronModel(
    name="IF_cond_exp",
    parameters={
        "v_rest": "mV",
        "cm": "nF",
        "tau_m": "ms",
        "tau_refrac": "ms",
        "tau_syn_E": "ms",
        "tau_syn_I": "ms",
        "e_rev_E": "mV",
        "e_rev_I": "mV",
        "v_thresh": "mV",
        "v_reset": "mV",
        "i_offset": "nA",
    },
    states={"v": "mV", "gsyn_exc": "uS", "gsyn_inh": "uS"},
    recordables={"v": "mV", "gsyn_exc": "uS", "gsyn_inh": "uS"},
    weight_unit="uS",
    above_zero=frozenset({"cm", "tau_m", "tau_syn_E", "tau_syn_I"}),
    not_negative=frozenset({"tau_refrac"}),
    rules={"ideal": IDEAL, "spinnaker1": SPINNAKER1},
)
