"""Recorded data, from the first target's recordings to Neo."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import quantities as pq
from neo import Block, Event, IrregularlySampledSignal, SpikeTrain
from neo.core.spiketrainlist import SpikeTrainList
from pyNN import errors, recording
from pyNN.recording import Variable

from evsim.errors import EvsimError
from evsim.network import REWIRING
from evsim.pynn import simulator
from evsim.pynn.cell_signals import irregular_signal
from evsim.pynn.data_files import with_start, write_once
from evsim.pynn.invalid import InvalidValueError
from evsim.pynn.locations import Located
from evsim.pynn.presence import on_the_whole
from evsim.pynn.recordables import refuse_unrecordable
from evsim.pynn.rewirings import events_of
from evsim.pynn.segments import part_of

if TYPE_CHECKING:
    from evsim.pynn.sessions import Piece

SPIKES = Variable("spikes", location=None, label=None)
REWIRED = Variable(REWIRING, location=None, label=None)
_SAME_TIME = 1e-9  # ms; far below any time step, far above the rounding of a time that was multiplied


class SpikeTrains(SpikeTrainList):
    """Neo's list of spike trains over one sorted array; the trains are cut out of it when they are asked for.

    Neo's own list looks through all spikes for each train, which takes minutes for a large population.
    """

    def _spiketrains_from_array(self) -> None:
        channels: Any
        channels, times = self.multiplexed
        all_channels: Any = self.all_channel_ids
        annotations: dict[str, Any] = vars(self)["_annotations"]
        begins = np.searchsorted(channels, all_channels, side="left").tolist()
        ends = np.searchsorted(channels, all_channels, side="right").tolist()
        # Neo's constructor takes 0.2 ms, for it parses the names of units; so one train is made, and cut into many.
        whole: Any = SpikeTrain(times, **self._spiketrain_metadata)
        whole.segment = self.segment
        self._items = []
        for place, channel in enumerate(np.asarray(all_channels).tolist()):
            train: Any = np.ndarray.__getitem__(whole, slice(begins[place], ends[place]))
            train.t_start, train.t_stop = whole.t_start.copy(), whole.t_stop.copy()
            train.annotations = {
                "source_population": annotations["source_population"],
                "source_index": int(annotations["source_index"][place]),
                "channel_id": channel,
            }
            self._items.append(train)

    def __reduce__(self):
        # pickled as Neo's own list, so that whoever reads the file does not need evsim
        return SpikeTrainList, (list(self), self.segment)


class Recorder(recording.Recorder):
    """What one population records, and PyNN's view of what was recorded.

    Attributes:
        shown_from: time step from which on data is shown: that of the last ``get_data(clear=True)``, or 0.
        version: another object whenever what is recorded has changed.
    """

    _simulator = simulator

    def __init__(self, population, file=None) -> None:
        super().__init__(population, file)
        self.shown_from = simulator.state.step
        self.version = object()
        self._epoch = simulator.state.epoch
        self._cells: dict[str, np.ndarray] = {}  # the recorded cells by variable; made when first asked for
        self._located = Located(population)

    @property
    def interval(self) -> int:
        """The sampling interval in time steps."""
        return round(self.sampling_interval / simulator.state.dt)

    def recorded_cells(self) -> dict[str, np.ndarray]:
        """Variable -> the indices of the cells of which it is recorded, ascending."""
        if not self._cells:
            for variable, ids in self.recorded.items():
                if ids:
                    name = self._own_name(variable)
                    cells = self.population.id_to_index(list(ids)).astype(np.int32)
                    known = self._cells.get(name)
                    self._cells[name] = np.unique(cells if known is None else np.concatenate([known, cells]))
        return dict(self._cells)

    def _own_name(self, variable: Variable) -> str:
        """The model's name of a variable."""
        if variable.location is not None:
            return self._located.model_name(variable)
        return self.population.own_name(variable.name)

    # --- what to record ----------------------------------------------------------------------------------------------

    def record(self, variables, ids, sampling_interval=None, locations=None) -> None:
        """Add cells to those of which the variables are recorded; ``"all"`` means every variable of the cell type."""
        if isinstance(variables, str):
            variables = [variables]
        if "all" in variables:
            variables = list(self.population.celltype.recordable)
        if locations is None:
            refuse_unrecordable(self.population, variables)
        with simulator.state.whole():
            super().record(variables, ids, sampling_interval, locations)

    def record_exactly(self, cells: Mapping[Variable, Iterable[int]], interval: float | None = None) -> None:
        """Record these variables of the cells with these indices, and nothing else; ``interval`` is in ms."""
        self.recorded.clear()
        for variable, indices in cells.items():
            self.recorded[variable] = {self.population.all_cells[index] for index in indices}
        self._record(SPIKES if interval is None else Variable("", None, None), (), interval)

    def _localize_variables(self, variables, locations):
        if locations is None:
            return super()._localize_variables(variables, None)
        return self._located.variables([variables] if isinstance(variables, str) else list(variables), locations)

    def _check_sampling_interval(self, sampling_interval: float | None) -> None:
        super()._check_sampling_interval(sampling_interval)
        if sampling_interval is not None:
            dt = simulator.state.dt
            steps = sampling_interval / dt
            if not (np.isfinite(steps) and round(steps) >= 1 and abs(steps - round(steps)) < 1e-6):
                raise InvalidValueError(
                    f"population {self.population.label!r}: a sampling interval of {sampling_interval:g} ms; "
                    f"it must be a multiple of the time step of {dt:g} ms"
                )

    def _record(self, variable: Variable, new_ids, sampling_interval: float | None = None) -> None:
        if variable not in (SPIKES, REWIRED) and sampling_interval is not None:
            self.sampling_interval = sampling_interval
        self.version = object()
        self._cells.clear()
        simulator.state.changed()

    def _reset(self) -> None:
        self.sampling_interval = simulator.state.dt
        self.version = object()
        self._cells.clear()
        simulator.state.changed()

    # --- what was recorded -------------------------------------------------------------------------------------------

    def get(self, variables, gather=False, filter_ids=None, clear=False, annotations=None, locations=None):
        """The recorded data as a Neo block; raises NothingToWriteError if nothing has run yet.

        Of several processes each has the data of the cells that are local to it; process 0 has all, if it is gathered.
        """
        with simulator.state.gathered(gather):
            block = self._block(variables, self._local(filter_ids), annotations, clear, locations)
        if clear:
            self.clear()
        return block

    def _local(self, ids):
        """Those of some cells that are on this process; None stands for all."""
        if simulator.state.num_processes == 1:
            return ids
        return [cell for cell in (self.population.all_cells if ids is None else ids) if cell.local]

    def _block(self, variables, filter_ids, annotations, clear, locations) -> Block:
        if not (list(self.cache) or simulator.state.running):
            raise errors.NothingToWriteError(
                f"population {self.population.label!r}: there is no data yet; call run() before"
            )
        names = {variables} if isinstance(variables, str) else set(variables)
        wanted = None if "all" in names else names
        segments = [part_of(segment, wanted, filter_ids) for segment in self.cache]
        if simulator.state.running:
            present: Any = "all" if wanted is None else self._present(list(names), locations)
            segments.append(self._get_current_segment(filter_ids, present, clear))
        block = Block(
            name=self.population.label,
            description=self.population.describe(),
            rec_datetime=segments[0].rec_datetime,
        )
        block.annotate(**self.metadata, **(annotations or {}))
        block.segments = segments
        return block

    def _present(self, names: list[str], locations) -> list[Variable]:
        """The variables of these names; those of all locations, where none is said."""
        found = self._localize_variables(names, locations)
        return found if locations else [*found, *(v for v in self.recorded if v.location and v.name in names)]

    def write(
        self, variables, file=None, gather=False, filter_ids=None, clear=False, annotations=None, locations=None
    ) -> None:
        """Write the recorded data to a file; raises MissingPartError if Neo lacks a package for its format."""

        def data(io: Any) -> Block:
            said = annotations if io is None else with_start(io, annotations)
            return self.get(variables, gather, filter_ids, clear, said, locations)

        write_once(file or self.file, gather, data)

    def count(self, variable, gather=True, filter_ids=None) -> dict[int, int]:
        """The number of spikes of each cell; raises an Exception of PyNN's for anything else than spikes."""
        with simulator.state.gathered(gather):
            return super().count(variable, False, self._local(filter_ids))

    @property
    def metadata(self) -> dict[str, Any]:
        """What is said of the population beside its data."""
        return {**super().metadata, "mpi_processes": simulator.state.processes.count}

    @on_the_whole
    def store_to_cache(self, annotations=None) -> None:
        """Keep the segment that ends with a reset."""
        if self.shown_from < simulator.state.step:  # where something ran since a clear, PyNN would forget it
            self.clear_flag = False
        super().store_to_cache(annotations)
        self.shown_from = 0

    def _clear_simulator(self) -> None:
        self.shown_from = simulator.state.step
        simulator.state.forget_recorded()

    def _get_current_segment(self, filter_ids=None, variables="all", clear=False):
        wanted = set(self.recorded) if variables == "all" else set(variables) & set(self.recorded)
        variables_wanted = wanted - {SPIKES, REWIRED}
        signals: Any = set() if simulator.state.record_sample_times else variables_wanted
        segment = super()._get_current_segment(filter_ids, signals, clear)
        order = [*self.population.celltype.recordable, *self._located.names]  # PyNN goes through a set
        place = {signal.name: order.index(self._shown_as(signal.name)) for signal in segment.analogsignals}
        segment.analogsignals = sorted(segment.analogsignals, key=lambda signal: place[signal.name])
        for signal in segment.analogsignals:
            signal.t_start = self._first_label() * simulator.state.dt * pq.ms
        if simulator.state.record_sample_times:
            segment.irregularlysampledsignals = self._irregular(variables_wanted, filter_ids, order)
        if SPIKES in wanted:
            segment.spiketrains = self._spike_trains(sorted(self.filter_recorded(SPIKES, filter_ids)))
            segment.spiketrains.segment = segment
        if REWIRED in wanted:
            segment.events = self._rewirings()
        return segment

    def _irregular(self, variables: Collection[Any], filter_ids, order: list[str]) -> list[IrregularlySampledSignal]:
        """A signal for each cell, whose times are its own: variable by variable, cell by cell."""
        index = self._index()
        traces = [
            trace
            for piece in self._pieces()
            if piece.start >= self.shown_from
            for trace in piece.recordings[0].traces
            if trace.population == index
        ]
        found = []
        for variable in sorted(variables, key=lambda variable: order.index(self._shown_as(variable.name))):
            ids = sorted(self.filter_recorded(variable, filter_ids))
            name = self._own_name(variable)
            for cell, place in zip(ids, self._indices(ids).tolist(), strict=True):
                parts = [trace for trace in traces if (trace.variable, trace.cell) == (name, place)]
                if parts:
                    found.append(irregular_signal(self.population, variable.name, cell, place, parts))
        return found

    def _rewirings(self) -> list[Event]:
        found = (
            rewirings
            for piece in self._pieces()
            for rewirings in piece.recordings[0].rewirings
            if rewirings.population == self._index()
        )
        return events_of(found, self.shown_from * simulator.state.dt)

    def _shown_as(self, name: str) -> str:
        return name if name in self._located.names else self.population.own_name(name)

    def _spike_trains(self, ids: list) -> SpikeTrains:
        population, indices = self.population, self._indices(ids)
        cells, times = self._spikes(indices)
        from evsim.poisson.events import counting_order  # loads numba, which an import of the API does without

        order = counting_order(cells, population.size)
        return SpikeTrains.from_spike_time_array(
            pq.Quantity(times[order], pq.ms),
            cells[order] + int(population.first_id),
            indices + int(population.first_id),
            t_stop=simulator.state.t * pq.ms,
            t_start=self._recording_start_time,
            source_population=population.label,
            source_index=indices,
        )

    def _spikes(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Cells and times (ms) of the spikes shown now, of some cells, by time.

        The times given to a SpikeSourceArray are recorded as they are, so one may lie a little after the time step in
        which it took effect, and so belongs to the data after a clear.
        """
        now = simulator.state.t
        found = [
            (spikes.neurons[shown], spikes.times[shown])
            for piece in self._pieces()
            for spikes in piece.recordings[0].spikes
            if spikes.population == self._index() and piece.stop >= self.shown_from
            for shown in [self._shown(piece, spikes.times)]
        ]
        cells, times = (
            found[0]
            if len(found) == 1
            else (
                np.concatenate([*(cells for cells, _ in found), np.empty(0, np.int64)]),
                np.concatenate([*(times for _, times in found), np.empty(0)]),
            )
        )
        if len(indices) < self.population.size:
            wanted = np.zeros(self.population.size, bool)
            wanted[indices] = True
            cells, times = cells[wanted[cells]], times[wanted[cells]]
        return cells, np.minimum(times, now)

    def _shown(self, piece: Piece, times: np.ndarray) -> slice:
        """Which spikes of a piece (by time) lie before now and were not shown before the last clear."""
        since = -np.inf if piece.start >= self.shown_from else self.shown_from * simulator.state.dt
        limits = np.array([since, simulator.state.t]) + _SAME_TIME
        return slice(*np.searchsorted(times, limits, side="right").tolist())

    def _local_count(self, variable: Variable, filter_ids) -> dict[int, int]:
        ids = sorted(self.filter_recorded(variable, filter_ids))
        indices = self._indices(ids)
        cells, _ = self._spikes(indices)
        counts = np.bincount(cells, minlength=self.population.size)[indices]
        return dict(zip(map(int, ids), counts.tolist(), strict=True))

    def _get_all_signals(self, variable: Variable, ids: list, clear: bool = False):
        """Samples (samples, cells) from the last clear to now; NaN where a cell was not recorded yet."""
        index, dt, first, every = self._index(), simulator.state.dt, self._first_label(), self.interval
        columns = self._indices(ids)
        samples = max((simulator.state.step - first) // every + 1, 0)
        found = [
            (np.rint(signal.times / dt).astype(np.int64) - first, signal)
            for piece in reversed(self._pieces())  # where two pieces meet, the sample of the earlier one counts
            for signal in piece.recordings[0].signals
            if piece.start >= self.shown_from
            and (signal.population, signal.variable) == (index, self._own_name(variable))
        ]
        if not found or not len(columns):
            return np.empty((0, 0)), None
        rows, signal = found[0]
        if (
            len(found) == 1
            and np.array_equal(rows, every * np.arange(samples))
            and np.array_equal(signal.cells, columns)
        ):
            return signal.values.copy(), None  # the rule, and the data may be large
        values = np.full((samples, len(columns)), np.nan)
        for rows, signal in found:
            on_grid = (rows >= 0) & (rows % every == 0) & (rows < samples * every)
            _, ours, theirs = np.intersect1d(columns, signal.cells, return_indices=True)
            values[np.ix_(rows[on_grid] // every, ours)] = signal.values[np.ix_(on_grid, theirs)]
        return values, None

    def _first_label(self) -> int:
        """The time step of the first sample that is shown."""
        return -(-self.shown_from // self.interval) * self.interval

    def _indices(self, ids: list) -> np.ndarray:
        return self.population.id_to_index(ids) if ids else np.empty(0, int)

    def _pieces(self) -> list[Piece]:
        return simulator.state.pieces()

    def _index(self) -> int:
        """The population's number in the network."""
        if self._epoch != simulator.state.epoch:
            raise EvsimError(
                f"population {self.population.label!r} belongs to a network that a later setup() has replaced; "
                "read its data before"
            )
        return simulator.state.populations.index(self.population)
