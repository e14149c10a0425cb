"""StocExp and StocExpStable: sPyNNaker's neurons that spike with a probability of a power of 2 of v.

    StocExp        v = bias + input of the time step,      p = 2^v / tau
    StocExpStable  v = v + bias + input of the time step,  p = 2^v tau,  at least v_reset at the end of the step

A neuron that spikes goes on spiking in every time step, for tau (StocExp) or tau_refrac (StocExpStable) in all;
StocExpStable is then at v_reset. These are laws of time steps, so there are no ``ideal`` ones. The random numbers are
the firmware's: each neuron has a generator of its own, whose state are the four words seed0 to seed3.

Source: ``neuron_impl_stoc_exp.h``, ``neuron_impl_stoc_exp_stable.h`` and ``stoc_exp_common.h`` of sPyNNaker.
"""

from __future__ import annotations

import numpy as np
from numba.extending import register_jitable

from evsim.arithmetic.registers import minus, plus
from evsim.arithmetic.s1615 import ONE, fixed
from evsim.deploy.spinnaker_scale import SpinnakerScale
from evsim.model import Cells, NeuronModel, Rule, Values, table
from evsim_models import spinnaker_parts
from evsim_models.if_curr_delta import SHIFTS
from evsim_models.kiss import NOTE, SEED_STATES, SEEDS, kiss_if, seed_readouts, seed_rows

U1616 = 1 << 16
CERTAIN = 0xFFFFFFFF  # the probability 1
MIN_TAU = 0x10B55  # a factor above this stays above 1 whatever negative power of 2 it is multiplied by
# 2^(1/2^n) and 2^-(1/2^n) for n from 1 to 15, as u16.16: fract_powers_2 and fract_powers_half of maths-util.h
POWERS = (
    *(0x16A09, 0x1306F, 0x1172B, 0x10B55, 0x1059B, 0x102C9, 0x10163, 0x100B1),
    *(0x10058, 0x1002C, 0x10016, 0x1000B, 0x10005, 0x10002, 0x10001),
)
HALVES = (
    *(0xB504, 0xD744, 0xEAC0, 0xF525, 0xFA83, 0xFD3E, 0xFE9E, 0xFF4E),
    *(0xFFA7, 0xFFD3, 0xFFE9, 0xFFF4, 0xFFFA, 0xFFFD, 0xFFFE),
)


@register_jitable
def bit_length(x):
    """The number of bits of an unsigned word."""
    bits = 0
    while x > 0:
        x >>= 1
        bits += 1
    return bits


@register_jitable
def probability(factor, v):
    """min(factor 2^v, 1) as a word, of a u16.16 and an s16.15, with every rounding of the firmware."""
    if v >= 0:
        if factor >= U1616 or v >= (17 - bit_length(factor)) * ONE:
            return CERTAIN
        found, rest = factor << (v >> 15), v & 0x7FFF
        for k in range(15):
            if (rest >> (14 - k)) & 1:
                found = (found * POWERS[k]) >> 16
                if found >= U1616:
                    return CERTAIN
        return (found * CERTAIN) >> 16
    if factor > MIN_TAU:
        return CERTAIN
    below = -v
    if below >= bit_length(factor) * ONE:
        return 0
    found, rest = factor >> (below >> 15), below & 0x7FFF
    for k in range(15):
        if (rest >> (14 - k)) & 1:
            found = (found * HALVES[k]) >> 16
    return ((found * CERTAIN) >> 16) & CERTAIN


def u1616(values: np.ndarray) -> np.ndarray:
    """The nearest unsigned s16.16."""
    return np.rint(np.asarray(values) * U1616).astype(np.int64)


