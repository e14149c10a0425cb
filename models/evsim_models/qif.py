"""QIF_curr_exp and QIF_cond_exp: the quadratic integrate-and-fire neuron; cells that PyNN does not have.

    cm dv/dt = (cm / tau_m) (v - v_rest) (v - v_thresh) / (v_thresh - v_rest) + synapses + i_offset

Without input v goes back to v_rest, there with the time constant tau_m, unless it is above v_thresh, from where it runs
away (Latham et al. 2000, doi:10.1152/jn.2000.83.2.808). When it reaches v_spike, v = v_reset, and v is held for
tau_refrac. The moment of that is found within the time step.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from evsim.errors import Problem
from evsim.model import NeuronModel, Values
from evsim.network import Population
from evsim_models import if_cond_exp, if_curr_exp
from evsim_models.common import DEFAULTS, refractory_steps
from evsim_models.composed import Membrane, composed
from evsim_models.receptors import EXPONENTIAL, Receptor

LONGEST_SUBSTEP = 0.05  # ms
CURRENTS = (
    Receptor("excitatory", "exc", "isyn_exc", ("tau_syn_E",), None),
    Receptor("inhibitory", "inh", "isyn_inh", ("tau_syn_I",), None),
)


def rows(values: Values, dt: float) -> tuple:
    """Those of the membrane equation, of spike and reset."""
    return (
        values["cm"] / values["tau_m"] / (values["v_thresh"] - values["v_rest"]),
        1 / values["cm"],
        values["v_rest"],
        values["v_thresh"],
        values["v_spike"],
        values["v_reset"],
        refractory_steps(values["tau_refrac"], dt),
    )


def flow(v, conductance, pull, curvature, per_cm, v_rest, v_thresh, v_spike, drive):
    """The slope of v, and the rate of its relaxation; above the peak both are those of the peak."""
    u = min(v, v_spike)
    run_up = curvature * (u - v_rest) * (u - v_thresh)
    steepening = curvature * (2.0 * u - v_rest - v_thresh)
    return (run_up + pull + drive - conductance * v) * per_cm, (conductance - steepening) * per_cm


def spike(v, v_reset):
    """Reset of v."""
    return (v_reset,)


def finish(v, refractory, spiked, v_reset):
    """A neuron spikes at most once in a time step: at a second peak v waits for the next one."""
    held = refractory > 0
    return v_reset if held else v, refractory - 1.0 if held else 0.0, 0.0, spiked != 0.0


MEMBRANE = Membrane(
    states=("v",),
    parameters=("curvature", "per_cm", "v_rest", "v_thresh", "v_spike", "v_reset", "refractory_steps"),
    rows=rows,
    flow=flow,
    finish=finish,
    longest=LONGEST_SUBSTEP,
    spike=spike,
    limit="v_spike",
    kept=("refractory", "spiked"),
)


def out_of_order(where: str, population: Population) -> Iterator[Problem]:
    """Cells whose voltages are not in the order in which v passes them."""
    for low, high in (("v_rest", "v_thresh"), ("v_thresh", "v_spike"), ("v_reset", "v_spike")):
        below, above = (np.broadcast_to(population.parameters[name], population.size) for name in (low, high))
        if (wrong := below >= above).any():
            cell, count = int(np.argmax(wrong)), np.count_nonzero(wrong)
            yield Problem(
                where,
                f"{low} is {below[cell]:g} mV and {high} {above[cell]:g} mV in {count} of {population.size} cells",
                f"{low} must be below {high}",
                f"Correct {low} or {high}.",
            )


PARTS = (("QIF_curr_exp", if_curr_exp, CURRENTS), ("QIF_cond_exp", if_cond_exp, EXPONENTIAL))
MODELS = tuple(
    NeuronModel(
        name=name,
        parameters={**like.MODEL.parameters, "v_spike": "mV"},
        states=like.MODEL.states,
        recordables=like.MODEL.recordables,
        weight_unit=like.MODEL.weight_unit,
        above_zero=like.MODEL.above_zero,
        not_negative=like.MODEL.not_negative,
        problems=out_of_order,
        defaults={**DEFAULTS, "v_spike": 30.0, "e_rev_E": 0.0, "e_rev_I": -70.0, "gsyn_exc": 0.0, "gsyn_inh": 0.0},
        rules={"ideal": composed(MEMBRANE, receptors)},
    )
    for name, like, receptors in PARTS
)
