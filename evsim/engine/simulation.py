"""Running a chip network: the session behind the reference backend."""

from __future__ import annotations

import warnings

import numpy as np
from numba.core.errors import NumbaExperimentalFeatureWarning

from evsim.deploy.chip_network import ChipNetwork
from evsim.engine.advance import Events, SpikeBuffer, advance
from evsim.engine.drive import drive_changes
from evsim.engine.memory import lay_out
from evsim.engine.queue import Queue, empty_queue, lengthen, settle
from evsim.engine.recorder import Recorder
from evsim.engine.rows import build_rows
from evsim.errors import BackendError
from evsim.network import set_anew
from evsim.recording import Recordings
from evsim.sources import Source, source_of

# A block of steps is as long as these bounds allow: source spikes drawn ahead, and values sampled.
BLOCK_SPIKES = 2_000_000
BLOCK_SAMPLES = 8_000_000
BLOCK_STEPS = 10_000


class Simulation:
    """A network in the engine, from t = 0 on.

    Args:
        chip_network: what ``quantise`` made.
    """

    def __init__(self, chip_network: ChipNetwork) -> None:
        self._load(chip_network)
        self._recorder = Recorder(chip_network, self._layout)

    def _load(self, chip_network: ChipNetwork) -> None:
        """Everything at t = 0."""
        self._net = chip_network
        self._rules = chip_network.chip.rules
        self._layout, self._memory = lay_out(chip_network)
        self._rows = build_rows(chip_network, self._layout.first_neuron, self._layout.first_input)
        self._queue = empty_queue(self._rows, len(self._memory.inputs), self._rules.number)
        self._sources = {i: source_of(chip_network.network, i) for i in self._source_indices()}
        self._changes = drive_changes(chip_network, self._layout)
        self._step = 0
        self._received = 0  # labels whose input the state already holds
        self._sampled = 0  # labels already sampled
        self._source_label = -1  # last label whose source spikes were handed out
        self._change = 0  # drive changes already made

    def _source_indices(self) -> list[int]:
        return [i for i in range(len(self._net.populations)) if i not in self._layout.neurons]

    # --- running ---------------------------------------------------------------------------------------------------

    def run(self, steps: int) -> None:
        """Advance by a number of time steps."""
        last = self._step + steps
        while True:
            block_end = min(self._step + self._block_steps(), last)
            self._run_block(block_end)
            if self._step >= last:
                return

    def _block_steps(self) -> int:
        spikes = sum(source.drawn_per_step for source in self._sources.values())
        per_step = max(spikes / BLOCK_SPIKES, self._recorder.samples_per_step / BLOCK_SAMPLES, 1 / BLOCK_STEPS)
        return max(int(1 / per_step), 1)

    def _run_block(self, last: int) -> None:
        events = self._events(last)
        buffer = self._spike_buffer()
        while True:
            first, sampled = self._step, self._sampled
            samples = self._recorder.block(last - first + 1)
            timing = (
                self._rules.spike_label,
                self._rules.input_label,
                self._rules.records_received,
                self._received,
                self._sampled,
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", NumbaExperimentalFeatureWarning)
                rows, recorded, self._step, self._received = advance(
                    first,
                    last,
                    timing,
                    self._layout.steps,
                    self._layout.receives,
                    self._layout.populations,
                    self._memory,
                    self._rows,
                    self._queue.rows,
                    self._queue.filled,
                    self._queue.ring,
                    events,
                    samples,
                    buffer,
                )
            self._queue = Queue(rows, self._queue.filled, self._queue.ring)
            self._sampled = self._step + 1
            self._recorder.take(samples, sampled)
            self._recorder.take_spikes(buffer.label[:recorded], buffer.neuron[:recorded])
            events = self._rest(events)
            if self._step >= last:
                return

    def _spike_buffer(self) -> SpikeBuffer:
        # Every neuron may spike in every step; a longer buffer only means fewer returns from the loop.
        size = max(4 * int(self._layout.populations.size.sum()), 1 << 16)
        return SpikeBuffer(np.empty(size, np.int64), np.empty(size, np.int64))

    def _events(self, last: int) -> Events:
        label, neuron = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for index, source in self._sources.items():
            spikes = source.spikes(self._source_label + 1, last)
            self._recorder.take_source(index, spikes)
            label.append(spikes.label)
            neuron.append(spikes.cell + self._layout.first_neuron[index])
        self._source_label = last
        labels = np.concatenate(label)
        order = np.argsort(labels, kind="stable")
        return self._with_drive(labels[order], np.concatenate(neuron)[order], last)

    def _with_drive(self, label: np.ndarray, neuron: np.ndarray, last: int) -> Events:
        stop = int(np.searchsorted(self._changes.step, last))
        chosen = slice(self._change, stop)
        self._change = stop
        return Events(
            label, neuron, self._changes.step[chosen], self._changes.place[chosen], self._changes.value[chosen]
        )

    def _rest(self, events: Events) -> Events:
        """The events that the loop did not come to because it returned early."""
        sent = int(np.searchsorted(events.spike_label, self._step, side="right"))
        made = int(np.searchsorted(events.drive_step, self._step))
        return Events(
            events.spike_label[sent:],
            events.spike_neuron[sent:],
            events.drive_step[made:],
            events.drive_place[made:],
            events.drive_value[made:],
        )

    # --- changing --------------------------------------------------------------------------------------------------

    def update(self, chip_network: ChipNetwork) -> None:
        """Go on with a changed network; raises BackendError where populations or projections came or went."""
        old, self._net = self._net, chip_network
        self._refuse_growth(old)
        old_layout, old_memory = self._layout, self._memory
        if not _same_synapses(old, chip_network):
            settled = settle(self._rows, self._queue, len(old_memory.inputs), self._rules.number)
            self._rows = build_rows(chip_network, old_layout.first_neuron, old_layout.first_input)
            self._queue = lengthen(settled, self._rows, self._step, len(old_memory.inputs), self._rules.number)
            self._rescale_charges(old)
        self._layout, fresh = lay_out(chip_network)
        self._memory = fresh._replace(inputs=old_memory.inputs, tally=old_memory.tally)
        self._carry_state(old, old_layout.populations.state, old_memory.state)
        self._renew_sources(old)
        self._changes = drive_changes(chip_network, self._layout)
        self._apply_past_changes()
        self._recorder.follow(chip_network, self._layout)

    def _refuse_growth(self, old: ChipNetwork) -> None:
        def shape(net: ChipNetwork) -> tuple[list, list]:
            return [(p.size, p.model) for p in net.network.populations], [
                (p.pre, p.post) for p in net.network.projections
            ]

        if shape(old) != shape(self._net):
            raise BackendError(
                "populations or projections were added or removed while the network runs; "
                "create them before run(), or call reset() first"
            )

    def _rescale_charges(self, old: ChipNetwork) -> None:
        """Follow a changed scale of weights: what is under way becomes the nearest number of the new one."""
        if not self._queue.ring.any():
            return
        for at, index in enumerate(self._layout.neurons):
            before, now = old.neurons(index), self._net.neurons(index)
            if before.scale is None:
                continue
            size = int(self._layout.populations.size[at])
            for row in range(int(self._layout.populations.n_inputs[at])):
                begin = int(self._layout.populations.inputs[at]) + row * size
                charges = self._queue.ring[:, begin : begin + size]
                charges[:] = _nearest(
                    charges * (now.scale.per_unit(row) / before.scale.per_unit(row)), self._rules.number
                )

    def _carry_state(self, old: ChipNetwork, starts: np.ndarray, state: np.ndarray) -> None:
        """Keep the state, except where an initial value was set anew; follow a changed scale."""
        for at, index in enumerate(self._layout.neurons):
            before, now = old.neurons(index), self._net.neurons(index)
            size = before.cells.state.size
            left = state[starts[at] : starts[at] + size].reshape(before.cells.state.shape)
            kept = left.copy()
            for name, readout in now.cells.readouts.items():
                was = before.cells.readouts[name]
                if not (np.array_equal(was.scale, readout.scale) and np.array_equal(was.offset, readout.offset)):
                    physical = left[was.row] * was.scale + was.offset
                    kept[readout.row] = _nearest((physical - readout.offset) / readout.scale, self._rules.number)
                anew = set_anew(old.network.populations[index], self._net.network.populations[index], name)
                kept[readout.row][anew] = now.cells.state[readout.row][anew]
            self._memory.state[starts[at] : starts[at] + size] = kept.ravel()

    def _renew_sources(self, old: ChipNetwork) -> None:
        for index in self._source_indices():
            if self._net.network.populations[index] is not old.network.populations[index]:
                self._sources[index] = self._from_now(source_of(self._net.network, index, self._step))

    def _from_now(self, source: Source) -> Source:
        source.spikes(0, self._source_label)  # what was due up to now belongs to the past
        return source

    def _apply_past_changes(self) -> None:
        self._change = int(np.searchsorted(self._changes.step, self._step))
        past = slice(0, self._change)
        self._memory.drive[self._changes.place[past]] = self._changes.value[past]

    def reset(self) -> None:
        """Back to t = 0; recordings are dropped."""
        self._load(self._net)
        self._recorder = Recorder(self._net, self._layout)

    # --- reading ---------------------------------------------------------------------------------------------------

    def recordings(self) -> Recordings:
        """What was recorded since the start, the last reset or the last clear."""
        return self._recorder.recordings(self._memory.tally)

    def clear(self) -> None:
        """Forget what was recorded; signals start again with the present sample."""
        self._recorder.clear()
        self._sampled = self._step


def _same_synapses(old: ChipNetwork, new: ChipNetwork) -> bool:
    """Whether both have the same synapses with the same numbers on the chip."""
    return all(
        a is b and (c.row, c.hold, c.exponent) == (d.row, d.hold, d.exponent)
        for a, b, c, d in zip(
            old.network.projections, new.network.projections, old.projections, new.projections, strict=True
        )
    )


def _nearest(values: np.ndarray, number: type) -> np.ndarray:
    """The nearest numbers that a rule set's number type holds; the rules tally those beyond a register's end."""
    if number is np.float64:
        return values
    return np.clip(np.rint(values), np.iinfo(number).min, np.iinfo(number).max)
