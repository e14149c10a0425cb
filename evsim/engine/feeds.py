"""Noise that a population of Poisson sources sends one to one: counted for each neuron and step, never queued.

A source of several kHz emits a spike or more in every step, so its spikes are not events but a number in each step. It
is drawn when it is due, inside the update of its targets; a draw depends on the source cell and the time label alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from evsim.compile import inlined, kernel
from evsim.deploy.chip_network import ChipNetwork
from evsim.engine.build import stored
from evsim.engine.memory import BLOCK, Layout, aligned
from evsim.poisson.counts import CountTables, count_block, count_tables, step_keys
from evsim.sources import PoissonCounts, Source

VECTOR = 32  # a block's cells are drawn in a multiple of these; no vector is longer


class Feeds(NamedTuple):
    """One entry for each block and source population that feeds it.

    Attributes:
        first: (blocks + 1,) the feeds of block b are first[b] to first[b + 1].
        row: the input row.
        begin, size: which of the block's neurons are fed.
        cell: the source cell of the first of them; even.
        delay: steps.
        from_label, to_label: the labels at which the source may spike, both included.
        key: uint64, of the source.
        table: row of ``tables``.
        weight: (feeds, BLOCK) number type, what a spike adds to each neuron that is fed.
        alike: whether it is the same for all of them.
        tables: of the distributions of the number of spikes in a step.
    """

    first: np.ndarray
    row: np.ndarray
    begin: np.ndarray
    size: np.ndarray
    cell: np.ndarray
    delay: np.ndarray
    from_label: np.ndarray
    to_label: np.ndarray
    key: np.ndarray
    table: np.ndarray
    weight: np.ndarray
    alike: np.ndarray
    tables: CountTables


class Stretch(NamedTuple):
    """A projection of neighbouring cells to as many neighbouring cells, one to one, over one delay."""

    projection: int
    source: int
    target: int
    size: int
    delay: int


def fed(chip_network: ChipNetwork, sources: Mapping[int, Source]) -> list[Stretch]:
    """The projections that are noise to be counted."""
    found = []
    for index, projection in enumerate(chip_network.network.projections):
        counted = isinstance(sources.get(projection.pre), PoissonCounts) and not projection.changes
        if counted and chip_network.projections[index].exponent >= 0:
            found += _stretch(chip_network, index)
    return found


def _stretch(chip_network: ChipNetwork, index: int) -> Iterator[Stretch]:
    projection = chip_network.network.projections[index]
    n, synapses = len(projection), projection.synapses
    if (
        not 0 < n <= chip_network.network.populations[projection.pre].size
        or synapses.delays.least != synapses.delays.most
    ):
        return
    source, target = synapses.source, synapses.target
    order = np.arange(n)
    # even, because two neighbouring cells are drawn together
    if source[0] % 2 or target[0] % 2 or (source != source[0] + order).any() or (target != target[0] + order).any():
        return
    yield Stretch(index, int(source[0]), int(target[0]), n, int(synapses.delays.least))


def feeds_of(
    chip_network: ChipNetwork, layout: Layout, stretches: list[Stretch], sources: Mapping[int, Source], since: int
) -> Feeds:
    """The feeds of every block, for the spikes of the sources from label ``since`` on."""
    number = chip_network.chip.rules.number
    drawn = {pre: source for pre, source in sources.items() if isinstance(source, PoissonCounts)}
    table_of = {pre: row for row, pre in enumerate(drawn)}
    entries = sorted(
        (entry for stretch in stretches for entry in _entries(chip_network, layout, stretch, drawn, table_of, since)),
        key=lambda entry: entry[0],
    )
    block = np.array([entry[0] for entry in entries], np.int64)
    numbers = np.array([entry[1] for entry in entries], np.int64).reshape(-1, 8)
    weight = aligned(np.zeros(len(entries) * BLOCK, number)).reshape(-1, BLOCK)
    for k, (_, _, _, values) in enumerate(entries):
        weight[k, : len(values)] = values
    row, begin, size, cell, delay, from_label, to_label, table = numbers.T.copy()
    return Feeds(
        np.searchsorted(block, np.arange(len(layout.blocks.size) + 1)).astype(np.int64),
        row,
        begin,
        size,
        cell,
        delay,
        from_label,
        to_label,
        np.array([entry[2] for entry in entries], np.uint64),
        table,
        weight,
        np.array([bool((entry[3] == entry[3][0]).all()) for entry in entries], np.bool_),
        count_tables([source.mean for source in drawn.values()]),
    )


def _entries(
    chip_network: ChipNetwork,
    layout: Layout,
    stretch: Stretch,
    drawn: Mapping[int, PoissonCounts],
    table_of: Mapping[int, int],
    since: int,
) -> Iterator[tuple]:
    """Block, numbers, key and weights of the feeds that a projection makes."""
    projection = chip_network.network.projections[stretch.projection]
    held = chip_network.projections[stretch.projection]
    source = drawn[projection.pre]
    weight = stored(held, np.ascontiguousarray(held.synapses.weight))
    first = layout.blocks_of(layout.neurons.index(projection.post)).start
    for place in range(stretch.target // BLOCK, -(-(stretch.target + stretch.size) // BLOCK)):
        begin = max(stretch.target, place * BLOCK)
        end = min(stretch.target + stretch.size, (place + 1) * BLOCK)
        at = begin - stretch.target
        numbers = (
            held.row,
            begin - place * BLOCK,
            end - begin,
            stretch.source + at,
            stretch.delay,
            max(source.first_label, since),
            min(source.last_label, 1 << 62),
            table_of[projection.pre],
        )
        yield first + place, numbers, source.key, weight[at : at + end - begin]


def settle_feed(
    chip_network: ChipNetwork,
    layout: Layout,
    stretch: Stretch,
    sources: Mapping[int, Source],
    labels: tuple[int, int],
    charges: np.ndarray,
) -> None:
    """Add the noise that is under way to the ring of charges (slots, inputs).

    Args:
        labels: the first label whose input is still to come, and the last label at which the sources have spiked.
    """
    due, sent = labels
    projection = chip_network.network.projections[stretch.projection]
    held = chip_network.projections[stretch.projection]
    spikes = sources[projection.pre].spikes(max(due - stretch.delay, 0), sent)
    at = layout.neurons.index(projection.post)
    places = layout.input_places(at, held.row)
    weight = stored(held, np.ascontiguousarray(held.synapses.weight))
    mine = (spikes.cell >= stretch.source) & (spikes.cell < stretch.source + stretch.size)
    cell = spikes.cell[mine] - stretch.source
    slots = (spikes.label[mine] + stretch.delay) % len(charges)
    np.add.at(charges, (slots, places[cell + stretch.target]), weight[cell])


@kernel
def add_counts(counts, weight, into):
    """Add the spikes of each cell, each by the weight of its own."""
    for i in range(into.size):
        into[i] += counts[i] * weight[i]


@kernel
def add_counts_alike(counts, weight, into):
    """Add the spikes of each cell, all by one weight."""
    for i in range(into.size):
        into[i] += counts[i] * weight


@inlined
def add_feed(feeds, feed, label, inputs, hashes, counts):
    """Add the noise that is due at a label to the inputs (rows, n) of a block; returns whether there may be any."""
    sent = label - feeds.delay[feed]
    if sent < feeds.from_label[feed] or sent > feeds.to_label[feed]:
        return False
    size, begin = feeds.size[feed], feeds.begin[feed]
    drawn = counts[: -(-size // VECTOR) * VECTOR]
    key0, key1 = step_keys(feeds.key[feed], sent)
    count_block(feeds.tables, feeds.table[feed], key0, key1, feeds.cell[feed], hashes, drawn)
    into, weight = inputs[feeds.row[feed]][begin : begin + size], feeds.weight[feed]
    if feeds.alike[feed]:
        add_counts_alike(drawn, weight[0], into)
    else:
        add_counts(drawn, weight, into)
    return True
