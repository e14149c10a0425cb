"""Standard synapse types: those of PyNN's that evsim has a model of."""
# ruff: noqa: D101 - classes that PyNN documents keep its words
# ruff: noqa: RUF012 - parameter_checks, possible_models, ... are PyNN's names

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any

import numpy as np
from pyNN import errors
from pyNN.standardmodels import (
    StandardSynapseType,
    STDPTimingDependence,
    STDPWeightDependence,
    build_translations,
    check_weights,
    synapses,
)

from evsim.model import GAP
from evsim.modulation import PUNISHMENT, REWARD, Modulation
from evsim.network import Plasticity
from evsim.pynn import simulator
from evsim.release import RULES, Release, rule_of
from evsim.structure import Structure
from evsim.synapses import is_constant

Columns = Mapping[str, np.ndarray]
Column = Callable[[str], np.ndarray]


def _check_signs(weights, projection) -> None:
    """PyNN's check of the signs of weights; those that are not finite are reported when the network is built."""
    if projection.takes_magnitudes:
        return
    try:
        check_weights(np.nan_to_num(weights), projection)
    except errors.ConnectionError as error:
        raise errors.ConnectionError(f"projection {projection.label!r}: {error}") from None


def same_names(*names: str) -> dict:
    """PyNN's translations of parameters that keep their names and units."""
    return build_translations(*((name, name) for name in names))


class _Synapse:
    """What evsim asks of a synapse type; here of one whose weights never change, and are released whole."""

    parameter_checks = {"weight": _check_signs}
    receptors: tuple[str, ...] = ()  # those of such synapses, where they are not the cell's; the first is the usual one

    def _get_minimum_delay(self) -> float:
        return simulator.state.default_delay

    def plasticity(self, label: str | None, column: Column) -> Plasticity | None:
        """How the weights of a projection with such synapses change.

        Args:
            label: of the projection.
            column: gives a parameter of every synapse (n,).
        """

    def release(self, column: Column, initial: Columns, times_set: Mapping[str, int]) -> Release | None:
        """Which part of their weights such synapses release.

        Args:
            column: gives a parameter of every synapse (n,).
            initial: state variable -> (n,), of those that were set.
            times_set: as in ``Release``.
        """

    def modulation(self, label: str | None, column: Column) -> Modulation | None:
        """What the dopamine that such synapses give does.

        Args:
            label: of the projection.
            column: gives a parameter of every synapse (n,).
        """

    def structure(self, projection: Any) -> Structure | None:
        """How the synapses of a projection come and go."""

    def refuse(self, label: str | None, name: str, values: np.ndarray) -> None:
        """Raise InvalidParameterValueError where values of a parameter cannot be; those of weights are checked apart.

        Args:
            label: of the projection.
        """


class StaticSynapse(_Synapse, synapses.StaticSynapse):
    __doc__ = synapses.StaticSynapse.__doc__
    translations = same_names("weight", "delay")


def _check_magnitudes(weights, projection) -> None:
    """Raise ConnectionError where the conductance of a gap junction, or an amount of dopamine, is negative."""
    if np.min(np.nan_to_num(weights), initial=0.0) < 0:
        raise errors.ConnectionError(
            f"projection {projection.label!r}: a weight of {type(projection.synapse_type).__name__} is "
            f"{np.min(weights):g}; it must be at least 0"
        )


class ElectricalSynapse(_Synapse, synapses.ElectricalSynapse):
    """A gap junction: a current of weight * (difference of the voltages) flows between its two cells, either way.

    Args:
        weight: the conductance, uS.
    """

    translations = same_names("weight")
    parameter_checks = {"weight": _check_magnitudes}
    receptors = (GAP,)


# --- release ---------------------------------------------------------------------------------------------------------


class ReleasingSynapse(_Synapse):
    """A synapse that releases a part of its weight, by a rule of ``evsim.release``.

    Attributes:
        rule: its name.
        fixed: the parameters of the rule that PyNN's type has not.
    """

    default_parameters: Mapping[str, Any]  # PyNN's
    rule: str
    fixed: dict[str, float] = {}

    def get_native_names(self, *names: str) -> list[str]:
        """evsim's names of parameters and state variables, which are PyNN's own; of all parameters if none is given."""
        return list(names or self.default_parameters)

    def release(self, column: Column, initial: Columns, times_set: Mapping[str, int]) -> Release:
        """By the parameters of each synapse."""
        rule, weight = rule_of(self.rule), column("weight")
        parameters = {
            name: np.broadcast_to(self.fixed[name], len(weight)) if name in self.fixed else column(name)
            for name in rule.parameters
        }
        return Release(self.rule, parameters, dict(initial), times_set)

    def refuse(self, label: str | None, name: str, values: np.ndarray) -> None:
        """Raise InvalidParameterValueError where values of a parameter cannot be."""
        span = rule_of(self.rule).parameters.get(name)
        if span and (fault := span.fault(name, values)):
            raise errors.InvalidParameterValueError(f"projection {label!r}: {'; '.join(fault)}")


