"""What sPyNNaker offers beyond PyNN, under sPyNNaker's names and with its defaults: ``sim.extra_models``.

Source of names, signatures and defaults: ``spynnaker.pyNN.extra_models`` of sPyNNaker 7.4.1.
"""
# ruff: noqa: RUF012 - default_parameters and possible_models are PyNN's names

from __future__ import annotations

from typing import Any

from pyNN.standardmodels import STDPTimingDependence, STDPWeightDependence

from evsim.pynn import cells
from evsim.pynn.group_connectors import AllButMeConnector, OneToOneOffsetConnector
from evsim.pynn.synapses import Neuromodulation, same_names
from evsim.pynn.variable_poisson import SpikeSourcePoissonVariable

# sPyNNaker's name of a cell -> evsim's
CELLS = {
    "IFCurDelta": "IF_curr_delta",
    **{
        name: name
        for name in (
            "IFCurrExpCa2Adaptive",
            "IF_curr_dual_exp",
            "IF_curr_exp_sEMD",
            "IFCurrDeltaCa2Adaptive",
            "IFCurrDeltaFixedProb",
            "IFCondExpStoc",
            "IFTruncDelta",
            "Izhikevich_cond",
            "Izhikevich_cond_dual",
            "StocExp",
            "StocExpStable",
        )
    },
}

# What evsim lacks, and why.
LACKING = {
    "StocSigma": "while one of its neurons is refractory, the firmware of sPyNNaker 7.4.1 leaves out all later ones of "
    "the core; StocExp or StocExpStable may do",
    "WeightChangeable": "its weights are changed by spikes of another population (WeightChanger), which no backend of "
    "evsim's has; change weights between two runs by Projection.set(weight=...)",
    "WeightChanger": "it changes weights of WeightChangeable, which no backend of evsim's has; change weights between "
    "two runs by Projection.set(weight=...)",
}


class SpikeNearestPairRule(STDPTimingDependence):
    """Pairs of a spike of the source with the nearest ones of the target.

    Each spike of the source depresses with the target's latest one before it. It potentiates with the target's first
    one after it, unless it spikes again before that.

    Args:
        tau_plus, tau_minus: time constants of potentiation and depression, ms.
        A_plus, A_minus: their amplitudes, as those of ``SpikePairRule``.
    """

    default_parameters = {"tau_plus": 20.0, "tau_minus": 20.0, "A_plus": 0.01, "A_minus": 0.01}
    translations = same_names(*default_parameters)
    possible_models = {"STDPMechanism"}

    def __init__(
        self, tau_plus: float = 20.0, tau_minus: float = 20.0, A_plus: float = 0.01, A_minus: float = 0.01
    ) -> None:
        super().__init__(tau_plus=tau_plus, tau_minus=tau_minus, A_plus=A_plus, A_minus=A_minus)


class Vogels2011Rule(STDPTimingDependence):
    """Potentiation by pairs in either order, depression by every spike of the source (Vogels et al. 2011).

    PyNN's own ``sim.Vogels2011Rule`` with other parameters: ``eta`` is A_plus, and alpha is 2 * rho * tau.

    Args:
        alpha: the depression, as a part of the amplitude.
        tau: time constant of the traces, ms.
        A_plus: the amplitude, in the unit of the weight.
        A_minus: has no effect; sPyNNaker takes it.
    """

    default_parameters = {"alpha": 0.0, "tau": 20.0, "A_plus": 0.01, "A_minus": 0.01}
    translations = same_names(*default_parameters)
    possible_models = {"STDPMechanism"}

    def __init__(self, alpha: float, tau: float = 20.0, A_plus: float = 0.01, A_minus: float = 0.01) -> None:
        super().__init__(alpha=alpha, tau=tau, A_plus=A_plus, A_minus=A_minus)


