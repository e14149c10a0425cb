"""IFCurrDeltaFixedProb: IF_curr_delta that spikes with a fixed probability while v is at v_thresh or above.

As IF_curr_delta, but in each time step with v >= v_thresh it spikes with probability p_thresh alone; where it does not,
v goes on from where it is. In ``spinnaker1`` the random numbers are the firmware's: each neuron has a generator of its
own, whose state are the four words seed0 to seed3.
"""

from __future__ import annotations

import numpy as np

from evsim.arithmetic.registers import minus, plus
from evsim.arithmetic.s1615 import multiply_by
from evsim.deploy.spinnaker_scale import SpinnakerScale
from evsim.model import Cells, NeuronModel, Rule, Values, table
from evsim_models import if_curr_delta, spinnaker_parts
from evsim_models.kiss import NOTE, SEED_STATES, SEEDS, WORD, kiss_if, seed_readouts, seed_rows

LIMITS = {"p_thresh": (0.0, 1.0)}

# --- ideal -----------------------------------------------------------------------------------------------------------


def ideal_convert(values: Values, initial: Values, dt: float, scale: None) -> Cells:
    """Those of IF_curr_delta, and the probability."""
    cells = if_curr_delta.ideal_convert(values, initial, dt, scale)
    parameters = table(*cells.parameters, values["p_thresh"])
    return Cells(cells.state, parameters, cells.drive, cells.drive_per_nA, cells.readouts)


def ideal_neuron(u, refractory, p_m, u_per_drive, u_thresh, u_reset, refractory_steps, p_thresh, jump, drive, chance):
    """One time step in float64: v decays, takes the input due at the step's end, then meets threshold and chance."""
    held = refractory > 0
    moved = u_per_drive * drive + p_m * u + jump
    fired = (moved >= u_thresh) & (refractory <= 0) & (chance < p_thresh)
    free = u_reset if fired else moved
    wait = refractory_steps if fired else refractory
    return (u if held else free), (refractory - 1 if held else wait), fired


IDEAL = Rule(
    ideal_convert,
    ideal_neuron,
    states=if_curr_delta.STATES,
    parameters=(*if_curr_delta.PARAMETERS, "p_thresh"),
    inputs={"excitatory": 0, "inhibitory": 0},
    limits=LIMITS,
    arrive=if_curr_delta.ideal_arrive,
)

# --- spinnaker1 ------------------------------------------------------------------------------------------------------

U1616 = 1 << 16


def probability_word(p: np.ndarray) -> np.ndarray:
    """What a random word must be below: p as u16.16, times 2^32 - 1."""
    return np.rint(np.asarray(p) * U1616).astype(np.int64) * 0xFFFFFFFF >> 16


def spinnaker_convert(values: Values, initial: Values, dt: float, scale: SpinnakerScale) -> Cells:
    """s16.15 as sPyNNaker writes it and the firmware prepares it."""
    cells = if_curr_delta.spinnaker_convert(values, initial, dt, scale)
    prob = probability_word(values["p_thresh"])
    return Cells(
        np.vstack([cells.state, *seed_rows(initial)]),
        table(*cells.parameters, prob, dtype=np.int64),
        cells.drive,
        cells.drive_per_nA,
        {**cells.readouts, **seed_readouts(len(cells.state))},
        {**cells.effective, "p_thresh": prob / 2.0**32},
    )


def spinnaker_neuron(
    exc,
    inh,
    v,
    refractory,
    seed0,
    seed1,
    seed2,
    seed3,
    resistance,
    kept,
    v_rest,
    v_reset,
    v_thresh,
    refractory_steps,
    i_least,
    i_most,
    per_step,
    prob,
    drive,
):
    """One step in s16.15; a neuron at the threshold draws a number."""
    current = plus(minus(multiply_by(exc, per_step), multiply_by(inh, per_step)), drive)
    held = refractory > 0
    moved, wrapped = spinnaker_parts.membrane(v, current, resistance, kept, v_rest, i_least, i_most)
    v = v if held else moved
    left = minus(refractory, held)
    draws = v >= v_thresh
    seed0, seed1, seed2, seed3, drawn = kiss_if(draws, seed0, seed1, seed2, seed3)
    fired = draws & (drawn < (prob & WORD))  # the register holds it as a signed number
    v, refractory = v_reset if fired else v, refractory_steps if fired else left
    return exc, inh, v, refractory, seed0, seed1, seed2, seed3, fired, False, wrapped & (not held)


def spinnaker_receive(exc, inh, v, refractory, seed0, seed1, seed2, seed3, shift_e, shift_i, to_exc, to_inh):
    """The input of this step alone is what the synapses hold."""
    exc, inh, saturated = spinnaker_parts.take_inputs(shift_e, shift_i, to_exc, to_inh)
    return exc, inh, v, refractory, seed0, seed1, seed2, seed3, saturated, False


SPINNAKER1 = Rule(
    spinnaker_convert,
    spinnaker_neuron,
    states=(*if_curr_delta.SPINNAKER1.states, *SEEDS),
    parameters=(*if_curr_delta.SPINNAKER1.parameters, "prob"),
    inputs=spinnaker_parts.INPUTS,
    tallies=spinnaker_parts.TALLIES,
    receive=spinnaker_receive,
    recordables=spinnaker_parts.CURRENTS,
    limits=LIMITS,
    note=f"{if_curr_delta.SPINNAKER1.note}; {NOTE}",
)

MODEL = NeuronModel(
    name="IFCurrDeltaFixedProb",
    parameters={**if_curr_delta.MODEL.parameters, "p_thresh": "dimensionless"},
    states={"v": "mV", **SEED_STATES},
    recordables={"v": "mV"},
    weight_unit="mV",
    above_zero=if_curr_delta.MODEL.above_zero,
    not_negative=if_curr_delta.MODEL.not_negative | {"p_thresh"},
    rules={"ideal": IDEAL, "spinnaker1": SPINNAKER1},
    # sPyNNaker's, of a membrane that forgets everything within a time step
    defaults={
        **{"tau_m": 0.0001, "cm": 0.0001, "v_rest": 0.0, "v_reset": 0.0, "v_thresh": 1.0, "p_thresh": 1.0},
        **{"tau_refrac": 0.0, "i_offset": 0.0, "v": 0.0},
        **dict.fromkeys(SEEDS, 0.0),
    },
)
