"""IF_curr_exp: leaky integrate-and-fire neuron with exponentially decaying currents.

    tau_m dv/dt = v_rest - v + (tau_m / cm) (i_offset + i_exc + i_inh)
    tau_syn di/dt = -i,  a spike of weight w adds w to i

When v reaches v_thresh the neuron spikes; v is then held at v_reset for tau_refrac, while the currents go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from evsim.arithmetic.loihi import DECAY_ONE
from evsim.arithmetic.registers import minus, plus
from evsim.arithmetic.s1615 import ONE, decay, fixed
from evsim.deploy.loihi_scale import LoihiScale
from evsim.deploy.spinnaker_scale import SpinnakerScale
from evsim.model import Cells, NeuronModel, Readout, Rule, Values, table
from evsim_models import leaky, loihi_lif, spinnaker_parts
from evsim_models.common import PA_PER_NA, Floats, current_shares, propagator, refractory_steps, spike_and_reset

# --- ideal -----------------------------------------------------------------------------------------------------------

# Without synaptic input, constants and state are those of NEST's iaf_psc_exp down to the rounding (u = v - v_rest,
# injected current in pA), so that a neuron that only just reaches its threshold reaches it here and there.
STATES = ("u", "i_exc", "i_inh", "refractory")
PARAMETERS = (
    *("p_m", "p_exc", "p_inh"),  # decays over one step
    *("u_per_exc", "u_per_inh", "u_per_drive"),  # what a unit of current adds to v
    *("u_thresh", "u_reset", "refractory_steps"),  # threshold and reset relative to v_rest
)
TAU_OF = {"excitatory": "tau_syn_E", "excitatory2": "tau_syn_E2", "inhibitory": "tau_syn_I"}


def ideal_convert(values: Values, initial: Values, dt: float, scale: None) -> Cells:
    """Exact propagators of the linear equations over one time step (Rotter and Diesmann 1999, as NEST has them)."""
    tau_m, cm, v_rest = values["tau_m"], values["cm"], values["v_rest"]
    decay = np.exp(-dt / tau_m)
    parameters = table(
        decay,
        np.exp(-dt / values["tau_syn_E"]),
        np.exp(-dt / values["tau_syn_I"]),
        propagator(values["tau_syn_E"], tau_m, cm, dt),
        propagator(values["tau_syn_I"], tau_m, cm, dt),
        tau_m / (cm * PA_PER_NA) * (1 - decay),
        values["v_thresh"] - v_rest,
        values["v_reset"] - v_rest,
        refractory_steps(values["tau_refrac"], dt),
    )
    zero = np.zeros(len(tau_m))
    state = np.stack([initial["v"] - v_rest, initial.get("isyn_exc", zero), initial.get("isyn_inh", zero), zero])
    readouts = {"v": Readout(0, offset=v_rest), "isyn_exc": Readout(1), "isyn_inh": Readout(2)}
    return Cells(state, parameters, values["i_offset"] * PA_PER_NA, PA_PER_NA, readouts)


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
    u_thresh,
    u_reset,
    refractory_steps,
    exc,
    inh,
    drive,
):
    """One time step in float64: v from the currents at its start, then the currents, then the input due at its end."""
    moved = p_m * u + u_per_exc * i_exc + u_per_inh * i_inh + u_per_drive * drive
    u, refractory, fired = spike_and_reset(u, moved, refractory, u_thresh, u_reset, refractory_steps)
    return u, p_exc * i_exc + exc, p_inh * i_inh + inh, refractory, fired


def ideal_arrive(receptor: str, values: Values, dt: float, left: Floats) -> tuple[Floats, Floats]:
    """Input within a time step: current and v are right at its end."""
    return current_shares(left, dt, values[TAU_OF[receptor]], values["tau_m"])


IDEAL = Rule(
    ideal_convert,
    ideal_neuron,
    states=STATES,
    parameters=PARAMETERS,
    inputs={"excitatory": 0, "inhibitory": 1},
    arrive=ideal_arrive,
    sums={"i_exc": "exc", "i_inh": "inh"},
    counters={"refractory": "refractory_steps"},
    equations=leaky.with_currents(rise=False),
)

# --- spinnaker1 ------------------------------------------------------------------------------------------------------


def spinnaker_convert(values: Values, initial: Values, dt: float, scale: SpinnakerScale) -> Cells:
    """s16.15 as sPyNNaker writes it and the firmware prepares it."""
    rows = [*spinnaker_parts.synapse_rows(values, dt, scale), *spinnaker_parts.membrane_rows(values, dt)]
    parameters = table(*rows, dtype=np.int64)
    synapses = spinnaker_parts.synapse_state(initial, ("isyn_exc", "isyn_inh"))
    v = fixed(initial["v"])
    state = np.stack([*synapses, v, np.zeros_like(v)]).astype(np.int32)
    return Cells(
        state,
        parameters,
        fixed(values["i_offset"]).astype(np.int32),
        ONE,
        {
            "v": spinnaker_parts.readout(spinnaker_parts.V),
            "isyn_exc": spinnaker_parts.readout(spinnaker_parts.EXC),
            "isyn_inh": spinnaker_parts.readout(spinnaker_parts.INH),
        },
        spinnaker_parts.held_values(values, dt, parameters, spinnaker_parts.MEMBRANE_ROW, synapses=True),
    )


def spinnaker_neuron(
    exc,
    inh,
    v,
    refractory,
    decay_e,
    decay_i,
    resistance,
    kept,
    v_rest,
    v_reset,
    v_thresh,
    refractory_steps,
    i_least,
    i_most,
    drive,
):
    """One step in s16.15: v under the currents that hold the input already, then the currents decay."""
    current = plus(minus(exc, inh), drive)
    v, refractory, fired, wrapped = spinnaker_parts.integrate_and_fire(
        v, refractory, current, resistance, kept, v_rest, v_reset, v_thresh, refractory_steps, i_least, i_most
    )
    return decay(exc, decay_e), decay(inh, decay_i), v, refractory, fired, False, wrapped


def spinnaker_receive(exc, inh, v, refractory, shift_e, init_e, shift_i, init_i, to_exc, to_inh):
    """The input is added to the currents."""
    exc, inh, saturated, wrapped = spinnaker_parts.add_inputs(
        exc, inh, shift_e, init_e, shift_i, init_i, to_exc, to_inh
    )
    return exc, inh, v, refractory, saturated, wrapped


SPINNAKER1 = Rule(
    spinnaker_convert,
    spinnaker_neuron,
    states=("exc", "inh", "v", "refractory"),
    parameters=spinnaker_parts.SYNAPSES + spinnaker_parts.MEMBRANE,
    inputs=spinnaker_parts.INPUTS,
    tallies=spinnaker_parts.TALLIES,
    receive=spinnaker_receive,
    defects=spinnaker_parts.firmware_defects,
)

# --- loihi1, loihi2 and loihi2_microcode -----------------------------------------------------------------------------

# receptor -> its time constant and its current
RECEPTORS = {"excitatory": ("tau_syn_E", "isyn_exc"), "inhibitory": ("tau_syn_I", "isyn_inh")}


class LoihiCurrents:
    """The decaying currents of a Loihi neuron: one for both receptors, whose tau_syn are then equal, or one for each.

    u holds what the current of the step that ends now added to v, so the current at its label is u times the decay.

    Args:
        inputs: receptor -> the number of its current.
    """

    def __init__(self, inputs: Mapping[str, int]) -> None:
        rows = sorted(set(inputs.values()))
        self._members = [[RECEPTORS[name] for name, row in inputs.items() if row == k] for k in rows]

    def needs(self, values: Values, initial: Values, dt: float) -> loihi_lif.LoihiNeeds:
        """What a nA of current adds to v in the step in which it is felt is the ideal propagator."""
        per_nA = [propagator(values[members[0][0]], values["tau_m"], values["cm"], dt) for members in self._members]
        start = [each * _current(initial, members) for each, members in zip(per_nA, self._members, strict=True)]
        return loihi_lif.needs(values, initial, dt, per_nA, start)

    def convert(self, values: Values, initial: Values, dt: float, scale: LoihiScale) -> Cells:
        """The registers of the currents, and those of the membrane."""
        decays, starts, readouts, effective = [], [], {}, {}
        for row, members in enumerate(self._members):
            tau_syn = values[members[0][0]]
            decays.append(np.clip(loihi_lif.decay_of(tau_syn, dt), 1, DECAY_ONE))
            left, lsb = np.exp(-dt / tau_syn), scale.lsb_per_current(row)
            starts.append(np.rint(_current(initial, members) * lsb / left))
            for parameter, variable in members:
                readouts[variable] = Readout(row, left / lsb)
                effective[parameter] = loihi_lif.time_constant(decays[row], dt)
        cells = loihi_lif.cells(values, initial, dt, scale, decays, starts, readouts)
        return replace(cells, effective={**cells.effective, **effective})


def _current(initial: Values, members: list[tuple[str, str]]) -> np.ndarray:
    zero = np.zeros_like(initial["v"])
    return sum((initial.get(variable, zero) for _, variable in members), start=zero)


ONE_CURRENT, TWO_CURRENTS = (LoihiCurrents(inputs) for inputs in (loihi_lif.ONE_CURRENT, loihi_lif.TWO_CURRENTS))
LOIHI1, LOIHI2 = loihi_lif.rules(ONE_CURRENT.convert, ONE_CURRENT.needs)
LOIHI2_MICROCODE = loihi_lif.two_current_rule(TWO_CURRENTS.convert, TWO_CURRENTS.needs)

MODEL = NeuronModel(
    name="IF_curr_exp",
    parameters={
        "v_rest": "mV",
        "cm": "nF",
        "tau_m": "ms",
        "tau_refrac": "ms",
        "tau_syn_E": "ms",
        "tau_syn_I": "ms",
        "i_offset": "nA",
        "v_reset": "mV",
        "v_thresh": "mV",
    },
    states={"v": "mV", "isyn_exc": "nA", "isyn_inh": "nA"},
    recordables={"v": "mV", "isyn_exc": "nA", "isyn_inh": "nA"},
    weight_unit="nA",
    above_zero=frozenset({"cm", "tau_m", "tau_syn_E", "tau_syn_I"}),
    not_negative=frozenset({"tau_refrac"}),
    rules={
        "ideal": IDEAL,
        "spinnaker1": SPINNAKER1,
        "loihi1": LOIHI1,
        "loihi2": LOIHI2,
        "loihi2_microcode": LOIHI2_MICROCODE,
    },
)