def spiking_steps(duration: np.ndarray, dt: float) -> np.ndarray:
    """For how many time steps a neuron goes on after the one in which it drew its spike."""
    quotient = (u1616(duration) << 16) // u1616(np.array([dt]))
    return np.maximum(-(-quotient // U1616) - 1, 0)


def _cells(values: Values, initial: Values, scale: SpinnakerScale, own: tuple[np.ndarray, ...], held: Values) -> Cells:
    shifts = (np.array([shift]) for shift in scale.shifts)
    bias = fixed(values["bias"])
    parameters = table(*shifts, bias, *own, dtype=np.int64)
    size = len(bias)
    v = fixed(initial["v"]) if "v" in initial else np.zeros(size, np.int64)
    zero = np.zeros(size, np.int32)
    state = np.stack([zero, zero, v.astype(np.int32), zero, *seed_rows(initial)])
    readouts = spinnaker_parts.readouts("ex_input", "in_input", "v") | seed_readouts(4)
    return Cells(state, parameters, zero, 0.0, readouts, {"bias": bias / ONE, **held})


# --- StocExp ---------------------------------------------------------------------------------------------------------


def exp_convert(values: Values, initial: Values, dt: float, scale: SpinnakerScale) -> Cells:
    """What the firmware prepares: 1 / tau without its whole part."""
    factor = (1 << 32) // np.maximum(u1616(values["tau"]), 1) & 0xFFFF
    return _cells(values, initial, scale, (factor, spiking_steps(values["tau"], dt)), {})


def exp_receive(exc, inh, v, spiking, seed0, seed1, seed2, seed3, shift_e, shift_i, bias, to_exc, to_inh):
    """The input of the step, and v, which is shown as 0 while the neuron goes on spiking."""
    exc, inh, saturated = spinnaker_parts.take_inputs(shift_e, shift_i, to_exc, to_inh)
    v = 0 if spiking > 0 else minus(plus(bias, exc), inh)
    return exc, inh, v, spiking, seed0, seed1, seed2, seed3, saturated


def exp_neuron(exc, inh, v, spiking, seed0, seed1, seed2, seed3, factor, spiking_steps):
    """One step: a neuron that is not spiking on draws a number."""
    draws = spiking <= 0
    seed0, seed1, seed2, seed3, drawn = kiss_if(draws, seed0, seed1, seed2, seed3)
    fired = draws & (drawn < probability(factor, v))
    spiking = spiking_steps if fired else minus(spiking, not draws)
    return exc, inh, v, spiking, seed0, seed1, seed2, seed3, fired | (not draws), False


STATES = ("exc", "inh", "v", "spiking", *SEEDS)
EXP = Rule(
    exp_convert,
    exp_neuron,
    states=STATES,
    parameters=(*SHIFTS, "bias", "factor", "spiking_steps"),
    inputs=spinnaker_parts.INPUTS,
    tallies=("saturated",),
    note=NOTE,
    receive=exp_receive,
)

# --- StocExpStable ---------------------------------------------------------------------------------------------------


def stable_convert(values: Values, initial: Values, dt: float, scale: SpinnakerScale) -> Cells:
    """s16.15 and u16.16 as sPyNNaker writes them and the firmware prepares them."""
    own = (u1616(values["tau"]), spiking_steps(values["tau_refrac"], dt), fixed(values["v_reset"]))
    return _cells(values, initial, scale, own, {"tau": own[0] / U1616, "v_reset": own[2] / ONE})


def stable_receive(exc, inh, v, spiking, seed0, seed1, seed2, seed3, shift_e, shift_i, bias, to_exc, to_inh):
    """The input of the step, which moves v unless the neuron goes on spiking."""
    exc, inh, saturated = spinnaker_parts.take_inputs(shift_e, shift_i, to_exc, to_inh)
    v = v if spiking > 0 else plus(v, minus(plus(bias, exc), inh))
    return exc, inh, v, spiking, seed0, seed1, seed2, seed3, saturated


def stable_neuron(exc, inh, v, spiking, seed0, seed1, seed2, seed3, factor, spiking_steps, v_reset):
    """One step: a neuron that is not spiking on draws a number, and v is at least v_reset after it."""
    draws = spiking <= 0
    seed0, seed1, seed2, seed3, drawn = kiss_if(draws, seed0, seed1, seed2, seed3)
    fired = draws & (drawn < probability(factor, v))
    low = fired | (draws & (v < v_reset))
    v, spiking = v_reset if low else v, spiking_steps if fired else minus(spiking, not draws)
    return exc, inh, v, spiking, seed0, seed1, seed2, seed3, fired | (not draws), False


STABLE = Rule(
    stable_convert,
    stable_neuron,
    states=STATES,
    parameters=(*SHIFTS, "bias", "factor", "spiking_steps", "v_reset"),
    inputs=spinnaker_parts.INPUTS,
    tallies=("saturated",),
    note=NOTE,
    receive=stable_receive,
)

# --- the cells -------------------------------------------------------------------------------------------------------

RECORDED = {"v": "mV", "ex_input": "mV", "in_input": "mV"}
NO_SEEDS = dict.fromkeys(SEEDS, 0.0)

MODELS = (
    NeuronModel(
        name="StocExp",
        parameters={"tau": "ms", "bias": "mV"},
        states=SEED_STATES,
        recordables=RECORDED,
        weight_unit="mV",
        above_zero=frozenset({"tau"}),
        rules={"spinnaker1": EXP},
        defaults={"tau": 10.0, "bias": 0.0, **NO_SEEDS},
        injectable=False,
    ),
    NeuronModel(
        name="StocExpStable",
        parameters={"v_reset": "mV", "tau": "dimensionless", "tau_refrac": "ms", "bias": "mV"},
        states={"v": "mV", **SEED_STATES},
        recordables=RECORDED,
        weight_unit="mV",
        above_zero=frozenset({"tau_refrac"}),
        not_negative=frozenset({"tau"}),
        rules={"spinnaker1": STABLE},
        defaults={"v_reset": 0.0, "tau": 0.1, "tau_refrac": 1.0, "bias": 0.0, "v": 0.0, **NO_SEEDS},
        injectable=False,
    ),
)
