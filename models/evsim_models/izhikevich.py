"""Izhikevich: the two-variable neuron of Izhikevich (2003), IEEE Transactions on Neural Networks 14(6).

    dv/dt = 0.04 v^2 + 5 v + 140 - u + I
    du/dt = a (b v - u)
    when v reaches 30 mV: v = c, u = u + d;  a spike of weight w (mV) adds w to v

PyNN gives I in nA; its backends take 1 nA as 1000 mV/ms, a membrane of 1 pF.

sPyNNaker's cell of this name differs, and ``spinnaker1`` is what it computes: a weight is a current in mV/ms that
decays with 5 ms, 1 nA is 1 mV/ms, one midpoint step is made in each time step, and the one after a spike is 1.85 times
as long.
"""

from __future__ import annotations

import numpy as np
from numba.extending import register_jitable

from evsim.arithmetic.registers import minus, plus
from evsim.arithmetic.s1615 import ONE, add, decay, fixed, multiply, multiply_by
from evsim.deploy.spinnaker_scale import SpinnakerScale
from evsim.equations import Constants, Equations, Slopes
from evsim.model import Cells, NeuronModel, Readout, Rule, Values, table
from evsim_models import spinnaker_parts

V_PEAK = 30.0  # mV, Izhikevich (2003)
DRIVE_PER_NA = 1000.0  # mV/ms per nA

# --- ideal -----------------------------------------------------------------------------------------------------------

STATES = ("v", "u", "early")  # early: 1 where a substep of this time step has reached the peak
PARAMETERS = ("a", "b", "c", "d", "h", "substeps")  # h: the length of a substep (ms)

# ms; keeps v within 1e-3 mV of the solution over tens of spikes, and the method stable for v above -700 mV
LONGEST_SUBSTEP = 0.05


def ideal_convert(values: Values, initial: Values, dt: float, scale: None) -> Cells:
    """Parameters as they are, and the substeps of the Runge-Kutta method."""
    substeps = np.ceil(dt / LONGEST_SUBSTEP - 1e-9)
    parameters = table(values["a"], values["b"], values["c"], values["d"], dt / substeps, substeps)
    state = np.stack([initial["v"], initial["u"], np.zeros(len(values["a"]))])
    drive = values["i_offset"] * DRIVE_PER_NA
    return Cells(state, parameters, drive, DRIVE_PER_NA, {"v": Readout(0), "u": Readout(1)})


@register_jitable
def slope(v, u, current):
    """dv/dt (mV/ms)."""
    return (0.04 * v + 5.0) * v + 140.0 - u + current


@register_jitable
def advance(v, u, current, a, b, h):
    """v and u after h ms, by the classical Runge-Kutta method."""
    v1, u1 = slope(v, u, current), a * (b * v - u)
    x, y = v + 0.5 * h * v1, u + 0.5 * h * u1
    v2, u2 = slope(x, y, current), a * (b * x - y)
    x, y = v + 0.5 * h * v2, u + 0.5 * h * u2
    v3, u3 = slope(x, y, current), a * (b * x - y)
    x, y = v + h * v3, u + h * u3
    v4, u4 = slope(x, y, current), a * (b * x - y)
    return v + h / 6.0 * (v1 + 2.0 * (v2 + v3) + v4), u + h / 6.0 * (u1 + 2.0 * (u2 + u3) + u4)


@register_jitable
def time_to_peak(v, u, current):
    """How long v takes to the peak (ms) while u stays: the integral of dv / (dv/dt) by Simpson's rule."""
    middle = slope(0.5 * (v + V_PEAK), u, current)
    return (V_PEAK - v) / 6.0 * (1.0 / slope(v, u, current) + 4.0 / middle + 1.0 / slope(V_PEAK, u, current))


def ideal_substep(v, u, early, a, b, h, drive):
    """v and u after a substep; it is hard where v passes the peak."""
    v, u = advance(min(v, V_PEAK), u, drive, a, b, h)
    return v, u, early, (v >= V_PEAK) & (early == 0.0)


def ideal_peak(v, u, early, a, b, c, d, h, drive):
    """A substep in which v passes the peak: the neuron is reset at that moment and goes on from there."""
    v = min(v, V_PEAK)
    spent = min(max(time_to_peak(v, u, drive), 0.0), h)
    _, u_peak = advance(v, u, drive, a, b, spent)
    v, u = advance(c, u_peak + d, drive, a, b, h - spent)
    return v, u, 1.0


def ideal_neuron(v, u, early, c, d, jump, drive):
    """The end of a time step in float64, where the input that is due moves v.

    A neuron spikes at most once in a time step: at a second peak v waits for the next one.
    """
    v = v + jump
    now = (v >= V_PEAK) & (early == 0.0)
    fired = now | (early != 0.0)
    v, u = c if now else v, u + d if now else u
    return (min(v, V_PEAK) if fired else v), u, 0.0, fired


def slopes(cell: Constants) -> Slopes:
    """Those of v and u."""
    a, b = cell["a"], cell["b"]

    def flow(states, received, current):
        v, u = states
        return [(0.04 * v + 5.0) * v + 140.0 - u + DRIVE_PER_NA * current, a * (b * v - u)]

    return flow


EQUATIONS = Equations(
    states={"v": 1.0, "u": 1.0},
    slopes=slopes,
    level=lambda cell: V_PEAK,
    reset=lambda cell, states: [cell["c"], states[1] + cell["d"]],
)

