"""Synapse types that come and go while a network runs, under sPyNNaker's names and with its defaults.

Source of names, signatures and defaults: ``spynnaker.pyNN`` of sPyNNaker 7.4.1; what they do is said in
``evsim.structure``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from pyNN import common, errors

from evsim.pynn import simulator
from evsim.pynn.columns import in_steps
from evsim.pynn.signs import sign_of
from evsim.pynn.synapses import StaticSynapse, STDPMechanism
from evsim.structure import LAST, RANDOM, Structure

if TYPE_CHECKING:
    from evsim.pynn.projections import Projection


def _number(of: str, name: str, value: Any, least: float, most: float = math.inf, beyond: bool = False) -> float:
    """A number as a float; raises InvalidParameterValueError unless it is finite and lies there."""
    number = float(value) if isinstance(value, (Real, np.number)) else math.nan
    if math.isfinite(number) and least <= number <= most and not (beyond and number == least):
        return number
    if math.isinf(least):
        wanted = "a finite number"
    elif math.isinf(most):
        wanted = f"a finite number {'above' if beyond else 'of at least'} {least:g}"
    else:
        wanted = f"a number from {least:g} to {most:g}"
    raise errors.InvalidParameterValueError(f"{of}: {name} is {value!r}; it must be {wanted}")


def _whole(of: str, name: str, value: Any, least: int = 1) -> int:
    """A whole number; raises InvalidParameterValueError for any other, and for one below ``least``."""
    if isinstance(value, (Integral, np.integer)) and not isinstance(value, bool) and int(value) >= least:
        return int(value)
    raise errors.InvalidParameterValueError(f"{of}: {name} is {value!r}; it must be a whole number of at least {least}")


class RandomSelection:
    """A partner is any cell of the sources: first a projection is drawn, then one of its source's cells."""

    kind, buffer = RANDOM, 1


class LastNeuronSelection:
    """A partner is a cell that has just spiked, drawn among the spikes that came in the time step before.

    Where none came, those of two, four, ... time steps earlier count, the latest of them, as in sPyNNaker.

    Args:
        spike_buffer_size: how many spikes of a time step can be chosen, in the order of projections and cells.
    """

    kind = LAST

    def __init__(self, spike_buffer_size: int = 64) -> None:
        self.buffer = _whole("LastNeuronSelection", "spike_buffer_size", spike_buffer_size)


class DistanceDependentFormation:
    """A synapse is made with a probability that falls with the distance of its cells, as a Gaussian.

    Cells lie on a grid whose edges meet: cell i at (i div x, i mod y), so a grid that is not square should be (1, n).

    Args:
        grid: (x, y), its sides.
        p_form_forward, p_form_lateral: probability at distance 0, between populations and within one.
        sigma_form_forward, sigma_form_lateral: likewise the width, in the unit of the grid.
    """

    def __init__(
        self,
        grid: Any = (16, 16),
        p_form_forward: float = 0.16,
        sigma_form_forward: float = 2.5,
        p_form_lateral: float = 1.0,
        sigma_form_lateral: float = 1.0,
    ) -> None:
        of = type(self).__name__
        if not isinstance(grid, (Sequence, np.ndarray)) or isinstance(grid, str) or np.shape(grid) != (2,):
            raise errors.InvalidParameterValueError(f"{of}: grid is {grid!r}; it must be two whole numbers")
        sides = (int(side) if isinstance(side, float) and side.is_integer() else side for side in grid)
        x, y = (_whole(of, "grid", side) for side in sides)
        self.numbers: dict[str, Any] = {"grid": (x, y)}
        for name, value in (("p_form_forward", p_form_forward), ("p_form_lateral", p_form_lateral)):
            self.numbers[name] = _number(of, name, value, 0.0, 1.0)
        for name, value in (("sigma_form_forward", sigma_form_forward), ("sigma_form_lateral", sigma_form_lateral)):
            self.numbers[name] = _number(of, name, value, 0.0, beyond=True)


class RandomByWeightElimination:
    """A synapse is removed with one of two probabilities, by its weight.

    Args:
        threshold: the weight from which on a synapse counts as potentiated.
        prob_elim_depressed: of one below it.
        prob_elim_potentiated: of all others.
    """

    def __init__(
        self, threshold: float, prob_elim_depressed: float = 0.0245, prob_elim_potentiated: float = 1.36e-4
    ) -> None:
        of = type(self).__name__
        self.numbers = {
            "threshold": abs(_number(of, "threshold", threshold, -math.inf)),
            "prob_elim_depressed": _number(of, "prob_elim_depressed", prob_elim_depressed, 0.0, 1.0),
            "prob_elim_potentiated": _number(of, "prob_elim_potentiated", prob_elim_potentiated, 0.0, 1.0),
        }


_RULES = {
    "partner_selection": (RandomSelection, LastNeuronSelection),
    "formation": (DistanceDependentFormation,),
    "elimination": (RandomByWeightElimination,),
}


