"""IF_cond_exp_gsfa_grr: IF_cond_exp with conductances of its own that each of its spikes makes larger.

    cm dv/dt = ... + g_s (e_rev_sfa - v) + g_r (e_rev_rr - v)
    tau_sfa dg_s/dt = -g_s,  tau_rr dg_r/dt = -g_r,  a spike of the neuron's own adds q_sfa to g_s and q_rr to g_r

They make it adapt and relatively refractory (Muller et al. 2007, doi:10.1162/neco.2007.19.11.2958).
"""

from __future__ import annotations

from evsim.model import NeuronModel, Values
from evsim_models import if_cond_alpha, if_cond_exp
from evsim_models.composed import Membrane, composed
from evsim_models.receptors import EXPONENTIAL

NS = 1e-3  # of a uS


def rows(values: Values, dt: float) -> tuple:
    """Those of IF_cond_exp, then of adaptation and refractoriness."""
    own = [row for kind in ("sfa", "rr") for row in (1 / values[f"tau_{kind}"], NS * values[f"q_{kind}"])]
    return (*if_cond_alpha.rows(values, dt), *own, values["e_rev_sfa"], values["e_rev_rr"])


def flow(v, g_s, g_r, conductance, pull, leak, per_cm, v_rest, per_sfa, per_rr, e_sfa, e_rr, drive):
    """The slopes of v and of the neuron's own conductances, and the rates of their relaxation."""
    total = leak + conductance + g_s + g_r
    towards = leak * v_rest + pull + drive + g_s * e_sfa + g_r * e_rr
    return (towards - total * v) * per_cm, -per_sfa * g_s, -per_rr * g_r, total * per_cm, per_sfa, per_rr


def finish(v, g_s, g_r, refractory, v_thresh, v_reset, refractory_steps, q_sfa, q_rr):
    """Threshold and reset; a spike opens the conductances."""
    held = refractory > 0
    fired = (v >= v_thresh) & (refractory <= 0)
    left = refractory - 1.0 if held else 0.0
    return (
        v_reset if held | fired else v,
        g_s + q_sfa if fired else g_s,
        g_r + q_rr if fired else g_r,
        refractory_steps if fired else left,
        fired,
    )


MEMBRANE = Membrane(
    states=("v", "g_s", "g_r"),
    parameters=(*if_cond_alpha.MEMBRANE.parameters, "per_sfa", "q_sfa", "per_rr", "q_rr", "e_sfa", "e_rr"),
    rows=rows,
    flow=flow,
    finish=finish,
    longest=if_cond_alpha.LONGEST_SUBSTEP,
    scales={"g_s": NS, "g_r": NS},
)

OWN = {"tau_sfa": "ms", "e_rev_sfa": "mV", "q_sfa": "nS", "tau_rr": "ms", "e_rev_rr": "mV", "q_rr": "nS"}
MODEL = NeuronModel(
    name="IF_cond_exp_gsfa_grr",
    parameters={**if_cond_exp.MODEL.parameters, **OWN},
    states={**if_cond_exp.MODEL.states, "g_r": "nS", "g_s": "nS"},
    recordables={**if_cond_exp.MODEL.recordables, "g_r": "nS", "g_s": "nS"},
    weight_unit="uS",
    above_zero=if_cond_exp.MODEL.above_zero | {"tau_sfa", "tau_rr"},
    not_negative=if_cond_exp.MODEL.not_negative | {"q_sfa", "q_rr"},
    rules={"ideal": composed(MEMBRANE, EXPONENTIAL)},
)
