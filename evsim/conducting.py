"""What a command puts in the place of the front end's conductor, which starts and runs sessions."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise

from tqdm import tqdm

from evsim.backend import Session, Target
from evsim.chip import Chip, load_chip
from evsim.network import Network
from evsim.pynn.sessions import Conductor
from evsim.pynn.simulator import DEFAULT_TARGET
from evsim.recording import Recordings
from evsim.results.losses import ChipLosses, chip_losses, lost_weights, warning

BAR_PIECES = 100  # into so many the reference's run is cut where a progress bar is shown


def chip_of(target: Target) -> Chip:
    """The chip whose rule set computes on a target."""
    return load_chip(target.chip or "ideal")


class MeasuringConductor(Conductor):
    """Starts and runs sessions, takes the time, shows progress, and says beforehand what quantisation will lose."""

    def __init__(
        self,
        targets: Mapping[str, Target],
        tell: Callable[[str], None],
        show_progress: bool,
        cuts_at_changes: bool = False,
    ) -> None:
        self.cuts_at_changes = cuts_at_changes
        self.seconds = [0.0] * len(targets)
        self.losses: list[ChipLosses] = []
        self._targets = list(targets.items())
        self._tell = tell
        self._show_progress = show_progress
        self._warned: set[str] = set()

    def start(self, network: Network, targets: Sequence[Target], index: int) -> Session:
        """Start a target."""
        with self._timed(index):
            return super().start(network, targets, index)

    def run(self, session: Session, steps: int, index: int) -> None:
        """Advance a target, in pieces where a bar is shown and stopping in between costs nothing."""
        name, target = self._targets[index]
        bar = tqdm(total=steps, desc=name, unit="step", delay=1.0, leave=False, disable=not self._show_progress)
        pieces = BAR_PIECES if self._show_progress and target.backend == DEFAULT_TARGET.backend else 1
        ends = [steps * piece // pieces for piece in range(pieces + 1)]
        with self._timed(index), bar:
            for begin, end in pairwise(ends):
                if end > begin:
                    session.run(end - begin)
                    bar.update(end - begin)

    @contextmanager
    def _timed(self, index: int) -> Iterator[None]:
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[index] += time.perf_counter() - begin

    def foresee(self, network: Network, targets: Sequence[Target]) -> None:
        """Warn of the weights that the targets' chips lose; once for networks that lose the same."""
        losses = chip_losses(network, [chip_of(target) for target in targets])
        self.losses = max(self.losses or losses, losses, key=lost_weights)  # of equals, the first
        text = warning(losses)
        if text and text not in self._warned:
            self._warned.add(text)
            self._tell(f"warning: {text}")


class FirstRun(BaseException):
    """Leaves a script at its first ``run()``; not an Exception, so that no ``except Exception`` there catches it."""

    def __init__(self, network: Network, steps: int = 0) -> None:
        self.network = network
        self.steps = steps


class Interceptor(Conductor):
    """Takes the first network before any session starts."""

    def foresee(self, network: Network, targets: Sequence[Target]) -> None:
        """Leave the script."""
        raise FirstRun(network)


class StepsInterceptor(Conductor):
    """Takes the first network that runs, with the time steps that it is asked to run; no session does anything."""

    def __init__(self) -> None:
        self._network: Network | None = None

    def foresee(self, network: Network, targets: Sequence[Target]) -> None:
        """Remember the network, which may change before anything runs."""
        self._network = network

    def start(self, network: Network, targets: Sequence[Target], index: int) -> Session:
        """A session that does nothing."""
        return _Idle()

    def run(self, session: Session, steps: int, index: int) -> None:
        """Leave the script."""
        assert self._network is not None, "a network is foreseen before it runs"
        raise FirstRun(self._network, steps)


class _Idle:
    """A session that never runs."""

    def run(self, steps: int) -> None: ...

    def update(self, network: Network) -> None: ...

    def reset(self) -> None: ...

    def recordings(self) -> Recordings:
        return Recordings()

    def clear(self) -> None: ...

    def close(self) -> None: ...
