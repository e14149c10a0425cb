"""Running a chip network: the session behind the reference backend."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from evsim.deploy.chip_network import ChipNetwork
from evsim.deploy.gap_junctions import coupling_projections
from evsim.engine.advance import advance, call_part
from evsim.engine.changes import carry_state, refuse_growth, same_synapses
from evsim.engine.division import WINDOW_MOST, Division, is_divisible
from evsim.engine.drive import DriveChanges, drive_changes
from evsim.engine.electrical_lanes import GapJunctions
from evsim.engine.enqueue import log_steps, queue_spikes
from evsim.engine.exchange import SLACK_MOST, new_exchange
from evsim.engine.held import receive_again, take_back
from evsim.engine.lay_out import count_blocks, lay_out
from evsim.engine.memory import Layout, Memory, addresses
from evsim.engine.off_grid import Listed
from evsim.engine.parts import Kept, address, compile_loop, loop_of, referred
from evsim.engine.places import FULL_CALENDAR, FULL_HISTORY, FULL_LOG
from evsim.engine.profile import Stopwatch
from evsim.engine.recorder import Recorder
from evsim.engine.records import Log, Samples, new_log
from evsim.engine.senders import Senders
from evsim.engine.share import Share, Thread, Timing, new_scratch
from evsim.engine.structural_present import Present
from evsim.engine.threads import Workers
from evsim.engine.traffic import Traffic
from evsim.errors import BackendError
from evsim.model import TALLY_PLACES
from evsim.processes import ALONE, Processes
from evsim.recording import Recordings
from evsim.sources import PoissonCounts, Source

# A block of steps is as long as these bounds allow: source spikes drawn ahead, values sampled, and the time in which
# nobody can interrupt it, a second or two.
BLOCK_SPIKES = 2_000_000
BLOCK_SAMPLES = 8_000_000
BLOCK_UPDATES = 500_000_000
BLOCK_STEPS = 100_000


class Simulation:
    """A network in the engine, from t = 0 on.

    Args:
        chip_network: what ``quantise`` made.
        threads: how many run side by side, at most one for each block of neurons; the results do not depend on it.
        profile: whether to measure where the time goes.
        processes: this one among those that simulate the network, each with so many threads; all of them do the same.
    """

    def __init__(
        self, chip_network: ChipNetwork, threads: int = 1, profile: bool = False, processes: Processes = ALONE
    ) -> None:
        divided = processes.talks and is_divisible(chip_network, processes.count)
        count = processes.count if divided else 1
        # a thread without a block would only be waited for
        parts = max(min(threads * count, count_blocks(chip_network)), 1)
        self._division = Division(processes if divided else ALONE, parts)
        self._threads = len(self._division.threads)
        self._workers = Workers(self._threads)
        self._kept = [Kept() for _ in range(self._threads)]
        processes.served.pop("learn", None)
        if divided:
            processes.served["learn"] = self._share_learned
        self._profile = profile
        self._begin(chip_network)

    def _begin(self, chip_network: ChipNetwork) -> None:
        """Everything at t = 0."""
        self._net = chip_network
        self._rules = chip_network.chip.rules
        self._layout, self._memory = self._lay_out(chip_network)
        self._tally = self._memory.tally
        self._learned: dict[int, NDArray[np.float64]] = {}  # of a divided network: by projection, as long as none runs
        self._stopwatch = Stopwatch(self._threads, self._layout.models)
        self._step = 0
        self._received = 0  # labels whose input the state already holds
        self._sampled = 0  # labels already sampled
        self._change = 0  # drive changes already made
        self._senders = Senders(chip_network.network, self._layout)
        self._traffic = self._load_synapses()
        self._junctions = GapJunctions(chip_network, self._layout, self._owners)
        self._junctions.begin(self._memory, 0)
        self._changes = drive_changes(chip_network, self._layout)
        self._recorder = Recorder(chip_network, self._layout, self._owners)

    @property
    def _is_divided(self) -> bool:
        return self._division.processes.talks

    def _lay_out(self, chip_network: ChipNetwork, before: Layout | None = None) -> tuple[Layout, Memory]:
        layout, memory = lay_out(chip_network, self._division.parts, before)
        if self._is_divided:
            layout = replace(layout, mine=self._division.slices(layout.n_slices))
        return layout, memory

    def _load_synapses(self) -> Traffic:
        """Lay out the synapses, and have spikes exchanged as often as their delays ask for."""
        traffic = Traffic(self._net, self._layout, self._senders, self._division, len(self._memory.inputs), self._step)
        coupling = coupling_projections(self._net.network)
        ahead = traffic.rows.least_delay + self._rules.spike_label - self._rules.input_label
        self._slack = min(ahead, 1 if coupling else WINDOW_MOST if self._is_divided else SLACK_MOST)
        self._exchange = new_exchange(self._flags, self._layout, self._slack, self._step, self._rules.number)
        self._pushed = self._logged = self._step  # steps whose spikes are queued, and recorded
        self._scratch = [new_scratch(self._layout, traffic.rows) for _ in range(self._threads)]
        return traffic

    @property
    def _owners(self) -> list[np.ndarray]:
        return self._division.owners(self._layout.n_slices)

    @property
    def _flags(self) -> int:
        """The threads that are waited for: those of this process, and all other processes as one more."""
        return self._threads + self._is_divided

    def compile(self) -> None:
        """Compile what ``run`` needs, whatever is in the network, and run nothing."""
        share = self._share(0, self._owners[0], self._changes_before(0))
        nothing = np.empty(0, np.int64), np.empty(0, np.int32)
        compile_loop(self._thread(0, share, nothing, self._recorder.block(0)[0], new_log(0)))

    # --- running ---------------------------------------------------------------------------------------------------

    def run(self, steps: int) -> None:
        """Advance by a number of time steps."""
        last = self._step + steps
        self._learned.clear()
        while True:
            self._run_block(self._traffic.off_grid.reach(self._step, min(self._step + self._block_steps(), last)))
            if self._step >= last:
                break
        self._tally = self._memory.tally
        if self._is_divided:
            self._tally = self._tally.copy()
            self._division.merge(self._tally)

    def _block_steps(self) -> int:
        spikes = self._senders.drawn_per_step()
        samples, updates = self._recorder.samples_per_step, int(self._layout.blocks.size.sum())
        shares = (spikes / BLOCK_SPIKES, samples / BLOCK_SAMPLES, updates / BLOCK_UPDATES, 1 / BLOCK_STEPS)
        return max(int(1 / max(shares)), 1)

    def _run_block(self, last: int) -> None:
        if self._exchange.stop[0]:
            raise BackendError("an earlier run() was interrupted, so the network's state is lost; call reset()")
        owners = self._owners
        samples = self._recorder.block(last - self._step + 1)
        events = self._senders.hand_out(last, self._recorder)
        changes = self._changes_before(last)
        log = new_log(max(1 << 14, 4 * int(self._layout.slices.size.sum())))
        threads = [
            self._thread(thread, self._share(thread, owner, changes), events, samples[thread], log)
            for thread, owner in enumerate(owners)
        ]
        listed = self._traffic.off_grid.listed(self._step, last)
        work = [partial(self._run_loop, *each, last) for each in zip(threads, listed, strict=True)]
        if self._is_divided:
            samples[0].values[:] = 0
            self._run_divided(work, last)
            self._division.merge(samples[0].values)
        else:
            self._workers.run(work, self._exchange.stop)
        self._finish_block(last, samples[0], threads[0])

    def _run_divided(self, work: Sequence[Callable[[], None]], last: int) -> None:
        """Run the threads while spikes go to and fro; an error ends all processes, which would wait for ever."""
        spikes = partial(
            self._division.deliver_spikes, self._exchange, self._layout.blocks, (self._step, last), self._slack
        )
        try:
            self._workers.run(work, self._exchange.stop, spikes)
        except BaseException as error:
            self._division.processes.fail(error)
            raise

    def _thread(self, thread: int, share: Share, events: tuple, samples: Samples, log: Log) -> Thread:
        """What a thread works with, from the present step on; ``events`` are labels and sources of spikes."""
        layout = self._layout
        labels, spikes = events
        return Thread(
            np.array([self._step, self._received, self._pushed, 0, 0], np.int64),
            self._timing(),
            share,
            layout.blocks,
            layout.slices,
            self._memory,
            self._traffic.feeds,
            addresses(layout.steps),
            addresses(layout.receives),
            self._traffic.rows,
            self._traffic.calendars[thread],
            self._traffic.charges,
            self._scratch[thread],
            self._exchange,
            labels,
            spikes,
            samples,
            log,
            self._profile,
            self._stopwatch.spent[thread],
            self._stopwatch.work[thread],
        )

    def _run_loop(self, thread: Thread, listed: Listed | None, last: int) -> None:
        """Run a thread up to a step, with longer buffers wherever they are full."""
        at = thread.share.thread
        while True:
            changing, junctions = self._traffic.changing.of_thread(at), self._junctions.threads[at]
            loop = loop_of(thread, self._kept[at], changing, listed, junctions)
            why = advance(loop, last)
            if why == FULL_CALENDAR:
                self._traffic.grow(at)
                thread = thread._replace(calendar=self._traffic.calendars[at])
            elif why == FULL_LOG:
                self._take_log(thread.log)
            elif why == FULL_HISTORY:
                self._traffic.changing.enlarge(at)
            else:
                return

    def _take_log(self, log: Log) -> None:
        """Keep the spikes that were logged, and empty the log."""
        count = int(log.count[0])
        self._recorder.take_spikes(log.label[:count], log.neuron[:count])
        log.count[0] = 0

    def _timing(self) -> Timing:
        rules = self._rules
        return Timing(
            rules.spike_label, rules.input_label, rules.records_received, self._slack, self._sampled, self._logged
        )

    def _share(self, thread: int, owner: np.ndarray, changes: DriveChanges) -> Share:
        mine = owner[self._layout.blocks.slice[changes.block]]
        blocks = np.flatnonzero(owner[self._layout.blocks.slice])
        summed = self._layout.summed[blocks]
        return Share(
            thread,
            self._flags,
            np.concatenate([blocks[summed], blocks[~summed]]),
            int(summed.sum()),
            np.flatnonzero(owner[self._traffic.rows.slice]),
            changes.step[mine],
            changes.place[mine],
            changes.block[mine],
            changes.value[mine],
        )

    def _finish_block(self, last: int, samples: Samples, thread: Thread) -> None:
        """Take note of how far everything is, and keep what was recorded."""
        here, log = referred(thread, self._kept[0]), thread.log
        self._pushed = max(self._pushed, last - self._slack + 1)
        step = max(self._logged, self._pushed)
        while step < last:  # the spikes of the last steps are queued later
            self._take_log(log)
            step = log_steps(here, step, last)
        self._take_log(log)
        self._logged = self._step = last
        self._received = last + 1 if self._rules.records_received else last
        self._recorder.take(samples, self._sampled, last + 1)
        self._recorder.take_rewirings(self._traffic.changing.rewirings())
        self._sampled = last + 1
        self._traffic.changing.refuse_faults()

    def _changes_before(self, last: int) -> DriveChanges:
        stop = int(np.searchsorted(self._changes.step, last))
        chosen = slice(self._change, stop)
        self._change = stop
        return DriveChanges(*(column[chosen] for column in self._changes))

    # --- changing --------------------------------------------------------------------------------------------------

    def update(self, chip_network: ChipNetwork) -> None:
        """Go on with a changed network; raises BackendError where populations or projections came or went."""
        refuse_growth(self._net, chip_network)
        if self._step == self._received == 0:  # nothing has been yet that could be carried over, and rounded twice
            self._begin(chip_network)
            return
        self._learned.clear()
        old, self._net = self._net, chip_network
        old_layout, old_memory = self._layout, self._memory
        self._layout, fresh = self._lay_out(chip_network, old_layout)
        self._memory = fresh._replace(tally=old_memory.tally)
        fresh.inputs[:] = old_memory.inputs
        self._stopwatch.follow(self._layout.models)
        self._senders.follow(chip_network.network, self._layout)
        sources = self._senders.sources
        fresh_sources = self._senders.changed(old.network, self._step)
        concerned = [s for i, fresh in fresh_sources.items() for s in (sources[i], fresh)]
        drawn = any(isinstance(s, PoissonCounts) for s in concerned)
        if drawn or not same_synapses(old, chip_network) or not self._traffic.off_grid.stays(chip_network):
            self._replace_synapses(fresh_sources)
        sources |= fresh_sources
        take_back(old, old_layout, old_memory)
        carry_state(old, self._net, old_layout, old_memory.state, self._memory.state)
        receive_again(old, self._net, self._layout, old_memory.held_inputs, self._memory)
        junctions, self._junctions = self._junctions, GapJunctions(chip_network, self._layout, self._owners)
        self._junctions.carry(junctions, self._memory, self._step)
        self._changes = drive_changes(chip_network, self._layout)
        self._apply_past_changes()
        self._recorder.follow(chip_network, self._layout, self._owners)
        if self._received > self._step:  # the state has its input already, and is sampled as it is when the run goes on
            self._sampled = min(self._sampled, self._step)
            self._recorder.forget_from(self._step)

    def _replace_synapses(self, fresh_sources: dict[int, Source]) -> None:
        """Lay out the new synapses; what is under way keeps the weights of the old ones."""
        self._queue_pending()
        past, sources = self._traffic, dict(self._senders.sources)
        self._senders.sources |= fresh_sources
        self._traffic = self._load_synapses()
        due = self._step + 1 if self._rules.records_received else self._step + self._rules.input_label
        self._traffic.follow(past, sources, due, self._step)

    def _queue_pending(self) -> None:
        """Queue the spikes of the last steps, which a run leaves until they are due."""
        nothing = np.empty(0, np.int64), np.empty(0, np.int32)
        changes, samples = self._changes_before(0), self._recorder.block(0)
        for at, owner in enumerate(self._owners):
            share = self._share(at, owner, changes)
            while True:
                thread = referred(self._thread(at, share, nothing, samples[at], new_log(0)), self._kept[at])
                if call_part(address(queue_spikes, thread), thread, self._step, -1) != FULL_CALENDAR:
                    break
                self._traffic.grow(at)
        self._pushed = self._step

    def _apply_past_changes(self) -> None:
        self._change = int(np.searchsorted(self._changes.step, self._step))
        past = slice(0, self._change)
        self._memory.drive[self._changes.place[past]] = self._changes.value[past]

    def reset(self) -> None:
        """Back to t = 0; recordings are dropped."""
        self._begin(self._net)

    # --- reading ---------------------------------------------------------------------------------------------------

    def recordings(self) -> Recordings:
        """What was recorded since the start, the last reset or the last clear."""
        tally = np.zeros((len(self._layout.neurons), TALLY_PLACES), np.int64)
        np.add.at(tally, self._layout.blocks.population, self._tally)
        recordings = self._recorder.recordings(tally)
        if not self._profile:
            return recordings
        return replace(recordings, profile=self._stopwatch.stages())

    def weights(self, projection: int) -> NDArray[np.float64]:
        """The present weights (n,) of a plastic projection, in the network's order and unit."""
        if not self._is_divided:
            return self._own_weights(projection)
        if not self._learned:
            self._division.processes.meet("learn")
        return self._learned[projection]

    def _share_learned(self) -> None:
        """Put together what all processes have learned; done by all of them as soon as one asks for it."""
        for index, projection in enumerate(self._net.network.projections):
            if projection.plasticity and index not in self._learned:
                own = self._own_weights(index) if len(projection) else np.empty(0)
                targets = projection.synapses.target
                self._learned[index] = self._division.of_own(self._layout, projection.post, targets, own)
                self._division.merge(self._learned[index])

    def _own_weights(self, projection: int) -> NDArray[np.float64]:
        arrivals = []
        if self._rules.is_exact:  # sums of floating point depend on their order
            self._queue_pending()
            arrivals = self._traffic.arrivals(self._step)
        return self._traffic.changing.weights(projection, arrivals, self._step)

    def synapse_states(self, projection: int) -> Mapping[str, NDArray[np.float64]]:
        """The state variables (n,) of a releasing projection, as the latest spikes that have arrived left them."""
        return self._traffic.changing.synapse_states(projection, self._step)

    def synapses(self, projection: int) -> Present:
        """The synapses that a projection has by now whose synapses come and go."""
        return self._traffic.changing.synapses(projection)

    def clear(self) -> None:
        """Forget what was recorded; signals start again with the present sample."""
        self._recorder.clear()
        self._sampled = self._step
