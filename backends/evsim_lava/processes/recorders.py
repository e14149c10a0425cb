"""Recorders that write to files from within Lava: reading a Var from outside costs 15 to 20 us an element."""

# Lava's builder replaces each LavaPyType by a value of the annotated type; ports and parameters are never None.
# pyright: reportAssignmentType=false, reportOptionalSubscript=false, reportArgumentType=false

from __future__ import annotations

from pathlib import Path

import numpy as np

from evsim_lava.sdk import (
    CPU,
    AbstractProcess,
    InPort,
    LavaPyType,
    LoihiProtocol,
    PyInPort,
    PyLoihiProcessModel,
    PyRefPort,
    RefPort,
    implements,
    requires,
    tag,
)


class SpikeRecorder(AbstractProcess):
    """Appends (time step, cell) of every spike to a file, as pairs of int64."""

    def __init__(self, *, size: int, path: Path) -> None:
        super().__init__(path=path)
        self.s_in = InPort(shape=(size,))


@implements(proc=SpikeRecorder, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PySpikeRecorder(PyLoihiProcessModel):
    """Writes the spikes of a step at once and without a buffer, so the file is complete whenever Lava pauses."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)

    def __init__(self, proc_params) -> None:
        super().__init__(proc_params)
        self._file = open(proc_params["path"], "ab", buffering=0)  # noqa: SIM115 - lives as long as the process

    def run_spk(self) -> None:
        """Write this step's spikes."""
        cells = np.flatnonzero(self.s_in.recv())
        if len(cells):
            self._file.write(np.stack([np.full(len(cells), self.time_step), cells], axis=1).astype(np.int64).tobytes())


class StateRecorder(AbstractProcess):
    """Appends a state variable of some cells to a file every ``interval`` time steps, as int32.

    Args:
        size: cells of the population; ``cells`` are those recorded.
    """

    def __init__(self, *, size: int, cells: np.ndarray, interval: int, path: Path) -> None:
        super().__init__(cells=cells, interval=interval, path=path)
        self.state = RefPort(shape=(size,))


@implements(proc=StateRecorder, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyStateRecorder(PyLoihiProcessModel):
    """Reads the variable at the end of a time step, after the neurons were updated."""

    state: PyRefPort = LavaPyType(PyRefPort.VEC_DENSE, np.int32)

    def __init__(self, proc_params) -> None:
        super().__init__(proc_params)
        self._cells, self._interval = proc_params["cells"], proc_params["interval"]
        self._file = open(proc_params["path"], "ab", buffering=0)  # noqa: SIM115 - lives as long as the process

    def post_guard(self) -> bool:
        """Whether this step is sampled."""
        return self.time_step % self._interval == 0

    def run_post_mgmt(self) -> None:
        """Write a sample."""
        self._file.write(np.asarray(self.state.read())[self._cells].astype(np.int32).tobytes())


class OutputRecorder(AbstractProcess):
    """Appends what some cells send to a file every ``interval`` time steps, as int32; see ``StateRecorder``."""

    def __init__(self, *, size: int, cells: np.ndarray, interval: int, path: Path) -> None:
        super().__init__(cells=cells, interval=interval, path=path)
        self.s_in = InPort(shape=(size,))


@implements(proc=OutputRecorder, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyOutputRecorder(PyLoihiProcessModel):
    """Takes the output of every step, and writes that of some."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)

    def __init__(self, proc_params) -> None:
        super().__init__(proc_params)
        self._cells, self._interval = proc_params["cells"], proc_params["interval"]
        self._file = open(proc_params["path"], "ab", buffering=0)  # noqa: SIM115 - lives as long as the process

    def run_spk(self) -> None:
        """Write the output, where this step's is wanted."""
        sent = self.s_in.recv()
        if self.time_step % self._interval == 0:
            self._file.write(sent[self._cells].astype(np.int32).tobytes())