IDEAL = Rule(
    ideal_convert,
    ideal_neuron,
    states=STATES,
    parameters=PARAMETERS,
    inputs={"excitatory": 0, "inhibitory": 0},
    substep=ideal_substep,
    hard_substep=ideal_peak,
    equations=EQUATIONS,
)

# --- spinnaker1 ------------------------------------------------------------------------------------------------------

TAU_SYN = 5.0  # ms, sPyNNaker's default of both receptors; PyNN's cell has no such parameter
FIRST_STEP_FACTOR = 60620  # 1.85 in s16.15, truncated: the step after a spike is longer, for the time since the peak
M = 1311  # 0.04 in s16.15
LINEAR, V_SHIFT, S_PEAK = 5 * ONE, 140 * ONE, 30 * ONE  # the other constants of the equation


def spinnaker_convert(values: Values, initial: Values, dt: float, scale: SpinnakerScale) -> Cells:
    """s16.15 as sPyNNaker writes it and the firmware prepares it."""
    tau_syn = {name: np.array([TAU_SYN]) for name in ("tau_syn_E", "tau_syn_I")}
    own = [fixed(values[name]) for name in ("a", "b", "c", "d")]
    parameters = table(*spinnaker_parts.synapse_rows(tau_syn, dt, scale), *own, np.array([fixed(dt)]), dtype=np.int64)
    v, u = fixed(initial["v"]), fixed(initial["u"])
    rows = [np.zeros_like(v), np.zeros_like(v), v, u, np.full_like(v, fixed(dt))]
    held = {name: fixed(values[name]) / ONE for name in ("a", "b", "c", "d", "i_offset")}
    readouts = spinnaker_parts.readouts("isyn_exc", "isyn_inh", "v", "u")
    drive = fixed(values["i_offset"]).astype(np.int32)
    return Cells(np.stack(rows).astype(np.int32), parameters, drive, ONE, readouts, held)


@register_jitable
def half(x):
    """floor(x / 2)."""
    return x >> 1


@register_jitable
def spinnaker_advance(v, u, current, a, b, h):
    """v and u after h ms, by the midpoint method, with the products in the order in which the firmware makes them; and
    how many of the two sums were wrapped."""
    pre = minus(plus(V_SHIFT, current), u)
    alpha = plus(pre, multiply(plus(LINEAR, multiply(M, v)), v))
    eta = plus(v, half(multiply(h, alpha)))
    ha = multiply_by(h, a)
    beta = half(multiply(minus(multiply_by(v, b), u), ha))
    quadratic = multiply(plus(LINEAR, multiply(M, eta)), eta)
    v, wrapped_v = add(v, multiply(h, plus(minus(pre, beta), quadratic)))
    u, wrapped_u = add(u, multiply(ha, minus(multiply_by(eta, b), plus(u, beta))))
    return v, u, wrapped_v + wrapped_u


@register_jitable
def spinnaker_end(v, u, step, current, a, b, c, d, dt):
    """v and u after a time step under a current, the length of the next step, and whether it spiked and wrapped."""
    v, u, wrapped = spinnaker_advance(v, u, current, a, b, step)
    fired = v >= S_PEAK
    step = multiply(dt, FIRST_STEP_FACTOR) if fired else dt
    return c if fired else v, plus(u, d) if fired else u, step, fired, wrapped


def spinnaker_neuron(exc, inh, v, u, step, decay_e, decay_i, a, b, c, d, dt, drive):
    """One step in s16.15: v and u under the currents that hold the input already, then the currents decay."""
    v, u, step, fired, wrapped = spinnaker_end(v, u, step, plus(minus(exc, inh), drive), a, b, c, d, dt)
    return decay(exc, decay_e), decay(inh, decay_i), v, u, step, fired, False, wrapped


def spinnaker_receive(exc, inh, v, u, step, shift_e, init_e, shift_i, init_i, to_exc, to_inh):
    """The input is added to the currents."""
    exc, inh, saturated, wrapped = spinnaker_parts.add_inputs(
        exc, inh, shift_e, init_e, shift_i, init_i, to_exc, to_inh
    )
    return exc, inh, v, u, step, saturated, wrapped


SPINNAKER1 = Rule(
    spinnaker_convert,
    spinnaker_neuron,
    states=("exc", "inh", "v", "u", "step"),  # step: the length of the next step
    parameters=(*spinnaker_parts.SYNAPSES, "a", "b", "c", "d", "dt"),
    inputs=spinnaker_parts.INPUTS,
    tallies=spinnaker_parts.TALLIES,
    receive=spinnaker_receive,
    recordables=spinnaker_parts.CURRENTS,
    note="sPyNNaker's Izhikevich neuron takes a weight as a current of mV/ms that decays with 5 ms, and 1 nA as 1 "
    "mV/ms; the ideal one takes a weight as a jump of v, and 1 nA as 1000 mV/ms",
)

MODEL = NeuronModel(
    name="Izhikevich",
    parameters={"a": "/ms", "b": "/ms", "c": "mV", "d": "mV/ms", "i_offset": "nA"},
    states={"v": "mV", "u": "mV/ms"},
    recordables={"v": "mV", "u": "mV/ms"},
    weight_unit="mV",
    rules={"ideal": IDEAL, "spinnaker1": SPINNAKER1},
)