class TsodyksMarkramSynapse(ReleasingSynapse, synapses.TsodyksMarkramSynapse):
    __doc__ = synapses.TsodyksMarkramSynapse.__doc__
    translations = same_names("weight", "delay", "U", "tau_rec", "tau_facil")
    rule = "TsodyksMarkram"
    default_initial_values = dict(RULES[rule].initial)


class StochasticTsodyksMarkramSynapse(ReleasingSynapse, synapses.StochasticTsodyksMarkramSynapse):
    __doc__ = synapses.StochasticTsodyksMarkramSynapse.__doc__
    translations = same_names("weight", "delay", "U", "tau_rec", "tau_facil")
    rule, fixed = "MultiQuantal", {"n": 1.0}
    default_initial_values = dict(RULES[rule].initial)


class MultiQuantalSynapse(ReleasingSynapse, synapses.MultiQuantalSynapse):
    """Several release sites, each of which releases its part of the weight or not (Fuhrmann et al. 2002).

    Args:
        U: probability of release of a synapse at rest.
        n: number of release sites.
        tau_rec: time constant of their recovery, ms.
        tau_facil: time constant of facilitation, ms.
    """

    translations = same_names("weight", "delay", "U", "n", "tau_rec", "tau_facil")
    # PyNN takes the type of a parameter from its default, and would cut 2.5 to 2
    default_parameters = synapses.MultiQuantalSynapse.default_parameters | {"n": 1.0}
    rule = "MultiQuantal"
    default_initial_values = dict(RULES[rule].initial)


class SimpleStochasticSynapse(ReleasingSynapse, synapses.SimpleStochasticSynapse):
    __doc__ = synapses.SimpleStochasticSynapse.__doc__
    translations = same_names("weight", "delay", "p")
    rule = "Bernoulli"


# --- plasticity ------------------------------------------------------------------------------------------------------


class STDPMechanism(_Synapse, synapses.STDPMechanism):
    __doc__ = synapses.STDPMechanism.__doc__
    timing_dependence: STDPTimingDependence
    weight_dependence: STDPWeightDependence
    base_translations = same_names("weight", "delay", "dendritic_delay_fraction")

    @property
    def numbers(self) -> int:
        """How many numbers are kept of a synapse in ``ideal``, beside its weight."""
        return getattr(self.timing_dependence, "numbers", 0)

    def _build_translations(self) -> None:
        # PyNN adds those of the rules to the table of the class, where the next mechanism finds them
        self.translations = dict(self.base_translations)
        for rule in (self.timing_dependence, self.weight_dependence):
            self.translations.update(rule.translations)

    def __init__(
        self,
        timing_dependence=None,
        weight_dependence=None,
        voltage_dependence=None,
        dendritic_delay_fraction: float = 1.0,
        weight=0.0,
        delay=None,
    ) -> None:
        if timing_dependence is None or weight_dependence is None or voltage_dependence is not None:
            raise errors.NoModelAvailableError(
                "evsim's STDPMechanism takes a timing_dependence and a weight_dependence, and no voltage_dependence"
            )
        if isinstance(dendritic_delay_fraction, Real) and not 0 <= dendritic_delay_fraction <= 1:
            raise errors.InvalidParameterValueError(
                f"STDPMechanism: dendritic_delay_fraction is {dendritic_delay_fraction!r}; it must be from 0 to 1"
            )
        super().__init__(
            timing_dependence, weight_dependence, voltage_dependence, dendritic_delay_fraction, weight, delay
        )

    def plasticity(self, label: str | None, column: Column) -> Plasticity:
        """How the weights of a projection with such synapses change.

        Args:
            label: of the projection.
            column: gives a parameter of every synapse (n,).

        Raises:
            InvalidParameterValueError: a parameter of the rules differs between synapses.
        """
        rules = (self.timing_dependence, self.weight_dependence)
        names = [name for rule in rules for name in rule.get_parameter_names()]
        values = {name: _one_value(label, name, column(name)) for name in [*names, "dendritic_delay_fraction"]}
        fraction = values.pop("dendritic_delay_fraction")
        if isinstance(self.timing_dependence, Vogels2011Rule):
            values = self.timing_dependence.as_amplitudes(values)
        return Plasticity(type(rules[0]).__name__, type(rules[1]).__name__, values, fraction)


