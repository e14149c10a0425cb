"""IF_cond_exp: leaky integrate-and-fire neuron with exponentially decaying conductances.

    cm dv/dt = (cm / tau_m) (v_rest - v) + g_exc (e_rev_E - v) + g_inh (e_rev_I - v) + i_offset
    tau_syn dg/dt = -g,  a spike of weight w (uS, never negative) adds w to g

When v reaches v_thresh the neuron spikes; v is then held at v_reset for tau_refrac, while the conductances go on.
"""

from __future__ import annotations

import math

import numpy as np
from numba.extending import register_jitable

from evsim.arithmetic.registers import minus, plus, shift_left
from evsim.arithmetic.s1615 import ONE, decay, fixed, multiply, wrap
from evsim.deploy.spinnaker_scale import SpinnakerScale
from evsim.model import Cells, NeuronModel, Readout, Rule, Values
from evsim_models import spinnaker_parts
from evsim_models.common import refractory_steps, table

# --- ideal -----------------------------------------------------------------------------------------------------------

STATES = ("v", "g_exc", "g_inh", "refractory")
PARAMETERS = (
    *("leak", "per_cm", "e_exc", "e_inh", "v_rest", "v_thresh", "v_reset", "refractory_steps"),
    *("q_exc", "q_inh", "h", "substeps"),  # decays over a quarter of a substep, the length of a substep (ms)
    *("leaked", "flow_exc", "flow_inh", "push_exc", "push_inh", "lag_exc", "lag_inh", "cross"),  # see ideal_substep
)

# A substep is a fifth of the shortest tau_syn, within these bounds (ms). That leaves an error below 1e-6 mV while the
# membrane's time constant, conductances included, is above 1 ms.
SHORTEST_SUBSTEP, LONGEST_SUBSTEP = 0.1, 0.17
LARGEST_RELAXATION = 0.5
_RELAXED_PART = (
    *(0.9999999999804932, -0.4999999961744412, 0.16666654388573843, -0.0416651845888633),
    *(0.008324776030002683, -0.001363312062853065, 0.00015973133938910328),
)


def ideal_convert(values: Values, initial: Values, dt: float, scale: None) -> Cells:
    """Rates of the membrane equation, exact decays of the conductances, and integrals over a substep."""
    shortest = min(values["tau_syn_E"].min(), values["tau_syn_I"].min())
    substeps = np.ceil(dt / np.clip(shortest / 5, SHORTEST_SUBSTEP, LONGEST_SUBSTEP) - 1e-9)
    h = dt / substeps
    parameters = table(
        1 / values["tau_m"],
        1 / values["cm"],
        values["e_rev_E"],
        values["e_rev_I"],
        values["v_rest"],
        values["v_thresh"],
        values["v_reset"],
        refractory_steps(values["tau_refrac"], dt),
        np.exp(-h / 4 / values["tau_syn_E"]),
        np.exp(-h / 4 / values["tau_syn_I"]),
        h,
        substeps,
        *_integrals(values, h),
    )
    zero = np.zeros(len(values["tau_m"]))
    state = np.stack([initial["v"], initial.get("gsyn_exc", zero), initial.get("gsyn_inh", zero), zero])
    readouts = {"v": Readout(0), "gsyn_exc": Readout(1), "gsyn_inh": Readout(2)}
    return Cells(state, parameters, np.array(values["i_offset"]), 1.0, readouts)


def _integrals(values: Values, h: float) -> tuple[np.ndarray, ...]:
    """The constants of ``ideal_substep``.

    With F(t) the integral of f from 0 to t, ``area`` is F(h) of exp(-t/tau), and ``twist`` of two functions f and g is
    half the integral of F g - f G, which is what their order in time adds to a fourth-order step.
    """
    tau_e, tau_i, cm = values["tau_syn_E"], values["tau_syn_I"], values["cm"]
    leaked = h / values["tau_m"]
    area_e, area_i = -tau_e * np.expm1(-h / tau_e), -tau_i * np.expm1(-h / tau_i)
    twist_e, twist_i = _twist_with_one(tau_e, h), _twist_with_one(tau_i, h)
    both = 1 / (1 / tau_e + 1 / tau_i)
    area_both = -both * np.expm1(-h / both)
    twist_both = (tau_e * area_i - tau_i * area_e - (tau_e - tau_i) * area_both) / 2
    return (
        leaked,
        area_e / cm,
        area_i / cm,
        (area_e + twist_e / values["tau_m"]) / cm,
        (area_i + twist_i / values["tau_m"]) / cm,
        twist_e / cm,
        twist_i / cm,
        twist_both / cm**2 * (values["e_rev_I"] - values["e_rev_E"]),
    )