class Mechanism:
    """What both types are given about coming and going."""

    is_structural = True

    def _take(self, rules: tuple, made: tuple, looks: tuple) -> None:
        """Take it over; raises InvalidParameterValueError, or NoModelAvailableError for rules that evsim lacks.

        Args:
            rules: partner_selection, formation and elimination.
            made: weight and delay of synapses that are made.
            looks: f_rew, s_max, with_replacement and seed.
        """
        of = type(self).__name__
        for rule, (name, known) in zip(rules, _RULES.items(), strict=True):
            if not isinstance(rule, known):
                there = " or ".join(each.__name__ for each in known)
                raise errors.NoModelAvailableError(f"{of}: {name} is {rule!r}; evsim has {there}")
        selection, formation, elimination = rules
        f_rew, s_max, with_replacement, seed = looks
        self._rules = {
            **formation.numbers,
            **elimination.numbers,
            "selection": selection.kind,
            "buffer": selection.buffer,
            "f_rew": _number(of, "f_rew", f_rew, 0.0, beyond=True),
            "s_max": _whole(of, "s_max", s_max),
            "with_replacement": bool(with_replacement),
            "seed": None if seed is None else _whole(of, "seed", seed, 0),
        }
        weight, delay = made
        self._weight = abs(_number(of, "initial_weight", weight, -math.inf))
        self._delays = self._range(of, delay)

    @property
    def places(self) -> int:
        """For synapses onto a neuron."""
        return self._rules["s_max"]

    @property
    def longest(self) -> float:
        """The longest delay of a synapse that is made, ms."""
        return self._delays[1]

    @staticmethod
    def _range(of: str, delay: Any) -> tuple[float, float]:
        """The least and the greatest delay (ms)."""
        pair = isinstance(delay, (tuple, list)) and len(delay) == 2
        least, most = (
            _number(of, "initial_delay", each, 0.0, beyond=True) for each in (delay if pair else (delay,) * 2)
        )
        if least > most:
            raise errors.InvalidParameterValueError(
                f"{of}: initial_delay is {delay!r}; the first must be the smaller one"
            )
        return least, most

    def structure(self, projection: Projection) -> Structure:
        """How the synapses of a projection come and go."""
        sign = sign_of(str(projection.receptor_type), projection.post.conductance_based)
        least, most = in_steps(np.array(self._delays), simulator.state.dt)[0].tolist()
        return Structure(**self._rules, initial_weight=sign * self._weight, initial_delay=(int(least), int(most)))


def refuse_parts(projection: Projection) -> None:
    """Raise ConnectionError where such a projection has ends that are not whole populations of points."""
    for end in (projection.pre, projection.post):
        if not isinstance(end, common.Population):
            raise errors.ConnectionError(
                f"projection {projection.label!r}: {type(projection.synapse_type).__name__} connects populations, and "
                f"{end.label!r} is a {type(end).__name__}"
            )
    if projection.sites is not None:
        raise errors.ConnectionError(
            f"projection {projection.label!r}: {type(projection.synapse_type).__name__} connects neurons without "
            "places, by weights of one sign"
        )


class StructuralMechanismStatic(Mechanism, StaticSynapse):
    """Synapses that come and go, of weights that stay what they were when the synapse was made.

    Args:
        partner_selection, formation, elimination: the rules.
        f_rew: how often a place of a neuron of the target is looked at, Hz; with ``s_max`` and ``partner_selection``
            the same for all such projections onto a population, which share the places.
        initial_weight: of synapses that are made; a magnitude.
        initial_delay: of these, ms; or a tuple of two, from the first of which on and below the second it is drawn.
        s_max: the places of a neuron.
        with_replacement: whether a synapse may be made where there is one of the same two cells.
        seed: of what is drawn; None for that of ``setup(rng_seed=...)``.
        weight, delay: of the synapses that the connector makes.
    """

    def __init__(
        self,
        partner_selection,
        formation,
        elimination,
        f_rew: float = 10**4.0,
        initial_weight: float = 0.0,
        initial_delay: Any = 1.0,
        s_max: int = 32,
        with_replacement: bool = True,
        seed: int | None = None,
        weight=0.0,
        delay=None,
    ) -> None:
        self._take(
            (partner_selection, formation, elimination),
            (initial_weight, initial_delay),
            (f_rew, s_max, with_replacement, seed),
        )
        super().__init__(weight=weight, delay=delay)


class StructuralMechanismSTDP(Mechanism, STDPMechanism):
    """Synapses that come and go, and learn by pairs of spikes meanwhile.

    Args:
        partner_selection, formation, elimination, f_rew, initial_weight, initial_delay, s_max, with_replacement, seed:
            as those of ``StructuralMechanismStatic``.
        timing_dependence: SpikePairRule.
        weight_dependence: any of those that this rule can have.
        weight, delay: of the synapses that the connector makes.
    """

    def __init__(
        self,
        partner_selection,
        formation,
        elimination,
        timing_dependence=None,
        weight_dependence=None,
        voltage_dependence=None,
        dendritic_delay_fraction: float = 1.0,
        f_rew: float = 10**4.0,
        initial_weight: float = 0.0,
        initial_delay: Any = 1.0,
        s_max: int = 32,
        with_replacement: bool = True,
        seed: int | None = None,
        weight=0.0,
        delay=None,
        backprop_delay: bool = True,
    ) -> None:
        self._take(
            (partner_selection, formation, elimination),
            (initial_weight, initial_delay),
            (f_rew, s_max, with_replacement, seed),
        )
        if not backprop_delay:
            raise errors.InvalidParameterValueError(
                f"{type(self).__name__}: backprop_delay is {backprop_delay!r}; in evsim spikes of the target reach "
                "a synapse after its delay, so it must be True"
            )
        super().__init__(
            timing_dependence, weight_dependence, voltage_dependence, dendritic_delay_fraction, weight, delay
        )
