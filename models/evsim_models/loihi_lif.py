"""Registers of Loihi's neuron for IF_curr_exp and IF_curr_delta, which are that neuron with different registers.

The step itself is in ``evsim.arithmetic.loihi_lif``. Its voltage is v - v_reset, because a spike sets it to 0; the pull
toward v_rest is part of the bias.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from evsim.arithmetic.loihi import ALIGN, BIAS_EXPONENT_MAX, BIAS_MANTISSA_MAX, DECAY_ONE, THRESHOLD_MAX
from evsim.arithmetic.loihi_lif import PARAMETERS, STATES, V, loihi1_neuron, loihi2_neuron
from evsim.deploy.loihi_scale import Floats, LoihiNeeds, LoihiScale
from evsim.model import Cells, Readout, Rule, Values
from evsim_models.common import refractory_steps, table

INPUTS = {"excitatory": 0, "inhibitory": 0}  # both signs add to the one current


def rules(convert: Callable, needs: Callable, note: str = "") -> tuple[Rule, Rule]:
    """The rules of a model for loihi1 and for loihi2."""
    loihi1 = Rule(
        convert,
        loihi1_neuron,
        states=STATES,
        parameters=PARAMETERS,
        inputs=INPUTS,
        tallies=("overflowed_u", "overflowed_v"),
        needs=needs,
        note=note,
    )
    return loihi1, replace(loihi1, neuron=loihi2_neuron, tallies=("wrapped", "clipped"))


def decay_of(tau: Floats, dt: float) -> Floats:
    """The part of 4096 that is lost in one step of ``dt`` (ms), to the nearest integer."""
    return np.rint(-DECAY_ONE * np.expm1(-dt / np.asarray(tau)))


def time_constant(decay: Floats, dt: float) -> Floats:
    """The time constant (ms) that a decay really gives."""
    with np.errstate(divide="ignore"):
        return dt / -np.log1p(-decay / DECAY_ONE)


class Membrane(NamedTuple):
    """The membranes of a population in physical units, as far as Loihi holds them; all (n,).

    Attributes:
        decay: part of 4096 that v loses in one step.
        per_nA: mV that a nA adds in one step. It is taken from the decay that the chip holds, so that the voltage at
            which leak and current balance is exact.
        push: mV that rest and i_offset add in one step.
    """

    decay: Floats
    per_nA: Floats
    push: Floats


def membrane(values: Values, dt: float) -> Membrane:
    """Membrane registers; dv = 4096 does not exist, so v never decays within one step."""
    decay = np.clip(decay_of(values["tau_m"], dt), 0, DECAY_ONE - 1)
    per_nA = decay / DECAY_ONE * values["tau_m"] / values["cm"]
    push = decay / DECAY_ONE * (values["v_rest"] - values["v_reset"]) + per_nA * values["i_offset"]
    return Membrane(decay, per_nA, push)


def needs(values: Values, initial: Values, dt: float, mV_per_weight: Floats, start: Floats) -> LoihiNeeds:
    """What the choice of the scale depends on; ``start`` (mV) is what the initial current adds in the first step."""
    reset = values["v_reset"]
    reach = np.abs(values["v_thresh"] - reset)
    for other in (values["v_rest"], initial["v"]):
        reach = np.maximum(reach, np.abs(other - reset))
    wide = np.broadcast_arrays(mV_per_weight, reach, *membrane(values, dt)[1:], start)
    per_weight, reach, per_nA, push, start = wide
    return LoihiNeeds(per_weight, reach, push, per_nA, start)


def cells(
    values: Values, initial: Values, dt: float, scale: LoihiScale, decay_u: Floats, start_u: Floats, readouts: dict
) -> Cells:
    """Registers and state of a population; ``decay_u`` is du + 1, ``start_u`` the state of u at t = 0."""
    lsb, body = scale.lsb_per_mV, membrane(values, dt)
    threshold = np.clip(np.rint((values["v_thresh"] - values["v_reset"]) * lsb / (1 << ALIGN)), 0, THRESHOLD_MAX)
    drive = nearest_bias(body.push * lsb)
    parameters = table(
        DECAY_ONE - decay_u,
        DECAY_ONE - body.decay,
        threshold * (1 << ALIGN),
        refractory_steps(values["tau_refrac"], dt),
        dtype=np.int64,
    )
    size = len(lsb)
    v = np.rint((initial["v"] - values["v_reset"]) * lsb)
    state = np.stack(np.broadcast_arrays(start_u, v, np.zeros(size))).astype(np.int32)
    rest = body.decay / DECAY_ONE * (values["v_rest"] - values["v_reset"])
    effective = {
        "tau_m": time_constant(body.decay, dt),
        "v_thresh": values["v_reset"] + threshold * (1 << ALIGN) / lsb,
        "i_offset": (drive / lsb - rest) / body.per_nA,
    }
    readouts = {"v": Readout(V, 1 / lsb, np.broadcast_to(values["v_reset"], size)), **readouts}
    return Cells(state, parameters, drive, body.per_nA * lsb, readouts, effective)


def nearest_bias(bias: Floats) -> np.ndarray:
    """The nearest ``mantissa << exponent`` (int32) of a 13-bit mantissa and the smallest exponent that holds it."""
    with np.errstate(divide="ignore"):
        exponent = np.ceil(np.log2(np.abs(bias) / (BIAS_MANTISSA_MAX + 0.49)))
    step = 2.0 ** np.clip(exponent, 0, BIAS_EXPONENT_MAX)
    return (np.rint(bias / step) * step).astype(np.int32)
