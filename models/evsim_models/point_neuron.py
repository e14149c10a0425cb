"""PointNeuron: a membrane with receptors of the user's choice, as PyNN composes them.

Such a cell has no name of its own. It is called after its parts, for example
``PointNeuron:AdExp,AMPA=CondExp,GABA=CondAlpha``, and that name makes it.
"""

from __future__ import annotations

from functools import cache

from evsim.errors import UnknownNameError
from evsim.model import NeuronModel, Rule
from evsim_models import eif_isfa_ista, if_cond_alpha, linear_currents
from evsim_models.composed import composed
from evsim_models.receptors import Receptor

FAMILY = "PointNeuron"
EXAMPLE = f"{FAMILY}:LIF,excitatory=CondExp,inhibitory=CondExp"
LIF = {
    **{"cm": "nF", "tau_refrac": "ms", "v_reset": "mV", "v_rest": "mV", "tau_m": "ms", "i_offset": "nA"},
    "v_thresh": "mV",
}
# neuron -> its membrane, parameters, states, and the parameters that must be above 0 or at least 0
NEURONS = {
    "LIF": (if_cond_alpha.MEMBRANE, LIF, {"v": "mV"}, {"cm", "tau_m"}, {"tau_refrac"}),
    "AdExp": (
        eif_isfa_ista.MEMBRANE,
        eif_isfa_ista.OWN_PARAMETERS,
        {"v": "mV", "w": "nA"},
        {"cm", "tau_m", "tau_w"},
        {"tau_refrac", "delta_T"},
    ),
}
# response -> the unit of a weight, its variable, its time constants, and whether it rises
RESPONSES = {
    "CurrExp": ("nA", "isyn", ("tau_syn",), False),
    "CondExp": ("uS", "gsyn", ("tau_syn",), False),
    "CondAlpha": ("uS", "gsyn", ("tau_syn",), True),
    "CondBeta": ("uS", "gsyn", ("tau_decay", "tau_rise"), True),
}


@cache
def point_neuron(name: str) -> NeuronModel:
    """The cell of such a name; raises UnknownNameError if a part has another one than those that there are."""
    neuron, *parts = name.partition(":")[2].split(",")
    if neuron not in NEURONS:
        raise UnknownNameError(f"neuron of {FAMILY}", neuron, NEURONS)
    membrane, parameters, states, above_zero, not_negative = NEURONS[neuron]
    receptors = [_receptor(k, part) for k, part in enumerate(parts)]
    units = {
        receptor.name: RESPONSES[part.partition("=")[2]][0] for receptor, part in zip(receptors, parts, strict=True)
    }
    taus = {tau: "ms" for receptor in receptors for tau in receptor.taus}
    reversals = {receptor.reversal: "mV" for receptor in receptors if receptor.reversal}
    variables = {receptor.variable: units[receptor.name] for receptor in receptors}
    currents = neuron == "LIF" and not reversals
    rule: Rule = linear_currents.rule(receptors) if currents else composed(membrane, receptors)
    return NeuronModel(
        name=name,
        parameters={**parameters, **taus, **reversals},
        states={**states, **variables},
        recordables={**states, **variables},
        weight_unit="uS" if reversals else "nA",
        rules={"ideal": rule},
        receptors=tuple(receptor.name for receptor in receptors),
        above_zero=frozenset(above_zero | taus.keys()),
        not_negative=frozenset(not_negative),
    )


def _receptor(number: int, part: str) -> Receptor:
    name, _, response = part.partition("=")
    if response not in RESPONSES:
        raise UnknownNameError(f"response of {FAMILY}'s receptor {name}", response, RESPONSES)
    unit, variable, taus, rises = RESPONSES[response]
    reversal = f"{name}.e_syn" if unit == "uS" else None
    return Receptor(name, f"r{number}", f"{name}.{variable}", tuple(f"{name}.{tau}" for tau in taus), reversal, rises)
