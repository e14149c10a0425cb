"""LIFReset: IF_curr_exp that begins anew at regular intervals, as Lava's LIFReset does.

    tau_m dv/dt = v_rest - v + (tau_m / cm) (i_offset + i_exc + i_inh)
    tau_syn di/dt = -i,  a spike of weight w adds w to i

When v reaches v_thresh the neuron spikes; v is then held at v_reset for tau_refrac, while the currents go on. From
t = 0 on, whenever t - reset_offset is a multiple of reset_interval (both to the nearest time step), v becomes v_reset
and the currents 0; input that arrives at that moment is felt.

Lava counts its time steps from 1, so its ``reset_offset`` is the number of steps here and one more.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evsim.arithmetic.loihi_lif import RESET_PARAMETERS, RESET_STATES, lif_reset_neuron
from evsim.deploy.loihi_scale import LoihiScale
from evsim.model import Cells, NeuronModel, Rule, Values, table
from evsim_models import if_curr_exp
from evsim_models.common import DEFAULTS, Floats, spike_and_reset

MOST_STEPS = (1 << 31) - 1  # of an interval; it is counted in 32 bits


def reset_steps(values: Values, dt: float) -> tuple[Floats, Floats]:
    """Time steps of the interval, and from t = 0 to the first reset."""
    interval = np.clip(np.rint(values["reset_interval"] / dt), 1.0, MOST_STEPS)
    return interval, np.mod(np.rint(values["reset_offset"] / dt), interval)


# --- ideal -----------------------------------------------------------------------------------------------------------


def ideal_convert(values: Values, initial: Values, dt: float, scale: None) -> Cells:
    """The propagators of IF_curr_exp; the reset that is due at t = 0 is made in the initial values."""
    cells = if_curr_exp.ideal_convert(values, initial, dt, scale)
    interval, first = reset_steps(values, dt)
    state = np.vstack([cells.state, (first - 1) % interval])
    anew = np.broadcast_to(first == 0, state.shape[1])
    state[:3, anew] = 0.0
    state[0, anew] = np.broadcast_to(values["v_reset"] - values["v_rest"], state.shape[1])[anew]
    return replace(cells, state=state, parameters=table(*cells.parameters, interval))


def ideal_neuron(
    u,
    i_exc,
    i_inh,
    refractory,
    wait,
    p_m,
    p_exc,
    p_inh,
    u_per_exc,
    u_per_inh,
    u_per_drive,
    u_thresh,
    u_reset,
    refractory_steps,
    reset_steps,
    exc,
    inh,
    drive,
):
    """One time step of IF_curr_exp in float64; where it ends with a reset, that comes before the input due then."""
    moved = p_m * u + u_per_exc * i_exc + u_per_inh * i_inh + u_per_drive * drive
    u, refractory, fired = spike_and_reset(u, moved, refractory, u_thresh, u_reset, refractory_steps)
    due = wait == 0
    left_exc, left_inh = p_exc * i_exc, p_inh * i_inh
    return (
        u_reset if due else u,
        (0.0 if due else left_exc) + exc,
        (0.0 if due else left_inh) + inh,
        refractory,
        (reset_steps if due else wait) - 1,
        fired,
    )


IDEAL = Rule(
    ideal_convert,
    ideal_neuron,
    states=(*if_curr_exp.STATES, "wait"),
    parameters=(*if_curr_exp.PARAMETERS, "reset_steps"),
    inputs={"excitatory": 0, "inhibitory": 1},
)

# --- loihi2 ----------------------------------------------------------------------------------------------------------


def loihi_convert(values: Values, initial: Values, dt: float, scale: LoihiScale) -> Cells:
    """The registers of IF_curr_exp, and the steps between resets."""
    cells = if_curr_exp.LOIHI2.convert(values, initial, dt, scale)
    interval, first = reset_steps(values, dt)
    wait = np.broadcast_to(first, cells.state.shape[1]).astype(np.int32)
    held = {"reset_interval": interval * dt, "reset_offset": np.rint(values["reset_offset"] / dt) * dt}
    return replace(
        cells,
        state=np.vstack([cells.state, wait]),
        parameters=table(*cells.parameters, interval, dtype=np.int64),
        effective={**cells.effective, **held},
    )


LOIHI2 = replace(
    if_curr_exp.LOIHI2,
    convert=loihi_convert,
    neuron=lif_reset_neuron,
    states=RESET_STATES,
    parameters=RESET_PARAMETERS,
    note="what is recorded at the time of a reset is the state just before it; the ideal rule records the state after",
)

MODEL = NeuronModel(
    name="LIFReset",
    parameters={**if_curr_exp.MODEL.parameters, "reset_interval": "ms", "reset_offset": "ms"},
    states=if_curr_exp.MODEL.states,
    recordables=if_curr_exp.MODEL.recordables,
    weight_unit="nA",
    above_zero=if_curr_exp.MODEL.above_zero | {"reset_interval"},
    not_negative=if_curr_exp.MODEL.not_negative,
    rules={"ideal": IDEAL, "loihi2": LOIHI2},
    defaults={**DEFAULTS, "tau_refrac": 0.0, "reset_interval": 100.0, "reset_offset": 0.0},
)
