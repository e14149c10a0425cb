"""IF_curr_dual_exp: IF_curr_exp with two excitatory currents of different decay, as in sPyNNaker.

    tau_m dv/dt = v_rest - v + (tau_m / cm) (i_offset + i_exc + i_exc2 + i_inh)
    tau_syn di/dt = -i,  a spike of weight w adds w to i

The receptors ``excitatory`` and ``excitatory2`` decay by tau_syn_E and tau_syn_E2. When v reaches v_thresh the neuron
spikes; v is then held at v_reset for tau_refrac, while the currents go on.
"""

from __future__ import annotations

import numpy as np

from evsim.arithmetic.registers import minus, plus
from evsim.arithmetic.s1615 import FRACTION_MAX, ONE, decay, fixed
from evsim.deploy.spinnaker_scale import SpinnakerScale
from evsim.model import Cells, NeuronModel, Readout, Rule, Values, table
from evsim_models import if_curr_exp, spinnaker_parts
from evsim_models.common import DEFAULTS, PA_PER_NA, propagator, refractory_steps, spike_and_reset

# in the order of the rows of input
INPUTS = spinnaker_parts.DUAL_INPUTS
TAUS = tuple(spinnaker_parts.DUAL_TAUS.values())
CURRENTS = ("isyn_exc", "isyn_exc2", "isyn_inh")

# --- ideal -----------------------------------------------------------------------------------------------------------

STATES = ("u", "i_exc", "i_exc2", "i_inh", "refractory")
PARAMETERS = (
    *("p_m", "p_exc", "p_exc2", "p_inh"),  # decays over one step
    *("u_per_exc", "u_per_exc2", "u_per_inh", "u_per_drive"),  # what a unit of current adds to v
    *("u_thresh", "u_reset", "refractory_steps"),  # threshold and reset relative to v_rest
)


def ideal_convert(values: Values, initial: Values, dt: float, scale: None) -> Cells:
    """Exact propagators of the linear equations over one time step (Rotter and Diesmann 1999)."""
    tau_m, cm, v_rest = values["tau_m"], values["cm"], values["v_rest"]
    kept = np.exp(-dt / tau_m)
    parameters = table(
        kept,
        *(np.exp(-dt / values[tau]) for tau in TAUS),
        *(propagator(values[tau], tau_m, cm, dt) for tau in TAUS),
        tau_m / (cm * PA_PER_NA) * (1 - kept),
        values["v_thresh"] - v_rest,
        values["v_reset"] - v_rest,
        refractory_steps(values["tau_refrac"], dt),
    )
    zero = np.zeros(len(tau_m))
    state = np.stack([initial["v"] - v_rest, *(initial.get(name, zero) for name in CURRENTS), zero])
    readouts = {"v": Readout(0, offset=v_rest)} | {name: Readout(row) for row, name in enumerate(CURRENTS, 1)}
    return Cells(state, parameters, values["i_offset"] * PA_PER_NA, PA_PER_NA, readouts)


def ideal_neuron(
    u,
    i_exc,
    i_exc2,
    i_inh,
    refractory,
    p_m,
    p_exc,
    p_exc2,
    p_inh,
    u_per_exc,
    u_per_exc2,
    u_per_inh,
    u_per_drive,
    u_thresh,
    u_reset,
    refractory_steps,
    exc,
    exc2,
    inh,
    drive,
):
    """One time step in float64: v from the currents at its start, then the currents, then the input due at its end."""
    moved = p_m * u + u_per_exc * i_exc + u_per_exc2 * i_exc2 + u_per_inh * i_inh + u_per_drive * drive
    u, refractory, fired = spike_and_reset(u, moved, refractory, u_thresh, u_reset, refractory_steps)
    return (
        u,
        p_exc * i_exc + exc,
        p_exc2 * i_exc2 + exc2,
        p_inh * i_inh + inh,
        refractory,
        fired,
    )


IDEAL = Rule(
    ideal_convert,
    ideal_neuron,
    states=STATES,
    parameters=PARAMETERS,
    inputs=INPUTS,
    arrive=if_curr_exp.ideal_arrive,
    sums={"i_exc": "exc", "i_exc2": "exc2", "i_inh": "inh"},
    counters={"refractory": "refractory_steps"},
)

# --- spinnaker1 ------------------------------------------------------------------------------------------------------

