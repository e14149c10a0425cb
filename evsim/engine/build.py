"""Sorting a network's synapses into rows: two walks through the chunks, one that counts and one that stores."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from evsim.deploy.chip_network import ChipNetwork, ChipProjection
from evsim.engine.memory import Layout, aligned_room
from evsim.engine.place_synapses import count_sources, even_delay_rows, sort_by_delay, starts_of_rows, store_chunk
from evsim.engine.plastic_lanes import unit_of_weights
from evsim.engine.plastic_words import WEIGHT_BITS, pack, unit_of
from evsim.engine.rows import DOSING, EVEN, MIXED, MODULATED, NUMBERED, PLASTIC, RELEASING, RULED, SUMMED, Rows
from evsim.errors import BackendError
from evsim.network import Projection
from evsim.registry import learning_release
from evsim.rulesets import RuleSet
from evsim.synapses import Chunk

EVEN_MOST = 32  # distinct weights with lanes of their own; projections of further weights get words
ROW_SHORT = 256  # synapses; shorter rows are copied together before they are added
LANE_MOST = (1 << 32) - 1  # synapses of a lane, whose rows begin at 32-bit places


@dataclass(eq=False)
class _Group:
    """The projections whose synapses share lanes, one lane for each slice."""

    kind: int
    row: int
    weight: float
    shift: int
    members: list[int] = field(default_factory=list)


def build_rows(chip_network: ChipNetwork, layout: Layout, without: Sequence[int] = ()) -> Rows:
    """Sort the synapses of a network into rows.

    Args:
        without: indices of projections that are delivered in another way.

    Raises:
        BackendError: a lane would have more synapses than it can number.
    """
    rules = chip_network.chip.rules
    groups = _groups(chip_network, set(without))
    builder = _Builder(chip_network, layout, groups)
    builder.count()
    builder.store()
    return builder.rows(rules)


def _groups(chip_network: ChipNetwork, without: set[int]) -> list[_Group]:
    even: dict[tuple[int, float], _Group] = {}
    mixed: dict[int, _Group] = {}
    summed, plastic, others = [], [], []
    projections = chip_network.network.projections
    dosed = {projection.post for projection in projections if projection.modulation}
    for index, (projection, held) in enumerate(zip(projections, chip_network.projections, strict=True)):
        if index in without or not len(projection) or projection.structure:
            continue
        if learning_release(projection):
            others.append(_Group(RULED, held.row, 0, 0, [index]))
            continue
        if projection.plasticity and projection.post not in dosed:
            plastic.append(_Group(PLASTIC, held.row, 0, 0, [index]))
            continue
        if projection.changes:
            others.append(_Group(_kind(projection), held.row, 0, 0, [index]))
            continue
        spread = held.synapses.weights
        constant = spread.least if spread.least == spread.most else None
        if held.exponent < 0 or chip_network.is_graded(projection.pre):
            summed.append(_Group(SUMMED, held.row, 0, max(-held.exponent, 0), [index]))
        elif constant is not None and len(even) < EVEN_MOST:
            weight = stored(held, np.array([constant]))[0]
            even.setdefault((held.row, weight), _Group(EVEN, held.row, weight, 0)).members.append(index)
        else:
            mixed.setdefault(held.row, _Group(MIXED, held.row, 0, 0)).members.append(index)
    if not chip_network.chip.rules.is_exact:
        for group in (*mixed.values(), *summed, *others):
            spreads = [chip_network.projections[index].synapses.weights for index in group.members]
            largest = max(max(-spread.least, spread.most) for spread in spreads)
            group.weight = unit_of(largest, WEIGHT_BITS - 1)  # a bit is the sign
    return [*even.values(), *mixed.values(), *summed, *plastic, *others]


def _kind(projection: Projection) -> int:
    """The kind of the lanes of synapses that change, but by plasticity alone."""
    if projection.plasticity:
        return MODULATED
    if projection.release:
        return RULED if projection.learns else RELEASING
    return DOSING


def stored(held: ChipProjection, weight: np.ndarray) -> np.ndarray:
    """Weights as they are added; a shift to the left is made on each of them, one to the right only on sums."""
    return held.hold.stored(weight) << held.exponent if held.exponent > 0 else held.hold.stored(weight)


def word_type(rules: RuleSet) -> type:
    """The number type of synaptic words."""
    if not rules.is_exact:
        return np.uint64
    return np.int32 if rules.signed_weights else np.uint32


class _Builder:
    """The arrays of all lanes while they are being filled.

    A group's lanes follow each other, slice by slice; ``cursor[lane, neuron]`` first counts synapses, then is where
    the next one of that neuron goes.
    """

    def __init__(self, chip_network: ChipNetwork, layout: Layout, groups: list[_Group]) -> None:
        self._net, self._layout, self._groups = chip_network, layout, groups
        self._slices = layout.n_slices
        n_lanes = len(groups) * self._slices
        self._neurons = int(layout.first_neuron[-1])
        self._cursor = np.zeros((n_lanes, self._neurons + 1), np.int64)
        self._kind = np.repeat(np.array([group.kind for group in groups], np.int64), self._slices)
        self._places = {
            post: layout.local_places(post)
            for post in {self._projection(index).post for group in groups for index in group.members}
        }

    def _projection(self, index: int) -> Projection:
        return self._net.network.projections[index]

    def count(self) -> None:
        """Count each neuron's synapses in each lane, and from that find the place of each of its rows."""

        def work(group: int, index: int, chunk: Chunk) -> None:
            projection = self._projection(index)
            slice_of, _ = self._places[projection.post]
            lanes = self._cursor[group * self._slices : (group + 1) * self._slices]
            count_sources(chunk.source, chunk.target, slice_of, lanes[:, self._layout.first_neuron[projection.pre] :])

        self._walk(work)
        totals = self._cursor.sum(axis=1)
        if (totals > LANE_MOST).any():
            raise BackendError(
                f"{totals.max()} synapses onto one slice of neurons; at most {LANE_MOST} can be numbered: "
                "run with more threads, so that there are more slices"
            )
        even = self._kind == EVEN
        self._base = np.zeros(len(totals), np.int64)
        for chosen in (even, ~even):
            self._base[chosen] = np.cumsum(totals[chosen]) - totals[chosen]
        self._totals = totals
        starts_of_rows(self._cursor, self._base)

    def store(self) -> None:
        """Put targets and weights into their places."""
        rules = self._net.chip.rules
        even = self._kind == EVEN
        # a little more than there are, so that whole vectors may be read at the end
        self._targets = np.empty(int(self._totals[even].sum()) + 64, np.uint16)
        self._words = aligned_room(int(self._totals[~even].sum()) + 64, word_type(rules))
        self._delays: list[int | np.ndarray] = [self._delay_of(group) for group in self._groups]
        self._delay_base = np.array([self._base[group * self._slices] for group in range(len(self._groups))], np.int64)

        def work(group: int, index: int, chunk: Chunk) -> None:
            projection, held = self._projection(index), self._net.projections[index]
            slice_of, local = self._places[projection.post]
            lanes = self._cursor[group * self._slices : (group + 1) * self._slices]
            cursor = lanes[:, self._layout.first_neuron[projection.pre] :]
            delays = self._delays[group]
            scattered = not isinstance(delays, int)
            delay = np.ascontiguousarray(chunk.delay) if scattered else np.empty(0, np.int32)
            if self._groups[group].kind == EVEN:
                values = np.empty(0, self._words.dtype)
                into = self._targets
            else:
                weight = np.ascontiguousarray(stored(held, chunk.weight))
                if self._groups[group].kind == PLASTIC and not rules.is_exact:
                    values = pack(weight, unit_of_weights(projection))
                else:
                    values = words_of(weight, self._groups[group].weight, self._words.dtype)
                into = self._words
            store_chunk(
                chunk.source,
                chunk.target,
                values,
                delay,
                slice_of,
                local,
                cursor,
                into,
                delays if scattered else np.empty(0, np.uint8),
                self._delay_base[group],
            )

        self._walk(work)

    def _delay_of(self, group: _Group) -> int | np.ndarray:
        """The one delay of a group, or room for one delay for each synapse."""
        constant = {self._projection(index).synapses.constant_delay for index in group.members}
        (first, *others) = constant
        if first is not None and not others:
            return int(first)
        count = sum(len(self._projection(index)) for index in group.members)
        most = max(self._projection(index).synapses.delays.most for index in group.members)
        return np.empty(count, np.uint8 if most < 256 else np.int32)

    def _walk(self, work: Callable[[int, int, Chunk], None]) -> None:
        """Do something with every chunk; those of one source population one after the other, others side by side."""
        by_source: dict[int, list[tuple[int, int]]] = {}
        for group, entry in enumerate(self._groups):
            for index in entry.members:
                by_source.setdefault(self._projection(index).pre, []).append((group, index))

        def through(pairs: list[tuple[int, int]]) -> None:
            for group, index in pairs:
                for chunk in self._net.projections[index].synapses.chunks():
                    work(group, index, self._of_this_process(chunk, self._projection(index).post))

        jobs = sorted(by_source.values(), key=lambda pairs: -sum(len(self._projection(i)) for _, i in pairs))
        with ThreadPoolExecutor(min(len(os.sched_getaffinity(0)), 8)) as pool:
            list(pool.map(through, jobs))

    def _of_this_process(self, chunk: Chunk, post: int) -> Chunk:
        """The synapses onto slices that this process simulates."""
        if self._layout.mine is None:
            return chunk
        slice_of, _ = self._places[post]
        own = self._layout.mine[slice_of[chunk.target]]
        return Chunk(chunk.source[own], chunk.target[own], chunk.weight[own], chunk.delay[own])

    def rows(self, rules: RuleSet) -> Rows:
        """Sort each neuron's synapses by delay, and note where each row begins."""
        # After storing, a neuron's cursor stands where the next neuron's synapses begin.
        parts = [self._lane_rows(lane) for lane in range(len(self._cursor))]
        first = np.zeros((len(parts), self._neurons + 1), np.int64)
        at = 0
        for lane, (counts, begin, _) in enumerate(parts):
            first[lane, 1:] = np.cumsum(counts)
            first[lane] += at
            at += len(begin)
        begin = np.concatenate([part[1] for part in parts] or [np.empty(0, np.uint32)])
        delay = np.concatenate([part[2] for part in parts] or [np.empty(0, np.int32)])
        layout, slices = self._layout, np.tile(np.arange(self._slices), len(self._groups))
        row = np.repeat(np.array([group.row for group in self._groups], np.int64), self._slices)
        n_rows = np.array([max(len(part[1]) - 1, 1) for part in parts], np.int64)
        return Rows(
            slice=slices.astype(np.int64),
            kind=self._kind,
            weight=np.repeat(np.array([group.weight for group in self._groups], rules.number), self._slices),
            shift=np.repeat(np.array([group.shift for group in self._groups], np.int64), self._slices),
            input=(layout.slices.input[slices] + row * layout.slices.size[slices]).astype(np.int64),
            width=layout.slices.size[slices].astype(np.int64),
            base=self._base,
            gathers=(self._totals // n_rows < ROW_SHORT).astype(np.int64),
            projection=np.repeat(
                np.array([g.members[0] if g.kind >= NUMBERED else -1 for g in self._groups], np.int64), self._slices
            ),
            first=first,
            begin=begin,
            delay=delay,
            targets=self._targets,
            words=self._words,
            most_delay=int(delay.max(initial=0)),
            least_delay=self._least_delay(),
        )

    def _least_delay(self) -> int:
        sources = [
            int(self._projection(index).synapses.delays.least)
            for group in self._groups
            for index in group.members
            if self._projection(index).pre in self._layout.neurons
        ]
        return min(sources, default=1 << 30)

    def _lane_rows(self, lane: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows of each neuron, where each row begins (and the last one ends), and the rows' delays."""
        ends = self._cursor[lane] - self._base[lane]
        ends[-1] = self._totals[lane]
        group = lane // self._slices
        delays = self._delays[group]
        if isinstance(delays, int):
            return even_delay_rows(ends[:-1], delays)
        from_ = int(self._base[lane] - self._delay_base[group])
        mine = delays[from_ : from_ + int(self._totals[lane])]
        items = self._targets if self._kind[lane] == EVEN else self._words
        return sort_by_delay(ends[:-1], mine, items[self._base[lane] : self._base[lane] + int(self._totals[lane])])


def words_of(weight: np.ndarray, unit: float, word: np.dtype) -> np.ndarray:
    """Weights in the upper bits of synaptic words, with zeros where the target goes.

    Args:
        unit: of weights in floating point, which are held as the nearest whole number of units.
    """
    if word == np.uint64:
        return (np.rint(weight / unit).astype(np.int64) << 16).view(np.uint64)
    return (weight.astype(np.int64) << 16).astype(word)
