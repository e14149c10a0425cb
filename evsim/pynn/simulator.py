"""The state of the simulator that PyNN's API asks for: time, what was created, and the sessions that run it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pyNN import common

from evsim import network
from evsim.backend import Target
from evsim.errors import EvsimError
from evsim.processes import ALONE, Processes
from evsim.pynn import agreement, graph, launchers
from evsim.pynn.columns import on_grid
from evsim.pynn.invalid import InvalidValueError, as_pynns
from evsim.pynn.presence import Presence
from evsim.pynn.sessions import Conductor, Harvest, Piece, Sessions, harvest
from evsim.redrawn import let_go
from evsim.synapses import Synapses
from evsim.tolerances import TOLERANCES, Tolerances

if TYPE_CHECKING:
    from evsim.pynn.electrodes import CurrentSource
    from evsim.pynn.populations import Population
    from evsim.pynn.projections import Projection

name = "evsim"  # PyNN writes it into the annotations of recorded data

DEFAULT_TARGET = Target("reference", "ideal")
DEFAULT_TIMESTEP = 0.1  # ms, PyNN's
MOST_STEPS = 2.0**53  # beyond which a double does not tell one time step from the next


class ID(int, common.IDMixin):
    """A cell, as PyNN hands it out: a number that knows its population. The cells of each are a class of their own.

    Attributes:
        parent: the population.
        local: whether the cell is on this process; the cells of a population among several have their own answer.
    """

    parent: Population
    local = True  # type: ignore[assignment]


class State(Presence, common.control.BaseState):
    """PyNN's simulator state; there is one, ``state``.

    Attributes:
        targets: what runs the network; the script sees the data of the first.
        record_all_for_compare: whether the spikes of every population of neurons are recorded, asked for or not; the
            script is not shown more than it asked for.
        counted: variables of all neurons that have them that are recorded in every time step, likewise.
        conductor: starts and runs the sessions.
        dt: time step (ms).
        seed: of the draws made while the network runs, such as Poisson spike trains.
        record_sample_times: whether cells choose their own time steps, and data are recorded at these; PyNN's name.
        epoch: counts the calls of ``setup()``; objects made in an earlier epoch are gone.
    """

    def __init__(self) -> None:
        Presence.__init__(self)
        common.control.BaseState.__init__(self)
        self.targets: tuple[Target, ...] = (DEFAULT_TARGET,)
        self._asked = self.targets  # before the script's number of threads was added
        self.record_all_for_compare = False
        self.counted: frozenset[str] = frozenset()
        self.conductor = Conductor()
        self.epoch = 0
        self._chosen = False
        self._history: list[tuple[int, Piece]] = []
        self._segment = 0
        self._sessions: Sessions | None = None
        self.clear()

    # --- from outside the script -------------------------------------------------------------------------------------

    def choose(self, targets: Sequence[Target]) -> None:
        """Run the script that follows on these targets, whatever it asks for itself, and keep all that they record.

        Every target is given the very same network, and the script sees the data of the first one.
        """
        if not targets:
            raise ValueError("choose at least one target")
        self.clear()
        self._history.clear()
        self._segment = 0
        self.targets = self._asked = tuple(targets)
        self._chosen = True

    def harvest(self) -> list[Harvest]:
        """What each target recorded since ``choose``; sessions are closed and the network is forgotten."""
        self.clear()
        pieces, self._history = self._history, []
        return [harvest(index, target, pieces) for index, target in enumerate(self.targets)]

    def release(self) -> None:
        """End what ``choose`` began: unread data is dropped, and scripts choose for themselves again."""
        if self._sessions is not None:
            self._sessions.close()
        self._sessions = None
        self._history.clear()
        self.targets = self._asked = (DEFAULT_TARGET,)
        self._chosen = False
        self.record_all_for_compare = False
        self.counted = frozenset()
        self.conductor = Conductor()

    def ask_for(self, target: Target | None, threads: int | None = None) -> None:
        """What the script itself asks for in ``setup()``; a choice made from outside goes first.

        Args:
            threads: for the targets that leave it open, wherever they were chosen; only the reference has threads.
        """
        if not self._chosen:
            self._asked = (target or DEFAULT_TARGET,)
        self.targets = tuple(_with_threads(target, threads) for target in self._asked)

    def vary_steps(self, tolerances: Tolerances) -> bool:
        """Let cells choose their own time steps, if all targets can; returns whether they do.

        Raises:
            EvsimError: this is one of several processes.
        """
        if not all(map(is_variable, self.targets)):
            return False
        if self.processes.talks:
            raise EvsimError(
                f"setup() was given use_cvode=True in {self.processes.count} processes, among which a network with "
                "a variable time step cannot be divided; run the script as one process"
            )
        self.targets = tuple(_with(target, TOLERANCES, tolerances) for target in self.targets)
        self.record_sample_times = True
        return True

    def join(self, processes: Processes) -> None:
        """Be one of several processes that run the script; raises EvsimError where they cannot."""
        if processes.talks:
            launchers.refuse_others(processes, self.targets, self._chosen)
            processes.served = {"agree": partial(agreement.agree, self)}
            processes.meet("set up a network")
            self.targets = tuple(_with(target, "processes", processes) for target in self.targets)
        self.processes = processes

    # --- time --------------------------------------------------------------------------------------------------------

    @property
    def t(self) -> float:
        """The time now (ms)."""
        return self.step * self.dt

    def run(self, simtime: float) -> None:
        """Advance by a time (ms)."""
        self.run_until(self.t + simtime)

    def run_until(self, tstop: float) -> None:
        """Advance to a time (ms), rounded to the time step."""
        if not math.isfinite(tstop):
            raise InvalidValueError(f"run() was asked to go on to {tstop:g} ms; give it a finite time")
        if not abs(tstop / self.dt) < MOST_STEPS:
            raise InvalidValueError(
                f"run() was asked to go on to {tstop:g} ms, {tstop / self.dt:.3g} time steps of {self.dt:g} ms; evsim "
                f"counts up to {MOST_STEPS:.3g}. Run for a shorter time, or give setup() a longer timestep."
            )
        steps = max(round(tstop / self.dt) - self.step, 0)
        if self.processes.talks:
            self.processes.meet(f"run from step {self.step} to step {self.step + steps}")
            agreement.agree(self)
        self.running = True
        with as_pynns(), self.whole():
            sessions = self._ready(self.step + steps)
        if steps:
            let_go(projection.synapses for projection in [*sessions.network.projections, *self.projections])
            sessions.run(steps)
            self.step += steps

    def reset(self) -> None:
        """Back to t = 0, with the initial values and the parameters as they are now; begins a new segment."""
        if self.processes.talks:
            self.processes.meet("reset()")
        if self._sessions is not None and not self._sessions.closed:
            self._shelve(self._sessions)
            self._sessions.reset()
        self.running = False
        self.step = 0
        self.segment_counter += 1
        for source in self.current_sources:
            source.reset()

    def clear(self) -> None:
        """Forget the network and start anew, as ``setup()`` does."""
        if self._sessions is not None:
            self._shelve(self._sessions)
            self._sessions.close()
        self._sessions = None
        self.populations: list[Population] = []
        self.projections: list[Projection] = []
        self.current_sources: list[CurrentSource] = []
        self.recorders = set()
        self.write_on_end = []
        self.dt = DEFAULT_TIMESTEP
        self.seed = 0
        self.off_grid = False
        self.record_sample_times = False
        self.set_delays("auto", "auto")
        self.processes = ALONE
        self.id_counter = 1
        self.epoch += 1
        self.running = False
        self.step = 0
        self.t_start = 0
        self.segment_counter = 0
        self._changed = True

    def finish(self) -> None:
        """Let go of what runs the network; what it recorded can still be read."""
        if self._sessions is not None:
            self._sessions.finish(with_weights=self._chosen)

    # --- delays ------------------------------------------------------------------------------------------------------

    def set_delays(self, min_delay: float | str, max_delay: float | str) -> None:
        """The limits (ms) that ``setup()`` was given, or ``"auto"``; the lower one is rounded to the time step."""
        least = None if min_delay == "auto" else float(on_grid(min_delay, self.dt))
        most = None if max_delay == "auto" else float(max_delay)
        self.delay_limits = least, most

    @property
    def min_delay(self) -> float:
        """The limit given to ``setup()``, or else the shortest delay that there is (ms)."""
        delays = (projection.shortest_delay for projection in self.projections if len(projection.synapses))
        return min(delays, default=self.dt) if self.delay_limits[0] is None else self.delay_limits[0]

    @property
    def max_delay(self) -> float:
        """The limit given to ``setup()``, or else the longest delay that there is (ms)."""
        delays = (projection.longest_delay for projection in self.projections if len(projection.synapses))
        return max(delays, default=self.dt) if self.delay_limits[1] is None else self.delay_limits[1]

    @property
    def default_delay(self) -> float:
        """The delay (ms) of a synapse that was given none."""
        return self.dt if self.delay_limits[0] is None else self.delay_limits[0]

    # --- running and recording ---------------------------------------------------------------------------------------

    def changed(self) -> None:
        """Say that something of the network is no longer as it was built; it is built anew before the next step."""
        self._changed = True

    def weights(self, part: network.Projection) -> NDArray[np.float64] | None:
        """The weights that a plastic projection has by now (n,); None where nothing has run since t = 0."""
        if self._sessions is None or not self.step:
            return None
        return self._sessions.weights(part)

    def synapse_states(self, part: network.Projection) -> Mapping[str, NDArray[np.float64]]:
        """The state variables that a releasing projection has by now (n,); none where nothing has run since t = 0."""
        if self._sessions is None or not self.step:
            return {}
        return self._sessions.synapse_states(part)

    def synapses(self, part: network.Projection) -> Synapses | None:
        """The synapses by now of a projection whose synapses come and go; None where nothing has run since t = 0."""
        if self._sessions is None or not self.step:
            return None
        return self._sessions.synapses(part)

    def pieces(self) -> list[Piece]:
        """Everything recorded since t = 0 and not forgotten."""
        return self._sessions.pieces() if self._sessions is not None else []

    def forget_recorded(self) -> None:
        """Let the targets drop what no recorder shows any more; a script that was chosen targets for loses nothing."""
        if self._sessions is None or self._sessions.closed:
            return
        self._sessions.cut()
        if not self._chosen:
            self._sessions.forget(min(recorder.shown_from for recorder in self.recorders if recorder.recorded))

    def _ready(self, stop: int) -> Sessions:
        """Sessions that hold the present network, with currents known up to step ``stop``."""
        if self._sessions is not None and self._sessions.closed:
            raise EvsimError("the simulation has ended; call setup() and create the network again to run once more")
        for source in self.current_sources:
            if source.extend(stop):
                self._changed = True
        if self._sessions is None or self._changed:
            built = graph.build(self)
            grew = self._sessions is not None and graph.shape(built) != graph.shape(self._sessions.network)
            if self._sessions is not None and grew and not self.step:
                self._sessions.close()
                self._sessions = None
            if self._sessions is None:
                self._sessions = Sessions(built, self.targets, self.conductor)
            elif grew:
                self._refuse_growth_on_chips()
                self._sessions.grow(built)
            else:
                self._sessions.update(built)
            self._changed = False
        return self._sessions

    def _refuse_growth_on_chips(self) -> None:
        chips = [str(target) for target in self.targets if (target.chip or "ideal") != "ideal"]
        if chips:
            raise EvsimError(
                f"populations or projections were created at t = {self.t:g} ms, in the middle of a run, which "
                f"{chips[0]} cannot take up: a chip's weights are scaled anew with them; create them before run(), or "
                "call reset() first"
            )

    def _shelve(self, sessions: Sessions) -> None:
        """Keep what was recorded since t = 0, if the targets were chosen from outside, for ``harvest``."""
        pieces = sessions.whole_run() if self._chosen else []
        self._history += [(self._segment, piece) for piece in pieces]
        self._segment += bool(pieces)


def is_variable(target: Target) -> bool:
    """Whether a target can let cells choose their own time steps."""
    return target.backend == DEFAULT_TARGET.backend and target.chip in (None, DEFAULT_TARGET.chip)


def _with_threads(target: Target, threads: int | None) -> Target:
    if threads is None or target.backend != DEFAULT_TARGET.backend or "threads" in target.options:
        return target
    return _with(target, "threads", threads)


def _with(target: Target, word: str, value: Any) -> Target:
    return replace(target, options={**target.options, word: value})


state = State()
