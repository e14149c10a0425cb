"""Cell types whose parameters only an instance knows: all are numbers, and evsim's names and units are PyNN's own."""

from __future__ import annotations

from copy import deepcopy

from pyNN.parameters import ParameterSpace


class PlainParameters:
    """What PyNN asks of the parameters of a standard cell type; to be named before PyNN's class.

    Attributes:
        default_parameters: those that may differ between cells.
        parameter_space: their values.
    """

    default_parameters: dict[str, float]
    parameter_space: ParameterSpace

    def get_schema(self) -> dict[str, type]:
        """All are numbers."""
        return dict.fromkeys(self.default_parameters, float)

    def get_parameter_names(self) -> list[str]:
        """Those that may differ between cells."""
        return list(self.default_parameters)

    def get_native_names(self, *names: str) -> tuple[str, ...] | list[str]:
        """evsim's names, which are PyNN's own."""
        return names or self.get_parameter_names()

    @property
    def native_parameters(self) -> ParameterSpace:
        """A copy of its parameters."""
        return deepcopy(self.parameter_space)

    def translate(self, parameters: ParameterSpace, copy: bool = True) -> ParameterSpace:
        """The same parameters: evsim's units are PyNN's own."""
        return deepcopy(parameters) if copy else parameters

    def computed_parameters_include(self, parameter_names) -> bool:
        """None is computed from others."""
        return False
