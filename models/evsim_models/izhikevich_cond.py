"""Izhikevich_cond and Izhikevich_cond_dual: Izhikevich's neuron (2003) with conductances, as in sPyNNaker.

    dv/dt = 0.04 v^2 + 5 v + 140 - u + sum of g (e_rev - v) + i_offset
    du/dt = a (b v - u)
    tau_syn dg/dt = -g,  a spike of weight w adds w to g
    when v reaches 30 mV: v = c, u = u + d

1 nA is 1 mV/ms, a membrane of 1 nF. The second cell has two excitatory conductances of different decay, of which
sPyNNaker shows the sum.

``spinnaker1`` makes one midpoint step in each time step, and the one after a spike is 1.85 times as long.
"""

from __future__ import annotations

import numpy as np

from evsim.arithmetic.registers import minus, plus
from evsim.arithmetic.s1615 import ONE, decay, fixed, multiply
from evsim.deploy.spinnaker_scale import SpinnakerScale
from evsim.model import Cells, NeuronModel, Rule, Values, table
from evsim_models import spinnaker_parts
from evsim_models.composed import Membrane, composed
from evsim_models.if_cond_exp import GAIN_BITS
from evsim_models.izhikevich import V_PEAK, spinnaker_end
from evsim_models.receptors import EXPONENTIAL, Receptor

# --- ideal -----------------------------------------------------------------------------------------------------------

LONGEST_SUBSTEP = 0.05  # ms


def rows(values: Values, dt: float) -> tuple:
    """Those of the equations and of the reset; there is no refractory time."""
    return (*(values[name] for name in ("a", "b", "c", "d")), np.array([V_PEAK]), np.zeros(1))


def flow(v, u, conductance, pull, a, b, v_peak, drive):
    """The slopes of v and u, and the rates of their relaxation; above the peak v runs up as at the peak."""
    at = min(v, v_peak)
    run_up = (0.04 * at + 5.0) * at + 140.0
    return run_up - u + pull + drive - conductance * v, a * (b * v - u), conductance - 0.08 * at - 5.0, a


def spike(v, u, c, d):
    """Reset of v, and a step of u."""
    return c, u + d


def finish(v, u, refractory, spiked):
    """A neuron spikes at most once in a time step: at a second peak v waits for the next one."""
    return v, u, 0.0, 0.0, spiked != 0.0


MEMBRANE = Membrane(
    states=("v", "u"),
    parameters=("a", "b", "c", "d", "v_peak", "refractory_steps"),
    rows=rows,
    flow=flow,
    finish=finish,
    longest=LONGEST_SUBSTEP,
    spike=spike,
    limit="v_peak",
    kept=("refractory", "spiked"),
)
DUAL = (
    Receptor("excitatory", "exc", "gsyn_exc1", ("tau_syn_E",), "e_rev_E"),
    Receptor("excitatory2", "exc2", "gsyn_exc2", ("tau_syn_E2",), "e_rev_E"),
    EXPONENTIAL[1],
)

# --- spinnaker1 ------------------------------------------------------------------------------------------------------

OWN = ("a", "b", "c", "d")


def _spinnaker_cells(
    values: Values, initial: Values, dt: float, scale: SpinnakerScale, receptors: tuple[Receptor, ...]
) -> tuple[Cells, int]:
    """Synapses, v, u, the length of the next step and what is shown of each synapse; and the row of the first."""
    taus = [receptor.taus[0] for receptor in receptors]
    own = [fixed(values[name]) for name in (*OWN, "e_rev_E", "e_rev_I")]
    parameters = table(
        *spinnaker_parts.synapse_rows(values, dt, scale, taus), *own, np.array([fixed(dt)]), dtype=np.int64
    )
    names = [receptor.variable for receptor in receptors]
    synapses = spinnaker_parts.synapse_state(initial, names, scale.gain)
    v, u = fixed(initial["v"]), fixed(initial["u"])
    shown = [synapse >> GAIN_BITS for synapse in synapses]
    state = [*synapses, v, u, np.full_like(v, fixed(dt)), *shown]
    n = len(receptors)
    readouts = {"v": spinnaker_parts.readout(n), "u": spinnaker_parts.readout(n + 1)}
    readouts |= {name: spinnaker_parts.readout(n + 3 + k, (k,)) for k, name in enumerate(names)}
    held = {name: fixed(values[name]) / ONE for name in (*OWN, "i_offset")}
    drive = fixed(values["i_offset"]).astype(np.int32)
    return Cells(np.stack(state).astype(np.int32), parameters, drive, ONE, readouts, held), n + 3