class PfisterSpikeTriplet(STDPTimingDependence):
    """Pairs and triplets of spikes (Pfister and Gerstner 2006); goes with ``WeightDependenceAdditiveTriplet``.

    Args:
        tau_plus, tau_minus: time constants of the traces of source and target, ms.
        tau_x, tau_y: those of their slow traces, ms.
        A_plus, A_minus: amplitudes of pairs, as parts of w_max.
    """

    default_parameters = {
        "tau_plus": 16.8,
        "tau_minus": 33.7,
        "tau_x": 101.0,
        "tau_y": 125.0,
        "A_plus": 0.01,
        "A_minus": 0.01,
    }
    translations = same_names(*default_parameters)
    possible_models = {"STDPMechanism"}

    def __init__(
        self, tau_plus: float, tau_minus: float, tau_x: float, tau_y: float, A_plus: float, A_minus: float
    ) -> None:
        super().__init__(
            tau_plus=tau_plus, tau_minus=tau_minus, tau_x=tau_x, tau_y=tau_y, A_plus=A_plus, A_minus=A_minus
        )


class RecurrentRule(STDPTimingDependence):
    """Spikes that fall into windows of random length, which the spikes of the other side open, are counted.

    A spike of the target in a window that one of the source has opened counts 1 up, one of the source in a window of
    the target 1 down. Where the count reaches either threshold, the weight changes, and it begins at 0 again.
    ``evsim_models.recurrent_rule`` has the details.

    Args:
        accumulator_depression: the count at which the weight falls, a whole number of at most -1.
        accumulator_potentiation: that at which it grows, a whole number of at least 1.
        mean_pre_window, mean_post_window: the mean lengths of the windows that spikes of the source and of the target
            open, ms; lengths have an exponential distribution.
        dual_fsm: whether each spike opens a window of its own, the same for all synapses; else each synapse has one
            window at a time, which the next spike that falls into it closes.
        A_plus, A_minus: amplitudes, as those of ``SpikePairRule``.
    """

    default_parameters = {
        "accumulator_depression": -6,
        "accumulator_potentiation": 6,
        "mean_pre_window": 35.0,
        "mean_post_window": 35.0,
        "dual_fsm": True,
        "A_plus": 0.01,
        "A_minus": 0.01,
    }
    translations = same_names(*default_parameters)
    possible_models = {"STDPMechanism"}
    numbers = 4  # three states, and when the target spiked

    def __init__(
        self,
        accumulator_depression: int = -6,
        accumulator_potentiation: int = 6,
        mean_pre_window: float = 35.0,
        mean_post_window: float = 35.0,
        dual_fsm: bool = True,
        A_plus: float = 0.01,
        A_minus: float = 0.01,
    ) -> None:
        super().__init__(
            accumulator_depression=accumulator_depression,
            accumulator_potentiation=accumulator_potentiation,
            mean_pre_window=mean_pre_window,
            mean_post_window=mean_post_window,
            dual_fsm=dual_fsm,
            A_plus=A_plus,
            A_minus=A_minus,
        )


class WeightDependenceAdditiveTriplet(STDPWeightDependence):
    """Changes that do not depend on the weight, for ``PfisterSpikeTriplet``.

    Args:
        w_min, w_max: bounds, in the unit of the weight.
        A3_plus, A3_minus: amplitudes of triplets, as parts of w_max.
    """

    default_parameters = {"w_min": 0.0, "w_max": 1.0, "A3_plus": 0.01, "A3_minus": 0.01}
    translations = same_names(*default_parameters)
    possible_models = {"STDPMechanism"}

    def __init__(self, w_min: float = 0.0, w_max: float = 1.0, A3_plus: float = 0.01, A3_minus: float = 0.01) -> None:
        super().__init__(w_min=w_min, w_max=w_max, A3_plus=A3_plus, A3_minus=A3_minus)


__all__ = [
    *CELLS,
    "AllButMeConnector",
    "Neuromodulation",
    "OneToOneOffsetConnector",
    "PfisterSpikeTriplet",
    "RecurrentRule",
    "SpikeNearestPairRule",
    "SpikeSourcePoissonVariable",
    "Vogels2011Rule",
    "WeightDependenceAdditiveTriplet",
]


def __getattr__(attribute: str) -> Any:
    """The cells, which are made when one is first asked for; says which models there are for one there is not."""
    if attribute in CELLS:
        return cells.cell_types()[CELLS[attribute]]
    if attribute in LACKING:
        raise AttributeError(
            f"evsim has no model of sPyNNaker's extra_models.{attribute}: {LACKING[attribute]}; it has "
            + ", ".join(__all__)
        )
    raise AttributeError(f"sPyNNaker's extra_models have no {attribute!r}; evsim has {', '.join(__all__)} of them")


def __dir__() -> list[str]:
    return sorted({*globals(), *CELLS})
