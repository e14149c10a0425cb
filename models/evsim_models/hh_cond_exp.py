"""HH_cond_exp: a single compartment with sodium and potassium channels, and exponentially decaying conductances.

    cm dv/dt = gbar_Na m^3 h (e_rev_Na - v) + gbar_K n^4 (e_rev_K - v) + g_leak (e_rev_leak - v) + synapses + i_offset
    dx/dt = alpha_x(u) (1 - x) - beta_x(u) x  for x in m, h, n, with u = v - v_offset

The rates are those of Traub and Miles (1991) as Brette et al. (2007), doi:10.1007/s10827-007-0038-6, have them. It
spikes where v has begun to fall from 30 mV or more above v_offset, at most once in 2 ms, as NEST's hh_cond_exp_traub
does; but that looks at v at the ends of time steps alone, and misses spikes where they are long.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numba.extending import register_jitable

from evsim.arithmetic.exponential import exp
from evsim.equations import Constants, Equations, Slopes
from evsim.model import NeuronModel, Values
from evsim_models.common import refractory_steps
from evsim_models.composed import Membrane, composed
from evsim_models.leaky import conductances
from evsim_models.receptors import EXPONENTIAL

LONGEST_SUBSTEP = 0.025  # ms
SPIKE_ABOVE_OFFSET = 30.0  # mV
BETWEEN_SPIKES = 2.0  # ms


def rows(values: Values, dt: float) -> tuple:
    """Those of the membrane equation and of what a spike is."""
    return (
        1 / values["cm"],
        *(values[f"gbar_{ion}"] for ion in ("Na", "K")),
        values["g_leak"],
        *(values[f"e_rev_{ion}"] for ion in ("Na", "K", "leak")),
        values["v_offset"],
        refractory_steps(np.array([BETWEEN_SPIKES]), dt),
    )


@register_jitable
def linear_over_exp(x, scale):
    """x / (exp(x / scale) - 1), with its limit at 0."""
    y = x / scale
    near = abs(y) < 1e-5
    return scale * (1.0 - 0.5 * y) if near else x / (exp(1.0 if near else y) - 1.0)


def flow(v, m, h, n, conductance, pull, per_cm, g_na, g_k, g_leak, e_na, e_k, e_leak, v_offset, drive):
    """The slopes of v and the gates, and the rates of their relaxation."""
    u = v - v_offset
    open_m, shut_m = 0.32 * linear_over_exp(13.0 - u, 4.0), 0.28 * linear_over_exp(u - 40.0, 5.0)
    open_h, shut_h = 0.128 * exp((17.0 - u) / 18.0), 4.0 / (1.0 + exp((40.0 - u) / 5.0))
    open_n, shut_n = 0.032 * linear_over_exp(15.0 - u, 5.0), 0.5 * exp((10.0 - u) / 40.0)
    sodium, potassium = g_na * m * m * m * h, g_k * (n * n) * (n * n)
    total = sodium + potassium + g_leak + conductance
    towards = sodium * e_na + potassium * e_k + g_leak * e_leak + pull + drive
    return (
        (towards - total * v) * per_cm,
        open_m - (open_m + shut_m) * m,
        open_h - (open_h + shut_h) * h,
        open_n - (open_n + shut_n) * n,
        total * per_cm,
        open_m + shut_m,
        open_h + shut_h,
        open_n + shut_n,
    )


def finish(v, m, h, n, peak, quiet, v_offset, between_spikes):
    """A spike: v was high in this time step, and is lower now."""
    fired = (peak >= v_offset + SPIKE_ABOVE_OFFSET) & (v < peak) & (quiet <= 0)
    waited = quiet - 1.0 if quiet > 0 else 0.0
    return v, m, h, n, v, between_spikes if fired else waited, fired


MEMBRANE = Membrane(
    states=("v", "m", "h", "n"),
    parameters=("per_cm", "g_na", "g_k", "g_leak", "e_na", "e_k", "e_leak", "v_offset", "between_spikes"),
    rows=rows,
    flow=flow,
    finish=finish,
    longest=LONGEST_SUBSTEP,
    kept=("peak", "quiet"),
    begins={"peak": "v"},
)

# --- equations, for steps of any length ------------------------------------------------------------------------------

OVERFLOW = 300.0  # no trial step goes beyond the exponential of this


def rate(x: float, scale: float) -> float:
    """``linear_over_exp`` of a float of Python's, with three terms of its series near 0."""
    y = x / scale
    return scale * (1.0 - 0.5 * y + y * y / 12.0) if abs(y) < 1e-4 else x / math.expm1(min(y, OVERFLOW))


def bounded_exp(x: float) -> float:
    """exp(x), of no more than ``OVERFLOW``."""
    return math.exp(min(x, OVERFLOW))


def slopes(cell: Constants) -> Slopes:
    """Those of v and the gates."""
    g_na, g_k, g_leak, per_cm = cell["gbar_Na"], cell["gbar_K"], cell["g_leak"], 1 / cell["cm"]
    e_na, e_k, e_leak = cell["e_rev_Na"], cell["e_rev_K"], cell["e_rev_leak"]
    e_exc, e_inh, offset = cell["e_rev_E"], cell["e_rev_I"], cell["v_offset"]

    def flow(states, received, current):
        v, m, h, n = states
        u = v - offset
        ionic = g_na * m**3 * h * (e_na - v) + g_k * n**4 * (e_k - v) + g_leak * (e_leak - v)
        synaptic = received[0] * (e_exc - v) + received[1] * (e_inh - v)
        return [
            (ionic + synaptic + current) * per_cm,
            0.32 * rate(13.0 - u, 4.0) * (1.0 - m) - 0.28 * rate(u - 40.0, 5.0) * m,
            0.128 * bounded_exp((17.0 - u) / 18.0) * (1.0 - h) - 4.0 / (1.0 + bounded_exp((40.0 - u) / 5.0)) * h,
            0.032 * rate(15.0 - u, 5.0) * (1.0 - n) - 0.5 * bounded_exp((10.0 - u) / 40.0) * n,
        ]

    return flow


EQUATIONS = Equations(
    states={"v": 1.0, "m": 0.01, "h": 0.01, "n": 0.01},
    slopes=slopes,
    level=lambda cell: cell["v_offset"] + SPIKE_ABOVE_OFFSET,
    responses=conductances(rise=False),
    quiet=BETWEEN_SPIKES,
)

GATES = {"m": "", "h": "", "n": ""}
MODEL = NeuronModel(
    name="HH_cond_exp",
    parameters={
        "gbar_Na": "uS",
        "gbar_K": "uS",
        "g_leak": "uS",
        "cm": "nF",
        "v_offset": "mV",
        "e_rev_Na": "mV",
        "e_rev_K": "mV",
        "e_rev_leak": "mV",
        "e_rev_E": "mV",
        "e_rev_I": "mV",
        "tau_syn_E": "ms",
        "tau_syn_I": "ms",
        "i_offset": "nA",
    },
    states={"v": "mV", "gsyn_exc": "uS", "gsyn_inh": "uS", **GATES},
    recordables={"v": "mV", "gsyn_exc": "uS", "gsyn_inh": "uS", **GATES},
    weight_unit="uS",
    above_zero=frozenset({"cm", "tau_syn_E", "tau_syn_I"}),
    not_negative=frozenset({"gbar_Na", "gbar_K", "g_leak"}),
    rules={"ideal": replace(composed(MEMBRANE, EXPONENTIAL), equations=EQUATIONS)},
)
