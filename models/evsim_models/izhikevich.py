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

from evsim.arithmetic.s1615 import ONE, decay, fixed, multiply, wrap
from evsim.deploy.spinnaker_scale import SpinnakerScale
from evsim.model import Cells, NeuronModel, Readout, Rule, Values
from evsim_models import spinnaker_parts
from evsim_models.common import table

V_PEAK = 30.0  # mV, Izhikevich (2003)
DRIVE_PER_NA = 1000.0  # mV/ms per nA

# --- ideal -----------------------------------------------------------------------------------------------------------

# state rows; FIRED is 1 where the neuron has spiked in this time step
V, U, FIRED = range(3)
# parameter rows; SUBSTEP is the length of a substep (ms)
A, B, C, D, SUBSTEP, SUBSTEPS = range(6)

# ms; keeps v within 1e-3 mV of the solution over tens of spikes, and the method stable for v above -700 mV
LONGEST_SUBSTEP = 0.05


def ideal_convert(values: Values, initial: Values, dt: float, scale: None) -> Cells:
    """Parameters as they are, and the substeps of the Runge-Kutta method."""
    substeps = np.ceil(dt / LONGEST_SUBSTEP - 1e-9)
    parameters = table(values["a"], values["b"], values["c"], values["d"], dt / substeps, substeps)
    state = np.stack([initial["v"], initial["u"], np.zeros(len(values["a"]))])
    drive = values["i_offset"] * DRIVE_PER_NA
    return Cells(state, parameters, drive, DRIVE_PER_NA, {"v": Readout(V), "u": Readout(U)})


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


def ideal_step(state, parameters, inputs, drive, spiked, tally):
    """One time step in float64; the input due at the step's end moves v there.

    Where v passes the peak in a substep, the neuron is reset at that moment and goes on from there. It spikes at most
    once in a time step: at a second peak v waits for the next one.
    """
    v, u, fired, jump = state[V], state[U], state[FIRED], inputs[0]
    same = parameters.shape[1] == 1
    h = parameters[SUBSTEP, 0]
    for _ in range(int(parameters[SUBSTEPS, 0])):
        for n in range(v.size):
            p = 0 if same else n
            a, b = parameters[A, p], parameters[B, p]
            v_before, u_before = min(v[n], V_PEAK), u[n]
            v[n], u[n] = advance(v_before, u_before, drive[n], a, b, h)
            if v[n] >= V_PEAK and fired[n] == 0.0:
                fired[n] = 1.0
                spent = min(max(time_to_peak(v_before, u_before, drive[n]), 0.0), h)
                _, u_peak = advance(v_before, u_before, drive[n], a, b, spent)
                v[n], u[n] = advance(parameters[C, p], u_peak + parameters[D, p], drive[n], a, b, h - spent)
    count = 0
    for n in range(v.size):
        p = 0 if same else n
        v[n] += jump[n]
        if v[n] >= V_PEAK and fired[n] == 0.0:
            fired[n] = 1.0
            v[n] = parameters[C, p]
            u[n] += parameters[D, p]
        if fired[n] != 0.0:
            fired[n] = 0.0
            v[n] = min(v[n], V_PEAK)
            spiked[count] = n
            count += 1
    return count


IDEAL = Rule(ideal_convert, ideal_step, {"excitatory": 0, "inhibitory": 0})

# --- spinnaker1 ------------------------------------------------------------------------------------------------------

TAU_SYN = 5.0  # ms, sPyNNaker's default of both receptors; PyNN's cell has no such parameter
FIRST_STEP_FACTOR = 60620  # 1.85 in s16.15, truncated: the step after a spike is longer, for the time since the peak
M = 1311  # 0.04 in s16.15
LINEAR, V_SHIFT, S_PEAK = 5 * ONE, 140 * ONE, 30 * ONE  # the other constants of the equation

