"""GLM_exp: a generalised linear model that spikes at random, with an exponential intensity; PyNN has no such cell.

    rate = lambda0 exp(predictor),  predictor = stimulus + history + coupling
    stimulus  the injected current and i_offset, through the filter sum of a_stimulus_j / tau_stimulus_j exp(-t / ...)
    history   sum of a_history_j exp(-t / tau_history_j) since each of the neuron's own spikes, j = 1, 2, 3
    coupling  weight exp(-t / tau_syn) since each spike that a synapse brought; a weight is a part of the predictor

(Truccolo et al. 2005, doi:10.1152/jn.00697.2004; Pillow et al. 2008, doi:10.1038/nature07140). A coupling filter of
two exponentials is a synapse of each receptor. The neuron spikes in a time step with the probability 1 - exp(-rate dt),
with the rate at its end; predictor and rate are recorded as they were when that was decided.
"""

from __future__ import annotations

import numpy as np

from evsim.arithmetic.exponential import exp
from evsim.model import Cells, NeuronModel, Readout, Rule, Values, table

S_PER_MS = 1e-3
PARTS = (1, 2, 3)
ARRAYS = {
    name: tuple(f"{name}{j}" for j in PARTS) for name in ("tau_stimulus", "a_stimulus", "tau_history", "a_history")
}
STATES = (
    *(f"stimulus{j}" for j in PARTS),
    *(f"history{j}" for j in PARTS),
    *("syn_exc", "syn_inh", "predictor", "rate"),
)
PARAMETERS = (
    *(f"{name}_stimulus{j}" for name in ("kept", "per_drive") for j in PARTS),
    *(f"{name}_history{j}" for name in ("kept", "a") for j in PARTS),
    *("kept_exc", "kept_inh", "lambda0", "seconds"),
)


def convert(values: Values, initial: Values, dt: float, scale: None) -> Cells:
    """Exact propagators of the filters over one time step."""
    kept = {name: np.exp(-dt / values[name]) for name in values if name.startswith("tau_")}
    parameters = table(
        *(kept[tau] for tau in ARRAYS["tau_stimulus"]),
        *(values[a] * (1 - kept[tau]) for a, tau in zip(ARRAYS["a_stimulus"], ARRAYS["tau_stimulus"], strict=True)),
        *(kept[tau] for tau in ARRAYS["tau_history"]),
        *(values[a] for a in ARRAYS["a_history"]),
        *(kept["tau_syn_E"], kept["tau_syn_I"], values["lambda0"], np.array([S_PER_MS * dt])),
    )
    drive = values["i_offset"]
    coupling = [initial.get(name, np.zeros(len(drive))) for name in ("syn_exc", "syn_inh")]
    predictor = coupling[0] + coupling[1]
    state = [np.zeros((6, len(drive))), [*coupling, predictor, values["lambda0"] * np.exp(predictor)]]
    readouts = {name: Readout(STATES.index(name)) for name in RECORDABLES}
    return Cells(np.concatenate(state), parameters, drive, 1.0, readouts)


def neuron(
    stimulus1,
    stimulus2,
    stimulus3,
    history1,
    history2,
    history3,
    syn_exc,
    syn_inh,
    kept_stimulus1,
    kept_stimulus2,
    kept_stimulus3,
    per_drive_stimulus1,
    per_drive_stimulus2,
    per_drive_stimulus3,
    kept_history1,
    kept_history2,
    kept_history3,
    a_history1,
    a_history2,
    a_history3,
    kept_exc,
    kept_inh,
    lambda0,
    seconds,
    in_exc,
    in_inh,
    drive,
    chance,
):
    """The filters at the end of the time step, whether chance will have a spike, and what it and the input add."""
    stimulus1 = kept_stimulus1 * stimulus1 + per_drive_stimulus1 * drive
    stimulus2 = kept_stimulus2 * stimulus2 + per_drive_stimulus2 * drive
    stimulus3 = kept_stimulus3 * stimulus3 + per_drive_stimulus3 * drive
    history1, history2, history3 = kept_history1 * history1, kept_history2 * history2, kept_history3 * history3
    syn_exc, syn_inh = kept_exc * syn_exc, kept_inh * syn_inh
    predictor = stimulus1 + stimulus2 + stimulus3 + history1 + history2 + history3 + syn_exc + syn_inh
    rate = lambda0 * exp(predictor)
    fired = chance < 1.0 - exp(-rate * seconds)
    return (
        stimulus1,
        stimulus2,
        stimulus3,
        history1 + a_history1 if fired else history1,
        history2 + a_history2 if fired else history2,
        history3 + a_history3 if fired else history3,
        syn_exc + in_exc,
        syn_inh + in_inh,
        predictor,
        rate,
        fired,
    )


COUPLING = {"syn_exc": "", "syn_inh": ""}
RECORDABLES = {**COUPLING, "predictor": "", "rate": "Hz"}
MODEL = NeuronModel(
    name="GLM_exp",
    parameters={
        "lambda0": "Hz",
        **dict.fromkeys(ARRAYS["tau_stimulus"], "ms"),
        **dict.fromkeys(ARRAYS["a_stimulus"], "1/nA"),
        **dict.fromkeys(ARRAYS["tau_history"], "ms"),
        **dict.fromkeys(ARRAYS["a_history"], ""),
        **{"tau_syn_E": "ms", "tau_syn_I": "ms", "i_offset": "nA"},
    },
    states=COUPLING,
    recordables=RECORDABLES,
    weight_unit="dimensionless",
    above_zero=frozenset({*ARRAYS["tau_stimulus"], *ARRAYS["tau_history"], "tau_syn_E", "tau_syn_I"}),
    not_negative=frozenset({"lambda0"}),
    arrays=ARRAYS,
    defaults={
        **{"lambda0": 10.0, "tau_syn_E": 5.0, "tau_syn_I": 5.0, "i_offset": 0.0, "syn_exc": 0.0, "syn_inh": 0.0},
        **dict(zip(ARRAYS["tau_stimulus"] + ARRAYS["a_stimulus"], (5.0, 20.0, 100.0, 1.0, 0.0, 0.0), strict=True)),
        **dict(zip(ARRAYS["tau_history"] + ARRAYS["a_history"], (2.0, 10.0, 100.0, -5.0, -1.0, 0.0), strict=True)),
    },
    rules={"ideal": Rule(convert, neuron, STATES, PARAMETERS, {"excitatory": 0, "inhibitory": 1})},
)
