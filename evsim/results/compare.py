"""Compare what targets did with one network: spikes, voltages, rates, learned weights, a chip's own integers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from evsim.results.align import Segment, SpikeTable, segments
from evsim.results.compare_samples import raw_difference, voltage_difference
from evsim.results.compare_weights import weight_difference
from evsim.results.outcome import Outcome
from evsim.results.pair import Difference, PairResult, PopulationPair
from evsim.results.statistics import bin_steps, correlation, counts


def compare(outcomes: Sequence[Outcome]) -> list[PairResult]:
    """Every pair of outcomes, in their order."""
    tables = [segments(outcome) for outcome in outcomes]
    return [
        compare_pair(outcomes[i], outcomes[j], tables[i], tables[j]) for i, j in combinations(range(len(outcomes)), 2)
    ]


def compare_pair(a: Outcome, b: Outcome, of_a: Sequence[Segment], of_b: Sequence[Segment]) -> PairResult:
    """Two outcomes with their runs on the common time axis."""
    runs = list(_common(of_a, of_b))
    shift = a.chip.rules.spike_label - b.chip.rules.spike_label
    pairs = [(x, y, x.spikes[name], y.spikes[name]) for x, y in runs for name in x.spikes if name in y.spikes]
    if not pairs:
        notes = tuple(_without_data((a, of_a), (b, of_b)))
        return PairResult(a.name, b.name, n_spikes=(n_spikes(of_a), n_spikes(of_b)), label_shift=shift, notes=notes)
    label = a.chip.rules.spike_label
    found = [_first_difference(x, p, q, label) for x, _, p, q in pairs]
    differences = [difference for difference in found if difference is not None]
    first = min(differences, key=lambda d: (d.segment, d.time), default=None)
    populations = _populations(pairs)
    rates = _mean_rates(pairs)
    return PairResult(
        a.name,
        b.name,
        spikes_equal=first is None,
        n_spikes=(n_spikes(of_a), n_spikes(of_b)),
        first_difference=first,
        label_shift=shift,
        voltage=voltage_difference(runs, first),
        raw=raw_difference(runs) if a.chip.rules.name == b.chip.rules.name else None,
        weights=weight_difference(runs),
        rate_difference=None if rates is None else rates[0] - rates[1],
        correlation=_correlation(pairs),
        bin=_width(pairs) * pairs[0][0].timestep,
        populations=populations,
    )


Pairs = Sequence[tuple[Segment, Segment, SpikeTable, SpikeTable]]


def _common(of_a: Sequence[Segment], of_b: Sequence[Segment]) -> Iterable[tuple[Segment, Segment]]:
    by_number = {segment.number: segment for segment in of_b}
    return ((segment, by_number[segment.number]) for segment in of_a if segment.number in by_number)


def _without_data(*sides: tuple[Outcome, Sequence[Segment]]) -> Iterable[str]:
    for outcome, runs in sides:
        if not any(segment.spikes for segment in runs):
            yield f"{outcome.name} returned no spikes" + (f": {outcome.notes[0]}" if outcome.notes else "")


def n_spikes(runs: Sequence[Segment]) -> int | None:
    """The spikes of all neurons; those of the sources where only sources were recorded; None without data."""
    tables = [table for segment in runs for table in segment.spikes.values()]
    counted = [table for table in tables if not table.is_source] or tables
    return sum(len(table.steps) for table in counted) if tables else None


# --- spikes ----------------------------------------------------------------------------------------------------------


def _first_difference(segment: Segment, a: SpikeTable, b: SpikeTable, spike_label: int) -> Difference | None:
    """The earliest (step, neuron) whose number of spikes differs; ``spike_label`` is that of a's rule set."""
    if len(a.steps) == len(b.steps) and np.array_equal(a.steps, b.steps) and np.array_equal(a.neurons, b.neurons):
        return None
    events, sign = np.concatenate([_keys(a), _keys(b)]), np.repeat([1, -1], [len(a.steps), len(b.steps)])
    keys, place = np.unique(events, return_inverse=True)
    surplus = np.bincount(place, sign, len(keys))
    key = int(keys[np.flatnonzero(surplus)[0]])
    step, neuron = divmod(key, a.size)
    time = (step + (0 if a.is_source else spike_label)) * segment.timestep
    return Difference(
        segment.number, time, a.population, neuron, *(int(np.count_nonzero(_keys(table) == key)) for table in (a, b))
    )


def _keys(table: SpikeTable) -> NDArray[np.int64]:
    """One number for each spike, in the order of step and then of neuron."""
    return table.steps * table.size + table.neurons


def _populations(pairs: Pairs) -> tuple[PopulationPair, ...]:
    names = dict.fromkeys(p.population for _, _, p, _ in pairs if not p.is_source)
    width = _width(pairs)
    result = []
    for name in names:
        mine = [pair for pair in pairs if pair[2].population == name]
        n_spikes = sum(len(p.steps) for _, _, p, _ in mine), sum(len(q.steps) for _, _, _, q in mine)
        result.append(PopulationPair(name, n_spikes, _mean_rates(mine), _correlation(mine, width)))
    return tuple(result)


def _mean_rates(pairs: Pairs) -> tuple[float, float] | None:
    """The mean rates (Hz) of the neurons of a and of b; None where no neuron was recorded for any time."""
    neurons = [pair for pair in pairs if not pair[2].is_source]
    cell_time = sum(len(p.cells) * x.duration for x, _, p, _ in neurons)
    if not cell_time:
        return None
    n_a, n_b = sum(len(p.steps) for _, _, p, _ in neurons), sum(len(q.steps) for _, _, _, q in neurons)
    return 1000.0 * n_a / cell_time, 1000.0 * n_b / cell_time


def _width(pairs: Pairs) -> int:
    steps = max(x.steps for x, *_ in pairs)
    cells = sum(len(p.cells) for x, _, p, _ in pairs if x is pairs[0][0])
    return bin_steps(pairs[0][0].timestep, steps, cells)


def _correlation(pairs: Pairs, width: int | None = None) -> float | None:
    neurons = [pair for pair in pairs if not pair[2].is_source]
    if not neurons:
        return None
    width = width or _width(pairs)
    of_a = [counts(p, x.first, x.steps, width).ravel() for x, _, p, _ in neurons]
    of_b = [counts(q, x.first, x.steps, width).ravel() for x, _, _, q in neurons]
    return correlation(np.concatenate(of_a), np.concatenate(of_b))
