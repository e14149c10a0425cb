"""What all workloads have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Workload(ABC):
    """What all workloads have.

    Attributes:
        name: as it is given on the command line.
        dt: time step (ms).
        duration: simulated time (ms).
        scale: size relative to the workload itself.
    """

    name: str
    dt: float
    duration: float
    scale: float = 1.0

    @property
    @abstractmethod
    def neurons(self) -> int:
        """Number of the neurons whose rate is reported."""

    @property
    @abstractmethod
    def synapses(self) -> int:
        """Expected number of synapses, without the one-to-one connections of external sources."""

    @abstractmethod
    def events(self, spikes: Sequence[int]) -> float:
        """Synaptic events of a run in which the recorded groups emitted that many spikes."""
