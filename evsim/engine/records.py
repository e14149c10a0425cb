"""Recording inside the loop: samples of the state, and the spikes of neurons."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from evsim.compile import inlined


class Samples(NamedTuple):
    """Recorded variables of the cells of one thread: one entry for each probe.

    Attributes:
        interval: steps between samples.
        begin, width: where the probe's samples begin in ``values``, and the cells of a sample (of all threads).
        first: (probes + 1,) the probe's cells of this thread are a range of ``place`` and ``column``.
        place: where a cell's value lies in ``Memory.state``.
        column: where it goes in a sample.
        values: shared by all threads.
    """

    interval: np.ndarray
    begin: np.ndarray
    width: np.ndarray
    first: np.ndarray
    place: np.ndarray
    column: np.ndarray
    values: np.ndarray


class Log(NamedTuple):
    """Spikes of neurons: label and global number (int32); ``count[0]`` of them."""

    label: np.ndarray
    neuron: np.ndarray
    count: np.ndarray


def new_log(room: int) -> Log:
    """An empty log."""
    return Log(np.empty(room, np.int32), np.empty(room, np.int32), np.zeros(1, np.int64))


@inlined
def samples_at(label, samples):
    """Whether anything is recorded of this label."""
    found = False
    for k in range(samples.interval.size):
        found |= label % samples.interval[k] == 0
    return found


@inlined
def sample(label, first_label, state, samples):
    """Record the state as that of a time label; ``first_label`` is the first that this block of steps may record."""
    for k in range(samples.interval.size):
        interval = samples.interval[k]
        if label % interval:
            continue
        number = label // interval - (first_label + interval - 1) // interval
        at = samples.begin[k] + number * samples.width[k]
        for j in range(samples.first[k], samples.first[k + 1]):
            samples.values[at + samples.column[j]] = state[samples.place[j]]


@inlined
def note(log, label, neurons):
    """Add spikes of one label to the log, which must have room for them."""
    used = log.count[0]
    for k in range(neurons.size):
        log.label[used + k] = label
        log.neuron[used + k] = neurons[k]
    log.count[0] = used + neurons.size
