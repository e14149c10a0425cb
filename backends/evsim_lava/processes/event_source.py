"""A source of spikes that are known before the run, handed over as events."""

# Lava's builder replaces each LavaPyType by a value of the annotated type; ports and parameters are never None.
# pyright: reportAssignmentType=false, reportOptionalSubscript=false, reportArgumentType=false

from __future__ import annotations

from pathlib import Path

import numpy as np

from evsim_lava.sdk import (
    CPU,
    AbstractProcess,
    LavaPyType,
    LoihiProtocol,
    OutPort,
    PyLoihiProcessModel,
    PyOutPort,
    implements,
    requires,
    tag,
)


class EventSource(AbstractProcess):
    """Emits in time step t, for each cell, the number of its spikes labelled t - 1.

    That is one step late, so that a spike labelled 0 can be sent; the connections behind it are one step shorter.

    Args:
        size: number of cells.
        folder: holds ``0.npy``, ``1.npy``, ..., one for each run: (n + 1, 2) int64, rows of (label, cell) in order of
            label; the first row holds the last label of the window instead.
    """

    def __init__(self, *, size: int, folder: Path) -> None:
        super().__init__(size=size, folder=folder)
        self.s_out = OutPort(shape=(size,))


@implements(proc=EventSource, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyEventSource(PyLoihiProcessModel):
    """Reads a window of events when the time reaches it."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)

    def __init__(self, proc_params) -> None:
        super().__init__(proc_params)
        self._size, self._folder = proc_params["size"], proc_params["folder"]
        self._windows = 0  # read so far
        self._begin = self._end = 0  # labels of the last one
        self._cell = self._first = np.empty(0, np.int64)

    def run_spk(self) -> None:
        """Send this step's spikes."""
        label = self.time_step - 1
        if label == self._end:
            self._read_window()
        first, stop = self._first[label - self._begin : label - self._begin + 2]
        self.s_out.send(np.bincount(self._cell[first:stop], minlength=self._size))  # as int32, by the channel

    def _read_window(self) -> None:
        events = np.load(self._folder / f"{self._windows}.npy")
        self._windows, self._begin, self._end = self._windows + 1, self._end, int(events[0, 0]) + 1
        self._cell = events[1:, 1].copy()
        self._first = np.searchsorted(events[1:, 0], np.arange(self._begin, self._end + 1))
