"""IF_cond_exp: leaky integrate-and-fire neuron with exponentially decaying conductances.

    cm dv/dt = (cm / tau_m) (v_rest - v) + g_exc (e_rev_E - v) + g_inh (e_rev_I - v) + i_offset
    tau_syn dg/dt = -g,  a spike of weight w (uS, never negative) adds w to g

When v reaches v_thresh the neuron spikes; v is then held at v_reset for tau_refrac, while the conductances go on.
"""

from __future__ import annotations

import math

import numpy as np
from numba.extending import register_jitable

from evsim.arithmetic.counters import count_down
from evsim.arithmetic.fused import fma
from evsim.arithmetic.registers import minus, plus
from evsim.arithmetic.responses import exponential_shares
from evsim.arithmetic.s1615 import ONE, decay, fixed, multiply
from evsim.deploy.spinnaker_scale import SpinnakerScale
from evsim.model import Cells, NeuronModel, Readout, Rule, Values, table
from evsim_models import leaky, spinnaker_parts
from evsim_models.common import Floats, refractory_steps

# --- ideal -----------------------------------------------------------------------------------------------------------

STATES = ("v", "g_exc", "g_inh", "refractory")
PARAMETERS = (
    *("leaked", "area_exc", "area_inh"),  # see ideal_substep
    *("pull_exc", "pull_inh", "lag_exc", "lag_inh", "cross"),
    *("kept_exc", "kept_inh"),  # decays over a substep
    *("v_thresh", "v_reset", "refractory_steps"),
    *("leak", "per_cm", "e_exc", "e_inh"),  # of the membrane equation, for ideal_stiff
    *("q_exc", "q_inh", "h", "substeps"),  # decays over a quarter of a substep, the length of a substep (ms)
)

# A substep is a fifth of the shortest tau_syn, within these bounds (ms). While the membrane's time constant,
# conductances included, is above 1 ms, that leaves an error below 1e-5 mV, and below 1e-6 mV in steps of 0.1 ms with
# both tau_syn at least 1 ms.
SHORTEST_SUBSTEP, LONGEST_SUBSTEP = 0.1, 0.17
LARGEST_RELAXATION = 0.5
_RELAXED_PART = (
    *(1.0, -0.4999999896221284, 0.16666562755989667),
    *(-0.04164992996238474, 0.008238221347153239, -0.0011642870333109319),
)


def ideal_convert(values: Values, initial: Values, dt: float, scale: None) -> Cells:
    """Integrals over a substep, rates of the membrane equation and exact decays of the conductances.

    The drive is what v gains in a substep from the leak at v = 0 and from the current, in mV.
    """
    tau_e, tau_i, cm = values["tau_syn_E"], values["tau_syn_I"], values["cm"]
    shortest = min(tau_e.min(), tau_i.min())
    substeps = np.ceil(dt / np.clip(shortest / 5, SHORTEST_SUBSTEP, LONGEST_SUBSTEP) - 1e-9)
    h = dt / substeps
    leaked = h / values["tau_m"]
    parameters = table(
        leaked,
        *_integrals(values, h),
        np.exp(-h / tau_e),
        np.exp(-h / tau_i),
        values["v_thresh"],
        values["v_reset"],
        refractory_steps(values["tau_refrac"], dt),
        1 / values["tau_m"],
        1 / cm,
        values["e_rev_E"],
        values["e_rev_I"],
        np.exp(-h / 4 / tau_e),
        np.exp(-h / 4 / tau_i),
        h,
        substeps,
    )
    zero = np.zeros(len(cm))
    state = np.stack([initial["v"], initial.get("gsyn_exc", zero), initial.get("gsyn_inh", zero), zero])
    drive = leaked * values["v_rest"] + h / cm * values["i_offset"]
    readouts = {"v": Readout(0), "gsyn_exc": Readout(1), "gsyn_inh": Readout(2)}
    return Cells(state, parameters, drive, h / cm, readouts)


