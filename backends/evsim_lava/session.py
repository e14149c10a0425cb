"""A network being run by Lava, seen from evsim: sources, files and the child process in which Lava lives."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evsim.chip import Chip
from evsim.deploy.chip_network import ChipNetwork, ChipPopulation
from evsim.deploy.quantise import quantise
from evsim.errors import BackendError, CheckError, Problem
from evsim.network import Network, Population
from evsim.recording import Recordings
from evsim.sources import Source, SourceSpikes, source_of
from evsim.worker import WorkerOptions, WorkerSession
from evsim_lava import hardware, lower, recorded
from evsim_lava.lower_learning import present_weights, size_problems
from evsim_lava.plan import SourcePlan

# Every Lava process is a process of the machine; threads of their own would only compete.
_ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}


class LavaSession:
    """See ``evsim.backend.Session``. Lava's processes are started by the first ``run``.

    Args:
        timeout: s, for one request; None gives 600 s and 0.1 s for each time step of a run.
        stock_elements: see ``evsim_lava.lower.plan``.
        on_chip: whether a Loihi 2 chip runs the network; everything is then made of Lava's own processes.
    """

    def __init__(
        self,
        network: Network,
        chip: Chip,
        timeout: float | None = None,
        stock_elements: int = lower.STOCK_ELEMENTS,
        on_chip: bool = False,
    ) -> None:
        self._chip = chip
        self._stock_elements = sys.maxsize if on_chip else stock_elements
        self._on_chip = on_chip
        self._options = (
            WorkerOptions("Lava", timeout_per_step=0.1, environment=_ONE_THREAD)
            if timeout is None
            else WorkerOptions("Lava", start_timeout=timeout, timeout=timeout, environment=_ONE_THREAD)
        )
        self._worker: WorkerSession | None = None
        self._folder: tempfile.TemporaryDirectory | None = None
        self._begin(self._convert(network))

    def _convert(self, network: Network) -> ChipNetwork:
        chip_network = quantise(network, self._chip)
        if problems := [*_problems(chip_network), *size_problems(chip_network)]:
            raise CheckError("this network cannot run on Lava", problems)
        if self._on_chip:
            planned = lower.plan(chip_network, Path(), self._stock_elements)
            if problems := list(hardware.problems(planned, network)):
                raise CheckError("Lava cannot bring this network to a chip", problems)
        return chip_network

    def _begin(self, chip_network: ChipNetwork) -> None:
        """Everything at t = 0, without Lava."""
        self._net = chip_network
        self._step = 0
        self._cleared = 0
        self._ran = False  # since the start or the last clear
        self._windows = 0
        self._sources: dict[int, Source] = {
            index: source_of(chip_network.network, index)
            for index, population in enumerate(chip_network.populations)
            if not isinstance(population, ChipPopulation)
        }
        self._drawn = -1  # the last label whose source spikes were drawn
        self._to_send = {index: np.empty((0, 2), np.int64) for index in self._sources}
        self._source_spikes: dict[int, list[SourceSpikes]] = {}
        self._lava_sources: list[int] = []

    def _start(self) -> tuple[WorkerSession, Path]:
        if self._worker is None or self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="evsim-lava-")
            folder = Path(self._folder.name)
            plan = lower.plan(self._net, folder, self._stock_elements)
            self._lava_sources = [i for i, p in plan.populations.items() if isinstance(p, SourcePlan)]
            for index in self._lava_sources:
                lower.source_folder(folder, index).mkdir()
            self._worker = WorkerSession("evsim_lava.graph:LavaGraph", (plan, self._on_chip), self._options)
        return self._worker, Path(self._folder.name)

    def run(self, steps: int) -> None:
        """Advance by a number of time steps."""
        self._draw(self._step + steps)
        self._ran = True
        if not steps:
            return
        worker, folder = self._start()
        self._send_sources(folder, self._step + steps)
        worker.run(steps)
        self._step += steps

    def _draw(self, last: int) -> None:
        """Draw the spikes of all sources up to label ``last``."""
        if last <= self._drawn:
            return
        for index, source in self._sources.items():
            spikes = source.spikes(self._drawn + 1, last)
            self._source_spikes.setdefault(index, []).append(spikes)
            pairs = np.stack([spikes.label, spikes.cell], axis=1)
            self._to_send[index] = np.concatenate([self._to_send[index], pairs])
        self._drawn = last

    def _send_sources(self, folder: Path, last: int) -> None:
        """Write the window of events of this run; those labelled ``last`` are sent in the first step of the next."""
        for index in self._lava_sources:
            pairs = self._to_send[index]
            stop = int(np.searchsorted(pairs[:, 0], last))
            window = np.concatenate([[[last - 1, 0]], pairs[:stop]]).astype(np.int64)
            np.save(lower.source_folder(folder, index) / f"{self._windows}.npy", window)
            self._to_send[index] = pairs[stop:]
        self._windows += 1

    def update(self, network: Network) -> None:
        """Take over a changed network: anything at t = 0, and the spikes of sources later."""
        if self._step == 0:
            self._stop()
            self._begin(self._convert(network))
            return
        old = self._net.network
        if what := _difference(old, network, set(self._sources)):
            raise BackendError(
                f"Lava cannot take over a change of {what} while the network runs; make it before run() or after "
                f"reset(), or run on reference:{self._chip.name}"
            )
        for index in self._sources:
            if network.populations[index] is not old.populations[index]:
                self._sources[index] = source_of(network, index, self._step)
                self._sources[index].spikes(0, self._drawn)
        self._net = replace(self._net, network=network)

    def reset(self) -> None:
        """Back to t = 0; Lava is started anew by the next run."""
        self._stop()
        self._begin(self._net)

    def weights(self, projection: int) -> NDArray[np.float64]:
        """The present weights (n,) of a plastic projection."""
        return present_weights(self._net, projection, Path(self._folder.name) if self._folder else None)

    def recordings(self) -> Recordings:
        """What was recorded since the start, the last reset or the last clear."""
        folder = Path(self._folder.name) if self._folder else Path()
        # the first sample is taken when a run begins
        labels = range(self._cleared, self._step + 1) if self._ran else range(0)
        return recorded.read(self._net, folder, self._source_spikes, labels)

    def clear(self) -> None:
        """Forget what was recorded."""
        self._source_spikes = {}
        self._cleared, self._ran = self._step, False

    def close(self) -> None:
        """End Lava's processes and remove its files."""
        self._stop()

    def _stop(self) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