def spinnaker_convert(values: Values, initial: Values, dt: float, scale: SpinnakerScale) -> Cells:
    """s16.15 as sPyNNaker writes it and the firmware prepares it."""
    return _spinnaker_cells(values, initial, dt, scale, EXPONENTIAL)[0]


def spinnaker_receive(exc, inh, v, u, step, shown_exc, shown_inh, shift_e, init_e, shift_i, init_i, to_exc, to_inh):
    """The input is added to the synapses, whose conductances are shown."""
    exc, inh, saturated, wrapped = spinnaker_parts.add_inputs(
        exc, inh, shift_e, init_e, shift_i, init_i, to_exc, to_inh
    )
    return exc, inh, v, u, step, exc >> GAIN_BITS, inh >> GAIN_BITS, saturated, wrapped


def spinnaker_neuron(exc, inh, v, u, step, shown_exc, shown_inh, decay_e, decay_i, a, b, c, d, e_exc, e_inh, dt, drive):
    """One step in s16.15: v and u under the currents of the conductances at the voltage before, then these decay."""
    from_exc = multiply(shown_exc, minus(e_exc, v))
    from_inh = multiply(minus(0, shown_inh), minus(e_inh, v))
    v, u, step, fired, wrapped = spinnaker_end(v, u, step, plus(minus(from_exc, from_inh), drive), a, b, c, d, dt)
    exc, inh = decay(exc, decay_e), decay(inh, decay_i)
    return exc, inh, v, u, step, exc >> GAIN_BITS, inh >> GAIN_BITS, fired, False, wrapped


SPINNAKER1 = Rule(
    spinnaker_convert,
    spinnaker_neuron,
    states=("exc", "inh", "v", "u", "step", "shown_exc", "shown_inh"),
    parameters=(*spinnaker_parts.SYNAPSES, *OWN, "e_exc", "e_inh", "dt"),
    inputs=spinnaker_parts.INPUTS,
    tallies=spinnaker_parts.TALLIES,
    receive=spinnaker_receive,
    defects=spinnaker_parts.firmware_defects,
)

TOTAL = "gsyn_exc"  # sPyNNaker's name of the sum of both excitatory conductances


def dual_convert(values: Values, initial: Values, dt: float, scale: SpinnakerScale) -> Cells:
    """The same with two excitatory conductances, and a row with the sum that the firmware records."""
    cells, first = _spinnaker_cells(values, initial, dt, scale, DUAL)
    total = cells.state[first] + cells.state[first + 1]
    state = np.vstack([cells.state, total.astype(np.int32)])
    readouts = {**cells.readouts, TOTAL: spinnaker_parts.readout(len(state) - 1)}
    return Cells(state, cells.parameters, cells.drive, cells.drive_per_nA, readouts, cells.effective)


def dual_receive(
    exc,
    exc2,
    inh,
    v,
    u,
    step,
    shown_exc,
    shown_exc2,
    shown_inh,
    total,
    shift_e,
    init_e,
    shift_e2,
    init_e2,
    shift_i,
    init_i,
    to_exc,
    to_exc2,
    to_inh,
):
    """The input is added to the synapses, whose conductances are shown."""
    exc, exc2, inh, saturated, wrapped = spinnaker_parts.add_dual_inputs(
        exc, exc2, inh, shift_e, init_e, shift_e2, init_e2, shift_i, init_i, to_exc, to_exc2, to_inh
    )
    shown_exc, shown_exc2, shown_inh = exc >> GAIN_BITS, exc2 >> GAIN_BITS, inh >> GAIN_BITS
    total = plus(shown_exc, shown_exc2)
    return exc, exc2, inh, v, u, step, shown_exc, shown_exc2, shown_inh, total, saturated, wrapped


