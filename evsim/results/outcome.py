"""What is compared: everything that one target recorded while a script ran, and what computed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from evsim.backend import Target
from evsim.chip import Chip
from evsim.network import Network
from evsim.recording import Recordings


class Stretch(Protocol):
    """A stretch of a run in which nothing recorded was dropped; the front end's ``SegmentRun`` is one.

    Attributes:
        network: as it was at the end of the stretch.
        steps: the number of time steps that it covers.
        segment: counts the runs from t = 0; stretches of one run share it.
        start: the time step since t = 0 at which it begins.
        weights: index of a plastic projection -> its weights (n,) at the end of the run; empty but in a run's last.
    """

    @property
    def network(self) -> Network: ...  # noqa: D102
    @property
    def recordings(self) -> Recordings: ...  # noqa: D102
    @property
    def steps(self) -> int: ...  # noqa: D102
    @property
    def segment(self) -> int: ...  # noqa: D102
    @property
    def start(self) -> int: ...  # noqa: D102
    @property
    def weights(self) -> Mapping[int, NDArray[np.float64]]: ...  # noqa: D102


@dataclass(frozen=True, eq=False)
class Outcome:
    """One target's part in a comparison.

    Attributes:
        name: what the reports call it; unique among the outcomes compared.
        chip: the chip whose rule set computed.
        stretches: in the order in which they ran.
        versions: package -> version, of what computed.
        seconds: of wall time, for setting up and running this target.
        notes: the backend's sentences for the user.
    """

    name: str
    target: Target
    chip: Chip
    stretches: Sequence[Stretch]
    versions: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def networks(self) -> list[Network]:
        """The networks that ran, each once, in order."""
        return list({id(stretch.network): stretch.network for stretch in self.stretches}.values())
