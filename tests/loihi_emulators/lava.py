"""Lava's own processes on registers, in a child process."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from evsim.worker import WorkerOptions, WorkerSession
from loihi_emulators.registers import Registers, Result, Synapses

CONNECTIONS = ("Dense", "Sparse", "DelayDense", "DelaySparse")


def lava(jobs: Sequence[tuple[Registers, str]], timeout: float = 200.0) -> list[Result]:
    """By Lava's stock processes, one job after another in a child process.

    Args:
        jobs: registers, and which of ``CONNECTIONS`` is to hold the synapses. The first two have no delays: a spike is
            felt in the next time step.
        timeout: s, of all jobs; Lava waits for ever for a process that failed.

    Raises:
        BackendError: with the traceback of a Lava process that failed.
    """
    options = WorkerOptions("Lava", timeout=timeout, environment={"OMP_NUM_THREADS": "1"})
    with tempfile.TemporaryDirectory() as place:
        folders = [Path(place) / str(k) for k in range(len(jobs))]
        session = WorkerSession(f"{__name__}:StockLava", (jobs, folders), options)
        try:
            session.run(0)
        finally:
            session.close()
        return [_read(registers, folder) for (registers, _), folder in zip(jobs, folders, strict=True)]


def _read(registers: Registers, folder: Path) -> Result:
    shape = registers.steps, registers.size
    spikes = np.zeros(shape, bool)
    step, cell = np.fromfile(folder / "spikes", np.int64).reshape(-1, 2).T
    spikes[step - 1, cell] = True
    u, v = (np.fromfile(folder / name, np.int32).reshape(shape) for name in ("u", "v"))
    return Result(u, v, spikes)


class StockLava:
    """In the child process: a LIF, a RingBuffer and connections of Lava's own for each job, with evsim's recorders."""

    def __init__(self, jobs: Sequence[tuple[Registers, str]], folders: Sequence[Path]) -> None:
        self._sdk = import_module("evsim_lava.sdk")  # before anything else of Lava's
        self._jobs = [(*job, folder) for job, folder in zip(jobs, folders, strict=True)]
        self._neurons: Any = None

    def run(self, _: int) -> None:
        """All steps of all jobs."""
        config = self._sdk.Loihi2SimCfg(select_tag="fixed_pt")
        for registers, connection, folder in self._jobs:
            self._neurons = self._population(registers)
            kept = self._connect(registers, connection), self._record(registers.size, folder)
            self._neurons.run(condition=self._sdk.RunSteps(num_steps=registers.steps), run_cfg=config)
            self.close()
            del kept  # Lava itself does not keep processes alive

    def _population(self, registers: Registers):
        assert not registers.refractory, "Lava's fixed-point LIF has no refractory period"
        return self._sdk.LIF(
            shape=(registers.size,),
            du=registers.du,
            dv=registers.dv,
            vth=registers.vth,
            bias_mant=registers.each(registers.bias_mantissa),
            bias_exp=registers.each(registers.bias_exponent),
            u=registers.each(registers.u),
            v=registers.each(registers.v),
        )

    def _connect(self, registers: Registers, name: str):
        source = import_module("lava.proc.io.source").RingBuffer(data=registers.inputs.T.astype(np.int32))
        for synapses in registers.synapses:
            shape = registers.size, registers.sources(synapses)
            between = _connection(name, synapses, shape, self._sdk.SignMode(synapses.sign_mode))
            (self._neurons if synapses.recurrent else source).s_out.connect(between.s_in)
            between.a_out.connect(self._neurons.a_in)
        return source

    def _record(self, size: int, folder: Path) -> list:
        recorders: Any = import_module("evsim_lava.processes.recorders")
        folder.mkdir()
        spikes = recorders.SpikeRecorder(size=size, path=folder / "spikes")
        self._neurons.s_out.connect(spikes.s_in)
        states = [
            recorders.StateRecorder(size=size, cells=np.arange(size), interval=1, path=folder / name)
            for name in ("u", "v")
        ]
        states[0].state.connect_var(self._neurons.u)
        states[1].state.connect_var(self._neurons.v)
        return [spikes, *states]

    def failure(self) -> str | None:
        """The traceback of a Lava process that failed."""
        runtime = self._neurons.runtime if self._neurons else None
        actors = runtime._messaging_infrastructure.actors if runtime and runtime._messaging_infrastructure else []
        return next((actor.exception[1] for actor in actors if actor.exception), None)

    def close(self) -> None:
        """Stop Lava's processes."""
        if self._neurons is not None:
            self._neurons.stop()
            self._neurons = None


def _connection(name: str, synapses: Synapses, shape: tuple[int, int], sign_mode):
    """A spike that is sent in one time step is felt in the next at the earliest, whoever sent it."""
    module = import_module("lava.proc.sparse.process" if name.endswith("Sparse") else "lava.proc.dense.process")
    delay = synapses.delay - (not synapses.recurrent)  # an input's spike at t is sent in row t
    values = {"weights": synapses.weight, "delays": delay}
    if not name.startswith("Delay"):
        assert not values.pop("delays").any(), f"{name} has no delays"
    tables: dict[str, Any] = {key: synapses.matrix(value, shape) for key, value in values.items()}
    if name.endswith("Sparse"):
        tables = {key: import_module("scipy.sparse").csr_matrix(table) for key, table in tables.items()}
    return getattr(module, name)(**tables, weight_exp=synapses.exponent, num_weight_bits=8, sign_mode=sign_mode)


def lava_refractory(period: int, steps: int, tag: str) -> np.ndarray:
    """Spikes (steps, 1) of Lava's LIFRefractory, which a bias of 1 takes over its threshold of 0 in every free step.

    Args:
        tag: which of Lava's models of it; raises BackendError if there is no such model.
    """
    session = WorkerSession(f"{__name__}:RefractoryLava", (period, tag), WorkerOptions("Lava", timeout=100.0))
    try:
        session.run(steps)
        return np.asarray(session.recordings())
    finally:
        session.close()


class RefractoryLava:
    """In the child process: one neuron and a sink."""

    def __init__(self, period: int, tag: str) -> None:
        self._sdk = import_module("evsim_lava.sdk")
        process = import_module("lava.proc.lif.process").LIFRefractory
        self._lif = process(shape=(1,), vth=0, bias_mant=1, refractory_period=period)
        self._tag = tag
        self._sink: Any = None

    def run(self, steps: int) -> None:
        """Advance by a number of time steps, once."""
        self._sink = import_module("lava.proc.io.sink").RingBuffer(shape=(1,), buffer=steps)
        self._lif.s_out.connect(self._sink.a_in)
        config = self._sdk.Loihi2SimCfg(select_tag=self._tag)
        self._lif.run(condition=self._sdk.RunSteps(num_steps=steps), run_cfg=config)

    def recordings(self) -> np.ndarray:
        """(steps, 1) whether there was a spike."""
        return self._sink.data.get().T.astype(bool)

    def close(self) -> None:
        """Stop Lava's processes."""
        self._lif.stop()
