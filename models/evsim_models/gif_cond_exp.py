"""GIF_cond_exp: the generalised integrate-and-fire neuron, which spikes at random, with synaptic conductances.

    cm dv/dt = (cm / tau_m) (v_rest - v) + synapses + i_offset - i_eta,  v_t = v_t_star + the sum of gamma_j
    tau_eta_j d(eta_j)/dt = -eta_j,  tau_gamma_j d(gamma_j)/dt = -gamma_j,  i_eta = the sum of eta_j,  j = 1, 2, 3

A spike of the neuron's own adds a_eta_j and a_gamma_j. It spikes with the intensity lambda0 exp((v - v_t) / delta_v)
(Mensi et al. 2012, doi:10.1152/jn.00408.2011; Pozzorini et al. 2015, doi:10.1371/journal.pcbi.1004275): in a time step
with the probability 1 - exp(-intensity dt), with the intensity at its end. v is then held at v_reset for tau_refrac.

i_eta and v_t begin as they are where no spike has been, whatever PyNN's initial values of them say, as in NEST and
NEURON. NEST's gif_cond_exp takes eta and gamma of the beginning of a time step for the whole of it, which makes its
currents larger by dt / (2 tau_eta) and moves its threshold back by a step; here they are those of the moment.
"""

from __future__ import annotations

import numpy as np

from evsim.arithmetic.exponential import exp
from evsim.model import NeuronModel, Values
from evsim_models import if_cond_alpha, if_cond_exp
from evsim_models.common import refractory_steps
from evsim_models.composed import Membrane, composed
from evsim_models.receptors import EXPONENTIAL, Receptor

PER_S = 1e-3  # of a Hz, in spikes per ms
PARTS = (1, 2, 3)
ARRAYS = {name: tuple(f"{name}{j}" for j in PARTS) for name in ("tau_eta", "tau_gamma", "a_eta", "a_gamma")}
ETA = tuple(Receptor(f"eta{j}", f"eta{j}", f"eta{j}", (f"tau_eta{j}",), None, own=f"a_eta{j}") for j in PARTS)


def rows(values: Values, dt: float) -> tuple:
    """Those of the membrane equation, of the intensity, and of reset and threshold."""
    return (
        values["cm"] / values["tau_m"],
        1 / values["cm"],
        values["v_rest"],
        1 / values["delta_v"],
        PER_S * values["lambda0"] * dt,
        values["v_reset"],
        refractory_steps(values["tau_refrac"], dt),
        values["v_t_star"],
        *(np.exp(-dt / values[name]) for name in ARRAYS["tau_gamma"]),
        *(values[name] for name in ARRAYS["a_gamma"]),
    )


def finish(
    v,
    refractory,
    i_eta,
    v_t,
    gamma1,
    gamma2,
    gamma3,
    g_eta1,
    g_eta2,
    g_eta3,
    per_delta_v,
    expected,
    v_reset,
    refractory_steps,
    v_t_star,
    kept_gamma1,
    kept_gamma2,
    kept_gamma3,
    a_gamma1,
    a_gamma2,
    a_gamma3,
    own_eta1,
    own_eta2,
    own_eta3,
    chance,
):
    """A spike, if chance will have it, and what it adds to threshold and current; i_eta and v_t are only shown."""
    gamma1, gamma2, gamma3 = kept_gamma1 * gamma1, kept_gamma2 * gamma2, kept_gamma3 * gamma3
    hazard = expected * exp((v - (v_t_star + gamma1 + gamma2 + gamma3)) * per_delta_v)
    held = refractory > 0
    fired = (chance < 1.0 - exp(-hazard)) & (refractory <= 0)
    gamma1 = gamma1 + a_gamma1 if fired else gamma1
    gamma2 = gamma2 + a_gamma2 if fired else gamma2
    gamma3 = gamma3 + a_gamma3 if fired else gamma3
    eta = g_eta1 + g_eta2 + g_eta3
    left = refractory - 1.0 if held else 0.0
    return (
        v_reset if held | fired else v,
        refractory_steps if fired else left,
        eta + (own_eta1 + own_eta2 + own_eta3) if fired else eta,
        v_t_star + gamma1 + gamma2 + gamma3,
        gamma1,
        gamma2,
        gamma3,
        fired,
    )


MEMBRANE = Membrane(
    states=("v",),
    parameters=(
        *("leak", "per_cm", "v_rest", "per_delta_v", "expected", "v_reset", "refractory_steps", "v_t_star"),
        *(f"kept_gamma{j}" for j in PARTS),
        *(f"a_gamma{j}" for j in PARTS),
    ),
    rows=rows,
    flow=if_cond_alpha.flow,
    finish=finish,
    longest=if_cond_alpha.LONGEST_SUBSTEP,
    kept=("refractory", "i_eta", "v_t", "gamma1", "gamma2", "gamma3"),
    begins={"v_t": "v_t_star"},
)

ARRAY_UNITS = {"tau_eta": "ms", "tau_gamma": "ms", "a_eta": "nA", "a_gamma": "mV"}
SHARED = {name: unit for name, unit in if_cond_exp.MODEL.parameters.items() if name != "v_thresh"}
MODEL = NeuronModel(
    name="GIF_cond_exp",
    parameters={
        **SHARED,
        **{"delta_v": "mV", "v_t_star": "mV", "lambda0": "Hz"},
        **{part: ARRAY_UNITS[name] for name, parts in ARRAYS.items() for part in parts},
    },
    states=if_cond_exp.MODEL.states,
    recordables={**if_cond_exp.MODEL.recordables, "i_eta": "nA", "v_t": "mV"},
    weight_unit="uS",
    above_zero=if_cond_exp.MODEL.above_zero | {"delta_v", *ARRAYS["tau_eta"], *ARRAYS["tau_gamma"]},
    not_negative=if_cond_exp.MODEL.not_negative | {"lambda0"},
    arrays=ARRAYS,
    begins={"v_t": "v_t_star"},
    rules={"ideal": composed(MEMBRANE, (*EXPONENTIAL, *ETA))},
)
