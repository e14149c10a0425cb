"""IF_facets_hardware1: IF_cond_exp with what the chip of the FACETS project did not let its users choose.

PyNN's backends hold these parameters at the same values: cm = 0.2 nF, tau_refrac = 1 ms, e_rev_E = 0 mV.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evsim.model import Cells, NeuronModel, Values
from evsim_models import if_cond_exp

CHOSEN = {"cm": 0.2, "tau_refrac": 1.0, "e_rev_E": 0.0, "i_offset": 0.0}
NS = 1e-3  # of a uS


def convert(values: Values, initial: Values, dt: float, scale: None) -> Cells:
    """As those of IF_cond_exp, whose tau_m is cm / g_leak."""
    like = values["g_leak"]
    chosen = {name: np.full_like(like, value) for name, value in CHOSEN.items()}
    tau_m = chosen["cm"] / (NS * like)
    return if_cond_exp.ideal_convert({**values, **chosen, "tau_m": tau_m}, initial, dt, scale)


MODEL = NeuronModel(
    name="IF_facets_hardware1",
    parameters={
        "g_leak": "nS",
        "tau_syn_E": "ms",
        "tau_syn_I": "ms",
        "v_reset": "mV",
        "e_rev_I": "mV",
        "v_rest": "mV",
        "v_thresh": "mV",
    },
    states=if_cond_exp.MODEL.states,
    recordables=if_cond_exp.MODEL.recordables,
    weight_unit="uS",
    above_zero=frozenset({"g_leak", "tau_syn_E", "tau_syn_I"}),
    rules={"ideal": replace(if_cond_exp.IDEAL, convert=convert, equations=None)},
)
