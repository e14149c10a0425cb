"""PointNeuron, the neurons that it is made of and the responses of its receptors."""
# ruff: noqa: D101 - classes that PyNN documents keep its words

from __future__ import annotations

from pyNN import errors
from pyNN.parameters import ParameterSpace
from pyNN.standardmodels import StandardCellTypeComponent, StandardPostSynapticResponse, cells, receptors

from evsim.pynn.plain_parameters import PlainParameters
from evsim.pynn.synapses import same_names


class LIF(cells.LIF):
    __doc__ = cells.LIF.__doc__
    translations = same_names(*cells.LIF.default_parameters)


class AdExp(cells.AdExp):
    __doc__ = cells.AdExp.__doc__
    translations = same_names(*cells.AdExp.default_parameters)


class CurrExpPostSynapticResponse(receptors.CurrExpPostSynapticResponse):
    __doc__ = receptors.CurrExpPostSynapticResponse.__doc__
    recordable = ("isyn",)


class CondExpPostSynapticResponse(receptors.CondExpPostSynapticResponse):
    __doc__ = receptors.CondExpPostSynapticResponse.__doc__
    recordable = ("gsyn",)


class CondAlphaPostSynapticResponse(receptors.CondAlphaPostSynapticResponse):
    __doc__ = receptors.CondAlphaPostSynapticResponse.__doc__
    recordable = ("gsyn",)


class CondBetaPostSynapticResponse(receptors.CondBetaPostSynapticResponse):
    __doc__ = receptors.CondBetaPostSynapticResponse.__doc__
    recordable = ("gsyn",)


ExpPSR, AlphaPSR, BetaPSR = CondExpPostSynapticResponse, CondAlphaPostSynapticResponse, CondBetaPostSynapticResponse


class PointNeuron(PlainParameters, cells.PointNeuron):
    """A neuron with receptors of any names and responses.

    Its parameters are those of the neuron, and of each receptor as ``NAME.tau_syn``, ``NAME.e_syn`` and so on.

    Args:
        neuron: ``LIF(...)`` or ``AdExp(...)``.
        post_synaptic_receptors: the response of each receptor: ``CurrExpPostSynapticResponse``, or conductances,
            ``ExpPSR``, ``AlphaPSR`` and ``BetaPSR``; either currents or conductances.

    Raises:
        NoModelAvailableError: no such neuron or response, or currents beside conductances.
    """

    def __init__(
        self, neuron: StandardCellTypeComponent, **post_synaptic_receptors: StandardPostSynapticResponse
    ) -> None:
        _refuse_unknown(neuron, post_synaptic_receptors)
        super().__init__(neuron, **post_synaptic_receptors)
        flat = dict(neuron.parameter_space.items())
        for name, response in post_synaptic_receptors.items():
            flat |= {f"{name}.{key}": value for key, value in response.parameter_space.items() if key != "locations"}
        self.parameter_space = ParameterSpace(flat, dict.fromkeys(flat, float), None)

    @property
    def model_name(self) -> str:
        """The name by which the registry makes its model."""
        parts = [f"{name}={_response(self.post_synaptic_receptors[name])}" for name in self.receptor_types]
        return f"PointNeuron:{','.join([type(self.neuron).__name__, *parts])}"

    @property
    def default_parameters(self) -> dict:
        """Those of its parts."""
        found = dict(self.neuron.default_parameters)
        for name, response in self.post_synaptic_receptors.items():
            found |= {
                f"{name}.{key}": value for key, value in response.default_parameters.items() if key != "locations"
            }
        return found

    @property
    def recordable(self) -> list[str]:
        """Spikes, the states of the neuron, and the conductance or current of each receptor."""
        own = [f"{name}.{x}" for name in self.receptor_types for x in self.post_synaptic_receptors[name].recordable]
        return [*self.neuron.recordable, *own]


def _response(response: StandardPostSynapticResponse) -> str:
    return type(response).__name__.removesuffix("PostSynapticResponse")


def _refuse_unknown(neuron: object, responses: dict) -> None:
    if not isinstance(neuron, LIF | AdExp):
        raise errors.NoModelAvailableError(f"evsim's PointNeuron takes LIF(...) or AdExp(...), not {neuron!r}")
    known = (CurrExpPostSynapticResponse, ExpPSR, AlphaPSR, BetaPSR)
    for name, response in responses.items():
        if not isinstance(response, known):
            listed = ", ".join(kind.__name__ for kind in known)
            raise errors.NoModelAvailableError(f"evsim's PointNeuron takes {listed}, not {response!r} for {name!r}")
    if len({response.conductance_based for response in responses.values()}) > 1:
        raise errors.NoModelAvailableError("evsim's PointNeuron takes currents or conductances, not both")
