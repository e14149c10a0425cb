"""Populations that only emit spikes; ``evsim.sources`` draws their trains."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from evsim.errors import Problem
from evsim.model import SourceModel
from evsim.network import Population

PERIOD = {"start": "ms", "duration": "ms"}


def rates_too_high(where: str, population: Population) -> Iterator[Problem]:
    """Cells that would have to spike within their dead time."""
    rate, dead = (population.parameters[name] for name in ("rate", "tau_refrac"))
    rate, dead = (np.broadcast_to(values, population.size) for values in (rate, dead))
    wrong = rate * dead >= 1000.0
    if wrong.any():
        cell = int(np.argmax(wrong))
        yield Problem(
            where,
            f"a rate of {rate[cell]:g} Hz with a tau_refrac of {dead[cell]:g} ms in {np.count_nonzero(wrong)} of "
            f"{population.size} cells",
            f"with that tau_refrac it must be below {1000.0 / dead[cell]:g} Hz",
            "Lower rate or tau_refrac.",
        )


def histograms_differ(where: str, population: Population) -> Iterator[Problem]:
    """Cells that have other numbers of a and b than of bins, or none at all."""
    a, b, tbins = (population.sequences[name] for name in ("a", "b", "tbins"))
    wrong = (a.lengths != tbins.lengths) | (b.lengths != tbins.lengths) | (tbins.lengths == 0)
    if wrong.any():
        cell = int(np.argmax(wrong))
        yield Problem(
            where,
            f"{a.lengths[cell]} values of a, {b.lengths[cell]} of b and {tbins.lengths[cell]} of tbins in cell {cell}",
            "there must be as many of each, and one at least",
            "Give a, b and tbins of one length.",
        )


def rates_differ(where: str, population: Population) -> Iterator[Problem]:
    """Cells that have other numbers of rates than of starts or durations."""
    rates, starts, durations = (population.sequences[name] for name in ("rates", "starts", "durations"))
    wrong = (rates.lengths != starts.lengths) | (rates.lengths != durations.lengths)
    if wrong.any():
        cell = int(np.argmax(wrong))
        yield Problem(
            where,
            f"{rates.lengths[cell]} rates, {starts.lengths[cell]} starts and {durations.lengths[cell]} durations in "
            f"cell {cell}",
            "there must be as many of each",
            "Give rates, starts and durations of one length.",
        )


MODELS = (
    SourceModel("SpikeSourceArray", {"spike_times": "ms"}, draw="given", ordered=("spike_times",)),
    SourceModel(
        "SpikeSourcePoisson", {"rate": "Hz", **PERIOD}, draw="poisson", not_negative=frozenset({"rate", "duration"})
    ),
    SourceModel(
        "SpikeSourcePoissonRefractory",
        {"rate": "Hz", "tau_refrac": "ms", **PERIOD},
        draw="dead time",
        not_negative=frozenset({"rate", "tau_refrac", "duration"}),
        problems=rates_too_high,
    ),
    SourceModel(
        "SpikeSourceGamma",
        {"alpha": "", "beta": "Hz", **PERIOD},
        draw="gamma",
        above_zero=frozenset({"alpha", "beta"}),
        not_negative=frozenset({"duration"}),
    ),
    SourceModel(
        "SpikeSourceInhGamma",
        {"a": "", "b": "s", "tbins": "ms", **PERIOD},
        draw="varying gamma",
        above_zero=frozenset({"a", "b"}),
        not_negative=frozenset({"duration"}),
        problems=histograms_differ,
        sequences=("a", "b", "tbins"),
        ordered=("tbins",),
    ),
    SourceModel(
        "SpikeSourcePoissonVariable",
        {"rates": "Hz", "starts": "ms", "durations": "ms"},
        draw="varying poisson",
        not_negative=frozenset({"rates", "durations"}),
        problems=rates_differ,
        sequences=("rates", "starts", "durations"),
        ordered=("starts",),
    ),
)
