"""One network running on several targets at once, and everything that they record."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from evsim import registry
from evsim.backend import PlasticSession, ReleasingSession, Session, StructuralSession, Target
from evsim.chip import load_chip
from evsim.errors import CheckError, joined
from evsim.network import Network, Projection
from evsim.pynn.growth import History
from evsim.recording import Recordings
from evsim.synapses import Listed, Synapses

Weights = Mapping[int, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Piece:
    """What was recorded from one time step to another, on every target.

    Attributes:
        start, stop: time steps since t = 0; the samples of both are included.
        recordings: in the order of the targets.
        weights: likewise, what plastic synapses had learned at the end: index of a projection -> (n,).
    """

    start: int
    stop: int
    network: Network
    recordings: tuple[Recordings, ...]
    weights: tuple[Weights, ...] = ()


@dataclass(frozen=True, eq=False)
class SegmentRun:
    """A stretch of one target's run in which nothing recorded was dropped.

    Attributes:
        network: the network as it was at the end of the stretch.
        steps: the number of time steps that it covers.
        segment: counts the runs from t = 0, from the start of the script on; stretches of one run share it.
        start: the time step since t = 0 at which it begins; above 0 where the script cleared its data or changed what
            it records in the middle of a run.
        weights: index of a plastic projection -> its weights (n,) at the end of the run; empty but in a run's last.
    """

    network: Network
    recordings: Recordings
    steps: int
    segment: int
    start: int = 0
    weights: Weights = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Harvest:
    """Everything that one target recorded while a script ran.

    Attributes:
        session_notes: the backend's sentences for the user, each once.
    """

    target: Target
    runs: tuple[SegmentRun, ...]
    session_notes: tuple[str, ...]


class Conductor:
    """Starts and runs the sessions. The command line puts one in its place that also measures and shows progress.

    Attributes:
        cuts_at_changes: whether what was recorded is put aside at each change of the network, so that it is known what
            was recorded of which network.
    """

    cuts_at_changes = False

    def foresee(self, network: Network, targets: Sequence[Target]) -> None:
        """Warn of the weights that the targets' chips lose; called with each network before it runs."""
        from evsim.results.losses import chip_losses, warning  # loads numba, which an import of the API does without

        losses = chip_losses(network, [load_chip(target.chip or "ideal") for target in targets])
        if text := warning(losses):
            warnings.warn(text, stacklevel=2)

    def start(self, network: Network, targets: Sequence[Target], index: int) -> Session:
        """Start ``targets[index]``; called for each target in turn."""
        return registry.backend(targets[index].backend).start(network, targets[index])

    def run(self, session: Session, steps: int, index: int) -> None:
        """Advance the session of target ``index`` by a number of time steps."""
        session.run(steps)


