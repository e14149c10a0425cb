"""What the neurons of SpiNNaker 1 share: synapses, the leaky membrane, the conversion of parameters.

The order of a time step is that of the executed firmware of sPyNNaker 7.4.1: input due now is added to the synapses
(``receive``), the variables are recorded, then the neuron is advanced and the synapses decay (``neuron``).

State rows of every model begin with EXC, INH and V, parameter rows of those with exponential synapses with theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
from numba.extending import register_jitable
from numpy.typing import NDArray

from evsim.arithmetic.registers import minus, plus, shift_left
from evsim.arithmetic.s1615 import (
    FRACTION_MAX,
    LARGEST,
    ONE,
    POINT,
    add,
    decay,
    divide,
    exponential,
    exponential_fraction,
    fixed,
    for_each,
    multiply_by,
    saturate_input,
)
from evsim.deploy.spinnaker_scale import SpinnakerScale
from evsim.errors import Problem
from evsim.model import Readout, Values

INPUTS = {"excitatory": 0, "inhibitory": 1}
EXPONENTIAL_TAUS = {"excitatory": "tau_syn_E", "inhibitory": "tau_syn_I"}
DUAL_TAUS = {"excitatory": "tau_syn_E", "excitatory2": "tau_syn_E2", "inhibitory": "tau_syn_I"}
DUAL_INPUTS = {"excitatory": 0, "excitatory2": 1, "inhibitory": 2}  # of cells with two excitatory synapses
TALLIES = ("saturated", "wrapped")

CURRENTS = {"isyn_exc": "nA", "isyn_inh": "nA"}  # what can be recorded of every cell with currents: sPyNNaker's gsyn

# state rows
EXC, INH, V = range(3)
# parameter rows: of two exponential synapses, the shifts being those of the ring buffers, and of a membrane
SYNAPSES = ("shift_e", "init_e", "decay_e", "shift_i", "init_i", "decay_i")
DUAL_SYNAPSES = (
    *("shift_e", "init_e", "decay_e"),
    *("shift_e2", "init_e2", "decay_e2"),
    *("shift_i", "init_i", "decay_i"),
)
MEMBRANE = ("resistance", "kept", "v_rest", "v_reset", "v_thresh", "refractory_steps", "i_least", "i_most")
DECAY_E, DECAY_I, MEMBRANE_ROW = 2, 5, len(SYNAPSES)


@register_jitable
def add_input(x, total, shift, init):
    """The synaptic variable x after the content of a ring-buffer slot is added to it; whether the slot was saturated
    and whether the sum was wrapped.

    ``x + floor(((slot << shift) * init) / 2^32)``
    """
    slot = saturate_input(total)
    kept, wrapped = add(x, decay(shift_left(slot, shift), init))
    return kept, slot != total, wrapped


@register_jitable
def add_inputs(exc, inh, shift_e, init_e, shift_i, init_i, to_exc, to_inh):
    """Both exponential synapses after their input is added, and how many slots were saturated and sums wrapped."""
    exc, saturated_e, wrapped_e = add_input(exc, to_exc, shift_e, init_e)
    inh, saturated_i, wrapped_i = add_input(inh, to_inh, shift_i, init_i)
    return exc, inh, saturated_e + saturated_i, wrapped_e + wrapped_i


@register_jitable
def add_dual_inputs(exc, exc2, inh, shift_e, init_e, shift_e2, init_e2, shift_i, init_i, to_exc, to_exc2, to_inh):
    """As ``add_inputs``, for two excitatory synapses and an inhibitory one."""
    exc, inh, saturated, wrapped = add_inputs(exc, inh, shift_e, init_e, shift_i, init_i, to_exc, to_inh)
    exc2, saturated_e2, wrapped_e2 = add_input(exc2, to_exc2, shift_e2, init_e2)
    return exc, exc2, inh, saturated + saturated_e2, wrapped + wrapped_e2


@register_jitable
def take_inputs(shift_e, shift_i, to_exc, to_inh):
    """What delta synapses hold, which is the input of one step alone, and how many slots were saturated."""
    slot_e, slot_i = saturate_input(to_exc), saturate_input(to_inh)
    saturated = (slot_e != to_exc) + (slot_i != to_inh)
    return shift_left(slot_e, shift_e), shift_left(slot_i, shift_i), saturated


@register_jitable
def membrane(v, current, resistance, kept, v_rest, i_least, i_most):
    """The membrane voltage after one time step, ``alpha - kept (alpha - v)`` with ``alpha = current R + v_rest``; and
    whether alpha was wrapped, which it is outside a range of currents."""
    alpha = plus(multiply_by(current, resistance), v_rest)
    return minus(alpha, multiply_by(minus(alpha, v), kept)), (current < i_least) | (current > i_most)


@register_jitable
def integrate_and_fire(
    v, refractory, current, resistance, kept, v_rest, v_reset, v_thresh, refractory_steps, i_least, i_most
):
    """One time step of a leaky membrane: v, the refractory steps that are left, whether it spikes, whether it wrapped.

    v keeps its value while refractory, and is compared with the threshold all the same.
    """
    held = refractory > 0
    moved, wrapped = membrane(v, current, resistance, kept, v_rest, i_least, i_most)
    v = v if held else moved
    left = minus(refractory, held)
    fired = v >= v_thresh
    return (v_reset if fired else v), (refractory_steps if fired else left), fired, wrapped & (refractory <= 0)


def synapse_rows(
    values: Values, dt: float, scale: SpinnakerScale, taus: Sequence[str] = ("tau_syn_E", "tau_syn_I")
) -> list[np.ndarray]:
    """Parameter rows of exponential synapses, by the names of their time constants, in the order of the rows of input.

    A synapse decays by ``exp(-dt/tau)`` a step. Input is multiplied by ``tau/dt (1 - exp(-dt/tau))`` so that a step
    delivers the charge that the continuous current would.
    """
    rows = []
    for shift, name in zip(scale.shifts, taus, strict=True):
        tau, step = fixed(values[name]), np.array([fixed(dt)])
        rows += [
            np.array([shift]),
            for_each(_initial_fraction, tau, step),
            for_each(_decay_fraction, tau, step),
        ]
    return rows


def _decay_fraction(tau: int, step: int) -> int:
    return exponential_fraction(-divide(step, tau))


def _initial_fraction(tau: int, step: int) -> int:
    return initial_factor(tau, step) & FRACTION_MAX


def initial_factor(tau: int, step: int) -> int:
    """``tau/dt (1 - exp(-dt/tau))`` of a synapse in units of 2^-32, before it is made a u0.32: it may be above 1."""
    return (divide(tau, step) * (FRACTION_MAX - _decay_fraction(tau, step))) >> POINT


def firmware_defects(
    where: str, values: Values, dt: float, taus: Mapping[str, str] = EXPONENTIAL_TAUS
) -> Iterator[Problem]:
    """Exponential synapses that are almost silent, since the factor of their input is wrapped.

    dt / tau_syn is held as k whole units of 2^-15, rounded down. Just below a tau_syn of 2^15 dt / k, for k up to 41,
    the firmware's exponential makes the decay in a step so much larger that the factor is 1 or more, and a u0.32 keeps
    what is behind the point.

    Args:
        taus: receptor -> the name of its time constant.
    """
    step = int(fixed(dt))
    for receptor, name in taus.items():
        held = fixed(values[name])
        factor = for_each(initial_factor, held, np.array([step]))
        wrong = factor > FRACTION_MAX
        if wrong.any():
            cell = int(np.argmax(wrong))
            first, last = (tau / ONE for tau in _wrapped_range(int(held[cell]), step))
            kept = int(factor[cell]) & FRACTION_MAX
            yield Problem(
                where,
                f"{name} is {values[name][cell]:.7g} ms in {np.count_nonzero(wrong)} of {len(wrong)} cells, so their "
                f"{receptor} input has {kept / factor[cell]:.2g} of its strength",
                f"sPyNNaker's firmware keeps what is behind the point of tau/dt (1 - exp(-dt/tau)), the factor of an "
                f"input; with a time step of {dt:g} ms that is 1 or more for a {name} from {first:.7g} to {last:.7g} "
                f"ms, one of the ranges that end at {step} ms / k, for whole k up to 41",
                f"Give a {name} outside these ranges or another time step.",
            )


dual_defects = partial(firmware_defects, taus=DUAL_TAUS)


def _wrapped_range(tau: int, step: int) -> tuple[int, int]:
    """The least and the largest s16.15 around ``tau`` for which the factor of an input is wrapped."""
    lost = FRACTION_MAX - _decay_fraction(tau, step)
    least = -(-((FRACTION_MAX + 1) << POINT) // lost)  # of tau/dt
    return -(-least * step >> POINT), (step << POINT) // divide(step, tau)


def membrane_rows(values: Values, dt: float) -> list[np.ndarray]:
    """Parameter rows R, decay, v_rest, v_reset, v_thresh and refractory steps of a leaky membrane, and the least and
    the largest current at which alpha is not wrapped."""
    tau_m, cm, step = fixed(values["tau_m"]), fixed(values["cm"]), np.array([fixed(dt)])
    resistance, v_rest = for_each(divide, tau_m, cm), fixed(values["v_rest"])
    return [
        resistance,
        decay_row(values["tau_m"], dt),
        v_rest,
        fixed(values["v_reset"]),
        fixed(values["v_thresh"]),
        for_each(_whole_steps, fixed(values["tau_refrac"]), step),
        *current_range(resistance, v_rest),
    ]


def decay_row(tau: np.ndarray, dt: float) -> np.ndarray:
    """``exp(-dt/tau)`` in s16.15, of a membrane and of a current that is multiplied in s16.15."""
    return for_each(_decay, fixed(tau), np.array([fixed(dt)]))


def current_range(resistance: NDArray[np.int64], v_rest: NDArray[np.int64]) -> tuple[np.ndarray, np.ndarray]:
    """The least and the largest register for which ``floor(current R / 2^15) + v_rest`` is a register's; R >= 0."""
    least = -(((LARGEST + 1 + v_rest) << POINT) // np.maximum(resistance, 1))
    most = (((LARGEST + 1 - v_rest) << POINT) - 1) // np.maximum(resistance, 1)
    any_current = resistance == 0
    return (
        np.where(any_current, -LARGEST - 1, np.maximum(least, -LARGEST - 1)),
        np.where(any_current, LARGEST, np.minimum(most, LARGEST)),
    )


def _decay(tau: int, step: int) -> int:
    return exponential(-divide(step, tau))


def _whole_steps(duration: int, step: int) -> int:
    return -(-divide(duration, step) // ONE)


def synapse_state(initial: Values, names: Sequence[str], gain: float = 1.0) -> list[np.ndarray]:
    """State rows of synapses from the initial values of these names, 0 where there are none."""
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


def readout(row: int, beside: tuple[int, ...] = ()) -> Readout:
    """A state row in s16.15, and the rows that are set with it."""
    return Readout(row, 1 / ONE, beside=beside)


def readouts(*variables: str) -> dict[str, Readout]:
    """The variables that the first state rows hold in s16.15, in the order of the rows."""
    return {name: readout(row) for row, name in enumerate(variables)}


def with_sum(state: np.ndarray, rows: tuple[int, int], place: int) -> np.ndarray:
    """The state with the wrapped sum of two of its rows in another one."""
    total = state[rows[0]].astype(np.int64) + state[rows[1]]
    return np.concatenate([state[:place], total.astype(np.int32)[None], state[place + 1 :]])
