"""EIF_cond_exp_isfa_ista and EIF_cond_alpha_isfa_ista: the adaptive exponential integrate-and-fire neuron.

    cm dv/dt = g_leak (v_rest - v) + g_leak delta_T exp((v - v_thresh) / delta_T) - w + synapses + i_offset
    tau_w dw/dt = a (v - v_rest) - w,  with g_leak = cm / tau_m

When v reaches v_spike, v = v_reset and w = w + b, and v is held for tau_refrac (Brette and Gerstner 2005,
doi:10.1152/jn.00686.2005). The moment of that is found within the time step. Where delta_T is 0 the neuron spikes at
v_thresh without a run-up.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from evsim.arithmetic.exponential import exp
from evsim.equations import Constants, Equations, Slopes
from evsim.model import NeuronModel, Rule, Values
from evsim_models.common import refractory_steps
from evsim_models.composed import Membrane, composed
from evsim_models.leaky import conductances
from evsim_models.receptors import ALPHA, EXPONENTIAL

NS = 1e-3  # of a uS
LONGEST_SUBSTEP = 0.05  # ms
STEEPEST = (
    12.0  # of (v - v_thresh) / delta_T; from there v reaches any v_spike within tau_m exp(-12), which is left out
)


def rows(values: Values, dt: float) -> tuple:
    """Those of the membrane equation, of spike and reset."""
    leak, delta_T = values["cm"] / values["tau_m"], values["delta_T"]
    smooth = delta_T > 0
    return (
        leak,
        1 / values["cm"],
        values["v_rest"],
        leak * delta_T,
        np.divide(1.0, delta_T, out=np.zeros_like(delta_T), where=smooth),
        values["v_thresh"],
        NS * values["a"],
        1 / values["tau_w"],
        values["b"],
        np.where(smooth, np.minimum(values["v_spike"], values["v_thresh"] + STEEPEST * delta_T), values["v_thresh"]),
        values["v_reset"],
        refractory_steps(values["tau_refrac"], dt),
    )


def flow(
    v,
    w,
    conductance,
    pull,
    leak,
    per_cm,
    v_rest,
    sharp,
    per_delta_T,
    v_thresh,
    a,
    per_tau_w,
    v_peak,
    drive,
):
    """The slopes of v and w, and the rates of their relaxation; above the peak the run-up is that of the peak."""
    run_up = exp((min(v, v_peak) - v_thresh) * per_delta_T)
    total = leak + conductance
    slope = (leak * v_rest + pull + sharp * run_up + drive - w - total * v) * per_cm
    slope_w = (a * (v - v_rest) - w) * per_tau_w
    steepening = sharp * per_delta_T * run_up if v < v_peak else 0.0
    return slope, slope_w, (total - steepening) * per_cm, per_tau_w


def spike(v, w, v_reset, b):
    """Reset of v, and a step of the adaptation."""
    return v_reset, w + b


def finish(v, w, refractory, spiked, v_reset):
    """A neuron spikes at most once in a time step: at a second peak v waits for the next one."""
    held = refractory > 0
    return v_reset if held else v, w, refractory - 1.0 if held else 0.0, 0.0, spiked != 0.0


MEMBRANE = Membrane(
    states=("v", "w"),
    parameters=(
        *("leak", "per_cm", "v_rest", "sharp", "per_delta_T", "v_thresh", "a", "per_tau_w", "b"),
        *("v_peak", "v_reset", "refractory_steps"),
    ),
    rows=rows,
    flow=flow,
    finish=finish,
    longest=LONGEST_SUBSTEP,
    spike=spike,
    limit="v_peak",
    kept=("refractory", "spiked"),
)

# --- equations, for steps of any length ------------------------------------------------------------------------------

PEAK = 20.0  # of (v - v_thresh) / delta_T: from there v reaches any v_spike within tau_m exp(-20), which is left out
OVERFLOW = 300.0  # no trial step goes beyond the exponential of this


def slopes(cell: Constants) -> Slopes:
    """Those of v and w."""
    leak, per_cm, rest, threshold = cell["cm"] / cell["tau_m"], 1 / cell["cm"], cell["v_rest"], cell["v_thresh"]
    sharp, per_delta_T = leak * cell["delta_T"], 1 / cell["delta_T"] if cell["delta_T"] else 0.0
    a, per_tau_w, e_exc, e_inh = NS * cell["a"], 1 / cell["tau_w"], cell["e_rev_E"], cell["e_rev_I"]

    def flow(states, received, current):
        v, w = states
        run_up = sharp * math.exp(min((v - threshold) * per_delta_T, OVERFLOW))
        synaptic = received[0] * (e_exc - v) + received[1] * (e_inh - v)
        return [(leak * (rest - v) + run_up - w + synaptic + current) * per_cm, (a * (v - rest) - w) * per_tau_w]

    return flow


def level(cell: Constants) -> float:
    """Where v is reset."""
    if not cell["delta_T"]:
        return cell["v_thresh"]
    return min(cell["v_spike"], cell["v_thresh"] + PEAK * cell["delta_T"])


def equations(rise: bool) -> Equations:
    """With conductances that decay, or rise and fall."""
    return Equations(
        states={"v": 1.0, "w": 0.01},
        slopes=slopes,
        level=level,
        responses=conductances(rise),
        reset=lambda cell, states: [cell["v_reset"], states[1] + cell["b"]],
        refractory="tau_refrac",
    )


OWN_PARAMETERS = {
    "cm": "nF",
    "tau_refrac": "ms",
    "v_spike": "mV",
    "v_reset": "mV",
    "v_rest": "mV",
    "tau_m": "ms",
    "i_offset": "nA",
    "a": "nS",
    "b": "nA",
    "delta_T": "mV",
    "tau_w": "ms",
    "v_thresh": "mV",
}


def _model(name: str, rule: Rule) -> NeuronModel:
    return NeuronModel(
        name=name,
        parameters={**OWN_PARAMETERS, "e_rev_E": "mV", "tau_syn_E": "ms", "e_rev_I": "mV", "tau_syn_I": "ms"},
        states={"v": "mV", "w": "nA", "gsyn_exc": "uS", "gsyn_inh": "uS"},
        recordables={"v": "mV", "w": "nA", "gsyn_exc": "uS", "gsyn_inh": "uS"},
        weight_unit="uS",
        above_zero=frozenset({"cm", "tau_m", "tau_w", "tau_syn_E", "tau_syn_I"}),
        not_negative=frozenset({"tau_refrac", "delta_T"}),
        rules={"ideal": rule},
    )


MODELS = (
    _model("EIF_cond_exp_isfa_ista", replace(composed(MEMBRANE, EXPONENTIAL), equations=equations(rise=False))),
    _model("EIF_cond_alpha_isfa_ista", replace(composed(MEMBRANE, ALPHA), equations=equations(rise=True))),
)
