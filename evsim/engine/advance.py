"""The loop that advances a network: take in what is due, sample, step every population, send what spiked."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from evsim.compile import kernel
from evsim.engine.queue import deliver, deliver_ring, push, push_shifted


class Populations(NamedTuple):
    """One entry for each population of neurons; places are in the flat arrays of ``Memory``.

    Attributes:
        size, n_state, n_parameters, n_inputs: numbers of cells and of rows.
        parameter_width: 1 where every cell has the same parameters, else the size.
        state, parameters, inputs, drive: where the population's rows begin.
        neuron: global number of the first cell.
        model: which of the step functions it runs.
    """

    size: np.ndarray
    n_state: np.ndarray
    n_parameters: np.ndarray
    n_inputs: np.ndarray
    parameter_width: np.ndarray
    state: np.ndarray
    parameters: np.ndarray
    inputs: np.ndarray
    drive: np.ndarray
    neuron: np.ndarray
    model: np.ndarray


class Memory(NamedTuple):
    """The numbers of all populations, flat; ``tally`` is (populations, places)."""

    state: np.ndarray
    parameters: np.ndarray
    inputs: np.ndarray
    drive: np.ndarray
    tally: np.ndarray
    scratch: np.ndarray


class Events(NamedTuple):
    """What comes from outside during a block of steps, each sorted by time.

    Attributes:
        spike_label, spike_neuron: spikes of sources, sent at the start of the step of their label.
        drive_step, drive_place, drive_value: from that step on, ``Memory.drive[place]`` is the value.
    """

    spike_label: np.ndarray
    spike_neuron: np.ndarray
    drive_step: np.ndarray
    drive_place: np.ndarray
    drive_value: np.ndarray


class Samples(NamedTuple):
    """Recorded variables: one entry for each pair of a probe and a state row.

    Attributes:
        place: where the state row begins in ``Memory.state``.
        first_cell, n_cells: the cells, a range of ``cell``.
        interval: steps between samples.
        begin: where the entry's samples begin in ``values``.
        count: samples taken so far in this block.
    """

    place: np.ndarray
    first_cell: np.ndarray
    n_cells: np.ndarray
    interval: np.ndarray
    begin: np.ndarray
    count: np.ndarray
    cell: np.ndarray
    values: np.ndarray


class SpikeBuffer(NamedTuple):
    """Spikes of neurons in a block: label and global number."""

    label: np.ndarray
    neuron: np.ndarray


@kernel
def sample(label, memory, samples):
    """Record the state as that of a time label."""
    for k in range(samples.place.size):
        if label % samples.interval[k]:
            continue
        at = samples.begin[k] + samples.count[k] * samples.n_cells[k]
        for j in range(samples.n_cells[k]):
            samples.values[at + j] = memory.state[samples.place[k] + samples.cell[samples.first_cell[k] + j]]
        samples.count[k] += 1


@kernel
def call_all(functions, populations, memory, spiked, found):
    """Call a step (or receive) function for each population.

    Writes the spikes of population p to ``spiked[neuron[p]:]`` and their number to ``found[p]``.
    """
    for p in range(populations.size.size):
        n = populations.size[p]
        first = populations.neuron[p]
        state_end = populations.state[p] + populations.n_state[p] * n
        width = populations.parameter_width[p]
        parameters_end = populations.parameters[p] + populations.n_parameters[p] * width
        inputs_end = populations.inputs[p] + populations.n_inputs[p] * n
        found[p] = functions[populations.model[p]](
            memory.state[populations.state[p] : state_end].reshape((populations.n_state[p], n)),
            memory.parameters[populations.parameters[p] : parameters_end].reshape((populations.n_parameters[p], width)),
            memory.inputs[populations.inputs[p] : inputs_end].reshape((populations.n_inputs[p], n)),
            memory.drive[populations.drive[p] : populations.drive[p] + n],
            spiked[first : first + n],
            memory.tally[p],
        )


@kernel
def send_sources(until, cursor, events, rows, queue_rows, filled, ring, scratch):
    """Send the spikes of sources that are labelled up to ``until``; returns the cursor and the buckets."""
    while cursor < events.spike_label.size and events.spike_label[cursor] <= until:
        label = events.spike_label[cursor]
        stop = cursor
        while stop < events.spike_label.size and events.spike_label[stop] == label:
            queue_rows = push(rows, queue_rows, filled, events.spike_neuron[stop], label)
            stop += 1
        if scratch.size:
            push_shifted(rows, ring, events.spike_neuron[cursor:stop], label, scratch)
        cursor = stop
    return cursor, queue_rows


@kernel
def send_neurons(label, populations, spiked, found, rows, queue_rows, filled, ring, scratch, buffer, recorded, emitted):
    """Send and record the spikes of one step; returns the buckets and the number of recorded spikes."""
    for p in range(populations.size.size):
        first = populations.neuron[p]
        for j in range(found[p]):
            neuron = first + spiked[first + j]
            queue_rows = push(rows, queue_rows, filled, neuron, label)
            buffer.label[recorded] = label
            buffer.neuron[recorded] = neuron
            recorded += 1
        if scratch.size and found[p]:
            for j in range(found[p]):
                emitted[j] = first + spiked[first + j]
            push_shifted(rows, ring, emitted[: found[p]], label, scratch)
    return queue_rows, recorded


@kernel
def advance(
    first, last, timing, steps, receives, populations, memory, rows, queue_rows, filled, ring, events, samples, buffer
):
    """Run steps ``first`` to ``last - 1``.

    Args:
        timing: (spike_label, input_label, two_phase, received, sampled): the offsets of the rule set, whether it
            samples between receiving and stepping, the number of labels whose input was already received, and the
            number of labels that were already sampled.
        steps, receives: native functions by model.

    Returns:
        the buckets, the number of recorded spikes, the step that comes next (earlier than ``last`` if the spike buffer
        might not hold another step) and the number of labels whose input was received.
    """
    spike_label, input_label, two_phase, received, sampled = timing
    slots = filled.size
    spiked = np.empty(rows.first.size - 1, np.int32)
    found = np.zeros(populations.size.size, np.int64)
    emitted = np.empty(spiked.size, np.int64)
    drive_cursor = np.int64(0)
    source_cursor = np.int64(0)
    recorded = np.int64(0)
    n_neurons = populations.size.sum()
    k = first
    while True:
        source_cursor, queue_rows = send_sources(
            k, source_cursor, events, rows, queue_rows, filled, ring, memory.scratch
        )
        if received <= k and (k < last or two_phase):
            slot = (k + input_label) % slots
            deliver(rows, queue_rows, filled, slot, memory.inputs)
            deliver_ring(ring, slot, memory.inputs)
            if two_phase:
                call_all(receives, populations, memory, spiked, found)
                memory.inputs[:] = 0
            received = k + 1
        if sampled <= k:
            sample(k, memory, samples)
            sampled = k + 1
        if k >= last or recorded + n_neurons > buffer.label.size:
            break
        while drive_cursor < events.drive_step.size and events.drive_step[drive_cursor] <= k:
            memory.drive[events.drive_place[drive_cursor]] = events.drive_value[drive_cursor]
            drive_cursor += 1
        call_all(steps, populations, memory, spiked, found)
        memory.inputs[:] = 0
        queue_rows, recorded = send_neurons(
            k + spike_label,
            populations,
            spiked,
            found,
            rows,
            queue_rows,
            filled,
            ring,
            memory.scratch,
            buffer,
            recorded,
            emitted,
        )
        k += 1
    return queue_rows, recorded, k, received
