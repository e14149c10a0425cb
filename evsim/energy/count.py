"""Counting what a network did, from its spikes and its synapses alone.

So the counts depend neither on what an engine skips nor on its threads. A spike takes part in as many synaptic events
as its cell has synapses; those that are still under way at the end of a run do not count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from evsim.energy.activity import Activity, PopulationActivity, ProjectionActivity
from evsim.energy.fans import Fans, is_heavy
from evsim.model import PAYLOAD, NeuronModel
from evsim.network import Network, Projection
from evsim.recording import Signal
from evsim.registry import cell_model, is_electrical
from evsim.results.outcome import Outcome, Stretch
from evsim.rulesets import RuleSet
from evsim.sources import Source, is_source, source_of

Part = TypeVar("Part", PopulationActivity, ProjectionActivity)

MEMBRANE = "v"
COUNTED = (MEMBRANE, PAYLOAD)  # what has to be recorded of all neurons for every count to be known
STANDING = ("label", "size", "is_source", "sends", "pre", "post", "synapses", "zero_weights", "multiplies")  # no counts
WINDOW_SPIKES = 1 << 21  # spikes of a source that are drawn at a time
WINDOW_VALUES = 1 << 22  # samples that are compared at a time


@dataclass
class _Cells:
    """The spikes of one population in one run from t = 0.

    Attributes:
        late: labels and cells of those that may still have been under way at its end.
    """

    spikes: NDArray[np.int64]
    late: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = field(default_factory=list)
    known: bool = True


def measure(outcome: Outcome) -> Activity:
    """What the networks of a target did, summed over its runs; those of ``measured`` one after the other."""
    return joined([activity for _, activity in measured(outcome)])


def measured(outcome: Outcome, fans: Fans | None = None) -> list[tuple[Network, Activity]]:
    """Each network that a target ran, as it was at the end, and what it did in all of its runs.

    The script must have been run with ``run_script(record_all_spikes=True, counted=...)``; where ``COUNTED`` was not
    recorded, updates are neither active nor inactive. Networks that differ in their populations or projections, as
    after a second ``setup()``, are told apart.

    Args:
        fans: shared among targets that ran the same networks, so that synapses are counted once.
    """
    segments: dict[int, list[Stretch]] = {}
    for stretch in outcome.stretches:
        segments.setdefault(stretch.segment, []).append(stretch)
    found: dict[tuple, tuple[Network, Activity]] = {}
    fans = fans or Fans()
    for stretches in segments.values():
        network = stretches[-1].network
        activity = _Run(stretches, outcome.chip.rules, fans).activity()
        key = _shape(network)
        found[key] = network, _together(found[key][1], activity) if key in found else activity
    return list(found.values())


def joined(activities: Sequence[Activity]) -> Activity:
    """Activities of different networks as one."""
    return Activity(
        tuple(part for activity in activities for part in activity.populations),
        tuple(part for activity in activities for part in activity.projections),
        float(sum(activity.duration for activity in activities)),
        activities[-1].timestep if activities else 0.0,
    )


def _shape(network: Network) -> tuple:
    populations = tuple((part.label, part.model, part.size) for part in network.populations)
    projections = tuple((part.label, part.pre, part.post, len(part)) for part in network.projections)
    return network.timestep, populations, projections


def _together(one: Activity, other: Activity) -> Activity:
    """What the same network did in two runs."""
    return Activity(
        tuple(map(_added, one.populations, other.populations)),
        tuple(map(_added, one.projections, other.projections)),
        one.duration + other.duration,
        other.timestep,
    )


def _added(one: Part, other: Part) -> Part:
    """Two activities of the same part, in two runs; a count that one of them lacks is not known."""
    summed = {}
    for name, a in vars(one).items():
        b = getattr(other, name)
        if name in STANDING:
            summed[name] = a | b if isinstance(a, bool) else b
        else:
            summed[name] = None if a is None or b is None else a + b
    return type(one)(**summed)


class _Run:
    """One run from t = 0."""

    def __init__(self, stretches: Sequence[Stretch], rules: RuleSet, fans: Fans) -> None:
        self._stretches = stretches
        self._rules = rules
        self._network = stretches[-1].network
        self._end = stretches[-1].start + stretches[-1].steps
        longest = [int(part.synapses.delays.most) for part in self._network.projections if len(part)]
        self._late_from = self._last_due - max(longest, default=0) + 1
        self._cells = list(self._count_cells())
        self._out = fans
        self._graded = self._graded_numbers()

    @property
    def _last_due(self) -> int:
        """The last label whose input a step of this run takes."""
        return self._end - 1 + self._rules.input_label

    def activity(self) -> Activity:
        """What the network did."""
        duration = sum(stretch.steps for stretch in self._stretches) * self._network.timestep
        return Activity(tuple(self.populations()), tuple(self.projections()), duration, self._network.timestep)

    # --- populations -------------------------------------------------------------------------------------------------

    def populations(self) -> Iterator[PopulationActivity]:
        """What each population did."""
        sending = {part.pre for part in self._network.projections if len(part)}
        for index, population in enumerate(self._network.populations):
            counts = [part[index] for part in self._cells if index < len(part)]  # some may have come in mid-run
            steps = sum(stretch.steps for stretch in self._stretches if index < len(stretch.network.populations))
            known = all(part.known for part in counts)
            spikes = sum((part.spikes for part in counts), np.zeros(population.size, np.int64))
            source = is_source(population)
            active, first = (None, None) if source else self._changes(index)
            yield PopulationActivity(
                population.label,
                population.size,
                source,
                steps,
                int(spikes.sum()) if known else None,
                active,
                None if active is None or first is None else active - first + population.size,
                index in sending,
                spikes if known else None,
            )

    def _changes(self, index: int) -> tuple[int | None, int | None]:
        """Neurons and steps that changed the membrane potential, in all and in the first step; None if unknown."""
        mine = [stretch for stretch in self._stretches if index < len(stretch.network.populations)]
        changed, first = 0, 0
        for number, stretch in enumerate(mine):
            signal = _whole(stretch, index, MEMBRANE)
            if signal is None:
                return None, None
            values = signal.values if signal.raw is None else signal.raw
            changed += _changed(values)
            if number == 0:
                first = _changed(values[:2])
        return changed, first

    def _count_cells(self) -> Iterator[list[_Cells]]:
        """The spikes of all populations, stretch by stretch."""
        sources: dict[int, tuple[object, Source]] = {}
        for stretch in self._stretches:
            recorded = {spikes.population: spikes for spikes in stretch.recordings.spikes}
            whole = {probe.population for probe in stretch.network.probes if probe.variable == "spikes"}
            found = []
            for index, population in enumerate(stretch.network.populations):
                cells = _Cells(np.zeros(population.size, np.int64))
                if is_source(population):
                    before, source = sources.get(index, (None, None))
                    if before is not population or source is None:
                        source = source_of(stretch.network, index, stretch.start)
                        if stretch.start:
                            source.spikes(0, stretch.start)  # what was up to now was another one's
                        sources[index] = population, source
                    self._drain(source, stretch, cells)
                elif index in whole and index in recorded:
                    spikes = recorded[index]
                    labels = np.rint(spikes.times / stretch.network.timestep).astype(np.int64)
                    self._take(cells, labels, np.asarray(spikes.neurons, np.int64))
                else:
                    cells.known = False
                found.append(cells)
            yield found

    def _drain(self, source: Source, stretch: Stretch, cells: _Cells) -> None:
        """Take the spikes that a source emits in a stretch, some at a time."""
        window = max(int(WINDOW_SPIKES / max(source.drawn_per_step, 1e-9)), 1)
        first, last = (stretch.start + 1 if stretch.start else 0), stretch.start + stretch.steps
        while first <= last:
            until = min(first + window - 1, last)
            spikes = source.spikes(first, until)
            self._take(cells, spikes.label, spikes.cell)
            first = until + 1

    def _take(self, cells: _Cells, labels: NDArray[np.int64], which: NDArray[np.int64]) -> None:
        cells.spikes += np.bincount(which, minlength=len(cells.spikes))
        late = labels >= self._late_from
        if late.any():
            cells.late.append((labels[late], which[late]))

    # --- projections -------------------------------------------------------------------------------------------------

    def projections(self) -> Iterator[ProjectionActivity]:
        """What the synapses of each projection did."""
        for index, projection in enumerate(self._network.projections):
            events = operations = steps = 0
            # over a gap junction flows a current, and no spike; what synapses were there when is not kept
            known, coupling = projection.structure is None, is_electrical(projection)
            for stretch, cells in zip(self._stretches, self._cells, strict=True):
                if index < len(stretch.network.projections):
                    part = stretch.network.projections[index]
                    steps += stretch.steps
                    if coupling:
                        continue
                    known &= cells[part.pre].known
                    fan, heavy = self._out.of(part, stretch.network)
                    events += int(fan @ cells[part.pre].spikes)
                    operations += int(heavy @ cells[part.pre].spikes)
            late, heavy_late = self._under_way(projection) if known and not coupling else (0, 0)
            learns = projection.learns
            labels = self._network.populations
            yield ProjectionActivity(
                projection.label,
                labels[projection.pre].label,
                labels[projection.post].label,
                len(projection),
                self._out.zeros(projection, self._network),
                events - late if known else None,
                operations - heavy_late if known else None,
                len(projection) * steps,
                projection.pre in self._graded,
                (events - late if known else None) if learns else 0,
            )

    def _under_way(self, projection: Projection) -> tuple[int, int]:
        """Spikes, over synapses, that had not arrived at the end; and those over weights that are not 0."""
        late = [piece for cells in self._cells if projection.pre < len(cells) for piece in cells[projection.pre].late]
        if not late or not len(projection):
            return 0, 0
        labels, cells = (np.concatenate(column) for column in zip(*late, strict=True))
        longest = int(projection.synapses.delays.most)
        size = self._network.populations[projection.pre].size
        # after[c, d]: spikes of cell c that a delay of d steps brings beyond the last label that is taken
        rows, place = np.unique(cells, return_inverse=True)
        shift = np.clip(self._last_due - labels + 1, 0, longest + 1)
        after = np.zeros((len(rows) + 1, longest + 2), np.int64)
        np.add.at(after, (place, shift), 1)
        after = np.cumsum(after, axis=1)
        row = np.full(size, len(rows))
        row[rows] = np.arange(len(rows))
        events = heavy = 0
        for chunk in projection.synapses.chunks():
            count = after[row[chunk.source], chunk.delay]
            events += int(count.sum())
            heavy += int(count[is_heavy(projection, chunk.weight)].sum())
        return events, heavy

    def _graded_numbers(self) -> set[int]:
        """The populations whose spikes carry other numbers than -1, 0 and 1, or numbers that were not recorded."""
        found = set()
        for index, population in enumerate(self._network.populations):
            model = cell_model(population.model)
            rules = model.rules.get(self._rules.name) if isinstance(model, NeuronModel) else None
            if rules is None or not rules.is_graded:
                continue
            signals = [_whole(stretch, index, PAYLOAD) for stretch in self._stretches]
            if not all(signal is not None and np.isin(signal.values, (-1.0, 0.0, 1.0)).all() for signal in signals):
                found.add(index)
        return found


def _whole(stretch: Stretch, index: int, variable: str) -> Signal | None:
    """The samples of all cells of a population in all time steps of a stretch, or None if there are none."""
    size = stretch.network.populations[index].size
    for signal in stretch.recordings.signals:
        whole = len(signal.cells) == size and len(signal.times) == stretch.steps + 1
        if whole and (signal.population, signal.variable) == (index, variable):
            return signal
    return None


def _changed(values: np.ndarray) -> int:
    """How many samples (samples, cells) differ from those before them."""
    rows = max(WINDOW_VALUES // max(values.shape[1], 1), 1)
    starts = range(0, len(values) - 1, rows)
    return sum(int(np.count_nonzero(np.diff(values[at : at + rows + 1], axis=0))) for at in starts)
