"""IF_curr_exp_sEMD: sPyNNaker's neuron of the spiking elementary motion detector.

    tau_m dv/dt = v_rest - v + (tau_m / cm) (i_offset + factor i_exc2 m - i_inh)
    tau_syn di/dt = -i,  a spike of weight w adds w to i

The receptors ``excitatory`` (the facilitator) and ``excitatory2`` (the trigger) are currents that decay by tau_syn_E
and tau_syn_E2. The first does not reach the membrane: m is its value in the time step in which the second rises from
exactly 0 to 0.001 nA or more, and 0 again once the second is below that. So a trigger that follows a facilitator makes
the more current the sooner it comes (Milde et al. 2018, doi:10.1162/neco_a_01112).

m is a matter of time steps and of the current's smallest number, so there is no ``ideal`` one: what decays in float64
never is exactly 0 again.
"""

from __future__ import annotations

import numpy as np
from numba.extending import register_jitable

from evsim.arithmetic.registers import minus, plus
from evsim.arithmetic.s1615 import ONE, decay, fixed, multiply, multiply_by, product
from evsim.deploy.spinnaker_scale import SpinnakerScale
from evsim.model import Cells, NeuronModel, Rule, Values, table
from evsim_models import if_curr_dual_exp, if_curr_exp, spinnaker_parts
from evsim_models.common import DEFAULTS

LEAST_TRIGGER = 32  # 0.001 in s16.15, truncated
SHOWN = "gsyn_exc"  # sPyNNaker's name of the excitatory current that reaches the membrane
OWN_STATES = ("multiplicator", "exc2_old")


def spinnaker_convert(values: Values, initial: Values, dt: float, scale: SpinnakerScale) -> Cells:
    """s16.15 as sPyNNaker writes it and the firmware prepares it."""
    cells = if_curr_dual_exp.spinnaker_convert(values, initial, dt, scale)
    own = [fixed(initial[name]).astype(np.int32) for name in OWN_STATES]
    factor = fixed(values["scaling_factor"])
    readouts = {name: spinnaker_parts.readout(len(cells.state) + k) for k, name in enumerate(OWN_STATES)}
    return Cells(
        np.vstack([cells.state, *own]),
        table(*cells.parameters, factor, dtype=np.int64),
        cells.drive,
        cells.drive_per_nA,
        {**cells.readouts, **readouts},
        {**cells.effective, "scaling_factor": factor / ONE},
    )


@register_jitable
def facilitation(exc, exc2, multiplicator, exc2_old):
    """m in a time step, from that of the step before."""
    begins = (exc2 >= LEAST_TRIGGER) & (multiplicator == 0) & (exc2_old == 0)
    multiplicator = exc if begins else multiplicator
    return 0 if exc2 < LEAST_TRIGGER else multiplicator


@register_jitable
def reaching(exc2, multiplicator, factor):
    """The excitatory current that reaches the membrane; the binary's order of the products, not that of its source."""
    return multiply(multiply_by(exc2, factor), multiplicator)


def spinnaker_derive(state: np.ndarray, parameters: np.ndarray) -> np.ndarray:
    """What is shown of currents, m and the factor as they were set."""
    rows = np.broadcast_arrays(state[0], state[1], state[6], state[7], parameters[-1])
    shown = [_shown(*(int(value) for value in cell)) for cell in zip(*rows, strict=True)]
    return np.concatenate([state[:5], np.array(shown, np.int64).astype(np.int32)[None], state[6:]])


def _shown(exc: int, exc2: int, multiplicator: int, exc2_old: int, factor: int) -> int:
    return product(product(exc2, factor), facilitation(exc, exc2, multiplicator, exc2_old))


def spinnaker_receive(
    exc,
    exc2,
    inh,
    v,
    refractory,
    shown,
    multiplicator,
    exc2_old,
    shift_e,
    init_e,
    shift_e2,
    init_e2,
    shift_i,
    init_i,
    factor,
    to_exc,
    to_exc2,
    to_inh,
):
    """The input is added to the currents, and what of them reaches the membrane is shown."""
    exc, exc2, inh, saturated, wrapped = spinnaker_parts.add_dual_inputs(
        exc, exc2, inh, shift_e, init_e, shift_e2, init_e2, shift_i, init_i, to_exc, to_exc2, to_inh
    )
    shown = reaching(exc2, facilitation(exc, exc2, multiplicator, exc2_old), factor)
    return exc, exc2, inh, v, refractory, shown, multiplicator, exc2_old, saturated, wrapped


def spinnaker_neuron(
    exc,
    exc2,
    inh,
    v,
    refractory,
    shown,
    multiplicator,
    exc2_old,
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
    factor,
    drive,
):
    """One step in s16.15: m, v under the current that follows from it and the inhibitory one, then currents decay."""
    multiplicator = facilitation(exc, exc2, multiplicator, exc2_old)
    exc2_old = exc2
    current = plus(minus(reaching(exc2, multiplicator, factor), inh), drive)
    v, refractory, fired, wrapped = spinnaker_parts.integrate_and_fire(
        v, refractory, current, resistance, kept, v_rest, v_reset, v_thresh, refractory_steps, i_least, i_most
    )
    exc, exc2, inh = decay(exc, decay_e), decay(exc2, decay_e2), decay(inh, decay_i)
    return exc, exc2, inh, v, refractory, shown, multiplicator, exc2_old, fired, False, wrapped


SPINNAKER1 = Rule(
    spinnaker_convert,
    spinnaker_neuron,
    states=("exc", "exc2", "inh", "v", "refractory", "shown", *OWN_STATES),
    parameters=(*spinnaker_parts.DUAL_SYNAPSES, *spinnaker_parts.MEMBRANE, "factor"),
    inputs=spinnaker_parts.DUAL_INPUTS,
    tallies=spinnaker_parts.TALLIES,
    receive=spinnaker_receive,
    derive=spinnaker_derive,
    defects=spinnaker_parts.dual_defects,
)

MODEL = NeuronModel(
    name="IF_curr_exp_sEMD",
    parameters={**if_curr_dual_exp.MODEL.parameters, "scaling_factor": "dimensionless"},
    states={**if_curr_dual_exp.MODEL.states, **dict.fromkeys(OWN_STATES, "nA")},
    recordables={**if_curr_dual_exp.MODEL.recordables, SHOWN: "nA"},
    weight_unit="nA",
    receptors=tuple(spinnaker_parts.DUAL_INPUTS),
    above_zero=if_curr_exp.MODEL.above_zero | {"tau_syn_E2"},
    not_negative=if_curr_exp.MODEL.not_negative,
    rules={"spinnaker1": SPINNAKER1},
    defaults={
        **DEFAULTS,
        **{"tau_syn_E2": 5.0, "isyn_exc2": 0.0, "scaling_factor": 1.0},
        **dict.fromkeys(OWN_STATES, 0.0),
    },
)
