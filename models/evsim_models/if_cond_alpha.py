"""IF_cond_alpha: leaky integrate-and-fire neuron with conductances that rise and fall as alpha functions.

    cm dv/dt = (cm / tau_m) (v_rest - v) + g_exc (e_rev_E - v) + g_inh (e_rev_I - v) + i_offset
    a spike of weight w (uS, never negative) adds w t/tau_syn exp(1 - t/tau_syn) to g, whose peak is w

When v reaches v_thresh the neuron spikes; v is then held at v_reset for tau_refrac, while the conductances go on.
"""

from __future__ import annotations

from dataclasses import replace

from evsim.model import NeuronModel, Values
from evsim_models import if_cond_exp, leaky
from evsim_models.common import refractory_steps
from evsim_models.composed import Membrane, composed
from evsim_models.receptors import ALPHA

LONGEST_SUBSTEP = 0.1  # ms


def rows(values: Values, dt: float) -> tuple:
    """Those of the membrane equation, of threshold and reset."""
    return (
        values["cm"] / values["tau_m"],
        1 / values["cm"],
        values["v_rest"],
        values["v_thresh"],
        values["v_reset"],
        refractory_steps(values["tau_refrac"], dt),
    )


def flow(v, conductance, pull, leak, per_cm, v_rest, drive):
    """dv/dt, and the rate of its relaxation."""
    total = leak + conductance
    return (leak * v_rest + pull + drive - total * v) * per_cm, total * per_cm


def finish(v, refractory, v_thresh, v_reset, refractory_steps):
    """Threshold and reset."""
    held = refractory > 0
    fired = (v >= v_thresh) & (refractory <= 0)
    left = refractory - 1.0 if held else 0.0
    return v_reset if held | fired else v, refractory_steps if fired else left, fired


MEMBRANE = Membrane(
    states=("v",),
    parameters=("leak", "per_cm", "v_rest", "v_thresh", "v_reset", "refractory_steps"),
    rows=rows,
    flow=flow,
    finish=finish,
    longest=LONGEST_SUBSTEP,
)

MODEL = NeuronModel(
    name="IF_cond_alpha",
    parameters=if_cond_exp.MODEL.parameters,
    states=if_cond_exp.MODEL.states,
    recordables=if_cond_exp.MODEL.recordables,
    weight_unit="uS",
    above_zero=if_cond_exp.MODEL.above_zero,
    not_negative=if_cond_exp.MODEL.not_negative,
    rules={"ideal": replace(composed(MEMBRANE, ALPHA), equations=leaky.with_conductances(rise=True))},
)