def _problems(chip_network: ChipNetwork):
    for population in chip_network.populations:
        if not isinstance(population, ChipPopulation):
            continue
        where, reference = f"population {population.label!r}", f"run on reference:{chip_network.chip.name}"
        if not lower.has_process(rule := population.model.rules[chip_network.chip.rules.name]):
            yield Problem(
                where,
                f"the cell {population.model.name}",
                "Lava has leaky integrate-and-fire neurons and sigma-delta neurons",
                f"Use IF_curr_exp or IF_curr_delta, or {reference}.",
            )
        elif lower.is_sigma_delta(rule) and population.cells.parameters.shape[1] > 1:
            yield Problem(
                where,
                "sigma-delta neurons with different vth, act_mode or cum_error",
                "Lava's SigmaDelta has one of each for all cells",
                f"Make a population for each, or {reference}.",
            )


def _difference(old: Network, new: Network, sources: set[int]) -> str | None:
    """What differs between two networks other than the parameters of sources, in words; None if nothing does."""
    if (old.timestep, old.seed) != (new.timestep, new.seed):
        return "the timestep or the seed"
    if len(old.populations) != len(new.populations) or len(old.projections) != len(new.projections):
        return "the number of populations or projections"
    for index, (before, after) in enumerate(zip(old.populations, new.populations, strict=True)):
        if before is not after and not (index in sources and _same_kind(before, after)):
            return f"population {after.label!r}"
    for before, after in zip(old.projections, new.projections, strict=True):
        if before is not after:
            return f"projection {after.label!r}"
    if [id(current) for current in old.currents] != [id(current) for current in new.currents]:
        return "the injected currents"
    if old.recorded != new.recorded:
        return "what is recorded"
    return None


def _same_kind(before: Population, after: Population) -> bool:
    return (before.model, before.size) == (after.model, after.size)