class Sessions:
    """A network being run on every target, step for step alike.

    Args:
        network: given to every target.
        targets: at least one; the first is the one whose data the script sees.
        conductor: starts and runs the sessions.

    Raises:
        CheckError: the network does not fit, with the problems of all targets.
    """

    def __init__(self, network: Network, targets: Sequence[Target], conductor: Conductor) -> None:
        self.network = network
        self._history = History(network)
        self._conductor = conductor
        self._targets = targets
        self.step = 0
        self.closed = False
        self._pieces: list[Piece] = []
        self._piece_start = 0
        self._recordings: tuple[Recordings, ...] | None = None
        self._weights: dict[int, NDArray[np.float64]] = {}  # of plastic projections, as long as nothing runs
        self._synapses: dict[int, Synapses] = {}  # likewise, those of projections whose synapses come and go
        self._sessions: list[Session] = []
        from evsim.deploy.quantise import remembering  # loads numba, which an import of the API does without

        try:
            with remembering():
                self._start(network, targets)
        except BaseException:
            self.close()
            raise

    def _start(self, network: Network, targets: Sequence[Target]) -> None:
        misfits: list[CheckError] = []
        try:
            self._conductor.foresee(network, targets)
        except CheckError as error:
            misfits.append(error)
        for index in range(len(targets)):
            try:
                self._sessions.append(self._conductor.start(network, targets, index))
            except CheckError as error:
                misfits.append(error)
        if misfits:
            raise joined(misfits)

    def run(self, steps: int) -> None:
        """Advance every target by a number of time steps."""
        self._forget_present()
        self._advance(steps)
        self.step += steps

    def _advance(self, steps: int) -> None:
        for index, session in enumerate(self._sessions):
            self._conductor.run(session, steps, index)

    def update(self, network: Network) -> None:
        """Go on with a changed network of the same shape."""
        from evsim.deploy.quantise import remembering

        with remembering():
            self._update(network)

    def _update(self, network: Network) -> None:
        self._conductor.foresee(network, self._targets)
        if self.network.recorded != network.recorded or self._conductor.cuts_at_changes:
            self.cut()
        self._forget_present()
        for session in self._sessions:
            session.update(network)
        self.network = network
        self._history.add(self.step, network)

    def grow(self, network: Network) -> None:
        """Go on with a network that has more populations or projections at its end (``evsim.pynn.growth``)."""
        from evsim.deploy.quantise import remembering

        self.cut()
        for session in self._sessions:
            session.close()
        self._sessions = []
        at = 0
        with remembering():
            for step, earlier in self._history.foreshadowing(network):
                if step > at:
                    self._advance(step - at)
                if self._sessions:
                    for session in self._sessions:
                        session.update(earlier)
                else:
                    self._start(earlier, self._targets)
                at = step
            if self.step > at:
                self._advance(self.step - at)
            self._update(network)
        for session in self._sessions:
            session.clear()

    def weights(self, projection: Projection) -> NDArray[np.float64] | None:
        """The present weights (n,) of a plastic projection on the first target; None if it is not in the network."""
        index = next((i for i, part in enumerate(self.network.projections) if part is projection), None)
        session = self._sessions[0]
        if index is None or not isinstance(session, PlasticSession):
            return None
        if index not in self._weights:
            self._weights[index] = session.weights(index)
        return self._weights[index]

    def synapse_states(self, projection: Projection) -> Mapping[str, NDArray[np.float64]]:
        """The present state variables (n,) of a releasing projection on the first target; none if it has not run."""
        index = next((i for i, part in enumerate(self.network.projections) if part is projection), None)
        session = self._sessions[0]
        if index is None or not len(projection) or not isinstance(session, ReleasingSession):
            return {}
        return session.synapse_states(index)

    def synapses(self, projection: Projection) -> Synapses | None:
        """The present synapses of a projection whose synapses come and go; None if it is not in the network."""
        index = next((i for i, part in enumerate(self.network.projections) if part is projection), None)
        session = self._sessions[0]
        if index is None or not isinstance(session, StructuralSession):
            return None
        if index not in self._synapses:
            self._synapses[index] = Listed(*session.synapses(index))
        return self._synapses[index]

    def _forget_present(self) -> None:
        """Ask the sessions again."""
        self._recordings = None
        self._weights.clear()
        self._synapses.clear()

    def reset(self) -> None:
        """Back to t = 0; what was recorded is dropped."""
        self._pieces = []
        self._forget_present()
        for session in self._sessions:
            session.reset()
        self.step = self._piece_start = 0
        self._history = History(self.network)

    def cut(self) -> None:
        """Put what was recorded up to now aside as a piece, and let the targets forget it."""
        if self.step == self._piece_start:
            return
        self._pieces.append(self._present())
        self._recordings = None
        for session in self._sessions:
            session.clear()
        self._piece_start = self.step

    def forget(self, step: int) -> None:
        """Drop the pieces that end before a time step."""
        self._pieces = [piece for piece in self._pieces if piece.stop >= step]

    def pieces(self) -> list[Piece]:
        """Everything recorded since t = 0 that was not forgotten, in order of time."""
        if self.closed or self.step == self._piece_start:
            return list(self._pieces)
        return [*self._pieces, self._present()]

    def whole_run(self) -> list[Piece]:
        """Everything recorded since t = 0, and in the last piece what the plastic synapses of all targets learned."""
        pieces = self.pieces()
        if pieces and not self.closed:
            pieces[-1] = replace(pieces[-1], weights=tuple(self._learned(session) for session in self._sessions))
        return pieces

    def _learned(self, session: Session) -> Weights:
        parts = enumerate(self.network.projections)
        plastic = [index for index, part in parts if part.learns and part.structure is None]
        return {index: session.weights(index) for index in plastic} if isinstance(session, PlasticSession) else {}

    def finish(self, with_weights: bool) -> None:
        """Keep what was recorded and let go of the targets; may be called more than once.

        Args:
            with_weights: whether what was learned is kept, too.
        """
        if not self.closed:
            self._pieces = self.whole_run() if with_weights else self.pieces()
            self.close()

    def _present(self) -> Piece:
        if self._recordings is None:
            self._recordings = tuple(session.recordings() for session in self._sessions)
        return Piece(self._piece_start, self.step, self.network, self._recordings)

    def close(self) -> None:
        """Let go of the targets without reading what they recorded; may be called more than once."""
        self.closed = True
        for session in self._sessions:
            session.close()


def harvest(target_index: int, target: Target, pieces: Sequence[tuple[int, Piece]]) -> Harvest:
    """What one target recorded, from pieces with the number of their segment."""
    runs = tuple(
        SegmentRun(
            piece.network,
            piece.recordings[target_index],
            piece.stop - piece.start,
            segment,
            piece.start,
            piece.weights[target_index] if piece.weights else {},
        )
        for segment, piece in pieces
    )
    notes = dict.fromkeys(note for run in runs for note in run.recordings.notes)
    return Harvest(target, runs, tuple(notes))
