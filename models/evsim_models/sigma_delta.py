"""SigmaDelta: a rectified linear unit that sends its changes in graded spikes, as Lava's SigmaDelta.

    sigma   <- sigma + w p for every spike that carries p, over a synapse of weight w (1 for spikes that carry nothing)
    new     =  max(sigma + bias, 0), or sigma + bias where act_mode is 0
    delta   =  new - act + residue;  act <- new
    a spike carries delta where |delta| >= vth (delta summed since the last spike, where cum_error is not 0)
    residue <- delta less what was sent

All quantities are dimensionless. A chip holds them in integers: a payload in units of 2**-spike_exp, everything else in
units of 2**-(spike_exp + state_exp). The parameters have Lava's names, and Lava's defaults where it has any;
``act_mode`` is 1 for a rectified unit. ``payload`` is what was sent in the step that ends.
"""

from __future__ import annotations

import numpy as np

from evsim.arithmetic.loihi import ALIGN, STATE_LIMIT
from evsim.arithmetic.loihi_sigma_delta import PARAMETERS, STATES, sigma_delta_neuron
from evsim.deploy.loihi_scale import LoihiScale
from evsim.model import PAYLOAD, Cells, NeuronModel, Readout, Rule, Values, table
from evsim_models.common import Floats

INPUTS = {"excitatory": 0, "inhibitory": 0}
VARIABLES = {"sigma": "dimensionless", "act": "dimensionless", PAYLOAD: "dimensionless"}
FLAGS = {"act_mode": (0, 1), "cum_error": (0, 1)}

# --- ideal -----------------------------------------------------------------------------------------------------------


def ideal_convert(values: Values, initial: Values, dt: float, scale: None) -> Cells:
    """The numbers as they are."""
    parameters = table(*(values[name] for name in ("vth", "act_mode", "cum_error")))
    state = np.zeros((len(STATES), len(values["vth"])))
    readouts = {name: Readout(STATES.index(name)) for name in VARIABLES}
    return Cells(state, parameters, np.array(values["bias"]), 0.0, readouts)


def ideal_neuron(sigma, act, residue, error, vth, rectifies, sums_errors, total, drive):
    """One step in float64."""
    sigma = sigma + total
    moved = sigma + drive
    new = max(moved, 0.0) if rectifies != 0 else moved
    delta = new - act + residue
    summed = error + delta if sums_errors != 0 else 0.0
    decides = summed if sums_errors != 0 else delta
    sent = delta if abs(decides) >= vth else 0.0
    fired = sent != 0
    return sigma, new, delta - sent, (0.0 if fired else summed), sent, fired


IDEAL = Rule(
    ideal_convert,
    ideal_neuron,
    states=STATES,
    parameters=PARAMETERS[:3],
    inputs=INPUTS,
    payload_unit=lambda values: 1.0,
    limits=FLAGS,
)

# --- loihi2 ----------------------------------------------------------------------------------------------------------


def _per_unit(values: Values) -> float:
    """Units of the state for 1; the exponents are those of the whole population."""
    return 2.0 ** float(np.rint(values["spike_exp"][0]) + np.rint(values["state_exp"][0]))


def _registers(numbers: Floats, per_unit: float) -> Floats:
    return np.clip(np.rint(numbers * per_unit), 1 - STATE_LIMIT, STATE_LIMIT - 1)


def loihi_needs(values: Values, initial: Values, dt: float) -> LoihiScale:
    """The exponents are the scale."""
    size, per_unit = len(values["vth"]), _per_unit(values)
    return LoihiScale(np.full((1, size), per_unit * (1 << ALIGN)), np.full(size, per_unit))


def loihi_convert(values: Values, initial: Values, dt: float, scale: LoihiScale) -> Cells:
    """Integers in units of 2**-(spike_exp + state_exp)."""
    per_unit, size = _per_unit(values), len(values["vth"])
    vth, bias = (_registers(values[name], per_unit) for name in ("vth", "bias"))
    exponents = {name: np.rint(values[name]) for name in ("spike_exp", "state_exp")}
    parameters = table(vth, values["act_mode"], values["cum_error"], exponents["state_exp"], dtype=np.int64)
    state = np.zeros((len(STATES), size), np.int32)
    readouts = {name: Readout(STATES.index(name), 1 / per_unit) for name in ("sigma", "act")}
    readouts[PAYLOAD] = Readout(STATES.index(PAYLOAD), payload_unit(values))
    effective = {"vth": vth / per_unit, "bias": bias / per_unit, **exponents}
    return Cells(state, parameters, bias.astype(np.int32), 0.0, readouts, effective)


def payload_unit(values: Values) -> float:
    """What a payload of 1 stands for."""
    return 2.0 ** -float(np.rint(values["spike_exp"][0]))


LOIHI2 = Rule(
    loihi_convert,
    sigma_delta_neuron,
    states=STATES,
    parameters=PARAMETERS,
    inputs=INPUTS,
    tallies=("overflowed",),
    payload_unit=payload_unit,
    needs=loihi_needs,
    note="a change is sent one time step after the one in which the ideal rule sends it",
    limits={**FLAGS, "spike_exp": (0, 7), "state_exp": (0, 7)},
)

MODEL = NeuronModel(
    name="SigmaDelta",
    parameters={name: "dimensionless" for name in ("vth", "bias", "act_mode", "cum_error", "spike_exp", "state_exp")},
    states={},
    recordables=VARIABLES,
    weight_unit="dimensionless",
    not_negative=frozenset({"vth"}),
    rules={"ideal": IDEAL, "loihi2": LOIHI2},
    defaults={"vth": 1.0, "bias": 0.0, "act_mode": 1.0, "cum_error": 0.0, "spike_exp": 0.0, "state_exp": 0.0},
    injectable=False,
)
