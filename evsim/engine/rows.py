"""Synapse memory: the synapses of a source neuron that share a projection and a delay lie side by side, as a row.

A spike puts its rows into the queue at the time when they are due; delivering a row is a walk through two arrays.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from evsim.compile import kernel
from evsim.deploy.chip_network import ChipNetwork


class Rows(NamedTuple):
    """All rows of a network, grouped by source neuron.

    Attributes:
        first: (neurons + 1,) int64; the rows of global neuron g are first[g] to first[g + 1].
        begin, end: (rows,) int64, bounds of the row in ``target`` and ``weight``.
        delay: (rows,) int32, time steps.
        input: (rows,) int64, where the target's input row begins in the flat array of all inputs.
        width: (rows,) int64, length of the target's input row.
        exponent: (rows,) int32, below 0 where the sum of a step's spikes must be shifted to the right.
        group: (rows,) int64, the same for rows of one projection and delay: what one connection object of a chip sums.
        target: (synapses,) int32, cell within the target population.
        weight: (synapses,) number type.
    """

    first: np.ndarray
    begin: np.ndarray
    end: np.ndarray
    delay: np.ndarray
    input: np.ndarray
    width: np.ndarray
    exponent: np.ndarray
    group: np.ndarray
    target: np.ndarray
    weight: np.ndarray


@kernel
def stable_order(keys, n_keys, order):
    """Reorder ``order`` by ``keys[order]``, ascending and stable (a counting sort)."""
    place = np.zeros(n_keys + 1, np.int64)
    for k in range(keys.size):
        place[keys[k] + 1] += 1
    for k in range(n_keys):
        place[k + 1] += place[k]
    result = np.empty_like(order)
    for k in range(order.size):
        item = order[k]
        key = keys[item]
        result[place[key]] = item
        place[key] += 1
    return result


@kernel
def row_starts(source, delay, order):
    """The positions in ``order`` at which the source or the delay changes."""
    starts = np.empty(order.size, np.int64)
    count = 0
    for k in range(order.size):
        here = order[k]
        before = order[k - 1] if k > 0 else here
        if k == 0 or source[here] != source[before] or delay[here] != delay[before]:
            starts[count] = k
            count += 1
    return starts[:count].copy()


def build_rows(chip_network: ChipNetwork, first_neuron: np.ndarray, first_input: np.ndarray) -> Rows:
    """Sort the synapses of a network into rows.

    Args:
        first_neuron: (populations + 1,) global number of each population's first neuron.
        first_input: (populations,) start of each population's inputs in the flat array of all inputs.
    """
    network, number = chip_network.network, chip_network.chip.rules.number
    target = np.empty(network.n_synapses, np.int32)
    weight = np.empty(network.n_synapses, number)
    parts = []
    base = groups = 0
    for projection, chip_projection in zip(network.projections, chip_network.projections, strict=True):
        if not len(projection):
            continue
        order = _order(projection.source, projection.delay, network.populations[projection.pre].size)
        target[base : base + len(order)] = projection.target[order]
        held = chip_projection.weight[order]
        # A shift to the left can be made on each weight; one to the right only on the sum.
        weight[base : base + len(order)] = (
            held << max(chip_projection.exponent, 0) if chip_projection.exponent else held
        )
        starts = row_starts(projection.source, projection.delay, order)
        leading = order[starts]
        width = network.populations[projection.post].size
        count = len(starts)
        delays = projection.delay[leading].astype(np.int64)
        parts.append(
            (
                first_neuron[projection.pre] + projection.source[leading].astype(np.int64),
                base + starts,
                base + np.append(starts[1:], len(order)),
                delays,
                np.full(count, first_input[projection.post] + chip_projection.row * width),
                np.full(count, width),
                np.full(count, min(chip_projection.exponent, 0)),
                groups + delays,
            )
        )
        groups += int(delays.max()) + 1
        base += len(order)
    return _by_neuron(parts, int(first_neuron[-1]), target, weight)


def _order(source: np.ndarray, delay: np.ndarray, n_sources: int) -> np.ndarray:
    """The synapses by source, then by delay, then as they were created."""
    order = np.arange(len(source), dtype=np.int32 if len(source) < 2**31 else np.int64)
    if delay.strides != (0,):
        order = stable_order(delay, int(delay.max()) + 1, order)
    return stable_order(source, n_sources, order)


def _by_neuron(parts: list[tuple], n_neurons: int, target: np.ndarray, weight: np.ndarray) -> Rows:
    columns = [np.concatenate(column) if parts else np.empty(0, np.int64) for column in zip(*parts, strict=True)] or [
        np.empty(0, np.int64)
    ] * 8
    neuron, begin, end, delay, input_, width, exponent, group = columns
    order = np.argsort(neuron, kind="stable")
    first = np.zeros(n_neurons + 1, np.int64)
    np.cumsum(np.bincount(neuron, minlength=n_neurons), out=first[1:])
    return Rows(
        first,
        begin[order].astype(np.int64),
        end[order].astype(np.int64),
        delay[order].astype(np.int32),
        input_[order].astype(np.int64),
        width[order].astype(np.int64),
        exponent[order].astype(np.int32),
        group[order].astype(np.int64),
        target,
        weight,
    )