class Neuromodulation(_Synapse, StandardSynapseType):
    """Synapses that give dopamine to their targets, by which all plastic synapses onto these learn; see sPyNNaker's.

    A projection with ``receptor_type="reward"`` raises it, one with ``"punishment"`` lowers it; see
    ``evsim.modulation``. Several projections onto one population must agree on all but the weight and the delay. The
    plastic synapses may have the rules with which sPyNNaker 7.4.1 has it: SpikePairRule, additive or multiplicative, or
    Vogels2011Rule; and AdditivePotentiationMultiplicativeDepression.

    Args:
        weight: by how much a spike raises or lowers the dopamine of its target.
        tau_c, tau_d: time constants of eligibility and of dopamine, ms.
        w_min, w_max: bounds of the weights that learn.
        baseline: the dopamine at which nothing changes, which sPyNNaker lacks.
        delay: ms.
    """

    default_parameters = {
        "weight": 0.0,
        "delay": None,
        "tau_c": 1000.0,
        "tau_d": 200.0,
        "w_min": 0.0,
        "w_max": 1.0,
        "baseline": 0.0,
    }
    translations = same_names(*default_parameters)
    parameter_checks = {"weight": _check_magnitudes}
    receptors = (REWARD, PUNISHMENT)

    def __init__(
        self,
        weight=0.0,
        tau_c: float = 1000.0,
        tau_d: float = 200.0,
        w_min: float = 0.0,
        w_max: float = 1.0,
        baseline: float = 0.0,
        delay=None,
    ) -> None:
        super().__init__(
            weight=weight, delay=delay, tau_c=tau_c, tau_d=tau_d, w_min=w_min, w_max=w_max, baseline=baseline
        )

    def modulation(self, label: str | None, column: Column) -> Modulation:
        """What the dopamine does; raises InvalidParameterValueError where synapses differ in it."""
        names = ("tau_c", "tau_d", "w_min", "w_max", "baseline")
        if not len(column("weight")):  # those of the type itself, which no synapse has
            return Modulation(**{name: float(self.parameter_space[name].base_value) for name in names})
        return Modulation(**{name: _one_value(label, name, column(name)) for name in names})


def _one_value(label: str | None, name: str, column: np.ndarray) -> float:
    if not len(column):
        return np.nan
    if not is_constant(column) and (column != column[0]).any():
        raise errors.InvalidParameterValueError(
            f"projection {label!r}: {name} differs between synapses; evsim takes one value for a projection"
        )
    return float(column[0])


class SpikePairRule(synapses.SpikePairRule):
    __doc__ = synapses.SpikePairRule.__doc__
    translations = same_names("tau_plus", "tau_minus", "A_plus", "A_minus")
    possible_models = {"STDPMechanism"}


class Vogels2011Rule(synapses.Vogels2011Rule):
    """Pairs in either order potentiate, and every spike of the source depresses (Vogels et al. 2011).

    The weight changes by ``eta`` times the trace of the other side's spikes at each spike, all of which count, and by
    ``-eta * alpha`` at each spike of the source, with alpha = 2 * rho * tau.

    Args:
        tau: time constant of both traces, ms.
        eta: learning rate, in the unit of the weight.
        rho: the rate of the target at which changes cancel out, Hz.
    """

    translations = same_names("tau", "eta", "rho")
    possible_models = {"STDPMechanism"}

    @staticmethod
    def as_amplitudes(given: dict[str, float]) -> dict[str, float]:
        """The parameters of a mechanism, with those of this rule as sPyNNaker's rule of that name has them."""
        rest = {name: value for name, value in given.items() if name not in ("eta", "rho")}
        return {**rest, "alpha": 2 * given["rho"] / 1000 * given["tau"], "A_plus": given["eta"]}


class AdditiveWeightDependence(synapses.AdditiveWeightDependence):
    __doc__ = synapses.AdditiveWeightDependence.__doc__
    translations = same_names("w_min", "w_max")
    possible_models = {"STDPMechanism"}


class MultiplicativeWeightDependence(synapses.MultiplicativeWeightDependence):
    __doc__ = synapses.MultiplicativeWeightDependence.__doc__
    translations = same_names("w_min", "w_max")
    possible_models = {"STDPMechanism"}


class AdditivePotentiationMultiplicativeDepression(synapses.AdditivePotentiationMultiplicativeDepression):
    __doc__ = synapses.AdditivePotentiationMultiplicativeDepression.__doc__
    translations = same_names("w_min", "w_max")
    possible_models = {"STDPMechanism"}


class GutigWeightDependence(synapses.GutigWeightDependence):
    __doc__ = synapses.GutigWeightDependence.__doc__
    translations = same_names("w_min", "w_max", "mu_plus", "mu_minus")
    possible_models = {"STDPMechanism"}