def _twist_with_one(tau: np.ndarray, h: float) -> np.ndarray:
    """The twist of 1 and exp(-t/tau): tau^2 (1 - p) - tau h (1 + p) / 2, p = exp(-h/tau)."""
    return -(tau**2) * np.expm1(-h / tau) - tau * h * (1 + np.exp(-h / tau)) / 2


def ideal_substep(
    v,
    g_exc,
    g_inh,
    refractory,
    leak,
    per_cm,
    e_exc,
    e_inh,
    v_rest,
    q_exc,
    q_inh,
    h,
    leaked,
    flow_exc,
    flow_inh,
    push_exc,
    push_inh,
    lag_exc,
    lag_inh,
    cross,
    drive,
):
    """v after a substep by the Magnus expansion to the fourth order, and the decayed conductances.

    Within a substep dv/dt = q(t) - r(t) (v - v0), with sums of 1 and two exponentials for r and q. With R and Q their
    integrals and C = half the integral of q(t) R(t) - r(t) Q(t) the step is (Q + C) (1 - exp(-R)) / R, which is exact
    for constant conductances. It is hard where R is large, so that a polynomial serves for the last factor.
    """
    relaxation = leaked + g_exc * flow_exc + g_inh * flow_inh
    steady = leak * (v_rest - v) + per_cm * drive
    change = steady * (h - g_exc * lag_exc - g_inh * lag_inh)
    change += g_exc * (e_exc - v) * push_exc + g_inh * (e_inh - v) * push_inh + g_exc * g_inh * cross
    kept_exc, kept_inh = q_exc * q_exc, q_inh * q_inh
    return (
        v + change * relaxed_part(relaxation),
        g_exc * (kept_exc * kept_exc),
        g_inh * (kept_inh * kept_inh),
        refractory,
        abs(relaxation) > LARGEST_RELAXATION,
    )


@register_jitable
def relaxed_part(x):
    """(1 - exp(-x)) / x for 0 <= x <= LARGEST_RELAXATION, to 2e-11: its interpolation at Chebyshev's nodes."""
    c0, c1, c2, c3, c4, c5, c6 = _RELAXED_PART
    return c0 + x * (c1 + x * (c2 + x * (c3 + x * (c4 + x * (c5 + x * c6)))))


def ideal_stiff(v, g_exc, g_inh, refractory, leak, per_cm, e_exc, e_inh, v_rest, q_exc, q_inh, h, drive):
    """A substep with strong conductances, in which v does not blow up however large they are.

    It is solved exactly for the conductances of its midpoint, once in one piece and once in two halves, and
    extrapolated to the fourth order (Richardson).
    """
    pull = leak * v_rest + per_cm * drive
    e, i = per_cm * g_exc * q_exc, per_cm * g_inh * q_inh
    rate = leak + e + i
    halves = relax(v, (pull + e * e_exc + i * e_inh) / rate, 0.5 * h * rate)
    e, i = e * q_exc, i * q_inh
    rate = leak + e + i
    whole = relax(v, (pull + e * e_exc + i * e_inh) / rate, h * rate)
    e, i = e * q_exc, i * q_inh
    rate = leak + e + i
    halves = relax(halves, (pull + e * e_exc + i * e_inh) / rate, 0.5 * h * rate)
    kept_exc, kept_inh = q_exc * q_exc, q_inh * q_inh
    return (4.0 * halves - whole) / 3.0, g_exc * (kept_exc * kept_exc), g_inh * (kept_inh * kept_inh), refractory


@register_jitable
def relax(v, level, x):
    """Towards ``level`` by exp(-x)."""
    return level + (v - level) * math.exp(-x)


def ideal_neuron(v, g_exc, g_inh, refractory, v_thresh, v_reset, refractory_steps, exc, inh):
    """The end of a time step in float64: the input that is due there, and the threshold."""
    held = refractory > 0
    fired = (v >= v_thresh) & (refractory <= 0)
    wait = refractory_steps if fired else refractory
    return (
        v_reset if held | fired else v,
        g_exc + exc,
        g_inh + inh,
        refractory - 1 if held else wait,
        fired,
    )


IDEAL = Rule(
    ideal_convert,
    ideal_neuron,
    states=STATES,
    parameters=PARAMETERS,
    inputs={"excitatory": 0, "inhibitory": 1},
    substep=ideal_substep,
    hard_substep=ideal_stiff,
)

# --- spinnaker1 ------------------------------------------------------------------------------------------------------

GAIN_BITS = 10  # log2 of CONDUCTANCE_GAIN


