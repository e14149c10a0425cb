"""TernaryLIF: IF_curr_exp with a threshold on either side of v_reset, whose spikes carry 1 or -1, as Lava's TernaryLIF.

    tau_m dv/dt = v_rest - v + (tau_m / cm) (i_offset + i_exc + i_inh)
    tau_syn di/dt = -i,  a spike of weight w that carries p adds p w to i

When v reaches v_thresh_hi the neuron sends a spike that carries 1, when it reaches v_thresh_lo one that carries -1; v
is then held at v_reset for tau_refrac, while the currents go on. ``payload`` is what was sent in the step that ends.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evsim.arithmetic.loihi_lif import TERNARY_PARAMETERS, TERNARY_STATES, ternary_neuron
from evsim.deploy.loihi_scale import LoihiScale
from evsim.model import PAYLOAD, Cells, NeuronModel, Readout, Rule, Values, table
from evsim_models import if_curr_exp
from evsim_models.common import DEFAULTS


def payload_unit(values: Values) -> float:
    """A spike carries 1 or -1 as it is."""
    return 1.0


def with_payload(cells: Cells) -> Cells:
    """The cells with one more row of the state, for what was sent."""
    state = np.vstack([cells.state, np.zeros_like(cells.state[:1])])
    return replace(cells, state=state, readouts={**cells.readouts, PAYLOAD: Readout(len(cells.state))})


# --- ideal -----------------------------------------------------------------------------------------------------------

IDEAL_PARAMETERS = {"u_thresh": "u_thresh_hi"}  # IF_curr_exp's name -> the one here


def ideal_convert(values: Values, initial: Values, dt: float, scale: None) -> Cells:
    """The propagators of IF_curr_exp, with two thresholds."""
    cells = with_payload(if_curr_exp.ideal_convert({**values, "v_thresh": values["v_thresh_hi"]}, initial, dt, scale))
    return replace(cells, parameters=table(*cells.parameters, values["v_thresh_lo"] - values["v_rest"]))


def ideal_neuron(
    u,
    i_exc,
    i_inh,
    refractory,
    p_m,
    p_exc,
    p_inh,
    u_per_exc,
    u_per_inh,
    u_per_drive,
    u_thresh_hi,
    u_reset,
    refractory_steps,
    u_thresh_lo,
    exc,
    inh,
    drive,
):
    """One time step in float64, in the order of IF_curr_exp."""
    moved = p_m * u + u_per_exc * i_exc + u_per_inh * i_inh + u_per_drive * drive
    u = u if refractory > 0 else moved
    left = refractory - (refractory > 0)
    free = left <= 0
    sent = 1.0 * ((u >= u_thresh_hi) & free) - 1.0 * ((u <= u_thresh_lo) & free)
    fired = sent != 0
    return (
        u_reset if fired else u,
        p_exc * i_exc + exc,
        p_inh * i_inh + inh,
        refractory_steps if fired else left,
        sent,
        fired,
    )


IDEAL = Rule(
    ideal_convert,
    ideal_neuron,
    states=(*if_curr_exp.STATES, PAYLOAD),
    parameters=(*(IDEAL_PARAMETERS.get(name, name) for name in if_curr_exp.PARAMETERS), "u_thresh_lo"),
    inputs={"excitatory": 0, "inhibitory": 1},
    payload_unit=payload_unit,
)

# --- loihi2 ----------------------------------------------------------------------------------------------------------


def loihi_convert(values: Values, initial: Values, dt: float, scale: LoihiScale) -> Cells:
    """The registers of IF_curr_exp, with two thresholds."""
    return with_payload(if_curr_exp.LOIHI2.convert(values, initial, dt, scale))


LOIHI2 = replace(
    if_curr_exp.LOIHI2,
    convert=loihi_convert,
    neuron=ternary_neuron,
    states=TERNARY_STATES,
    parameters=TERNARY_PARAMETERS,
    payload_unit=payload_unit,
)


PARAMETERS = {name: unit for name, unit in if_curr_exp.MODEL.parameters.items() if name != "v_thresh"}

MODEL = NeuronModel(
    name="TernaryLIF",
    parameters={**PARAMETERS, "v_thresh_hi": "mV", "v_thresh_lo": "mV"},
    states=if_curr_exp.MODEL.states,
    recordables={**if_curr_exp.MODEL.recordables, PAYLOAD: "dimensionless"},
    weight_unit="nA",
    above_zero=if_curr_exp.MODEL.above_zero,
    not_negative=if_curr_exp.MODEL.not_negative,
    rules={"ideal": IDEAL, "loihi2": LOIHI2},
    defaults={**DEFAULTS, "tau_refrac": 0.0, "v_thresh_hi": -50.0, "v_thresh_lo": -80.0},
)
