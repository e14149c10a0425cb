"""What the child process builds in Lava: registers, synapses and files, all decided beforehand. Plain data, no Lava."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True, eq=False)
class SamplePlan:
    """Every ``interval`` time steps, a state variable of some cells goes to a file; Lava's name of it."""

    variable: str
    cells: np.ndarray
    interval: int
    path: Path


@dataclass(frozen=True, eq=False)
class CurrentPlan:
    """A synaptic current of a population: its decay register and its state; (n,) int32."""

    du: np.ndarray
    u: np.ndarray


@dataclass(frozen=True, eq=False)
class NeuronPlan:
    """The registers of a population; arrays are (n,) int32.

    Attributes:
        currents: one for both receptors, or one for each.
        changes: (time step, cell, bias) of injected currents, in order of time.
        spikes: file that takes the spikes; None if they are not recorded.
    """

    currents: tuple[CurrentPlan, ...]
    dv: np.ndarray
    vth: np.ndarray
    bias_mant: np.ndarray
    bias_exp: np.ndarray
    v: np.ndarray
    refractory: np.ndarray
    changes: tuple[np.ndarray, np.ndarray, np.ndarray]
    spikes: Path | None
    samples: tuple[SamplePlan, ...]

    @property
    def is_plain(self) -> bool:
        """Whether Lava's stock LIF process can hold the population, as far as it has one current."""
        decays = (current.du for current in self.currents)
        alike = all((values == values[0]).all() for values in (*decays, self.dv, self.vth))
        return alike and not self.refractory.any() and not len(self.changes[0])


@dataclass(frozen=True, eq=False)
class SourcePlan:
    """A population whose spikes come from the files of a folder, see ``EventSource``."""

    size: int
    folder: Path


@dataclass(frozen=True, eq=False)
class SynapsePlan:
    """The synapses of a projection; arrays are (n,).

    Attributes:
        pre, post: indices of populations.
        current: the number of the current that it adds to.
        shape: (targets, sources).
        delay: in Lava's count, in which 0 arrives in the step after.
        mixed: whether both signs occur, which Lava's sign mode wants to know.
        counts: whether a source may send several spikes of one cell in a step.
        layers: (n,) the connection object that holds the synapse, such that none holds two synapses between the same
            cells; None if one process of evsim's own holds them all.
    """

    pre: int
    post: int
    current: int
    shape: tuple[int, int]
    source: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    delay: np.ndarray
    exponent: int
    mixed: bool
    counts: bool
    layers: np.ndarray | None


@dataclass(frozen=True, eq=False)
class LavaPlan:
    """A whole network for Lava; populations by their index in the network."""

    populations: dict[int, NeuronPlan | SourcePlan]
    synapses: tuple[SynapsePlan, ...]
