"""Registers of Loihi's neurons for IF_curr_exp and IF_curr_delta, which are those neurons with different registers.

The step itself is in ``evsim.arithmetic.loihi_lif``. Its voltage is v - v_reset, because a spike sets it to 0; the pull
toward v_rest is part of the bias.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from evsim.arithmetic.loihi import ALIGN, BIAS_EXPONENT_MAX, BIAS_MANTISSA_MAX, DECAY_ONE, THRESHOLD_MAX
from evsim.arithmetic.loihi_lif import (
    PARAMETERS,
    STATES,
    TWO_PARAMETERS,
    TWO_STATES,
    loihi1_neuron,
    loihi2_neuron,
    two_current_neuron,
)
from evsim.deploy.loihi_scale import Floats, LoihiNeeds, LoihiScale
from evsim.model import Cells, Readout, Rule, Values, table
from evsim_models.common import refractory_steps

ONE_CURRENT = {"excitatory": 0, "inhibitory": 0}  # both signs add to it
TWO_CURRENTS = {"excitatory": 0, "inhibitory": 1}
FOR_EVER = 2.0**31 - 1  # steps: as many as a register counts
LAVA_TALLIES = ("wrapped", "clipped")
# parameter -> the least and the largest value of its register, in the order of the neurons' parameter rows
THRESHOLDS = {
    "v_thresh": (0, THRESHOLD_MAX),
    "v_thresh_hi": (0, THRESHOLD_MAX),
    "v_thresh_lo": (-THRESHOLD_MAX, 0),
}


def rules(convert: Callable, needs: Callable, note: str = "") -> tuple[Rule, Rule]:
    """The rules of a model for loihi1 and for loihi2: the neuron with one current."""
    loihi1 = Rule(
        convert,
        loihi1_neuron,
        states=STATES,
        parameters=PARAMETERS,
        inputs=ONE_CURRENT,
        tallies=("overflowed_u", "overflowed_v"),
        needs=needs,
        note=note,
    )
    return loihi1, replace(loihi1, neuron=loihi2_neuron, tallies=LAVA_TALLIES)


def two_current_rule(convert: Callable, needs: Callable) -> Rule:
    """The rule of a model for loihi2_microcode: the neuron with a current for each receptor."""
    return Rule(
        convert,
        two_current_neuron,
        states=TWO_STATES,
        parameters=TWO_PARAMETERS,
        inputs=TWO_CURRENTS,
        tallies=LAVA_TALLIES,
        needs=needs,
        note="its neuron has a current for each receptor; Loihi 2 needs microcode for it, which nobody has written, so "
        "no chip has run it",
    )


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
        decay: part of 4096 that v loses in one step; 0 where the time constant is so long that it stands for no leak.
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
    per_nA = np.where(decay > 0, decay / DECAY_ONE * values["tau_m"], dt) / values["cm"]
    push = decay / DECAY_ONE * (values["v_rest"] - values["v_reset"]) + per_nA * values["i_offset"]
    return Membrane(decay, per_nA, push)


def needs(
    values: Values, initial: Values, dt: float, mV_per_weight: Sequence[Floats], start: Sequence[Floats]
) -> LoihiNeeds:
    """What the choice of the scale depends on.

    Args:
        mV_per_weight: what a unit of weight of each current adds to v in the step in which it is felt.
        start: mV that each current adds in the first step.
    """
    reset = values["v_reset"]
    reach = np.abs(initial["v"] - reset)
    for other in ("v_rest", *_thresholds_of(values)):
        reach = np.maximum(reach, np.abs(values[other] - reset))
    body = membrane(values, dt)
    reach, push, per_nA, *by_row = np.broadcast_arrays(reach, body.push, body.per_nA, *mV_per_weight, *start)
    rows = len(mV_per_weight)
    return LoihiNeeds(np.stack(by_row[:rows]), reach, push, per_nA, np.stack(by_row[rows:]))


def cells(
    values: Values,
    initial: Values,
    dt: float,
    scale: LoihiScale,
    decays: Sequence[Floats],
    start: Sequence[Floats],
    readouts: dict,
) -> Cells:
    """Registers and state of a population.

    Args:
        decays: du + 1 of each current.
        start: the state of each current at t = 0.
        readouts: of the currents.
    """
    lsb, body = scale.lsb_per_mV, membrane(values, dt)
    thresholds = {
        name: np.clip(np.rint((values[name] - values["v_reset"]) * lsb / (1 << ALIGN)), *THRESHOLDS[name])
        for name in _thresholds_of(values)
    }
    drive = nearest_bias(body.push * lsb)
    parameters = table(
        *(DECAY_ONE - decay for decay in decays),
        DECAY_ONE - body.decay,
        *(threshold * (1 << ALIGN) for threshold in thresholds.values()),
        np.minimum(refractory_steps(values["tau_refrac"], dt), FOR_EVER),
        dtype=np.int64,
    )
    size = len(lsb)
    v = np.rint((initial["v"] - values["v_reset"]) * lsb)
    state = np.stack(np.broadcast_arrays(*start, v, np.zeros(size))).astype(np.int32)
    rest = body.decay / DECAY_ONE * (values["v_rest"] - values["v_reset"])
    effective = {
        "tau_m": np.where(body.decay > 0, time_constant(body.decay, dt), values["tau_m"]),
        **{name: values["v_reset"] + held * (1 << ALIGN) / lsb for name, held in thresholds.items()},
        "i_offset": (drive / lsb - rest) / body.per_nA,
    }
    membrane_readout = Readout(len(start), 1 / lsb, np.broadcast_to(values["v_reset"], size))
    return Cells(state, parameters, drive, body.per_nA * lsb, {"v": membrane_readout, **readouts}, effective)


def _thresholds_of(values: Values) -> list[str]:
    return [name for name in THRESHOLDS if name in values]


def nearest_bias(bias: Floats) -> np.ndarray:
    """The nearest ``mantissa << exponent`` (int32) of a 13-bit mantissa and the smallest exponent that holds it."""
    with np.errstate(divide="ignore"):
        exponent = np.ceil(np.log2(np.abs(bias) / (BIAS_MANTISSA_MAX + 0.49)))
    step = 2.0 ** np.clip(exponent, 0, BIAS_EXPONENT_MAX)
    return (np.rint(bias / step) * step).astype(np.int32)