def spinnaker_convert(values: Values, initial: Values, dt: float, scale: SpinnakerScale) -> Cells:
    """s16.15 as sPyNNaker writes it and the firmware prepares it."""
    rows = [
        *spinnaker_parts.synapse_rows(values, dt, scale),
        *spinnaker_parts.membrane_rows(values, dt),
        fixed(values["e_rev_E"]),
        fixed(values["e_rev_I"]),
    ]
    parameters = table(*rows, dtype=np.int64)
    synapses = spinnaker_parts.synapse_state(initial, ("gsyn_exc", "gsyn_inh"), scale.gain)
    v = fixed(initial["v"])
    shown = [synapse >> GAIN_BITS for synapse in synapses]
    state = np.stack([*synapses, v, np.zeros_like(v), *shown]).astype(np.int32)
    readouts = {
        "v": spinnaker_parts.readout(spinnaker_parts.V),
        "gsyn_exc": spinnaker_parts.readout(4),
        "gsyn_inh": spinnaker_parts.readout(5),
    }
    held = spinnaker_parts.held_values(values, dt, parameters, spinnaker_parts.MEMBRANE_ROW, synapses=True)
    return Cells(state, parameters, fixed(values["i_offset"]).astype(np.int32), ONE, readouts, held)


@register_jitable
def follow_shown(x, shown):
    """The synaptic variable, made to follow a conductance that was set from outside."""
    return wrap(x) if x >> GAIN_BITS == shown else shift_left(shown, GAIN_BITS)


def spinnaker_receive(exc, inh, v, refractory, shown_exc, shown_inh, shift_e, init_e, shift_i, init_i, to_exc, to_inh):
    """The input is added to the synapses, whose conductances are shown."""
    exc, inh = follow_shown(exc, shown_exc), follow_shown(inh, shown_inh)
    exc, inh, saturated, wrapped = spinnaker_parts.add_inputs(
        exc, inh, shift_e, init_e, shift_i, init_i, to_exc, to_inh
    )
    return exc, inh, v, refractory, exc >> GAIN_BITS, inh >> GAIN_BITS, saturated, wrapped


def spinnaker_neuron(
    exc,
    inh,
    v,
    refractory,
    shown_exc,
    shown_inh,
    decay_e,
    decay_i,
    resistance,
    kept,
    v_rest,
    v_reset,
    v_thresh,
    refractory_steps,
    i_least,
    i_most,
    e_exc,
    e_inh,
    drive,
):
    """One step in s16.15: v under the currents of the conductances at the voltage before, then these decay."""
    from_exc = multiply(shown_exc, minus(e_exc, v))
    from_inh = multiply(minus(0, shown_inh), minus(e_inh, v))
    current = plus(minus(from_exc, from_inh), drive)
    v, refractory, fired, wrapped = spinnaker_parts.integrate_and_fire(
        v, refractory, current, resistance, kept, v_rest, v_reset, v_thresh, refractory_steps, i_least, i_most
    )
    exc, inh = decay(exc, decay_e), decay(inh, decay_i)
    return exc, inh, v, refractory, exc >> GAIN_BITS, inh >> GAIN_BITS, fired, False, wrapped


SPINNAKER1 = Rule(
    spinnaker_convert,
    spinnaker_neuron,
    # the synapses hold 1024 times the conductance, which the last two rows show
    states=("exc", "inh", "v", "refractory", "shown_exc", "shown_inh"),
    parameters=(*spinnaker_parts.SYNAPSES, *spinnaker_parts.MEMBRANE, "e_exc", "e_inh"),
    inputs=spinnaker_parts.INPUTS,
    tallies=spinnaker_parts.TALLIES,
    receive=spinnaker_receive,
)

MODEL = NeuronModel(
    name="IF_cond_exp",
    parameters={
        "v_rest": "mV",
        "cm": "nF",
        "tau_m": "ms",
        "tau_refrac": "ms",
        "tau_syn_E": "ms",
        "tau_syn_I": "ms",
        "e_rev_E": "mV",
        "e_rev_I": "mV",
        "v_thresh": "mV",
        "v_reset": "mV",
        "i_offset": "nA",
    },
    states={"v": "mV", "gsyn_exc": "uS", "gsyn_inh": "uS"},
    recordables={"v": "mV", "gsyn_exc": "uS", "gsyn_inh": "uS"},
    weight_unit="uS",
    above_zero=frozenset({"cm", "tau_m", "tau_syn_E", "tau_syn_I"}),
    not_negative=frozenset({"tau_refrac"}),
    rules={"ideal": IDEAL, "spinnaker1": SPINNAKER1},
)