def dual_neuron(
    exc,
    exc2,
    inh,
    v,
    u,
    step,
    shown_exc,
    shown_exc2,
    shown_inh,
    total,
    decay_e,
    decay_e2,
    decay_i,
    a,
    b,
    c,
    d,
    e_exc,
    e_inh,
    dt,
    drive,
):
    """One step in s16.15, as that of the cell with one excitatory conductance."""
    below = minus(e_exc, v)
    from_exc = plus(multiply(shown_exc, below), multiply(shown_exc2, below))
    from_inh = multiply(minus(0, shown_inh), minus(e_inh, v))
    v, u, step, fired, wrapped = spinnaker_end(v, u, step, plus(minus(from_exc, from_inh), drive), a, b, c, d, dt)
    exc, exc2, inh = decay(exc, decay_e), decay(exc2, decay_e2), decay(inh, decay_i)
    shown_exc, shown_exc2, shown_inh = exc >> GAIN_BITS, exc2 >> GAIN_BITS, inh >> GAIN_BITS
    return exc, exc2, inh, v, u, step, shown_exc, shown_exc2, shown_inh, total, fired, False, wrapped


def dual_derive(state: np.ndarray, parameters: np.ndarray) -> np.ndarray:
    """The sum of the excitatory conductances as they were set."""
    first = len(state) - 4
    return spinnaker_parts.with_sum(state, (first, first + 1), len(state) - 1)


DUAL_SPINNAKER1 = Rule(
    dual_convert,
    dual_neuron,
    states=("exc", "exc2", "inh", "v", "u", "step", "shown_exc", "shown_exc2", "shown_inh", "total"),
    parameters=(*spinnaker_parts.DUAL_SYNAPSES, *OWN, "e_exc", "e_inh", "dt"),
    inputs=spinnaker_parts.DUAL_INPUTS,
    tallies=spinnaker_parts.TALLIES,
    receive=dual_receive,
    derive=dual_derive,
    recordables={TOTAL: "uS"},
    defects=spinnaker_parts.dual_defects,
)

# --- the cells -------------------------------------------------------------------------------------------------------

# sPyNNaker's defaults
DEFAULTS = {"a": 0.02, "b": 0.2, "c": -65.0, "d": 2.0, "i_offset": 0.0, "v": -70.0, "u": -14.0}
SYNAPTIC = {"tau_syn_E": 5.0, "tau_syn_E2": 5.0, "tau_syn_I": 5.0, "e_rev_E": 0.0, "e_rev_I": -70.0}


def _model(name: str, receptors: tuple[Receptor, ...], spinnaker: Rule) -> NeuronModel:
    taus = {receptor.taus[0]: "ms" for receptor in receptors}
    conductances = {receptor.variable: "uS" for receptor in receptors}
    own = {"a": "/ms", "b": "/ms", "c": "mV", "d": "mV/ms", "i_offset": "nA"}
    return NeuronModel(
        name=name,
        parameters={**own, **taus, "e_rev_E": "mV", "e_rev_I": "mV"},
        states={"v": "mV", "u": "mV/ms", **conductances},
        recordables={"v": "mV", "u": "mV/ms", **conductances},
        weight_unit="uS",
        receptors=tuple(receptor.name for receptor in receptors),
        above_zero=frozenset(taus),
        defaults={**DEFAULTS, **SYNAPTIC, **dict.fromkeys(conductances, 0.0)},
        rules={"ideal": composed(MEMBRANE, receptors), "spinnaker1": spinnaker},
    )


MODELS = (
    _model("Izhikevich_cond", EXPONENTIAL, SPINNAKER1),
    _model("Izhikevich_cond_dual", DUAL, DUAL_SPINNAKER1),
)
