"""IFCondExpStoc: IF_cond_exp with a soft threshold, at which it spikes by chance, as sPyNNaker's sources state it.

The membrane is that of IF_cond_exp. Out of refractory time the neuron spikes in each time step with the probability

    p = 0.8 (1 - exp(-exp((v - v_thresh) / du_th) dt / (10 tau_th))),  and 0.8 from v = v_thresh + 5 du_th on

with v at the step's end (a soft threshold as that of Habenschuss et al. 2013, doi:10.1371/journal.pcbi.1003311). The
0.8 and the 10 are those of ``threshold_type_maass_stochastic.h``.

There is no ``spinnaker1`` one: in the firmware of sPyNNaker 7.4.1 the sign of the time step is lost, so that the cell
spikes in every step in which p is not below its smallest number (docs/firmware.md).
"""

from __future__ import annotations

from evsim.arithmetic.exponential import exp
from evsim.model import Cells, NeuronModel, Rule, Values, table
from evsim_models import if_cond_exp

MOST = 0.8  # PROB_SATURATION
SATURATED = 5.0  # of (v - v_thresh) / du_th
PER_TAU = 10.0  # neg_machine_time_step_ms_div_10


def ideal_convert(values: Values, initial: Values, dt: float, scale: None) -> Cells:
    """Those of IF_cond_exp, and the threshold's width and rate."""
    cells = if_cond_exp.ideal_convert(values, initial, dt, scale)
    rate = dt / (PER_TAU * values["tau_th"])
    parameters = table(*cells.parameters, 1 / values["du_th"], rate)
    return Cells(cells.state, parameters, cells.drive, cells.drive_per_nA, cells.readouts)


def ideal_neuron(v, g_exc, g_inh, refractory, v_thresh, v_reset, refractory_steps, per_du, rate, exc, inh, chance):
    """The end of a time step in float64: the input that is due there, and the soft threshold."""
    exponent = (v - v_thresh) * per_du
    p = MOST if exponent >= SATURATED else MOST * (1.0 - exp(-exp(min(exponent, SATURATED)) * rate))
    held = refractory > 0
    fired = (not held) & (chance < p)
    wait = refractory - 1 if refractory - 1 > 0 else 0.0
    return v_reset if held | fired else v, g_exc + exc, g_inh + inh, refractory_steps if fired else wait, fired


IDEAL = Rule(
    ideal_convert,
    ideal_neuron,
    states=if_cond_exp.STATES,
    parameters=(*if_cond_exp.PARAMETERS, "per_du", "rate"),
    inputs={"excitatory": 0, "inhibitory": 1},
    substep=if_cond_exp.ideal_substep,
    hard_substep=if_cond_exp.ideal_stiff,
    arrive=if_cond_exp.ideal_arrive,
)

MODEL = NeuronModel(
    name="IFCondExpStoc",
    parameters={**if_cond_exp.MODEL.parameters, "du_th": "mV", "tau_th": "ms"},
    states=if_cond_exp.MODEL.states,
    recordables=if_cond_exp.MODEL.recordables,
    weight_unit="uS",
    above_zero=if_cond_exp.MODEL.above_zero | {"du_th", "tau_th"},
    not_negative=if_cond_exp.MODEL.not_negative,
    rules={"ideal": IDEAL},
    # sPyNNaker's
    defaults={
        **{"v_rest": -65.0, "cm": 1.0, "tau_m": 20.0, "tau_refrac": 0.1, "tau_syn_E": 5.0, "tau_syn_I": 5.0},
        **{"e_rev_E": 0.0, "e_rev_I": -70.0, "v_thresh": -50.0, "v_reset": -65.0, "i_offset": 0.0},
        **{"du_th": 0.5, "tau_th": 20.0, "v": -65.0, "gsyn_exc": 0.0, "gsyn_inh": 0.0},
    },
)
