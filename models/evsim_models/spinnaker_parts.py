"""What the neurons of SpiNNaker 1 share: synapses, the leaky membrane, the conversion of parameters.

The order of a time step is that of the executed firmware of sPyNNaker 7.4.1: input due now is added to the synapses
(``receive``), the variables are recorded, then the neuron is advanced and the synapses decay (``step``).

State rows of every model begin with EXC and INH, parameter rows with those of the two synapses.
"""

from __future__ import annotations

import numpy as np
from numba.extending import register_jitable

from evsim.arithmetic.s1615 import (
    FRACTION_MAX,
    ONE,
    decay,
    divide,
    exponential,
    exponential_fraction,
    fixed,
    for_each,
    multiply,
    saturate_input,
    wrap,
)
from evsim.deploy.spinnaker_scale import SpinnakerScale
from evsim.model import Readout, Values

INPUTS = {"excitatory": 0, "inhibitory": 1}
TALLIES = ("saturated", "wrapped")

# state rows
EXC, INH = range(2)
# parameter rows; SHIFT_* are those of the ring buffers
SHIFT_E, INIT_E, DECAY_E, SHIFT_I, INIT_I, DECAY_I = range(6)
SYNAPSE_ROWS = 6


@register_jitable
def add_input(total, x, shift, init, tally):
    """The synaptic variable x after the content of a ring-buffer slot is added to it.

    ``x + floor(((slot << shift) * init) / 2^32)``; saturated slots and wrapped sums are tallied.
    """
    if total == 0:
        return np.int64(x)
    slot = saturate_input(np.int64(total))
    tally[0] += slot != total
    free = np.int64(x) + decay(wrap(slot << shift), init)
    kept = wrap(free)
    tally[1] += kept != free
    return kept


@register_jitable
def membrane(v, current, resistance, kept, v_rest, tally):
    """The membrane voltage after one time step: ``alpha - kept (alpha - v)`` with ``alpha = current R + v_rest``."""
    free = ((current * resistance) >> 15) + v_rest
    alpha = wrap(free)
    tally[1] += alpha != free
    return wrap(alpha - multiply(kept, wrap(alpha - v)))


@register_jitable
def add_inputs(state, parameters, inputs, tally):
    """Add the input of both receptors to exponentially decaying synapses."""
    same = parameters.shape[1] == 1
    for n in range(state.shape[1]):
        p = 0 if same else n
        state[EXC, n] = add_input(inputs[0, n], state[EXC, n], parameters[SHIFT_E, p], parameters[INIT_E, p], tally)
        state[INH, n] = add_input(inputs[1, n], state[INH, n], parameters[SHIFT_I, p], parameters[INIT_I, p], tally)


def exponential_receive(state, parameters, inputs, drive, spiked, tally):
    """The ``receive`` of models whose synapses decay exponentially."""
    add_inputs(state, parameters, inputs, tally)
    return 0


def synapse_rows(values: Values, dt: float, scale: SpinnakerScale) -> list[np.ndarray]:
    """Parameter rows of two exponential synapses.

    A synapse decays by ``exp(-dt/tau)`` a step. Input is multiplied by ``tau/dt (1 - exp(-dt/tau))`` so that a step
    delivers the charge that the continuous current would.
    """
    rows = []
    for receptor, name in (("excitatory", "tau_syn_E"), ("inhibitory", "tau_syn_I")):
        tau, step = fixed(values[name]), np.array([fixed(dt)])
        rows += [
            np.array([scale.shifts[INPUTS[receptor]]]),
            for_each(_initial_fraction, tau, step),
            for_each(_decay_fraction, tau, step),
        ]
    return rows


def _decay_fraction(tau: int, step: int) -> int:
    return exponential_fraction(-divide(step, tau))


def _initial_fraction(tau: int, step: int) -> int:
    return ((divide(tau, step) * (FRACTION_MAX - _decay_fraction(tau, step))) >> 15) & FRACTION_MAX


def membrane_rows(values: Values, dt: float) -> list[np.ndarray]:
    """Parameter rows R, decay, v_rest, v_reset, v_thresh and refractory steps of a leaky membrane."""
    tau_m, cm, step = fixed(values["tau_m"]), fixed(values["cm"]), np.array([fixed(dt)])
    return [
        for_each(divide, tau_m, cm),
        for_each(_membrane_decay, tau_m, step),
        fixed(values["v_rest"]),
        fixed(values["v_reset"]),
        fixed(values["v_thresh"]),
        for_each(_whole_steps, fixed(values["tau_refrac"]), step),
    ]


def _membrane_decay(tau: int, step: int) -> int:
    return exponential(-divide(step, tau))


def _whole_steps(duration: int, step: int) -> int:
    return -(-divide(duration, step) // ONE)


def synapse_state(initial: Values, names: tuple[str, str], gain: float = 1.0) -> list[np.ndarray]:
    """State rows EXC and INH from the initial values of these names, 0 where there are none."""
    zero = np.zeros_like(initial["v"])
    return [fixed(initial.get(name, zero) * gain) for name in names]


def held_values(values: Values, dt: float, parameters: np.ndarray, membrane: int | None, synapses: bool) -> dict:
    """The time constants (ms) and the current (nA) that the fixed-point numbers really give.

    Args:
        parameters: the model's parameter rows.
        membrane: the first of its membrane rows, None where it has none.
        synapses: whether it has exponential synapses.
    """
    held = {"i_offset": fixed(values["i_offset"]) / ONE}
    with np.errstate(divide="ignore"):
        if synapses:
            held["tau_syn_E"] = -dt / np.log(parameters[DECAY_E] / (FRACTION_MAX + 1))
            held["tau_syn_I"] = -dt / np.log(parameters[DECAY_I] / (FRACTION_MAX + 1))
        if membrane is not None:
            held["tau_m"] = -dt / np.log(parameters[membrane + 1] / ONE)
            held["tau_refrac"] = parameters[membrane + 5] * dt
    return held


def readout(row: int) -> Readout:
    """A state row in s16.15."""
    return Readout(row, 1 / ONE)
