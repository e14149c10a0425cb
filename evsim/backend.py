"""The contract between the front end and whatever runs a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from evsim.model import Model
from evsim.network import Network
from evsim.recording import Recordings


@dataclass(frozen=True)
class Target:
    """Where to run: a backend, and what it is asked to be (``reference:loihi2``, ``spinnaker:virtual``).

    Attributes:
        backend: an entry point of the group ``evsim.backends``.
        chip: the chip whose rule set computes; None for the backend's own.
        options: further words for this backend alone, such as ``machine`` or ``timeout``; for those that can,
            ``profile``: whether to measure the stages of a run (``Recordings.profile``).
    """

    backend: str
    chip: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        detail = self.options.get("machine") or self.chip
        return f"{self.backend}:{detail}" if detail else self.backend


@runtime_checkable
class Session(Protocol):
    """One network being run."""

    def run(self, steps: int) -> None:
        """Advance by a number of time steps; raises BackendError if the backend fails or overruns its time-out."""
        ...

    def update(self, network: Network) -> None:
        """Take over the changes from the network before; raises BackendError for a change that it cannot make.

        An ``initial`` value that changed is set as the state now.
        """
        ...

    def reset(self) -> None:
        """Back to t = 0 with the initial values; recordings are dropped."""
        ...

    def recordings(self) -> Recordings:
        """What was recorded since the start, the last reset or the last clear."""
        ...

    def clear(self) -> None:
        """Forget what was recorded; the time goes on, and signals start again with the present sample."""
        ...

    def close(self) -> None:
        """Let go of processes, machines and files; may be called more than once."""
        ...


@runtime_checkable
class PlasticSession(Session, Protocol):
    """A session of a backend that has plastic synapses."""

    def weights(self, projection: int) -> NDArray[np.float64]:
        """The weights (n,) that plastic synapses have by now, in the network's order and unit.

        A weight is as the last spike that arrived left it, as in NEST; what spikes of the target have done to it since
        shows when the next one arrives. On Loihi, which learns in every time step, it is as it is by now.

        Args:
            projection: index in ``network.projections`` of a plastic projection.
        """
        ...


@runtime_checkable
class ReleasingSession(Session, Protocol):
    """A session of a backend that has synapses which release a part of their weight."""

    def synapse_states(self, projection: int) -> Mapping[str, NDArray[np.float64]]:
        """The state variables (n,) that such synapses have by now, as the last spike that arrived left them.

        Args:
            projection: index in ``network.projections`` of a projection with a ``release``.
        """
        ...


@runtime_checkable
class StructuralSession(Session, Protocol):
    """A session of a backend that has synapses which come and go."""

    def synapses(
        self, projection: int
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64], NDArray[np.int32]]:
        """Sources, targets, weights (in the network's unit) and delays (time steps) of such synapses by now, each (n,).

        Args:
            projection: index in ``network.projections`` of a projection with a ``structure``.
        """
        ...


class Backend(Protocol):
    """What an entry point of the group ``evsim.backends`` names: a class that is made with no arguments."""

    name: str
    summary: str  # one line for `evsim models` and `--help`

    def chips(self) -> Sequence[str]:
        """The chips as which it can compute."""
        ...

    def has(self, model: Model) -> bool:
        """Whether it can run a model, on one of its chips at least."""
        ...

    def target(self, word: str | None) -> Target:
        """The target that ``BACKEND[:WORD]`` means; raises UnknownNameError for a word it does not know."""
        ...

    def versions(self) -> Mapping[str, str]:
        """Package -> version, of what computes; asked only of backends that run."""
        ...

    def start(self, network: Network, target: Target) -> Session:
        """Check and convert the network, report every problem at once (CheckError), and get ready to run.

        Raises:
            CheckError: the network does not fit the chip or the backend.
            MissingPartError: a package is not installed.
        """
        ...