def _integrals(values: Values, h: float) -> tuple[np.ndarray, ...]:
    """The constants of ``ideal_substep``.

    With F(t) the integral of f from 0 to t, ``area`` is F(h) of exp(-t/tau), and ``twist`` of two functions f and g is
    half the integral of F g - f G, which is what their order in time adds to a fourth-order step.
    """
    tau_e, tau_i, cm = values["tau_syn_E"], values["tau_syn_I"], values["cm"]
    area_e, area_i = -tau_e * np.expm1(-h / tau_e), -tau_i * np.expm1(-h / tau_i)
    twist_e, twist_i = _twist_with_one(tau_e, h), _twist_with_one(tau_i, h)
    both = 1 / (1 / tau_e + 1 / tau_i)
    area_both = -both * np.expm1(-h / both)
    twist_both = (tau_e * area_i - tau_i * area_e - (tau_e - tau_i) * area_both) / 2
    return (
        area_e / cm,
        area_i / cm,
        (area_e + twist_e / values["tau_m"]) / cm * values["e_rev_E"],
        (area_i + twist_i / values["tau_m"]) / cm * values["e_rev_I"],
        twist_e / (cm * h),
        twist_i / (cm * h),
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
    leaked,
    area_exc,
    area_inh,
    pull_exc,
    pull_inh,
    lag_exc,
    lag_inh,
    cross,
    kept_exc,
    kept_inh,
    drive,
):
    """v after a substep by the Magnus expansion to the fourth order, and the decayed conductances.

    Within a substep dv/dt = s(t) - r(t) v, with sums of 1 and two exponentials for r and s. With R and S their
    integrals and C = half the integral of s(t) R(t) - r(t) S(t), which v has no part in, the step is
    (S + C - R v) (1 - exp(-R)) / R; it is exact for constant conductances. It is hard where R is large, so that a
    polynomial serves for the last factor.
    """
    relaxation = fma(area_inh, g_inh, fma(area_exc, g_exc, leaked))
    from_exc = fma(cross, g_inh, fma(-lag_exc, drive, pull_exc))
    from_inh = fma(-lag_inh, drive, pull_inh)
    pulled = fma(g_inh, from_inh, fma(g_exc, from_exc, drive))  # S + C
    return (
        fma(fma(-relaxation, v, pulled), relaxed_part(relaxation), v),
        g_exc * kept_exc,
        g_inh * kept_inh,
        refractory,
        abs(relaxation) > LARGEST_RELAXATION,
    )


@register_jitable
def relaxed_part(x):
    """(1 - exp(-x)) / x for 0 <= x <= LARGEST_RELAXATION, to 5e-9.

    It is the interpolation at 0 and at Chebyshev's nodes, so that the error of a slow membrane is far smaller.
    """
    c0, c1, c2, c3, c4, c5 = _RELAXED_PART
    return fma(fma(fma(fma(fma(c5, x, c4), x, c3), x, c2), x, c1), x, c0)


def ideal_stiff(v, g_exc, g_inh, refractory, kept_exc, kept_inh, leak, per_cm, e_exc, e_inh, q_exc, q_inh, h, drive):
    """A substep with strong conductances, in which v does not blow up however large they are.

    It is solved exactly for the conductances of its midpoint, once in one piece and once in two halves, and
    extrapolated to the fourth order (Richardson).
    """
    pull = drive / h
    e, i = per_cm * g_exc * q_exc, per_cm * g_inh * q_inh
    rate = leak + e + i
    halves = relax(v, (pull + e * e_exc + i * e_inh) / rate, 0.5 * h * rate)
    e, i = e * q_exc, i * q_inh
    rate = leak + e + i
    whole = relax(v, (pull + e * e_exc + i * e_inh) / rate, h * rate)
    e, i = e * q_exc, i * q_inh
    rate = leak + e + i
    halves = relax(halves, (pull + e * e_exc + i * e_inh) / rate, 0.5 * h * rate)
    return (4.0 * halves - whole) / 3.0, g_exc * kept_exc, g_inh * kept_inh, refractory


@register_jitable
def relax(v, level, x):
    """Towards ``level`` by exp(-x)."""
    return level + (v - level) * math.exp(-x)


def ideal_neuron(v, g_exc, g_inh, refractory, v_thresh, v_reset, refractory_steps, exc, inh):
    """The end of a time step in float64: the input that is due there, and the threshold."""
    reached = v >= v_thresh
    fired = reached & (refractory <= 0)
    return (
        v_reset if (refractory > 0) | reached else v,
        g_exc + exc,
        g_inh + inh,
        refractory_steps if fired else count_down(refractory),
        fired,
    )


def ideal_arrive(receptor: str, values: Values, dt: float, left: Floats) -> tuple[Floats, Floats]:
    """Input within a time step: the conductance is right at its end and after, v to the second order."""
    return exponential_shares(left, dt, values["tau_syn_E" if receptor == "excitatory" else "tau_syn_I"])


IDEAL = Rule(
    ideal_convert,
    ideal_neuron,
    states=STATES,
    parameters=PARAMETERS,
    inputs={"excitatory": 0, "inhibitory": 1},
    substep=ideal_substep,
    hard_substep=ideal_stiff,
    arrive=ideal_arrive,
    sums={"g_exc": "exc", "g_inh": "inh"},
    counters={"refractory": "refractory_steps"},
    equations=leaky.with_conductances(rise=False),
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
        "gsyn_exc": spinnaker_parts.readout(4, (spinnaker_parts.EXC,)),
        "gsyn_inh": spinnaker_parts.readout(5, (spinnaker_parts.INH,)),
    }
    held = spinnaker_parts.held_values(values, dt, parameters, spinnaker_parts.MEMBRANE_ROW, synapses=True)
    return Cells(state, parameters, fixed(values["i_offset"]).astype(np.int32), ONE, readouts, held)


def spinnaker_receive(exc, inh, v, refractory, shown_exc, shown_inh, shift_e, init_e, shift_i, init_i, to_exc, to_inh):
    """The input is added to the synapses, whose conductances are shown."""
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
    defects=spinnaker_parts.firmware_defects,
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