# state rows after those of the synapses; S_STEP is the length of the next step
S_V, S_U, S_STEP = range(2, 5)
# parameter rows after those of the synapses
S_A, S_B, S_C, S_D, S_DT = range(spinnaker_parts.SYNAPSE_ROWS, 11)


def spinnaker_convert(values: Values, initial: Values, dt: float, scale: SpinnakerScale) -> Cells:
    """s16.15 as sPyNNaker writes it and the firmware prepares it."""
    tau_syn = {name: np.array([TAU_SYN]) for name in ("tau_syn_E", "tau_syn_I")}
    own = [fixed(values[name]) for name in ("a", "b", "c", "d")]
    parameters = table(*spinnaker_parts.synapse_rows(tau_syn, dt, scale), *own, np.array([fixed(dt)]), dtype=np.int64)
    v, u = fixed(initial["v"]), fixed(initial["u"])
    rows = [np.zeros_like(v), np.zeros_like(v), v, u, np.full_like(v, fixed(dt))]
    held = {name: fixed(values[name]) / ONE for name in ("a", "b", "c", "d", "i_offset")}
    readouts = {"v": spinnaker_parts.readout(S_V), "u": spinnaker_parts.readout(S_U)}
    drive = fixed(values["i_offset"]).astype(np.int32)
    return Cells(np.stack(rows).astype(np.int32), parameters, drive, ONE, readouts, held)


@register_jitable
def half(x):
    """floor(x / 2)."""
    return x >> 1


@register_jitable
def spinnaker_advance(v, u, current, a, b, h):
    """v and u after h ms, by the midpoint method, with the products in the order in which the firmware makes them."""
    pre = wrap(V_SHIFT + current - u)
    alpha = wrap(pre + multiply(wrap(LINEAR + multiply(M, v)), v))
    eta = wrap(v + half(multiply(h, alpha)))
    ha = multiply(h, a)
    beta = half(multiply(wrap(multiply(b, v) - u), ha))
    quadratic = multiply(wrap(LINEAR + multiply(M, eta)), eta)
    free_v = v + multiply(h, wrap(pre - beta + quadratic))
    return free_v, u + multiply(ha, wrap(multiply(b, eta) - wrap(u + beta)))


def spinnaker_step(state, parameters, inputs, drive, spiked, tally):
    """One step in s16.15: v and u under the currents that hold the input already, then the currents decay."""
    exc, inh, v, u = state[spinnaker_parts.EXC], state[spinnaker_parts.INH], state[S_V], state[S_U]
    same = parameters.shape[1] == 1
    count = 0
    for n in range(v.size):
        p = 0 if same else n
        current = wrap(np.int64(exc[n]) - np.int64(inh[n]) + np.int64(drive[n]))
        free_v, free_u = spinnaker_advance(
            np.int64(v[n]), np.int64(u[n]), current, parameters[S_A, p], parameters[S_B, p], np.int64(state[S_STEP, n])
        )
        v[n], u[n] = wrap(free_v), wrap(free_u)
        tally[1] += v[n] != free_v
        tally[1] += u[n] != free_u
        state[S_STEP, n] = parameters[S_DT, p]
        if v[n] >= S_PEAK:
            v[n] = parameters[S_C, p]
            u[n] = wrap(np.int64(u[n]) + parameters[S_D, p])
            state[S_STEP, n] = multiply(parameters[S_DT, p], FIRST_STEP_FACTOR)
            spiked[count] = n
            count += 1
        exc[n] = decay(np.int64(exc[n]), parameters[spinnaker_parts.DECAY_E, p])
        inh[n] = decay(np.int64(inh[n]), parameters[spinnaker_parts.DECAY_I, p])
    return count


SPINNAKER1 = Rule(
    spinnaker_convert,
    spinnaker_step,
    spinnaker_parts.INPUTS,
    spinnaker_parts.TALLIES,
    receive=spinnaker_parts.exponential_receive,
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