SPINNAKER_STATES = ("exc", "exc2", "inh", "v", "refractory", "total")  # total: of the two excitatory currents
TOTAL = "gsyn_exc"  # sPyNNaker's name of it, which is what the firmware records
SYNAPSES = spinnaker_parts.DUAL_SYNAPSES
DECAYS = [SYNAPSES.index(name) for name in ("decay_e", "decay_e2", "decay_i")]


def spinnaker_convert(values: Values, initial: Values, dt: float, scale: SpinnakerScale) -> Cells:
    """s16.15 as sPyNNaker writes it and the firmware prepares it."""
    rows = [*spinnaker_parts.synapse_rows(values, dt, scale, TAUS), *spinnaker_parts.membrane_rows(values, dt)]
    parameters = table(*rows, dtype=np.int64)
    v = fixed(initial["v"])
    synapses = spinnaker_parts.synapse_state(initial, CURRENTS)
    state = np.stack([*synapses, v, np.zeros_like(v), synapses[0] + synapses[1]]).astype(np.int32)
    held = spinnaker_parts.held_values(values, dt, parameters, len(SYNAPSES), synapses=False)
    with np.errstate(divide="ignore"):
        for tau, row in zip(TAUS, DECAYS, strict=True):
            held[tau] = -dt / np.log(parameters[row] / (FRACTION_MAX + 1))
    readouts = spinnaker_parts.readouts(*CURRENTS, "v") | {TOTAL: spinnaker_parts.readout(len(state) - 1)}
    return Cells(state, parameters, fixed(values["i_offset"]).astype(np.int32), ONE, readouts, held)


def spinnaker_neuron(
    exc,
    exc2,
    inh,
    v,
    refractory,
    total,
    decay_e,
    decay_e2,
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
    """One step in s16.15: v under the currents that hold the input already, then the currents decay."""
    current = plus(minus(plus(exc, exc2), inh), drive)
    v, refractory, fired, wrapped = spinnaker_parts.integrate_and_fire(
        v, refractory, current, resistance, kept, v_rest, v_reset, v_thresh, refractory_steps, i_least, i_most
    )
    return decay(exc, decay_e), decay(exc2, decay_e2), decay(inh, decay_i), v, refractory, total, fired, False, wrapped


def spinnaker_receive(
    exc,
    exc2,
    inh,
    v,
    refractory,
    total,
    shift_e,
    init_e,
    shift_e2,
    init_e2,
    shift_i,
    init_i,
    to_exc,
    to_exc2,
    to_inh,
):
    """The input is added to the currents."""
    exc, exc2, inh, saturated, wrapped = spinnaker_parts.add_dual_inputs(
        exc, exc2, inh, shift_e, init_e, shift_e2, init_e2, shift_i, init_i, to_exc, to_exc2, to_inh
    )
    return exc, exc2, inh, v, refractory, plus(exc, exc2), saturated, wrapped


def spinnaker_derive(state: np.ndarray, parameters: np.ndarray) -> np.ndarray:
    """The sum of the excitatory currents as they were set."""
    return spinnaker_parts.with_sum(state, (0, 1), len(state) - 1)


SPINNAKER1 = Rule(
    spinnaker_convert,
    spinnaker_neuron,
    states=SPINNAKER_STATES,
    parameters=SYNAPSES + spinnaker_parts.MEMBRANE,
    inputs=INPUTS,
    tallies=spinnaker_parts.TALLIES,
    receive=spinnaker_receive,
    derive=spinnaker_derive,
    recordables={TOTAL: "nA"},
    defects=spinnaker_parts.dual_defects,
)

MODEL = NeuronModel(
    name="IF_curr_dual_exp",
    parameters={**if_curr_exp.MODEL.parameters, "tau_syn_E2": "ms"},
    states={"v": "mV", **dict.fromkeys(CURRENTS, "nA")},
    recordables={"v": "mV", **dict.fromkeys(CURRENTS, "nA")},
    weight_unit="nA",
    receptors=tuple(INPUTS),
    above_zero=if_curr_exp.MODEL.above_zero | {"tau_syn_E2"},
    not_negative=if_curr_exp.MODEL.not_negative,
    rules={"ideal": IDEAL, "spinnaker1": SPINNAKER1},
    defaults={**DEFAULTS, "tau_syn_E2": 5.0, "isyn_exc2": 0.0},
)
